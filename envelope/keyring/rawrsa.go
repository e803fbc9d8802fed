// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // OAEP does not need collision resistance; the format defines it
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// RSAPadding names a padding scheme of the Material Providers specification.
// With OAEP, MGF1 uses the same hash. The zero value is invalid.
type RSAPadding uint8

const (
	// RSAPaddingPKCS1 is PKCS #1 v1.5, for items that have it; prefer OAEP.
	RSAPaddingPKCS1 RSAPadding = iota + 1
	// RSAPaddingOAEPSHA1 is OAEP with SHA-1.
	RSAPaddingOAEPSHA1
	// RSAPaddingOAEPSHA256 is OAEP with SHA-256.
	RSAPaddingOAEPSHA256
	// RSAPaddingOAEPSHA384 is OAEP with SHA-384.
	RSAPaddingOAEPSHA384
	// RSAPaddingOAEPSHA512 is OAEP with SHA-512.
	RSAPaddingOAEPSHA512
)

// String returns the specification's name of the scheme.
func (p RSAPadding) String() string {
	switch p {
	case RSAPaddingPKCS1:
		return "PKCS1"
	case RSAPaddingOAEPSHA1:
		return "OAEP_SHA1_MGF1"
	case RSAPaddingOAEPSHA256:
		return "OAEP_SHA256_MGF1"
	case RSAPaddingOAEPSHA384:
		return "OAEP_SHA384_MGF1"
	case RSAPaddingOAEPSHA512:
		return "OAEP_SHA512_MGF1"
	}
	return fmt.Sprintf("RSAPadding(%d)", uint8(p))
}

func (p RSAPadding) valid() bool { return p >= RSAPaddingPKCS1 && p <= RSAPaddingOAEPSHA512 }

// hash returns the OAEP hash, nil for PKCS1.
func (p RSAPadding) hash() hash.Hash {
	switch p {
	case RSAPaddingOAEPSHA1:
		return sha1.New()
	case RSAPaddingOAEPSHA256:
		return sha256.New()
	case RSAPaddingOAEPSHA384:
		return sha512.New384()
	case RSAPaddingOAEPSHA512:
		return sha512.New()
	}
	return nil
}

// minRSABits: shorter keys can be factored.
const minRSABits = 2048

// RawRSAConfig configures a [RawRSA] keyring.
type RawRSAConfig struct {
	// Namespace and Name identify the key to readers; they are stored in every
	// item, in clear. The namespace must not be the provider id of an AWS KMS
	// keyring, such as "aws-kms".
	Namespace, Name string
	Padding         RSAPadding
	// PublicKey may be nil for a keyring that only decrypts, PrivateKey for
	// one that only encrypts; not both. The public key is never taken from the
	// private one. At least 2048 bits.
	PublicKey  *rsa.PublicKey
	PrivateKey *rsa.PrivateKey
}

// RawRSA wraps with RSA under a local key pair (Material Providers
// specification, [raw-rsa-keyring]). The wrapping binds no encryption context;
// the data key under it does.
//
// [raw-rsa-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/raw-rsa-keyring.md
type RawRSA struct {
	namespace, name string
	padding         RSAPadding
	public          *rsa.PublicKey
	private         *rsa.PrivateKey
}

var (
	_ materials.Keyring  = (*RawRSA)(nil)
	_ recipient.Preparer = (*RawRSA)(nil)
)

// NewRawRSA returns a keyring for one RSA key pair or half of it. Errors:
// [materials.ErrConfiguration].
func NewRawRSA(c RawRSAConfig) (*RawRSA, error) {
	if err := checkNames("raw RSA", c.Namespace, c.Name, 0); err != nil {
		return nil, err
	}
	switch {
	case !c.Padding.valid():
		return nil, fmt.Errorf("%w: raw RSA keyring: unknown padding %v", materials.ErrConfiguration, c.Padding)
	case c.PublicKey == nil && c.PrivateKey == nil:
		return nil, fmt.Errorf("%w: raw RSA keyring needs a public key, a private key or both",
			materials.ErrConfiguration)
	case c.PublicKey != nil && (c.PublicKey.N == nil || c.PublicKey.N.BitLen() < minRSABits),
		c.PrivateKey != nil && (c.PrivateKey.N == nil || c.PrivateKey.N.BitLen() < minRSABits):
		return nil, fmt.Errorf("%w: raw RSA keyring: the key has less than %d bits", materials.ErrConfiguration,
			minRSABits)
	case c.PublicKey != nil && c.PrivateKey != nil && !c.PrivateKey.PublicKey.Equal(c.PublicKey):
		return nil, fmt.Errorf("%w: raw RSA keyring: public and private key are not a pair", materials.ErrConfiguration)
	}
	if c.PrivateKey != nil {
		if err := c.PrivateKey.Validate(); err != nil {
			return nil, fmt.Errorf("%w: raw RSA keyring: the private key is inconsistent", materials.ErrConfiguration)
		}
	}
	return &RawRSA{namespace: c.Namespace, name: c.Name, padding: c.Padding, public: c.PublicKey,
		private: c.PrivateKey}, nil
}

// OnEncrypt adds one recipient; without a public key it fails with
// [materials.ErrConfiguration].
func (k *RawRSA) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	return recipient.Encrypt(ctx, k, m)
}

// Prepare wraps a fresh intermediate key; [Multi] uses it.
func (k *RawRSA) Prepare(context.Context, *materials.Encryption) (materials.Recipient, error) {
	if k.public == nil {
		return materials.Recipient{},
			fmt.Errorf("%w: raw RSA keyring %q has no public key and can only decrypt", materials.ErrConfiguration,
				k.name)
	}
	intermediate, wrapped, err := recipient.Draw(func(intermediate []byte) ([]byte, error) {
		if h := k.padding.hash(); h != nil {
			return rsa.EncryptOAEP(h, rand.Reader, k.public, intermediate, nil)
		}
		//lint:ignore SA1019 the format defines this padding; see RSAPaddingPKCS1
		return rsa.EncryptPKCS1v15(rand.Reader, k.public, intermediate)
	})
	if err != nil {
		return materials.Recipient{},
			&materials.KeyError{Provider: k.namespace, KeyID: k.name,
				Err: fmt.Errorf("%w: %w", materials.ErrMaterials, err)}
	}
	return materials.Recipient{
		ProviderID:             k.namespace,
		ProviderInfo:           []byte(k.name),
		IntermediateKey:        intermediate,
		WrappedIntermediateKey: wrapped,
	}, nil
}

// OnDecrypt opens the first encrypted data key of this namespace and name that
// opens; without a private key it fails with [materials.ErrConfiguration].
func (k *RawRSA) OnDecrypt(ctx context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	if m.DataKey() != nil {
		return nil
	}
	if k.private == nil {
		return fmt.Errorf("%w: raw RSA keyring %q has no private key and can only encrypt", materials.ErrConfiguration,
			k.name)
	}
	var tried recipient.Attempts
	for _, key := range keys {
		if key.ProviderID != k.namespace || string(key.ProviderInfo) != k.name {
			continue
		}
		if err := k.open(m, key); err != nil {
			tried.Add(&materials.KeyError{Provider: k.namespace, KeyID: k.name, Err: err})
			if ctx.Err() != nil {
				tried.Add(ctx.Err())
				break
			}
			continue
		}
		return nil
	}
	return tried.Err(keys)
}

func (k *RawRSA) open(m *materials.Decryption, key materials.EncryptedDataKey) error {
	wrapped, err := wrappedIntermediateKey(key, k.private.Size())
	if err != nil {
		return err
	}
	var intermediate []byte
	if h := k.padding.hash(); h != nil {
		intermediate, err = rsa.DecryptOAEP(h, nil, k.private, wrapped, nil)
		if err != nil {
			return fmt.Errorf("%w: not wrapped under this key with %v", materials.ErrMaterials, k.padding)
		}
	} else {
		// A wrong padding leaves random bytes here, which then open nothing:
		// padding and key fail alike, so this is not an oracle for either.
		intermediate = make([]byte, materials.IntermediateKeyLength)
		_, _ = rand.Read(intermediate)
		//lint:ignore SA1019 the format defines this padding; see RSAPaddingPKCS1
		if err = rsa.DecryptPKCS1v15SessionKey(nil, k.private, wrapped, intermediate); err != nil {
			return fmt.Errorf("%w: not wrapped under this key with %v", materials.ErrMaterials, k.padding)
		}
	}
	return recipient.Open(m, intermediate, key)
}
