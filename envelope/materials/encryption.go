// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"crypto/ecdsa"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"
)

// MaxEncryptedDataKeys is the format's own limit: the header counts them in
// one byte.
const MaxEncryptedDataKeys = 255

// Encryption holds the materials to write one item: its data key, one
// encrypted copy and one symmetric signing key per recipient, and for suite
// 0x6701 the signing key. It belongs to one goroutine at a time, prints as a
// constant, and is wiped by the caller that asked for it.
type Encryption struct {
	redaction
	suite      AlgorithmSuite
	context    EncryptionContext
	serialized []byte
	required   []string
	max        int
	signingKey *ecdsa.PrivateKey
	dataKey    []byte
	keys       []EncryptedDataKey
	signing    [][]byte
	mu         sync.Mutex // a keyring may add recipients in parallel
}

// NewEncryption starts materials without a data key. context is the full
// encryption context (with the public key for a signed suite) and is not
// copied; required names the keys of it that the header omits; signingKey is
// given exactly for a signed suite, and is the one whose public half the
// context has; maxKeys zero means 255. Errors: [ErrConfiguration].
func NewEncryption(suite AlgorithmSuite, context EncryptionContext, required []string, signingKey *ecdsa.PrivateKey,
	maxKeys int) (*Encryption, error) {
	if !suite.Valid() {
		return nil, fmt.Errorf("%w: unknown algorithm suite %v", ErrConfiguration, suite)
	}
	if suite.Signed() != (signingKey != nil) {
		return nil, fmt.Errorf("%w: suite %v and signing key do not fit", ErrConfiguration, suite)
	}
	if _, has := context[ContextPublicKey]; has != suite.Signed() {
		return nil, fmt.Errorf("%w: suite %v and %s do not fit", ErrConfiguration, suite, ContextPublicKey)
	}
	if signingKey != nil {
		// With another one the item would be written and never verify.
		if public, err := compressedPublicKey(&signingKey.PublicKey); err != nil ||
			public != context[ContextPublicKey] {
			return nil, fmt.Errorf("%w: %s is not the compressed P-384 point of the signing key", ErrConfiguration,
				ContextPublicKey)
		}
	}
	if maxKeys < 0 || maxKeys > MaxEncryptedDataKeys {
		return nil, fmt.Errorf("%w: at most %d encrypted data keys", ErrConfiguration, MaxEncryptedDataKeys)
	}
	if maxKeys == 0 {
		maxKeys = MaxEncryptedDataKeys
	}
	serialized, err := context.AppendSerialized(nil)
	if err != nil {
		return nil, err
	}
	return &Encryption{suite: suite, context: context, serialized: serialized, required: required, max: maxKeys,
		signingKey: signingKey}, nil
}

// Suite returns the algorithm suite.
func (m *Encryption) Suite() AlgorithmSuite { return m.suite }

// Context returns the full encryption context; callers must not change it.
func (m *Encryption) Context() EncryptionContext { return m.context }

// SerializedContext returns the canonical bytes of the full context, the
// additional authenticated data of every wrapping; callers must not change it.
func (m *Encryption) SerializedContext() []byte { return m.serialized }

// RequiredKeys returns the context keys that are not stored in the header.
func (m *Encryption) RequiredKeys() []string { return m.required }

// SigningKey returns the item's own ECDSA key, nil for an unsigned suite.
func (m *Encryption) SigningKey() *ecdsa.PrivateKey { return m.signingKey }

// DataKey returns the plaintext data key, nil while there is none; valid until
// Wipe.
func (m *Encryption) DataKey() []byte { return m.dataKey }

// EncryptedDataKeys returns the recipients in the order they were added.
func (m *Encryption) EncryptedDataKeys() []EncryptedDataKey { return m.keys }

// SymmetricSigningKeys returns one key per recipient, in the same order; valid
// until Wipe.
func (m *Encryption) SymmetricSigningKeys() [][]byte { return m.signing }

// SetDataKey sets a data key of 32 bytes, which it copies. Applications never
// need it, since AddRecipient draws one; tests with fixed vectors do. A second
// data key is refused with [ErrMaterials]: two keys under one set of
// recipients would make an item that some of them cannot read.
func (m *Encryption) SetDataKey(key []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dataKey != nil {
		return fmt.Errorf("%w: the materials already hold a data key", ErrMaterials)
	}
	if len(key) != DataKeyLength {
		return fmt.Errorf("%w: a data key has %d bytes, not %d", ErrMaterials, DataKeyLength, len(key))
	}
	m.dataKey = slices.Clone(key)
	return nil
}

// Recipient is what a keyring contributes for one wrapping key. It prints as a
// constant.
type Recipient struct {
	redaction
	ProviderID   string
	ProviderInfo []byte
	// IntermediateKey has 32 bytes, fresh for this recipient of this item. The
	// keyring wipes it after AddRecipient returns.
	IntermediateKey []byte
	// WrappedIntermediateKey is the same key as the provider wrapped it.
	WrappedIntermediateKey []byte
}

// AddRecipient draws the data key if there is none yet, wraps it under the
// recipient's intermediate key and appends the encrypted data key and its
// symmetric signing key. It fails with [ErrMaterials] beyond the agreed number
// of recipients or on a field that the header cannot hold.
func (m *Encryption) AddRecipient(r Recipient) error {
	switch {
	case len(r.IntermediateKey) != IntermediateKeyLength:
		return fmt.Errorf("%w: an intermediate key has %d bytes, not %d", ErrMaterials, IntermediateKeyLength,
			len(r.IntermediateKey))
	case r.ProviderID == "" || len(r.ProviderID) > maxContextEntryLength || len(r.ProviderInfo) > maxContextEntryLength:
		return fmt.Errorf("%w: provider id or info is empty or longer than %d bytes", ErrMaterials,
			maxContextEntryLength)
	case !utf8.ValidString(r.ProviderID):
		return fmt.Errorf("%w: provider id is not UTF-8, so no reader accepts it", ErrMaterials)
	case len(r.WrappedIntermediateKey) == 0 ||
		len(r.WrappedIntermediateKey) > maxContextEntryLength-WrappedDataKeyLength:
		return fmt.Errorf("%w: wrapped intermediate key of %d bytes", ErrMaterials, len(r.WrappedIntermediateKey))
	}
	aead, signing, err := deriveWrapping(r.IntermediateKey)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMaterials, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.keys) >= m.max {
		clear(signing)
		return fmt.Errorf("%w: more than %d encrypted data keys", ErrMaterials, m.max)
	}
	if m.dataKey == nil {
		key := make([]byte, DataKeyLength)
		_, _ = rand.Read(key) // never fails: it ends the program instead
		m.dataKey = key
	}
	ciphertext := make([]byte, 0, WrappedDataKeyLength+len(r.WrappedIntermediateKey))
	ciphertext = aead.Seal(ciphertext, wrapNonce[:], m.dataKey, m.serialized)
	ciphertext = append(ciphertext, r.WrappedIntermediateKey...)
	m.keys = append(m.keys, EncryptedDataKey{ProviderID: r.ProviderID, ProviderInfo: slices.Clone(r.ProviderInfo),
		Ciphertext: ciphertext})
	m.signing = append(m.signing, signing)
	return nil
}

// Complete reports with [ErrMaterials] materials that cannot write an item: no
// data key or no recipient.
func (m *Encryption) Complete() error {
	if m.dataKey == nil || len(m.keys) == 0 {
		return fmt.Errorf("%w: the keyring added no recipient", ErrMaterials)
	}
	return nil
}

// Wipe overwrites the data key and the symmetric signing keys and drops the
// ECDSA key, which the standard library gives no way to overwrite. Nil
// materials need no wiping.
func (m *Encryption) Wipe() {
	if m == nil {
		return
	}
	clear(m.dataKey)
	for _, k := range m.signing {
		clear(k)
	}
	m.dataKey, m.signing, m.signingKey = nil, nil, nil
}
