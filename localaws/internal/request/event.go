// SPDX-License-Identifier: Apache-2.0

package request

import "encoding/json"

// Trail is what a service adds to its call's audit event. Neither item values
// nor secrets belong here.
type Trail struct {
	RequestParameters any // marshalled to JSON; nil is null
	ResponseElements  any
	Resources         []Resource
	// Principals outside the account, further fields and so on.
	Additional map[string]any
}

// Resource is a resource that an event touched.
type Resource struct {
	ARN       string `json:"ARN"`
	AccountID string `json:"accountId"`
	Type      string `json:"type"` // "AWS::KMS::Key"
}

// Recorder is the third seam: it takes one finished call, allowed or denied.
type Recorder interface {
	// Record files the event of c; err is what the call was answered with,
	// nil for success. It never fails and never blocks for long.
	Record(c *Call, o Operation, err error)
}

// JSON marshals v, which must be marshallable, for response bodies.
func JSON(v any) ([]byte, error) { return json.Marshal(v) }
