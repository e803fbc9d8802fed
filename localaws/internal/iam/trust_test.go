// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

func trusting(principal string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal +
		`"},"Action":"sts:AssumeRole"}]}`)
}

func allowing(action, resource, condition string) *string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"` +
		resource + `"` + condition + `}]}`)
}

// A trust policy means the user who was there when it was written: one made
// later with the same name must not get the role.
func TestTrustPolicyBindsItsPrincipals(t *testing.T) {
	store := storagetest.NewRecorder()
	w := newWorld(t, store)
	ctx, c := t.Context(), w.iam(w.root(account1))
	alice := w.user(account1, "alice")
	role, err := c.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("reader"),
			AssumeRolePolicyDocument: trusting("arn:aws:iam::111122223333:user/alice")})
	if err != nil {
		t.Fatal(err)
	}
	in := &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("visit")}
	must(t)(w.sts(alice).AssumeRole(ctx, in))
	old, err := c.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("alice")})
	if err != nil {
		t.Fatal(err)
	}
	must(t)(c.DeleteAccessKey(ctx,
		&iam.DeleteAccessKeyInput{UserName: aws.String("alice"), AccessKeyId: &alice.AccessKeyID}))
	must(t)(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("alice")}))
	shown, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("reader")})
	if err != nil || !strings.Contains(*shown.Role.AssumeRolePolicyDocument, *old.User.UserId) {
		t.Fatalf("a deleted user is not shown by id: %v %v", *shown.Role.AssumeRolePolicyDocument, err)
	}
	again := w.user(account1, "alice")
	_, err = w.sts(again).AssumeRole(ctx, in)
	wantCode(t, err, "AccessDenied", "sts:AssumeRole")
	w = w.restart(store)
	_, err = w.sts(again).AssumeRole(ctx, in)
	wantCode(t, err, "AccessDenied", "sts:AssumeRole")
	must(t)(w.iam(w.root(account1)).UpdateAssumeRolePolicy(ctx,
		&iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("reader"),
			PolicyDocument: trusting("arn:aws:iam::111122223333:user/alice")}))
	must(t)(w.sts(again).AssumeRole(ctx, in))
}

// Who may not write trust policies must not find out from them which
// principals exist.
func TestTrustPolicyTellsStrangersNothing(t *testing.T) {
	w := newWorld(t, nil)
	alice := w.user(account1, "alice")
	for _, principal := range []string{"arn:aws:iam::111122223333:user/alice",
		"arn:aws:iam::111122223333:user/missing"} {
		_, err := w.iam(alice).CreateRole(t.Context(),
			&iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: trusting(principal)})
		wantCode(t, err, "AccessDenied", "iam:CreateRole")
		_, err = w.iam(alice).UpdateAssumeRolePolicy(t.Context(),
			&iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("r"), PolicyDocument: trusting(principal)})
		wantCode(t, err, "AccessDenied", "iam:UpdateAssumeRolePolicy")
	}
}

func (w *world) restart(store storage.Store) *world {
	w.t.Helper()
	again := &world{t: w.t, now: w.clock()}
	s, err := New(Config{Clock: again.clock, Store: store})
	if err != nil {
		w.t.Fatal(err)
	}
	again.service = s
	return again
}

func TestAssumeRoleLimits(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	alice := w.user(account1, "alice")
	trust := strings.Replace(*trusting("arn:aws:iam::111122223333:user/alice"), `"sts:AssumeRole"`,
		`"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"42"}}`, 1)
	role, err := c.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("first"), AssumeRolePolicyDocument: &trust,
			MaxSessionDuration: aws.Int32(7200)})
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("second"), AssumeRolePolicyDocument: trusting(*role.Role.Arn),
			MaxSessionDuration: aws.Int32(43200)})
	if err != nil {
		t.Fatal(err)
	}
	assume := func(edit func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
		in := &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("visit"),
			ExternalId: aws.String("42")}
		edit(in)
		return w.sts(alice).AssumeRole(ctx, in)
	}
	for name, x := range map[string]struct {
		code, text string
		edit       func(*sts.AssumeRoleInput)
	}{
		"no external id":         {"AccessDenied", "sts:AssumeRole", func(in *sts.AssumeRoleInput) { in.ExternalId = nil }},
		"wrong external id":      {"AccessDenied", "sts:AssumeRole", func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("43") }},
		"short external id":      {"ValidationError", "externalId", func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("4") }},
		"no role":                {"AccessDenied", "sts:AssumeRole", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::111122223333:role/none") }},
		"no arn":                 {"ValidationError", "is invalid", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("first-role-of-the-account") }},
		"too short":              {"ValidationError", "durationSeconds", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }},
		"over the role's limit":  {"ValidationError", "MaxSessionDuration", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7201) }},
		"unknown session policy": {"MalformedPolicyDocument", "does not exist", func(in *sts.AssumeRoleInput) { in.PolicyArns = policyARNs("arn:aws:iam::111122223333:policy/none") }},
		"malformed policy":       {"MalformedPolicyDocument", "", func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{") }},
		"source identity":        {"UnsupportedOperation", "", func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("alice") }},
		"mfa": {"UnsupportedOperation", "", func(in *sts.AssumeRoleInput) {
			in.SerialNumber, in.TokenCode = aws.String("serial-number"), aws.String("123456")
		}},
	} {
		_, err := assume(x.edit)
		t.Run(name, func(t *testing.T) { wantCode(t, err, x.code, x.text) })
	}
	out, err := assume(func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) })
	if err != nil || out.Credentials.Expiration.Sub(w.clock()).Hours() != 2 {
		t.Fatal(out, err)
	}
	session := aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId,
		SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	chain := &sts.AssumeRoleInput{RoleArn: second.Role.Arn, RoleSessionName: aws.String("again"),
		DurationSeconds: aws.Int32(3601)}
	_, err = w.sts(session).AssumeRole(ctx, chain)
	wantCode(t, err, "ValidationError", "role chaining")
	chain.DurationSeconds = aws.Int32(3600)
	chain.PolicyArns = policyARNs("arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	must(t)(c.AttachRolePolicy(ctx,
		&iam.AttachRolePolicyInput{RoleName: aws.String("second"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	out, err = w.sts(session).AssumeRole(ctx, chain)
	if err != nil {
		t.Fatal(err)
	}
	chained := aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId,
		SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	must(t)(w.iam(chained).ListUsers(ctx, nil))
	_, err = w.iam(chained).DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("alice")})
	wantCode(t, err, "AccessDenied", "no session policy")
	_, err = w.sts(chained).GetSessionToken(ctx, nil)
	wantCode(t, err, "AccessDenied", "session credentials")
	root, err := w.sts(w.root(account1)).GetSessionToken(ctx,
		&sts.GetSessionTokenInput{DurationSeconds: aws.Int32(43200)})
	if err != nil || root.Credentials.Expiration.Sub(w.clock()).Hours() != 1 {
		t.Fatal("root's session lasts longer than an hour", root, err)
	}
}
