// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/access"
)

// small is a snapshot of one table under a customer's key, without principals.
func small() *access.Snapshot {
	return &access.Snapshot{Version: access.SnapshotVersion, Account: account, Region: "us-east-1", Partition: "aws",
		Tables: []access.Table{{Name: "Orders", ARN: ordersID, KeyARN: keyID}},
		Keys:   []access.Key{{ARN: keyID, Policy: delegating, State: "Enabled"}}}
}

func (b builder) user(name string, documents ...string) {
	u := access.User{Identity: access.Identity{ARN: "arn:aws:iam::111122223333:user/" + name, ID: "AIDA" + name}}
	for _, d := range documents {
		u.Inline = append(u.Inline, access.Policy{Name: "p", Document: d})
	}
	b.Users = append(b.Users, u)
}

type builder struct{ *access.Snapshot }

// identity is an identity policy of one statement.
func identity(action string, condition ...string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + action + `","Resource":"*"` +
		strings.Join(condition, "") + `}}`
}

// naming is a resource's policy of one statement.
func naming(principal, action string, condition ...string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":` + principal + `,"Action":"` + action +
		`","Resource":"*"` + strings.Join(condition, "") + `}}`
}

const (
	readItems = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}}`
	useKey    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}`
)

func TestAnalyze(t *testing.T) {
	const alice, bob = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/bob"
	const foreign = "arn:aws:iam::444455556666:role/partner"
	for _, c := range []struct {
		name      string
		world     func(s builder)
		principal string
		operation access.Operation // ReadClear if zero
		want      access.Verdict
		says      string // in the reasons, conditions, or paths
	}{
		{name: "a reader", world: func(s builder) { s.user("alice", readItems, useKey) }, principal: alice, want: access.Yes, says: "kms:Decrypt"},
		{name: "no right to the key", world: func(s builder) { s.user("alice", readItems) }, principal: alice, want: access.No, says: "kms:Decrypt: no identity-based policy allows it"},
		{name: "an address decides", world: func(s builder) {
			s.user("alice", useKey, identity("dynamodb:GetItem", `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`))
		}, principal: alice, want: access.OnlyIf, says: "IpAddress aws:SourceIp 10.0.0.0/8"},
		{name: "an address never reaches KMS through DynamoDB", world: func(s builder) {
			s.user("alice", readItems, identity("kms:Decrypt", `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`))
		}, principal: alice, want: access.No},
		{name: "via another service", world: func(s builder) {
			s.user("alice", readItems, identity("kms:Decrypt", `,"Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`))
		}, principal: alice, want: access.No},
		{name: "owned key", world: func(s builder) { s.Tables[0].KeyARN = ""; s.user("alice", readItems) }, principal: alice, want: access.Yes},
		{name: "the key policy was not read", world: func(s builder) {
			s.Keys[0].Policy = ""
			s.NotRead = []access.Gap{{Permission: "kms:GetKeyPolicy", Resource: keyID, Reason: "permission denied"}}
			s.user("alice", readItems)
		}, principal: alice, want: access.Unknown, says: "kms:GetKeyPolicy of " + keyID},
		{name: "not read, and it does not matter", world: func(s builder) {
			s.Keys[0].Policy = ""
			s.NotRead = []access.Gap{{Permission: "kms:GetKeyPolicy", Resource: keyID, Reason: "permission denied"}}
			s.user("alice", useKey)
		}, principal: alice, want: access.No},
		{name: "an own policy was not read", world: func(s builder) {
			s.user("alice")
			s.NotRead = []access.Gap{{Permission: "iam:GetUserPolicy", Resource: alice, Reason: "permission denied"}}
		}, principal: alice, want: access.Unknown, says: "iam:GetUserPolicy"},
		{name: "users were not listed", world: func(s builder) {
			s.NotRead = []access.Gap{{Permission: "iam:ListUsers", Reason: "permission denied"}}
		}, principal: "users and roles that could not be listed", want: access.Unknown, says: "iam:ListUsers"},
		{name: "a policy that is not attached in the snapshot", world: func(s builder) {
			s.user("alice")
			s.Users[0].Attached = []string{"arn:aws:iam::aws:policy/Gone"}
		}, principal: alice, want: access.Unknown, says: "does not have the policy"},
		{name: "another account, named by one side only", world: func(s builder) { s.Keys[0].Policy = naming(`{"AWS":"`+foreign+`"}`, "kms:*") }, principal: foreign, want: access.No},
		{name: "another account", world: func(s builder) {
			s.Keys[0].Policy = naming(`{"AWS":"`+foreign+`"}`, "kms:*")
			s.Tables[0].Policy = naming(`{"AWS":"`+foreign+`"}`, "dynamodb:GetItem")
		}, principal: foreign, want: access.OnlyIf, says: "the policies of account 444455556666 allow kms:Decrypt"},
		{name: "everybody", world: func(s builder) {
			s.Keys[0].Policy = naming(`"*"`, "kms:Decrypt")
			s.Tables[0].Policy = naming(`"*"`, "dynamodb:*")
		}, principal: "everybody", want: access.Yes},
		{name: "everybody of the account", world: func(s builder) {
			s.Keys[0].Policy = naming(`"*"`, "kms:Decrypt", `,"Condition":{"StringEquals":{"kms:CallerAccount":"111122223333"}}`)
			s.Tables[0].Policy = naming(`"*"`, "dynamodb:*")
		}, principal: "everybody", want: access.No},
		{name: "client-side, with the table's rights only", world: func(s builder) {
			s.Tables[0].KeyARN, s.Tables[0].ItemKeys = "", []access.ItemKey{{ARN: keyID}}
			s.user("alice", readItems)
		}, principal: alice, want: access.No},
		{name: "client-side, ciphertext", world: func(s builder) {
			s.Tables[0].KeyARN, s.Tables[0].ItemKeys = "", []access.ItemKey{{ARN: keyID}}
			s.user("alice", readItems)
		}, principal: alice, operation: access.ReadCiphertext, want: access.Yes},
		{name: "client-side, another table's context", world: func(s builder) {
			s.Tables[0].KeyARN, s.Tables[0].ItemKeys = "", []access.ItemKey{{ARN: keyID}}
			s.user("alice", readItems, identity("kms:Decrypt", `,"Condition":{"StringEquals":{"kms:EncryptionContext:aws-crypto-table-name":"Other"}}`))
		}, principal: alice, want: access.No},
		{name: "a reader of items with ECDSA signatures writes none", world: func(s builder) {
			s.Tables[0].ItemKeys = []access.ItemKey{{ARN: keyID}}
			s.user("alice", identity("dynamodb:*"), useKey)
		}, principal: alice, operation: access.WriteVerified, want: access.No},
		{name: "a reader of items without ECDSA signatures writes some", world: func(s builder) {
			s.Tables[0].ItemKeys, s.Tables[0].SymmetricSignature = []access.ItemKey{{ARN: keyID}}, true
			s.user("alice", identity("dynamodb:*"), useKey)
		}, principal: alice, operation: access.WriteVerified, want: access.Yes},
		{name: "an unknown condition key", world: func(s builder) {
			s.user("alice", useKey, identity("dynamodb:GetItem", `,"Condition":{"StringEquals":{"example:Color":"blue"}}`))
		}, principal: alice, want: access.OnlyIf, says: "StringEquals example:Color blue"},
		{name: "a variable of the caller", world: func(s builder) {
			s.user("alice", useKey, strings.Replace(readItems, `"*"`, `"arn:aws:dynamodb:*:*:table/${aws:username}"`, 1))
			s.Tables[0].Name, s.Tables[0].ARN = "alice", strings.Replace(ordersID, "Orders", "alice", 1)
		}, principal: alice, want: access.Yes},
		{name: "a variable that is another name", world: func(s builder) {
			s.user("alice", useKey, strings.Replace(readItems, `"*"`, `"arn:aws:dynamodb:*:*:table/${aws:username}"`, 1))
		}, principal: alice, want: access.No},
		{name: "an unknown variable", world: func(s builder) {
			s.user("alice", useKey, strings.Replace(readItems, `"*"`, `"arn:aws:dynamodb:*:*:table/${example:Color}"`, 1))
		}, principal: alice, want: access.OnlyIf, says: "example:Color"},
		{name: "NotAction", world: func(s builder) {
			s.user("alice", strings.Replace(identity("iam:*"), `"Action"`, `"NotAction"`, 1))
		}, principal: alice, want: access.Yes},
		{name: "NotPrincipal denies the others", world: func(s builder) {
			s.user("alice", readItems, useKey)
			s.Keys[0].Policy = strings.Replace(delegating, `"Statement":{`, `"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":["`+
				bob+`","arn:aws:iam::111122223333:root"]},"Action":"kms:Decrypt","Resource":"*"},{`, 1)
			s.Keys[0].Policy = strings.TrimSuffix(s.Keys[0].Policy, "}") + "]}"
		}, principal: alice, want: access.No, says: "Deny applies"},
		{name: "a key of another account, which was not read", world: func(s builder) {
			const other = "arn:aws:kms:us-east-1:444455556666:key/1"
			s.Tables[0].KeyARN, s.Tables[0].ItemKeys = "", []access.ItemKey{{ARN: other}}
			s.Keys = []access.Key{{ARN: other}}
			s.NotRead = []access.Gap{{Permission: "kms:GetKeyPolicy", Resource: other, Reason: "permission denied"}}
			s.user("alice", readItems, useKey)
		}, principal: alice, want: access.Unknown,
			says: "kms:GetKeyPolicy of arn:aws:kms:us-east-1:444455556666:key/1"},
		{name: "raw keys", world: func(s builder) { s.Tables[0].RawKeys = true; s.user("alice", readItems, useKey) }, principal: alice, want: access.Unknown, says: "raw keys"},
		{name: "branch keys without their table", world: func(s builder) {
			s.Tables[0].ItemKeys = []access.ItemKey{{ARN: keyID, KeyStore: "keys"}}
			s.user("alice", identity("dynamodb:GetItem"), useKey)
			s.user("bob", strings.Replace(readItems, `"*"`, `"`+ordersID+`"`, 1), useKey)
		}, principal: bob, want: access.Unknown, says: "key store keys"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := small()
			c.world(builder{s})
			a := analyze(t, s)
			rows := a.Tables[0].Rows
			i := slices.IndexFunc(rows, func(r access.Row) bool { return r.Principal == c.principal })
			if i < 0 {
				t.Fatalf("no row of %s\n%s", c.principal, a.Text(access.TextOptions{}))
			}
			o := c.operation
			if o == 0 {
				o = access.ReadClear
			}
			text := a.Text(access.TextOptions{Principal: c.principal, Why: true})
			if got := rows[i].Cells.Of(o).Verdict; got != c.want || !strings.Contains(text, c.says) {
				t.Errorf("%v, want %v and %q\n%s", got, c.want, c.says, text)
			}
		})
	}
}

// TestDeleted: what is left of a deleted principal is noted, and means no principal.
func TestDeleted(t *testing.T) {
	s := small()
	s.Keys[0].Policy = naming(`{"AWS":["AIDAGONEGONEGONEGONE1","arn:aws:iam::111122223333:user/gone"]}`, "kms:*")
	a := analyze(t, s)
	if len(a.Notes) != 2 || len(a.Tables[0].Rows) != 1 {
		t.Errorf("%q, %d rows", a.Notes, len(a.Tables[0].Rows))
	}
}

// TestEditedSnapshot: a snapshot that was broken by hand is refused.
func TestEditedSnapshot(t *testing.T) {
	for name, edit := range map[string]func(builder){
		"version":     func(s builder) { s.Version = 2 },
		"no table":    func(s builder) { s.Tables = nil },
		"table":       func(s builder) { s.Tables[0].ARN = "Orders" },
		"key":         func(s builder) { s.Keys[0].ARN = "alias/x" },
		"table's key": func(s builder) { s.Tables[0].KeyARN = "x" },
		"twice":       func(s builder) { s.user("alice"); s.Users = append(s.Users, s.Users[0]) },
		"no id": func(s builder) {
			s.Users = []access.User{{Identity: access.Identity{ARN: "arn:aws:iam::111122223333:user/a"}}}
		},
		"another kind": func(s builder) {
			s.Roles = []access.Role{{Identity: access.Identity{ID: "x", ARN: "arn:aws:iam::111122223333:user/a"}}}
		},
	} {
		s := builder{small()}
		edit(s)
		edited := *s.Snapshot
		if _, err := access.Analyze(&edited); !errors.Is(err, access.ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "{}", `{"version":1,"x":2}`, `{"version":1} {}`, "[]"} {
		if _, err := access.Read(strings.NewReader(text)); !errors.Is(err, access.ErrSnapshot) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDiff(t *testing.T) {
	before, after := builder{small()}, builder{small()}
	before.user("alice", readItems)
	after.user("alice", readItems, useKey)
	all := access.Diff(analyze(t, before.Snapshot), analyze(t, after.Snapshot))
	if len(all) == 0 || !all[0].Adds() || !strings.Contains(all[0].String(),
		"user/alice read-clear "+ordersID+": no, now yes") {
		t.Errorf("%v", all)
	}
	back := access.Diff(analyze(t, after.Snapshot), analyze(t, before.Snapshot))
	if len(back) == 0 || back[0].Adds() {
		t.Errorf("%v", back)
	}
	if same := access.Diff(analyze(t, after.Snapshot), analyze(t, after.Snapshot)); len(same) > 0 {
		t.Errorf("%v", same)
	}
}

// TestShortestPath: a principal that may assume a reading role takes that way, and
// does not open the table first.
func TestShortestPath(t *testing.T) {
	s := builder{small()}
	const role = "arn:aws:iam::111122223333:role/app"
	s.user("alice", identity("sts:AssumeRole"), identity("dynamodb:PutResourcePolicy"))
	s.Roles = []access.Role{{Trust: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",` +
		`"Principal":{"AWS":"111122223333"}}}`, Identity: access.Identity{ARN: role, ID: "AROAAPP",
		Inline: []access.Policy{{Name: "r", Document: readItems}, {Name: "k", Document: useKey}}}}}
	text := analyze(t, s.Snapshot).Text(access.TextOptions{Principal: "alice"})
	if !strings.Contains(text, "  * yes: arn:aws:iam::111122223333:user/alice assumes the role "+role+
		" (sts:AssumeRole), "+role+" reads in clear "+ordersID+" (dynamodb:GetItem)\n") {
		t.Error(text)
	}
}

// TestDecidingStatement: the statement that leaves the key to IAM policies is not a
// reason beside one that names the reader, and is one beside an IAM policy.
func TestDecidingStatement(t *testing.T) {
	const alice = "arn:aws:iam::111122223333:user/alice"
	s := builder{small()}
	s.user("alice", readItems)
	s.user("bob", readItems, useKey)
	s.Keys[0].Policy = `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"IAM","Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"},` +
		`{"Sid":"Alice","Effect":"Allow","Principal":{"AWS":"` + alice + `"},"Action":"kms:Decrypt","Resource":"*"}]}`
	a := analyze(t, s.Snapshot)
	for who, iam := range map[string]bool{"alice": false, "bob": true} {
		text := a.Text(access.TextOptions{Principal: who, Why: true})
		if strings.Contains(text, "(IAM)") != iam || strings.Contains(text, "(Alice)") == iam {
			t.Errorf("%s:\n%s", who, text)
		}
	}
}

// TestReasonsAreOwn: principals with the same documents under other names, or from a
// group, are told apart in the reasons.
func TestReasonsAreOwn(t *testing.T) {
	s := builder{small()}
	s.Tables[0].KeyARN = ""
	s.user("alice", readItems)
	s.user("bob", readItems)
	s.Users[1].Inline[0].Name = "bobs"
	s.user("carol")
	s.Users[2].Groups = []string{"team"}
	s.Groups = []access.Group{{Identity: access.Identity{ARN: "arn:aws:iam::111122223333:group/team", ID: "AGPATEAM",
		Inline: []access.Policy{{Name: "p", Document: readItems}}}}}
	a := analyze(t, s.Snapshot)
	for who, want := range map[string]string{"alice": `inline policy "p"`, "bob": `inline policy "bobs"`,
		"carol": `group's inline policy "p"`} {
		text := a.Text(access.TextOptions{Principal: who, Why: true})
		if !strings.Contains(text, "dynamodb:GetItem: "+want) {
			t.Errorf("%s lacks %s:\n%s", who, want, text)
		}
	}
}
