// SPDX-License-Identifier: Apache-2.0

package awskms

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/envelope/internal/awserror"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/agreement"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// ECDHClient is the part of the AWS KMS client that an [ECDH] keyring calls;
// [kms.Client] has it.
type ECDHClient interface {
	PublicKeyClient
	DeriveSharedSecret(context.Context, *kms.DeriveSharedSecretInput,
		...func(*kms.Options)) (*kms.DeriveSharedSecretOutput, error)
}

var _ ECDHClient = (*kms.Client)(nil)

// ECDHConfig configures an [ECDH] keyring.
type ECDHConfig struct {
	// Client must be a client for the Region of the key.
	Client ECDHClient
	// KeyARN is the ARN of your own key, an elliptic-curve key for key agreement,
	// not an alias.
	KeyARN string
	// PartnerKey is the public key of the other side, on the curve of your own
	// key: P-256, P-384 or P-521. It may be of a key of AWS KMS or not.
	// NewECDHDiscovery takes none.
	PartnerKey *ecdh.PublicKey
	// GrantTokens are sent with every DeriveSharedSecret call; at most 10.
	GrantTokens []string
}

// ECDH wraps under a secret that an AWS KMS key and another key pair agree on
// (Material Providers specification, [aws-kms-ecdh-keyring]). The private key stays
// in AWS KMS. Each write, and each encrypted data key that a read tries, costs
// one call of DeriveSharedSecret. The first use costs one of GetPublicKey.
//
// AWS KMS takes no encryption context with asymmetric keys. The derivation of the
// wrapping key binds it. So the values of key attributes do not reach AWS KMS or
// its audit log, and no policy or grant can bind a caller to some of the items.
//
// [aws-kms-ecdh-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-ecdh-keyring.md
type ECDH struct {
	client       ECDHClient
	keyID        string
	curve        *agreement.Curve // nil in a discovery keyring
	partner      []byte           // DER, nil in a discovery keyring
	partnerPoint []byte
	own          *publicKey[[]byte] // compressed
	grantTokens  []string
}

var (
	_ materials.Keyring  = (*ECDH)(nil)
	_ recipient.Preparer = (*ECDH)(nil)
)

// NewECDH returns a keyring of your own key and the partner's public key (the key
// agreement scheme KmsPrivateKeyToStaticPublicKey). It reads what either side
// wrote for the other. The partner configures the same with the roles exchanged,
// or a Raw ECDH keyring. Errors: [materials.ErrConfiguration].
func NewECDH(c ECDHConfig) (*ECDH, error) {
	k, err := newECDH(c)
	if err != nil {
		return nil, err
	}
	if c.PartnerKey == nil {
		return nil, fmt.Errorf("%w: AWS KMS ECDH keyring needs the partner's public key", materials.ErrConfiguration)
	}
	if k.curve, err = agreement.CurveOf(c.PartnerKey.Curve()); err != nil {
		return nil, fmt.Errorf("AWS KMS ECDH keyring: %w", err)
	}
	k.partnerPoint = k.curve.Compress(c.PartnerKey)
	if k.partner, err = x509.MarshalPKIXPublicKey(c.PartnerKey); err != nil {
		return nil, fmt.Errorf("%w: AWS KMS ECDH keyring: %w", materials.ErrConfiguration, err)
	}
	return k, nil
}

// NewECDHDiscovery returns a keyring that only decrypts what was written for your
// own key, whatever the sender's key is (the key agreement scheme
// KmsPublicKeyDiscovery). Anyone who has the public key can write items that it
// opens: an opened item does not prove who wrote it. Errors:
// [materials.ErrConfiguration].
func NewECDHDiscovery(c ECDHConfig) (*ECDH, error) {
	if c.PartnerKey != nil {
		return nil, fmt.Errorf("%w: AWS KMS ECDH discovery keyring takes any partner, so set no PartnerKey",
			materials.ErrConfiguration)
	}
	return newECDH(c)
}

func newECDH(c ECDHConfig) (*ECDH, error) {
	if nilvalue.Is(c.Client) {
		return nil, fmt.Errorf("%w: AWS KMS ECDH keyring needs a client", materials.ErrConfiguration)
	}
	if _, err := parseKeyARN(c.KeyARN); err != nil {
		return nil, err
	}
	if err := checkGrantTokens(c.GrantTokens); err != nil {
		return nil, err
	}
	k := &ECDH{client: c.Client, keyID: c.KeyARN, grantTokens: slices.Clone(c.GrantTokens)}
	k.own = newPublicKey(agreement.ProviderKMS, c.Client, c.KeyARN, k.accept)
	return k, nil
}

// accept checks the public key that AWS KMS answers.
func (k *ECDH) accept(key crypto.PublicKey, out *kms.GetPublicKeyOutput) ([]byte, error) {
	wrong := func() ([]byte, error) {
		return nil, fmt.Errorf("%w: the key is of usage %s and spec %s, not a key on P-256, P-384 or P-521 for %s",
			materials.ErrConfiguration, out.KeyUsage, out.KeySpec, types.KeyUsageTypeKeyAgreement)
	}
	signing, ok := key.(*ecdsa.PublicKey)
	if !ok || out.KeyUsage != types.KeyUsageTypeKeyAgreement {
		return wrong()
	}
	public, err := signing.ECDH()
	if err != nil {
		return wrong()
	}
	curve, err := agreement.CurveOf(public.Curve())
	if err != nil || string(out.KeySpec) != curve.KeySpec() {
		return wrong()
	}
	if k.curve != nil && curve != k.curve {
		return nil, fmt.Errorf("%w: the key is on %v, the partner's public key on %v", materials.ErrConfiguration,
			curve, k.curve)
	}
	return curve.Compress(public), nil
}

// OnEncrypt adds one recipient, with one call of DeriveSharedSecret. A discovery
// keyring fails with [materials.ErrConfiguration], and so does one whose own key
// is not of the partner's curve or not for key agreement.
func (k *ECDH) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	return recipient.Encrypt(ctx, k, m)
}

// Prepare wraps a fresh intermediate key; a multi-keyring uses it.
func (k *ECDH) Prepare(ctx context.Context, m *materials.Encryption) (materials.Recipient, error) {
	if k.partner == nil {
		return materials.Recipient{}, fmt.Errorf("%w: AWS KMS ECDH discovery keyring %s can only decrypt",
			materials.ErrConfiguration, k.keyID)
	}
	own, err := k.own.get(ctx)
	if err != nil {
		return materials.Recipient{}, err
	}
	secret, err := k.derive(ctx, k.curve, k.partner)
	if err != nil {
		return materials.Recipient{}, err
	}
	pair := agreement.Pair{Curve: k.curve, Recipient: k.partnerPoint, Sender: own}
	return agreement.Prepare(agreement.ProviderKMS, pair, secret, m)
}

// OnDecrypt asks AWS KMS for the secrets of the encrypted data keys that are this
// keyring's own, in order, until one opens. AWS KMS and Raw ECDH keyrings may
// have written them. Others cost no call.
func (k *ECDH) OnDecrypt(ctx context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	return agreement.Decrypt(ctx, agreement.ProviderKMS, holder{k}, m, keys)
}

func (k *ECDH) failed(err error) error {
	return &materials.KeyError{Provider: agreement.ProviderKMS, KeyID: k.keyID, Err: err}
}

// derive asks AWS KMS for the secret with another public key, given as DER.
func (k *ECDH) derive(ctx context.Context, curve *agreement.Curve, other []byte) ([]byte, error) {
	out, err := k.client.DeriveSharedSecret(ctx, &kms.DeriveSharedSecretInput{
		KeyId:                 &k.keyID,
		KeyAgreementAlgorithm: types.KeyAgreementAlgorithmSpecEcdh,
		PublicKey:             other,
		GrantTokens:           k.grantTokens,
	})
	if err != nil {
		return nil, awserror.Key(agreement.ProviderKMS, k.keyID, "kms:DeriveSharedSecret", err)
	}
	answered := aws.ToString(out.KeyId)
	switch {
	case answered != k.keyID:
		err = fmt.Errorf("%w: the answer is of another key, %.200q", materials.ErrMaterials, answered)
	case out.KeyAgreementAlgorithm != types.KeyAgreementAlgorithmSpecEcdh:
		err = fmt.Errorf("%w: the answer is of another algorithm, %.200q", materials.ErrMaterials,
			out.KeyAgreementAlgorithm)
	case len(out.SharedSecret) != curve.SecretLength():
		err = fmt.Errorf("%w: the answer has a secret of %d bytes, not %d", materials.ErrMaterials,
			len(out.SharedSecret), curve.SecretLength())
	}
	if err != nil {
		clear(out.SharedSecret)
		return nil, k.failed(err)
	}
	return out.SharedSecret, nil
}

// holder is a keyring as the holder of its own key.
type holder struct{ *ECDH }

var _ agreement.Holder = holder{}

func (k holder) KeyID() string { return k.keyID }

// Owns asks AWS KMS for the own public key only when the pair can be the
// keyring's.
func (k holder) Owns(ctx context.Context, p agreement.Pair) (bool, error) {
	if k.partner != nil && !p.Has(k.partnerPoint) {
		return false, nil
	}
	own, err := k.own.get(ctx)
	if err != nil {
		return false, err
	}
	if k.partner == nil {
		return string(p.Recipient) == string(own), nil
	}
	return p.Of(own, k.partnerPoint), nil
}

func (k holder) Secret(ctx context.Context, p agreement.Pair) ([]byte, error) {
	other := k.partner
	if other == nil {
		sender, err := p.Curve.Decompress(p.Sender)
		if err != nil {
			return nil, k.failed(err)
		}
		if other, err = x509.MarshalPKIXPublicKey(sender); err != nil {
			return nil, k.failed(fmt.Errorf("%w: %w", materials.ErrMaterials, err))
		}
	}
	return k.derive(ctx, p.Curve, other)
}
