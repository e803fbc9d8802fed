// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

const policyTable = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"

// tablePolicy is a policy that lets a user do an action on the table orders.
func tablePolicy(user, action string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/` +
		user + `"},"Action":"dynamodb:` + action + `","Resource":"` + policyTable + `"}]}`
}

func onTable(more members) members {
	in := members{"ResourceArn": policyTable}
	for name, value := range more {
		in[name] = value
	}
	return in
}

// TestResourcePolicyRevisions: a changed policy has a greater revision, an equal one
// keeps its own, and a request can say which one it expects.
func TestResourcePolicyRevisions(t *testing.T) {
	store := storagetest.NewRecorder()
	w := newWorld(t, func(c *Config) { c.Store = store })
	w.table("orders", "", nil)
	get, put := tablePolicy("alice", "GetItem"), tablePolicy("alice", "PutItem")
	const none = "Resource-based policy not found for the provided ResourceArn: " + policyTable
	w.fails("GetResourcePolicy", onTable(nil), "PolicyNotFoundException", none)
	w.fails("DeleteResourcePolicy", onTable(members{"ExpectedRevisionId": "1"}), "PolicyNotFoundException",
		none+": Requested update for policy with revision id 1, but table orders has no associated policy")
	if got := w.do("DeleteResourcePolicy", onTable(nil)); len(got) != 0 {
		t.Errorf("delete without a policy answers %v", got)
	}
	first := w.do("PutResourcePolicy", onTable(members{"Policy": get, "ExpectedRevisionId": "NO_POLICY"}))["RevisionId"]
	if first != "1700000000000" {
		t.Errorf("first revision %v", first)
	}
	same := strings.Replace(get, ":", " : ", 1)
	if got := w.do("PutResourcePolicy", onTable(members{"Policy": same}))["RevisionId"]; got != first {
		t.Errorf("an equal policy has the revision %v", got)
	}
	w.fails("PutResourcePolicy", onTable(members{"Policy": put, "ExpectedRevisionId": "NO_POLICY"}),
		"PolicyNotFoundException", none+": Requested policy update expecting none to be present for table orders, "+
			"but a policy exists with revision id 1700000000000.")
	w.fails("PutResourcePolicy", onTable(members{"Policy": put, "ExpectedRevisionId": "1"}),
		"PolicyNotFoundException", none+": Requested update for policy with revision id 1, but the policy "+
			"associated to target table orders has revision id 1700000000000.")
	second := w.do("PutResourcePolicy", onTable(members{"Policy": put, "ExpectedRevisionId": first}))["RevisionId"]
	if second != "1700000000001" { // at the same time
		t.Errorf("second revision %v", second)
	}
	w.restart()
	got := w.do("GetResourcePolicy", onTable(nil))
	if got["Policy"] != put || got["RevisionId"] != second {
		t.Errorf("after a restart: %v", got)
	}
	w.fails("DeleteResourcePolicy", onTable(members{"ExpectedRevisionId": first}), "PolicyNotFoundException", "")
	if got := w.do("DeleteResourcePolicy",
		onTable(members{"ExpectedRevisionId": second})); got["RevisionId"] != second {
		t.Errorf("delete answers %v", got)
	}
	w.fails("GetResourcePolicy", onTable(nil), "PolicyNotFoundException", none)
	if got := w.do("PutResourcePolicy", onTable(members{"Policy": put}))["RevisionId"]; got != "1700000000003" {
		t.Errorf("the revision after a deletion is %v", got)
	}
	w.do("DeleteTable", members{"TableName": "orders"})
	w.table("orders", "", nil) // another table of the name has no policy
	w.fails("GetResourcePolicy", onTable(nil), "PolicyNotFoundException", none)
}

// TestResourcePolicyRequests: what is refused without a look at the policy.
func TestResourcePolicyRequests(t *testing.T) {
	w := newWorld(t)
	w.table("orders", "", nil)
	document := tablePolicy("alice", "GetItem")
	for _, c := range []struct {
		in            members
		code, message string
	}{
		{members{}, "ValidationException", "2 validation errors detected: Value null at 'policy' failed to satisfy " +
			"constraint: Member must not be null; Value null at 'resourceArn' failed to satisfy constraint: Member " +
			"must not be null"},
		{members{"ResourceArn": "orders", "Policy": document}, "ValidationException",
			"One or more parameter values were invalid: ARNs must start with 'arn:': orders"},
		{members{"ResourceArn": policyTable + "/index/byG", "Policy": document}, "ValidationException",
			"One or more parameter values were invalid: Provided Arn is not a DynamoDB resource arn: …"},
		{members{"ResourceArn": policyTable + "/stream/2026-01-01T00:00:00.000", "Policy": document},
			"ResourceNotFoundException",
			"Requested resource not found: Stream: " + policyTable + "/stream/2026-01-01T00:00:00.000 not found"},
		{members{"ResourceArn": policyTable + "s", "Policy": document}, "ResourceNotFoundException",
			"Requested resource not found: Table: orderss not found"},
		{onTable(members{"Policy": document, "ExpectedRevisionId": ""}), "ValidationException", ""},
		{onTable(members{"Policy": tablePolicy("missing", "GetItem")}), "ValidationException",
			"One or more parameter values were invalid: Invalid principal in policy document."},
	} {
		w.fails("PutResourcePolicy", c.in, c.code, c.message)
	}
}

// TestResourcePolicyBearsOnEveryOperation: every operation that names a table gives
// the policy of the table to the evaluation, and none gives it before it is put.
func TestResourcePolicyBearsOnEveryOperation(t *testing.T) {
	w := newWorld(t)
	w.table("secret", "", members{"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"}},
		"GlobalSecondaryIndexes": []members{{"IndexName": "byG", "KeySchema": []members{{"AttributeName": "g",
			"KeyType": "HASH"}}, "Projection": members{"ProjectionType": "ALL"}}}})
	arn := "arn:aws:dynamodb:us-east-1:111122223333:table/secret"
	calls := map[string]members{
		"DescribeTable": {"TableName": "secret"}, "DescribeTimeToLive": {"TableName": "secret"},
		"UpdateTable":               {"TableName": "secret", "DeletionProtectionEnabled": false},
		"DescribeContinuousBackups": {"TableName": "secret"}, "GetResourcePolicy": {"ResourceArn": arn},
		"ListTagsOfResource": {"ResourceArn": arn}, "TagResource": {"ResourceArn": arn, "Tags": []members{{"Key": "a", "Value": "b"}}},
		"Scan of an index":  {"TableName": "secret", "IndexName": "byG"},
		"GetItem by an ARN": {"TableName": arn, "Key": members{"pk": str("a")}},
	}
	for operation, in := range dataCalls {
		calls[operation] = in
	}
	for _, given := range []bool{false, true} {
		if given {
			w.do("PutResourcePolicy", members{"ResourceArn": arn, "Policy": tablePolicy("alice", "GetItem")})
		}
		for name, in := range calls {
			operation, _, _ := strings.Cut(name, " ")
			w.checks = nil
			_, _ = w.try("admin", operation, in)
			if len(w.checks) == 0 {
				t.Errorf("%s: nothing was asked", name)
			}
			for _, k := range w.checks {
				if (k.ResourcePolicy != nil) != given || k.Mode != policy.ModeOrdinary {
					t.Errorf("%s: %s was asked with the policy %v", name, k.Action, k.ResourcePolicy)
				}
			}
		}
	}
}

// TestResourcePolicyLockOut: a caller keeps the right to change the policy unless it
// confirms to lose it. A refused policy changes nothing.
func TestResourcePolicyLockOut(t *testing.T) {
	w := newWorld(t)
	w.table("orders", "", nil)
	const text = "The new resource policy will not allow you to update the resource policy in the future."
	document := tablePolicy("alice", "GetItem")
	asked := 0
	w.deny = func(action, _ string) bool { // the second question is the one about the future
		if action == "dynamodb:PutResourcePolicy" {
			asked++
			return asked == 2
		}
		return false
	}
	w.fails("PutResourcePolicy", onTable(members{"Policy": document}), "AccessDeniedException", text)
	w.fails("GetResourcePolicy", onTable(nil), "PolicyNotFoundException", "")
	asked = 0
	w.do("PutResourcePolicy", onTable(members{"Policy": document, "ConfirmRemoveSelfResourceAccess": true}))
	if asked != 1 {
		t.Errorf("a confirmed policy was asked about %d times", asked)
	}
	create := members{"TableName": "other", "BillingMode": "PAY_PER_REQUEST", "ResourcePolicy": document,
		"AttributeDefinitions": []members{{"AttributeName": "pk", "AttributeType": "S"}},
		"KeySchema":            []members{{"AttributeName": "pk", "KeyType": "HASH"}}}
	asked = 0
	w.fails("CreateTable", create, "AccessDeniedException", text)
	w.fails("DescribeTable", members{"TableName": "other"}, "ResourceNotFoundException", "")
	w.deny = func(action, _ string) bool { return action == "dynamodb:PutResourcePolicy" }
	w.fails("CreateTable", create, "AccessDeniedException", "User: arn:aws:iam::111122223333:user/admin is not "+
		"authorized to perform: dynamodb:PutResourcePolicy on resource: "+
		"arn:aws:dynamodb:us-east-1:111122223333:table/other because no identity-based policy allows the "+
		"dynamodb:PutResourcePolicy action")
	w.deny = nil
	create["ResourcePolicy"] = "{"
	w.fails("CreateTable", create, "ValidationException", "One or more parameter values were invalid: Invalid "+
		"policy document: This policy contains invalid Json")
	create["ResourcePolicy"] = document
	if d := w.do("CreateTable", create)["TableDescription"].(members); d["ResourcePolicy"] != nil {
		t.Errorf("the description has %v", d["ResourcePolicy"])
	}
	got := w.do("GetResourcePolicy", members{"ResourceArn": strings.Replace(policyTable, "orders", "other", 1)})
	if got["Policy"] != document || got["RevisionId"] != "1700000000000" {
		t.Errorf("created with %v", got)
	}
}

// TestResourcePolicyPause: with the activation fault a table refuses another change
// of its policy for 15 seconds, as AWS does, and an equal policy changes nothing.
func TestResourcePolicyPause(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Faults.Activation = 2 * time.Second })
	w.table("orders", "", nil)
	first, next := tablePolicy("alice", "GetItem"), tablePolicy("alice", "PutItem")
	w.fails("PutResourcePolicy", onTable(members{"Policy": first}), "ResourceInUseException",
		"Attempt to change a resource which is still in use: Table is being created: orders")
	w.advance(2 * time.Second)
	w.do("PutResourcePolicy", onTable(members{"Policy": first}))
	w.do("PutResourcePolicy", onTable(members{"Policy": first}))
	w.fails("PutResourcePolicy", onTable(members{"Policy": next}), "ResourceInUseException", "…")
	w.advance(2 * time.Second)
	for operation, in := range map[string]members{"PutResourcePolicy": {"Policy": next}, "DeleteResourcePolicy": nil} {
		w.fails(operation, onTable(in), "ThrottlingException", "Resource-based policy for table orders modified "+
			"within the previous 15000 milliseconds. Please try again after 2023-11-14T22:13:37.000Z.")
	}
	w.advance(13 * time.Second)
	w.do("PutResourcePolicy", onTable(members{"Policy": next}))
	w.advance(15 * time.Second)
	if got := fmt.Sprint(w.do("DeleteResourcePolicy", onTable(nil))); got != "map[RevisionId:1700000017000]" {
		t.Errorf("deleted: %s", got)
	}
}
