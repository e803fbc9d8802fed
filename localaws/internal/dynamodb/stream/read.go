// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// maxBytes is how much one read returns, by the sizes of the records. One record
// alone may be larger.
const maxBytes = 1 << 20

// Table returns the table of the stream as it was when the stream began, with the
// key that the records are sealed under.
func (s *Stream) Table() *schema.Definition {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.kept.Table
}

// Description is what DescribeStream says of a stream.
type Description struct {
	Status  string
	Created time.Time
	Table   *schema.Definition
	Shards  []Shard // in the order in which they were opened
}

// Describe returns the stream as it is at now, without the shards whose records are
// all trimmed.
func (s *Stream) Describe(now time.Time) Description {
	s.mu.RLock()
	defer s.mu.RUnlock()
	d := Description{Status: "ENABLED", Created: s.kept.Created, Table: s.kept.Table}
	switch settled := !now.Before(s.kept.Settles); {
	case s.kept.Ended.IsZero() && !settled:
		d.Status = "ENABLING"
	case s.kept.Ended.IsZero():
	case settled:
		d.Status = "DISABLED"
	default:
		d.Status = "DISABLING"
	}
	for _, shard := range s.kept.Shards {
		if !shard.forgotten(now.Add(-Retention)) {
			shown := *shard
			shown.records = nil
			d.Shards = append(d.Shards, shown)
		}
	}
	return d
}

// over reports whether the stream has ended so long ago that it is gone.
func (s *Stream) over(now time.Time) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return !s.kept.Ended.IsZero() && !now.Before(s.kept.Ended.Add(Retention))
}

// shard returns a shard of which a record can still come, or nil. The caller holds
// the lock.
func (s *Stream) shard(id string, now time.Time) *Shard {
	at := slices.IndexFunc(s.kept.Shards, func(shard *Shard) bool { return shard.ID == id })
	if at < 0 || s.kept.Shards[at].forgotten(now.Add(-Retention)) {
		return nil
	}
	return s.kept.Shards[at]
}

// noShard returns the ResourceNotFoundException of a shard that the stream does not
// have.
func (s *Stream) noShard(id string) error {
	return request.Errorf("ResourceNotFoundException", "Requested resource not found: Shard: %s in Stream: %s not "+
		"found", id, s.ARN)
}

// errTrimmed is the refusal of a position before the oldest record.
func errTrimmed() error {
	return request.Errorf("TrimmedDataAccessException", "The operation attempted to read past the oldest stream "+
		"record in a shard: records older than 24 hours are trimmed. Get a new shard iterator of type TRIM_HORIZON.")
}

// Batch is what one read returned.
type Batch struct {
	Records []*Record
	Next    uint64 // the position of the next read
	End     bool   // nothing will ever come at Next
}

// Read returns at most limit records of a shard from a position on, and not much
// more than 1 MB. It returns a TrimmedDataAccessException if a record at the position
// or after it was trimmed.
func (s *Stream) Read(id string, position uint64, limit int, now time.Time) (Batch, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	shard := s.shard(id, now)
	if shard == nil || shard.trimmed(position, now.Add(-Retention)) {
		return Batch{}, errTrimmed() // an iterator named a shard that was there
	}
	b, size := Batch{Next: position}, 0
	rest := shard.records[shard.index(position):]
	for _, r := range rest[:min(limit, len(rest))] {
		if size += r.Size(); size > maxBytes && len(b.Records) > 0 {
			break
		}
		b.Records = append(b.Records, r)
		b.Next = r.Sequence + 1
	}
	b.End = !shard.open() && len(b.Records) == len(rest)
	return b, nil
}
