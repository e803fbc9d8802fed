// SPDX-License-Identifier: Apache-2.0

package labsetup_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/store"
)

func TestGiveAndWithdraw(t *testing.T) {
	w := newWorld(t)
	var user aws.Config
	r := w.passes(t, w.lab(t, func(cfg *labsetup.Config) {
		cfg.Keys = func(_ string, c aws.Credentials) error { user = w.as(c); return nil }
	}).Up)
	policy := func() string {
		out, err := kms.NewFromConfig(w.admin).GetKeyPolicy(t.Context(),
			&kms.GetKeyPolicyInput{KeyId: aws.String(r.KeyARN)})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.Policy)
	}
	opens := func(mode string) bool {
		t.Helper()
		table, err := labsetup.OpenTable(user, r.KeyARN, mode)
		if err != nil {
			t.Fatal(err)
		}
		_, err = table.Get(t.Context(), store.Key{Partition: "1"})
		if err != nil && mode != labsetup.ModeServer && !errors.Is(err, envelope.ErrKeyDenied) {
			t.Fatal(err)
		}
		return err == nil
	}
	before := policy()
	lab := w.lab(t, same)
	for _, way := range labsetup.Ways() {
		if opens(labsetup.ModeServer) || opens(labsetup.ModeClient) {
			t.Fatalf("the user can read before %s", way)
		}
		for i, want := range []bool{true, false} {
			changed, err := lab.Give(t.Context(), labsetup.UserName, way)
			if err != nil || changed != want {
				t.Fatalf("%s, time %d: %v, %v", way, i+1, changed, err)
			}
		}
		// The grant is for any context, so all three open everything that
		// DynamoDB does not refuse.
		if !opens(labsetup.ModeServer) || !opens(labsetup.ModeClient) {
			t.Errorf("the user cannot read with %s", way)
		}
		for _, want := range [][]labsetup.Way{{way}, nil} {
			changed, err := lab.Withdraw(t.Context(), labsetup.UserName, labsetup.Ways()...)
			if err != nil || !slices.Equal(changed, want) {
				t.Fatalf("withdraw %s: %q, %v", way, changed, err)
			}
		}
	}
	if opens(labsetup.ModeServer) || policy() != before {
		t.Errorf("withdrawing left a trace:\n%s", policy())
	}
}

func TestGiveRefuses(t *testing.T) {
	w := newWorld(t)
	lab := w.lab(t, same)
	if _, err := lab.Give(t.Context(), labsetup.UserName, labsetup.WayGrant); !errors.Is(err, labsetup.ErrNoKey) {
		t.Error("without a key:", err)
	}
	r := w.up(t)
	for _, way := range labsetup.Ways() {
		if _, err := lab.Give(t.Context(), "arn:aws:iam::111122223333:user/missing", way); !errors.Is(err,
			labsetup.ErrUnknownPrincipal) {
			t.Errorf("%s: %v", way, err)
		}
	}
	if _, err := lab.Give(t.Context(), "missing", labsetup.WayGrant); !errors.Is(err,
		labsetup.ErrUnknownPrincipal) {
		t.Error("unknown user:", err)
	}
	if _, err := lab.Give(t.Context(), labsetup.UserName, "bribe"); err == nil {
		t.Error("unknown way accepted")
	}
	if _, err := labsetup.OpenTable(w.admin, r.KeyARN, "sideways"); err == nil {
		t.Error("unknown mode accepted")
	}
	_, err := kms.NewFromConfig(w.admin).PutKeyPolicy(t.Context(),
		&kms.PutKeyPolicyInput{KeyId: aws.String(r.KeyARN), Policy: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Sid":"mine","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` +
				w.server.AccountID() + `:root"},"Action":"kms:*","Resource":"*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lab.Give(t.Context(), labsetup.UserName, labsetup.WayKeyUser); !errors.Is(err,
		labsetup.ErrPolicyShape) {
		t.Error("a policy of another shape:", err)
	}
}

// TestGiveKeepsTheRest: a policy written by hand has its own layout and a
// condition of its author's afterwards, and loses only a user who was deleted.
func TestGiveKeepsTheRest(t *testing.T) {
	w := newWorld(t)
	r := w.up(t)
	client, ctx := kms.NewFromConfig(w.admin), t.Context()
	account := "arn:aws:iam::" + w.server.AccountID()
	people := iam.NewFromConfig(w.admin)
	gone, err := people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("gone")})
	if err != nil {
		t.Fatal(err)
	}
	mine := func(extra, users string) string {
		return `{ "Statement":[{"Action" :"kms:*", "Sid":"mine","Effect":"Allow","Principal":{"AWS":"` + account +
			`:root"},"Resource":"*"},
	{"Effect":"Deny","Principal":"*","NotAction":["kms:*" ],"Resource":"*"},` + extra + `
	{"Sid":"Allow one user to decrypt","Effect":"Allow","Principal":{"AWS":` + users + `},"Action":"kms:Decrypt","Resource":"*",
	 "Condition":{"StringEquals":{"kms:CallerAccount":"` + w.server.AccountID() + `"}}}]}`
	}
	dead := `{"Effect":"Deny","Principal":{"AWS":"` + aws.ToString(gone.User.Arn) +
		`"},"Action":"kms:Decrypt","Resource":"*"},`
	if _, err := client.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &r.KeyARN,
		Policy: aws.String(mine(dead, `"`+account+`:root"`))}); err != nil {
		t.Fatal(err)
	}
	if _, err := people.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("gone")}); err != nil {
		t.Fatal(err)
	}
	policy := func() string {
		out, err := client.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &r.KeyARN})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.Policy)
	}
	lab := w.lab(t, same)
	if changed, err := lab.Give(ctx, labsetup.UserName, labsetup.WayStatement); err != nil || !changed {
		t.Fatal(changed, err)
	}
	if want := mine("", `["`+account+`:root", "`+account+`:user/`+labsetup.UserName+`"]`); policy() != want {
		t.Errorf("%s\nis not\n%s", policy(), want)
	}
	if changed, err := lab.Withdraw(ctx, labsetup.UserName, labsetup.WayStatement); err != nil || len(changed) != 1 {
		t.Fatal(changed, err)
	}
	if want := mine("", `"`+account+`:root"`); policy() != want {
		t.Errorf("%s\nis not\n%s", policy(), want)
	}
}
