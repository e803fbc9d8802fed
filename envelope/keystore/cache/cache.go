// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"container/list"
	"errors"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Cache holds branch keys. Safe for concurrent use; make it with [New].
type Cache struct {
	config Config

	mu      sync.Mutex // guards all below, and copying and wiping of keys
	entries map[entryKey]*entry
	recent  *list.List           // of *entry, most recently used first
	flights map[entryKey]*flight // those that more callers may wait for
	turns   turns
	sweeper *time.Timer // nil while none is due
	swept   time.Time   // the last sweep
	due     time.Time   // the next one, if sweeper is not nil
	stats   Stats
}

// entryKey is one entry; version is empty for the active version.
type entryKey struct{ partition, store, id, version string }

func (k entryKey) active() entryKey { k.version = ""; return k }

// entry is a key and its age. An expired entry keeps its place, without the
// key, as a hint which version was the active one.
type entry struct {
	at      entryKey
	key     *materials.BranchKey // nil when wiped
	version string
	created time.Time
	// lifetime and stale are the settings of the view that fetched the key.
	lifetime, stale time.Duration
	jitter          time.Duration // left off the grace period
	retryAt         time.Time     // no early refresh before; stale answers until
	outage, refused bool          // how the last fetch failed, if it did
	element         *list.Element
}

// New returns an empty cache. Errors: [materials.ErrConfiguration].
func New(c Config) (*Cache, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Cache{
		config: c, turns: newTurns(c.MaxFetches),
		entries: make(map[entryKey]*entry), flights: make(map[entryKey]*flight), recent: list.New(),
	}, nil
}

// Stats counts what a cache did since New.
type Stats struct {
	Hits      uint64 // answers from an entry
	Misses    uint64 // callers that started a fetch and waited for it
	Waits     uint64 // callers that waited for a fetch another one had started
	Fetches   uint64 // fetches begun, early refreshes included: one KMS call each
	Failures  uint64 // fetches that failed
	Abandoned uint64 // fetches that ended, or never began, because no caller waited any more
	Refreshes uint64 // fetches begun early
	Stale     uint64 // answers beyond the lifetime, see SourceConfig.ServeStale
	Evictions uint64 // entries dropped to make room
	Entries   int    // entries that hold a key now
}

// Stats returns the counters.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	for _, e := range c.entries {
		if e.key != nil {
			s.Entries++
		}
	}
	return s
}

// Purge wipes and drops all entries.
func (c *Cache) Purge() { c.drop(func(entryKey) bool { return true }) }

// Forget wipes and drops all entries of a branch key id, in every partition:
// after shredding it. A fetch that runs at the same time is not kept.
func (c *Cache) Forget(branchKeyID string) {
	c.drop(func(k entryKey) bool { return k.id == branchKeyID })
}

func (c *Cache) drop(which func(entryKey) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at, e := range c.entries {
		if which(at) {
			c.remove(e)
		}
	}
	for at, f := range c.flights {
		if which(at) && f.place == nil { // a queued one begins later
			f.discard = true
			delete(c.flights, at) // who comes now starts another one
		}
	}
}

// remove wipes an entry and forgets it.
func (c *Cache) remove(e *entry) {
	e.wipe()
	c.recent.Remove(e.element)
	delete(c.entries, e.at)
}

func (e *entry) wipe() {
	if e.key != nil {
		e.key.Wipe()
		e.key = nil
	}
}

// age is the time since the entry was fetched, by the clock that says more. A
// clock without monotonic reading that went back makes the entry too old.
func (e *entry) age(now time.Time) time.Duration {
	steady := now.Sub(e.created)
	if steady < 0 {
		return 1<<63 - 1
	}
	return max(steady, now.Round(0).Sub(e.created.Round(0)))
}

// put keeps a copy of a key whose fetch began at the time given: from then on
// counts the lifetime, since the permission to use the key was checked later.
func (c *Cache) put(at entryKey, key *materials.BranchKey, v *Source, began time.Time) {
	e := c.entries[at]
	if e == nil {
		e = &entry{at: at}
		e.element = c.recent.PushFront(e)
		c.entries[at] = e
	} else {
		e.wipe()
		c.recent.MoveToFront(e.element)
	}
	e.key, e.version, e.created = key.Clone(), key.Version, began
	e.lifetime, e.stale = v.config.Lifetime, v.config.ServeStale
	e.jitter, e.retryAt, e.outage, e.refused = random(c.config.GracePeriod/2), time.Time{}, false, false
	for len(c.entries) > c.config.MaxEntries {
		c.remove(c.recent.Back().Value.(*entry))
		c.stats.Evictions++
	}
	c.sweepFor(e)
}

// minSweep is the least time between two sweeps: each looks through all
// entries.
const minSweep = time.Second

// failed notes why the entries that a fetch was for could not be renewed. A
// refusal is final: the key is not used beyond its lifetime, whatever failure
// comes next.
func (c *Cache) failed(f *flight) {
	outage := errors.Is(f.err, ErrUnavailable)
	e := c.entries[f.at]
	if e != nil && f.at.version == "" && e.version != "" {
		version := f.at
		version.version = e.version
		c.fail(c.entries[version], outage)
	}
	c.fail(e, outage)
}

func (c *Cache) fail(e *entry, outage bool) {
	if e == nil {
		return
	}
	e.outage = outage
	e.refused = e.refused || !outage
	if e.refused && e.key != nil {
		c.sweepFor(e) // it may be due sooner than it was
	}
}

// left is for how long the key may still be needed.
func (e *entry) left(now time.Time) time.Duration {
	left := e.lifetime - e.age(now)
	if !e.refused {
		left += e.stale
	}
	return left
}

// sweepFor has the next sweep come in time for an entry, and sweeps now unless
// that was done just before.
func (c *Cache) sweepFor(e *entry) {
	now := c.config.Now()
	if ago := now.Sub(c.swept); ago < 0 || ago >= minSweep {
		c.sweep()
		return
	}
	if left := e.left(now); c.sweeper == nil || now.Add(left).Before(c.due) {
		c.sweepIn(now, left)
	}
}

// sweep wipes what has expired, and has itself called again while keys remain:
// a key must not outlive its lifetime in memory because it is not asked for.
func (c *Cache) sweep() {
	now := c.config.Now()
	c.swept = now
	if c.sweeper != nil {
		c.sweeper.Stop()
		c.sweeper = nil
	}
	var next time.Duration
	for _, e := range c.entries {
		if e.key == nil {
			continue
		}
		if left := e.left(now); left <= 0 {
			e.wipe()
		} else if next == 0 || left < next {
			next = left
		}
	}
	if next > 0 {
		c.sweepIn(now, next)
	}
}

// sweepIn has the entries swept after a time, in place of the sweep that was
// due.
func (c *Cache) sweepIn(now time.Time, d time.Duration) {
	d = max(d, minSweep) // or a clock that stands still would have the timer run hot
	c.due = now.Add(d)
	if c.sweeper != nil {
		c.sweeper.Stop()
	}
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.sweeper == t {
			c.sweep()
		}
	})
	c.sweeper = t
}
