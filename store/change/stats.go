// SPDX-License-Identifier: Apache-2.0

package change

import (
	"sync"
	"time"
)

// Stats counts what [Follow] does; see [Count]. It is safe for use by many
// goroutines. The zero Stats is ready.
type Stats struct {
	mu     sync.Mutex
	counts Counts
	behind map[string]time.Time // by shard that is not up to date: when its current change was made
}

// Counts are the numbers of a [Stats].
type Counts struct {
	// Shards is how many shards are being read.
	Shards int
	// Handled counts records that the handler took, Other records of other
	// entity types, and Poisoned records that Poison took.
	Handled, Other, Poisoned int64
	// Retries counts further attempts at a record.
	Retries int64
	// Throttled, Expired and Failed count reads of a shard that DynamoDB
	// throttled, whose iterator had expired, and that failed otherwise. All are
	// repeated.
	Throttled, Expired, Failed int64
	// Gaps counts places where changes are missing.
	Gaps int64
	// Last is when the newest handled change was made.
	Last time.Time
	// Lag is how far the slowest shard is behind: the age of the change that was
	// handled last, until a read of the shard finds nothing new. Zero if all are
	// up to date.
	Lag time.Duration
}

// Read returns the numbers as they are now.
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
