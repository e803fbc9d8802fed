// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"
)

// Shard is one shard of a stream.
type Shard struct {
	ID     string
	Parent string `json:",omitempty"` // the ID of the shard that it continues
	// First is where the sequence numbers of the shard start. Last is where they
	// end, zero while the shard is open.
	First uint64
	Last  uint64 `json:",omitempty"`

	// The shard takes the records of partition hashes from Low to High, both
	// included.
	Low, High      uint64
	Opened, Closed time.Time `json:",omitzero"`
	// Trimmed is the sequence number of the last record that is gone, zero if none
	// is.
	Trimmed uint64 `json:",omitempty"`

	records []*Record // in order, with the ones that are too old to be read
}

// newShard returns an open shard.
func newShard(parent string, first, low, high uint64, now time.Time) *Shard {
	return &Shard{ID: newShardID(now), Parent: parent, First: first, Low: low, High: high, Opened: now}
}

// newShardID returns the ID of a shard that opens at now.
func newShardID(now time.Time) string {
	var unique [4]byte
	rand.Read(unique[:]) // never fails
	return fmt.Sprintf("shardId-%020d-%s", now.UnixMilli(), hex.EncodeToString(unique[:]))
}

// open reports whether the shard still takes records.
func (s *Shard) open() bool { return s.Last == 0 }

// takes reports whether a record of a partition hash goes into the shard.
func (s *Shard) takes(hash uint64) bool { return s.open() && s.Low <= hash && hash <= s.High }

// index returns the position of the first record whose sequence number is at least
// from.
func (s *Shard) index(from uint64) int {
	at, _ := slices.BinarySearchFunc(s.records, from, func(r *Record, n uint64) int {
		return cmp.Compare(r.Sequence, n)
	})
	return at
}

// gone returns how many records are older than horizon.
func (s *Shard) gone(horizon time.Time) int {
	at, _ := slices.BinarySearchFunc(s.records, horizon, func(r *Record, t time.Time) int {
		return r.At.Compare(t)
	})
	return at
}

// trimmed reports whether a record was trimmed whose sequence number is at least
// from.
func (s *Shard) trimmed(from uint64, horizon time.Time) bool {
	n := s.gone(horizon)
	return s.Trimmed >= max(from, 1) || n > 0 && s.records[n-1].Sequence >= from
}

// forgotten reports whether the shard is closed and all of its records are trimmed.
func (s *Shard) forgotten(horizon time.Time) bool {
	return !s.open() && s.Closed.Before(horizon) && s.gone(horizon) == len(s.records)
}

// last returns the highest sequence number that the shard has used.
func (s *Shard) last() uint64 {
	n := max(s.First, s.Last, s.Trimmed)
	if len(s.records) > 0 {
		n = max(n, s.records[len(s.records)-1].Sequence)
	}
	return n
}

// end returns the position after all records of the shard.
func (s *Shard) end() uint64 {
	if n := len(s.records); n > 0 {
		return s.records[n-1].Sequence + 1
	}
	return max(s.First, s.Trimmed+1)
}

// divide returns the ranges of the children of a shard.
func (s *Shard) divide(split bool) [][2]uint64 {
	if !split || s.Low == s.High {
		return [][2]uint64{{s.Low, s.High}}
	}
	middle := s.Low + (s.High-s.Low)/2
	return [][2]uint64{{s.Low, middle}, {middle + 1, s.High}}
}

// whole is the range of the first shard of a stream.
var whole = [2]uint64{0, math.MaxUint64}
