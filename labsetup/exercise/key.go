// SPDX-License-Identifier: Apache-2.0

package exercise

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// key finds the key of the exercise. The error matches ErrNotStarted if there is
// none, or if it waits for its deletion.
func (s *stage) key(ctx context.Context) (string, error) {
	m, err := s.describeKey(ctx)
	if err != nil {
		return "", err
	}
	if m == nil || m.KeyState == types.KeyStatePendingDeletion ||
		m.KeyState == types.KeyStatePendingReplicaDeletion {
		return "", ErrNotStarted
	}
	return aws.ToString(m.Arn), nil
}

// describeKey returns the metadata of the exercise's key, or nil if there is none.
func (s *stage) describeKey(ctx context.Context) (*types.KeyMetadata, error) {
	out, err := s.admin.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(s.alias())})
	var missing *types.NotFoundException
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tags, err := s.admin.kms.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: out.KeyMetadata.Arn})
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(tags.Tags, func(t types.Tag) bool {
		return aws.ToString(t.TagKey) == Tag && aws.ToString(t.TagValue) == s.id
	}) {
		return nil, fmt.Errorf("%s %w", s.alias(), ErrNotOurs)
	}
	return out.KeyMetadata, nil
}

// makeKey creates the key of the exercise or finds it, puts its policy and takes
// back every grant except the ones that DynamoDB uses.
func (s *stage) makeKey(ctx context.Context, policy keypolicy.Console) (string, error) {
	m, err := s.describeKey(ctx)
	if err != nil {
		return "", err
	}
	if m == nil {
		return s.newKey(ctx, false, policy)
	}
	if m.KeyState == types.KeyStatePendingDeletion {
		if _, err := s.admin.kms.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: m.Arn}); err != nil {
			return "", err
		}
		m.KeyState = types.KeyStateDisabled
	}
	if m.KeyState == types.KeyStateDisabled {
		if _, err := s.admin.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: m.Arn}); err != nil {
			return "", err
		}
	}
	keyARN := aws.ToString(m.Arn)
	if err := s.putPolicy(ctx, keyARN, policy.Text()); err != nil {
		return "", err
	}
	return keyARN, s.revokeGrants(ctx, keyARN, func(g types.GrantListEntry) bool {
		return g.GranteeServicePrincipal == nil && !isService(aws.ToString(g.GranteePrincipal))
	})
}

// newKey creates a key and points the alias to it.
func (s *stage) newKey(ctx context.Context, multiRegion bool, policy keypolicy.Console) (string, error) {
	made, err := s.admin.kms.CreateKey(ctx, &kms.CreateKeyInput{Policy: aws.String(policy.Text()),
		Description: aws.String("key of the exercise " + s.id), MultiRegion: aws.Bool(multiRegion), Tags: s.keyTags()})
	if err != nil {
		return "", err
	}
	alias := aws.String(s.alias())
	_, err = s.admin.kms.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: made.KeyMetadata.KeyId})
	var exists *types.AlreadyExistsException
	if errors.As(err, &exists) {
		_, err = s.admin.kms.UpdateAlias(ctx,
			&kms.UpdateAliasInput{AliasName: alias, TargetKeyId: made.KeyMetadata.KeyId})
	}
	return aws.ToString(made.KeyMetadata.Arn), err
}

func (s *stage) keyTags() []types.Tag {
	return []types.Tag{{TagKey: aws.String(Tag), TagValue: aws.String(s.id)}}
}

func (s *stage) putPolicy(ctx context.Context, keyARN, policy string) error {
	_, err := s.admin.kms.PutKeyPolicy(ctx,
		&kms.PutKeyPolicyInput{KeyId: aws.String(keyARN), Policy: aws.String(policy)})
	return err
}

// setPolicy is the command that writes the key policy.
func (s *stage) setPolicy(keyARN string, policy keypolicy.Console) command {
	text := policy.Text()
	return command{heredoc("policy.json", text) + "aws kms put-key-policy --key-id " + keyARN +
		" --policy-name default --policy file://policy.json",
		func(ctx context.Context) error { return s.putPolicy(ctx, keyARN, text) }}
}

// grants lists the grants of a key.
func (s *stage) grants(ctx context.Context, keyARN string) ([]types.GrantListEntry, error) {
	var all []types.GrantListEntry
	pages := kms.NewListGrantsPaginator(s.admin.kms, &kms.ListGrantsInput{KeyId: aws.String(keyARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Grants...)
	}
	return all, nil
}

// isService reports whether a grantee is a service such as DynamoDB.
func isService(principal string) bool {
	const suffix = ".amazonaws.com"
	return len(principal) > len(suffix) && principal[len(principal)-len(suffix):] == suffix
}

func (s *stage) revokeGrants(ctx context.Context, keyARN string, which func(types.GrantListEntry) bool) error {
	all, err := s.grants(ctx, keyARN)
	if err != nil {
		return err
	}
	for _, g := range all {
		if which(g) {
			if _, err := s.admin.kms.RevokeGrant(ctx,
				&kms.RevokeGrantInput{KeyId: aws.String(keyARN), GrantId: g.GrantId}); err != nil {
				return err
			}
		}
	}
	return nil
}

// deletionDays is how long a key waits for its deletion: the least of AWS.
const deletionDays = 7

// schedule schedules the deletion of a key unless it is scheduled already.
func schedule(ctx context.Context, client *kms.Client, keyARN string) error {
	_, err := client.ScheduleKeyDeletion(ctx,
		&kms.ScheduleKeyDeletionInput{KeyId: aws.String(keyARN), PendingWindowInDays: aws.Int32(deletionDays)})
	var state *types.KMSInvalidStateException
	var missing *types.NotFoundException
	if errors.As(err, &state) || errors.As(err, &missing) {
		return nil
	}
	return err
}

// tries writing the key's own policy as the actor: it changes nothing.
func (s *stage) writesPolicy(a actor, keyARN string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		now, err := s.admin.in(a.cfg.Region).kms.GetKeyPolicy(ctx,
			&kms.GetKeyPolicyInput{KeyId: aws.String(keyARN), PolicyName: aws.String("default")})
		if err != nil {
			return "", err
		}
		_, err = a.kms.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: aws.String(keyARN), Policy: now.Policy})
		return allowed, err
	}
}

// decryptsDirectly asks KMS itself to open a message that was encrypted with the
// encryption context.
func (s *stage) decryptsDirectly(a actor, keyARN string, with map[string]string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		sealed, err := s.admin.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(keyARN),
			Plaintext: []byte("message"), EncryptionContext: with})
		if err != nil {
			return "", err
		}
		_, err = a.kms.Decrypt(ctx, &kms.DecryptInput{KeyId: aws.String(keyARN),
			CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: with})
		return allowed, err
	}
}
