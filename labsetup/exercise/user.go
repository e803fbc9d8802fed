// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// tablesPolicy is the name of the inline policy that gives a user its tables.
const tablesPolicy = "tables"

// allTables are the actions of a user who may do everything with the exercise's
// tables.
var allTables = []string{"dynamodb:*"}

// identityPolicy returns the IAM policy that allows actions on the exercise's
// tables with the names.
func (s *stage) identityPolicy(actions []string, tables ...string) string {
	var arns []string
	for _, t := range tables {
		arns = append(arns, s.tableARN(t))
	}
	text, err := json.MarshalIndent(map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": "Allow", "Action": actions, "Resource": arns}}}, "", "  ")
	if err != nil {
		panic("exercise: " + err.Error()) // strings only
	}
	return string(text)
}

// makeUser creates a user of the exercise, or finds it, with one inline policy and
// no other, and hands over a new access key if the caller wants it.
func (s *stage) makeUser(ctx context.Context, suffix, policy string) error {
	name, client := s.name(suffix), s.iam()
	_, err := client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String(name),
		Tags: []types.Tag{{Key: aws.String(Tag), Value: aws.String(s.id)}}})
	var exists *types.EntityAlreadyExistsException
	switch {
	case errors.As(err, &exists):
		if err := s.checkUserOurs(ctx, name); err != nil {
			return err
		}
		if err := s.dropPolicies(ctx, name); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	if _, err := client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String(name),
		PolicyName: aws.String(tablesPolicy), PolicyDocument: aws.String(policy)}); err != nil {
		return err
	}
	if err := s.dropAccessKeys(ctx, name); err != nil || s.cfg.Keys == nil {
		return err
	}
	key, err := client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(name)})
	if err != nil {
		return err
	}
	if err := s.cfg.Keys(name, credentials(key.AccessKey)); err != nil {
		return fmt.Errorf("keep the access key of %s: %w", name, err)
	}
	return nil
}

func credentials(k *types.AccessKey) aws.Credentials {
	return aws.Credentials{AccessKeyID: aws.ToString(k.AccessKeyId), SecretAccessKey: aws.ToString(k.SecretAccessKey)}
}

func (s *stage) checkUserOurs(ctx context.Context, name string) error {
	tags, err := s.iam().ListUserTags(ctx, &iam.ListUserTagsInput{UserName: aws.String(name)})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tags.Tags, func(t types.Tag) bool {
		return aws.ToString(t.Key) == Tag && aws.ToString(t.Value) == s.id
	}) {
		return fmt.Errorf("user %s %w", name, ErrNotOurs)
	}
	return nil
}

// dropPolicies takes every policy off a user.
func (s *stage) dropPolicies(ctx context.Context, name string) error {
	client, user := s.iam(), aws.String(name)
	inline, err := client.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: user})
	if err != nil {
		return err
	}
	for _, p := range inline.PolicyNames {
		if _, err := client.DeleteUserPolicy(ctx,
			&iam.DeleteUserPolicyInput{UserName: user, PolicyName: aws.String(p)}); err != nil {
			return err
		}
	}
	attached, err := client.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: user})
	if err != nil {
		return err
	}
	for _, p := range attached.AttachedPolicies {
		if _, err := client.DetachUserPolicy(ctx,
			&iam.DetachUserPolicyInput{UserName: user, PolicyArn: p.PolicyArn}); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) dropAccessKeys(ctx context.Context, name string) error {
	keys, err := s.iam().ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: aws.String(name)})
	if err != nil {
		return err
	}
	for _, k := range keys.AccessKeyMetadata {
		if err := s.deleteAccessKey(ctx, name, aws.ToString(k.AccessKeyId)); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) deleteAccessKey(ctx context.Context, user, id string) error {
	_, err := s.iam().DeleteAccessKey(ctx,
		&iam.DeleteAccessKeyInput{UserName: aws.String(user), AccessKeyId: aws.String(id)})
	return err
}

// opened is an access key that was made for the time of a call.
type opened struct{ user, id string }

// as creates an access key of a user for the time of the call and returns who signs
// with it. The user keeps the key it has.
func (s *stage) as(ctx context.Context, suffix string) (actor, error) {
	name := s.name(suffix)
	key, err := s.iam().CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String(name)})
	var missing *types.NoSuchEntityException
	var limit *types.LimitExceededException
	switch {
	case errors.As(err, &missing):
		return actor{}, fmt.Errorf("user %s does not exist: %w", name, ErrNotStarted)
	case errors.As(err, &limit):
		return actor{}, fmt.Errorf("user %s has two access keys: delete one, a check needs a key of its own: "+
			"%w", name, err)
	case err != nil:
		return actor{}, err
	}
	c := credentials(key.AccessKey)
	s.opened = append(s.opened, opened{name, c.AccessKeyID})
	a := newActor(name, s.userARN(suffix), s.cfg.As(c))
	_, err = s.take(ctx, probe{want: allowed, do: func(ctx context.Context) (string, error) {
		_, err := sts.NewFromConfig(a.cfg).GetCallerIdentity(ctx, nil)
		return allowed, err
	}})
	return a, err
}

// cast is as for several users.
func (s *stage) cast(ctx context.Context, suffixes ...string) (map[string]actor, error) {
	all := map[string]actor{}
	for _, suffix := range suffixes {
		a, err := s.as(ctx, suffix)
		if err != nil {
			return nil, err
		}
		all[suffix] = a
	}
	return all, nil
}

// close deletes the access keys that as has made, even when ctx has ended.
func (s *stage) close(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	for _, o := range s.opened {
		// A key that stays is harmless: its secret was in this process only, and
		// the next Start deletes it.
		_ = s.deleteAccessKey(ctx, o.user, o.id)
	}
	s.opened = nil
}
