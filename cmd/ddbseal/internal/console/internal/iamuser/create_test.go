// SPDX-License-Identifier: Apache-2.0

package iamuser

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go/middleware"

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

// devices answers the calls of MFA devices, which the embedded IAM does not have, and
// passes all others on.
type devices struct{ serials, calls []string }

func (d *devices) answer(ctx context.Context, in middleware.InitializeInput,
	next middleware.InitializeHandler) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	switch call := in.Parameters.(type) {
	default:
		return next.HandleInitialize(ctx, in)
	case *iam.ListMFADevicesInput:
		list := &iam.ListMFADevicesOutput{}
		for _, s := range d.serials {
			list.MFADevices = append(list.MFADevices, types.MFADevice{UserName: call.UserName, SerialNumber: &s})
		}
		out.Result = list
	case *iam.DeactivateMFADeviceInput:
		out.Result, err = &iam.DeactivateMFADeviceOutput{}, d.remove("DeactivateMFADevice", *call.SerialNumber)
	case *iam.DeleteVirtualMFADeviceInput:
		out.Result, err = &iam.DeleteVirtualMFADeviceOutput{}, d.remove("DeleteVirtualMFADevice", *call.SerialNumber)
	}
	return out, metadata, err
}

func (d *devices) remove(action, serial string) error {
	d.calls = append(d.calls, action+" "+serial)
	if !slices.Contains(d.serials, serial) {
		return &types.NoSuchEntityException{Message: aws.String("MFA device does not exist.")}
	}
	return nil
}

// TestDeleteWithDevices: MFA devices go before the user: a virtual one is deleted,
// and a hardware token only leaves the user. One that has gone is not a failure.
func TestDeleteWithDevices(t *testing.T) {
	ctx, server := t.Context(), localawstest.New(t).Server
	virtual, token := "arn:aws:iam::"+server.AccountID()+":mfa/robin", "GAHT12345678"
	mfa := &devices{serials: []string{virtual, token}}
	client := iam.NewFromConfig(server.Config(server.RootCredentials()), iam.WithAPIOptions(
		func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("devices", mfa.answer), middleware.After)
		}))
	if _, err := Create(ctx, client, New{Name: "robin"}); err != nil {
		t.Fatal(err)
	}
	u, err := Read(ctx, client, "robin")
	if err != nil {
		t.Fatal(err)
	}
	if got := u.First(); !slices.Equal(got, []string{"MFA device " + virtual, "MFA device " + token}) {
		t.Errorf("to go first: %q", got)
	}
	mfa.serials = []string{token}
	if err := Delete(ctx, client, &u); err != nil {
		t.Fatal(err)
	}
	want := []string{"DeactivateMFADevice " + virtual, "DeleteVirtualMFADevice " + virtual,
		"DeactivateMFADevice " + token}
	if !slices.Equal(mfa.calls, want) {
		t.Errorf("calls %q, want %q", mfa.calls, want)
	}
	if _, err := Read(ctx, client, "robin"); !missing(err) {
		t.Errorf("the user is still there: %v", err)
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
