// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// Many callers with short patience, failing fetches, rotation, forgetting and
// too few entries: every answer is a whole key of the right name, every error
// is one that was caused, and in the end nothing is left behind.
func TestChaos(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const callers, calls = 32, 200
		ids := []string{"a", "b", "c"}
		o := newOrigin(ids...)
		o.delay = 30 * time.Millisecond
		o.fail = func(call int) error {
			switch {
			case call%3 == 0:
				return ErrUnavailable
			case call%11 == 0:
				return errMissing
			}
			return nil
		}
		v := newSource(t, Config{MaxEntries: 10, MaxFetches: 3, GracePeriod: 150 * time.Millisecond,
			GraceInterval: 50 * time.Millisecond},
			SourceConfig{Source: o, Lifetime: 300 * time.Millisecond, ServeStale: 300 * time.Millisecond})
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(1, uint64(c))) // chooses what to do; repeatable
				for range calls {
					id := ids[r.IntN(len(ids))]
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(5+r.IntN(200))*time.Millisecond)
					var key *materials.BranchKey
					var err error
					switch r.IntN(400) {
					case 0:
						o.rotate(id)
					case 1:
						v.Cache().Forget(id)
					case 2:
						o.rotate(id)
					case 3:
						v.Cache().Purge()
					}
					if r.IntN(2) == 0 {
						key, err = v.Active(ctx, id)
					} else {
						o.mu.Lock()
						recent := o.versions[id][max(0, len(o.versions[id])-3):]
						version := recent[r.IntN(len(recent))]
						o.mu.Unlock()
						if key, err = v.Version(ctx, id, version); err == nil && key.Version != version {
							err = fmt.Errorf("version %s instead of %s", key.Version, version)
						}
					}
					if !errors.Is(err, ErrUnavailable) && !errors.Is(err, errMissing) &&
						!errors.Is(err, context.DeadlineExceeded) {
						if err := check(key, err, id); err != nil {
							t.Error(err)
						}
					}
					cancel()
					time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Hour) // fetches land, keys expire
		synctest.Wait()
		s := v.Cache().Stats()
		turns := &v.cache.turns
		if turns.queued != 0 || turns.refreshing != 0 || turns.ending != 0 || turns.ready.Len() != 0 ||
			len(turns.lanes) != 0 || len(turns.running) != 0 {
			t.Fatalf("fetches are left: %+v", turns)
		}
		if o.together > 3 || s.Entries != 0 || len(v.cache.flights) != 0 || v.cache.sweeper != nil {
			t.Fatalf("%d fetches at once, %+v", o.together, s)
		}
		for _, key := range o.given {
			if [32]byte(key.Key()) != [32]byte{} {
				t.Fatal("a key was not wiped")
			}
		}
		if s.Hits == 0 || s.Waits == 0 || s.Failures == 0 || s.Refreshes == 0 || s.Stale == 0 || s.Evictions == 0 {
			t.Fatalf("the test missed something: %+v", s)
		}
	})
}
