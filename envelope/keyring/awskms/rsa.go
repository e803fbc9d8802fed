// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // OAEP does not need collision resistance; the format defines it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/internal/awserror"
	"github.com/ddbseal/ddbseal/envelope/internal/kmsarn"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// providerRSA is the provider id of an [RSA] keyring's encrypted data keys.
const providerRSA = "aws-kms-rsa"

// minRSABits: AWS KMS has no shorter keys, and shorter ones can be factored.
const minRSABits = 2048

// RSAClient is the part of the AWS KMS client that an [RSA] keyring calls;
// [kms.Client] has it.
type RSAClient interface {
	PublicKeyClient
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
}

var _ RSAClient = (*kms.Client)(nil)

// RSAConfig configures an [RSA] keyring.
type RSAConfig struct {
	// KeyARN is the ARN of an RSA key for encryption and decryption, not an
	// alias. Items store it as it stands here.
	KeyARN string
	// Algorithm is types.EncryptionAlgorithmSpecRsaesOaepSha1 or …Sha256. Items
	// do not store it, so readers configure the same.
	Algorithm types.EncryptionAlgorithmSpec
	// Client must be a client for the Region of the key. Nil makes a keyring that
	// only encrypts and never calls AWS KMS.
	Client RSAClient
	// PublicKey is the public half of the key. If it is nil, the first write gets
	// it from AWS KMS. If both Client and PublicKey are set, the first write
	// compares them by the same call, since what another public key wraps can
	// never be read. Without a Client, make sure yourself that it is this key's.
	PublicKey *rsa.PublicKey
	// GrantTokens are sent with every Decrypt call; at most 10.
	GrantTokens []string
}

// RSA wraps under an asymmetric AWS KMS key (Material Providers specification,
// [aws-kms-rsa-keyring]): a write is local, and a read asks AWS KMS to decrypt. It
// writes and reads items of suite 0x6700 only.
//
// AWS KMS takes no encryption context with asymmetric keys. The wrapped key holds
// a digest of it, which the keyring checks. So the values of key attributes do
// not reach AWS KMS or its audit log, and no policy or grant can bind a caller to
// some of the items.
//
// [aws-kms-rsa-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-rsa-keyring.md
type RSA struct {
	client      RSAClient
	key         kmsarn.ARN
	keyID       string
	algorithm   types.EncryptionAlgorithmSpec
	given       *rsa.PublicKey
	fetched     *publicKey[*rsa.PublicKey]
	grantTokens []string
}

var (
	_ materials.Keyring      = (*RSA)(nil)
	_ materials.SuiteChecker = (*RSA)(nil)
	_ recipient.Preparer     = (*RSA)(nil)
)

// NewRSA returns a keyring for one RSA key. Of a multi-Region key it opens what its
// replicas in other Regions wrapped, always calling AWS KMS in its own Region.
// Errors: [materials.ErrConfiguration].
func NewRSA(c RSAConfig) (*RSA, error) {
	key, err := parseKeyARN(c.KeyARN)
	if err != nil {
		return nil, err
	}
	k := &RSA{key: key, keyID: c.KeyARN, algorithm: c.Algorithm, given: c.PublicKey,
		grantTokens: slices.Clone(c.GrantTokens)}
	if !nilvalue.Is(c.Client) {
		k.client = c.Client
		k.fetched = newPublicKey(providerRSA, c.Client, c.KeyARN, k.accept)
	}
	switch {
	case k.hash() == nil:
		return nil, fmt.Errorf("%w: AWS KMS RSA keyring: the algorithm is %q, not %s or %s",
			materials.ErrConfiguration, c.Algorithm, types.EncryptionAlgorithmSpecRsaesOaepSha1,
			types.EncryptionAlgorithmSpecRsaesOaepSha256)
	case k.client == nil && k.given == nil:
		return nil, fmt.Errorf("%w: AWS KMS RSA keyring needs a client, a public key or both",
			materials.ErrConfiguration)
	case k.given != nil && (k.given.N == nil || k.given.N.BitLen() < minRSABits):
		return nil, fmt.Errorf("%w: AWS KMS RSA keyring: the public key has less than %d bits",
			materials.ErrConfiguration, minRSABits)
	}
	if err := checkGrantTokens(c.GrantTokens); err != nil {
		return nil, err
	}
	return k, nil
}

// hash returns the OAEP hash, nil for an unknown algorithm.
func (k *RSA) hash() hash.Hash {
	switch k.algorithm {
	case types.EncryptionAlgorithmSpecRsaesOaepSha1:
		return sha1.New()
	case types.EncryptionAlgorithmSpecRsaesOaepSha256:
		return sha256.New()
	}
	return nil
}

// accept checks the public key that AWS KMS answers.
func (k *RSA) accept(key crypto.PublicKey, out *kms.GetPublicKeyOutput) (*rsa.PublicKey, error) {
	public, ok := key.(*rsa.PublicKey)
	switch {
	case !ok || out.KeyUsage != types.KeyUsageTypeEncryptDecrypt || public.N.BitLen() < minRSABits:
		return nil, fmt.Errorf("%w: the key is of usage %s and spec %s, not an RSA key for %s",
			materials.ErrConfiguration, out.KeyUsage, out.KeySpec, types.KeyUsageTypeEncryptDecrypt)
	case k.given != nil && !public.Equal(k.given):
		return nil, fmt.Errorf("%w: PublicKey is not the public key of this key, so no item could be read again",
			materials.ErrConfiguration)
	}
	return public, nil
}

// CheckSuite fails with [materials.ErrConfiguration] for suite 0x6701: the
// keyring's wrapping has no place for that suite's public key.
func (k *RSA) CheckSuite(suite materials.AlgorithmSuite) error {
	if suite == materials.SuiteSymmetricSignature {
		return nil
	}
	return fmt.Errorf("%w: AWS KMS RSA keyring %s writes suite %#04x only, not %#04x, which is the default: set "+
		"AlgorithmSuite to SuiteSymmetricSignature; such a configuration reads items of both suites",
		materials.ErrConfiguration, k.keyID, uint16(materials.SuiteSymmetricSignature), uint16(suite))
}

// OnEncrypt adds one recipient. The first one calls GetPublicKey if the keyring
// has a client; no other calls AWS KMS. It fails with
// [materials.ErrConfiguration] for suite 0x6701 and for a public key that is not
// this key's.
func (k *RSA) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	return recipient.Encrypt(ctx, k, m)
}

// Prepare wraps a fresh intermediate key; a multi-keyring uses it.
func (k *RSA) Prepare(ctx context.Context, m *materials.Encryption) (materials.Recipient, error) {
	if err := k.CheckSuite(m.Suite()); err != nil {
		return materials.Recipient{}, err
	}
	public := k.given
	if k.fetched != nil {
		var err error
		if public, err = k.fetched.get(ctx); err != nil {
			return materials.Recipient{}, err
		}
	}
	intermediate, wrapped, err := recipient.Draw(func(intermediate []byte) ([]byte, error) {
		digest := sha512.Sum384(m.SerializedContext())
		plaintext := append(digest[:], intermediate...)
		defer clear(plaintext)
		return rsa.EncryptOAEP(k.hash(), rand.Reader, public, plaintext, nil)
	})
	if err != nil {
		return materials.Recipient{}, k.failed(fmt.Errorf("%w: %w", materials.ErrMaterials, err))
	}
	return materials.Recipient{ProviderID: providerRSA, ProviderInfo: []byte(k.keyID), IntermediateKey: intermediate,
		WrappedIntermediateKey: wrapped}, nil
}

func (k *RSA) failed(err error) error {
	return &materials.KeyError{Provider: providerRSA, KeyID: k.keyID, Err: err}
}

// OnDecrypt asks AWS KMS to open the encrypted data keys of this key, in order,
// until one opens. Keys of an item of suite 0x6701 are refused, since no writer
// makes any. An encrypted data key that names no key ARN is skipped, and the
// error names it if none opens. Without a client it fails with
// [materials.ErrConfiguration].
func (k *RSA) OnDecrypt(ctx context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	if m.DataKey() != nil {
		return nil
	}
	if k.client == nil {
		return fmt.Errorf("%w: AWS KMS RSA keyring %s has no client and can only encrypt", materials.ErrConfiguration,
			k.keyID)
	}
	var tried recipient.Attempts
	for i, key := range keys {
		if key.ProviderID != providerRSA {
			continue
		}
		named, err := kmsarn.Parse(string(key.ProviderInfo))
		if err != nil {
			tried.Add(&materials.KeyError{Provider: providerRSA, KeyID: fmt.Sprintf("number %d", i+1),
				Err: fmt.Errorf("%w: an encrypted data key of the item is malformed: %w", materials.ErrMaterials, err)})
			continue
		}
		if !k.key.Matches(named) {
			continue
		}
		if err = k.open(ctx, m, key); err == nil {
			return nil
		}
		tried.Add(err)
		if ctx.Err() != nil {
			break // another call could only fail the same way
		}
	}
	return tried.Err(keys)
}

func (k *RSA) open(ctx context.Context, m *materials.Decryption, key materials.EncryptedDataKey) error {
	if m.Suite() != materials.SuiteSymmetricSignature {
		return k.failed(fmt.Errorf("%w: the item is of suite %#04x, which AWS KMS RSA keyrings do not write",
			materials.ErrMaterials, uint16(m.Suite())))
	}
	if len(key.Ciphertext) <= materials.WrappedDataKeyLength {
		return k.failed(fmt.Errorf("%w: encrypted data key of %d bytes is too short", materials.ErrMaterials,
			len(key.Ciphertext)))
	}
	out, err := k.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId:               &k.keyID,
		CiphertextBlob:      key.Ciphertext[materials.WrappedDataKeyLength:],
		EncryptionAlgorithm: k.algorithm,
		GrantTokens:         k.grantTokens,
	})
	if err != nil {
		return awserror.Key(providerRSA, k.keyID, "kms:Decrypt", err)
	}
	defer clear(out.Plaintext)
	if err := k.unwrap(aws.ToString(out.KeyId), out.Plaintext, m, key); err != nil {
		return k.failed(err)
	}
	return nil
}

// unwrap checks the answer, which is the digest of the encryption context and the
// intermediate key.
func (k *RSA) unwrap(answered string, plaintext []byte, m *materials.Decryption,
	key materials.EncryptedDataKey) error {
	if answered != k.keyID {
		return fmt.Errorf("%w: the answer is of another key, %.200q", materials.ErrMaterials, answered)
	}
	if want := sha512.Size384 + materials.IntermediateKeyLength; len(plaintext) != want {
		return fmt.Errorf("%w: the answer has %d bytes, not %d", materials.ErrMaterials, len(plaintext), want)
	}
	digest := sha512.Sum384(m.SerializedContext())
	if subtle.ConstantTimeCompare(digest[:], plaintext[:sha512.Size384]) != 1 {
		return fmt.Errorf("%w: wrapped for another encryption context than this item's", materials.ErrMaterials)
	}
	return m.Open(plaintext[sha512.Size384:], key)
}
