package policy_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// TestGrantsOfOtherModes: grants count for KMS keys only.
func TestGrantsOfOtherModes(t *testing.T) {
	grants := []policy.Grant{{ID: "g", Grantee: alice.UniqueID, Operations: []string{"Decrypt"}}}
	r := policy.Request{Principal: alice, Action: "kms:Decrypt", Resource: key}
	for mode, allowed := range map[policy.ResourceMode]bool{policy.ModeOrdinary: false, policy.ModeTrustPolicy: false, policy.ModeKeyPolicy: true} {
		d := policy.Evaluate(r, policy.Policies{ResourceMode: mode, Grants: grants})
		if d.Allowed != allowed || (d.GrantID != "") != allowed {
			t.Errorf("mode %d: %s", mode, d.Explain())
		}
	}
}

// TestNotPrincipalUnderBoundary: a Deny with NotPrincipal applies to every user
// and role that has a boundary, listed or not.
func TestNotPrincipalUnderBoundary(t *testing.T) {
	exempt := func(principals string) string {
		return keyFor("*") + "," + naming("Deny", "NotPrincipal", principals)
	}
	all := exempt(`{"AWS":["` + worker.ARN + `","` + roleARN + `","` + alice.ARN + `","` + account + `"]}`)
	run(t, []testCase{
		{name: "listed session", who: worker, key: all},
		{name: "listed session with a boundary", who: worker, boundary: adminAccess, key: all, want: "deny resource"},
		{name: "listed user", key: all},
		{name: "listed user with a boundary", boundary: adminAccess, key: all, want: "deny resource"},
		{name: "root with a boundary", who: root, boundary: adminAccess, key: all},
		{name: "star spares the bounded too", who: worker, boundary: adminAccess, key: exempt(`"*"`)},
		{name: "an Allow does not ask for the boundary", who: worker, boundary: adminAccess, key: naming("Allow", "NotPrincipal", `{"AWS":"`+bob.ARN+`"}`)},
		{name: "session not listed", who: worker, key: exempt(`{"AWS":["` + roleARN + `","` + account + `"]}`), want: "deny resource"},
		{name: "role not listed", who: worker, key: exempt(`{"AWS":["` + worker.ARN + `","` + account + `"]}`), want: "deny resource"},
		{name: "account of the session not listed", who: worker, key: exempt(`{"AWS":["` + worker.ARN + `","` + roleARN + `"]}`), want: "deny resource"},
		{name: "user of the listed account only", key: exempt(`{"AWS":"` + account + `"}`), want: "deny resource"},
	})
}

// TestEmptyLists: a statement whose list of actions or resources is empty has no
// effect, with the negated elements too, which would otherwise cover everything.
func TestEmptyLists(t *testing.T) {
	var cases []testCase
	for _, lists := range []string{
		`"Action":[],"Resource":"*"`, `"NotAction":[],"Resource":"*"`, `"Action":"kms:*","Resource":[]`, `"Action":"kms:*","NotResource":[]`,
		`"NotAction":[],"NotResource":[]`, `"Resource":"*"`, `"NotResource":[]`, `"Action":"*"`, `"NotAction":[]`,
	} {
		allow := `{"Effect":"Allow","Principal":"*",` + lists + `}`
		deny := keyFor(alice.ARN) + `,{"Effect":"Deny","Principal":"*",` + lists + `}`
		cases = append(cases, testCase{name: "allow " + lists, key: allow, want: "resource"}, testCase{name: "deny " + lists, key: deny})
	}
	run(t, cases)
}

// TestEmptyResource: an empty resource stands for "*".
func TestEmptyResource(t *testing.T) {
	for text, allowed := range map[string]bool{
		`{"Effect":"Allow","Action":"*","Resource":"*"}`:                    true,
		`{"Effect":"Allow","Action":"*","Resource":"arn:aws:kms:*"}`:        false,
		`{"Effect":"Allow","Action":"*","NotResource":"*"}`:                 false,
		`{"Effect":"Allow","Action":"*","NotResource":"arn:aws:kms:*:*:*"}`: true,
	} {
		p := policy.Policies{Identity: []policy.Attached{{Document: parse(t, text, policy.Identity)}}}
		for _, resource := range []string{"", "*"} {
			d := policy.Evaluate(policy.Request{Principal: alice, Action: "kms:ListKeys", Resource: resource}, p)
			if d.Allowed != allowed {
				t.Errorf("resource %q: %s", resource, d.Explain())
			}
		}
	}
}
