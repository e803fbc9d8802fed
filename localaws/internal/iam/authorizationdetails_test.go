// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// TestGetAccountAuthorizationDetails: everything of the account, whole and page
// by page, and only the kinds that are asked for.
func TestGetAccountAuthorizationDetails(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	const admin = "arn:aws:iam::aws:policy/AdministratorAccess"
	w.user(account1, "alice", "ReadOnlyAccess")
	w.give("alice", allowing("kms:*", "*", ""))
	must(t)(c.TagUser(ctx, &iam.TagUserInput{UserName: aws.String("alice"),
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}))
	must(t)(c.PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"), PermissionsBoundary: aws.String(admin)}))
	must(t)(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("devs")}))
	must(t)(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("devs"),
		UserName: aws.String("alice")}))
	must(t)(c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("worker"),
		AssumeRolePolicyDocument: trusting(account1)}))
	own, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("own"),
		PolicyDocument: allowing("kms:*", "*", "")})
	if err != nil {
		t.Fatal(err)
	}
	must(t)(c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: own.Policy.Arn,
		PolicyDocument: allowing("sts:*", "*", "")}))
	must(t)(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("devs"),
		PolicyArn: own.Policy.Arn}))

	names := func(in *iam.GetAccountAuthorizationDetailsInput) (all []string, pages int) {
		t.Helper()
		p := iam.NewGetAccountAuthorizationDetailsPaginator(c, in)
		for ; p.HasMorePages(); pages++ {
			out, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range out.UserDetailList {
				all = append(all, *u.UserName)
			}
			for _, g := range out.GroupDetailList {
				all = append(all, *g.GroupName)
			}
			for _, r := range out.RoleDetailList {
				all = append(all, *r.RoleName)
			}
			for _, m := range out.Policies {
				all = append(all, *m.PolicyName)
			}
		}
		return all, pages
	}
	const everything = "[alice devs worker own AdministratorAccess ReadOnlyAccess]"
	if all, pages := names(&iam.GetAccountAuthorizationDetailsInput{}); fmt.Sprint(all) != everything || pages != 1 {
		t.Errorf("%v in %d pages", all, pages)
	}
	if all, pages := names(&iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(4)}); fmt.Sprint(
		all) != everything || pages != 2 {
		t.Errorf("%v in %d pages of four", all, pages)
	}
	if all, _ := names(&iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{"Role",
		"LocalManagedPolicy"}}); fmt.Sprint(all) != "[worker own]" {
		t.Errorf("roles and own policies: %v", all)
	}

	out, err := c.GetAccountAuthorizationDetails(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	alice, devs, worker, policy := out.UserDetailList[0], out.GroupDetailList[0], out.RoleDetailList[0], out.Policies[0]
	if len(alice.UserPolicyList) != 1 ||
		*alice.UserPolicyList[0].PolicyDocument != encoded(*allowing("kms:*", "*", "")) ||
		!slices.Equal(alice.GroupList, []string{"devs"}) ||
		*alice.AttachedManagedPolicies[0].PolicyName != "ReadOnlyAccess" ||
		*alice.PermissionsBoundary.PermissionsBoundaryArn != admin || *alice.Tags[0].Key != "a" ||
		!strings.HasPrefix(*alice.UserId, "AIDA") {
		t.Errorf("%+v", alice)
	}
	if *devs.AttachedManagedPolicies[0].PolicyArn != *own.Policy.Arn || len(devs.GroupPolicyList) != 0 {
		t.Errorf("%+v", devs)
	}
	if *worker.AssumeRolePolicyDocument != encoded(*trusting(account1)) || worker.RoleLastUsed == nil ||
		len(worker.InstanceProfileList) != 0 || worker.PermissionsBoundary != nil {
		t.Errorf("%+v", worker)
	}
	if versions := policy.PolicyVersionList; len(versions) != 2 || *versions[0].VersionId != "v2" ||
		versions[0].IsDefaultVersion ||
		*versions[1].Document != encoded(*allowing("kms:*", "*", "")) || *policy.AttachmentCount != 1 ||
		*policy.DefaultVersionId != "v1" {
		t.Errorf("%+v", policy)
	}
	_, err = c.GetAccountAuthorizationDetails(ctx,
		&iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{"Cat"}})
	wantCode(t, err, "ValidationError", "at 'filter' failed to satisfy constraint: Member must satisfy enum value "+
		"set: [AWSManagedPolicy, Group, LocalManagedPolicy, Role, User]")
}
