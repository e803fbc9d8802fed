// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// multiRegionChapter creates a multi-Region key with a replica.
func (l *Lab) multiRegionChapter() chapter {
	other := l.otherRegion()
	return chapter{"A multi-Region key", []labStep{
		does("multi-key", "make a multi-Region key",
			"A key is multi-Region from its creation, or never. The lab's first key cannot become one.",
			"MULTI=$(aws kms create-key --multi-region --tags TagKey="+labTag+",TagValue="+labTagValue+
				" --query KeyMetadata.Arn --output text)\naws kms create-alias --alias-name "+MultiAlias+
				` --target-key-id "$MULTI"`, doing(l.makeMultiRegionKey)),
		does("multi-replica", "replicate it to "+other,
			"The replica has the same key material and a key policy of its own. KMS copies no policy, grant, alias "+
				"or tag.",
			`aws kms replicate-key --key-id "$MULTI" --replica-region `+other+" --tags TagKey="+labTag+",TagValue="+
				labTagValue, doing(l.replicate)),
		sees("multi-decrypt", "encrypt here, decrypt in "+other, administratorRole, ModeDirect, allowed,
			"Either key opens what the other has encrypted, so a program in "+other+" goes on when this Region is "+
				"away.",
			"printf '"+message+`' >message`+"\n"+`aws kms encrypt --key-id "$MULTI" --plaintext fileb://message `+
				"--query CiphertextBlob --output text | base64 --decode >multi.bin\n"+
				`aws kms decrypt --key-id "${MULTI/`+l.region+`/`+other+`}" --ciphertext-blob fileb://multi.bin --region `+
				other, l.decryptsElsewhere),
	}}
}

func (l *Lab) otherRegion() string {
	if l.region == "us-west-2" {
		return "us-east-1"
	}
	return "us-west-2"
}

func (l *Lab) elsewhere() *kms.Client {
	cfg := l.cfg.Administrator.Copy()
	cfg.Region = l.otherRegion()
	return kms.NewFromConfig(cfg)
}

func (l *Lab) makeMultiRegionKey(ctx context.Context) error {
	client := l.administrator.kms
	found, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(MultiAlias)})
	var missing *types.NotFoundException
	if err == nil {
		l.multi = aws.ToString(found.KeyMetadata.Arn)
		if err := l.checkKeyOurs(ctx, l.multi); err != nil {
			return fmt.Errorf("%s %w", MultiAlias, err)
		}
		return l.reviveKey(ctx, found.KeyMetadata)
	}
	if !errors.As(err, &missing) {
		return err
	}
	made, err := client.CreateKey(ctx,
		&kms.CreateKeyInput{MultiRegion: aws.Bool(true), Tags: tagged(),
			Description: aws.String("multi-Region key of the NextWork lab")})
	if err != nil {
		return err
	}
	l.multi = aws.ToString(made.KeyMetadata.Arn)
	_, err = client.CreateAlias(ctx,
		&kms.CreateAliasInput{AliasName: aws.String(MultiAlias), TargetKeyId: aws.String(l.multi)})
	return err
}

func (l *Lab) replicate(ctx context.Context) error {
	_, err := l.administrator.kms.ReplicateKey(ctx,
		&kms.ReplicateKeyInput{KeyId: aws.String(l.multi), ReplicaRegion: aws.String(l.otherRegion()), Tags: tagged()})
	var exists *types.AlreadyExistsException
	if errors.As(err, &exists) {
		found, err := l.elsewhere().DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(l.replicaARN())})
		if err != nil {
			return err
		}
		if found.KeyMetadata.KeyState == types.KeyStatePendingDeletion {
			if _, err := l.elsewhere().CancelKeyDeletion(ctx,
				&kms.CancelKeyDeletionInput{KeyId: found.KeyMetadata.Arn}); err != nil {
				return err
			}
			_, err = l.elsewhere().EnableKey(ctx, &kms.EnableKeyInput{KeyId: found.KeyMetadata.Arn})
		}
		return err
	}
	return err
}

func (l *Lab) replicaARN() string {
	return strings.Replace(l.multi, ":"+l.region+":", ":"+l.otherRegion()+":", 1)
}

func (l *Lab) decryptsElsewhere(ctx context.Context) (string, error) {
	sealed, err := l.administrator.kms.Encrypt(ctx,
		&kms.EncryptInput{KeyId: aws.String(l.multi), Plaintext: []byte(message)})
	if err != nil {
		return "", err
	}
	opened, err := l.elsewhere().Decrypt(ctx,
		&kms.DecryptInput{KeyId: aws.String(l.replicaARN()), CiphertextBlob: sealed.CiphertextBlob})
	if err == nil && string(opened.Plaintext) != message {
		return "another message", nil
	}
	return allowed, err
}
