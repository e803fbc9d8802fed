// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"context"
	"crypto/fips140"
	"errors"
	"fmt"
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

type odd func() (*materials.BranchKey, error)

func (o odd) Active(context.Context, string) (*materials.BranchKey, error) { return o() }

func (o odd) Version(context.Context, string, string) (*materials.BranchKey, error) { return o() }

// bubble runs a test in which time passes only when all wait. The random
// source of FIPS 140 mode measures the passing of time and cannot start there.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	if fips140.Enabled() {
		t.Skip("the entropy source of FIPS 140 mode needs real time")
	}
	synctest.Test(t, f)
}
