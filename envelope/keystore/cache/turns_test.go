// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// hanging is a key store in which some branch keys give no answer.
type hanging struct {
	*origin
	mu     sync.Mutex
	silent []string
}

func (h *hanging) hangs(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.silent, id)
}

func (h *hanging) recover() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent = nil
}

func (h *hanging) Active(ctx context.Context, id string) (*materials.BranchKey, error) {
	if h.hangs(id) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.origin.Active(ctx, id)
}

func (h *hanging) Version(ctx context.Context, id, version string) (*materials.BranchKey, error) {
	if h.hangs(id) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.origin.Version(ctx, id, version)
}

// crowd asks for many versions of a branch key, as the headers of hostile items
// do, and waits until all callers have lost patience.
func crowd(t *testing.T, v *Source, callers int, patience time.Duration, ids ...string) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			start := time.Now()
			_, err := v.Version(ctx, ids[i%len(ids)], uuid.NewString())
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != patience {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
	}
	wg.Wait()
}

// answers reports how long a healthy branch key takes.
func answers(t *testing.T, v *Source, id string) time.Duration {
	t.Helper()
	start := time.Now()
	key, err := v.Active(t.Context(), id)
	if err := check(key, err, id); err != nil {
		t.Error(err)
	}
	return time.Since(start)
}

// afterwards lets the fetches that still hang run out.
func afterwards() { time.Sleep(DefaultFetchTimeout) }

// goroutines counts those that the cache has started and that have not ended.
func goroutines() int {
	synctest.Wait()
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "created by github.com/ddbseal/ddbseal/envelope/keystore/cache.(*")
}

// One branch key that hangs does not keep another one from being fetched, neither
// while its callers wait nor after they have left.
func TestHangingBranchKeyHoldsUpNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		defer afterwards()
		h := &hanging{origin: newOrigin("healthy", "another"), silent: []string{"hanging"}}
		h.delay = 10 * time.Millisecond
		v := newSource(t, Config{}, SourceConfig{Source: h, Lifetime: time.Minute})
		var wg sync.WaitGroup
		wg.Go(func() { crowd(t, v, 200, 200*time.Millisecond, "hanging") })
		time.Sleep(100 * time.Millisecond)
		if took := answers(t, v, "healthy"); took != h.delay {
			t.Errorf("%v while the callers of the hanging key waited", took)
		}
		wg.Wait()
		if n := goroutines(); n > DefaultMaxFetches/2 {
			t.Errorf("%d goroutines after the last caller left", n)
		}
		if took := answers(t, v, "another"); took != h.delay {
			t.Errorf("%v after the last caller left", took)
		}
		time.Sleep(DefaultFetchTimeout)
		if n := goroutines(); n != 0 {
			t.Errorf("%d goroutines are left", n)
		}
		if len(v.cache.flights) != 0 || len(v.cache.turns.lanes) != 0 {
			t.Errorf("%d fetches, %d branch keys are left", len(v.cache.flights), len(v.cache.turns.lanes))
		}
	})
}

// Where many branch keys hang, their fetches make room once no caller waits for
// them.
func TestUnwantedFetchesMakeRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		defer afterwards()
		h := &hanging{origin: newOrigin("healthy", "another"), silent: []string{"h1", "h2", "h3", "h4", "h5"}}
		h.delay = 10 * time.Millisecond
		v := newSource(t, Config{}, SourceConfig{Source: h, Lifetime: time.Minute})
		var wg sync.WaitGroup
		wg.Go(func() { crowd(t, v, 200, 200*time.Millisecond, h.silent...) })
		time.Sleep(100 * time.Millisecond)
		// All places are taken by fetches with waiters, which leave soon.
		if took := answers(t, v, "healthy"); took > 200*time.Millisecond {
			t.Errorf("%v while the callers of hanging keys waited", took)
		}
		wg.Wait()
		if took := answers(t, v, "another"); took != h.delay {
			t.Errorf("%v after the last caller left", took)
		}
		if s := v.cache.Stats(); s.Failures != 0 || s.Abandoned == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// The callers of a branch key need not wait for its own unwanted fetches either.
func TestRecoveredBranchKeyAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		defer afterwards()
		h := &hanging{origin: newOrigin("a"), silent: []string{"a"}}
		h.delay = 10 * time.Millisecond
		v := newSource(t, Config{}, SourceConfig{Source: h, Lifetime: time.Minute})
		crowd(t, v, 200, 200*time.Millisecond, "a")
		h.recover()
		if took := answers(t, v, "a"); took != h.delay {
			t.Errorf("took %v", took)
		}
	})
}

// A fetch that takes longer than its callers wait ends well if no other one needs
// its place, or the key would never arrive.
func TestSlowFetchOutlastsItsCallers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		o.delay = 300 * time.Millisecond
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := v.Active(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if took := answers(t, v, "a"); took != 0 || o.count() != 1 {
			t.Errorf("%v, %d fetches", took, o.count())
		}
	})
}

// A fetch that ended for want of callers says nothing about the service: it makes
// no expired key usable.
func TestAbandonedFetchIsNoOutage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		defer afterwards()
		h := &hanging{origin: newOrigin("a", "b")}
		v := newSource(t, Config{MaxFetches: 1}, SourceConfig{Source: h, Lifetime: time.Minute, ServeStale: time.Hour})
		answers(t, v, "a")
		time.Sleep(2 * time.Minute)
		h.silent = []string{"a"}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := v.Active(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if took := answers(t, v, "b"); took != 0 { // takes the only place
			t.Errorf("took %v", took)
		}
		// The same for one that never began.
		h.silent = []string{"a", "c"}
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := v.Active(t.Context(), "c"); !errors.Is(err, ErrUnavailable) {
				t.Error(err)
			}
		})
		synctest.Wait()
		ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := v.Active(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if e := v.cache.entries[v.entryKey("a", "")]; e.outage || e.refused {
			t.Error("counted as an outage")
		}
		s := v.Cache().Stats()
		if s.Stale != 0 || s.Failures != 0 || s.Abandoned != 2 || s.Fetches != 4 {
			t.Errorf("%+v", s)
		}
		wg.Wait()
		// A real outage does count.
		key, err := v.Active(t.Context(), "a")
		if err := check(key, err, "a"); err != nil || v.Cache().Stats().Stale != 1 {
			t.Errorf("%v, %+v", err, v.Cache().Stats())
		}
	})
}

// An early refresh has no waiters and runs to its end, but refreshes that hang
// leave half of the places to callers.
func TestRefreshesLeaveRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		defer afterwards()
		var ids []string
		for i := range 30 {
			ids = append(ids, fmt.Sprint(i))
		}
		h := &hanging{origin: newOrigin(append(ids, "healthy")...)}
		v := newSource(t, Config{}, SourceConfig{Source: h, Lifetime: time.Minute})
		for _, id := range ids {
			answers(t, v, id)
		}
		h.silent = ids
		time.Sleep(55 * time.Second)
		for _, id := range ids {
			if took := answers(t, v, id); took != 0 {
				t.Errorf("%s took %v", id, took)
			}
		}
		if s := v.Cache().Stats(); s.Refreshes != DefaultMaxFetches/2 {
			t.Errorf("%d refreshes at once", s.Refreshes)
		}
		h.delay = 10 * time.Millisecond
		if took := answers(t, v, "healthy"); took != h.delay {
			t.Errorf("took %v", took)
		}
		if s := v.Cache().Stats(); s.Abandoned != 0 {
			t.Errorf("%d refreshes were abandoned", s.Abandoned)
		}
	})
	bubble(t, func(t *testing.T) { // the only place
		defer afterwards()
		h := &hanging{origin: newOrigin("a", "b")}
		h.delay = time.Second
		v := newSource(t, Config{MaxFetches: 1}, SourceConfig{Source: h, Lifetime: time.Minute})
		answers(t, v, "a")
		time.Sleep(55 * time.Second)
		answers(t, v, "a")
		if took := answers(t, v, "b"); took != 2*h.delay { // after the refresh
			t.Errorf("took %v", took)
		}
		if s := v.Cache().Stats(); s.Refreshes != 1 || s.Abandoned != 0 || s.Fetches != 3 {
			t.Errorf("%+v", s)
		}
	})
}

// One branch key has at most half of the places, and branch keys take turns.
func TestBranchKeysTakeTurns(t *testing.T) {
	for max, want := range map[int]int{1: 1, 2: 1, 3: 1, 20: 10} {
		bubble(t, func(t *testing.T) {
			o := newOrigin("busy", "other")
			for range 40 {
				o.rotate("busy")
			}
			o.delay = time.Second
			v := newSource(t, Config{MaxFetches: max}, SourceConfig{Source: o, Lifetime: time.Minute})
			var wg sync.WaitGroup
			for _, version := range o.versions["busy"] {
				wg.Go(func() {
					key, err := v.Version(t.Context(), "busy", version)
					if err := check(key, err, "busy"); err != nil {
						t.Error(err)
					}
				})
			}
			synctest.Wait()
			if took := answers(t, v, "other"); took > 2*o.delay {
				t.Errorf("%d places: another branch key took %v", max, took)
			}
			wg.Wait()
			if o.together > want+1 || o.together < want {
				t.Errorf("%d places: %d fetches at once", max, o.together)
			}
		})
	}
}
