// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// EncryptionContext implements [atrest.Table].
func (s *Stream) EncryptionContext() map[string]string {
	table := s.Table()
	return atrest.EncryptionContext(table.Name, table.AccountID)
}

// Principal implements [atrest.Table].
func (s *Stream) Principal() string { return atrest.ServicePrincipal(s.Table().Region) }

// Loaded implements [atrest.Table].
func (s *Stream) Loaded() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.loaded
}

// Reachable implements [atrest.Table]. The state of the key is noted at the table.
func (s *Stream) Reachable(bool, time.Time) {}

// Load implements [atrest.Table]: it reads the records of the stream from the store,
// once.
func (s *Stream) Load(key []byte, generation int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded || s.kept.Table.Encryption.Generation != generation {
		return nil
	}
	seal, err := atrest.NewSealer(s.kept.Table.ID, key)
	if err != nil {
		return refusal.Internal(err)
	}
	err = s.cfg.Store.Range(bucketRecords(s.ARN, generation), func(name, sealed []byte) error {
		text, err := seal.OpenText(s.recordName(name), sealed)
		if err != nil {
			return err
		}
		r, err := readRecord(name, text)
		if err != nil {
			return err
		}
		at, ok := slices.BinarySearchFunc(s.kept.Shards, r.shard, func(shard *Shard, first uint64) int {
			return cmp.Compare(shard.First, first)
		})
		if !ok {
			return fmt.Errorf("a stored stream record belongs to no shard")
		}
		s.kept.Shards[at].records = append(s.kept.Shards[at].records, r)
		s.last = max(s.last, r.Sequence)
		if r.At.After(s.newest) {
			s.newest = r.At
		}
		return nil
	})
	if err != nil {
		for _, shard := range s.kept.Shards {
			shard.records = nil
		}
		return refusal.Internal(fmt.Errorf("stream %s: %w", s.ARN, err))
	}
	s.loaded = true
	return nil
}
