// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/keystore/cache"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// origin is a source of beacon keys that counts and can be slow or fail.
type origin struct {
	mu     sync.Mutex
	calls  map[string]int
	delay  time.Duration
	answer func(id string) (*materials.BeaconKey, error) // nil gives every id a key
	last   *materials.BeaconKey
}

func (o *origin) BeaconKey(ctx context.Context, id string) (*materials.BeaconKey, error) {
	o.mu.Lock()
	if o.calls == nil {
		o.calls = make(map[string]int)
	}
	o.calls[id]++
	delay, answer := o.delay, o.answer
	o.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if answer != nil {
		return answer(id)
	}
	k := materials.NewBeaconKey(id, [32]byte{1, 2, 3})
	o.mu.Lock()
	o.last = k
	o.mu.Unlock()
	return k, nil
}

func (o *origin) count(id string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls[id]
}

func single(t testing.TB, source materials.BeaconKeySource, lifetime time.Duration) *Search {
	t.Helper()
	return mustNew(t, Config{
		Standard: []Standard{{Name: "a", Length: 32}, {Name: "b", Length: 32, Style: Shared, Other: "a"}},
		Keys:     KeySource{Source: source, BranchKeyID: branchKeyID, Lifetime: lifetime}}, "a encrypted, b encrypted")
}

func multi(t testing.TB, source materials.BeaconKeySource, entries int) *Search {
	t.Helper()
	return mustNew(t, Config{Standard: []Standard{{Name: "a", Length: 32}},
		Keys: KeySource{Source: source, KeyField: "tenant", Lifetime: time.Minute, MaxEntries: entries}},
		"a encrypted, tenant signed")
}

// wiped reports whether keys hold nothing any more.
func wiped(k *Keys) bool {
	for i := range k.macs {
		for _, b := range [][]byte{k.macs[i].inner, k.macs[i].outer, k.macs[i].key} {
			if !bytes.Equal(b, make([]byte, len(b))) {
				return false
			}
		}
	}
	return true
}

func get(t testing.TB, s *Search, id string) *Keys {
	t.Helper()
	k, err := s.Keys(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKeysAreKept for their lifetime, then wiped even if no caller asks again,
// but not while an operation uses them.
func TestKeysAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{delay: time.Second}
		s := single(t, o, time.Minute)
		k := get(t, s, "")
		if len(k.macs) != 1 || k.BranchKeyID() != branchKeyID {
			t.Errorf("%d keys of branch key %q; two beacons share one", len(k.macs), k.BranchKeyID())
		}
		if !bytes.Equal(o.last.Key(), make([]byte, 32)) {
			t.Error("the beacon key is not wiped after the derivation")
		}
		time.Sleep(58 * time.Second) // the lifetime counts from the beginning of the fetch
		again := get(t, s, branchKeyID)
		if again != k || o.count(branchKeyID) != 1 {
			t.Errorf("fetched %d times within the lifetime", o.count(branchKeyID))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if wiped(k) {
			t.Error("the keys are wiped while two operations use them")
		}
		k.Release()
		if wiped(k) {
			t.Error("the keys are wiped while an operation uses them")
		}
		again.Release()
		if !wiped(k) {
			t.Error("expired keys are not wiped")
		}
		next := get(t, s, "")
		if next == k || o.count(branchKeyID) != 2 {
			t.Errorf("fetched %d times after the lifetime", o.count(branchKeyID))
		}
		next.Release()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if !wiped(next) {
			t.Error("keys that no caller asks for are not wiped when they expire")
		}
		(*Keys)(nil).Release()
	})
}

// TestLateKeys: a fetch that takes longer than the lifetime serves those who
// wait, and is not kept.
func TestLateKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{delay: 3 * time.Second}
		s := single(t, o, 2*time.Second)
		for n := 1; n <= 2; n++ {
			k := get(t, s, "")
			if wiped(k) || o.count(branchKeyID) != n {
				t.Errorf("wiped %v, %d fetches", wiped(k), o.count(branchKeyID))
			}
			k.Release()
			if !wiped(k) {
				t.Error("not wiped after use")
			}
		}
	})
}

// TestConcurrentMisses share one fetch. One whose context ends leaves, and the
// fetch goes on for the others.
func TestConcurrentMisses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{delay: 2 * time.Second}
		s := single(t, o, time.Minute)
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if k, err := s.Keys(hasty, ""); k != nil || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the caller whose context ended: %v, %v", k, err)
			}
		})
		synctest.Wait()
		all := make([]*Keys, 50)
		for i := range all {
			wg.Go(func() { all[i] = get(t, s, "") })
		}
		wg.Wait()
		if n := o.count(branchKeyID); n != 1 {
			t.Errorf("%d fetches", n)
		}
		s.cache.mu.Lock()
		s.cache.remove(branchKeyID, s.cache.entries[branchKeyID])
		s.cache.mu.Unlock()
		for i, k := range all {
			if k != all[0] || wiped(k) {
				t.Fatalf("caller %d has other keys, or wiped ones", i)
			}
		}
		for _, k := range all {
			k.Release()
		}
		if !wiped(all[0]) {
			t.Error("not wiped after the last use")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Keys(ended, ""); !errors.Is(err, context.Canceled) || o.count(branchKeyID) != 1 {
			t.Errorf("an ended context: %v, %d fetches", err, o.count(branchKeyID))
		}
	})
}

// TestCapacity: the least recently used keys make room. The defaults are 1 and
// 1000 branch keys.
func TestCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{}
		s := multi(t, o, 2)
		var keys []*Keys
		for _, id := range []string{"a", "b", "a", "c", "a", "b"} {
			k := get(t, s, id)
			k.Release()
			keys = append(keys, k)
		}
		if o.count("a") != 1 || o.count("b") != 2 || o.count("c") != 1 {
			t.Errorf("fetches: %v", o.calls)
		}
		if wiped(keys[0]) || !wiped(keys[1]) || !wiped(keys[3]) || wiped(keys[5]) {
			t.Error("wrong keys are wiped")
		}
		if s := multi(t, o, 0); s.cache.capacity != 1000 {
			t.Errorf("capacity %d", s.cache.capacity)
		}
		if s := single(t, o, time.Minute); s.cache.capacity != 1 {
			t.Errorf("capacity %d", s.cache.capacity)
		}
		time.Sleep(time.Hour) // end the timers
	})
}

// TestForget drops what is kept and what is being fetched.
func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{delay: time.Second}
		s := multi(t, o, 0)
		a, b := get(t, s, "a"), get(t, s, "b")
		a.Release()
		b.Release()
		s.Forget("a")
		s.Forget("unknown")
		if !wiped(a) || wiped(b) {
			t.Error("the wrong keys are wiped")
		}
		var wg sync.WaitGroup
		var late, next *Keys
		wg.Go(func() { late = get(t, s, "a") })
		synctest.Wait()
		s.Forget("a")
		time.Sleep(time.Millisecond)
		wg.Go(func() { next = get(t, s, "a") })
		wg.Wait()
		if late == next || wiped(late) || wiped(next) || o.count("a") != 3 {
			t.Errorf("a fetch that was forgotten is shared, or keys are wiped; %d fetches", o.count("a"))
		}
		late.Release()
		next.Release()
		if again := get(t, s, "a"); again != next || !wiped(late) || o.count("a") != 3 {
			t.Errorf("the later fetch is not kept, or the forgotten one is; %d fetches", o.count("a"))
		} else {
			again.Release()
		}
		time.Sleep(time.Hour)
	})
}

// TestClockWentBack: keys are not used longer than their lifetime because the
// clock was set back.
func TestClockWentBack(t *testing.T) {
	c := newKeyCache(nil, time.Minute, 1)
	for age, want := range map[time.Duration]bool{0: true, 59 * time.Second: true, time.Minute: false,
		-time.Second: false, -time.Hour: false} {
		at := time.Now().Add(-age)
		for name, created := range map[string]time.Time{"monotonic": at, "wall": at.Round(0)} {
			if got := c.fresh(&keyEntry{created: created}); got != want {
				t.Errorf("%s, age %v: fresh is %v", name, age, got)
			}
		}
	}
}

// TestSuspendedMachine: keys that are too old by the clock are not used, though
// their timer has not run, and that timer does not drop their successors.
func TestSuspendedMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &origin{}
		s := single(t, o, time.Minute)
		old := get(t, s, "")
		old.Release()
		time.Sleep(time.Second)
		s.cache.mu.Lock()
		e := s.cache.entries[branchKeyID]
		e.created = e.created.Add(-time.Hour)
		timer := e.timer
		s.cache.mu.Unlock()
		next := get(t, s, "")
		if next == old || !wiped(old) || o.count(branchKeyID) != 2 {
			t.Errorf("old keys are used or not wiped; %d fetches", o.count(branchKeyID))
		}
		timer.Reset(0) // as if it had run too late to be stopped
		time.Sleep(time.Second)
		synctest.Wait()
		if again := get(t, s, ""); again != next || o.count(branchKeyID) != 2 {
			t.Errorf("%d fetches: an old timer drops new keys", o.count(branchKeyID))
		} else {
			again.Release()
		}
		next.Release()
		time.Sleep(time.Hour)
	})
}

// TestKeyFailures: they have the branch key id and a class, show no secret, and
// are not kept.
func TestKeyFailures(t *testing.T) {
	fail := errors.New("fault")
	for _, c := range []struct {
		what    string
		answer  func(string) (*materials.BeaconKey, error)
		delay   time.Duration
		matches []error
		text    string
	}{
		{"denied", func(id string) (*materials.BeaconKey, error) {
			return nil, &materials.KeyError{Provider: provider, KeyID: id, Code: "AccessDeniedException",
				Missing: "kms:Decrypt", Err: fail}
		}, 0, []error{materials.ErrKeyDenied, fail}, "kms:Decrypt"},
		{"not found", func(string) (*materials.BeaconKey, error) { return nil, keyring.ErrNoBranchKey }, 0,
			[]error{materials.ErrMaterials, keyring.ErrNoBranchKey}, ""},
		{"of a class", func(string) (*materials.BeaconKey, error) { return nil, materials.ErrMaterials }, 0,
			[]error{materials.ErrMaterials}, ""},
		{"nothing", func(string) (*materials.BeaconKey, error) { return nil, nil }, 0,
			[]error{materials.ErrMaterials, errWrongBeaconKey}, ""},
		{"another one", func(string) (*materials.BeaconKey, error) {
			return materials.NewBeaconKey("other", [32]byte{1}), nil
		}, 0, []error{materials.ErrMaterials, errWrongBeaconKey}, ""},
		{"panic", func(string) (*materials.BeaconKey, error) { panic("secret") }, 0,
			[]error{materials.ErrMaterials, errAbandoned}, ""},
		{"end of the goroutine", func(string) (*materials.BeaconKey, error) { runtime.Goexit(); return nil, nil }, 0,
			[]error{materials.ErrMaterials, errAbandoned}, ""},
		{"too slow", nil, time.Hour, []error{materials.ErrMaterials, cache.ErrUnavailable, context.DeadlineExceeded},
			"no answer within 10s"},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &origin{answer: c.answer, delay: c.delay}
				s := single(t, o, time.Minute)
				_, err := s.Keys(t.Context(), "")
				var named *materials.KeyError
				if !errors.As(err, &named) || named.KeyID != branchKeyID || named.Provider != provider ||
					!strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), branchKeyID) ||
					strings.Contains(err.Error(), "secret") {
					t.Errorf("%v", err)
				}
				for _, m := range c.matches {
					if !errors.Is(err, m) {
						t.Errorf("%v does not match %v", err, m)
					}
				}
				if c.what != "too slow" && errors.Is(err, cache.ErrUnavailable) ||
					strings.Count(err.Error(), materials.ErrMaterials.Error()) > 1 {
					t.Errorf("%v: out of reach, or twice the same", err)
				}
				o.mu.Lock()
				o.answer, o.delay = nil, 0
				o.mu.Unlock()
				get(t, s, "").Release()
				if n := o.count(branchKeyID); n != 2 {
					t.Errorf("%d fetches", n)
				}
				time.Sleep(time.Hour)
			})
		})
	}
	s, m := single(t, &origin{}, time.Minute), multi(t, &origin{}, 0)
	if _, err := s.Keys(t.Context(), "other"); !errors.Is(err, materials.ErrMaterials) ||
		!errors.Is(err, errOtherBranchKey) {
		t.Errorf("another branch key than the configured one: %v", err)
	}
	if _, err := m.Keys(t.Context(), ""); !errors.Is(err, materials.ErrMaterials) || !errors.Is(err, errNoBranchKey) {
		t.Errorf("no branch key: %v", err)
	}
}

// TestKeysDoNotShow: keys print as a constant.
func TestKeysDoNotShow(t *testing.T) {
	s := mustNew(t, Config{Standard: []Standard{{Name: "a", Length: 32}}}, "a encrypted")
	k := mustDerive(t, s, officialKey)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "k", k)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		log.WriteString(fmt.Sprintf(verb, k))
	}
	if n := strings.Count(log.String(), "[beacon keys]"); n != 7 || len(log.String()) > 200 {
		t.Errorf("keys print as %s", log.String())
	}
}
