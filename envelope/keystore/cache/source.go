// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Source is a view of a [Cache] in front of one source of branch keys. Give it
// to a hierarchical keyring.
type Source struct {
	cache  *Cache
	config SourceConfig
}

var _ materials.BranchKeySource = (*Source)(nil)

// Source returns a view of the cache. Errors: [materials.ErrConfiguration].
func (c *Cache) Source(s SourceConfig) (*Source, error) {
	s, err := s.withDefaults(c.config.GracePeriod)
	if err != nil {
		return nil, err
	}
	return &Source{cache: c, config: s}, nil
}

// NewSource returns a view of a cache of its own, with default settings: for one
// keyring in front of one key store. Errors: [materials.ErrConfiguration].
func NewSource(source materials.BranchKeySource, lifetime time.Duration) (*Source, error) {
	c, err := New(Config{})
	if err != nil {
		return nil, err
	}
	return c.Source(SourceConfig{Source: source, Lifetime: lifetime})
}

// Cache returns the cache behind the view.
func (v *Source) Cache() *Cache { return v.cache }

// LogicalName returns the store name of the view, which may be empty.
func (v *Source) LogicalName() string { return v.config.StoreName }

// Active returns a copy of the active version. Errors: the source's, or the
// context's.
func (v *Source) Active(ctx context.Context, branchKeyID string) (*materials.BranchKey, error) {
	return v.get(ctx, v.entryKey(branchKeyID, ""))
}

// Version returns a copy of one version. Errors: the source's, or the
// context's.
func (v *Source) Version(ctx context.Context, branchKeyID, version string) (*materials.BranchKey, error) {
	if version == "" {
		return nil, fmt.Errorf("%w: the branch key version is empty", materials.ErrMaterials)
	}
	return v.get(ctx, v.entryKey(branchKeyID, version))
}

func (v *Source) entryKey(id, version string) entryKey {
	return entryKey{v.config.Partition, v.config.StoreName, id, version}
}

// get answers from the entry, or has it fetched, or waits for a fetch.
func (v *Source) get(ctx context.Context, at entryKey) (*materials.BranchKey, error) {
	c := v.cache
	// Fetches with a higher number than came begin after this caller came;
	// their failures are its own. direct: the fetch of the active version did
	// not bring the version wanted, so ask for that one.
	var came uint64
	var direct bool
	for first := true; ; first = false {
		c.mu.Lock()
		if first {
			came = c.stats.Fetches
		}
		if key := v.lookup(at); key != nil {
			c.mu.Unlock()
			return key, nil
		}
		if ctx.Err() != nil {
			c.mu.Unlock()
			return nil, fmt.Errorf("branch key %q: %w", at.id, ctx.Err())
		}
		f := v.flightFor(at, direct)
		if f == nil {
			f = v.start(ctx, v.fetchKey(at, direct), false)
			c.stats.Misses++
		} else {
			c.stats.Waits++
		}
		f.waiters++
		c.mu.Unlock()

		key, err := v.wait(ctx, f, at)
		switch {
		case key != nil:
			return key, nil
		case err == nil:
			// The caller's context ended, or the fetch brought another version
			// or was discarded: look again.
			direct = true
		case f.at != at && !errors.Is(err, ErrUnavailable):
			direct = true // the version may be there without the active record
		case f.number > came:
			if key := v.stale(at, err); key != nil {
				return key, nil
			}
			return nil, err
		}
	}
}

// lookup copies a usable entry's key and, in its grace period, starts a
// refresh. c.mu is held.
func (v *Source) lookup(at entryKey) *materials.BranchKey {
	c := v.cache
	e := c.entries[at]
	if e == nil || e.key == nil {
		return nil
	}
	now := c.config.Now()
	lifetime, age := min(e.lifetime, v.config.Lifetime), e.age(now)
	if age >= lifetime {
		// A fetch failed just now: do not make every caller wait for the next.
		if e.outage && !e.refused && age < lifetime+v.config.ServeStale && now.Before(e.retryAt) {
			c.stats.Stale++
			return e.key.Clone()
		}
		return nil
	}
	c.stats.Hits++
	c.recent.MoveToFront(e.element)
	if age >= lifetime-c.config.GracePeriod+e.jitter && c.config.GracePeriod > 0 && !now.Before(e.retryAt) {
		if v.flightFor(at, false) == nil && c.mayRefresh(at) {
			fetch := v.fetchKey(at, false)
			e.retryAt = now.Add(c.config.GraceInterval + random(c.config.GraceInterval))
			if other := c.entries[fetch]; other != nil {
				other.retryAt = e.retryAt
			}
			c.stats.Refreshes++
			v.start(context.Background(), fetch, true)
		}
	}
	return e.key.Clone()
}

// fetchKey returns what to fetch in order to have the entry: for the version
// that was active when last seen, the active record, since that fills both
// entries with one call. c.mu is held.
func (v *Source) fetchKey(at entryKey, direct bool) entryKey {
	if active := v.cache.entries[at.active()]; !direct && at.version != "" && active != nil &&
		active.version == at.version {
		return at.active()
	}
	return at
}

// flightFor returns a fetch under way that may bring the entry: its own, or
// unless direct, for a version, the entry of the active one. c.mu is held.
func (v *Source) flightFor(at entryKey, direct bool) *flight {
	if f := v.cache.flights[at]; f != nil || direct {
		return f
	}
	return v.cache.flights[at.active()]
}

// stale returns the expired key if the view may use it, after a fetch failed
// with err.
func (v *Source) stale(at entryKey, err error) *materials.BranchKey {
	if v.config.ServeStale == 0 || !errors.Is(err, ErrUnavailable) {
		return nil
	}
	c := v.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[at]
	now := c.config.Now()
	if e == nil || e.key == nil || e.refused || e.age(now) >= min(e.lifetime, v.config.Lifetime)+v.config.ServeStale {
		return nil
	}
	e.retryAt = now.Add(c.config.GraceInterval + random(c.config.GraceInterval))
	c.stats.Stale++
	return e.key.Clone()
}

// random spreads calls in time; nothing secret depends on it.
func random(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	return rand.N(limit)
}
