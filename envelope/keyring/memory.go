// SPDX-License-Identifier: Apache-2.0

package keyring

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// ErrNoBranchKey means that a branch key source has no such branch key or version.
var ErrNoBranchKey = errors.New("no such branch key")

// MemorySource is a [materials.BranchKeySource] and a
// [materials.BeaconKeySource] that holds keys in memory: for tests, for published
// test vectors, and for opening items from keys restored from escrow. It neither
// fetches nor expires anything. The zero value is empty and ready to use.
type MemorySource struct {
	mu      sync.RWMutex
	keys    map[string]*memoryKey           // by branch key id
	beacons map[string]*materials.BeaconKey // by branch key id
}

// memoryKey is a branch key's versions.
type memoryKey struct {
	versions map[string]*materials.BranchKey
	active   string
}

var (
	_ materials.BranchKeySource = (*MemorySource)(nil)
	_ materials.BeaconKeySource = (*MemorySource)(nil)
)

// NewMemorySource holds copies of the keys; of several versions of one branch
// key the last is the active one. Errors: as [MemorySource.Add].
func NewMemorySource(keys ...*materials.BranchKey) (*MemorySource, error) {
	s := &MemorySource{}
	for _, k := range keys {
		if err := s.Add(k); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Add holds a copy of the key and makes it the active version of its branch
// key. It fails with [materials.ErrConfiguration] on an empty id or a version
// that is not a UUID in canonical form.
func (s *MemorySource) Add(k *materials.BranchKey) error {
	if k == nil || k.ID == "" {
		return fmt.Errorf("%w: branch key without id", materials.ErrConfiguration)
	}
	if _, err := parseVersion(k.Version); err != nil {
		return fmt.Errorf("%w: branch key %q: %w", materials.ErrConfiguration, k.ID, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = make(map[string]*memoryKey)
	}
	of := s.keys[k.ID]
	if of == nil {
		of = &memoryKey{versions: make(map[string]*materials.BranchKey)}
		s.keys[k.ID] = of
	}
	if old := of.versions[k.Version]; old != nil {
		old.Wipe()
	}
	of.versions[k.Version] = k.Clone()
	of.active = k.Version
	return nil
}

// AddBeaconKey holds a copy of the beacon key of a branch key, in place of the
// one before. It fails with [materials.ErrConfiguration] on an empty id.
func (s *MemorySource) AddBeaconKey(k *materials.BeaconKey) error {
	if k == nil || k.ID == "" {
		return fmt.Errorf("%w: beacon key without the id of its branch key", materials.ErrConfiguration)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beacons == nil {
		s.beacons = make(map[string]*materials.BeaconKey)
	}
	if old := s.beacons[k.ID]; old != nil {
		old.Wipe()
	}
	s.beacons[k.ID] = k.Clone()
	return nil
}

// BeaconKey returns a copy of the beacon key that was added. Errors:
// [ErrNoBranchKey].
func (s *MemorySource) BeaconKey(_ context.Context, branchKeyID string) (*materials.BeaconKey, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if k := s.beacons[branchKeyID]; k != nil {
		return k.Clone(), nil
	}
	return nil, fmt.Errorf("%w: beacon key of branch key %.100q", ErrNoBranchKey, branchKeyID)
}

// Remove wipes and drops every version of a branch key, and its beacon key.
func (s *MemorySource) Remove(branchKeyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of := s.keys[branchKeyID]; of != nil {
		for _, k := range of.versions {
			k.Wipe()
		}
		delete(s.keys, branchKeyID)
	}
	if k := s.beacons[branchKeyID]; k != nil {
		k.Wipe()
		delete(s.beacons, branchKeyID)
	}
}

// Active returns a copy of the version added last. Errors: [ErrNoBranchKey].
func (s *MemorySource) Active(_ context.Context, branchKeyID string) (*materials.BranchKey, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if of := s.keys[branchKeyID]; of != nil {
		return of.versions[of.active].Clone(), nil
	}
	return nil, fmt.Errorf("%w: branch key %.100q", ErrNoBranchKey, branchKeyID)
}

// Version returns a copy of one version. Errors: [ErrNoBranchKey].
func (s *MemorySource) Version(_ context.Context, branchKeyID, version string) (*materials.BranchKey, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if of := s.keys[branchKeyID]; of != nil && of.versions[version] != nil {
		return of.versions[version].Clone(), nil
	}
	return nil, fmt.Errorf("%w: branch key %.100q, version %.36q", ErrNoBranchKey, branchKeyID, version)
}

// parseVersion reads a branch key version: a UUID in the canonical form of 36
// lower-case characters, the only one that every client writes.
func parseVersion(version string) (uuid.UUID, error) {
	u, err := uuid.Parse(version)
	if err != nil || u.String() != version {
		return uuid.UUID{}, fmt.Errorf("version %.40q is not a lower-case UUID", version)
	}
	return u, nil
}
