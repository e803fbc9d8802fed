// SPDX-License-Identifier: Apache-2.0

package request

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// Error is an error as AWS answers it.
type Error struct {
	Code    string // without namespace: "ResourceNotFoundException"
	Message string
	Status  int // HTTP status; zero means 400
	// Namespace comes before the code in __type, such as
	// "com.amazonaws.dynamodb.v20120810"; the front door fills in the
	// service's default when it is empty.
	Namespace string
	// Members are further members of a JSON error body, such as
	// CancellationReasons.
	Members map[string]json.RawMessage
	// Hint says more than AWS does, such as which statement of a policy is wrong.
	// It is kept apart from Message, which has AWS's words. The front door answers
	// it in a header.
	Hint string
	// Decision is there when the error is a denial.
	Decision *policy.Decision
	// Cause is what lies behind an internal failure: for the log, not for the
	// client.
	Cause error
}

// ErrMistake is the Cause of an answer of status 500 that AWS gives to a mistake of
// the caller. It is not a failure of this server.
var ErrMistake = errors.New("a mistake of the caller, which AWS answers as a failure of its own")

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns Cause.
func (e *Error) Unwrap() error { return e.Cause }

// HTTPStatus returns Status, 400 when it is not set.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Errorf makes an error of HTTP status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Denied makes the access-denied error that the call's service answers: KMS,
// DynamoDB and CloudTrail AccessDeniedException with 400, IAM and STS
// AccessDenied with 403.
func Denied(c *Call, k Check, d policy.Decision) *Error {
	message := d.Message(policy.Request{Principal: c.Caller.Principal, Action: k.Action, Resource: k.Resource,
		ResourceAccountID: k.ResourceAccountID})
	e := &Error{Code: "AccessDeniedException", Message: message, Status: http.StatusBadRequest, Decision: &d}
	if c.Service == "iam" || c.Service == "sts" {
		e.Code, e.Status = "AccessDenied", http.StatusForbidden
	}
	return e
}
