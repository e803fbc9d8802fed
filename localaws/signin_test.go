// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws"
)

func TestSignIn(t *testing.T) {
	s, err := localaws.New(localaws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	root, err := s.SignInRoot(s.RootCredentials().SecretAccessKey)
	if err != nil {
		t.Fatal(err)
	}
	people := iam.NewFromConfig(s.Config(root)) // a console session of root calls IAM
	if _, err := people.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}); err != nil {
		t.Fatal(err)
	}
	if _, err := people.CreateLoginProfile(t.Context(),
		&iam.CreateLoginProfileInput{UserName: aws.String("ann"), Password: aws.String("Correct-horse-1"),
			PasswordResetRequired: true}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ account, user, password string }{
		{s.AccountID(), "ann", "wrong"}, {s.AccountID(), "ann", ""}, {s.AccountID(), "missing", "Correct-horse-1"}, {"999999999999", "ann", "Correct-horse-1"}, {s.AccountID(), "", ""},
	} {
		if _, _, err := s.SignIn(c.account, c.user, c.password); !errors.Is(err, localaws.ErrSignIn) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := s.SignInRoot(""); !errors.Is(err, localaws.ErrSignIn) {
		t.Errorf("root without a secret: %v", err)
	}
	ann, mustChange, err := s.SignIn(s.AccountID(), "ann", "Correct-horse-1")
	if err != nil || !mustChange {
		t.Fatalf("must change %v, %v", mustChange, err)
	}
	who, err := sts.NewFromConfig(s.Config(ann)).GetCallerIdentity(t.Context(), nil)
	if err != nil || aws.ToString(who.Arn) != "arn:aws:iam::"+s.AccountID()+":user/ann" {
		t.Fatalf("%v, %v", aws.ToString(who.Arn), err)
	}
	// The session has the user's power, which is none, over IAM too.
	if _, err := iam.NewFromConfig(s.Config(ann)).ListUsers(t.Context(), nil); err == nil || !isDenied(err) {
		t.Errorf("a user without rights lists users: %v", err)
	}
	// A session ends with its user.
	if _, err := people.DeleteLoginProfile(t.Context(),
		&iam.DeleteLoginProfileInput{UserName: aws.String("ann")}); err != nil {
		t.Fatal(err)
	}
	if _, err := people.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("ann")}); err != nil {
		t.Fatal(err)
	}
	if _, err := sts.NewFromConfig(s.Config(ann)).GetCallerIdentity(t.Context(), nil); err == nil {
		t.Error("the session of a deleted user goes on")
	}
}

func isDenied(err error) bool {
	var api interface{ ErrorCode() string }
	return errors.As(err, &api) && api.ErrorCode() == "AccessDenied"
}

func TestDiskView(t *testing.T) {
	s, err := localaws.New(localaws.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client := dynamodb.NewFromConfig(s.Config(s.RootCredentials()))
	if _, err := client.CreateTable(t.Context(),
		&dynamodb.CreateTableInput{TableName: aws.String("letters"), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
				AttributeType: types.ScalarAttributeTypeS}},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"),
				KeyType: types.KeyTypeHash}}}); err != nil {
		t.Fatal(err)
	}
	key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}}
	if _, err := client.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: aws.String("letters"), Item: key}); err != nil {
		t.Fatal(err)
	}
	v, err := s.DiskView(t.Context(), "letters", key)
	if err != nil || !v.Stored || len(v.Sealed) <= 28 || len(v.Key) != 64 {
		t.Fatalf("%+v, %v", v, err)
	}
	missing := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "2"}}
	if _, err := s.DiskView(t.Context(), "letters", missing); !errors.Is(err, localaws.ErrNoDiskView) {
		t.Errorf("missing item: %v", err)
	}
	if _, err := s.DiskView(t.Context(), "none", key); !errors.Is(err, localaws.ErrNoDiskView) {
		t.Errorf("missing table: %v", err)
	}
}
