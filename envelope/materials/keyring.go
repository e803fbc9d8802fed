// SPDX-License-Identifier: Apache-2.0

package materials

import (
	"context"
)

// EncryptedDataKey is one wrapped copy of an item's data key, as the item's
// header stores it.
type EncryptedDataKey struct {
	ProviderID   string // at most 65,535 bytes, UTF-8
	ProviderInfo []byte // at most 65,535 bytes
	Ciphertext   []byte // wrapped data key (48 bytes), then the provider-wrapped intermediate key
}

// Keyring wraps and unwraps the data keys of items. Implementations must be
// safe for use by many goroutines at once. (Material Providers specification,
// [keyring-interface].)
//
// [keyring-interface]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/keyring-interface.md
type Keyring interface {
	// OnEncrypt adds a recipient for each of the keyring's wrapping keys by
	// [Encryption.AddRecipient], or fails. It must add at least one unless
	// another keyring around it does.
	OnEncrypt(ctx context.Context, m *Encryption) error
	// OnDecrypt tries the encrypted data keys that are its own, in order,
	// until [Decryption.Open] succeeds. When the materials already hold a data
	// key it does nothing. When none opens, it returns an error that joins one
	// [KeyError] per key tried; a keyring that found none of its own keys says
	// so with [ErrMaterials].
	OnDecrypt(ctx context.Context, m *Decryption, keys []EncryptedDataKey) error
}

// SuiteChecker is a [Keyring] that does not write items of every algorithm
// suite. A keyring around others asks them.
type SuiteChecker interface {
	// CheckSuite fails with [ErrConfiguration] if OnEncrypt would fail for every
	// item of the suite.
	CheckSuite(AlgorithmSuite) error
}

// CheckSuite reports with [ErrConfiguration] that a keyring does not write items
// of the suite. A keyring that is not a [SuiteChecker] writes items of any.
func CheckSuite(k Keyring, suite AlgorithmSuite) error {
	if c, ok := k.(SuiteChecker); ok {
		return c.CheckSuite(suite)
	}
	return nil
}

// CMM is a cryptographic materials manager: it assembles the materials for one
// item. The default one is made from a keyring by [NewDefaultCMM]. (Material
// Providers specification, [cmm-interface].)
//
// [cmm-interface]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/cmm-interface.md
type CMM interface {
	EncryptionMaterials(ctx context.Context, r EncryptionRequest) (*Encryption, error)
	DecryptionMaterials(ctx context.Context, r DecryptionRequest) (*Decryption, error)
}

// EncryptionRequest asks a [CMM] for the materials to write one item.
type EncryptionRequest struct {
	Suite AlgorithmSuite
	// Context is the item's encryption context without the public key. The
	// materials manager takes it over and may add pairs: the caller makes one
	// map for each request and does not change it afterwards.
	Context EncryptionContext
	// RequiredKeys are the context keys that are authenticated but not stored
	// in the header, because a reader rebuilds them.
	RequiredKeys []string
	// MaxEncryptedDataKeys bounds the recipients; zero means 255.
	MaxEncryptedDataKeys int
}

// DecryptionRequest asks a [CMM] for the materials to read one item.
type DecryptionRequest struct {
	Suite AlgorithmSuite
	// Stored is the context read from the header: not yet authenticated.
	Stored EncryptionContext
	// Reproduced is the context that the reader rebuilt from the item and its
	// own configuration. A key in both must have one value.
	Reproduced        EncryptionContext
	EncryptedDataKeys []EncryptedDataKey
	// MaxEncryptedDataKeys bounds the recipients accepted; zero means 255.
	MaxEncryptedDataKeys int
}

// BranchKey is one version of a branch key. The holder owns it and wipes it
// after use.
type BranchKey struct {
	ID      string // the branch key's identifier
	Version string // UUID in its canonical text form, lower case
	secret  [32]byte
}

// NewBranchKey copies the 32-byte key.
func NewBranchKey(id, version string, key [32]byte) *BranchKey {
	return &BranchKey{ID: id, Version: version, secret: key}
}

// Key gives access to the key itself; valid until Wipe.
func (b *BranchKey) Key() []byte { return b.secret[:] }

// Clone returns a copy with a life of its own.
func (b *BranchKey) Clone() *BranchKey {
	return NewBranchKey(b.ID, b.Version, b.secret)
}

// Wipe overwrites the key.
func (b *BranchKey) Wipe() { clear(b.secret[:]) }

// BranchKeySource gives the hierarchical keyring its branch keys: a key store,
// a cache in front of one, or keys held in memory. Each call returns a copy
// that the caller wipes. Implementations must be safe for concurrent use.
type BranchKeySource interface {
	// Active returns the version that new items are written under.
	Active(ctx context.Context, branchKeyID string) (*BranchKey, error)
	// Version returns the version that an existing item names.
	Version(ctx context.Context, branchKeyID, version string) (*BranchKey, error)
}
