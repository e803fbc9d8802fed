// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// TestSize: a decision counts what it keeps: the request and its session
// policies.
func TestSize(t *testing.T) {
	size := func(r policy.Request, p policy.Policies) int { return policy.Evaluate(r, p).Size() }
	session := parse(t, allowDecrypt, policy.Session)
	r := policy.Request{Principal: worker, Action: "kms:Decrypt"}
	if n := size(r, policy.Policies{}); n != 0 {
		t.Errorf("an empty request: %d", n)
	}
	steps := []struct {
		name string
		add  func()
		want int // more than before
	}{
		{"resource", func() { r.Resource = key }, len(key)},
		{"context", func() { r.Context = policy.Context{"aws:x": {"ab", "cde"}, "aws:yy": nil} }, 5 + 2 + 3 + 6},
		{"encryption context", func() { r.EncryptionContext = map[string]string{"table": "Orders"} }, 5 + 6},
	}
	before := 0
	for _, s := range steps {
		s.add()
		n := size(r, policy.Policies{})
		if n-before != s.want {
			t.Errorf("%s: %d more, want %d", s.name, n-before, s.want)
		}
		before = n
	}
	with := size(r, policy.Policies{Session: []policy.Attached{{}, {Document: session}}})
	if more := with - before; more != 8*len(session.Text()) { // a parsed document takes about eight times its text
		t.Errorf("a session policy of %d bytes: %d more", len(session.Text()), more)
	}
	if n := size(r, policy.Policies{Identity: []policy.Attached{{Document: session}}}); n != before {
		t.Errorf("identity policies are shared, and add %d", n-before)
	}
}

// TestFirstDenies: of several policies that deny, the decision names the first,
// and of several grants that allow, the first.
func TestFirstDenies(t *testing.T) {
	c := testCase{identity: []string{denyDecrypt, denyDecrypt + "," + allowDecrypt, denyDecrypt}, key: delegation}
	r, p := c.build(t)
	if d := policy.Evaluate(r, p); d.PolicyName != "inline" || d.PolicyARN != "" || d.Outcome != policy.ExplicitDeny {
		t.Errorf("identity policy %q %q, %v", d.PolicyName, d.PolicyARN, d.Outcome)
	}
	c = testCase{identity: []string{allowDecrypt, allowDecrypt + "," + denyDecrypt}, key: delegation}
	r, p = c.build(t)
	if d := policy.Evaluate(r, p); d.PolicyName != "managed" || d.PolicyARN == "" {
		t.Errorf("identity policy %q %q", d.PolicyName, d.PolicyARN)
	}
	p.Identity = append(p.Identity, policy.Attached{Name: "without a document"})
	if d := policy.Evaluate(r, p); d.PolicyName != "managed" {
		t.Errorf("identity policy %q", d.PolicyName)
	}
	c = testCase{who: worker, session: []string{denyDecrypt, denyDecrypt}, key: delegation}
	r, p = c.build(t)
	p.Session[0].Name, p.Session[1].Name = "first", "second"
	if d := policy.Evaluate(r, p); d.PolicyName != "first" {
		t.Errorf("session policy %q", d.PolicyName)
	}
	grant := func(id string) policy.Grant {
		return policy.Grant{ID: id, Grantee: alice.UniqueID, Operations: []string{"Decrypt"}}
	}
	run(t, []testCase{
		{name: "first grant", key: keyFor(carol.ARN), grants: []policy.Grant{grant("one"), grant("two")}, want: "grant one"},
	})
	c = testCase{key: keyFor(carol.ARN), grants: []policy.Grant{grant("one")}}
	r, p = c.build(t)
	if text := policy.Evaluate(r, p).Explain(); !strings.HasPrefix(text, "allowed by grant one\n") {
		t.Errorf("explained as %s", text)
	}
}

// TestZeroDecision: the zero Decision denies, and gives no cause.
func TestZeroDecision(t *testing.T) {
	var d policy.Decision
	r := policy.Request{Principal: alice, Action: "kms:Decrypt", Resource: key}
	want := "User: " + alice.ARN + " is not authorized to perform: kms:Decrypt on resource: " + key
	if got := d.Message(r); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
