// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"fmt"
	"slices"
)

// Decryption holds the materials to read one item. It belongs to one goroutine
// at a time, prints as a constant, and is wiped by the caller that asked for it.
type Decryption struct {
	redaction
	suite      AlgorithmSuite
	context    EncryptionContext
	serialized []byte
	dataKey    []byte
	signing    []byte
}

// NewDecryption starts materials without a data key over the full encryption
// context, stored and reproduced pairs together, which is not copied. Errors:
// [ErrConfiguration].
func NewDecryption(suite AlgorithmSuite, context EncryptionContext) (*Decryption, error) {
	if !suite.Valid() {
		return nil, fmt.Errorf("%w: unknown algorithm suite %v", ErrConfiguration, suite)
	}
	if _, has := context[ContextPublicKey]; has != suite.Signed() {
		return nil, fmt.Errorf("%w: suite %v and %s do not fit", ErrConfiguration, suite, ContextPublicKey)
	}
	serialized, err := context.AppendSerialized(nil)
	if err != nil {
		return nil, err
	}
	return &Decryption{suite: suite, context: context, serialized: serialized}, nil
}

// Suite returns the algorithm suite.
func (m *Decryption) Suite() AlgorithmSuite { return m.suite }

// Context returns the full encryption context; callers must not change it.
func (m *Decryption) Context() EncryptionContext { return m.context }

// SerializedContext returns the canonical bytes of the full context; callers
// must not change it.
func (m *Decryption) SerializedContext() []byte { return m.serialized }

// DataKey returns the plaintext data key, nil while there is none; valid until
// Wipe.
func (m *Decryption) DataKey() []byte { return m.dataKey }

// SymmetricSigningKey returns the opened recipient's key; valid until Wipe.
func (m *Decryption) SymmetricSigningKey() []byte { return m.signing }

// Open unwraps the data key of one encrypted data key whose intermediate key
// the provider has given back, and keeps it. The caller wipes intermediateKey.
// A ciphertext that does not open under this context fails with
// [ErrMaterials], and so does a second data key.
func (m *Decryption) Open(intermediateKey []byte, key EncryptedDataKey) error {
	if m.dataKey != nil {
		return fmt.Errorf("%w: the materials already hold a data key", ErrMaterials)
	}
	if len(intermediateKey) != IntermediateKeyLength {
		return fmt.Errorf("%w: an intermediate key has %d bytes, not %d", ErrMaterials, IntermediateKeyLength,
			len(intermediateKey))
	}
	if len(key.Ciphertext) < WrappedDataKeyLength {
		return fmt.Errorf("%w: encrypted data key of %d bytes is too short", ErrMaterials, len(key.Ciphertext))
	}
	aead, signing, err := deriveWrapping(intermediateKey)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMaterials, err)
	}
	dataKey, err := aead.Open(nil, wrapNonce[:], key.Ciphertext[:WrappedDataKeyLength], m.serialized)
	if err != nil {
		clear(signing)
		return fmt.Errorf("%w: the encrypted data key does not open under this item's encryption context", ErrMaterials)
	}
	m.dataKey, m.signing = dataKey, signing
	return nil
}

// SetDataKey sets data key and symmetric signing key directly, copying them:
// for tests with fixed vectors. A second data key is refused with
// [ErrMaterials].
func (m *Decryption) SetDataKey(dataKey, symmetricSigningKey []byte) error {
	if m.dataKey != nil {
		return fmt.Errorf("%w: the materials already hold a data key", ErrMaterials)
	}
	if len(dataKey) != DataKeyLength || len(symmetricSigningKey) != SymmetricSigningKeyLength {
		return fmt.Errorf("%w: data key or symmetric signing key has a wrong length", ErrMaterials)
	}
	m.dataKey, m.signing = slices.Clone(dataKey), slices.Clone(symmetricSigningKey)
	return nil
}

// Wipe overwrites the keys. Nil materials need no wiping.
func (m *Decryption) Wipe() {
	if m == nil {
		return
	}
	clear(m.dataKey)
	clear(m.signing)
	m.dataKey, m.signing = nil, nil
}
