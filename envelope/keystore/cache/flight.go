package cache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// flight is one fetch under way. Its fields but done are guarded by Cache.mu;
// key, err and number do not change once done is closed.
type flight struct {
	at      entryKey
	number  uint64
	done    chan struct{}
	key     *materials.BranchKey // for the waiters; wiped by the last of them
	err     error
	waiters int
	landed  bool
	discard bool // the entry was dropped while the fetch ran
}

// errAbandoned is the answer of a fetch whose source ended its goroutine or
// panicked: it must not end the program from a goroutine the caller does not
// know of.
var errAbandoned = errors.New("the source of branch keys gave up without an answer")

// start begins a fetch that no single caller can cancel. c.mu is held.
func (v *Source) start(ctx context.Context, at entryKey) *flight {
	c := v.cache
	c.stats.Fetches++
	f := &flight{at: at, number: c.stats.Fetches, done: make(chan struct{})}
	c.flights[at] = f
	go func() {
		var key *materials.BranchKey
		var began time.Time
		err := fmt.Errorf("%w: %w", materials.ErrMaterials, errAbandoned)
		defer func() {
			if recover() != nil { // its text could hold a secret
				key, err = nil, fmt.Errorf("%w: %w", materials.ErrMaterials, errAbandoned)
			}
			v.land(f, key, err, began)
		}()
		c.slots <- struct{}{}
		defer func() { <-c.slots }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.config.FetchTimeout)
		defer cancel()
		began = c.config.Now()
		key, err = v.fetch(ctx, at)
	}()
	return f
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
	if c.flights[f.at] == f {
		delete(c.flights, f.at)
	}
	f.key, f.err, f.landed = key, err, true
	if err != nil {
		c.stats.Failures++
		c.failed(f)
	} else if !f.discard {
		versioned := f.at
		versioned.version = key.Version
		c.put(versioned, key, v, began)
		if f.at.version == "" {
			c.put(f.at, key, v, began) // last, so that it is the more recent one
		}
	}
	close(f.done)
	f.release()
}

// release wipes the key once nobody waits for it. c.mu is held.
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
		return nil, nil // the caller's own context ended
	}
	if f.err == nil && !f.discard && (at.version == "" || at.version == f.key.Version) {
		return f.key.Clone(), nil
	}
	return nil, f.err
}
