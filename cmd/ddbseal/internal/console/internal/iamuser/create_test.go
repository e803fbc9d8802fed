// SPDX-License-Identifier: Apache-2.0

package iamuser

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// TestCreateAndDelete makes a user with everything that a user can have, and
// deletes the user in the order that IAM needs.
func TestCreateAndDelete(t *testing.T) {
	ctx, server := t.Context(), localawstest.New(t).Server
	client := iam.NewFromConfig(server.Config(server.RootCredentials()))
	policy, err := Create(ctx, client, New{"robin", "Correct-horse-1", fullAccess})
	if err != nil || policy != fullAccess {
		t.Fatal(policy, err)
	}
	if _, mustChange, err := server.SignIn(server.AccountID(), "robin", "Correct-horse-1"); err != nil || mustChange {
		t.Errorf("sign-in: %v, must change the password: %v", err, mustChange)
	}
	var exists *types.EntityAlreadyExistsException
	if _, err := Create(ctx, client, New{Name: "robin"}); !errors.As(err, &exists) {
		t.Errorf("a second user of the name: %v", err)
	}
	name, group := aws.String("robin"), aws.String("readers")
	key, err1 := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	_, err2 := client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("own"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}}`)})
	_, err3 := client.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: group})
	_, err4 := client.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: name, GroupName: group})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	u, err := Read(ctx, client, "robin")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"access key " + *key.AccessKey.AccessKeyId, "attachment of the policy AmazonDynamoDBFullAccess",
		"inline policy own", "membership in the group readers", "console password"}
	if got := u.First(); !slices.Equal(got, want) {
		t.Errorf("to go first: %q", got)
	}
	bare := User{Name: "robin"}
	var conflict *types.DeleteConflictException
	if err := Delete(ctx, client, &bare); !errors.As(err, &conflict) {
		t.Errorf("IAM deleted a user who has something: %v", err)
	}
	if err := Delete(ctx, client, &u); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(ctx, client, "robin"); !missing(err) {
		t.Errorf("the user is still there: %v", err)
	}
	if err := Delete(ctx, client, &u); err != nil {
		t.Errorf("deleting what has gone: %v", err)
	}
}

// TestCreateIsWhole: a refused call leaves no half of a user.
func TestCreateIsWhole(t *testing.T) {
	ctx, server := t.Context(), localawstest.New(t).Server
	client := iam.NewFromConfig(server.Config(server.RootCredentials()))
	for name, n := range map[string]New{
		"password": {"robin", "short", fullAccess},
		"policy":   {"robin", "Correct-horse-1", "arn:aws:iam::aws:policy/NoSuchPolicy"},
	} {
		if _, err := Create(ctx, client, n); err == nil || strings.Contains(err.Error(), "could not be removed") {
			t.Errorf("%s: %v", name, err)
		}
		users, err := List(ctx, client)
		if err != nil || len(users) != 0 {
			t.Errorf("%s: %d users are left, %v", name, len(users), err)
		}
	}
}
