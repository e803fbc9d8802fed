// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// Looking through all entries at every fetch would make the fetches of n branch
// keys take n² steps, all under the lock.
func TestManyFetchesAreOneSweep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin()
		v := newSource(t, Config{GracePeriod: -1}, SourceConfig{Source: o, Lifetime: time.Hour})
		start := time.Now()
		for i := range 100 {
			id := fmt.Sprint(i)
			o.rotate(id)
			if _, err := v.Active(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		v.cache.mu.Lock()
		defer v.cache.mu.Unlock()
		if !v.cache.swept.Equal(start) {
			t.Fatalf("swept again after %v", v.cache.swept.Sub(start))
		}
	})
}

// A short-lived key is wiped in time though the next sweep was due much later.
func TestShortestLifetimeDecidesTheNextSweep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a", "b")
		long := newSource(t, Config{GracePeriod: -1}, SourceConfig{Source: o, Lifetime: time.Hour})
		short, err := long.cache.Source(SourceConfig{Source: o, Lifetime: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for _, get := range []struct {
			v  *Source
			id string
		}{{long, "a"}, {short, "b"}} {
			if _, err := get.v.Active(t.Context(), get.id); err != nil {
				t.Fatal(err)
			}
		}
		for _, at := range []struct {
			wait time.Duration
			want int
		}{{59 * time.Second, 4}, {time.Second, 2}, {58 * time.Minute, 2}, {time.Minute, 0}} {
			time.Sleep(at.wait)
			synctest.Wait()
			if n := long.cache.Stats().Entries; n != at.want {
				t.Fatalf("%d keys after another %v, want %d", n, at.wait, at.want)
			}
		}
	})
}

// A key that may not be served beyond its lifetime any more is not kept for it.
func TestRefusedKeyIsWipedAtItsLifetime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := newOrigin("a")
		v := newSource(t, Config{}, SourceConfig{Source: o, Lifetime: time.Minute, ServeStale: time.Hour})
		if _, err := v.Active(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		o.fail = func(int) error { return errors.New("permission withdrawn") }
		time.Sleep(56 * time.Second) // in the grace period
		if _, err := v.Active(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if n := v.cache.Stats().Entries; n != 0 {
			t.Fatalf("%d keys are still in memory", n)
		}
	})
}
