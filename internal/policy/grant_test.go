// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

func TestEvaluateGrants(t *testing.T) {
	to := func(grantee string, operations ...string) policy.Grant {
		return policy.Grant{ID: "g", Grantee: grantee, Operations: operations}
	}
	forDecrypt := func(grantee string) []policy.Grant { return []policy.Grant{to(grantee, "Decrypt")} }
	bound := func(equals, subset map[string]string) []policy.Grant {
		g := to(alice.UniqueID, "Decrypt", "DescribeKey", "CreateGrant", "RetireGrant")
		g.EncryptionContextEquals, g.EncryptionContextSubset = equals, subset
		return []policy.Grant{g}
	}
	orders, more := map[string]string{"table": "Orders"}, map[string]string{"table": "Orders", "tenant": "7"}
	retiring := []policy.Grant{{ID: "g", Grantee: carol.UniqueID, RetiringPrincipal: alice.UniqueID,
		Operations: []string{"Decrypt"}, IssuingAccount: account}}
	service := policy.Grant{ID: "g", Grantee: "dynamodb.eu-central-1.amazonaws.com",
		RetiringPrincipal: "dynamodb.eu-central-1.amazonaws.com",
		Operations: []string{"Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo",
			"RetireGrant", "DescribeKey"},
		EncryptionContextSubset: tableContext}
	ofTable := to(alice.UniqueID, "Decrypt")
	ofTable.SourceARN = table
	nobody := keyFor(carol.ARN) // no root statement: grants need none
	run(t, []testCase{
		{name: "to a user by unique id", key: nobody, grants: forDecrypt(alice.UniqueID), want: "grant g"},
		{name: "to a user by ARN", key: nobody, grants: forDecrypt(alice.ARN), want: "grant g"},
		{name: "to another user", key: nobody, grants: forDecrypt(bob.UniqueID), want: "resource"},
		{name: "to another user, with a root statement", key: delegation, grants: forDecrypt(bob.UniqueID), want: "identity"},
		{name: "to the user deleted before", who: user(account, "alice", "AIDANEWALICENEWALIC12"), key: nobody, grants: forDecrypt(alice.UniqueID), want: "resource"},
		{name: "of another operation", action: "kms:Encrypt", key: nobody, grants: forDecrypt(alice.UniqueID), want: "resource"},
		{name: "never of an operation that grants do not have", action: "kms:PutKeyPolicy", key: nobody, grants: []policy.Grant{to(alice.UniqueID, "Decrypt", "CreateGrant")}, want: "resource"},
		{name: "never of another service", action: "dynamodb:Decrypt", key: nobody, grants: forDecrypt(alice.UniqueID), want: "resource"},
		{name: "second grant allows", key: nobody, grants: []policy.Grant{{ID: "f", Grantee: alice.UniqueID, Operations: []string{"Encrypt"}}, to(alice.UniqueID, "Decrypt")}, want: "grant g"},
		{name: "not needed where the key policy allows", key: keyFor(alice.ARN), grants: forDecrypt(alice.UniqueID)},
		{name: "explicit deny in the key policy wins", key: nobody + "," + naming("Deny", "Principal", `{"AWS":"`+alice.ARN+`"}`), grants: forDecrypt(alice.UniqueID), want: "deny resource"},
		{name: "explicit deny in an identity policy wins", key: nobody, identity: []string{denyDecrypt}, grants: forDecrypt(alice.UniqueID), want: "deny identity"},
		{name: "explicit deny in the boundary wins", key: nobody, boundary: denyDecrypt, grants: forDecrypt(alice.UniqueID), want: "deny boundary"},
		{name: "to a user is not limited by the boundary", key: nobody, boundary: allowEncrypt, grants: forDecrypt(alice.UniqueID), want: "grant g"},
		{name: "to a role is limited by the boundary", who: worker, key: nobody, boundary: allowEncrypt, grants: forDecrypt(worker.RoleUniqueID), want: "boundary"},
		{name: "to a role within the boundary", who: worker, key: nobody, boundary: allowDecrypt, grants: forDecrypt(worker.RoleUniqueID), want: "grant g"},
		{name: "to a role is limited by the session policy", who: worker, key: nobody, session: []string{allowEncrypt}, grants: forDecrypt(roleARN), want: "session"},
		{name: "to a role within the session policy", who: worker, key: nobody, session: []string{allowDecrypt}, grants: forDecrypt(roleARN), want: "grant g"},
		{name: "to a session", who: worker, key: nobody, grants: forDecrypt(worker.ARN), want: "grant g"},
		{name: "to another session", who: worker, key: nobody, grants: forDecrypt("AROAWORKERWORKERWOR12:job-2"), want: "resource"},
		{name: "to the account delegates", key: nobody, identity: []string{allowDecrypt}, grants: forDecrypt(root.ARN), want: "grant g"},
		{name: "to the account does not suffice", key: nobody, grants: forDecrypt(root.ARN), want: "identity"},
		{name: "to the account is for root", who: root, key: nobody, grants: forDecrypt(root.ARN), want: "grant g"},
		{name: "to another account's user with identity policy", who: eve, key: nobody, identity: []string{allowDecrypt}, grants: forDecrypt(eve.UniqueID), want: "grant g"},
		{name: "to another account's user without identity policy", who: eve, key: nobody, grants: forDecrypt(eve.UniqueID), want: "identity"},
		{name: "to an empty grantee", who: anonymous, key: nobody, grants: forDecrypt(""), want: "resource"},
		{name: "context equals", key: nobody, grants: bound(orders, nil), pairs: orders, want: "grant g"},
		{name: "context equals, one pair more", key: nobody, grants: bound(orders, nil), pairs: more, want: "resource"},
		{name: "context equals, none given", key: nobody, grants: bound(orders, nil), want: "resource"},
		{name: "context equals, key in another case", key: nobody, grants: bound(orders, nil), pairs: map[string]string{"Table": "Orders"}, want: "resource"},
		{name: "context equals, value in another case", key: nobody, grants: bound(orders, nil), pairs: map[string]string{"table": "orders"}, want: "resource"},
		{name: "context subset", key: nobody, grants: bound(nil, orders), pairs: more, want: "grant g"},
		{name: "context subset missing", key: nobody, grants: bound(nil, more), pairs: orders, want: "resource"},
		{name: "context is not asked of DescribeKey", action: "kms:DescribeKey", key: nobody, grants: bound(orders, nil), want: "grant g"},
		{name: "source ARN", key: nobody, grants: []policy.Grant{ofTable}, context: with("aws:SourceArn", table), want: "grant g"},
		{name: "another source ARN", key: nobody, grants: []policy.Grant{ofTable}, context: with("aws:SourceArn", table+"2"), want: "resource"},
		{name: "no source ARN", key: nobody, grants: []policy.Grant{ofTable}, want: "resource"},
		{name: "DynamoDB under the table's grant", who: dynamodb, key: nobody, grants: []policy.Grant{service}, pairs: tableContext, want: "grant g"},
		{name: "DynamoDB for another table", who: dynamodb, key: nobody, grants: []policy.Grant{service}, pairs: map[string]string{"aws:dynamodb:tableName": "Invoices"}, want: "resource"},
		{name: "DynamoDB retires the table's grant", who: dynamodb, action: "kms:RetireGrant", key: nobody, grants: []policy.Grant{service}, want: "grant g"},
		{name: "the table's grant is not for users", key: nobody, grants: []policy.Grant{service}, pairs: tableContext, context: viaDynamoDB(), want: "resource"},
		{name: "retiring principal retires", action: "kms:RetireGrant", key: nobody, grants: retiring, want: "grant g"},
		{name: "retiring principal does nothing else", key: nobody, grants: retiring, want: "resource"},
		{name: "grantee retires only with that operation", who: carol, action: "kms:RetireGrant", key: keyFor(bob.ARN), grants: []policy.Grant{to(carol.UniqueID, "Decrypt")}, want: "resource"},
		{name: "grantee with RetireGrant retires", action: "kms:RetireGrant", key: nobody, grants: []policy.Grant{to(alice.UniqueID, "RetireGrant")}, want: "grant g"},
		{name: "grantee without RetireGrant retires by identity policy at most", who: carol, action: "kms:RetireGrant", key: keyFor(bob.ARN), grants: retiring, want: "identity"},
		{name: "issuing account's root retires", who: root, action: "kms:RetireGrant", key: nobody, grants: retiring, want: "grant g"},
		{name: "issuing account's user retires by identity policy", who: bob, action: "kms:RetireGrant", key: nobody, identity: []string{adminAccess}, grants: retiring, want: "grant g"},
		{name: "issuing account's user without identity policy", who: bob, action: "kms:RetireGrant", key: nobody, grants: retiring, want: "identity"},
		{name: "a stranger does not retire", who: eve, action: "kms:RetireGrant", key: nobody, identity: []string{adminAccess}, grants: retiring, want: "resource"},
		{name: "no key policy, only a grant", keyless: true, grants: forDecrypt(alice.UniqueID), want: "grant g"},
	})
}

// TestGrantsToNobody: a grant without grantee, or for a name that no principal
// has, allows nothing to anyone.
func TestGrantsToNobody(t *testing.T) {
	bare := func(kind policy.PrincipalType) policy.Principal {
		return policy.Principal{Type: kind, AccountID: account}
	}
	everyone := []policy.Principal{{Type: policy.Root, AccountID: "abcdefghijkl"},
		{Type: policy.User, AccountID: "abcdefghijkl"}, root, alice, worker, eve, dynamodb, anonymous, {},
		bare(policy.Root), bare(policy.User), bare(policy.AssumedRole),
		{Type: policy.User}, {Type: policy.AssumedRole}, {Type: policy.Service}, {Type: policy.Root}}
	names := []string{"arn:aws:iam::abcdefghijkl:root", "abcdefghijkl", "", "*", "x:iam::" + account + ":root",
		"arn:aws:sts::" + account + ":root", "arn:aws:iam::" + account + ":root:root", "arn::root", "arn:abcdefg:root",
		":root", "arn:aws:iam::" + account + ":user", "arn:aws:iam::" + account + "/root",
		"arn:aws:iam::11112222333:root", "arn:aws:iam::x11122223333:root", "arn:" + account + ":root", "1111222233334",
		"11112222333", "11112222333x",
		"arn:aws:iam::" + account + ":user/alic", "arn:aws:iam::" + account + ":user/alicea", alice.UniqueID + "x",
		"root"}
	operations := []string{"Decrypt", "RetireGrant"}
	for _, who := range everyone {
		for _, name := range names {
			for _, action := range []string{"kms:Decrypt", "kms:RetireGrant"} {
				d := policy.Evaluate(policy.Request{Principal: who, Action: action, Resource: key,
					ResourceAccountID: account}, policy.Policies{
					ResourceMode: policy.ModeKeyPolicy,
					Identity:     []policy.Attached{{Document: parse(t, adminAccess, policy.Identity)}},
					Grants: []policy.Grant{{ID: "g", Grantee: name, RetiringPrincipal: name,
						Operations: operations}}})
				if d.Allowed {
					t.Errorf("%s to %v %q: a grant to %q allows", action, who.Type, who.ARN, name)
				}
			}
		}
	}
}

// TestGrantServices: the general name of a service covers its regional names and
// nothing else.
func TestGrantServices(t *testing.T) {
	for _, c := range []struct {
		grantee, service string
		allowed          bool
	}{
		{"dynamodb.amazonaws.com", "dynamodb.eu-central-1.amazonaws.com", true},
		{"dynamodb.amazonaws.com", "dynamodb.amazonaws.com", true},
		{"dynamodb.eu-central-1.amazonaws.com", "dynamodb.amazonaws.com", false},
		{"dynamodb.amazonaws.com", "s3.amazonaws.com", false},
		{"dynamodb.amazonaws.com", "dynamodb2.eu-central-1.amazonaws.com", false},
		{"dynamodb.amazonaws.com", "dynamodb.eu-central-1", false},
		{"dynamodb.amazonaws.com", "dynamodb.eu-central-1.amazonaws.com.cn", false},
		{"dynamodb.amazonaws.com", "dynamodb..amazonaws.com", false},
		{"dynamodb.amazonaws.com", "dynamodb.a.b.amazonaws.com", false},
		{"dynamodb.amazonaws.com", "x.dynamodb.eu-central-1.amazonaws.com", false},
		{"dynamodb", "dynamodb.eu-central-1.amazonaws.com", false},
		{"dynamodb.example.com", "dynamodb.eu-central-1.example.com", false},
		{".amazonaws.com", ".eu-central-1.amazonaws.com", true}, // no such service: the service side gives the names
		{"", "", false},
	} {
		d := policy.Evaluate(policy.Request{Principal: policy.Principal{Type: policy.Service, ARN: c.service},
			Action: "kms:Decrypt", Resource: key},
			policy.Policies{ResourceMode: policy.ModeKeyPolicy,
				Grants: []policy.Grant{{ID: "g", Grantee: c.grantee, Operations: []string{"Decrypt"}}}})
		if d.Allowed != c.allowed {
			t.Errorf("a grant to %q, for %q: allowed %t", c.grantee, c.service, d.Allowed)
		}
	}
}

// TestGrantActions: the prefix of an action is KMS's, in any case, and no other
// text of its length.
func TestGrantActions(t *testing.T) {
	for action, allowed := range map[string]bool{
		"kms:Decrypt": true, "KMS:decrypt": true, "sts:Decrypt": false, "Decrypt": false, "kms:": false, "kms": false,
		"": false, "kms:Decrypt ": false, "xkms:Decrypt": false,
	} {
		d := policy.Evaluate(policy.Request{Principal: alice, Action: action, Resource: key},
			policy.Policies{ResourceMode: policy.ModeKeyPolicy,
				Grants: []policy.Grant{{ID: "g", Grantee: alice.UniqueID, Operations: []string{"Encrypt", "Decrypt"}}}})
		if d.Allowed != allowed {
			t.Errorf("%q: allowed %t", action, d.Allowed)
		}
	}
}

// TestGrantConstraints: a constraint asks for its pairs, those with an empty name
// or value too, and for each operation that takes a context.
func TestGrantConstraints(t *testing.T) {
	empty, orders := map[string]string{"table": ""}, map[string]string{"table": "Orders"}
	two := map[string]string{"table": "Orders", "tenant": "7"}
	for _, operation := range []string{"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
		"GenerateDataKeyPair",
		"GenerateDataKeyPairWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"} {
		for _, c := range []struct {
			name                  string
			equals, subset, given map[string]string
			allowed               bool
		}{
			{name: "no constraint", given: orders, allowed: true},
			{name: "empty constraints", equals: map[string]string{}, subset: map[string]string{}, given: orders, allowed: true},
			{name: "subset with an empty value, absent", subset: empty},
			{name: "subset with an empty value, another pair", subset: empty, given: map[string]string{"tenant": "7"}},
			{name: "subset with an empty value, another value", subset: empty, given: orders},
			{name: "subset with an empty value, present", subset: empty, given: empty, allowed: true},
			{name: "equals with an empty value, absent", equals: empty},
			{name: "equals with an empty value, as many pairs", equals: empty, given: map[string]string{"tenant": ""}},
			{name: "equals with an empty value, present", equals: empty, given: empty, allowed: true},
			{name: "equals with an empty name, absent", equals: map[string]string{"": ""}},
			{name: "equals, fewer pairs", equals: two, given: orders},
			{name: "equals, more pairs", equals: orders, given: two},
			{name: "equals, same pairs", equals: two, given: map[string]string{"tenant": "7", "table": "Orders"}, allowed: true},
			{name: "equals, names and values exchanged", equals: two, given: map[string]string{"Orders": "table", "7": "tenant"}},
			{name: "both, equals fails", equals: orders, subset: orders, given: two},
			{name: "both, subset fails", equals: orders, subset: two, given: orders},
			{name: "both hold", equals: two, subset: orders, given: two, allowed: true},
		} {
			d := policy.Evaluate(policy.Request{Principal: alice, Action: "kms:" + operation, Resource: key,
				EncryptionContext: c.given},
				policy.Policies{ResourceMode: policy.ModeKeyPolicy,
					Grants: []policy.Grant{{ID: "g", Grantee: alice.UniqueID, Operations: []string{operation},
						EncryptionContextEquals: c.equals, EncryptionContextSubset: c.subset}}})
			if d.Allowed != c.allowed {
				t.Errorf("%s, %s: allowed %t", operation, c.name, d.Allowed)
			}
			missed := d.Reasons()[0].Missed
			if !c.allowed && !slices.Equal(missed, []policy.Element{policy.ElementEncryptionContext}) {
				t.Errorf("%s, %s: missed %v", operation, c.name, missed)
			}
		}
	}
}

// TestGrantSources: a grant for a source wants that source alone.
func TestGrantSources(t *testing.T) {
	for _, c := range []struct {
		wanted  string
		given   []string
		allowed bool
	}{
		{"", nil, true}, {"", []string{table}, true}, {table, []string{table}, true}, {table, nil, false}, {table, []string{}, false}, {table, []string{""}, false},
		{table, []string{table, table}, false}, {table, []string{table, "x"}, false}, {table, []string{strings.ToUpper(table)}, false}, {"arn:*", []string{table}, false},
	} {
		d := policy.Evaluate(policy.Request{Principal: alice, Action: "kms:Decrypt", Resource: key,
			Context: policy.Context{"aws:sourcearn": c.given}},
			policy.Policies{ResourceMode: policy.ModeKeyPolicy,
				Grants: []policy.Grant{{ID: "g", Grantee: alice.UniqueID, Operations: []string{"Decrypt"},
					SourceARN: c.wanted}}})
		if d.Allowed != c.allowed {
			t.Errorf("wanted %q, given %q: allowed %t", c.wanted, c.given, d.Allowed)
		}
	}
}

// TestGrantRetirement: what the operation RetireGrant gives a grantee is not lost
// to one who may retire only through the account, and the reasons tell what was
// missed.
func TestGrantRetirement(t *testing.T) {
	retire := func(g policy.Grant, who policy.Principal) policy.Decision {
		g.ID = "g"
		return policy.Evaluate(policy.Request{Principal: who, Action: "kms:RetireGrant", Resource: key,
			ResourceAccountID: account},
			policy.Policies{ResourceMode: policy.ModeKeyPolicy, Grants: []policy.Grant{g}})
	}
	for _, c := range []struct {
		name    string
		grant   policy.Grant
		who     policy.Principal
		allowed bool
		missed  []policy.Element
	}{
		{"grantee and user of the issuing account", policy.Grant{Grantee: alice.UniqueID, Operations: []string{"RetireGrant"}, IssuingAccount: account}, alice, true, nil},
		{"grantee without the operation", policy.Grant{Grantee: alice.UniqueID, Operations: []string{"Decrypt"}}, alice, false, []policy.Element{policy.ElementAction}},
		{"stranger", policy.Grant{Grantee: alice.UniqueID, Operations: []string{"Decrypt"}}, bob, false, []policy.Element{policy.ElementPrincipal, policy.ElementAction}},
		{"stranger, with the operation", policy.Grant{Grantee: alice.UniqueID, Operations: []string{"RetireGrant"}}, bob, false, []policy.Element{policy.ElementPrincipal}},
		{"issuing account's user", policy.Grant{Grantee: alice.UniqueID, Operations: []string{"Decrypt"}, IssuingAccount: account}, bob, false, nil},
		{"another account issued it",
			policy.Grant{Grantee: alice.UniqueID, Operations: []string{"Decrypt"}, IssuingAccount: other}, bob, false,
			[]policy.Element{policy.ElementPrincipal, policy.ElementAction}},
		{"constraints do not bind retirement", policy.Grant{Grantee: alice.UniqueID, Operations: []string{"RetireGrant"},
			EncryptionContextEquals: map[string]string{"a": "b"}, SourceARN: table}, alice, true, nil},
	} {
		d := retire(c.grant, c.who)
		if d.Allowed != c.allowed || !slices.Equal(d.Reasons()[0].Missed, c.missed) {
			t.Errorf("%s: %s", c.name, d.Explain())
		}
	}
	// A reason delegates if only the caller's account is granted.
	for grantee, delegates := range map[string]bool{account: true, alice.UniqueID: false, bob.UniqueID: false} {
		d := policy.Evaluate(policy.Request{Principal: alice, Action: "kms:Decrypt", Resource: key},
			policy.Policies{ResourceMode: policy.ModeKeyPolicy,
				Grants: []policy.Grant{{ID: "g", Grantee: grantee, Operations: []string{"Decrypt"}}}})
		if d.Reasons()[0].Delegates != delegates {
			t.Errorf("a grant to %s: %s", grantee, d.Reasons()[0])
		}
	}
	d := policy.Evaluate(policy.Request{Principal: alice, Action: "kms:Encrypt", Resource: key},
		policy.Policies{ResourceMode: policy.ModeKeyPolicy,
			Grants: []policy.Grant{{ID: "g", Grantee: account, Operations: []string{"Decrypt"}}}})
	if d.Reasons()[0].Delegates {
		t.Errorf("a grant of another operation: %s", d.Reasons()[0])
	}
}
