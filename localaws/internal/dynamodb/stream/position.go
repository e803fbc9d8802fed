// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// The methods of this file find where an iterator starts. No key is needed for that,
// so the records may still be sealed. The time of a record is then read off its
// sequence number, which is not lower.

// Oldest returns the position of the oldest record of a shard.
func (s *Stream) Oldest(id string, now time.Time) (uint64, error) {
	return s.From(id, time.Time{}, now)
}

// From returns the position of the first record of a shard that is not older than
// at.
func (s *Stream) From(id string, at, now time.Time) (uint64, error) {
	return s.position(id, now, func(shard *Shard) (uint64, error) {
		if horizon := now.Add(-Retention); at.Before(horizon) {
			at = horizon
		}
		if !s.loaded {
			return max(shard.First, uint64(max(0, at.UnixNano()))), nil
		}
		if n := shard.gone(at); n < len(shard.records) {
			return shard.records[n].Sequence, nil
		}
		return shard.end(), nil
	})
}

// Latest returns the position after the newest record of a shard.
func (s *Stream) Latest(id string, now time.Time) (uint64, error) {
	return s.position(id, now, func(shard *Shard) (uint64, error) {
		if !s.loaded {
			s.catchUp()
			return s.last + 1, nil
		}
		return shard.end(), nil
	})
}

// At returns the position of a sequence number in a shard, or the position behind
// it. It returns a ValidationException for a number that does not belong to the
// shard and a TrimmedDataAccessException for a number that is older than the oldest
// record. While the records are sealed, only the read finds out the latter.
func (s *Stream) At(id string, sequence uint64, behind bool, now time.Time) (uint64, error) {
	return s.position(id, now, func(shard *Shard) (uint64, error) {
		position := sequence
		if behind {
			position++
		}
		switch {
		case sequence < shard.First || shard.Last != 0 && sequence > shard.Last:
			return 0, refusal.Validation("Invalid SequenceNumber: " + FormatSequence(sequence) + " is not a sequence " +
				"number of shard " + id)
		case shard.trimmed(position, now.Add(-Retention)):
			return 0, errTrimmed()
		}
		return position, nil
	})
}

func (s *Stream) position(id string, now time.Time, of func(*Shard) (uint64, error)) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shard := s.shard(id, now)
	if shard == nil {
		return 0, s.noShard(id)
	}
	return of(shard)
}
