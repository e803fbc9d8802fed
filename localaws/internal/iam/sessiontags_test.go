// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

func sessionTags(pairs ...string) (tags []ststypes.Tag) {
	for i := 0; i < len(pairs); i += 2 {
		tags = append(tags, ststypes.Tag{Key: &pairs[i], Value: &pairs[i+1]})
	}
	return tags
}

// trustBy is a trust policy that allows actions to a principal under a condition.
func trustBy(principal, actions, condition string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal +
		`"},"Action":[` + actions + `],"Condition":` + condition + `}]}`)
}

// TestSessionTags: the tags of a session are its principal's, before those of the
// role. Transitive ones go on to the next role and cannot be changed there.
func TestSessionTags(t *testing.T) {
	w := newWorld(t, nil)
	ctx, root, alice := t.Context(), w.iam(w.root(account1)), w.user(account1, "alice")
	const both = `"sts:AssumeRole","sts:TagSession"`
	role := func(name, principal, actions, condition string) *string {
		out, err := root.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name,
			AssumeRolePolicyDocument: trustBy(principal, actions, condition),
			Tags: []types.Tag{{Key: aws.String("Team"), Value: aws.String("role")},
				{Key: aws.String("Site"), Value: aws.String("role")}}})
		if err != nil {
			t.Fatal(err)
		}
		// One user may be read by each team.
		must(t)(root.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("p"),
			PolicyDocument: allowing("iam:GetUser",
				"arn:aws:iam::"+account1+":user/${aws:PrincipalTag/team}-${aws:PrincipalTag/site}", "")}))
		return out.Role.Arn
	}
	first := role("first", "arn:aws:iam::"+account1+":user/alice", both, "{}")
	second := role("second", *first, both, "{}")
	untagged := role("untagged", "arn:aws:iam::"+account1+":user/alice", `"sts:AssumeRole"`, "{}")
	picky := role("picky", "arn:aws:iam::"+account1+":user/alice", both,
		`{"StringEquals":{"aws:RequestTag/team":"red"},"ForAllValues:StringEquals":{"sts:TransitiveTagKeys":["team"]},"Null":{"aws:TagKeys":"false"}}`)

	in := func(role *string, transitive []string, pairs ...string) *sts.AssumeRoleInput {
		return &sts.AssumeRoleInput{RoleArn: role, RoleSessionName: aws.String("visit"), Tags: sessionTags(pairs...),
			TransitiveTagKeys: transitive}
	}
	reads := func(c aws.Credentials, user string) {
		t.Helper()
		_, err := w.iam(c).GetUser(ctx, &iam.GetUserInput{UserName: &user})
		wantCode(t, err, "NoSuchEntity", user) // allowed to know
		_, err = w.iam(c).GetUser(ctx, &iam.GetUserInput{UserName: aws.String("other-user")})
		wantCode(t, err, "AccessDenied", "")
	}
	assume := func(c aws.Credentials, in *sts.AssumeRoleInput) aws.Credentials {
		t.Helper()
		out, err := w.assume(c, in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	reads(assume(alice, in(first, nil)), "role-role")
	reads(assume(alice, in(first, nil, "TEAM", "red")), "red-role")
	tagged := assume(alice, in(first, []string{"team"}, "Team", "red", "site", "north"))
	reads(tagged, "red-north")
	next := assume(tagged, in(second, nil))
	reads(next, "red-role") // the team is transitive, the site is not
	reads(assume(tagged, in(second, nil, "site", "south")), "red-south")

	assume(alice, in(picky, []string{"team"}, "team", "red"))
	for name, c := range map[string]struct {
		in         *sts.AssumeRoleInput
		by         aws.Credentials
		code, text string
	}{
		"no TagSession": {in(untagged, nil, "team", "red"), alice, "AccessDenied", "is not authorized to perform: sts:TagSession on resource: " + *untagged},
		"another value": {in(picky, nil, "team", "blue"), alice, "AccessDenied", "sts:AssumeRole"},
		"no tags":       {in(picky, nil), alice, "AccessDenied", "sts:AssumeRole"},
		"not passed":    {in(first, []string{"site"}, "team", "red"), alice, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."},
		"twice":         {in(first, nil, "team", "red", "TEAM", "blue"), alice, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		"inherited": {in(second, nil, "TEAM", "blue"), tagged, "InvalidParameterValue",
			"One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."},
		"long key":   {in(first, nil, strings.Repeat("k", 129), ""), alice, "ValidationError", "at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128"},
		"long value": {in(first, nil, "k", strings.Repeat("v", 257)), alice, "ValidationError", "at 'tags.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 256"},
	} {
		_, err := w.assume(c.by, c.in)
		t.Run(name, func(t *testing.T) { wantCode(t, err, c.code, c.text) })
	}
	assume(alice, in(untagged, nil))

	var many []string
	for i := range 51 {
		many = append(many, fmt.Sprint("k", i), "v")
	}
	_, err := w.assume(alice, in(first, nil, many...))
	wantCode(t, err, "ValidationError", "Value at 'tags' failed to satisfy constraint: Member must have length "+
		"less than or equal to 50")
}

// TestSessionTokenSize: the answer tells the size of the token and how much of
// its space is used. What does not fit is refused.
func TestSessionTokenSize(t *testing.T) {
	w := newWorld(t, nil)
	ctx, root, alice := t.Context(), w.iam(w.root(account1)), w.user(account1, "alice")
	role, err := root.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("r"),
		AssumeRolePolicyDocument: trustBy("arn:aws:iam::"+account1+":user/alice", `"sts:*"`, "{}")})
	if err != nil {
		t.Fatal(err)
	}
	in := &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("visit")}
	assume := func() *sts.AssumeRoleOutput {
		t.Helper()
		out, err := w.sts(alice).AssumeRole(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(*out.Credentials.SessionToken); int(*out.SessionTokenSize) != n {
			t.Errorf("a token of %d bytes has size %d", n, *out.SessionTokenSize)
		}
		return out
	}
	plain := assume()
	in.Tags = sessionTags("a", strings.Repeat("v", 200))
	if tagged := assume(); *tagged.SessionTokenSize <= *plain.SessionTokenSize ||
		*tagged.SessionTokenUtilization <= *plain.SessionTokenUtilization {
		t.Errorf("with a tag: %d bytes, %d%%; without: %d, %d%%", *tagged.SessionTokenSize,
			*tagged.SessionTokenUtilization,
			*plain.SessionTokenSize, *plain.SessionTokenUtilization)
	}
	in.MinimumSessionTokenSize = aws.Int32(4096)
	if padded := assume(); *padded.SessionTokenSize != 4096 || *padded.SessionTokenUtilization != 100 {
		t.Errorf("padded: %d bytes, %d%%", *padded.SessionTokenSize, *padded.SessionTokenUtilization)
	}
	in.MinimumSessionTokenSize = aws.Int32(4097)
	_, err = w.sts(alice).AssumeRole(ctx, in)
	wantCode(t, err, "ValidationError", "Value '4097' at 'minimumSessionTokenSize'")
	in.MinimumSessionTokenSize = nil
	// The texts of managed policies do not count.
	in.PolicyArns = policyARNs("arn:aws:iam::aws:policy/ReadOnlyAccess",
		"arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
	if managed := assume(); *managed.SessionTokenUtilization > 60 {
		t.Errorf("with managed policies: %d%%", *managed.SessionTokenUtilization)
	}
	in.PolicyArns, in.Tags = nil, nil
	for i := range 20 {
		in.Tags = append(in.Tags, sessionTags(fmt.Sprint("k", i), strings.Repeat("v", 256))...)
	}
	_, err = w.sts(alice).AssumeRole(ctx, in)
	wantCode(t, err, "PackedPolicyTooLarge", "% of the space of a session token.")
}
