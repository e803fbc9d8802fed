// SPDX-License-Identifier: Apache-2.0

package plaintextescrow

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/envelope/internal/gcm"
	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

const (
	keyLength = 32
	tagLength = 16
	suite     = materials.SuiteSymmetricSignature
)

// The sealing key is used once, so the nonce is constant.
var nonce [12]byte

// ExportConfig says what to export and who can open the export.
type ExportConfig struct {
	Store keystore.Store
	// BranchKeyIDs are the branch keys to export with all their versions: at
	// least one, and each only once.
	BranchKeyIDs []string
	// Keyring wraps the key that seals the archive.
	Keyring materials.Keyring
}

// Export reads all versions of the branch keys and encrypts them. If it cannot
// read one of them, it exports nothing. Errors: [materials.ErrConfiguration],
// [ErrArchive] if the store lists more than an archive can have, and those of
// store and keyring.
func Export(ctx context.Context, c ExportConfig) (*Archive, error) {
	ids := slices.Compact(slices.Sorted(slices.Values(c.BranchKeyIDs)))
	if nilvalue.Is(c.Store) || nilvalue.Is(c.Keyring) || len(ids) == 0 || len(ids) != len(c.BranchKeyIDs) {
		return nil, fmt.Errorf("%w: escrow needs a key store, a keyring and branch key ids, each once",
			materials.ErrConfiguration)
	}
	a := &Archive{Format: format, LogicalName: c.Store.LogicalName()}
	var keys []byte
	defer func() { clear(keys[:cap(keys)]) }()
	for _, id := range c.BranchKeyIDs {
		versions, err := c.Store.Versions(ctx, id)
		if err != nil {
			return nil, err
		}
		if cap(keys)-len(keys) < len(versions)*keyLength {
			// Grow by hand: append would leave copies behind.
			larger := make([]byte, len(keys), 2*cap(keys)+len(versions)*keyLength)
			copy(larger, keys)
			clear(keys)
			keys = larger
		}
		for _, v := range versions {
			key, err := c.Store.Version(ctx, id, v.Version)
			if err != nil {
				return nil, err
			}
			keys = append(keys, key.Key()...)
			key.Wipe()
			a.Entries = append(a.Entries,
				Entry{BranchKeyID: id, Version: v.Version, CreateTime: v.CreateTime, Active: v.Active})
		}
	}
	m, err := materials.NewEncryption(suite, escrowContext(a), nil, nil, 0)
	if err != nil {
		return nil, err
	}
	defer m.Wipe()
	if err := c.Keyring.OnEncrypt(ctx, m); err != nil {
		return nil, err
	}
	if err := m.Complete(); err != nil {
		return nil, err
	}
	for _, k := range m.EncryptedDataKeys() {
		a.Recipients = append(a.Recipients, Recipient(k))
	}
	aead, err := sealing(m.DataKey())
	if err != nil {
		return nil, err
	}
	a.Sealed = aead.Seal(nil, nonce[:], keys, a.description())
	if err := a.validate(); err != nil {
		return nil, err
	}
	return a, nil
}

// escrowContext binds the wrapped sealing key to its purpose: no keyring opens
// it as an item's key.
func escrowContext(a *Archive) materials.EncryptionContext {
	return materials.EncryptionContext{"ddbseal-escrow": a.Format, "ddbseal-logical-name": a.LogicalName}
}

func sealing(dataKey []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha512.New, dataKey, nil, format+" seal", keyLength)
	if err != nil {
		return nil, err
	}
	return gcm.Take(key)
}

// Source has the branch keys of an archive, to decrypt items. It refuses to
// encrypt, because new items after a disaster belong under new branch keys.
type Source struct {
	logicalName string
	entries     []Entry
	keys        *keyring.MemorySource
}

var _ materials.BranchKeySource = (*Source)(nil)

// Open decrypts an archive with a keyring that can open one of its recipients.
// It returns nothing of an archive that was changed. Errors: [ErrArchive],
// [materials.ErrConfiguration] without a keyring, [materials.ErrMaterials] if
// the keyring opens no recipient, and those of the keyring.
func Open(ctx context.Context, a *Archive, k materials.Keyring) (*Source, error) {
	if nilvalue.Is(k) {
		return nil, fmt.Errorf("%w: escrow needs a keyring", materials.ErrConfiguration)
	}
	if err := a.validate(); err != nil {
		return nil, err
	}
	m, err := materials.NewDecryption(suite, escrowContext(a))
	if err != nil {
		return nil, err
	}
	defer m.Wipe()
	recipients := make([]materials.EncryptedDataKey, 0, len(a.Recipients))
	for _, r := range a.Recipients {
		recipients = append(recipients, materials.EncryptedDataKey(r))
	}
	if err := k.OnDecrypt(ctx, m, recipients); err != nil {
		return nil, err
	}
	if m.DataKey() == nil {
		return nil, fmt.Errorf("%w: the keyring opened no recipient", materials.ErrMaterials)
	}
	aead, err := sealing(m.DataKey())
	if err != nil {
		return nil, err
	}
	keys, err := aead.Open(nil, nonce[:], a.Sealed, a.description())
	if err != nil {
		return nil, fmt.Errorf("%w: it was altered", ErrArchive)
	}
	defer clear(keys)
	s := &Source{logicalName: a.LogicalName, entries: slices.Clone(a.Entries), keys: &keyring.MemorySource{}}
	for i, e := range a.Entries {
		key := materials.NewBranchKey(e.BranchKeyID, e.Version, [keyLength]byte(keys[i*keyLength:]))
		err := s.keys.Add(key)
		key.Wipe()
		if err != nil {
			s.Wipe()
			return nil, fmt.Errorf("%w: %w", ErrArchive, err)
		}
	}
	return s, nil
}

// LogicalName returns the name of the key store that was exported.
func (s *Source) LogicalName() string { return s.logicalName }

// Entries returns the versions that s has.
func (s *Source) Entries() []Entry { return slices.Clone(s.entries) }

// Active always fails with [materials.ErrUnsupported]; see [Source].
func (s *Source) Active(_ context.Context, branchKeyID string) (*materials.BranchKey, error) {
	return nil, fmt.Errorf("%w: keys from escrow open items, they do not write new ones (branch key %.100q)",
		materials.ErrUnsupported, branchKeyID)
}

// Version returns a copy of one version. Errors: keyring.ErrNoBranchKey.
func (s *Source) Version(ctx context.Context, branchKeyID, version string) (*materials.BranchKey, error) {
	return s.keys.Version(ctx, branchKeyID, version)
}

// Wipe overwrites all keys; the source then has none.
func (s *Source) Wipe() {
	for _, e := range s.entries {
		s.keys.Remove(e.BranchKeyID)
	}
}
