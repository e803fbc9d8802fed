package policy_test

import (
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
		{name: "to nobody", who: anonymous, key: nobody, grants: forDecrypt(""), want: "resource"},
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
