// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

func TestEvaluatePrincipals(t *testing.T) {
	exempt := func(principals string) string {
		return keyFor("*") + "," + naming("Deny", "NotPrincipal", principals)
	}
	run(t, []testCase{
		{name: "star", key: naming("Allow", "Principal", `"*"`)},
		{name: "AWS star", key: keyFor("*")},
		{name: "star for anonymous", who: anonymous, key: naming("Allow", "Principal", `"*"`)},
		{name: "AWS star for anonymous", who: anonymous, key: keyFor("*")},
		{name: "star for a service", who: dynamodb, key: naming("Allow", "Principal", `"*"`)},
		{name: "account id delegates", identity: []string{allowDecrypt}, key: keyFor(account)},
		{name: "account id does not suffice", key: keyFor(account), want: "identity"},
		{name: "account id is the root user", who: root, key: keyFor(account)},
		{name: "root ARN delegates", identity: []string{allowDecrypt}, key: keyFor(root.ARN)},
		{name: "root ARN does not suffice", key: keyFor(root.ARN), want: "identity"},
		{name: "root ARN for a role session with policy", who: worker, identity: []string{allowDecrypt}, key: keyFor(root.ARN)},
		{name: "other account's id", identity: []string{allowDecrypt}, key: keyFor(other), want: "resource"},
		{name: "user ARN", key: keyFor(alice.ARN)},
		{name: "user ARN with path", who: bob, key: keyFor(bob.ARN)},
		{name: "user ARN without its path", who: bob, key: keyFor("arn:aws:iam::111122223333:user/bob"), want: "resource"},
		{name: "user ARN in another case", key: keyFor("arn:aws:iam::111122223333:user/Alice"), want: "resource"},
		{name: "another user's ARN", who: bob, key: keyFor(alice.ARN), want: "resource"},
		{name: "same name in another account", who: user(other, "alice", "AIDAOTHERALICEALICE12"), identity: []string{allowDecrypt}, key: keyFor(alice.ARN), want: "resource"},
		{name: "role ARN", who: worker, key: keyFor(roleARN)},
		{name: "role ARN does not match a user", key: keyFor(roleARN), want: "resource"},
		{name: "session ARN", who: worker, key: keyFor(worker.ARN)},
		{name: "another session's ARN", who: worker, key: keyFor("arn:aws:sts::111122223333:assumed-role/Worker/job-2"), want: "resource"},
		{name: "unique id of a user", key: keyFor(alice.UniqueID)},
		{name: "unique id of a deleted user of the same name", who: user(account, "alice", "AIDANEWALICENEWALIC12"), key: keyFor(alice.UniqueID), want: "resource"},
		{name: "unique id of a role", who: worker, key: keyFor(worker.RoleUniqueID)},
		{name: "unique id of a session", who: worker, key: keyFor(worker.UniqueID)},
		{name: "unique id of a role is limited by the boundary", who: worker, boundary: allowEncrypt, key: keyFor(worker.RoleUniqueID), want: "boundary"},
		{name: "list of principals", who: bob, key: naming("Allow", "Principal", `{"AWS":["`+alice.ARN+`","`+bob.ARN+`"]}`)},
		{name: "service and user in one statement", key: naming("Allow", "Principal", `{"Service":"dynamodb.amazonaws.com","AWS":"`+alice.ARN+`"}`)},
		{name: "service by its general name", who: dynamodb, key: naming("Allow", "Principal", `{"Service":"dynamodb.amazonaws.com"}`)},
		{name: "service by its regional name", who: dynamodb, key: naming("Allow", "Principal", `{"Service":"dynamodb.eu-central-1.amazonaws.com"}`)},
		{name: "service of another region", who: dynamodb, key: naming("Allow", "Principal", `{"Service":"dynamodb.us-east-1.amazonaws.com"}`), want: "resource"},
		{name: "another service", who: dynamodb, key: naming("Allow", "Principal", `{"Service":"s3.amazonaws.com"}`), want: "resource"},
		{name: "service statement does not match a user", key: naming("Allow", "Principal", `{"Service":"dynamodb.amazonaws.com"}`), want: "resource"},
		{name: "deny of the account denies its users", identity: []string{allowDecrypt}, key: keyFor(alice.ARN) + "," + naming("Deny", "Principal", `{"AWS":"`+account+`"}`), want: "deny resource"},
		{name: "deny of a role denies its sessions", who: worker, key: keyFor(worker.ARN) + "," + naming("Deny", "Principal", `{"AWS":"`+roleARN+`"}`), want: "deny resource"},
		{name: "deny of another user", key: keyFor(alice.ARN) + "," + naming("Deny", "Principal", `{"AWS":"`+bob.ARN+`"}`)},
		{name: "NotPrincipal deny spares user listed with account", key: exempt(`{"AWS":["` + alice.ARN + `","` + root.ARN + `"]}`)},
		{name: "NotPrincipal deny hits a user listed without account", key: exempt(`{"AWS":"` + alice.ARN + `"}`), want: "deny resource"},
		{name: "NotPrincipal deny hits a user not listed", who: bob, key: exempt(`{"AWS":["` + alice.ARN + `","` + root.ARN + `"]}`), want: "deny resource"},
		{name: "NotPrincipal deny spares root listed", who: root, key: exempt(`{"AWS":"` + root.ARN + `"}`)},
		{name: "NotPrincipal deny spares session listed with role and account", who: worker, key: exempt(`{"AWS":["` + worker.ARN + `","` + roleARN + `","` + account + `"]}`)},
		{name: "NotPrincipal deny hits a session whose role only is listed", who: worker, key: exempt(`{"AWS":["` + roleARN + `","` + account + `"]}`), want: "deny resource"},
		{name: "NotPrincipal deny hits everyone with a boundary", boundary: adminAccess, key: exempt(`{"AWS":["` + alice.ARN + `","` + root.ARN + `"]}`), want: "deny resource"},
		{name: "NotPrincipal deny spares a service listed", who: dynamodb, key: naming("Allow", "Principal", `"*"`) + "," + naming("Deny", "NotPrincipal", `{"Service":"dynamodb.amazonaws.com"}`)},
		{name: "NotPrincipal deny hits anonymous", who: anonymous, key: naming("Allow", "Principal", `"*"`) + "," + naming("Deny", "NotPrincipal", `{"AWS":"`+account+`"}`), want: "deny resource"},
		{name: "NotPrincipal star denies no principal", key: exempt(`"*"`)},
		{name: "NotPrincipal allow is for all others", who: bob, key: naming("Allow", "NotPrincipal", `{"AWS":"`+alice.ARN+`"}`)},
		{name: "NotPrincipal allow is not for the listed", key: naming("Allow", "NotPrincipal", `{"AWS":"`+alice.ARN+`"}`), want: "resource"},
		{name: "statement without Action has no effect", key: `{"Effect":"Allow","Principal":"*","Resource":"*"}`, want: "resource"},
		{name: "statement without Resource has no effect", key: `{"Effect":"Allow","Principal":"*","Action":"kms:*"}`, want: "resource"},
		{name: "Deny without Action has no effect", key: keyFor(alice.ARN) + `,{"Effect":"Deny","Principal":"*","Resource":"*"}`},
		{name: "Deny without Resource has no effect", key: keyFor(alice.ARN) + `,{"Effect":"Deny","Principal":"*","Action":"*"}`},
	})
}

// TestBoundPrincipals binds ARNs to unique ids, as KMS does on PutKeyPolicy.
func TestBoundPrincipals(t *testing.T) {
	ids := map[string]string{alice.ARN: alice.UniqueID, roleARN: worker.RoleUniqueID}
	bind := func(x policy.PrincipalEntry) policy.PrincipalEntry {
		x.UniqueID = ids[x.Value]
		return x
	}
	recreated := alice
	recreated.UniqueID = "AIDANEWALICENEWALIC12"
	again := worker
	again.RoleUniqueID, again.UniqueID = "AROANEWWORKERNEWWOR12", "AROANEWWORKERNEWWOR12:job-1"
	for _, tt := range []struct {
		name   string
		who    policy.Principal
		policy string
		want   bool
	}{
		{"user", alice, console(alice.ARN), true},
		{"recreated user of the same name", recreated, console(alice.ARN), false},
		{"role", worker, console(roleARN), true},
		{"recreated role of the same name", again, console(roleARN), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			original := parse(t, tt.policy, policy.KeyPolicy)
			d := original.Map(bind)
			if d.Text() != original.Text() {
				t.Error("binding changed the text")
			}
			got := policy.Evaluate(policy.Request{Principal: tt.who, Action: "kms:Decrypt", Resource: key,
				ResourceAccountID: account},
				policy.Policies{Resource: d, ResourceMode: policy.ModeKeyPolicy})
			if got.Allowed != tt.want {
				t.Errorf("allowed %v\n%s", got.Allowed, got.Explain())
			}
		})
	}
}
