// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/access"
)

// TestKnownPaths: each known path is found from the permissions that it needs, and
// not without them.
func TestKnownPaths(t *testing.T) {
	const alice, bob = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/bob"
	const role, group = "arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:group/team"
	const managed = "arn:aws:iam::111122223333:policy/m"
	trusting := func(who string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` +
			who + `"}}}`
	}
	// A reader by each kind of principal, and alice, who has just the permissions.
	world := func(permissions string, edit func(builder)) *access.Snapshot {
		s := builder{small()}
		s.user("alice", permissions)
		s.Groups = []access.Group{{Identity: access.Identity{ARN: group, ID: "AGPATEAM",
			Inline: []access.Policy{{Name: "r", Document: readItems}, {Name: "k", Document: useKey}}}}}
		s.Policies = []access.ManagedPolicy{{ARN: managed, Document: identity("s3:GetObject")}}
		if edit != nil {
			edit(s)
		}
		return s.Snapshot
	}
	withBob := func(s builder) { s.user("bob", readItems, useKey) }
	withRole := func(s builder) {
		s.Roles = []access.Role{{Trust: trusting("111122223333"), Identity: access.Identity{ARN: role, ID: "AROAAPP",
			Inline: []access.Policy{{Name: "r", Document: readItems}, {Name: "k", Document: useKey}}}}}
	}
	attached := func(s builder) { s.Users[0].Attached = []string{managed} }
	both := func(edits ...func(builder)) func(builder) {
		return func(s builder) {
			for _, e := range edits {
				e(s)
			}
		}
	}
	allow := func(actions string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["` +
			strings.ReplaceAll(actions, " ", `","`) + `"],"Resource":"*"}}`
	}
	stream := func(s builder) { s.Tables[0].StreamARN = ordersID + "/stream/2026-11-28T00:00:00.000" }
	for _, c := range []struct {
		actions string // of alice, each of which is needed
		world   func(builder)
		want    access.Verdict
		does    string
	}{
		{"sts:AssumeRole", withRole, access.Yes, "assumes the role " + role},
		{"iam:UpdateAssumeRolePolicy", both(withRole, func(s builder) { s.Roles[0].Trust = trusting(bob) }), access.Yes,
			"edits the trust policy of the role and assumes it"},
		{"iam:CreateAccessKey", withBob, access.Yes, "creates an access key for the user"},
		{"iam:CreateLoginProfile", withBob, access.Yes, "sets a password for the user"},
		{"iam:UpdateLoginProfile", withBob, access.Yes, "changes the user's password"},
		{"iam:PutUserPolicy", nil, access.Yes, "puts a policy on itself"},
		{"iam:AttachUserPolicy", nil, access.Yes, "attaches a policy to itself"},
		{"iam:CreatePolicyVersion", attached, access.Yes, "writes a new version of a policy that it has"},
		{"iam:SetDefaultPolicyVersion", attached, access.Unknown, "goes back to another version"},
		{"iam:AddUserToGroup", nil, access.Yes, "joins a group"},
		{"iam:PutGroupPolicy", func(s builder) { s.Users[0].Groups, s.Groups[0].Inline = []string{"team"}, nil },
			access.Yes, "puts a policy on its group"},
		{"iam:CreateRole iam:PutRolePolicy", nil, access.Yes, "creates a role that it may assume"},
		// All but itself: a policy on itself is the shorter path.
		{"iam:CreateUser iam:PutUserPolicy iam:CreateAccessKey", func(s builder) {
			deny := strings.Replace(identity("iam:PutUserPolicy"), "Allow", "Deny", 1)
			s.Users[0].Inline = append(s.Users[0].Inline, access.Policy{Name: "d",
				Document: strings.Replace(deny, `"*"`, `"`+alice+`"`, 1)})
		}, access.Yes, "creates a user with an access key"},
		{"dynamodb:GetItem kms:PutKeyPolicy", nil, access.Yes, "writes itself into the key policy"},
		{"dynamodb:GetItem kms:CreateGrant", nil, access.Yes, "makes itself a grant for kms:Decrypt"},
		{"kms:Decrypt dynamodb:PutResourcePolicy", nil, access.Yes, "writes itself into the table's policy"},
		{"dynamodb:GetItem dynamodb:UpdateTable", nil, access.Unknown, "takes the table off its key"},
		{"dynamodb:GetItem dynamodb:RestoreTableFromBackup", nil, access.Unknown, "restores a backup under another key"},
		{"dynamodb:GetItem dynamodb:RestoreTableToPointInTime", nil, access.Unknown, "restores the table"},
		{"kms:Decrypt dynamodb:ExportTableToPointInTime", nil, access.OnlyIf, "exports the table"},
		{"kms:Decrypt dynamodb:GetRecords", stream, access.Yes, "reads the changes from the stream"},
		{"kms:Decrypt dynamodb:GetRecords dynamodb:UpdateTable", nil, access.Yes, "turns on a stream"},
		{"dynamodb:EnableKinesisStreamingDestination", nil, access.Unknown, "sends the changes to Kinesis"},
		{"dynamodb:GetItem dynamodb:UpdateTable dynamodb:CreateTableReplica", nil, access.Unknown,
			"adds a replica under another key"},
	} {
		found := func(actions string) (access.Verdict, string) {
			rows := analyze(t, world(allow(actions), c.world)).Tables[0].Rows
			i := slices.IndexFunc(rows, func(r access.Row) bool { return r.Principal == alice })
			if rows[i].Cells.ReadClear.Verdict != access.No {
				t.Errorf("%s: reads as it is", actions)
			}
			for _, p := range rows[i].Paths {
				if strings.Contains(p.String(), c.does) {
					return p.Verdict, p.String()
				}
			}
			return access.No, ""
		}
		if got, path := found(c.actions); got != c.want {
			t.Errorf("%s: %v, want %v: %s", c.actions, got, c.want, path)
		}
		all := strings.Fields(c.actions)
		for i := range all {
			less := strings.Join(slices.Concat(all[:i], all[i+1:]), " ")
			if less == "" {
				less = "s3:GetObject"
			}
			if got, path := found(less); got >= c.want {
				t.Errorf("%s without %s: %v: %s", c.actions, all[i], got, path)
			}
		}
	}
}

// TestHeadlinesInOrder: the key that is the only guard comes first, then readers
// that are public or of other accounts.
func TestHeadlinesInOrder(t *testing.T) {
	s := builder{small()}
	s.user("guarded", readItems)
	s.user("admin", identity("*"))
	s.Keys[0].Policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},` +
		`"Action":"kms:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:role/x"},` +
		`"Action":"kms:*","Resource":"*"}]}`
	s.Tables[0].Policy = naming(`{"AWS":"arn:aws:iam::444455556666:role/x"}`, "dynamodb:*")
	lines := analyze(t, s.Snapshot).Tables[0].Headlines
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "The key alone keeps 1 principal") ||
		!strings.HasPrefix(lines[1], "Other accounts can read Orders") {
		t.Errorf("%q", lines)
	}
}
