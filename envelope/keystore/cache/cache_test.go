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

	"github.com/google/uuid"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

var errMissing = errors.New("no such branch key")

// origin is a key store that counts calls; it answers after delay.
type origin struct {
	mu       sync.Mutex
	delay    time.Duration
	fail     func(call int) error
	versions map[string][]string // by branch key id, the last is active
	calls    []string
	running  map[string]int
	most     int // fetches of one key at the same time
	together int // fetches of any keys at the same time
	given    []*materials.BranchKey
}

func newOrigin(ids ...string) *origin {
	o := &origin{versions: map[string][]string{}, running: map[string]int{}}
	for _, id := range ids {
		o.rotate(id)
	}
	return o
}

func (o *origin) rotate(id string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	v := uuid.NewString()
	o.versions[id] = append(o.versions[id], v)
	return v
}

func (o *origin) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.calls)
}

func (o *origin) Active(ctx context.Context, id string) (*materials.BranchKey, error) {
	return o.answer(ctx, id, "")
}

func (o *origin) Version(ctx context.Context, id, version string) (*materials.BranchKey, error) {
	return o.answer(ctx, id, version)
}

func (o *origin) answer(ctx context.Context, id, version string) (*materials.BranchKey, error) {
	o.mu.Lock()
	o.calls = append(o.calls, id+" "+version)
	call := len(o.calls)
	name := id + " " + version
	o.running[name]++
	o.most = max(o.most, o.running[name])
	var together int
	for _, n := range o.running {
		together += n
	}
	o.together = max(o.together, together)
	var found string // as the call finds it when it begins
	for i, v := range o.versions[id] {
		if v == version || version == "" && i == len(o.versions[id])-1 {
			found = v
		}
	}
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		o.running[name]--
		o.mu.Unlock()
	}()
	if o.delay > 0 {
		select {
		case <-time.After(o.delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		if err := o.fail(call); err != nil {
			return nil, err
		}
	}
	if found == "" {
		return nil, errMissing
	}
	key := materials.NewBranchKey(id, found, secretOf(id, found))
	o.given = append(o.given, key)
	return key, nil
}

func secretOf(id, version string) (k [32]byte) {
	copy(k[:], id+version)
	return k
}

func newSource(t testing.TB, c Config, s SourceConfig) *Source {
	t.Helper()
	cache, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	v, err := cache.Source(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cache.Purge)
	return v
}

func check(key *materials.BranchKey, err error, id string) error {
	if err != nil {
		return err
	}
	if want := secretOf(id, key.Version); key.ID != id || string(key.Key()) != string(want[:]) {
		return fmt.Errorf("key of %q version %q is wiped or another one", key.ID, key.Version)
	}
	key.Wipe() // must not reach the cache's copy
	return nil
}

func TestOneFetchAtAnyConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin("a")
		o.delay = 50 * time.Millisecond
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		round := func() {
			var wg sync.WaitGroup
			for g := range 64 {
				wg.Go(func() {
					for range 16 {
						key, err := v.Active(t.Context(), "a")
						if err := check(key, err, "a"); err != nil {
							t.Error(err)
						}
						if g%2 == 0 {
							key, err = v.Version(t.Context(), "a", o.versions["a"][0])
							if err := check(key, err, "a"); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			wg.Wait()
		}
		round()
		if n := o.count(); n != 1 {
			t.Fatalf("%d fetches cold", n)
		}
		s := v.Cache().Stats()
		if s.Misses != 1 || s.Waits != 63 || s.Hits != 64*16+32*16-64 || s.Fetches != 1 || s.Entries != 2 {
			t.Fatalf("%+v", s)
		}
		time.Sleep(time.Minute)
		round()
		if n := o.count(); n != 2 {
			t.Fatalf("%d fetches after the lifetime", n)
		}
		for _, key := range o.given {
			if [32]byte(key.Key()) != [32]byte{} {
				t.Error("the key that passed to the waiters was not wiped")
			}
		}
	})
}

// Readers and writers that start cold at once share the fetch of the active
// version, whoever comes first after the lifetime.
func TestOneFetchFeedsBothEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin("a")
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		version := o.versions["a"][0]
		both := func(readFirst bool) {
			for _, read := range []bool{readFirst, !readFirst} {
				var key *materials.BranchKey
				var err error
				if read {
					key, err = v.Version(t.Context(), "a", version)
				} else {
					key, err = v.Active(t.Context(), "a")
				}
				if err := check(key, err, "a"); err != nil {
					t.Fatal(err)
				}
			}
		}
		both(false)
		time.Sleep(time.Minute)
		both(true)
		time.Sleep(time.Hour)
		both(true)
		if n := o.count(); n != 3 {
			t.Fatalf("%d fetches in three lifetimes: %q", n, o.calls)
		}
		// After a rotation the old version is asked for by name, once.
		o.rotate("a")
		time.Sleep(time.Minute)
		both(true)
		if n := o.count(); n != 5 {
			t.Fatalf("%d fetches: %q", n, o.calls)
		}
	})
}

// A reader that comes while the active version is being fetched waits for that.
func TestReaderWaitsForActiveFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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

// While the service refuses, fetches come one at a time, and nobody waits for
// more than the running one and the next.
func TestOutageIsOneCallAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin("a")
		o.delay = time.Second
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
		leader, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			start := time.Now()
			if _, err := v.Active(leader, "a"); !errors.Is(err, context.Canceled) || time.Since(start) != 100*time.Millisecond {
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
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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

func TestEarlyRefreshByOneCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
		time.Sleep(30 * time.Second) // past the first lifetime: nobody waited
		use()
		if o.count() != 2 {
			t.Fatalf("%d fetches", o.count())
		}
	})
}

func TestFailingRefreshIsRepeatedAtIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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

func TestKeysAreWiped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin("a", "b", "c")
		v := newSource(t, Config{MaxEntries: 4}, SourceConfig{Source: o, Lifetime: time.Minute})
		held := func(id string) []*materials.BranchKey {
			if _, err := v.Active(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			v.cache.mu.Lock()
			defer v.cache.mu.Unlock()
			var keys []*materials.BranchKey
			for at, e := range v.cache.entries {
				if at.id == id {
					keys = append(keys, e.key)
				}
			}
			if len(keys) != 2 {
				t.Fatalf("%d entries", len(keys))
			}
			return keys
		}
		wiped := func(keys []*materials.BranchKey, want bool) {
			t.Helper()
			v.cache.mu.Lock()
			defer v.cache.mu.Unlock()
			for _, k := range keys {
				if ([32]byte(k.Key()) == [32]byte{}) != want {
					t.Fatalf("wiped: %t", !want)
				}
			}
		}
		a, b := held("a"), held("b")
		wiped(a, false)
		c := held("c")
		wiped(a, true) // evicted
		wiped(b, false)
		if s := v.Cache().Stats(); s.Evictions != 2 || s.Entries != 4 {
			t.Fatalf("%+v", s)
		}
		v.Cache().Forget("b")
		wiped(b, true)
		wiped(c, false)
		time.Sleep(time.Minute)
		synctest.Wait()
		wiped(c, true) // expired, though nobody asked
		d := held("a")
		v.Cache().Purge()
		wiped(d, true)
		if s := v.Cache().Stats(); s.Entries != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

// A fetch that was running when the key was forgotten does not bring it back.
func TestForgetDuringFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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

func TestServeStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) { // off by default
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

func TestPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin("a")
		cache, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cache.Purge)
		view := func(partition, store string, lifetime time.Duration) *Source {
			v, err := cache.Source(SourceConfig{Source: o, Lifetime: lifetime, Partition: partition, StoreName: store})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		fetches := func(v *Source) int {
			before := o.count()
			key, err := v.Active(t.Context(), "a")
			if err := check(key, err, "a"); err != nil {
				t.Fatal(err)
			}
			return o.count() - before
		}
		first, second := view("p", "s", time.Hour), view("p", "s", time.Minute)
		for i, v := range []*Source{first, second, view("p", "other", time.Hour), view("q", "s", time.Hour), view("", "s", time.Hour), view("", "s", time.Hour)} {
			want := 1
			if i == 1 {
				want = 0
			}
			if n := fetches(v); n != want {
				t.Errorf("view %d: %d fetches", i, n)
			}
		}
		time.Sleep(time.Minute) // the second view's own lifetime counts
		if fetches(first) != 0 || fetches(second) != 1 || fetches(first) != 0 {
			t.Error("lifetimes of views that share")
		}
		time.Sleep(time.Minute) // and so does that of the view that fetched
		if fetches(first) != 1 {
			t.Error("used beyond the lifetime of the view that fetched it")
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

type odd func() (*materials.BranchKey, error)

func (o odd) Active(context.Context, string) (*materials.BranchKey, error)          { return o() }
func (o odd) Version(context.Context, string, string) (*materials.BranchKey, error) { return o() }

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

func TestConfigurationErrors(t *testing.T) {
	o := newOrigin()
	cache, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]error{}
	_, cases["entries"] = New(Config{MaxEntries: -1})
	_, cases["fetches"] = New(Config{MaxFetches: -1})
	_, cases["timeout"] = New(Config{FetchTimeout: -1})
	_, cases["interval"] = New(Config{GraceInterval: time.Minute})
	_, cases["no source"] = cache.Source(SourceConfig{Lifetime: time.Minute})
	_, cases["no lifetime"] = cache.Source(SourceConfig{Source: o})
	_, cases["lifetime within grace"] = cache.Source(SourceConfig{Source: o, Lifetime: 10 * time.Second})
	_, cases["stale"] = cache.Source(SourceConfig{Source: o, Lifetime: time.Minute, ServeStale: 2 * time.Hour})
	_, cases["stale negative"] = cache.Source(SourceConfig{Source: o, Lifetime: time.Minute, ServeStale: -1})
	_, cases["partition"] = cache.Source(SourceConfig{Source: o, Lifetime: time.Minute, Partition: "p"})
	_, cases["NewSource"] = NewSource(o, 0)
	v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute})
	for name, err := range cases {
		if !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := v.Version(t.Context(), "a", ""); !errors.Is(err, materials.ErrMaterials) {
		t.Error(err)
	}
}
