// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"

	// Hashes of the paddings below.
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"

	"github.com/ddbseal/ddbseal/envelope"
)

// WrappedConfig has the keys of a writer that generated a content key for each
// item and wrapped it under one key: WrappedMaterialsProvider of the Java
// client, WrappedCryptographicMaterialsProvider of the Python one, and the
// KeyStore provider of the Java client.
type WrappedConfig struct {
	redaction
	// WrappingKey is the AES key of 16, 24 or 32 bytes that content keys are
	// wrapped under; NewWrapped copies it. UnwrappingKey is the private half of
	// the RSA key pair, of at least 1024 bits, that they are wrapped under. Set
	// exactly one of the two.
	WrappingKey   []byte
	UnwrappingKey *rsa.PrivateKey
	// Verification is the key that verifies the signatures of items.
	Verification *VerificationKey
}

// NewWrapped returns the provider of a writer with wrapped content keys. A
// wrapped key is not signed. With an RSA key pair, anyone who has the public
// half can replace it, which only destroys the item's encrypted attributes,
// because this package reads values strictly. Errors:
// [envelope.ErrConfiguration].
func NewWrapped(c WrappedConfig) (Provider, error) {
	if err := checkVerification(c.Verification); err != nil {
		return nil, err
	}
	if (c.WrappingKey == nil) == (c.UnwrappingKey == nil) {
		return nil, configuration("exactly one of WrappingKey and UnwrappingKey is needed")
	}
	p := &wrapped{verifier: c.Verification.verifier}
	if k := c.UnwrappingKey; k != nil {
		if k.N == nil || k.N.BitLen() < minRSABits {
			return nil, configuration("UnwrappingKey has less than %d bits", minRSABits)
		}
		if err := k.Validate(); err != nil {
			return nil, configuration("UnwrappingKey is inconsistent")
		}
		p.unwrap = rsaUnwrapper{k}.unwrap
		return p, nil
	}
	return newAESWrapped(p.verifier, c.WrappingKey)
}

// newAESWrapped is NewWrapped for an AES key.
func newAESWrapped(v verifier, key []byte) (*wrapped, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, configuration("WrappingKey has %d bytes, not 16, 24 or 32", len(key))
	}
	return &wrapped{verifier: v, unwrap: aesUnwrapper{block}.unwrap}, nil
}

type wrapped struct {
	redaction
	verifier verifier
	unwrap   func(*description) (contentKey, error)
}

func (p *wrapped) open(context.Context, *request) (opener, error) {
	return opener{verifier: p.verifier, unwrap: p.unwrap}, nil
}

// wrappedKey returns the bytes of the item's wrapped content key.
func wrappedKey(d *description) ([]byte, error) {
	if d.envKey == "" {
		return nil, at(envelope.LegacyDescriptionAttribute,
			tampered("it has no %s: the writer used static keys, or the item was changed", envKeyName))
	}
	key, err := base64.StdEncoding.DecodeString(d.envKey) // which skips the line breaks of old Java
	if err != nil || len(key) == 0 {
		return nil, at(envelope.LegacyDescriptionAttribute, tampered("%s is not base64", envKeyName))
	}
	return key, nil
}

// checkContentAlgorithm ignores the part after the slash: it does not limit the length.
func checkContentAlgorithm(d *description) error {
	if name, _, _ := strings.Cut(d.envAlg, "/"); name != "AES" && d.envAlg != "" {
		return at(envelope.LegacyDescriptionAttribute, unsupported("%s is %.60q", envAlgName, d.envAlg))
	}
	return nil
}

func wrapUnsupported(d *description, key string) error {
	return at(envelope.LegacyDescriptionAttribute,
		unsupported("%s is %.60q, which does not fit a key of %s", wrapAlgName, d.wrapAlg, key))
}

type aesUnwrapper struct{ block cipher.Block }

func (u aesUnwrapper) unwrap(d *description) (contentKey, error) {
	if err := checkContentAlgorithm(d); err != nil {
		return nil, err
	}
	if d.wrapAlg != "AESWrap" {
		return nil, wrapUnsupported(d, "AES")
	}
	sealed, err := wrappedKey(d)
	if err != nil {
		return nil, err
	}
	key, ok := unwrapKey(u.block, sealed)
	if !ok {
		return nil, keyError("AESWrap", "", "the content key was not wrapped under this key, or was changed")
	}
	defer clear(key)
	content, err := aes.NewCipher(key)
	if err != nil {
		return nil, keyError("AESWrap", "", "the content key has %d bytes, not 16, 24 or 32", len(key))
	}
	return content, nil
}

// oaeps are the paddings with OAEP, by their names in Java. The mask generation
// function of all is over SHA-1.
var oaeps = map[string]crypto.Hash{
	"RSA/ECB/OAEPWithSHA-1AndMGF1Padding":   crypto.SHA1,
	"RSA/ECB/OAEPWithSHA-256AndMGF1Padding": crypto.SHA256,
	"RSA/ECB/OAEPWithSHA-384AndMGF1Padding": crypto.SHA384,
	"RSA/ECB/OAEPWithSHA-512AndMGF1Padding": crypto.SHA512,
}

type rsaUnwrapper struct{ key *rsa.PrivateKey }

func (u rsaUnwrapper) unwrap(d *description) (contentKey, error) {
	if err := checkContentAlgorithm(d); err != nil {
		return nil, err
	}
	hash, oaep := oaeps[d.wrapAlg]
	switch d.wrapAlg {
	case "", "RSA", "RSA/ECB/PKCS1Padding": // the oldest items name none
	default:
		if !oaep {
			return nil, wrapUnsupported(d, "RSA")
		}
	}
	sealed, err := wrappedKey(d)
	if err != nil {
		return nil, err
	}
	if !oaep {
		return u.pkcs1(sealed)
	}
	key, err := u.key.Decrypt(nil, sealed, &rsa.OAEPOptions{Hash: hash, MGFHash: crypto.SHA1})
	if err != nil {
		return nil, keyError("RSA", "", "the content key was not wrapped for this key with %s, or was changed",
			d.wrapAlg)
	}
	defer clear(key)
	content, err := aes.NewCipher(key)
	if err != nil { // anyone with the public key can have made it
		return nil, at(envelope.LegacyDescriptionAttribute,
			tampered("the wrapped content key has %d bytes, not 16, 24 or 32", len(key)))
	}
	return content, nil
}

// pkcs1 opens a content key under PKCS #1 v1.5. The item's description, which
// anyone who may write to the table can change, chooses this padding. So a wrong
// padding and a wrong key fail alike: both leave a key that opens no value.
func (u rsaUnwrapper) pkcs1(sealed []byte) (contentKey, error) {
	decoy := make([]byte, aes.BlockSize)
	_, _ = rand.Read(decoy) // never fails: it ends the program instead
	key, err := u.key.Decrypt(nil, sealed, nil)
	if err != nil {
		key = nil
	}
	defer clear(key)
	content, err := aes.NewCipher(key)
	if err != nil {
		return aes.NewCipher(decoy)
	}
	return content, nil
}
