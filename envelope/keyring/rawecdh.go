// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"context"
	"crypto/ecdh"
	"crypto/fips140"
	"crypto/rand"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/keyring/internal/agreement"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// RawECDHConfig configures a [RawECDH] keyring of two key pairs. Both keys are of
// one curve: P-256, P-384 or P-521.
type RawECDHConfig struct {
	// PrivateKey is your own.
	PrivateKey *ecdh.PrivateKey
	// PartnerKey is the public key of the other side. It may be your own public
	// key, for items that only you read.
	PartnerKey *ecdh.PublicKey
}

// RawECDH wraps under a secret that two key pairs agree on (Material Providers
// specification, [raw-ecdh-keyring]). [NewRawECDH], [NewRawECDHEphemeral] and
// [NewRawECDHDiscovery] make the three kinds of it.
//
// Each item stores the public keys of both sides, in clear. The encryption
// context is bound by the derivation of the wrapping key.
//
// [raw-ecdh-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/raw-ecdh-keyring.md
type RawECDH struct {
	curve        *agreement.Curve
	private      *ecdh.PrivateKey // nil in a keyring that only encrypts
	partner      *ecdh.PublicKey  // nil in a keyring that only decrypts
	own          []byte           // compressed, as is partnerPoint
	partnerPoint []byte
}

var (
	_ materials.Keyring  = (*RawECDH)(nil)
	_ recipient.Preparer = (*RawECDH)(nil)
)

// NewRawECDH returns a keyring of your private key and the partner's public key
// (the key agreement scheme RawPrivateKeyToStaticPublicKey). It reads what either
// side wrote for the other. The partner configures the same with the roles
// exchanged. Errors: [materials.ErrConfiguration], and [materials.ErrUnsupported]
// under GODEBUG=fips140=only.
func NewRawECDH(c RawECDHConfig) (*RawECDH, error) {
	if c.PrivateKey == nil || c.PartnerKey == nil {
		return nil, fmt.Errorf("%w: raw ECDH keyring needs a private key and the partner's public key; see "+
			"NewRawECDHEphemeral and NewRawECDHDiscovery for one of them", materials.ErrConfiguration)
	}
	if c.PrivateKey.Curve() != c.PartnerKey.Curve() {
		return nil, fmt.Errorf("%w: raw ECDH keyring: the private key is on %v, the partner's public key on %v",
			materials.ErrConfiguration, c.PrivateKey.Curve(), c.PartnerKey.Curve())
	}
	return newRawECDH(c.PrivateKey, c.PartnerKey)
}

// NewRawECDHEphemeral returns a keyring that only encrypts, for the holder of the
// recipient's private key (the key agreement scheme
// EphemeralPrivateKeyToStaticPublicKey). It draws a key pair for each item and
// forgets the private half, so it cannot read its own items. A keyring of
// NewRawECDHDiscovery reads them; if the recipient's key is a key of AWS KMS, a
// discovery keyring of the awskms package does. Errors as [NewRawECDH].
func NewRawECDHEphemeral(recipient *ecdh.PublicKey) (*RawECDH, error) {
	if recipient == nil {
		return nil, fmt.Errorf("%w: raw ECDH keyring needs the recipient's public key", materials.ErrConfiguration)
	}
	return newRawECDH(nil, recipient)
}

// NewRawECDHDiscovery returns a keyring that only decrypts, whatever the sender's
// key is (the key agreement scheme PublicKeyDiscovery). Anyone who has the public
// key can write items that it opens: an opened item does not prove who wrote it.
// Errors as [NewRawECDH].
func NewRawECDHDiscovery(private *ecdh.PrivateKey) (*RawECDH, error) {
	if private == nil {
		return nil, fmt.Errorf("%w: raw ECDH keyring needs a private key", materials.ErrConfiguration)
	}
	return newRawECDH(private, nil)
}

func newRawECDH(private *ecdh.PrivateKey, partner *ecdh.PublicKey) (*RawECDH, error) {
	if fips140.Enforced() {
		return nil, fmt.Errorf("%w: GODEBUG=fips140=only refuses AES-GCM as the item format uses it; use fips140=on",
			materials.ErrUnsupported)
	}
	k := &RawECDH{private: private, partner: partner}
	if partner != nil {
		curve, err := agreement.CurveOf(partner.Curve())
		if err != nil {
			return nil, fmt.Errorf("raw ECDH keyring: %w", err)
		}
		k.curve, k.partnerPoint = curve, curve.Compress(partner)
	}
	if private != nil {
		curve, err := agreement.CurveOf(private.Curve())
		if err != nil {
			return nil, fmt.Errorf("raw ECDH keyring: %w", err)
		}
		k.curve, k.own = curve, curve.Compress(private.PublicKey())
	}
	return k, nil
}

// OnEncrypt adds one recipient. A discovery keyring fails with
// [materials.ErrConfiguration].
func (k *RawECDH) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	return recipient.Encrypt(ctx, k, m)
}

// Prepare wraps a fresh intermediate key; [Multi] uses it.
func (k *RawECDH) Prepare(_ context.Context, m *materials.Encryption) (materials.Recipient, error) {
	if k.partner == nil {
		return materials.Recipient{}, fmt.Errorf("%w: raw ECDH discovery keyring %s can only decrypt",
			materials.ErrConfiguration, agreement.KeyID(k.own))
	}
	sender, point := k.private, k.own
	if sender == nil {
		var err error
		if sender, err = k.partner.Curve().GenerateKey(rand.Reader); err != nil {
			return materials.Recipient{}, fmt.Errorf("%w: %w", materials.ErrMaterials, err)
		}
		point = k.curve.Compress(sender.PublicKey())
	}
	secret, err := sender.ECDH(k.partner)
	if err != nil {
		return materials.Recipient{}, fmt.Errorf("%w: %w", materials.ErrMaterials, err)
	}
	pair := agreement.Pair{Curve: k.curve, Recipient: k.partnerPoint, Sender: point}
	return agreement.Prepare(agreement.ProviderRaw, pair, secret, m)
}

// OnDecrypt opens the first encrypted data key of this key pair that opens,
// written by a Raw ECDH or an AWS KMS ECDH keyring. A keyring for ephemeral
// senders fails with [materials.ErrConfiguration].
func (k *RawECDH) OnDecrypt(ctx context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	if k.private == nil && m.DataKey() == nil {
		return fmt.Errorf("%w: raw ECDH keyring for ephemeral senders to %s can only encrypt",
			materials.ErrConfiguration, agreement.KeyID(k.partnerPoint))
	}
	return agreement.Decrypt(ctx, agreement.ProviderRaw, rawHolder{k}, m, keys)
}

// rawHolder is a keyring with a private key.
type rawHolder struct{ *RawECDH }

var _ agreement.Holder = rawHolder{}

// KeyID returns the compressed point of the keyring's own public key in
// hexadecimal.
func (k rawHolder) KeyID() string { return agreement.KeyID(k.own) }

// Owns compares compressed points: for a keyring of two key pairs these two, for
// a discovery keyring the recipient.
func (k rawHolder) Owns(_ context.Context, p agreement.Pair) (bool, error) {
	if k.partner == nil {
		return string(p.Recipient) == string(k.own), nil
	}
	return p.Of(k.own, k.partnerPoint), nil
}

func (k rawHolder) Secret(_ context.Context, p agreement.Pair) ([]byte, error) {
	other := k.partner
	if other == nil {
		var err error
		if other, err = p.Curve.Decompress(p.Sender); err != nil {
			return nil, &materials.KeyError{Provider: agreement.ProviderRaw, KeyID: k.KeyID(), Err: err}
		}
	}
	secret, err := k.private.ECDH(other)
	if err != nil {
		return nil, &materials.KeyError{Provider: agreement.ProviderRaw, KeyID: k.KeyID(),
			Err: fmt.Errorf("%w: %w", materials.ErrMaterials, err)}
	}
	return secret, nil
}
