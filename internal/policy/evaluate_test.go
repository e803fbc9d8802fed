// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

const (
	allowDecrypt = `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}`
	denyDecrypt  = `{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}`
	allowEncrypt = `{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*"}`
)

// naming is a key policy with one statement for Decrypt.
func naming(effect, element, principal string) string {
	return `{"Effect":"` + effect + `","` + element + `":` + principal + `,"Action":"kms:Decrypt","Resource":"*"}`
}

func keyFor(principal string) string { return naming("Allow", "Principal", `{"AWS":"`+principal+`"}`) }

func TestEvaluateLimits(t *testing.T) {
	run(t, []testCase{
		{name: "boundary alone allows nothing", action: "dynamodb:GetItem", resource: table, boundary: adminAccess, want: "identity"},
		{name: "boundary and identity policy both allow", boundary: allowDecrypt, identity: []string{allowDecrypt}, key: delegation},
		{name: "boundary does not allow what the identity policy does", boundary: allowEncrypt, identity: []string{allowDecrypt}, key: delegation, want: "boundary"},
		{name: "explicit deny in the boundary", boundary: adminAccess + "," + denyDecrypt, identity: []string{allowDecrypt}, key: delegation, want: "deny boundary"},
		{name: "explicit deny in the boundary beats a key policy naming the user", boundary: adminAccess + "," + denyDecrypt, key: keyFor(alice.ARN), want: "deny boundary"},
		{name: "key policy naming the user is not limited by the boundary", boundary: allowEncrypt, key: keyFor(alice.ARN)},
		{name: "key policy naming the role is limited by the boundary", who: worker, boundary: allowEncrypt, key: keyFor(roleARN), want: "boundary"},
		{name: "key policy naming the role, boundary allows", who: worker, boundary: allowDecrypt, key: keyFor(roleARN)},
		{name: "key policy naming the session is not limited by the boundary", who: worker, boundary: allowEncrypt, key: keyFor(worker.ARN)},
		{name: "key policy naming everyone is not limited by the boundary", who: worker, boundary: allowEncrypt, key: keyFor("*")},
		{name: "key policy naming role and session is not limited", who: worker, boundary: allowEncrypt, key: keyFor(roleARN) + "," + keyFor(worker.ARN)},
		{name: "session policy alone allows nothing", who: worker, session: []string{allowDecrypt}, key: delegation, want: "identity"},
		{name: "session policy and role policy both allow", who: worker, session: []string{allowDecrypt}, identity: []string{allowDecrypt}, key: delegation},
		{name: "session policy does not allow what the role does", who: worker, session: []string{allowEncrypt}, identity: []string{allowDecrypt}, key: delegation, want: "session"},
		{name: "two session policies add up", who: worker, session: []string{allowEncrypt, allowDecrypt}, identity: []string{allowDecrypt}, key: delegation},
		{name: "explicit deny in a session policy", who: worker, session: []string{adminAccess + "," + denyDecrypt}, identity: []string{allowDecrypt}, key: delegation, want: "deny session"},
		{name: "explicit deny in a session policy beats a key policy naming the session", who: worker, session: []string{denyDecrypt}, key: keyFor(worker.ARN), want: "deny session"},
		{name: "key policy naming the role is limited by the session policy", who: worker, session: []string{allowEncrypt}, key: keyFor(roleARN), want: "session"},
		{name: "key policy naming the session is not limited by the session policy", who: worker, session: []string{allowEncrypt}, key: keyFor(worker.ARN)},
		{name: "key policy naming the user is limited by a session policy", session: []string{allowEncrypt}, key: keyFor(alice.ARN), want: "session"},
		{name: "boundary is named before the session policy", who: worker, boundary: allowEncrypt, session: []string{allowEncrypt}, identity: []string{allowDecrypt}, key: delegation, want: "boundary"},
		{name: "identity is named before the boundary", boundary: allowEncrypt, key: delegation, want: "identity"},
		{name: "resource is named before all when the key delegates nothing", boundary: allowEncrypt, key: keyFor(bob.ARN), want: "resource"},
		{name: "identity deny is named before the resource deny", identity: []string{denyDecrypt}, key: naming("Deny", "Principal", `"*"`), want: "deny identity"},
		{name: "second identity policy allows", identity: []string{allowEncrypt, allowDecrypt}, key: delegation},
		{name: "deny with a condition that fails does not deny", identity: []string{allowDecrypt + `,{"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`}, context: policy.Context{"aws:securetransport": {"true"}}, key: delegation},
		{name: "another account: boundary limits a named user", who: eve, boundary: allowEncrypt, identity: []string{allowDecrypt}, key: keyFor(eve.ARN), want: "boundary"},
		{name: "another account: session policy limits", who: eve, session: []string{allowEncrypt}, identity: []string{allowDecrypt}, key: keyFor(eve.ARN), want: "session"},
		{name: "another account: everyone is named, identity policy still needed", who: eve, key: keyFor("*"), want: "identity"},
		{name: "another account: everyone is named and identity policy allows", who: eve, identity: []string{allowDecrypt}, key: keyFor("*")},
		{name: "another account: deny of its root denies its users", who: eve, identity: []string{allowDecrypt}, key: keyFor("*") + "," + naming("Deny", "Principal", `{"AWS":"444455556666"}`), want: "deny resource"},
		{name: "a boundary does not limit root", who: root, action: "dynamodb:GetItem", resource: table, boundary: allowDecrypt},
		{name: "no key policy at all", identity: []string{adminAccess}, keyless: true, want: "resource"},
		{name: "identity policies of a service are not asked", who: dynamodb, identity: []string{adminAccess}, action: "dynamodb:GetItem", resource: table, want: "resource"},
		{name: "anonymous without resource policy", who: anonymous, action: "dynamodb:GetItem", resource: table, want: "resource"},
	})
}

func TestEvaluateTrust(t *testing.T) {
	assume := func(principal string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}`
	}
	const identity = `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"` + roleARN + `"}`
	cases := []testCase{
		{name: "user named", trust: assume(`{"AWS":"` + alice.ARN + `"}`)},
		{name: "account named and identity policy", trust: assume(`{"AWS":"111122223333"}`), identity: []string{identity}},
		{name: "account named without identity policy", trust: assume(`{"AWS":"111122223333"}`), want: "identity"},
		{name: "identity policy alone", trust: assume(`{"AWS":"` + bob.ARN + `"}`), identity: []string{identity}, want: "trust"},
		{name: "administrator alone", trust: assume(`{"AWS":"` + bob.ARN + `"}`), identity: []string{adminAccess}, want: "trust"},
		{name: "explicit deny", trust: assume(`"*"`) + `,{"Effect":"Deny","Principal":{"AWS":"` + alice.ARN + `"},"Action":"sts:*"}`, want: "deny trust"},
		{name: "another account named, no identity policy", who: eve, trust: assume(`{"AWS":"` + other + `"}`), want: "identity"},
		{name: "another account named, identity policy", who: eve, trust: assume(`{"AWS":"` + other + `"}`), identity: []string{identity}},
		{name: "external id given", who: eve, identity: []string{identity}, context: policy.Context{"sts:externalid": {"42"}},
			trust: `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"42"}}}`},
		{name: "external id missing", who: eve, identity: []string{identity}, want: "trust",
			trust: `{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"42"}}}`},
		{name: "service named is not a user", trust: assume(`{"Service":"dynamodb.amazonaws.com"}`), want: "trust"},
		{name: "service named", who: dynamodb, trust: assume(`{"Service":"dynamodb.amazonaws.com"}`)},
		{name: "federated names no principal", trust: assume(`{"Federated":"cognito-identity.amazonaws.com"}`), want: "trust"},
		{name: "role session named by its role", who: worker, trust: assume(`{"AWS":"` + roleARN + `"}`)},
		{name: "grants do not count", trust: assume(`{"AWS":"` + bob.ARN + `"}`), grants: []policy.Grant{{ID: "g", Grantee: alice.ARN, Operations: []string{"AssumeRole"}}}, want: "trust"},
	}
	for i := range cases {
		cases[i].action, cases[i].resource = "sts:AssumeRole", roleARN
	}
	run(t, cases)
}

// TestGrantsOfOtherModes: grants count for KMS keys only.
func TestGrantsOfOtherModes(t *testing.T) {
	grants := []policy.Grant{{ID: "g", Grantee: alice.UniqueID, Operations: []string{"Decrypt"}}}
	r := policy.Request{Principal: alice, Action: "kms:Decrypt", Resource: key}
	for mode, allowed := range map[policy.ResourceMode]bool{policy.ModeOrdinary: false, policy.ModeTrustPolicy: false,
		policy.ModeKeyPolicy: true} {
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
		{name: "root not listed", who: root, key: exempt(`{"AWS":"` + alice.ARN + `"}`), want: "deny resource"},
		{name: "service not listed", who: dynamodb, key: exempt(`{"AWS":"` + account + `","Service":"s3.amazonaws.com"}`), want: "deny resource"},
		{name: "service listed", who: dynamodb, key: exempt(`{"Service":"dynamodb.amazonaws.com"}`)},
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
		`"Action":[],"Resource":"*"`, `"NotAction":[],"Resource":"*"`, `"Action":"kms:*","Resource":[]`,
		`"Action":"kms:*","NotResource":[]`,
		`"NotAction":[],"NotResource":[]`, `"Resource":"*"`, `"NotResource":[]`, `"Action":"*"`, `"NotAction":[]`,
	} {
		allow := `{"Effect":"Allow","Principal":"*",` + lists + `}`
		deny := keyFor(alice.ARN) + `,{"Effect":"Deny","Principal":"*",` + lists + `}`
		cases = append(cases, testCase{name: "allow " + lists, key: allow, want: "resource"},
			testCase{name: "deny " + lists, key: deny})
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
