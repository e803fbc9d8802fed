// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// TestReadsContext: condition keys are gathered for each kind of policy that can
// depend on them.
func TestReadsContext(t *testing.T) {
	const plain = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`
	const condition = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"},` +
		`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`
	const variable = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",` +
		`"Resource":"arn:aws:s3:::home/${aws:username}"}}`
	for _, text := range []string{plain, condition, variable} {
		d, err := policy.Parse([]byte(text), policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		a := policy.Attached{Document: d}
		for name, p := range map[string]policy.Policies{"identity": {Identity: []policy.Attached{a}},
			"boundary": {Boundary: &a}, "session": {Session: []policy.Attached{{}, a}}, "resource": {Resource: d}} {
			if got, want := p.ReadsContext(), text != plain; got != want {
				t.Errorf("%s policy %s: %v, want %v", name, text, got, want)
			}
		}
	}
	none, grant := policy.Policies{}, policy.Policies{Grants: make([]policy.Grant, 1)}
	if none.ReadsContext() || !grant.ReadsContext() {
		t.Error("a grant reads the context, and nothing else does without a policy")
	}
}
