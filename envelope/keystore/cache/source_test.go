// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestEarlyRefreshByOneCaller(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		use := func() {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					start := time.Now()
					key, err := v.Active(t.Context(), "a")
					if err := check(key, err, "a"); err != nil || time.Since(start) != 0 {
						t.Errorf("%v after %v", err, time.Since(start))
					}
				})
			}
			wg.Wait()
			synctest.Wait()
		}
		use()
		o.delay = 300 * time.Millisecond
		time.Sleep(50*time.Second - time.Millisecond)
		use()
		if o.count() != 1 {
			t.Fatal("refreshed before the grace period")
		}
		time.Sleep(5 * time.Second) // beyond any jitter
		use()
		use()
		time.Sleep(time.Second)
		if s := v.Cache().Stats(); o.count() != 2 || s.Refreshes != 1 || s.Misses != 1 {
			t.Fatalf("%d fetches, %+v", o.count(), s)
		}
		time.Sleep(30 * time.Second) // past the first lifetime, without a caller that waits
		use()
		if o.count() != 2 {
			t.Fatalf("%d fetches", o.count())
		}
	})
}

func TestFailingRefreshIsRepeatedAtIntervals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		if _, err := v.Active(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		o.fail = func(int) error { return ErrUnavailable }
		time.Sleep(50 * time.Second)
		for range 999 { // until just before the end of the lifetime
			if _, err := v.Active(t.Context(), "a"); err != nil {
				t.Fatalf("a key within its lifetime was refused: %v", err)
			}
			time.Sleep(10 * time.Millisecond)
			synctest.Wait()
		}
		if n := o.count() - 1; n < 2 || n > 10 { // 5 to 10 s, one in 1 to 2 s
			t.Fatalf("%d attempts", n)
		}
		time.Sleep(10 * time.Millisecond)
		if _, err := v.Active(t.Context(), "a"); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("used beyond its lifetime: %v", err)
		}
	})
}

func TestServeStale(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		var fault error
		o.fail = func(int) error { return fault }
		o.delay = time.Second
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute, ServeStale: 10 * time.Minute})
		get := func() (time.Duration, error) {
			start := time.Now()
			key, err := v.Active(t.Context(), "a")
			return time.Since(start), check(key, err, "a")
		}
		must := func() {
			t.Helper()
			if _, err := get(); err != nil {
				t.Fatal(err)
			}
		}
		must()
		fault = fmt.Errorf("network: %w", ErrUnavailable)
		time.Sleep(2 * time.Minute)
		must()
		if d, err := get(); err != nil || d != 0 { // the next caller does not wait
			t.Fatal(d, err)
		}
		time.Sleep(2 * time.Second)
		must()
		if n := o.count(); n != 3 {
			t.Fatalf("%d fetches", n)
		}
		// The hard limit.
		time.Sleep(9 * time.Minute)
		if _, err := get(); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("used beyond the limit: %v", err)
		}
		// A refusal ends it, even if an outage follows.
		fault = nil
		must()
		time.Sleep(2 * time.Minute)
		fault = errors.New("AccessDeniedException")
		if _, err := get(); !errors.Is(err, fault) {
			t.Fatalf("used after a refusal: %v", err)
		}
		fault = ErrUnavailable
		if _, err := get(); !errors.Is(err, fault) {
			t.Fatalf("used after a refusal and an outage: %v", err)
		}
		fault = nil
		must()
	})
	bubble(t, func(t *testing.T) { // a refusal is one even if it comes late
		o := newOrigin("a")
		late := false
		refused := errors.New("AccessDeniedException")
		source := odd(func() (*materials.BranchKey, error) {
			if late {
				time.Sleep(11 * time.Second) // the context has ended meanwhile
				return nil, refused
			}
			return o.Active(t.Context(), "a")
		})
		v := newSource(t, Config{}, SourceConfig{Source: source, Lifetime: time.Minute, ServeStale: 10 * time.Minute})
		if _, err := v.Active(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		late = true
		time.Sleep(time.Minute)
		if _, err := v.Active(t.Context(), "a"); !errors.Is(err, refused) {
			t.Fatalf("used after a late refusal: %v", err)
		}
	})
	bubble(t, func(t *testing.T) { // off by default
		o := newOrigin("a")
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		if _, err := v.Active(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		o.fail = func(int) error { return ErrUnavailable }
		time.Sleep(time.Minute)
		if _, err := v.Active(t.Context(), "a"); !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
	})
}

func TestClockJumps(t *testing.T) {
	o := newOrigin("a")
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	v := newSource(t, Config{Now: func() time.Time { return now }}, SourceConfig{Source: o, Lifetime: time.Minute})
	step := func(d time.Duration, want int) {
		t.Helper()
		now = now.Add(d)
		before := o.count()
		key, err := v.Active(t.Context(), "a")
		if err := check(key, err, "a"); err != nil {
			t.Fatal(err)
		}
		if n := o.count() - before; n != want {
			t.Fatalf("after %v: %d fetches", d, n)
		}
	}
	step(0, 1)
	step(30*time.Second, 0)
	step(-31*time.Second, 1) // back beyond the fetch: unknown age
	step(time.Hour, 1)
	step(-time.Second, 1)

	// With a monotonic reading, a wall clock set back does not stretch the
	// lifetime: the two say different things only then.
	e := &entry{created: time.Now()}
	if age := e.age(e.created.Add(time.Second)); age != time.Second {
		t.Fatal(age)
	}
}
