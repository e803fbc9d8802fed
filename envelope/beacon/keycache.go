// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// keyCache keeps derived keys for a while. Concurrent misses of a branch key
// share one fetch, a failure is not kept, and keys are wiped when they expire or
// make room for others, as soon as no operation uses them any more.
// (Specification: [search-config], "Key Store Cache".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#key-store-cache
type keyCache struct {
	fetch    func(ctx context.Context, id string) (*Keys, error)
	lifetime time.Duration
	capacity int

	mu      sync.Mutex
	entries map[string]*keyEntry
	recent  *list.List // of *keyEntry, most recently used first
	flights map[string]*keyFlight
}

type keyEntry struct {
	keys    *Keys
	created time.Time
	timer   *time.Timer // wipes the keys in time, even if no caller asks for them
	element *list.Element
}

// keyFlight is a fetch under way. Its results do not change once done is closed.
type keyFlight struct {
	done    chan struct{}
	keys    *Keys
	err     error
	waiters int  // guarded by keyCache.mu; each owns one reference of keys
	discard bool // guarded by keyCache.mu: the keys are not kept
}

func newKeyCache(fetch func(context.Context, string) (*Keys, error), lifetime time.Duration,
	capacity int) *keyCache {
	return &keyCache{
		fetch: fetch, lifetime: lifetime, capacity: capacity,
		entries: make(map[string]*keyEntry), flights: make(map[string]*keyFlight), recent: list.New(),
	}
}

// get returns keys that the caller releases.
func (c *keyCache) get(ctx context.Context, id string) (*Keys, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("beacon key of branch key %.100q: %w", id, err)
	}
	c.mu.Lock()
	if e := c.entries[id]; e != nil {
		if c.fresh(e) {
			c.recent.MoveToFront(e.element)
			e.keys.refs.Add(1)
			c.mu.Unlock()
			return e.keys, nil
		}
		c.remove(id, e)
	}
	f := c.flights[id]
	if f == nil {
		f = &keyFlight{done: make(chan struct{})}
		c.flights[id] = f
		go c.fly(context.WithoutCancel(ctx), id, f)
	}
	f.waiters++
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.keys, f.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-f.done:
		return f.keys, f.err
	default:
		f.waiters--
		return nil, fmt.Errorf("beacon key of branch key %.100q: %w", id, ctx.Err())
	}
}

// fly fetches keys. No single caller can cancel it.
func (c *keyCache) fly(ctx context.Context, id string, f *keyFlight) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	keys, err := (*Keys)(nil), keyError(id, errAbandoned)
	defer func() { // also if the source ends this goroutine
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.flights[id] == f {
			delete(c.flights, id)
		}
		f.keys, f.err = keys, err
		if err == nil {
			keys.refs.Add(int64(f.waiters))
			if f.discard {
				keys.Release()
			} else {
				c.put(id, keys, began)
			}
		}
		close(f.done)
	}()
	keys, err = c.fetch(ctx, id)
}

// put keeps keys whose fetch began at the time given and takes their reference
// over: the lifetime counts from then on, since the permission to use the key
// was checked later. c.mu is held.
func (c *keyCache) put(id string, keys *Keys, began time.Time) {
	if old := c.entries[id]; old != nil {
		c.remove(id, old)
	}
	e := &keyEntry{keys: keys, created: began}
	if !c.fresh(e) {
		keys.Release()
		return
	}
	e.element = c.recent.PushFront(e)
	c.entries[id] = e
	e.timer = time.AfterFunc(c.lifetime-time.Since(began), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.entries[id] == e {
			c.remove(id, e)
		}
	})
	for len(c.entries) > c.capacity {
		oldest := c.recent.Back().Value.(*keyEntry)
		c.remove(oldest.keys.id, oldest)
	}
}

// forget drops the keys of a branch key. The result of a fetch under way is not
// kept, and callers that come now start another one.
func (c *keyCache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[id]; e != nil {
		c.remove(id, e)
	}
	if f := c.flights[id]; f != nil {
		f.discard = true
		delete(c.flights, id)
	}
}

// fresh reports whether an entry may be used, by the monotonic clock and by the
// wall clock. A time without a monotonic reading that lies in the future makes
// the entry too old: the clock went back.
func (c *keyCache) fresh(e *keyEntry) bool {
	now := time.Now()
	age := now.Sub(e.created)
	if age < 0 {
		return false
	}
	return max(age, now.Round(0).Sub(e.created.Round(0))) < c.lifetime
}

// remove drops an entry. c.mu is held.
func (c *keyCache) remove(id string, e *keyEntry) {
	e.timer.Stop()
	c.recent.Remove(e.element)
	delete(c.entries, id)
	e.keys.Release()
}
