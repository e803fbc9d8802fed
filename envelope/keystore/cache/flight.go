// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// flight is one fetch, queued or under way. Its fields but done are guarded by
// Cache.mu; key, err and number do not change once done is closed.
type flight struct {
	view    *Source
	at      entryKey
	ctx     context.Context // has the values of the first caller's, not its end
	refresh bool            // an early refresh, which runs whether a caller waits or not
	number  uint64          // zero until it begins
	done    chan struct{}
	key     *materials.BranchKey // for the waiters; wiped by the last of them
	err     error
	waiters int
	landed  bool
	discard bool // the entry was dropped while the fetch ran

	lane   *lane
	place  *list.Element // in lane.queue, nil once it has begun
	cancel context.CancelFunc
	ending bool // abandoned: no caller waits, and another fetch needs the place
}

var (
	// errAbandoned is the answer of a fetch whose source ended its goroutine or
	// panicked: it must not end the program from a goroutine the caller does not
	// know of.
	errAbandoned = errors.New("the source of branch keys gave up without an answer")
	// errUnwanted is the answer of a fetch that ended early. No caller sees it.
	errUnwanted = errors.New("no caller waits for the branch key")
)

// start begins or queues a fetch that no single caller can cancel. c.mu is held.
func (v *Source) start(ctx context.Context, at entryKey, refresh bool) *flight {
	f := &flight{view: v, at: at, ctx: context.WithoutCancel(ctx), refresh: refresh, done: make(chan struct{})}
	v.cache.flights[at] = f
	v.cache.enqueue(f)
	return f
}

// begin runs the fetch in a goroutine of its own. c.mu is held.
func (f *flight) begin() {
	ctx, cancel := context.WithTimeout(f.ctx, f.view.cache.config.FetchTimeout)
	f.cancel = cancel
	go func() {
		defer cancel()
		var key *materials.BranchKey
		var began time.Time
		err := fmt.Errorf("%w: %w", materials.ErrMaterials, errAbandoned)
		defer func() {
			if recover() != nil { // its text could hold a secret
				key, err = nil, fmt.Errorf("%w: %w", materials.ErrMaterials, errAbandoned)
			}
			f.view.land(f, key, err, began)
		}()
		began = f.view.cache.config.Now()
		key, err = f.view.fetch(ctx, f.at)
	}()
}

func (v *Source) fetch(ctx context.Context, at entryKey) (*materials.BranchKey, error) {
	var key *materials.BranchKey
	var err error
	if at.version == "" {
		key, err = v.config.Source.Active(ctx, at.id)
	} else {
		key, err = v.config.Source.Version(ctx, at.id, at.version)
	}
	switch {
	case err != nil && ctx.Err() == context.Canceled && errors.Is(err, context.Canceled):
		return nil, errUnwanted
	case err != nil && errors.Is(err, ctx.Err()): // not merely late: a late refusal stays one
		return nil, fmt.Errorf("%w: no answer within %v: %w", ErrUnavailable, v.cache.config.FetchTimeout, err)
	case err != nil:
		return nil, err
	case key == nil:
		return nil, fmt.Errorf("%w: %w", materials.ErrMaterials, errAbandoned)
	case key.ID != at.id || key.Version == "" || at.version != "" && key.Version != at.version:
		key.Wipe()
		return nil, fmt.Errorf("%w: the source answered with another branch key or version", materials.ErrMaterials)
	}
	return key, nil
}

// land ends a fetch: keeps the key, in both entries if it is the active one,
// and wakes the waiters.
func (v *Source) land(f *flight, key *materials.BranchKey, err error, began time.Time) {
	c := v.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(f)
	f.key, f.err, f.landed = key, err, true
	switch {
	case errors.Is(err, errUnwanted):
		c.stats.Abandoned++ // says nothing about the service
	case err != nil:
		c.stats.Failures++
		c.failed(f)
	case !f.discard:
		versioned := f.at
		versioned.version = key.Version
		c.put(versioned, key, v, began)
		if f.at.version == "" {
			c.put(f.at, key, v, began) // last, so that it is the more recent one
		}
	}
	close(f.done)
	f.release()
	c.ended(f)
}

// release wipes the key once no caller waits for it. c.mu is held.
func (f *flight) release() {
	if f.landed && f.waiters == 0 && f.key != nil {
		f.key.Wipe()
		f.key = nil
	}
}

// wait returns a copy of the key if the fetch brought the entry wanted, or its
// error. Neither means: look again.
func (v *Source) wait(ctx context.Context, f *flight, at entryKey) (key *materials.BranchKey, err error) {
	select {
	case <-f.done:
	case <-ctx.Done():
	}
	c := v.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiters--
	defer f.release()
	if !f.landed {
		if f.waiters == 0 {
			c.left(f)
		}
		return nil, nil // the caller's own context ended
	}
	if f.err == nil && !f.discard && (at.version == "" || at.version == f.key.Version) {
		return f.key.Clone(), nil
	}
	return nil, f.err
}
