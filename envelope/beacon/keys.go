// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Keys are the keys of all beacons under one branch key. They come from
// [Search.Keys] and are given back with [Keys.Release]. They do not change and
// are safe for concurrent use until then.
type Keys struct {
	id   string
	macs []macKey
	// refs counts the holders: the cache is one of them. Without holders the
	// keys are wiped.
	refs atomic.Int64
}

// BranchKeyID returns the id of the branch key.
func (k *Keys) BranchKeyID() string { return k.id }

// Release returns the keys to the Search. Do not use them afterwards. Release
// of nil does nothing.
func (k *Keys) Release() {
	if k != nil && k.refs.Add(-1) == 0 {
		for i := range k.macs {
			k.macs[i].wipe()
		}
	}
}

// Format prints a constant: keys never show in a log.
func (k *Keys) Format(w fmt.State, _ rune) { _, _ = fmt.Fprint(w, "[beacon keys]") }

// fetchTimeout bounds one fetch of a beacon key, the client's retries included.
const fetchTimeout = 10 * time.Second

// Keys returns the keys of a branch key: with [KeySource.BranchKeyID] set, of
// that one, and branchKeyID is empty or equal to it. The caller releases them.
// Errors match [materials.ErrKeyDenied] or [materials.ErrMaterials] and hold a
// [materials.KeyError] with the branch key id, or match the error of ctx.
func (s *Search) Keys(ctx context.Context, branchKeyID string) (*Keys, error) {
	if s.branchKeyID != "" {
		if branchKeyID != "" && branchKeyID != s.branchKeyID {
			return nil, keyError(branchKeyID, errOtherBranchKey)
		}
		branchKeyID = s.branchKeyID
	}
	if branchKeyID == "" {
		return nil, keyError("", errNoBranchKey)
	}
	return s.cache.get(ctx, branchKeyID)
}

// Forget wipes and drops the keys of a branch key, say after it was shredded.
// Operations that use the keys at that moment can still finish.
func (s *Search) Forget(branchKeyID string) { s.cache.forget(branchKeyID) }

var (
	errOtherBranchKey = errors.New("the beacons of this configuration are under another branch key")
	errNoBranchKey    = errors.New("no branch key is known")
	errWrongBeaconKey = errors.New("the source of beacon keys answered with another beacon key or none")
	errAbandoned      = errors.New("the source of beacon keys gave up without an answer")
)

// provider names the kind of key in errors, as the hierarchical keyring does.
const provider = "aws-kms-hierarchy"

// keyError names the branch key unless the source already did, and puts an
// error without a class into ErrMaterials.
func keyError(id string, err error) error {
	var named *materials.KeyError
	if !errors.As(err, &named) {
		err = &materials.KeyError{Provider: provider, KeyID: id, Err: err}
	}
	for _, class := range []error{materials.ErrMaterials, materials.ErrKeyDenied} {
		if errors.Is(err, class) {
			return fmt.Errorf("beacon key: %w", err)
		}
	}
	return fmt.Errorf("%w: beacon key: %w", materials.ErrMaterials, err)
}

// fetch gets the beacon key of a branch key and derives the keys of the beacons
// from it. (Specification: [search-config], "Get Beacon Key Materials".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#get-beacon-key-materials
func (s *Search) fetch(ctx context.Context, id string) (keys *Keys, err error) {
	defer func() {
		if recover() != nil { // its text could hold a secret
			keys, err = nil, keyError(id, errAbandoned)
		}
	}()
	key, err := s.source.BeaconKey(ctx, id)
	switch {
	case err != nil && errors.Is(err, ctx.Err()):
		return nil, keyError(id, fmt.Errorf("%w: no answer within %v: %w", cache.ErrUnavailable, fetchTimeout, err))
	case err != nil:
		return nil, keyError(id, err)
	case key == nil:
		return nil, keyError(id, errWrongBeaconKey)
	}
	defer key.Wipe()
	if key.ID != id {
		return nil, keyError(id, errWrongBeaconKey)
	}
	return s.derive(id, key.Key())
}

// derive returns the keys with one holder.
func (s *Search) derive(id string, beaconKey []byte) (*Keys, error) {
	k := &Keys{id: id, macs: make([]macKey, len(s.keyNames))}
	k.refs.Store(1)
	for i, name := range s.keyNames {
		var err error
		if k.macs[i], err = deriveKey(beaconKey, name); err != nil {
			k.Release()
			return nil, keyError(id, err)
		}
	}
	return k, nil
}
