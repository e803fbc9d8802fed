// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/envelope/internal/kmsarn"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// provider is the provider id of these keyrings' encrypted data keys.
const provider = "aws-kms"

// KMSClient is the part of the AWS KMS client that the keyrings call;
// [kms.Client] has it. Retries and timeouts are the client's.
type KMSClient interface {
	GenerateDataKey(context.Context, *kms.GenerateDataKeyInput,
		...func(*kms.Options)) (*kms.GenerateDataKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
}

var _ KMSClient = (*kms.Client)(nil)

// Config configures a keyring for one key.
type Config struct {
	// Client must be a client for the Region of the key.
	Client KMSClient
	// KeyARN is the ARN of a symmetric encryption key, not an alias.
	KeyARN string
	// GrantTokens are sent with every call; at most 10.
	GrantTokens []string
}

// Keyring wraps under one AWS KMS key.
type Keyring struct {
	client      KMSClient
	key         kmsarn.ARN
	keyID       string
	matches     func(kmsarn.ARN) bool
	grantTokens []string
}

var (
	_ materials.Keyring  = (*Keyring)(nil)
	_ recipient.Preparer = (*Keyring)(nil)
)

// New returns a keyring for one key (Material Providers specification,
// [aws-kms-keyring]). It opens only what this very key wrapped: of a multi-Region
// key, only this Region's items. Errors: [materials.ErrConfiguration].
//
// [aws-kms-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-keyring.md
func New(c Config) (*Keyring, error) {
	k, err := newKeyring(c)
	if err != nil {
		return nil, err
	}
	k.matches = func(a kmsarn.ARN) bool { return a == k.key }
	return k, nil
}

// NewMRK returns a keyring for one key which, if it is a multi-Region key, also
// opens what its replicas in other Regions wrapped, always calling KMS in its
// own Region (Material Providers specification, [aws-kms-mrk-keyring]). Errors:
// [materials.ErrConfiguration].
//
// [aws-kms-mrk-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-mrk-keyring.md
func NewMRK(c Config) (*Keyring, error) {
	k, err := newKeyring(c)
	if err != nil {
		return nil, err
	}
	k.matches = k.key.Matches
	return k, nil
}

func newKeyring(c Config) (*Keyring, error) {
	if nilvalue.Is(c.Client) {
		return nil, fmt.Errorf("%w: AWS KMS keyring needs a client", materials.ErrConfiguration)
	}
	key, err := parseKeyARN(c.KeyARN)
	if err != nil {
		return nil, err
	}
	if err := checkGrantTokens(c.GrantTokens); err != nil {
		return nil, err
	}
	return &Keyring{client: c.Client, key: key, keyID: c.KeyARN, grantTokens: slices.Clone(c.GrantTokens)}, nil
}

func parseKeyARN(text string) (kmsarn.ARN, error) {
	key, err := kmsarn.Parse(text)
	if err != nil {
		return kmsarn.ARN{},
			fmt.Errorf("%w: AWS KMS keyring: %w; items store key ARNs and a reader must match them, so configure "+
				"the key ARN", materials.ErrConfiguration, err)
	}
	return key, nil
}

// The service's own limits of grant tokens: their number, and the length of one.
const maxGrantTokens, maxGrantToken = 10, 8192

func checkGrantTokens(tokens []string) error {
	if len(tokens) > maxGrantTokens ||
		slices.ContainsFunc(tokens, func(t string) bool { return t == "" || len(t) > maxGrantToken }) {
		return fmt.Errorf("%w: AWS KMS keyring takes up to %d grant tokens of 1 to %d characters",
			materials.ErrConfiguration, maxGrantTokens, maxGrantToken)
	}
	return nil
}

// OnEncrypt adds one recipient, with one call of GenerateDataKey.
func (k *Keyring) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	return recipient.Encrypt(ctx, k, m)
}

// Prepare obtains an intermediate key from KMS; a multi-keyring uses it.
func (k *Keyring) Prepare(ctx context.Context, m *materials.Encryption) (materials.Recipient, error) {
	out, err := k.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId:             &k.keyID,
		NumberOfBytes:     aws.Int32(materials.IntermediateKeyLength),
		EncryptionContext: m.Context(),
		GrantTokens:       k.grantTokens,
	})
	if err != nil {
		return materials.Recipient{}, keyError(k.keyID, "kms:GenerateDataKey", err)
	}
	if err := checkAnswer(k.keyID, aws.ToString(out.KeyId), out.Plaintext); err != nil {
		clear(out.Plaintext)
		return materials.Recipient{}, &materials.KeyError{Provider: provider, KeyID: k.keyID, Err: err}
	}
	return materials.Recipient{
		ProviderID:             provider,
		ProviderInfo:           []byte(k.keyID),
		IntermediateKey:        out.Plaintext,
		WrappedIntermediateKey: out.CiphertextBlob,
	}, nil
}

// OnDecrypt asks KMS to open the encrypted data keys of this key, in order,
// until one opens. Others cost no call.
func (k *Keyring) OnDecrypt(ctx context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	return decrypt(ctx, k.client, k.grantTokens, m, keys, func(a kmsarn.ARN) (string, bool) {
		return k.keyID, k.matches(a)
	})
}
