// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

// everything is what an administrator can read of an account.
func (w *world) everything() map[string]any {
	w.t.Helper()
	ctx, c := w.t.Context(), w.iam(w.root(account1))
	all := map[string]any{}
	note := func(name string, v any, err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatalf("%s: %v", name, err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			w.t.Fatal(err)
		}
		var plain map[string]any
		if err := json.Unmarshal(text, &plain); err != nil {
			w.t.Fatal(err)
		}
		delete(plain, "ResultMetadata")
		all[name] = plain
	}
	users, err := c.ListUsers(ctx, nil)
	note("users", users, err)
	for _, u := range users.Users {
		at := "user " + *u.UserName + " "
		full, err := c.GetUser(ctx, &iam.GetUserInput{UserName: u.UserName})
		note(at, full, err)
		inline, err := c.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: u.UserName})
		note(at+"inline", inline, err)
		attached, err := c.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: u.UserName})
		note(at+"attached", attached, err)
		keys, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: u.UserName})
		note(at+"keys", keys, err)
		groups, err := c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: u.UserName})
		note(at+"groups", groups, err)
	}
	groups, err := c.ListGroups(ctx, nil)
	note("groups", groups, err)
	for _, g := range groups.Groups {
		members, err := c.GetGroup(ctx, &iam.GetGroupInput{GroupName: g.GroupName})
		note("group "+*g.GroupName, members, err)
		attached, err := c.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: g.GroupName})
		note("group attached "+*g.GroupName, attached, err)
		inline, err := c.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: g.GroupName})
		note("group inline "+*g.GroupName, inline, err)
	}
	roles, err := c.ListRoles(ctx, nil)
	note("roles", roles, err)
	for _, r := range roles.Roles {
		full, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: r.RoleName})
		note("role "+*r.RoleName, full, err)
		tags, err := c.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: r.RoleName})
		note("role tags "+*r.RoleName, tags, err)
		attached, err := c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: r.RoleName})
		note("role attached "+*r.RoleName, attached, err)
		inline, err := c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: r.RoleName})
		note("role inline "+*r.RoleName, inline, err)
	}
	policies, err := c.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal})
	note("policies", policies, err)
	for _, p := range policies.Policies {
		versions, err := c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: p.Arn})
		note("policy "+*p.PolicyName, versions, err)
		tags, err := c.ListPolicyTags(ctx, &iam.ListPolicyTagsInput{PolicyArn: p.Arn})
		note("policy tags "+*p.PolicyName, tags, err)
	}
	alias, err := c.ListAccountAliases(ctx, nil)
	note("alias", alias, err)
	summary, err := c.GetAccountSummary(ctx, nil)
	note("summary", summary, err)
	return all
}

// TestEveryChangeIsFiled takes every changing operation in turn and, after
// each, compares the account with what a restart makes of the store.
func TestEveryChangeIsFiled(t *testing.T) {
	store := storagetest.NewRecorder()
	w := newWorld(t, store)
	ctx, c := t.Context(), w.iam(w.root(account1))
	u, g, r, p := aws.String("alice"), aws.String("devs"), aws.String("reader"), aws.String("p")
	arn := aws.String("arn:aws:iam::111122223333:policy/own")
	readOnly := aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	tags := []types.Tag{{Key: aws.String("Team"), Value: aws.String("red")}}
	doc, password := allowing("iam:List*", "*", ""), aws.String("correct horse")
	var key *string
	step := func(name string, _ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again := w.restart(store)
		if diff := cmp.Diff(w.everything(), again.everything()); diff != "" {
			t.Fatalf("after %s a restart changes (-before +after):\n%s", name, diff)
		}
		// Not by CheckPassword, which is slow on purpose.
		if a, b := w.service.accounts[account1].Users["alice"],
			again.service.accounts[account1].Users["alice"]; a != nil && !cmp.Equal(a.Profile, b.Profile) {
			t.Fatalf("after %s a restart changes the password", name)
		}
	}
	done := func(out any, err error) func(string) {
		return func(name string) { t.Helper(); step(name, out, err) }
	}
	done(c.CreateAccountAlias(ctx,
		&iam.CreateAccountAliasInput{AccountAlias: aws.String("first-account")}))("CreateAccountAlias")
	done(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("own"), PolicyDocument: doc,
		Description: p}))("CreatePolicy")
	done(c.CreateUser(ctx, &iam.CreateUserInput{UserName: u, Path: aws.String("/a/"), Tags: tags,
		PermissionsBoundary: arn}))("CreateUser")
	done(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: g}))("CreateGroup")
	done(c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: r,
		AssumeRolePolicyDocument: trusting("arn:aws:iam::111122223333:user/a/alice"), Description: p, Tags: tags,
		PermissionsBoundary: arn}))("CreateRole")
	out, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: u})
	step("CreateAccessKey", out, err)
	key = out.AccessKey.AccessKeyId
	done(c.UpdateAccessKey(ctx,
		&iam.UpdateAccessKeyInput{UserName: u, AccessKeyId: key, Status: types.StatusTypeInactive}))("UpdateAccessKey")
	done(c.CreateLoginProfile(ctx,
		&iam.CreateLoginProfileInput{UserName: u, Password: password,
			PasswordResetRequired: true}))("CreateLoginProfile")
	done(c.UpdateLoginProfile(ctx,
		&iam.UpdateLoginProfileInput{UserName: u, Password: aws.String("battery staple")}))("UpdateLoginProfile")
	done(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: g, UserName: u}))("AddUserToGroup")
	done(c.UpdateUser(ctx, &iam.UpdateUserInput{UserName: u, NewPath: aws.String("/b/")}))("UpdateUser")
	done(c.UpdateGroup(ctx, &iam.UpdateGroupInput{GroupName: g, NewGroupName: aws.String("developers")}))("UpdateGroup")
	g = aws.String("developers")
	done(c.UpdateRoleDescription(ctx, &iam.UpdateRoleDescriptionInput{RoleName: r,
		Description: aws.String("before")}))("UpdateRoleDescription")
	if got, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: r}); err != nil ||
		aws.ToString(got.Role.Description) != "before" {
		t.Errorf("description %v, %v", got.Role.Description, err)
	}
	done(c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: r, MaxSessionDuration: aws.Int32(7200),
		Description: u}))("UpdateRole")
	done(c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: r,
		PolicyDocument: trusting(account2)}))("UpdateAssumeRolePolicy")
	done(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: u, PolicyName: p,
		PolicyDocument: doc}))("PutUserPolicy")
	done(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: g, PolicyName: p,
		PolicyDocument: doc}))("PutGroupPolicy")
	done(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: r, PolicyName: p,
		PolicyDocument: doc}))("PutRolePolicy")
	userText, err := c.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: u, PolicyName: p})
	if err != nil || *userText.PolicyDocument != encoded(*doc) {
		t.Fatal(userText, err)
	}
	groupText, err := c.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: g, PolicyName: p})
	if err != nil || *groupText.PolicyDocument != encoded(*doc) {
		t.Fatal(groupText, err)
	}
	roleText, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: r, PolicyName: p})
	if err != nil || *roleText.PolicyDocument != encoded(*doc) {
		t.Fatal(roleText, err)
	}
	summary, err := c.GetAccountSummary(ctx, nil)
	if m := summary.SummaryMap; err != nil || m["Users"] != 1 || m["Groups"] != 1 || m["Roles"] != 1 ||
		m["Policies"] != 1 || m["UsersQuota"] != 5000 || m["AccountAccessKeysPresent"] != 1 {
		t.Fatal(summary, err)
	}
	done(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: u, PolicyArn: readOnly}))("AttachUserPolicy")
	done(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: g, PolicyArn: arn}))("AttachGroupPolicy")
	done(c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: r, PolicyArn: arn}))("AttachRolePolicy")
	done(c.PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: u, PermissionsBoundary: readOnly}))("PutUserPermissionsBoundary")
	done(c.PutRolePermissionsBoundary(ctx,
		&iam.PutRolePermissionsBoundaryInput{RoleName: r, PermissionsBoundary: readOnly}))("PutRolePermissionsBoundary")
	done(c.TagUser(ctx, &iam.TagUserInput{UserName: u, Tags: tags}))("TagUser")
	done(c.TagRole(ctx, &iam.TagRoleInput{RoleName: r,
		Tags: []types.Tag{{Key: aws.String("More"), Value: aws.String("")}}}))("TagRole")
	done(c.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: arn, Tags: tags}))("TagPolicy")
	done(c.CreatePolicyVersion(ctx,
		&iam.CreatePolicyVersionInput{PolicyArn: arn,
			PolicyDocument: allowing("iam:Get*", "*", "")}))("CreatePolicyVersion")
	done(c.SetDefaultPolicyVersion(ctx,
		&iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}))("SetDefaultPolicyVersion")

	conflict := func(text string) func(any, error) {
		return func(_ any, err error) { t.Helper(); wantCode(t, err, "DeleteConflict", text) }
	}
	conflict("attached to entities")(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
	conflict("detach all policies")(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: r}))
	done(c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: r, PolicyArn: arn}))("DetachRolePolicy")
	conflict("delete policies first")(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: r}))
	done(c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: r, PolicyName: p}))("DeleteRolePolicy")
	done(c.UntagRole(ctx, &iam.UntagRoleInput{RoleName: r, TagKeys: []string{"team"}}))("UntagRole")
	done(c.DeleteRolePermissionsBoundary(ctx,
		&iam.DeleteRolePermissionsBoundaryInput{RoleName: r}))("DeleteRolePermissionsBoundary")
	done(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: r}))("DeleteRole")
	conflict("remove users from group")(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: g}))
	done(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: g, UserName: u}))("RemoveUserFromGroup")
	conflict("detach all policies")(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: g}))
	done(c.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: g, PolicyArn: arn}))("DetachGroupPolicy")
	conflict("delete policies first")(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: g}))
	done(c.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: g, PolicyName: p}))("DeleteGroupPolicy")
	done(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: g}))("DeleteGroup")
	done(c.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: u}))("DeleteLoginProfile")
	done(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: u, AccessKeyId: key}))("DeleteAccessKey")
	done(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: u, PolicyArn: readOnly}))("DetachUserPolicy")
	done(c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: u, PolicyName: p}))("DeleteUserPolicy")
	done(c.PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: u, PermissionsBoundary: arn}))("PutUserPermissionsBoundary")
	conflict("attached to entities")(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
	done(c.DeleteUserPermissionsBoundary(ctx,
		&iam.DeleteUserPermissionsBoundaryInput{UserName: u}))("DeleteUserPermissionsBoundary")
	done(c.UntagUser(ctx, &iam.UntagUserInput{UserName: u, TagKeys: []string{"Team"}}))("UntagUser")
	done(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: u}))("DeleteUser")
	conflict("more than one version")(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))
	done(c.DeletePolicyVersion(ctx,
		&iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")}))("DeletePolicyVersion")
	done(c.UntagPolicy(ctx, &iam.UntagPolicyInput{PolicyArn: arn, TagKeys: []string{"Team"}}))("UntagPolicy")
	done(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn}))("DeletePolicy")
	done(c.DeleteAccountAlias(ctx,
		&iam.DeleteAccountAliasInput{AccountAlias: aws.String("first-account")}))("DeleteAccountAlias")

	// What is gone leaves nothing behind: the two accounts alone remain.
	left := 0
	for _, b := range []storage.Bucket{accountBucket, entityBucket} {
		if err := store.Range(b, func(_, _ []byte) error { left++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if left != 2 {
		t.Fatalf("%d records are left in the store", left)
	}
}

func TestMissingNamesAndLimits(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	w.user(account1, "alice")
	long := aws.String(strings.Repeat("x", 1001))
	var many []types.Tag
	for i := range 51 {
		many = append(many, types.Tag{Key: aws.String(fmt.Sprint(i)), Value: aws.String("")})
	}
	empty := aws.String("")
	for name, x := range map[string]struct {
		code string
		err  error
	}{
		"empty user name":      {"ValidationError", second(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: empty}))},
		"empty group name":     {"ValidationError", second(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: empty}))},
		"long description":     {"ValidationError", second(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: allowing("iam:Get*", "*", ""), Description: long}))},
		"long role text":       {"ValidationError", second(c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("p"), AssumeRolePolicyDocument: trusting(account1), Description: long}))},
		"too many tags":        {"ValidationError", second(c.TagUser(ctx, &iam.TagUserInput{UserName: aws.String("alice"), Tags: many}))},
		"tag of AWS":           {"InvalidInput", second(c.TagUser(ctx, &iam.TagUserInput{UserName: aws.String("alice"), Tags: []types.Tag{{Key: aws.String("aws:x"), Value: empty}}}))},
		"page of nothing":      {"ValidationError", second(c.ListUsers(ctx, &iam.ListUsersInput{MaxItems: aws.Int32(0)}))},
		"page too long":        {"ValidationError", second(c.ListUsers(ctx, &iam.ListUsersInput{MaxItems: aws.Int32(1001)}))},
		"boundary of no one":   {"NoSuchEntity", second(c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/None")}))},
		"no boundary":          {"NoSuchEntity", second(c.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: aws.String("alice")}))},
		"policy of 2 KB":       {"LimitExceeded", second(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("p"), PolicyDocument: allowing("iam:"+strings.Repeat("x", 2048), "*", "")}))},
		"not attached":         {"NoSuchEntity", second(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: aws.String("alice"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))},
		"no such inline":       {"NoSuchEntity", second(c.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: aws.String("alice"), PolicyName: aws.String("p")}))},
		"alias of another":     {"NoSuchEntity", second(c.DeleteAccountAlias(ctx, &iam.DeleteAccountAliasInput{AccountAlias: aws.String("other")}))},
		"no such policy":       {"NoSuchEntity", second(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::111122223333:policy/none")}))},
		"policy with no limit": {"NoSuchEntity", second(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess"), VersionId: aws.String("v99")}))},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, x.err, x.code, "") })
	}
}

func second[T any](_ T, err error) error { return err }

// A form with more parameters than any client sends is refused before it is
// looked at; a long one is read as it stands, to the last member of its longest
// list.
func TestLongForms(t *testing.T) {
	w := newWorld(t, nil)
	w.user(account1, "alice")
	_, caller, err := w.service.Credentials("AKIAROOT"+account1, "")
	if err != nil {
		t.Fatal(err)
	}
	serve := func(n int) (shown map[string]any, err error) {
		form := url.Values{"PolicySourceArn": {"arn:aws:iam::111122223333:user/alice"},
			"ActionNames.member.1": {"iam:GetUser"}}
		for i := 1; i <= 200; i++ {
			form.Set(fmt.Sprintf("ContextEntries.member.%d.ContextKeyName", i), fmt.Sprintf("aws:PrincipalTag/%d", i))
			for j := 1; j <= 20; j++ {
				form.Set(fmt.Sprintf("ContextEntries.member.%d.ContextKeyValues.member.%d", i, j), "v")
			}
		}
		for i := len(form); i < n; i++ {
			form.Set(fmt.Sprintf("x%x", i), "")
		}
		c := &request.Call{Service: "iam", Operation: "SimulatePrincipalPolicy", AccountID: account1, Caller: caller,
			Body: []byte(form.Encode())}
		_, err = w.service.IAM().Serve(t.Context(), c)
		shown, _ = c.Trail.RequestParameters.(map[string]any)
		return shown, err
	}
	shown, err := serve(0)
	if err != nil {
		t.Fatal(err)
	}
	entries := shown["contextEntries"].([]any)
	if last := entries[len(entries)-1].(map[string]any); len(entries) != 200 ||
		len(last["contextKeyValues"].([]any)) != 20 {
		t.Fatalf("%d entries, the last is %v", len(entries), last)
	}
	for n, code := range map[int]string{9_900: "ValidationError", 20_000: "MalformedQueryString"} {
		_, err = serve(n)
		var e *request.Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%d parameters: got %v, want %s", n, err, code)
		}
	}
}

// Many clients at once, for the race detector and for lost changes.
func TestManyClientsAtOnce(t *testing.T) {
	store := storagetest.NewRecorder()
	w := newWorld(t, store)
	ctx, c := t.Context(), w.iam(w.root(account1))
	must(t)(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("g")}))
	must(t)(c.CreatePolicy(ctx,
		&iam.CreatePolicyInput{PolicyName: aws.String("own"), PolicyDocument: allowing("iam:*", "*", "")}))
	arn := aws.String("arn:aws:iam::111122223333:policy/own")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := aws.String(fmt.Sprintf("u%d", i))
			for range 5 {
				try := func(_ any, err error) {
					if err != nil {
						t.Error(err)
					}
				}
				try(c.CreateUser(ctx, &iam.CreateUserInput{UserName: name}))
				key, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
				if err != nil {
					t.Error(err)
					return
				}
				me := w.iam(aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId})
				try(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: arn}))
				try(me.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("g"), UserName: name}))
				try(me.TagUser(ctx, &iam.TagUserInput{UserName: name,
					Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}))
				try(me.GetGroup(ctx, &iam.GetGroupInput{GroupName: aws.String("g")}))
				try(me.ListUsers(ctx, nil))
				try(me.UpdateUser(ctx, &iam.UpdateUserInput{UserName: name, NewPath: aws.String("/x/")}))
				try(me.SimulatePrincipalPolicy(ctx,
					&iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111122223333:user/x/" +
						*name), ActionNames: []string{"iam:GetUser"}}))
				try(me.RemoveUserFromGroup(ctx,
					&iam.RemoveUserFromGroupInput{GroupName: aws.String("g"), UserName: name}))
				w.service.Used(*key.AccessKey.AccessKeyId, "iam", "us-east-1")
				try(me.GetAccessKeyLastUsed(ctx,
					&iam.GetAccessKeyLastUsedInput{AccessKeyId: key.AccessKey.AccessKeyId}))
				try(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: name, PolicyArn: arn}))
				try(c.DeleteAccessKey(ctx,
					&iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: key.AccessKey.AccessKeyId}))
				try(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name}))
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(w.everything(), w.restart(store).everything()); diff != "" {
		t.Fatal(diff)
	}
}

// BenchmarkCreateUser makes users in an account that is nearly full, over the
// file store: every change waits for the disk.
func BenchmarkCreateUser(b *testing.B) {
	store, err := storage.Open(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	}()
	s, err := New(Config{Store: store})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.AddAccount(account1, "AKIAROOT", "secret"); err != nil {
		b.Fatal(err)
	}
	_, caller, err := s.Credentials("AKIAROOT", "")
	if err != nil {
		b.Fatal(err)
	}
	create := func(i int) {
		c := &request.Call{Service: "iam", Operation: "CreateUser", AccountID: account1, Caller: caller,
			Body: fmt.Appendf(nil, "Action=CreateUser&UserName=user-%d", i)}
		if _, err := s.IAM().Serve(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	a := s.accounts[account1]
	for i := range maxUsers - 500 {
		name := fmt.Sprintf("user-%d", -i)
		a.Users[name] = &user{entity: entity{Name: name, Path: "/", ID: identifier.New("AIDA"),
			ARN: userKind.arn(account1, "/", name)},
			Keys: []*accessKey{{ID: identifier.NewAccessKey("AKIA"), Secret: identifier.NewSecret()}}}
	}
	i := 0
	for b.Loop() {
		create(i + 1)
		i++
		if i == 499 {
			b.StopTimer()
			for ; i > 0; i-- {
				delete(a.Users, fmt.Sprintf("user-%d", i))
			}
			b.StartTimer()
		}
	}
}

func policyARNs(arns ...string) (out []ststypes.PolicyDescriptorType) {
	for _, arn := range arns {
		out = append(out, ststypes.PolicyDescriptorType{Arn: &arn})
	}
	return out
}
