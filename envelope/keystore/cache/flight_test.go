// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// A reader that comes while the active version is being fetched waits for that.
func TestReaderWaitsForActiveFetch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		old := o.versions["a"][0]
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		both := func() {
			o.delay = time.Second
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := v.Active(t.Context(), "a"); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			key, err := v.Version(t.Context(), "a", old)
			if err := check(key, err, "a"); err != nil || key.Version != old {
				t.Error(err)
			}
			wg.Wait()
		}
		both()
		if o.count() != 1 {
			t.Fatalf("%q", o.calls)
		}
		v.Cache().Purge()
		o.rotate("a") // now it brings another version
		both()
		if o.count() != 3 {
			t.Fatalf("%q", o.calls)
		}
		// And if it fails, the reader asks for its version.
		v.Cache().Purge()
		o.fail = func(call int) error {
			if call == 4 {
				return errMissing
			}
			return nil
		}
		go func() { _, _ = v.Active(t.Context(), "a") }()
		synctest.Wait()
		key, err := v.Version(t.Context(), "a", old)
		if err := check(key, err, "a"); err != nil {
			t.Fatal(err)
		}
		// Also if the reader itself chose to fetch the active one.
		active, err := v.Active(t.Context(), "a")
		if err := check(active, err, "a"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		calls := o.count()
		o.fail = func(call int) error {
			if call == calls+1 {
				return errMissing
			}
			return nil
		}
		key, err = v.Version(t.Context(), "a", active.Version)
		if err := check(key, err, "a"); err != nil || o.count() != calls+2 {
			t.Fatal(err, o.calls)
		}
	})
}

func TestFailuresAreNotCachedNorShared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		o.delay = time.Second
		refused := errors.New("refused")
		o.fail = func(call int) error {
			if call == 1 {
				return refused
			}
			return nil
		}
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		var failed, good int
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				key, err := v.Active(t.Context(), "a")
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, refused) {
					failed++
				} else if err := check(key, err, "a"); err != nil {
					t.Error(err)
				} else {
					good++
				}
			})
			if i == 0 {
				synctest.Wait() // the first one starts the fetch before the others come
			}
		}
		wg.Wait()
		if failed != 1 || good != 63 || o.count() != 2 || o.most != 1 {
			t.Fatalf("%d failed, %d good, %d fetches, %d at once", failed, good, o.count(), o.most)
		}
	})
}

// While the service refuses, fetches come one at a time, and no caller waits for
// more than the running one and the next.
func TestOutageIsOneCallAtATime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		o.delay = time.Second
		o.fail = func(int) error { return ErrUnavailable }
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				if _, err := v.Active(t.Context(), "a"); !errors.Is(err, ErrUnavailable) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if o.most != 1 || o.count() != 2 || time.Since(start) != 2*time.Second {
			t.Fatalf("%d at once, %d fetches in %v", o.most, o.count(), time.Since(start))
		}
	})
}

func TestCancelledLeaderDoesNotFailFollowers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		o.delay = time.Second
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		leader, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			start := time.Now()
			if _, err := v.Active(leader, "a"); !errors.Is(err, context.Canceled) ||
				time.Since(start) != 100*time.Millisecond {
				t.Errorf("leader: %v after %v", err, time.Since(start))
			}
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() {
				key, err := v.Active(t.Context(), "a")
				if err := check(key, err, "a"); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		cancel()
		wg.Wait()
		if o.count() != 1 {
			t.Fatalf("%d fetches", o.count())
		}
		// One who comes cancelled starts nothing.
		if _, err := v.Active(leader, "b"); !errors.Is(err, context.Canceled) || o.count() != 1 {
			t.Fatalf("%v, %d fetches", err, o.count())
		}
	})
}

func TestFetchIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		o.delay = time.Hour
		v := newSource(t, Config{FetchTimeout: 3 * time.Second}, SourceConfig{Source: o, Lifetime: time.Minute})
		start := time.Now()
		if _, err := v.Active(t.Context(), "a"); !errors.Is(err, ErrUnavailable) || time.Since(start) != 3*time.Second {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
	})
}

func TestFetchesOfManyKeysAreLimited(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var ids []string
		for i := range 100 {
			ids = append(ids, fmt.Sprint(i))
		}
		o := newOrigin(ids...)
		o.delay = time.Second
		v := newSource(t, Config{MaxFetches: 10}, SourceConfig{Source: o, Lifetime: time.Minute})
		start := time.Now()
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				key, err := v.Active(t.Context(), id)
				if err := check(key, err, id); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if o.together != 10 || time.Since(start) != 10*time.Second {
			t.Fatalf("%d together, %v", o.together, time.Since(start))
		}
	})
}

// A fetch that was running when the key was forgotten does not bring it back.
func TestForgetDuringFetch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		o.delay = time.Second
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		done := make(chan error, 1)
		go func() {
			_, err := v.Active(t.Context(), "a")
			done <- err
		}()
		synctest.Wait()
		time.Sleep(1500 * time.Millisecond / 2)
		o.mu.Lock()
		delete(o.versions, "a")
		o.mu.Unlock()
		v.Cache().Forget("a")
		if err := <-done; !errors.Is(err, errMissing) {
			t.Fatal(err)
		}
		if s := v.Cache().Stats(); s.Entries != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

// A source that breaks its contract fails its callers, not the program.
func TestOddSources(t *testing.T) {
	for name, f := range map[string]odd{
		"panics":        func() (*materials.BranchKey, error) { panic("secret") },
		"exits":         func() (*materials.BranchKey, error) { runtime.Goexit(); return nil, nil },
		"nothing":       func() (*materials.BranchKey, error) { return nil, nil },
		"other id":      func() (*materials.BranchKey, error) { return materials.NewBranchKey("b", "v", [32]byte{1}), nil },
		"no version":    func() (*materials.BranchKey, error) { return materials.NewBranchKey("a", "", [32]byte{1}), nil },
		"other version": func() (*materials.BranchKey, error) { return materials.NewBranchKey("a", "w", [32]byte{1}), nil },
	} {
		v := newSource(t, Config{}, SourceConfig{Source: f, Lifetime: time.Minute})
		if name != "other version" {
			if _, err := v.Active(t.Context(), "a"); !errors.Is(err, materials.ErrMaterials) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := v.Version(t.Context(), "a", "v"); !errors.Is(err, materials.ErrMaterials) {
			t.Errorf("%s: %v", name, err)
		}
		if s := v.Cache().Stats(); s.Entries != 0 || len(v.cache.flights) != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
