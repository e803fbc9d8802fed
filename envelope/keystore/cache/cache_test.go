// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

func TestOneFetchAtAnyConcurrency(t *testing.T) {
	bubble(t, func(t *testing.T) {
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
// version, whichever comes first after the lifetime.
func TestOneFetchFeedsBothEntries(t *testing.T) {
	bubble(t, func(t *testing.T) {
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

func TestKeysAreWiped(t *testing.T) {
	bubble(t, func(t *testing.T) {
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
		wiped(c, true) // expired without another call
		d := held("a")
		v.Cache().Purge()
		wiped(d, true)
		if s := v.Cache().Stats(); s.Entries != 0 {
			t.Fatalf("%+v", s)
		}
	})
}

func TestPartitions(t *testing.T) {
	bubble(t, func(t *testing.T) {
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
		for i, v := range []*Source{first, second, view("p", "other", time.Hour), view("q", "s", time.Hour),
			view("", "s", time.Hour), view("", "s", time.Hour)} {
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
	_, cases["nil pointer"] = cache.Source(SourceConfig{Source: (*Source)(nil), Lifetime: time.Minute})
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
