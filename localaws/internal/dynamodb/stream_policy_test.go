// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"maps"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

// TestStreamPolicies: a stream has a policy of its own, with actions of its own.
func TestStreamPolicies(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Store = storagetest.NewRecorder() })
	arn := w.streamed("orders", "KEYS_ONLY", nil)
	text := strings.Replace(tablePolicy("alice", "GetRecords"), policyTable, arn, 1)
	on := func(more members) members {
		in := members{"ResourceArn": arn}
		maps.Copy(in, more)
		return in
	}
	const none = "Resource-based policy not found for the provided ResourceArn: "
	w.fails("GetResourcePolicy", on(nil), "PolicyNotFoundException", none+arn)
	w.fails("PutResourcePolicy", on(members{"Policy": tablePolicy("alice", "GetItem")}), "ValidationException",
		"One or more parameter values were invalid: Invalid policy document: The following action names are invalid: "+
			`"dynamodb:GetItem"`)
	w.fails("PutResourcePolicy", onTable(members{"Policy": text}), "ValidationException",
		"One or more parameter values were invalid: Invalid policy document: The following action names are invalid: "+
			`"dynamodb:GetRecords"`)
	w.fails("DeleteResourcePolicy", on(members{"ExpectedRevisionId": "1"}), "PolicyNotFoundException", none+arn+
		": Requested update for policy with revision id 1, but stream "+arn+" has no associated policy")
	revision := w.do("PutResourcePolicy", on(members{"Policy": text}))["RevisionId"]
	w.fails("GetResourcePolicy", onTable(nil), "PolicyNotFoundException", none+policyTable)
	w.do("PutItem", members{"TableName": "orders", "Item": members{"pk": str("a")}})
	w.do("UpdateTable", streamOff("orders"))
	w.restart()
	if got := w.do("GetResourcePolicy", on(nil)); got["RevisionId"] != revision ||
		!strings.Contains(got["Policy"].(string), "GetRecords") {
		t.Errorf("policy %v", got)
	}
	asked := func(operation string, in members) request.Check {
		w.mu.Lock()
		w.checks = nil
		w.mu.Unlock()
		w.do(operation, in)
		return w.checks[0]
	}
	c := asked("DescribeStream", members{"StreamArn": arn})
	if c.Action != "dynamodb:DescribeStream" || c.Resource != arn || c.ResourceAccountID != testAccount ||
		c.ResourcePolicy == nil {
		t.Errorf("check %+v", c)
	}
	if c := asked("ListStreams", members{}); c.Action != "dynamodb:ListStreams" || c.Resource != "*" {
		t.Errorf("check %+v", c)
	}
	w.do("DeleteResourcePolicy", on(nil))
	if c := asked("DescribeStream", members{"StreamArn": arn}); c.ResourcePolicy != nil {
		t.Errorf("a deleted policy is asked: %+v", c)
	}
	w.do("DeleteTable", members{"TableName": "orders"})
	w.do("PutResourcePolicy", on(members{"Policy": text}))
	w.restart()
	if got := w.do("GetResourcePolicy", on(nil)); got["RevisionId"] == revision {
		t.Errorf("policy %v", got)
	}
}
