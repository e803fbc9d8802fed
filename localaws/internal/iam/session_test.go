// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	tokens "github.com/ddbseal/ddbseal/localaws/internal/sts"
)

func TestAssumeRole(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	alice := w.user(account1, "alice")
	c := w.iam(w.root(account1))
	trust := func(principal string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal +
			`"},"Action":"sts:AssumeRole"}]}`)
	}
	_, err := c.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("reader"),
			AssumeRolePolicyDocument: trust("arn:aws:iam::111122223333:user/missing")})
	wantCode(t, err, "MalformedPolicyDocument", "Invalid principal in policy")
	role, err := c.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("reader"),
			AssumeRolePolicyDocument: trust("arn:aws:iam::111122223333:user/alice")})
	if err != nil {
		t.Fatal(err)
	}
	must(t)(c.AttachRolePolicy(ctx,
		&iam.AttachRolePolicyInput{RoleName: aws.String("reader"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}))
	in := &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("visit")}
	out, err := w.sts(alice).AssumeRole(ctx, in)
	if err != nil {
		t.Fatal(err) // the trust policy names her: no identity policy is needed
	}
	session := aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId,
		SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	who, err := w.sts(session).GetCallerIdentity(ctx, nil)
	if err != nil || *who.Arn != "arn:aws:sts::111122223333:assumed-role/reader/visit" ||
		*who.UserId != *role.Role.RoleId+":visit" {
		t.Fatalf("%v %v", who, err)
	}
	must(t)(w.iam(session).ListUsers(ctx, nil))
	_, err = w.iam(session).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("mallory")})
	wantCode(t, err, "AccessDenied", "arn:aws:sts::111122223333:assumed-role/reader/visit is not authorized")

	in.Policy = aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}`)
	out, err = w.sts(alice).AssumeRole(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	narrow := aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId,
		SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}
	must(t)(w.iam(narrow).GetUser(ctx, &iam.GetUserInput{UserName: aws.String("alice")}))
	_, err = w.iam(narrow).ListUsers(ctx, nil)
	wantCode(t, err, "AccessDenied", "because no session policy allows the iam:ListUsers action")

	// Another account's user needs a statement of its own account too.
	bob := w.user(account2, "bob")
	must(t)(c.UpdateAssumeRolePolicy(ctx,
		&iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("reader"), PolicyDocument: trust(account2)}))
	in.Policy = nil
	_, err = w.sts(bob).AssumeRole(ctx, in)
	wantCode(t, err, "AccessDenied", "sts:AssumeRole")
	must(t)(w.iam(w.root(account2)).PutUserPolicy(ctx,
		&iam.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("p"),
			PolicyDocument: aws.String(
				`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`)}))
	must(t)(w.sts(bob).AssumeRole(ctx, in))
	_, err = w.sts(alice).AssumeRole(ctx, in)
	wantCode(t, err, "AccessDenied", "sts:AssumeRole")
	_, err = w.sts(w.root(account1)).AssumeRole(ctx, in)
	wantCode(t, err, "AccessDenied", "Roles may not be assumed by root accounts.")

	// Sessions end with their time.
	w.pass(time.Hour)
	if _, _, err := w.service.Credentials(session.AccessKeyID, session.SessionToken); !errors.Is(err, ErrExpiredToken) {
		t.Fatalf("expired session: %v", err)
	}
	// And they end with their role.
	must(t)(c.UpdateAssumeRolePolicy(ctx,
		&iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("reader"),
			PolicyDocument: trust("arn:aws:iam::111122223333:user/alice")}))
	if out, err = w.sts(alice).AssumeRole(ctx, in); err != nil {
		t.Fatal(err)
	}
	must(t)(c.DetachRolePolicy(ctx,
		&iam.DetachRolePolicyInput{RoleName: aws.String("reader"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}))
	must(t)(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("reader")}))
	if _, _, err := w.service.Credentials(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken); !errors.Is(err,
		ErrInvalidToken) {
		t.Fatalf("session of a deleted role: %v", err)
	}
	must(t)(c.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("reader"),
			AssumeRolePolicyDocument: trust("arn:aws:iam::111122223333:user/alice")}))
	if _, _, err := w.service.Credentials(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken); !errors.Is(err,
		ErrInvalidToken) {
		t.Fatalf("session of a deleted role, after another took its name: %v", err)
	}
}

func TestSessionTokenIsBound(t *testing.T) {
	w := newWorld(t, nil)
	alice := w.user(account1, "alice")
	out, err := w.sts(alice).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	id, token := *out.Credentials.AccessKeyId, *out.Credentials.SessionToken
	if _, caller, err := w.service.Credentials(id, token); err != nil || caller.UserName != "alice" {
		t.Fatal(caller, err)
	}
	for name, c := range map[string][2]string{
		"other access key":   {"ASIAAAAAAAAAAAAAAAAA", token},
		"long-term key":      {alice.AccessKeyID, token},
		"no token":           {id, ""},
		"flipped token":      {id, flip(token)},
		"not base64":         {id, "***"},
		"oversized token":    {id, strings.Repeat("A", tokens.MaxToken+4)},
		"empty sealed token": {id, "AAAA"},
	} {
		if _, _, err := w.service.Credentials(c[0], c[1]); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = w.iam(aws.Credentials{AccessKeyID: id, SecretAccessKey: "x", SessionToken: token}).GetUser(t.Context(),
		&iam.GetUserInput{})
	wantCode(t, err, "InvalidClientTokenId", "")
}

func flip(s string) string {
	b := []byte(s)
	if b[40] == 'A' {
		b[40] = 'B'
	} else {
		b[40] = 'A'
	}
	return string(b)
}
