// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"context"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/keyring/internal/recipient"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// hierarchyProvider is the provider id of branch key recipients, and a part of
// their key derivation and additional authenticated data.
const hierarchyProvider = "aws-kms-hierarchy"

// HierarchicalConfig configures a [Hierarchical] keyring.
type HierarchicalConfig struct {
	// Source gives the branch keys: a key store behind a cache, or keys in
	// memory. The keyring itself caches nothing.
	Source materials.BranchKeySource
	// BranchKeyID is the one branch key of all items. Either this or Supplier.
	BranchKeyID string
	// Supplier chooses the branch key of each item, on writing and on reading.
	Supplier BranchKeySupplier
}

// Hierarchical wraps each item's keys under a branch key that a key service
// protects, so that the service is asked once per branch key instead of once
// per item (Material Providers specification, [aws-kms-hierarchical-keyring]).
// New items use the active version of the branch key; reading uses the version
// that the item names.
//
// [aws-kms-hierarchical-keyring]: https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/framework/aws-kms/aws-kms-hierarchical-keyring.md
type Hierarchical struct {
	source   materials.BranchKeySource
	id       string
	supplier BranchKeySupplier
}

var (
	_ materials.Keyring  = (*Hierarchical)(nil)
	_ recipient.Preparer = (*Hierarchical)(nil)
)

// NewHierarchical returns a keyring on branch keys. Errors:
// [materials.ErrConfiguration].
func NewHierarchical(c HierarchicalConfig) (*Hierarchical, error) {
	switch {
	case nilvalue.Is(c.Source):
		return nil, fmt.Errorf("%w: hierarchical keyring needs a source of branch keys", materials.ErrConfiguration)
	case (c.BranchKeyID == "") == (c.Supplier == nil):
		return nil, fmt.Errorf("%w: hierarchical keyring needs either a branch key id or a supplier of it",
			materials.ErrConfiguration)
	}
	if c.Supplier == nil {
		if err := checkBranchKeyID(c.BranchKeyID); err != nil {
			return nil, fmt.Errorf("%w: hierarchical keyring: %w", materials.ErrConfiguration, err)
		}
	}
	return &Hierarchical{source: c.Source, id: c.BranchKeyID, supplier: c.Supplier}, nil
}

func checkBranchKeyID(id string) error {
	switch {
	case id == "":
		return errors.New("the branch key id is empty")
	case len(id) > math.MaxUint16:
		return errors.New("the branch key id is too long for the item's header")
	case !utf8.ValidString(id):
		return errors.New("the branch key id is not UTF-8")
	}
	return nil
}

// OnEncrypt adds one recipient under the active version of the branch key.
func (k *Hierarchical) OnEncrypt(ctx context.Context, m *materials.Encryption) error {
	return recipient.Encrypt(ctx, k, m)
}

// Prepare wraps a fresh intermediate key; [Multi] uses it.
func (k *Hierarchical) Prepare(ctx context.Context, m *materials.Encryption) (materials.Recipient, error) {
	id, err := k.branchKeyID(ctx, m.Context())
	if err != nil {
		return materials.Recipient{}, err
	}
	branch, err := k.source.Active(ctx, id)
	if err != nil {
		return materials.Recipient{}, branchKeyError(id, err)
	}
	if branch == nil {
		return materials.Recipient{}, branchKeyError(id, errWrongBranchKey)
	}
	defer branch.Wipe()
	version, err := parseVersion(branch.Version)
	if err != nil || branch.ID != id {
		return materials.Recipient{}, branchKeyError(id, errWrongBranchKey)
	}
	intermediate, wrapped, err := recipient.Draw(func(intermediate []byte) ([]byte, error) {
		return wrapUnderBranchKey(branch.Key(), version, id, intermediate, m.SerializedContext())
	})
	if err != nil {
		return materials.Recipient{}, branchKeyError(id, err)
	}
	return materials.Recipient{
		ProviderID:             hierarchyProvider,
		ProviderInfo:           []byte(id),
		IntermediateKey:        intermediate,
		WrappedIntermediateKey: wrapped,
	}, nil
}

// OnDecrypt opens the first encrypted data key under the item's branch key
// that opens. Encrypted data keys of other branch keys are not tried, so that
// an item cannot make one tenant's reader use another tenant's key.
func (k *Hierarchical) OnDecrypt(ctx context.Context, m *materials.Decryption,
	keys []materials.EncryptedDataKey) error {
	if m.DataKey() != nil {
		return nil
	}
	if !hasProvider(keys, hierarchyProvider) {
		return new(recipient.Attempts).Err(keys) // before asking the supplier
	}
	id, err := k.branchKeyID(ctx, m.Context())
	if err != nil {
		return err
	}
	var tried recipient.Attempts
	for _, key := range keys {
		if key.ProviderID != hierarchyProvider || string(key.ProviderInfo) != id {
			continue
		}
		if err := k.open(ctx, m, id, key); err != nil {
			tried.Add(branchKeyError(id, err))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		return nil
	}
	return tried.Err(keys)
}

func hasProvider(keys []materials.EncryptedDataKey, provider string) bool {
	for _, key := range keys {
		if key.ProviderID == provider {
			return true
		}
	}
	return false
}

func (k *Hierarchical) open(ctx context.Context, m *materials.Decryption, id string,
	key materials.EncryptedDataKey) error {
	wrapped, err := wrappedIntermediateKey(key, branchWrappedLength)
	if err != nil {
		return err
	}
	version := uuid.UUID(wrapped[branchVersionOffset:])
	branch, err := k.source.Version(ctx, id, version.String())
	if err != nil {
		return err
	}
	if branch == nil {
		return errWrongBranchKey
	}
	defer branch.Wipe()
	if branch.ID != id || branch.Version != version.String() {
		return errWrongBranchKey
	}
	intermediate, err := unwrapUnderBranchKey(branch.Key(), id, wrapped, m.SerializedContext())
	if err != nil {
		return err
	}
	return recipient.Open(m, intermediate, key)
}

func (k *Hierarchical) branchKeyID(ctx context.Context, c materials.EncryptionContext) (string, error) {
	if k.supplier == nil {
		return k.id, nil
	}
	attributes, err := contextAttributes(c)
	if err != nil {
		return "", err
	}
	id, err := k.supplier(ctx, attributes)
	if err != nil {
		return "", fmt.Errorf("%w: branch key supplier: %w", materials.ErrMaterials, err)
	}
	if err := checkBranchKeyID(id); err != nil {
		return "", fmt.Errorf("%w: branch key supplier: %w", materials.ErrMaterials, err)
	}
	return id, nil
}

var errWrongBranchKey = fmt.Errorf("%w: the source answered with another branch key or version", materials.ErrMaterials)

// branchKeyError names the branch key unless the source already did.
func branchKeyError(id string, err error) error {
	var e *materials.KeyError
	if errors.As(err, &e) {
		return err
	}
	return &materials.KeyError{Provider: hierarchyProvider, KeyID: id, Err: err}
}
