// SPDX-License-Identifier: Apache-2.0

package administrator

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

func TestMakeAndRemove(t *testing.T) {
	server := localawstest.New(t).Server
	ctx := t.Context()
	people := iam.NewFromConfig(server.Config(server.RootCredentials()))
	if err := Make(ctx, server); err != nil {
		t.Fatal(err)
	}
	first, err := MakeWithKey(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	second, err := MakeWithKey(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sts.NewFromConfig(server.Config(first)).GetCallerIdentity(ctx, nil); err == nil {
		t.Error("the lost access key still signs")
	}
	// Everything an administrator may do.
	if _, err := iam.NewFromConfig(server.Config(second)).ListUsers(ctx, nil); err != nil {
		t.Error(err)
	}
	// A console password must not stop the removal.
	if _, err := people.CreateLoginProfile(ctx,
		&iam.CreateLoginProfileInput{UserName: name, Password: aws.String("Long-enough-1")}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Remove(ctx, server); err != nil {
			t.Fatal(err)
		}
		if _, err := people.GetUser(ctx, &iam.GetUserInput{UserName: name}); !absent(err) {
			t.Errorf("after removal: %v", err)
		}
	}
}

func TestSomebodyElses(t *testing.T) {
	server := localawstest.New(t).Server
	ctx := t.Context()
	people := iam.NewFromConfig(server.Config(server.RootCredentials()))
	if _, err := people.CreateUser(ctx, &iam.CreateUserInput{UserName: name}); err != nil {
		t.Fatal(err)
	}
	if err := Make(ctx, server); !errors.Is(err, ErrNotOurs) {
		t.Error(err)
	}
	if _, err := MakeWithKey(ctx, server); !errors.Is(err, ErrNotOurs) {
		t.Error(err)
	}
	if err := Remove(ctx, server); !errors.Is(err, ErrNotOurs) {
		t.Error(err)
	}
	if out, err := people.ListAttachedUserPolicies(ctx,
		&iam.ListAttachedUserPoliciesInput{UserName: name}); err != nil || len(out.AttachedPolicies) > 0 {
		t.Error(out, err)
	}
}
