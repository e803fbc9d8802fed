// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/fips140"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

const (
	aesIVLength  = 12
	aesTagLength = 16
	// aesInfoSuffix follows the key name in the provider information: tag
	// length in bits (u32), iv length in bytes (u32), iv.
	aesInfoSuffix = 4 + 4 + aesIVLength
)

// RawAESConfig configures a [RawAES] keyring.
type RawAESConfig struct {
	// Namespace and Name identify the key to readers; they are stored in every
	// item, in clear. The namespace must not be the provider id of an AWS KMS
	// keyring, such as "aws-kms".
	Namespace, Name string
	// Key is 16, 24 or 32 random bytes. NewRawAES keeps no reference to it, so
	// the caller may wipe it afterwards.
	Key []byte
}

// RawAES wraps with AES-GCM under one local key (Material Providers
// specification, [raw-aes-keyring]).
//
// Each item that is written takes one wrapping with a random nonce of 96 bits,
// whether the item is new or replaces another. NIST SP 800-38D allows a key 2^32
// such wrappings, about four billion, in all processes together. Two wrappings
// with the same nonce give away how the two wrapped keys differ, and the key with
// which AES-GCM authenticates. Change the key before: write with a new key under
// a new name, and read with a [Multi] of the new keyring and the old ones. A
// process cannot count what others write, so RawAES does not enforce the limit.
// [Hierarchical] derives a key for each wrapping and has no such limit.
//
// [raw-aes-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/raw-aes-keyring.md
type RawAES struct {
	namespace, name string
	aead            cipher.AEAD
}

var (
	_ materials.Keyring  = (*RawAES)(nil)
	_ recipient.Preparer = (*RawAES)(nil)
)

// NewRawAES returns a keyring for one AES key. Errors:
// [materials.ErrConfiguration], and [materials.ErrUnsupported] under
// GODEBUG=fips140=only.
func NewRawAES(c RawAESConfig) (*RawAES, error) {
	if fips140.Enforced() {
		return nil, fmt.Errorf("%w: GODEBUG=fips140=only refuses AES-GCM as the item format uses it; use fips140=on",
			materials.ErrUnsupported)
	}
	if err := checkNames("raw AES", c.Namespace, c.Name, aesInfoSuffix); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(c.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: raw AES keyring: the key has %d bytes, not 16, 24 or 32",
			materials.ErrConfiguration, len(c.Key))
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("%w: raw AES keyring: %w", materials.ErrConfiguration, err)
	}
	return &RawAES{namespace: c.Namespace, name: c.Name, aead: aead}, nil
}

// OnEncrypt adds one recipient.
func (k *RawAES) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	return recipient.Encrypt(ctx, k, m)
}

// Prepare wraps a fresh intermediate key; [Multi] uses it.
func (k *RawAES) Prepare(_ context.Context, m *materials.Encryption) (materials.Recipient, error) {
	info := make([]byte, 0, len(k.name)+aesInfoSuffix)
	info = append(info, k.name...)
	info = binary.BigEndian.AppendUint32(info, aesTagLength*8)
	info = binary.BigEndian.AppendUint32(info, aesIVLength)
	info = info[:cap(info)]
	iv := info[len(info)-aesIVLength:]
	_, _ = rand.Read(iv) // never fails: it ends the program instead
	intermediate, wrapped, err := recipient.Draw(func(intermediate []byte) ([]byte, error) {
		return k.aead.Seal(nil, iv, intermediate, m.SerializedContext()), nil
	})
	return materials.Recipient{
		ProviderID:             k.namespace,
		ProviderInfo:           info,
		IntermediateKey:        intermediate,
		WrappedIntermediateKey: wrapped,
	}, err
}

// OnDecrypt opens the first encrypted data key of this namespace and name that
// opens.
func (k *RawAES) OnDecrypt(_ context.Context, m *materials.Decryption, keys []materials.EncryptedDataKey) error {
	if m.DataKey() != nil {
		return nil
	}
	var tried recipient.Attempts
	for _, key := range keys {
		iv, own := k.parseInfo(key)
		if !own {
			continue
		}
		if err := k.open(m, key, iv); err != nil {
			tried.Add(&materials.KeyError{Provider: k.namespace, KeyID: k.name, Err: err})
			continue
		}
		return nil
	}
	return tried.Err(keys)
}

// parseInfo returns the iv if the encrypted data key names this keyring's key
// with the lengths of its algorithm; any other one is not its own.
func (k *RawAES) parseInfo(key materials.EncryptedDataKey) (iv []byte, own bool) {
	info := key.ProviderInfo
	if key.ProviderID != k.namespace || len(info) != len(k.name)+aesInfoSuffix ||
		!bytes.HasPrefix(info, []byte(k.name)) {
		return nil, false
	}
	info = info[len(k.name):]
	if binary.BigEndian.Uint32(info) != aesTagLength*8 || binary.BigEndian.Uint32(info[4:]) != aesIVLength {
		return nil, false
	}
	return info[8:], true
}

func (k *RawAES) open(m *materials.Decryption, key materials.EncryptedDataKey, iv []byte) error {
	wrapped, err := wrappedIntermediateKey(key, materials.IntermediateKeyLength+aesTagLength)
	if err != nil {
		return err
	}
	intermediate, err := k.aead.Open(nil, iv, wrapped, m.SerializedContext())
	if err != nil {
		return fmt.Errorf("%w: not wrapped under this key and this item's encryption context", materials.ErrMaterials)
	}
	return recipient.Open(m, intermediate, key)
}

// wrappedIntermediateKey returns what the provider wrapped, checking its
// length first.
func wrappedIntermediateKey(key materials.EncryptedDataKey, length int) ([]byte, error) {
	if len(key.Ciphertext) != materials.WrappedDataKeyLength+length {
		return nil, fmt.Errorf("%w: encrypted data key has %d bytes, not %d", materials.ErrMaterials,
			len(key.Ciphertext), materials.WrappedDataKeyLength+length)
	}
	return key.Ciphertext[materials.WrappedDataKeyLength:], nil
}
