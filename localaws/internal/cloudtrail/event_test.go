// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func TestShape(t *testing.T) {
	throughDynamoDB := newCall(user, "kms", "Decrypt")
	throughDynamoDB.ViaService = "dynamodb.us-east-1.amazonaws.com"
	throughDynamoDB.Trail = request.Trail{Resources: keyTouched, RequestParameters: map[string]any{
		"encryptionContext":   map[string]string{"aws:dynamodb:tableName": "Notes"},
		"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}}
	byRole := newCall(role, "dynamodb", "GetItem")
	byRole.Trail.RequestParameters = map[string]any{"tableName": "Notes"}
	service := newCall(request.Caller{Principal: policy.Principal{Type: policy.Service,
		ARN: "dynamodb.us-east-1.amazonaws.com"}}, "kms", "RetireGrant")

	common := func(more map[string]any) map[string]any {
		m := map[string]any{"eventVersion": "1.11", "eventTime": "2026-03-01T12:00:00Z", "awsRegion": "us-east-1",
			"sourceIPAddress": "127.0.0.1", "userAgent": "test",
			"requestParameters": nil, "responseElements": nil, "requestID": "request", "readOnly": true,
			"eventType": "AwsApiCall", "managementEvent": true,
			"recipientAccountId": account, "eventCategory": "Management"}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	alice := map[string]any{"type": "IAMUser", "principalId": "AIDAALICE",
		"arn": "arn:aws:iam::111122223333:user/app/alice", "accountId": account, "accessKeyId": "AKIAALICE",
		"userName": "alice"}
	for _, c := range []struct {
		name string
		call *request.Call
		o    request.Operation
		err  error
		want map[string]any
	}{
		{"decrypt through DynamoDB", throughDynamoDB, read, nil, common(map[string]any{
			"userIdentity": map[string]any{"type": "IAMUser", "principalId": "AIDAALICE", "arn": "arn:aws:iam::111122223333:user/app/alice", "accountId": account, "accessKeyId": "AKIAALICE", "userName": "alice", "invokedBy": "dynamodb.amazonaws.com"},
			"eventSource":  "kms.amazonaws.com", "eventName": "Decrypt", "sourceIPAddress": "dynamodb.amazonaws.com",
			"userAgent":         "dynamodb.amazonaws.com",
			"requestParameters": map[string]any{"encryptionContext": map[string]any{"aws:dynamodb:tableName": "Notes"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
			"resources":         []any{map[string]any{"ARN": keyARN, "accountId": account, "type": "AWS::KMS::Key"}}})},
		{"denied by KMS", throughDynamoDB, read,
			&request.Error{Code: "AccessDeniedException", Message: "User: x is not authorized",
				Decision: &policy.Decision{}}, common(map[string]any{
				"userIdentity": map[string]any{"type": "IAMUser", "principalId": "AIDAALICE", "arn": "arn:aws:iam::111122223333:user/app/alice", "accountId": account, "accessKeyId": "AKIAALICE", "userName": "alice", "invokedBy": "dynamodb.amazonaws.com"},
				"eventSource":  "kms.amazonaws.com", "eventName": "Decrypt",
				"sourceIPAddress": "dynamodb.amazonaws.com", "userAgent": "dynamodb.amazonaws.com",
				"errorCode": "AccessDenied", "errorMessage": "User: x is not authorized"})},
		{"disabled key", newCall(user, "kms", "Decrypt"), read, request.Errorf("DisabledException", "it is disabled."),
			common(map[string]any{
				"userIdentity": alice, "eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "errorCode": "DisabledException", "errorMessage": "it is disabled."})},
		{"IAM's short code", newCall(user, "iam", "GetUser"), read, request.Errorf("NoSuchEntity", "who?"),
			common(map[string]any{
				"userIdentity": alice, "eventSource": "iam.amazonaws.com", "eventName": "GetUser", "errorCode": "NoSuchEntityException", "errorMessage": "who?"})},
		{"IAM's denial", newCall(user, "iam", "GetUser"), read,
			&request.Error{Code: "AccessDenied", Message: "no", Status: http.StatusForbidden}, common(map[string]any{
				"userIdentity": alice, "eventSource": "iam.amazonaws.com", "eventName": "GetUser", "errorCode": "AccessDenied", "errorMessage": "no"})},
		{"internal failure tells nothing", newCall(root, "kms", "CreateKey"), write, errors.New("disk full of secrets"),
			common(map[string]any{
				"userIdentity": map[string]any{"type": "Root", "principalId": account, "arn": "arn:aws:iam::111122223333:root", "accountId": account, "accessKeyId": "AKIAROOT"},
				"eventSource":  "kms.amazonaws.com", "eventName": "CreateKey", "readOnly": false, "errorCode": "InternalFailure", "errorMessage": "An internal failure occurred."})},
		{"data event of a role", byRole, data, nil, common(map[string]any{
			"userIdentity": map[string]any{"type": "AssumedRole", "principalId": "AROAREADER:job",
				"arn": "arn:aws:sts::111122223333:assumed-role/reader/job", "accountId": account,
				"accessKeyId":    "ASIAJOB",
				"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROAREADER", "arn": "arn:aws:iam::111122223333:role/x/reader", "accountId": account, "userName": "reader"}}},
			"eventSource": "dynamodb.amazonaws.com", "eventName": "GetItem", "managementEvent": false, "eventCategory": "Data", "requestParameters": map[string]any{"tableName": "Notes"}})},
		{"a service for itself", service, write, nil, common(map[string]any{
			"userIdentity":       map[string]any{"type": "AWSService", "invokedBy": "dynamodb.amazonaws.com"},
			"recipientAccountId": "",
			"eventSource":        "kms.amazonaws.com", "eventName": "RetireGrant", "readOnly": false})},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLog(0)
			l.Record(c.call, c.o, c.err)
			if diff := cmp.Diff(c.want, fields(t, last(t, l))); diff != "" {
				t.Errorf("event differs (-want +got):\n%s", diff)
			}
		})
	}
}

// A parameter that changes after the call, one that cannot be shown and one of
// a megabyte.
func TestParameters(t *testing.T) {
	l := NewLog(0)
	parameters := map[string]string{"keyId": "before"}
	c := newCall(user, "kms", "DescribeKey")
	c.Trail.RequestParameters = parameters
	l.Record(c, read, nil)
	parameters["keyId"] = "after"
	if got := string(last(t, l).RequestParameters); got != `{"keyId":"before"}` {
		t.Errorf("parameters %s", got)
	}
	c.Trail.RequestParameters = strings.Repeat("x", 1<<20)
	l.Record(c, read, nil)
	if got := last(t, l).RequestParameters; len(got) > 200 || !strings.Contains(string(got), `"omitted":true`) {
		t.Errorf("%d bytes of parameters: %.100s", len(got), got)
	}
	c.Trail.RequestParameters = func() {}
	l.Record(c, read, nil)
	if got := string(last(t, l).RequestParameters); !strings.Contains(got, `"omitted":true`) {
		t.Errorf("parameters %s", got)
	}
}

// TestExplanation: the event of a denied call tells how each statement bore on
// it, and the event of another call nothing.
func TestExplanation(t *testing.T) {
	document, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[
		{"Sid":"Read","Effect":"Allow","Action":"kms:Decrypt","Resource":"*"},
		{"Sid":"Never","Effect":"Deny","Action":"kms:*","Resource":"`+keyARN+`"},
		{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::other"}]}`), policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	d := policy.Evaluate(policy.Request{Principal: user.Principal, Action: "kms:Decrypt", Resource: keyARN,
		ResourceAccountID: account},
		policy.Policies{Identity: []policy.Attached{{Name: "p", Source: policy.SourceInline, Document: document}}})
	call := newCall(user, "kms", "Decrypt")
	e := newEvent(call, read, request.Denied(call, request.Check{Action: "kms:Decrypt", Resource: keyARN}, d))
	got := e.Explanation()
	for i, text := range e.Reasons() {
		if text != got[i].Text || !strings.Contains(text, got[i].Effect) {
			t.Errorf("reason %d: %q and %+v", i, text, got[i])
		}
		got[i].Text = ""
	}
	want := []Reason{
		{Sid: "Read", Effect: "Allow", Applies: true},
		{Sid: "Never", Effect: "Deny", Applies: true},
		{Effect: "Allow", Missed: []string{"action", "resource"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := newEvent(call, read, nil).Explanation(); got != nil {
		t.Errorf("a call that succeeded: %v", got)
	}
}
