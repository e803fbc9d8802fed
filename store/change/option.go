// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/store"
)

// Option changes a setting of [Follow].
type Option func(*settings)

// settings are those that the options of Follow change.
type settings struct {
	checkpoint Checkpoint
	since      func() time.Time // nil: all that the stream has
	poison     func(context.Context, error) error
	gap        func(context.Context, *GapError) error
	stats      *Stats
	timeout    time.Duration
	attempts   int
	poll       time.Duration
	parallel   int
	idle       time.Duration
}

const (
	// grace is how long a handler may take to return after its context ended.
	grace = 5 * time.Second
	// shardPoll is how often Follow looks for new shards; it also does when one
	// ends.
	shardPoll = 10 * time.Second
	// firstPause and longestPause bound the pauses between repeated attempts.
	firstPause, longestPause = 100 * time.Millisecond, 10 * time.Second
	// maxFailures is how many calls in a row may fail in one shard.
	maxFailures = 12
)

func newSettings(options []Option) (*settings, error) {
	s := &settings{timeout: time.Minute, attempts: 5, poll: time.Second, parallel: 16}
	for _, o := range options {
		o(s)
	}
	switch {
	case s.timeout <= 0 || s.poll <= 0 || s.idle < 0:
		return nil, fmt.Errorf("%w: Follow needs positive durations", store.ErrConfiguration)
	case s.attempts < 1 || s.parallel < 1:
		return nil, fmt.Errorf("%w: Follow needs at least one attempt and one shard at a time", store.ErrConfiguration)
	}
	if s.checkpoint == nil {
		s.checkpoint = NewMemory()
	}
	if s.stats == nil {
		s.stats = new(Stats)
	}
	return s, nil
}

// WithCheckpoint keeps the positions in c, so that a later call continues where
// this one ended. Without it the positions are in memory, and a call starts
// with the oldest record.
func WithCheckpoint(c Checkpoint) Option { return func(s *settings) { s.checkpoint = c } }

// FromNow makes Follow start with changes made after the call if there is no
// checkpoint of the stream yet. Without it Follow starts with the oldest
// record, which is up to 24 hours old. The time of a record has whole seconds,
// so some slightly older changes can come too.
func FromNow() Option { return func(s *settings) { s.since = time.Now } }

// From is like [FromNow] but for changes made at t or later.
func From(t time.Time) Option { return func(s *settings) { s.since = func() time.Time { return t } } }

// Poison calls f with the [*RecordError] of each record that cannot be decoded,
// or that the handler failed to handle in all attempts. If f returns nil, the
// record counts as handled and later changes of the same key follow, so keep
// what you need to repeat it. Otherwise Follow ends with f's error. Without
// Poison, Follow ends with the RecordError.
func Poison(f func(ctx context.Context, err error) error) Option {
	return func(s *settings) { s.poison = f }
}

// OnGap calls f where changes are missing, before the changes that follow. If f
// returns nil, Follow goes on, so let f bring your state up to date, by a scan
// or an export. Otherwise Follow ends with f's error. Without OnGap, Follow ends
// with the [*GapError].
func OnGap(f func(ctx context.Context, gap *GapError) error) Option {
	return func(s *settings) { s.gap = f }
}

// Count makes Follow count what it does in stats.
func Count(stats *Stats) Option { return func(s *settings) { s.stats = stats } }

// HandlerTimeout ends the context of each call of the handler after d. The
// default is one minute. If the handler has not returned 5 seconds later,
// Follow ends with [ErrHandler]; the handler's goroutine goes on until it
// returns.
func HandlerTimeout(d time.Duration) Option { return func(s *settings) { s.timeout = d } }

// Attempts sets how often Follow tries a record, with growing pauses. The
// default is 5. It tries to open a record again only if the key service failed
// or refused.
func Attempts(n int) Option { return func(s *settings) { s.attempts = n } }

// PollEvery sets the pause after a read of a shard that found no new records.
// The default is one second. DynamoDB allows five reads of a shard a second.
func PollEvery(d time.Duration) Option { return func(s *settings) { s.poll = d } }

// Parallel sets how many shards are read and handled at the same time. The
// default is 16. Each takes memory for at most 1 MB of records.
func Parallel(shards int) Option { return func(s *settings) { s.parallel = shards } }

// UntilIdle makes Follow return nil when no shard had a record for d and each
// shard was read since the last record. Records usually arrive within a second of
// their write, but DynamoDB does not promise that.
func UntilIdle(d time.Duration) Option { return func(s *settings) { s.idle = d } }
