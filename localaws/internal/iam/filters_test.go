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
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// Every filter of the lists of policies and their entities does what it says,
// and one that has no such value is refused.
func TestFiltersOfPolicies(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	w.user(account1, "alice")
	arns := map[string]*string{}
	for _, name := range []string{"/x/given", "/y/limit", "/x/idle"} {
		path := name[:3]
		p, err := c.CreatePolicy(ctx,
			&iam.CreatePolicyInput{PolicyName: aws.String(name[3:]), Path: &path,
				PolicyDocument: allowing("iam:Get*", "*", "")})
		if err != nil {
			t.Fatal(err)
		}
		arns[name] = p.Policy.Arn
	}
	must(t)(c.AttachUserPolicy(ctx,
		&iam.AttachUserPolicyInput{UserName: aws.String("alice"), PolicyArn: arns["/x/given"]}))
	must(t)(c.AttachUserPolicy(ctx,
		&iam.AttachUserPolicyInput{UserName: aws.String("alice"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}))
	must(t)(c.PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"), PermissionsBoundary: arns["/y/limit"]}))
	must(t)(c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("deep"), Path: aws.String("/a/b/")}))
	must(t)(c.AttachUserPolicy(ctx,
		&iam.AttachUserPolicyInput{UserName: aws.String("deep"), PolicyArn: arns["/x/given"]}))

	policies := func(in iam.ListPoliciesInput) string {
		t.Helper()
		out, err := c.ListPolicies(ctx, &in)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range out.Policies {
			names = append(names, *p.PolicyName)
		}
		return joined(names)
	}
	attached := func(prefix string) string {
		t.Helper()
		out, err := c.ListAttachedUserPolicies(ctx,
			&iam.ListAttachedUserPoliciesInput{UserName: aws.String("alice"), PathPrefix: &prefix})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range out.AttachedPolicies {
			names = append(names, *p.PolicyName)
		}
		return joined(names)
	}
	entities := func(prefix string) string {
		t.Helper()
		out, err := c.ListEntitiesForPolicy(ctx,
			&iam.ListEntitiesForPolicyInput{PolicyArn: arns["/x/given"], PathPrefix: &prefix})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, u := range out.PolicyUsers {
			names = append(names, *u.UserName)
		}
		return joined(names)
	}
	for what, x := range map[string]struct{ got, want string }{
		"local":             {policies(iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal}), "given idle limit"},
		"path":              {policies(iam.ListPoliciesInput{PathPrefix: aws.String("/x/")}), "given idle"},
		"attached":          {policies(iam.ListPoliciesInput{OnlyAttached: true}), "IAMReadOnlyAccess given"},
		"boundaries":        {policies(iam.ListPoliciesInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsBoundary}), "limit"},
		"permissions":       {policies(iam.ListPoliciesInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsPolicy, Scope: types.PolicyScopeTypeLocal}), "given"},
		"attached in x":     {attached("/x/"), "given"},
		"attached anywhere": {attached("/"), "IAMReadOnlyAccess given"},
		"attached nowhere":  {attached("/z/"), ""},
		"entities in a":     {entities("/a/"), "deep"},
		"entities anywhere": {entities("/"), "alice deep"},
	} {
		if x.got != x.want {
			t.Errorf("%s: %q, want %q", what, x.got, x.want)
		}
	}

	_, err := c.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: "Mine"})
	wantCode(t, err, "ValidationError",
		"'Mine' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [AWS, All, Local]")
	_, err = c.ListPolicies(ctx, &iam.ListPoliciesInput{PolicyUsageFilter: "Both"})
	wantCode(t, err, "ValidationError", "policyUsageFilter")
	_, err = c.ListEntitiesForPolicy(ctx,
		&iam.ListEntitiesForPolicyInput{PolicyArn: arns["/x/given"], EntityFilter: "Robot"})
	wantCode(t, err, "ValidationError", "entityFilter")
}

func joined(names []string) string {
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestPolicyVersionsPage(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	p, err := c.CreatePolicy(ctx,
		&iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: allowing("iam:Get*", "*", "")})
	if err != nil {
		t.Fatal(err)
	}
	for i := 2; i <= 11; i++ {
		if i > 5 {
			must(t)(c.DeletePolicyVersion(ctx,
				&iam.DeletePolicyVersionInput{PolicyArn: p.Policy.Arn, VersionId: aws.String(fmt.Sprintf("v%d", i-4))}))
		}
		must(t)(c.CreatePolicyVersion(ctx,
			&iam.CreatePolicyVersionInput{PolicyArn: p.Policy.Arn, PolicyDocument: allowing("iam:Get*", "*", "")}))
	}
	var got []string
	for pages := iam.NewListPolicyVersionsPaginator(c,
		&iam.ListPolicyVersionsInput{PolicyArn: p.Policy.Arn, MaxItems: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Versions) > 2 {
			t.Errorf("a page of %d", len(page.Versions))
		}
		for _, v := range page.Versions {
			got = append(got, *v.VersionId)
		}
	}
	if fmt.Sprint(got) != "[v11 v10 v9 v8 v1]" {
		t.Error(got)
	}
}

// A parameter that changes what is asked for is refused where it is not
// supported: an answer to another question would be taken for the right one.
func TestUnsupportedParametersAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	alice := w.user(account1, "alice", "AdministratorAccess")
	c := w.iam(w.root(account1))
	must(t)(c.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: trusting(account1),
			Tags: []types.Tag{}}))
	for name, err := range map[string]error{
		"PolicyExclusionList": second(c.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:user/alice"), ActionNames: []string{"iam:GetUser"},
			PolicyExclusionList: []types.PolicyIdentifier{
				&types.PolicyIdentifierMemberPolicyArn{Value: "arn:aws:iam::aws:policy/AdministratorAccess"}}})),
		"ProvidedContexts": second(w.sts(alice).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111122223333:role/r"), RoleSessionName: aws.String("visit"),
			ProvidedContexts: []ststypes.ProvidedContext{
				{ProviderArn: aws.String("arn:aws:iam::aws:contextProvider/IdentityCenter"), ContextAssertion: aws.String("text")}}})),
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, err, "ValidationError", name) })
	}
}
