// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Retention is how long a record can be read, and a stream after its end.
const Retention = 24 * time.Hour

const (
	// DefaultLife is how long a shard takes records. AWS closes one after some
	// hours.
	DefaultLife = 4 * time.Hour
	// busy is from how many records on a shard has two children.
	busy = 100_000
	// maxOpen bounds the open shards of a stream.
	maxOpen = 64
	// sweepPause is between two removals of old records. It gathers them, because
	// each removal files the shards of the stream.
	sweepPause = 10 * time.Minute
)

// Stream is one stream. Its methods may be called at the same time. Those that take
// a transaction change what is filed: the caller holds the lock of the table and
// submits the transaction before letting go of it.
type Stream struct {
	ARN string
	cfg *Config

	mu     sync.RWMutex
	kept   kept
	last   uint64    // the highest sequence number that was used
	newest time.Time // of the last record
	swept  time.Time
	loaded bool // the records are in memory
}

// kept is what is stored of a stream besides its records.
type kept struct {
	// Table is the table as it was when the stream began, with the current key, or
	// the key of the stream's end. The policy is the stream's own.
	Table   *schema.Definition
	Created time.Time
	Ended   time.Time `json:",omitzero"` // zero while enabled
	Settles time.Time `json:",omitzero"` // ENABLING or DISABLING until then
	Shards  []*Shard
}

var _ atrest.Table = (*Stream)(nil)

var bucketStreams = storage.Bucket{Name: "dynamodb/streams"}

// bucketRecords holds the sealed records of a stream under one table key.
func bucketRecords(arn string, generation int) storage.Bucket {
	return storage.Bucket{Name: "dynamodb/streamrecords/" + arn + "/" + strconv.Itoa(generation), PlainValues: true}
}

// start returns the stream that a table begins, whose definition names it, without
// filing it.
func start(cfg *Config, table *schema.Definition, now time.Time) *Stream {
	own := table.Clone()
	own.Policy, own.PolicyChanged, own.Restored = nil, time.Time{}, nil
	s := &Stream{ARN: table.StreamARN(), cfg: cfg, loaded: true, swept: now}
	s.kept = kept{Table: own, Created: now, Settles: table.Stream.Settles}
	s.kept.Shards = []*Shard{newShard("", s.next(now), whole[0], whole[1], now)}
	return s
}

// next uses up a sequence number.
func (s *Stream) next(now time.Time) uint64 {
	s.last = max(s.last+1, uint64(max(0, now.UnixNano())))
	return s.last
}

// save files the stream, but for its records. The caller holds the lock, or is the
// only one who knows the stream.
func (s *Stream) save(tx *storage.Tx) {
	value, err := json.Marshal(&s.kept)
	if err != nil {
		panic(fmt.Errorf("dynamodb: the record of a stream cannot be written: %w", err)) // plain data only
	}
	tx.Put(bucketStreams, []byte(s.ARN), value)
}

// Append adds the record of a change of the item under an ordered primary key, in
// memory and in tx, and seals it. Either item may be nil. A change between equal
// items has no record.
func (s *Stream) Append(tx *storage.Tx, seal *atrest.Sealer, primary string, old, next schema.Item, expired bool) {
	if old != nil && next != nil && ddbexpr.EqualItems(old, next) {
		return
	}
	r := newRecord(&s.kept.Table.Key, s.kept.Table.Stream.View, old, next, expired)
	hash := binary.BigEndian.Uint64([]byte(primary[:8]))
	s.mu.Lock()
	defer s.mu.Unlock()
	// A clock that is put back does not put records out of order.
	if now := s.cfg.Clock(); now.After(s.newest) {
		s.newest = now
	}
	r.At = s.newest
	changed := s.sweep(tx, r.At)
	to := s.shardOf(hash)
	if s.due(to, r.At) {
		s.replace(to, r.At)
		to, changed = s.shardOf(hash), true
	}
	if changed {
		s.save(tx)
	}
	r.Sequence, r.shard = s.next(r.At), to.First
	to.records = append(to.records, r)
	if s.cfg.Store.Durable() {
		s.put(tx, seal, r)
	}
}

// put seals a record and files it.
func (s *Stream) put(tx *storage.Tx, seal *atrest.Sealer, r *Record) {
	key := sequenceKey(r.Sequence)
	tx.Put(bucketRecords(s.ARN, s.kept.Table.Encryption.Generation), key,
		seal.SealText(s.recordName(key), appendRecord(make([]byte, 0, 1024), r)))
}

// recordName is what a sealed record is bound to. It cannot be the name of an item,
// which has the length of a hash.
func (s *Stream) recordName(key []byte) []byte { return append([]byte(s.ARN+"/"), key...) }

// shardOf returns the open shard that takes a partition hash: there is always one.
func (s *Stream) shardOf(hash uint64) *Shard {
	// The youngest shards are last.
	for _, shard := range slices.Backward(s.kept.Shards) {
		if shard.takes(hash) {
			return shard
		}
	}
	panic("dynamodb: a stream without an open shard for a partition")
}

// due reports whether an open shard must not take another record.
func (s *Stream) due(shard *Shard, now time.Time) bool {
	return !now.Before(shard.Opened.Add(s.cfg.Life)) || s.cfg.Split != nil && s.cfg.Split(s.kept.Table.Name)
}

// replace closes a shard and opens its children: two if it was busy or is asked to
// split before its time.
func (s *Stream) replace(shard *Shard, now time.Time) {
	open := 0
	for _, other := range s.kept.Shards {
		if other.open() {
			open++
		}
	}
	early := now.Before(shard.Opened.Add(s.cfg.Life))
	shard.Last, shard.Closed = s.next(now), now
	for _, part := range shard.divide((early || len(shard.records) >= busy) && open < maxOpen) {
		s.kept.Shards = append(s.kept.Shards, newShard(shard.ID, s.next(now), part[0], part[1], now))
	}
}

// sweep removes the records and the shards that are too old to be read, unless it
// has done so a short time ago. It reports whether the stream must be saved.
func (s *Stream) sweep(tx *storage.Tx, now time.Time) (changed bool) {
	if now.Sub(s.swept) < sweepPause {
		return false
	}
	s.swept = now
	horizon := now.Add(-Retention)
	bucket := bucketRecords(s.ARN, s.kept.Table.Encryption.Generation)
	for _, shard := range s.kept.Shards {
		n := shard.gone(horizon)
		if n == 0 {
			continue
		}
		changed = true
		shard.Trimmed = shard.records[n-1].Sequence
		for _, r := range shard.records[:n] {
			tx.Delete(bucket, sequenceKey(r.Sequence))
		}
		shard.records = slices.Clone(shard.records[n:]) // the old array would keep the records
	}
	before := len(s.kept.Shards)
	s.kept.Shards = slices.DeleteFunc(s.kept.Shards, func(shard *Shard) bool { return shard.forgotten(horizon) })
	return changed || len(s.kept.Shards) != before
}

// Tend does at now what time alone does to the stream of a table: it closes shards
// and removes old records.
func (s *Stream) Tend(tx *storage.Tx, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.kept.Ended.IsZero() {
		return
	}
	changed := s.loaded && s.sweep(tx, now)
	s.catchUp()
	for _, shard := range slices.Clone(s.kept.Shards) {
		if s.old(shard, now) {
			s.replace(shard, now)
			changed = true
		}
	}
	if changed {
		s.save(tx)
	}
}

// old reports whether an open shard is past its life.
func (s *Stream) old(shard *Shard, now time.Time) bool {
	return shard.open() && !now.Before(shard.Opened.Add(s.cfg.Life))
}

// Untended reports whether [Stream.Tend] has anything to do at now.
func (s *Stream) Untended(now time.Time) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.kept.Ended.IsZero() && (s.loaded && now.Sub(s.swept) >= sweepPause ||
		slices.ContainsFunc(s.kept.Shards, func(shard *Shard) bool { return s.old(shard, now) }))
}

// End ends the stream of a table: all shards close. It stays DISABLING until
// settles.
func (s *Stream) End(tx *storage.Tx, settles time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock()
	s.kept.Ended, s.kept.Settles = now, settles
	s.catchUp()
	for _, shard := range s.kept.Shards {
		if shard.open() {
			shard.Last, shard.Closed = s.next(now), now
		}
	}
	s.save(tx)
}

// Edit changes the settings that a stream has of its own and files them, or returns
// the error of change. change gets the definition of the table, in which the policy
// is the stream's. While the stream is enabled the caller holds the lock of the
// table.
func (s *Stream) Edit(change func(*schema.Definition) error) (storage.Pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.kept.Table.Clone()
	if err := change(next); err != nil {
		return nil, err
	}
	s.kept.Table = next
	tx := new(storage.Tx)
	s.save(tx)
	return s.cfg.Store.Submit(tx), nil
}

// catchUp makes the sequence numbers of stored records used if the records are not in
// memory. Their names are not sealed.
func (s *Stream) catchUp() {
	if s.loaded {
		return
	}
	_ = s.cfg.Store.Range(bucketRecords(s.ARN, s.kept.Table.Encryption.Generation), func(name, _ []byte) error {
		if len(name) == 8 {
			s.last = max(s.last, binary.BigEndian.Uint64(name))
		}
		return nil
	})
}

// Reseal seals the records under the next key of the table. They are in memory.
func (s *Stream) Reseal(tx *storage.Tx, seal *atrest.Sealer, next schema.Encryption) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.kept.Table.Encryption.Generation
	table := s.kept.Table.Clone()
	table.Encryption = next
	s.kept.Table = table
	if s.cfg.Store.Durable() {
		for _, shard := range s.kept.Shards {
			for _, r := range shard.records {
				s.put(tx, seal, r)
			}
		}
	}
	tx.Drop(bucketRecords(s.ARN, before))
	s.save(tx)
}
