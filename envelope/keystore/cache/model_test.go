// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// model is what the cache should be, for one caller at a time and without
// early refresh.
type model struct {
	entries []*modelEntry // least recently used first
	max     int
	life    time.Duration
}

type modelEntry struct {
	id, version string // version "" is the active one
	active      string // the version it holds
	since       time.Time
}

func (m *model) find(id, version string) *modelEntry {
	for _, e := range m.entries {
		if e.id == id && e.version == version {
			return e
		}
	}
	return nil
}

func (m *model) put(e *modelEntry) {
	m.entries = slices.DeleteFunc(m.entries, func(o *modelEntry) bool { return o.id == e.id && o.version == e.version })
	m.entries = append(m.entries, e)
	if len(m.entries) > m.max {
		m.entries = m.entries[1:]
	}
}

// get returns the calls to the origin expected for a question.
func (m *model) get(id, version string, now time.Time, o *origin, down bool) (calls []string, answer string) {
	if e := m.find(id, version); e != nil && now.Sub(e.since) < m.life {
		m.put(e)
		return nil, e.active
	}
	ask := func(v string) (string, bool) {
		calls = append(calls, id+" "+v)
		if down {
			return "", false
		}
		got := v
		if v == "" {
			if len(o.versions[id]) == 0 {
				return "", false
			}
			got = o.versions[id][len(o.versions[id])-1]
		} else if !slices.Contains(o.versions[id], v) {
			return "", false
		}
		m.put(&modelEntry{id, got, got, now})
		if v == "" {
			m.put(&modelEntry{id, "", got, now})
		}
		return got, true
	}
	if version != "" {
		if a := m.find(id, ""); a != nil && a.active == version {
			got, ok := ask("")
			if ok && got == version || down {
				return calls, got
			}
		}
	}
	got, _ := ask(version)
	return calls, got
}

// TestAgainstModel compares every answer, every fetch and the set of entries
// with the model over random histories.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		o := newOrigin("a", "b", "c")
		var down bool
		o.fail = func(int) error {
			if down {
				return ErrUnavailable
			}
			return nil
		}
		m := &model{max: rapid.IntRange(1, 8).Draw(t, "max"), life: time.Minute}
		cache, err := New(Config{MaxEntries: m.max, GracePeriod: -1, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		defer cache.Purge()
		v, err := cache.Source(SourceConfig{Source: o, Lifetime: m.life})
		if err != nil {
			t.Fatal(err)
		}
		id := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		get := func(t *rapid.T, id, version string) {
			calls, answer := m.get(id, version, now, o, down)
			before := len(o.calls)
			var key *materials.BranchKey
			var err error
			if version == "" {
				key, err = v.Active(t.Context(), id)
			} else {
				key, err = v.Version(t.Context(), id, version)
			}
			if got := o.calls[before:]; !slices.Equal(got, calls) {
				t.Fatalf("fetched %q, want %q", got, calls)
			}
			switch {
			case answer == "" && !errors.Is(err, errMissing) && !errors.Is(err, ErrUnavailable):
				t.Fatalf("error %v", err)
			case answer != "" && (err != nil || key.Version != answer):
				t.Fatalf("answer %v, want version %s", err, answer)
			case answer != "":
				if err := check(key, nil, id); err != nil {
					t.Fatal(err)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"active": func(t *rapid.T) { get(t, id.Draw(t, "id"), "") },
			"version": func(t *rapid.T) {
				id := id.Draw(t, "id")
				versions := append([]string{"00000000-0000-4000-8000-000000000000"}, o.versions[id]...)
				get(t, id, rapid.SampledFrom(versions).Draw(t, "version"))
			},
			"rotate":  func(t *rapid.T) { o.rotate(id.Draw(t, "id")) },
			"advance": func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 70).Draw(t, "seconds")) * time.Second) },
			"outage":  func(*rapid.T) { down = !down },
			"forget": func(t *rapid.T) {
				id := id.Draw(t, "id")
				cache.Forget(id)
				m.entries = slices.DeleteFunc(m.entries, func(e *modelEntry) bool { return e.id == id })
			},
			"": func(t *rapid.T) {
				cache.mu.Lock()
				defer cache.mu.Unlock()
				if len(cache.entries) != len(m.entries) || cache.recent.Len() != len(m.entries) ||
					len(cache.entries) > m.max {
					t.Fatalf("%d entries, want %d", len(cache.entries), len(m.entries))
				}
				for i, e := 0, cache.recent.Back(); e != nil; i, e = i+1, e.Prev() {
					got, want := e.Value.(*entry).at, m.entries[i]
					if got.id != want.id || got.version != want.version {
						t.Fatal(fmt.Sprintf("entry %d is %v, want %v", i, got, want))
					}
				}
			},
		})
	})
}
