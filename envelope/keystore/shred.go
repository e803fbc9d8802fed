// SPDX-License-Identifier: Apache-2.0

package keystore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// VersionInfo describes one version of a branch key. It is read from the
// storage and not authenticated.
type VersionInfo struct {
	Version    string // UUID
	CreateTime string // verbatim
	KMSKeyARN  string
	Active     bool
}

// Versions lists the versions of a branch key, oldest first by creation time.
// Errors: [ErrNotFound] if there is none, or another [materials.KeyError].
func (s *KeyStore) Versions(ctx context.Context, branchKeyID string) ([]VersionInfo, error) {
	records, err := s.list(ctx, branchKeyID)
	if err != nil {
		return nil, err
	}
	var active string
	var versions []VersionInfo
	for _, r := range records {
		if err := r.validate(branchKeyID, r.Type()); err != nil {
			return nil, recordError(branchKeyID, err)
		}
		switch r.Type() {
		case typeActive:
			active = r.version()
		case typeBeacon:
		default:
			versions = append(versions,
				VersionInfo{Version: r.version(), CreateTime: r.Attributes[attributeCreateTime],
					KMSKeyARN: r.Attributes[attributeKMSARN]})
		}
	}
	if len(versions) == 0 {
		return nil, recordError(branchKeyID, fmt.Errorf("%w: it has no versions", ErrNotFound))
	}
	for i := range versions {
		versions[i].Active = versions[i].Version == active
	}
	slices.SortFunc(versions, func(a, b VersionInfo) int {
		return cmp.Or(strings.Compare(a.CreateTime, b.CreateTime), strings.Compare(a.Version, b.Version))
	})
	return versions, nil
}

func (s *KeyStore) list(ctx context.Context, branchKeyID string) ([]Record, error) {
	s.storageCalls.Add(1)
	records, err := s.storage.List(ctx, branchKeyID)
	if err != nil {
		return nil, recordError(branchKeyID, err)
	}
	return records, nil
}

// Shred destroys a branch key: all versions and the beacon key, irrevocably,
// and with them every item under it. It returns when a consistent read finds
// nothing left; a branch key that is not there fails with [ErrNotFound].
// Discovery stores refuse with [materials.ErrConfiguration].
//
// What it cannot reach: caches of running processes, which go on until their
// lifetime ends (cache.Cache.Forget drops this process's), exports to escrow,
// and backups or point-in-time recovery of the table, from which the records
// can be restored as long as the KMS key lives. A tenant whose data must be
// unrecoverable at once needs a KMS key of its own, deleted as well.
func (s *KeyStore) Shred(ctx context.Context, branchKeyID string) error {
	if err := s.kms.writable("Shred"); err != nil {
		return err
	}
	for round := 0; ; round++ {
		records, err := s.list(ctx, branchKeyID)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			if round == 0 {
				return recordError(branchKeyID, ErrNotFound)
			}
			return nil
		}
		// The active record first: without it no version can be added, so a
		// rotation at the same time leaves at most one for the next round.
		var kinds []string
		for _, r := range records {
			kinds = append(kinds, r.Type())
		}
		slices.SortFunc(kinds, func(a, b string) int {
			return cmp.Or(-cmp.Compare(btoi(a == typeActive), btoi(b == typeActive)), strings.Compare(a, b))
		})
		s.storageCalls.Add(1)
		if err := s.storage.Delete(ctx, branchKeyID, kinds); err != nil {
			return recordError(branchKeyID, err)
		}
		if round >= maxShredRounds {
			return recordError(branchKeyID, fmt.Errorf("%w: records of it keep appearing", ErrConflict))
		}
	}
}

// maxShredRounds: one round is enough unless others create and rotate the key
// all the time.
const maxShredRounds = 10

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
