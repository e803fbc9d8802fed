// SPDX-License-Identifier: Apache-2.0

package change

import (
	"sync"
	"time"
)

// Stats counts what [Follow] does; see [Count]. It is safe for concurrent use.
// The zero Stats is ready to use.
type Stats struct {
	mu     sync.Mutex
	counts Counts
	behind map[string]time.Time // by shard that is not up to date: when its current change was made
}

// Counts are the numbers that a [Stats] has at one time.
type Counts struct {
	// Shards is the number of shards that are being read.
	Shards int
	// Handled counts records for which the handler returned nil, Other counts
	// records of other entity types, and Poisoned counts records for which the
	// function of Poison returned nil.
	Handled, Other, Poisoned int64
	// Retries counts further attempts at a record.
	Retries int64
	// Throttled, Expired and Failed count reads of a shard that DynamoDB
	// throttled, whose iterator had expired, and that failed for another
	// reason. Follow repeats all of them.
	Throttled, Expired, Failed int64
	// Gaps counts places where changes are missing.
	Gaps int64
	// Last is the time at which the newest handled change was made.
	Last time.Time
	// Lag is the delay of the slowest shard: the age of the change that is being
	// handled or was handled last, until a read of the shard finds nothing new.
	// It is zero if all shards are up to date.
	Lag time.Duration
}

// Read returns the current numbers.
func (s *Stats) Read() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.counts
	for _, at := range s.behind {
		if !at.IsZero() {
			out.Lag = max(out.Lag, time.Since(at))
		}
	}
	return out
}

func (s *Stats) add(f func(*Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.counts)
}

// at says that the current change of a shard was made at a time; the zero time
// says that the shard is up to date.
func (s *Stats) at(shard string, made time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.behind == nil {
		s.behind = map[string]time.Time{}
	}
	if made.IsZero() {
		delete(s.behind, shard)
		return
	}
	s.behind[shard] = made
}
