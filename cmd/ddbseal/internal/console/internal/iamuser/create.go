// SPDX-License-Identifier: Apache-2.0

package iamuser

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/internal/awsmessage"
)

// New describes a user to create.
type New struct {
	Name     string
	Password string // for the console, without a reset at the first sign-in; empty for none
	Policy   string // ARN of the managed policy to attach; empty for none
}

// Policies that AWS retires and replaces.
const (
	fullAccess   = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
	fullAccessV2 = fullAccess + "_v2"
)

// Create creates the user with password and policy, or nothing: if a later call
// fails, it removes what the earlier ones made. It returns the ARN of the policy
// that it attached, which is the successor where AWS no longer attaches
// AmazonDynamoDBFullAccess. The error wraps IAM's, such as a
// *types.EntityAlreadyExistsException, and says so if something is left over.
func Create(ctx context.Context, client *iam.Client, n New) (policy string, err error) {
	if _, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: &n.Name}); err != nil {
		return "", err
	}
	made := User{Name: n.Name}
	err = func() error {
		if n.Password != "" {
			if err := SetPassword(ctx, client, n.Name, n.Password); err != nil {
				return err
			}
			made.Console = true
		}
		if n.Policy == "" {
			return nil
		}
		policy, err = Attach(ctx, client, n.Name, n.Policy)
		return err
	}()
	if err == nil {
		return policy, nil
	}
	if left := Delete(context.WithoutCancel(ctx), client, &made); left != nil {
		return "", errors.Join(err, fmt.Errorf("the user %s was created and could not be removed again: %w", n.Name,
			left))
	}
	return "", err
}

// SetPassword gives the user a password for the console, which needs no change
// at the first sign-in. It returns IAM's error.
func SetPassword(ctx context.Context, client *iam.Client, name, password string) error {
	_, err := client.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: &name, Password: &password})
	var exists *types.EntityAlreadyExistsException
	if errors.As(err, &exists) {
		_, err = client.UpdateLoginProfile(ctx, &iam.UpdateLoginProfileInput{UserName: &name, Password: &password,
			PasswordResetRequired: aws.Bool(false)})
	}
	return err
}

// Attach attaches a managed policy and returns the ARN of the one attached. It
// returns IAM's error.
func Attach(ctx context.Context, client *iam.Client, name, policy string) (string, error) {
	attach := func(policy string) error {
		_, err := client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: &policy})
		return err
	}
	err := attach(policy)
	var refused *types.PolicyNotAttachableException
	if policy == fullAccess && (awsmessage.PolicyMissing(err) || errors.As(err, &refused)) {
		policy = fullAccessV2
		err = attach(policy)
	}
	return policy, err
}
