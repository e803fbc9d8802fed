// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// give puts an inline policy on a user, as root.
func (w *world) give(user string, document *string) {
	w.t.Helper()
	must(w.t)(w.iam(w.root(account1)).PutUserPolicy(w.t.Context(),
		&iam.PutUserPolicyInput{UserName: &user, PolicyName: aws.String("given"), PolicyDocument: document}))
}

func TestResourceTagsOfUsersRolesAndPolicies(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	alice := w.user(account1, "alice")
	w.user(account1, "bob")
	tags := []types.Tag{{Key: aws.String("Team"), Value: aws.String("red")}}
	must(t)(c.TagUser(ctx, &iam.TagUserInput{UserName: aws.String("bob"), Tags: tags}))
	must(t)(c.CreatePolicy(ctx,
		&iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: allowing("iam:Get*", "*", ""), Tags: tags}))
	for _, key := range []string{"aws:ResourceTag/team", "iam:ResourceTag/Team"} {
		w.give("alice", allowing("iam:Get*", "*", `{"StringEquals":{"`+key+`":"red"}}`))
		must(t)(w.iam(alice).GetUser(ctx, &iam.GetUserInput{UserName: aws.String("bob")}))
		must(t)(w.iam(alice).GetPolicy(ctx,
			&iam.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::111122223333:policy/p")}))
		_, err := w.iam(alice).GetUser(ctx, &iam.GetUserInput{UserName: aws.String("alice")})
		wantCode(t, err, "AccessDenied", "iam:GetUser")
	}
}

// The way to let others administer users: only those who have a boundary.
func TestPermissionsBoundaryOfTheTargetIsACondition(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	alice := w.user(account1, "alice")
	w.user(account1, "bob")
	const boundary = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
	w.give("alice", allowing("iam:*", "*", `{"StringEquals":{"iam:PermissionsBoundary":"`+boundary+`"}}`))
	attach := &iam.AttachUserPolicyInput{UserName: aws.String("bob"),
		PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}
	_, err := w.iam(alice).AttachUserPolicy(ctx, attach)
	wantCode(t, err, "AccessDenied", "iam:AttachUserPolicy")
	must(t)(c.PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: aws.String("bob"), PermissionsBoundary: aws.String(boundary)}))
	must(t)(w.iam(alice).AttachUserPolicy(ctx, attach))
	_, err = w.iam(alice).PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: aws.String("bob"),
			PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	wantCode(t, err, "AccessDenied", "iam:PutUserPermissionsBoundary")
}

// Renaming and moving needs the permission on the new name too: else who may
// change some users could make others of them.
func TestRenamingNeedsBothNames(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	alice := w.user(account1, "alice")
	must(t)(c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("dev-1"), Path: aws.String("/dev/")}))
	must(t)(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("devs"), Path: aws.String("/dev/")}))
	must(t)(c.AddUserToGroup(ctx,
		&iam.AddUserToGroupInput{GroupName: aws.String("devs"), UserName: aws.String("dev-1")}))
	w.give("alice",
		aws.String(
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Update*","Resource":["arn:aws:iam::111122223333:user/dev/*","arn:aws:iam::111122223333:group/dev/*"]}}`))
	_, err := w.iam(alice).UpdateUser(ctx,
		&iam.UpdateUserInput{UserName: aws.String("dev-1"), NewPath: aws.String("/admin/")})
	wantCode(t, err, "AccessDenied", "arn:aws:iam::111122223333:user/admin/dev-1")
	must(t)(w.iam(alice).UpdateUser(ctx,
		&iam.UpdateUserInput{UserName: aws.String("dev-1"), NewUserName: aws.String("dev-2")}))
	// The tags are the user's under either name.
	w.give("alice", allowing("iam:UpdateUser", "*", `{"StringEquals":{"aws:ResourceTag/team":"red"}}`))
	must(t)(c.TagUser(ctx,
		&iam.TagUserInput{UserName: aws.String("dev-2"),
			Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}))
	must(t)(w.iam(alice).UpdateUser(ctx,
		&iam.UpdateUserInput{UserName: aws.String("dev-2"), NewPath: aws.String("/dev/two/")}))
	w.give("alice", allowing("iam:UpdateGroup", "arn:aws:iam::111122223333:group/dev/*", ""))
	_, err = w.iam(alice).UpdateGroup(ctx,
		&iam.UpdateGroupInput{GroupName: aws.String("devs"), NewPath: aws.String("/admin/")})
	wantCode(t, err, "AccessDenied", "arn:aws:iam::111122223333:group/admin/devs")
	must(t)(w.iam(alice).UpdateGroup(ctx,
		&iam.UpdateGroupInput{GroupName: aws.String("devs"), NewGroupName: aws.String("developers")}))
	groups, err := c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: aws.String("dev-2")})
	if err != nil || len(groups.Groups) != 1 || *groups.Groups[0].GroupName != "developers" {
		t.Fatalf("%+v %v", groups, err)
	}
	must(t)(c.AttachGroupPolicy(ctx,
		&iam.AttachGroupPolicyInput{GroupName: aws.String("developers"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	key, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("dev-2")})
	if err != nil {
		t.Fatal(err)
	}
	dev := aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId}
	must(t)(w.iam(dev).ListUsers(ctx, nil))
	// A session follows its user to the new name.
	out, err := w.sts(dev).GetSessionToken(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	must(t)(c.UpdateUser(ctx,
		&iam.UpdateUserInput{UserName: aws.String("dev-2"), NewUserName: aws.String("dev-3"),
			NewPath: aws.String("/")}))
	for _, who := range []aws.Credentials{dev,
		{AccessKeyID: *out.Credentials.AccessKeyId, SessionToken: *out.Credentials.SessionToken}} {
		id, err := w.sts(who).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil || *id.Arn != "arn:aws:iam::111122223333:user/dev-3" {
			t.Fatal(id, err)
		}
	}
}

func TestSourceArnIsACondition(t *testing.T) {
	w := newWorld(t, nil)
	const table = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
	d, err := policy.Parse([]byte(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"dynamodb.amazonaws.com"},"Action":"kms:*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:dynamodb:*:*:table/orders"},"StringEquals":{"aws:SourceAccount":"111122223333"}}}}`), policy.KeyPolicy)
	if err != nil {
		t.Fatal(err)
	}
	for arn, want := range map[string]bool{table: true, table + "2": false, "": false} {
		c := &request.Call{Time: w.now, Region: "us-east-1", SourceARN: arn,
			Caller: request.Caller{Principal: policy.Principal{Type: policy.Service,
				ARN: "dynamodb.us-east-1.amazonaws.com"}}}
		got := w.service.Authorize(t.Context(), c,
			request.Check{Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:111122223333:key/1",
				ResourceAccountID: account1, Mode: policy.ModeKeyPolicy, ResourcePolicy: d})
		if got.Allowed != want {
			t.Errorf("%q: allowed is %v", arn, got.Allowed)
		}
		got = w.service.Authorize(t.Context(), c,
			request.Check{Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:111122223333:key/1",
				ResourceAccountID: account1, Mode: policy.ModeKeyPolicy,
				Grants: []policy.Grant{{ID: "g", Grantee: "dynamodb.amazonaws.com", Operations: []string{"Decrypt"},
					SourceARN: table}}})
		if got.Allowed != want {
			t.Errorf("%q: a grant with this source allows %v", arn, got.Allowed)
		}
	}
}
