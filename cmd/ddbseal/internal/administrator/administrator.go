// SPDX-License-Identifier: Apache-2.0

// Package administrator makes, in an embedded AWS, the IAM user who runs the
// lab: a lab run as root would show less.
package administrator

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// Name is the administrator's.
const Name = "nextwork-admin"

// OtherAccount is the second account of an embedded lab, for key policies that name
// another account.
const OtherAccount = "444455556666"

const policyARN = "arn:aws:iam::aws:policy/AdministratorAccess"

// ErrNotOurs means that somebody else's user has the name.
var ErrNotOurs = errors.New("user " + Name +
	" exists, but was not made by this command: rename it, or use another --data-dir")

// Make makes the administrator, as root, unless there is one. Error:
// [ErrNotOurs], when the user that is there lacks the lab's tag.
func Make(ctx context.Context, server *localaws.Server) error {
	return root(server).make(ctx)
}

// MakeWithKey does the same, and makes a new access key. Earlier ones, whose
// secrets are lost, are deleted.
func MakeWithKey(ctx context.Context, server *localaws.Server) (aws.Credentials, error) {
	a := root(server)
	if err := a.make(ctx); err != nil {
		return aws.Credentials{}, err
	}
	if err := a.deleteKeys(ctx); err != nil {
		return aws.Credentials{}, err
	}
	made, err := a.client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{AccessKeyID: aws.ToString(made.AccessKey.AccessKeyId),
		SecretAccessKey: aws.ToString(made.AccessKey.SecretAccessKey)}, nil
}

// Remove deletes the administrator with its access keys and console password.
// A missing one is fine. Error: [ErrNotOurs].
func Remove(ctx context.Context, server *localaws.Server) error {
	a := root(server)
	err := a.check(ctx)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := a.deleteKeys(ctx); err != nil {
		return err
	}
	if _, err := a.client.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: name}); err != nil &&
		!absent(err) {
		return err
	}
	if _, err := a.client.DetachUserPolicy(ctx,
		&iam.DetachUserPolicyInput{UserName: name, PolicyArn: aws.String(policyARN)}); err != nil && !absent(err) {
		return err
	}
	_, err = a.client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
	return err
}

var name = aws.String(Name)

type account struct{ client *iam.Client }

func root(server *localaws.Server) account {
	return account{iam.NewFromConfig(Config(server, server.RootCredentials()))}
}

// Config returns a configuration for clients of server that sign with c and try
// each call once: nothing that fails inside this process, such as a full disk,
// passes within the seconds that an SDK goes on trying.
func Config(server *localaws.Server, c aws.Credentials) aws.Config {
	cfg := server.Config(c)
	cfg.RetryMaxAttempts = 1
	return cfg
}

func (a account) make(ctx context.Context) error {
	_, err := a.client.CreateUser(ctx,
		&iam.CreateUserInput{UserName: name,
			Tags: []types.Tag{{Key: aws.String(labsetup.Tag), Value: aws.String(labsetup.TagValue)}}})
	var exists *types.EntityAlreadyExistsException
	if errors.As(err, &exists) {
		err = a.check(ctx)
	}
	if err != nil {
		return err
	}
	_, err = a.client.AttachUserPolicy(ctx,
		&iam.AttachUserPolicyInput{UserName: name, PolicyArn: aws.String(policyARN)})
	return err
}

func (a account) check(ctx context.Context) error {
	tags, err := a.client.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: name})
	if err != nil {
		return err
	}
	for _, t := range tags.Tags {
		if aws.ToString(t.Key) == labsetup.Tag && aws.ToString(t.Value) == labsetup.TagValue {
			return nil
		}
	}
	return ErrNotOurs
}

func (a account) deleteKeys(ctx context.Context) error {
	keys, err := a.client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: name})
	if err != nil {
		return err
	}
	for _, k := range keys.AccessKeyMetadata {
		if _, err := a.client.DeleteAccessKey(ctx,
			&iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: k.AccessKeyId}); err != nil {
			return err
		}
	}
	return nil
}

func absent(err error) bool {
	var missing *types.NoSuchEntityException
	return errors.As(err, &missing)
}
