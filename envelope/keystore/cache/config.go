// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/envelope/internal/nilvalue"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// ErrUnavailable marks the errors of a source that could not be asked: network
// failure, timeout, throttling, a fault of the service. Only with such an error
// may [SourceConfig.ServeStale] apply; a refusal never makes an old key usable.
var ErrUnavailable = errors.New("the service is not available")

// Defaults, the same as in the official storm-tracking cache.
const (
	DefaultMaxEntries    = 1000
	DefaultGracePeriod   = 10 * time.Second
	DefaultGraceInterval = time.Second
	DefaultMaxFetches    = 20
	DefaultFetchTimeout  = 10 * time.Second
)

// MaxStale is the most that [SourceConfig.ServeStale] may be.
const MaxStale = time.Hour

// Config configures a [Cache]. The zero value is the default.
type Config struct {
	// MaxEntries bounds the entries: one per branch key for its active version
	// and one per version. Zero is 1000. The least recently used goes first.
	MaxEntries int
	// GracePeriod before the end of an entry's lifetime is when it is
	// refreshed early; a random part of it is left off, so that many processes
	// do not do so at once. Zero is 10 s; negative refreshes nothing early.
	GracePeriod time.Duration
	// GraceInterval is the least time between two attempts to refresh an entry
	// early, with a random part added. Zero is 1 s.
	GraceInterval time.Duration
	// MaxFetches bounds the fetches at the same time. One branch key takes at
	// most half of them, and so do early refreshes; the headers of items name
	// the versions to fetch, so the writers of items decide how many there are.
	// Zero is 20.
	MaxFetches int
	// FetchTimeout bounds one fetch, the client's retries included. Zero is
	// 10 s.
	FetchTimeout time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() (Config, error) {
	for _, n := range []struct {
		value *int
		zero  int
	}{{&c.MaxEntries, DefaultMaxEntries}, {&c.MaxFetches, DefaultMaxFetches}} {
		if *n.value < 0 {
			return c, fmt.Errorf("%w: branch key cache: a limit is negative", materials.ErrConfiguration)
		}
		if *n.value == 0 {
			*n.value = n.zero
		}
	}
	if c.FetchTimeout < 0 || c.GraceInterval < 0 {
		return c, fmt.Errorf("%w: branch key cache: a duration is negative", materials.ErrConfiguration)
	}
	for _, d := range []struct {
		value *time.Duration
		zero  time.Duration
	}{{&c.GracePeriod, DefaultGracePeriod}, {&c.GraceInterval, DefaultGraceInterval},
		{&c.FetchTimeout, DefaultFetchTimeout}} {
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	c.GracePeriod = max(c.GracePeriod, 0)
	if c.GracePeriod > 0 && c.GraceInterval > c.GracePeriod {
		return c, fmt.Errorf("%w: branch key cache: the grace interval exceeds the grace period",
			materials.ErrConfiguration)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// SourceConfig configures one view of a [Cache].
type SourceConfig struct {
	// Source is where keys are fetched from. It must honour its context, and
	// its error must match the context's error when that was the reason.
	Source materials.BranchKeySource
	// Lifetime of an entry; there is no default. It must exceed the cache's
	// grace period. A view never uses an entry older than its own lifetime,
	// whichever view made it.
	Lifetime time.Duration
	// Partition and StoreName let views share entries: those with the same
	// partition and store name do, so they must stand for the same key store
	// and the same permissions. An empty partition shares with none. The store
	// name is the key store's logical name, and may be left out if Source has
	// a method LogicalName() string.
	Partition, StoreName string
	// ServeStale, if not zero, lets a key be used beyond its lifetime for at
	// most this long while every fetch fails with [ErrUnavailable]. That is a
	// weakening: anyone who can keep this process from reaching KMS postpones the
	// effect of a withdrawn permission by as much. At most one hour.
	ServeStale time.Duration
}

func (c SourceConfig) withDefaults(grace time.Duration) (SourceConfig, error) {
	bad := func(text string) error {
		return fmt.Errorf("%w: branch key cache: %s", materials.ErrConfiguration, text)
	}
	if nilvalue.Is(c.Source) {
		return c, bad("a source of branch keys is needed")
	}
	if named, ok := c.Source.(interface{ LogicalName() string }); ok && c.StoreName == "" {
		c.StoreName = named.LogicalName()
	}
	switch {
	case c.Lifetime <= grace || c.Lifetime <= 0:
		return c, bad(fmt.Sprintf("the lifetime must exceed the grace period of %v", grace))
	case c.ServeStale < 0 || c.ServeStale > MaxStale:
		return c, bad(fmt.Sprintf("keys may be served beyond their lifetime for at most %v", MaxStale))
	case c.Partition != "" && c.StoreName == "":
		return c, bad("a shared partition needs the store's logical name")
	}
	if c.Partition == "" {
		c.Partition = "\x00" + rand.Text() // cannot collide with one that was given
	}
	return c, nil
}
