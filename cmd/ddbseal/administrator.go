package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

const (
	administratorName   = "nextwork-admin"
	administratorPolicy = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// makeAdministrator makes, as root of the embedded AWS, the IAM user who runs
// the lab, with a new access key: a lab run as root would show less.
func makeAdministrator(ctx context.Context, server *localaws.Server) (aws.Credentials, error) {
	client := iam.NewFromConfig(server.Config(server.RootCredentials()))
	name := aws.String(administratorName)
	_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: name, Tags: []types.Tag{{Key: aws.String(labsetup.Tag), Value: aws.String(labsetup.TagValue)}}})
	var exists *types.EntityAlreadyExistsException
	if errors.As(err, &exists) {
		if err := takeKeys(ctx, client); err != nil {
			return aws.Credentials{}, err
		}
	} else if err != nil {
		return aws.Credentials{}, err
	}
	if _, err := client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: aws.String(administratorPolicy)}); err != nil {
		return aws.Credentials{}, err
	}
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{AccessKeyID: aws.ToString(key.AccessKey.AccessKeyId), SecretAccessKey: aws.ToString(key.AccessKey.SecretAccessKey)}, nil
}

// takeKeys takes the administrator's access keys away, whose secrets are lost,
// after making sure that the user is this command's own.
func takeKeys(ctx context.Context, client *iam.Client) error {
	name := aws.String(administratorName)
	tags, err := client.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: name})
	if err != nil {
		return err
	}
	ours := false
	for _, t := range tags.Tags {
		ours = ours || aws.ToString(t.Key) == labsetup.Tag && aws.ToString(t.Value) == labsetup.TagValue
	}
	if !ours {
		return fmt.Errorf("user %s exists, but was not made by this command: rename it, or use another --data-dir", administratorName)
	}
	keys, err := client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: name})
	if err != nil {
		return err
	}
	for _, k := range keys.AccessKeyMetadata {
		if _, err := client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: k.AccessKeyId}); err != nil {
			return err
		}
	}
	return nil
}

// removeAdministrator undoes makeAdministrator; a missing user is fine.
func removeAdministrator(ctx context.Context, server *localaws.Server) error {
	client := iam.NewFromConfig(server.Config(server.RootCredentials()))
	name := aws.String(administratorName)
	var missing *types.NoSuchEntityException
	if err := takeKeys(ctx, client); errors.As(err, &missing) {
		return nil
	} else if err != nil {
		return err
	}
	if _, err := client.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: name, PolicyArn: aws.String(administratorPolicy)}); err != nil && !errors.As(err, &missing) {
		return err
	}
	_, err := client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
	return err
}
