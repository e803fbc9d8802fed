package cloudtrail

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

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
	d := policy.Evaluate(policy.Request{Principal: user.Principal, Action: "kms:Decrypt", Resource: keyARN, ResourceAccountID: account},
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
