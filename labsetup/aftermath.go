package labsetup

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// disabledChapter shows what disabling the key does to each mode.
func (l *Lab) disabledChapter() chapter {
	a := &l.administrator
	sees := func(id, table, mode, expected, why string) labStep {
		return sees(id, "administrator reads "+table, administratorRole, mode, expected, why, getCLI(table), l.reads(a, table))
	}
	return chapter{"The key disabled", []labStep{
		does("disable", "disable the key", "Nobody can use it, whatever the policy says.", "aws kms disable-key --key-id KEY", doing(func(ctx context.Context) error {
			_, err := a.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: aws.String(l.keyARN)})
			return err
		})),
		sees("disabled-server", ServerTable, ModeServer, KeyDisabled, "The table stays and answers no one."),
		sees("disabled-owned", OwnedTable, ModeServer, SeesPlaintext, "Other tables do not notice."),
		sees("disabled-client", ClientTable, ModeClient, KeyDisabled, "The call succeeds, the item stays ciphertext."),
		does("enable", "enable it again", "", "aws kms enable-key --key-id KEY", doing(func(ctx context.Context) error {
			_, err := a.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: aws.String(l.keyARN)})
			return err
		})),
		sees("enabled-server", ServerTable, ModeServer, SeesPlaintext, "As before."),
		sees("enabled-client", ClientTable, ModeClient, SeesPlaintext, "Nothing was lost."),
	}}
}

// rotationChapter rotates the key and reads what was written before.
func (l *Lab) rotationChapter() chapter {
	a := &l.administrator
	return chapter{"Rotation", []labStep{
		does("rotate", "rotate the key on demand", "New material under the same key; KMS keeps the old for what it encrypted.", "aws kms rotate-key-on-demand --key-id KEY", doing(func(ctx context.Context) error {
			_, err := a.kms.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: aws.String(l.keyARN)})
			return err
		})),
		sees("rotations", "list the rotations", administratorRole, ModeDirect, "rotated", "One more rotation is on record.", "aws kms list-key-rotations --key-id KEY", func(ctx context.Context) (string, error) {
			out, err := a.kms.ListKeyRotations(ctx, &kms.ListKeyRotationsInput{KeyId: aws.String(l.keyARN)})
			if err != nil || len(out.Rotations) == 0 {
				return "not rotated", err
			}
			return "rotated", nil
		}),
		sees("rotated-server", "administrator reads the server-side item written before", administratorRole, ModeServer, SeesPlaintext, "DynamoDB notices nothing.", getCLI(ServerTable), l.reads(a, ServerTable)),
		sees("rotated-client", "administrator reads the client-side item written before", administratorRole, ModeClient, SeesPlaintext, "Nothing was encrypted again: the old material still opens it.", getCLI(ClientTable), l.reads(a, ClientTable)),
	}}
}

// multiRegionChapter makes a multi-Region key with a replica.
func (l *Lab) multiRegionChapter() chapter {
	return chapter{"A multi-Region key", []labStep{
		does("multi-key", "make a multi-Region key", "A key is multi-Region from the beginning or never.", "aws kms create-key --multi-region", doing(l.makeMultiRegionKey)),
		does("multi-replica", "replicate it to "+l.otherRegion(), "The same material, its own policy.", "aws kms replicate-key --key-id KEY --replica-region "+l.otherRegion(), doing(l.replicate)),
		sees("multi-decrypt", "encrypt here, decrypt in "+l.otherRegion(), administratorRole, ModeDirect, allowed, "Either opens what the other has encrypted.", "aws kms decrypt --ciphertext-blob fileb://message.bin --region "+l.otherRegion(), l.decryptsElsewhere),
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
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{MultiRegion: aws.Bool(true), Tags: tagged(), Description: aws.String("multi-Region key of the NextWork lab")})
	if err != nil {
		return err
	}
	l.multi = aws.ToString(made.KeyMetadata.Arn)
	_, err = client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(MultiAlias), TargetKeyId: aws.String(l.multi)})
	return err
}

func (l *Lab) replicate(ctx context.Context) error {
	_, err := l.administrator.kms.ReplicateKey(ctx, &kms.ReplicateKeyInput{KeyId: aws.String(l.multi), ReplicaRegion: aws.String(l.otherRegion()), Tags: tagged()})
	var exists *types.AlreadyExistsException
	if errors.As(err, &exists) {
		found, err := l.elsewhere().DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(l.replicaARN())})
		if err != nil {
			return err
		}
		if found.KeyMetadata.KeyState == types.KeyStatePendingDeletion {
			if _, err := l.elsewhere().CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: found.KeyMetadata.Arn}); err != nil {
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
	sealed, err := l.administrator.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(l.multi), Plaintext: []byte(message)})
	if err != nil {
		return "", err
	}
	opened, err := l.elsewhere().Decrypt(ctx, &kms.DecryptInput{KeyId: aws.String(l.replicaARN()), CiphertextBlob: sealed.CiphertextBlob})
	if err == nil && string(opened.Plaintext) != message {
		return "another message", nil
	}
	return allowed, err
}

// otherAccountChapter names another account in the key policy: that lets its
// administrator give the right on, and is nothing by itself to its users.
func (l *Lab) otherAccountChapter() chapter {
	other := newPrincipal(*l.cfg.OtherAccount)
	decrypt := l.decrypts(&other)
	return chapter{"Another account", []labStep{
		sees("account-denied", "the other account's administrator decrypts", "other account", ModeDirect, DeniedDecrypt, "No right of their own account helps on a key of this one.", decryptCLI, decrypt),
		does("account", "name the other account in the key policy", "", "aws kms put-key-policy --key-id KEY --policy file://policy.json", doing(func(ctx context.Context) error {
			who, err := other.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			if err != nil {
				return err
			}
			p := l.basePolicy()
			p.Extra = []keypolicy.Statement{allow("Allow another account", "arn:aws:iam::"+aws.ToString(who.Account)+":root", nil)}
			return l.putPolicy(ctx, p)
		})),
		sees("account-allowed", "the other account's administrator decrypts", "other account", ModeDirect, allowed, "Both sides allow it: this key's policy, and their own IAM policies.", decryptCLI, decrypt),
		does("account-withdrawn", "withdraw it", "", "aws kms put-key-policy --key-id KEY --policy file://policy.json", l.setPolicy(l.basePolicy)),
		sees("account-gone", "the other account's administrator decrypts", "other account", ModeDirect, DeniedDecrypt, "Without this side's consent theirs is worth nothing.", decryptCLI, decrypt),
	}}
}
