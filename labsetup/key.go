// SPDX-License-Identifier: Apache-2.0

package labsetup

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

func (l *Lab) keyChapter() chapter {
	return chapter{chapterKey, []labStep{
		does("key", "make a customer managed key",
			"You write the policy of a customer managed key. The key never leaves AWS KMS, the service that keeps "+
				"keys. Its key policy is a list of statements: "+
				"who may use the key, and whether the account's IAM policies, which are attached to users and "+
				"roles, count too. The first statement lets them count.",
			whoCLI+"\nKEY=$(aws kms create-key --description \""+KeyDescription+"\" \\\n  --tags TagKey="+labTag+
				",TagValue="+labTagValue+" --query KeyMetadata.Arn --output text)", doing(l.makeKey)).
			found(l.lookKey, l.recallKey),
		does("alias", "give it a name",
			"An alias is a name for people. Permissions name the key by its ARN, its full name in AWS.",
			"aws kms create-alias --alias-name "+KeyAlias+` --target-key-id "$KEY"`, doing(l.makeAlias)).
			found(l.lookAlias, func(context.Context) error { return l.openTables(&l.administrator) }),
		does("key-policy", "write the four statements that the KMS console writes",
			"The first lets IAM policies count. The others let the administrator (you) manage the key, use it, and "+
				"let services such as DynamoDB use it. They name no other user.",
			putPolicyCLI(nil), l.setPolicy(l.basePolicy)).found(l.lookPolicy, nil).kept(),
	}}
}

func tagged() []types.Tag {
	return []types.Tag{{TagKey: aws.String(labTag), TagValue: aws.String(labTagValue)}}
}

// ErrNotOurs means that a resource has one of the lab's names and lacks its
// tag. The lab does not change it.
var ErrNotOurs = errors.New("exists, but was not made by this lab: it lacks the tag " + labTag + "=" + labTagValue)

// marked reports whether the lab's tag is among those of a service, whose names
// and values split takes out.
func marked[T any](tags []T, split func(T) (name, value *string)) bool {
	return slices.ContainsFunc(tags, func(t T) bool {
		name, value := split(t)
		return aws.ToString(name) == labTag && aws.ToString(value) == labTagValue
	})
}

// makeKey creates the key, or finds the one behind the alias, which must carry the lab's tag.
func (l *Lab) makeKey(ctx context.Context) error {
	client := l.administrator.kms
	found, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(l.actual(KeyAlias))})
	var missing *types.NotFoundException
	switch {
	case err == nil:
		l.keyARN = aws.ToString(found.KeyMetadata.Arn)
		if err := l.adopts(l.checkKeyOurs(ctx, l.keyARN), func() error {
			_, err := client.TagResource(ctx, &kms.TagResourceInput{KeyId: found.KeyMetadata.Arn, Tags: tagged()})
			return err
		}); err != nil {
			return fmt.Errorf("%s %w", l.actual(KeyAlias), err)
		}
		l.existed = found.KeyMetadata.KeyState == types.KeyStateEnabled
		return l.reviveKey(ctx, found.KeyMetadata)
	case !errors.As(err, &missing):
		return err
	}
	made, err := client.CreateKey(ctx,
		&kms.CreateKeyInput{Description: aws.String(KeyDescription), Policy: aws.String(l.basePolicy().Text()),
			Tags: tagged()})
	if err != nil {
		return err
	}
	l.keyARN = aws.ToString(made.KeyMetadata.Arn)
	return nil
}

// reviveKey makes a key usable again that an earlier clean-up had scheduled for deletion.
func (l *Lab) reviveKey(ctx context.Context, m *types.KeyMetadata) error {
	if m.KeyState == types.KeyStatePendingDeletion || m.KeyState == types.KeyStatePendingReplicaDeletion {
		if _, err := l.administrator.kms.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: m.Arn}); err != nil {
			return err
		}
		m.KeyState = types.KeyStateDisabled
	}
	if m.KeyState == types.KeyStateDisabled {
		_, err := l.administrator.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: m.Arn})
		return err
	}
	return nil
}

func (l *Lab) checkKeyOurs(ctx context.Context, keyARN string) error {
	tags, err := l.administrator.kms.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: aws.String(keyARN)})
	if err != nil {
		return err
	}
	if !marked(tags.Tags, func(t types.Tag) (name, value *string) { return t.TagKey, t.TagValue }) {
		return ErrNotOurs
	}
	return nil
}

func (l *Lab) makeAlias(ctx context.Context) error {
	_, err := l.administrator.kms.CreateAlias(ctx,
		&kms.CreateAliasInput{AliasName: aws.String(l.actual(KeyAlias)), TargetKeyId: aws.String(l.keyARN)})
	var exists *types.AlreadyExistsException
	if err != nil && !errors.As(err, &exists) {
		return err
	}
	l.existed = err != nil
	return l.openTables(&l.administrator)
}

// basePolicy is the policy to which everything returns: the administrator
// manages and uses the key, and no other principal does.
func (l *Lab) basePolicy() keypolicy.Console {
	self := []string{l.caller}
	return keypolicy.Console{Account: l.account, Administrators: self, Users: self, Attachers: self}
}

// setPolicy writes the policy that spec describes when the step runs.
func (l *Lab) setPolicy(spec func() keypolicy.Console) action {
	return doing(func(ctx context.Context) error { return l.putPolicy(ctx, spec()) })
}

func (l *Lab) putPolicy(ctx context.Context, p keypolicy.Console) error {
	return l.putPolicyText(ctx, &l.administrator, p.Text())
}

// putPolicyText writes the key policy as a principal.
func (l *Lab) putPolicyText(ctx context.Context, p *principal, text string) error {
	_, err := p.kms.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: aws.String(l.keyARN),
		PolicyName: aws.String(policyName), Policy: aws.String(text)})
	return err
}

// policyName is the only name that a key policy has. AWS takes it for granted; other
// servers demand it.
const policyName = "default"

// ConsolePolicy returns the policy that the KMS console writes for a key of the
// account. administrators and users are the ARNs of the key administrators and
// key users. It leaves out a statement that would name no principal.
func ConsolePolicy(account string, administrators, users []string) string {
	return keypolicy.Console{Account: account, Administrators: administrators, Users: users, Attachers: users}.Text()
}

// allow returns a statement of the lab's that lets one principal decrypt.
func allow(sid, arn string, condition map[string]map[string]string) keypolicy.Statement {
	return keypolicy.AllowDecrypt(sid, arn, condition)
}
