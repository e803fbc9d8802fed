// SPDX-License-Identifier: Apache-2.0

// Package iamuser creates, describes and deletes IAM users as the console does:
// all of a user or nothing, and what must go first in the order that IAM needs.
// Every call is made by the client that the caller passes.
package iamuser

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
)

// User is what IAM knows about a user.
type User struct {
	Name, ARN string
	Created   time.Time
	Console   bool // has a password for the console
	Keys      []Key
	Attached  []Policy
	Inline    []string // names of policies
	Groups    []string
	MFA       []string // serial numbers
}

// Key is an access key without its secret.
type Key struct {
	ID      string
	Active  bool
	Created time.Time
}

// Policy is a managed policy.
type Policy struct{ Name, ARN string }

// List returns all users by name, without what only Read tells. It returns
// IAM's error.
func List(ctx context.Context, client *iam.Client) ([]User, error) {
	var out []User
	for p := iam.NewListUsersPaginator(client, &iam.ListUsersInput{}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, u := range page.Users {
			out = append(out, of(&u))
		}
	}
	return out, nil
}

func of(u *types.User) User {
	return User{Name: aws.ToString(u.UserName), ARN: aws.ToString(u.Arn), Created: aws.ToTime(u.CreateDate)}
}

// Read returns a user with everything that must go before the user can be
// deleted. It returns IAM's error, a *types.NoSuchEntityException if there is no
// user of that name.
func Read(ctx context.Context, client *iam.Client, name string) (User, error) {
	found, err := client.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	if err != nil {
		return User{}, err
	}
	u := of(found.User)
	_, err = client.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &name})
	if u.Console = err == nil; err != nil && !missing(err) {
		return User{}, err
	}
	for p := iam.NewListAccessKeysPaginator(client, &iam.ListAccessKeysInput{UserName: &name}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return User{}, err
		}
		for _, k := range page.AccessKeyMetadata {
			u.Keys = append(u.Keys, Key{aws.ToString(k.AccessKeyId), k.Status == types.StatusTypeActive,
				aws.ToTime(k.CreateDate)})
		}
	}
	for p := iam.NewListAttachedUserPoliciesPaginator(client,
		&iam.ListAttachedUserPoliciesInput{UserName: &name}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return User{}, err
		}
		for _, a := range page.AttachedPolicies {
			u.Attached = append(u.Attached, Policy{aws.ToString(a.PolicyName), aws.ToString(a.PolicyArn)})
		}
	}
	for p := iam.NewListUserPoliciesPaginator(client, &iam.ListUserPoliciesInput{UserName: &name}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return User{}, err
		}
		u.Inline = append(u.Inline, page.PolicyNames...)
	}
	for p := iam.NewListGroupsForUserPaginator(client,
		&iam.ListGroupsForUserInput{UserName: &name}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return User{}, err
		}
		for _, g := range page.Groups {
			u.Groups = append(u.Groups, aws.ToString(g.GroupName))
		}
	}
	for p := iam.NewListMFADevicesPaginator(client, &iam.ListMFADevicesInput{UserName: &name}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if unsupported(err) {
			break
		}
		if err != nil {
			return User{}, err
		}
		for _, d := range page.MFADevices {
			u.MFA = append(u.MFA, aws.ToString(d.SerialNumber))
		}
	}
	return u, nil
}

// missing reports whether IAM says that the entity does not exist.
func missing(err error) bool {
	var absent *types.NoSuchEntityException
	return errors.As(err, &absent)
}

// unsupported reports whether the server does not have the operation, as the
// embedded AWS does not have those of MFA devices.
func unsupported(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) &&
		slices.Contains([]string{"UnsupportedOperation", "InvalidAction"}, api.ErrorCode())
}

// First says in words what must go before the user, in the order in which
// Delete removes it.
func (u *User) First() []string {
	var out []string
	for _, k := range u.Keys {
		out = append(out, "access key "+k.ID)
	}
	for _, p := range u.Attached {
		out = append(out, "attachment of the policy "+p.Name)
	}
	for _, p := range u.Inline {
		out = append(out, "inline policy "+p)
	}
	for _, g := range u.Groups {
		out = append(out, "membership in the group "+g)
	}
	if u.Console {
		out = append(out, "console password")
	}
	for _, m := range u.MFA {
		out = append(out, "MFA device "+m)
	}
	return out
}

// Delete removes what must go first and then the user. It stops at the first
// failure and returns it wrapped; what was removed until then stays removed.
// What has gone meanwhile is not a failure.
func Delete(ctx context.Context, client *iam.Client, u *User) error {
	name := &u.Name
	try := func(what string, err error) error {
		if err == nil || missing(err) {
			return nil
		}
		return fmt.Errorf("delete the %s: %w", what, err)
	}
	var steps []func() error
	add := func(what string, call func() error) {
		steps = append(steps, func() error { return try(what, call()) })
	}
	for _, k := range u.Keys {
		add("access key "+k.ID, func() error {
			_, err := client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: &k.ID})
			return err
		})
	}
	for _, p := range u.Attached {
		add("attachment of the policy "+p.Name, func() error {
			_, err := client.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: name, PolicyArn: &p.ARN})
			return err
		})
	}
	for _, p := range u.Inline {
		add("inline policy "+p, func() error {
			_, err := client.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: &p})
			return err
		})
	}
	for _, g := range u.Groups {
		add("membership in the group "+g, func() error {
			_, err := client.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: name, GroupName: &g})
			return err
		})
	}
	if u.Console {
		add("console password", func() error {
			_, err := client.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: name})
			return err
		})
	}
	for _, m := range u.MFA {
		add("MFA device "+m, func() error {
			_, err := client.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: name, SerialNumber: &m})
			if (err == nil || missing(err)) && strings.HasPrefix(m, "arn:") { // a virtual one
				_, err = client.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &m})
			}
			return err
		})
	}
	add("user", func() error {
		_, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
		return err
	})
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
