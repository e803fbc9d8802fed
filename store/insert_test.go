// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/store"
)

// guarantees: P10
func TestInsert(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "returned items of failed conditions")
		ctx, name := t.Context(), w.table(t, "id:S")
		tallies, counters := open[tally](t, w.client, name, m), open[counter](t, w.client, w.table(t, "id:S"), m)
		ok(t, tallies.Insert(ctx, tally{ID: "a", Count: 1}))
		err := tallies.Insert(ctx, tally{ID: "a", Count: 2})
		var refused *store.ConditionError
		if !errors.Is(err, store.ErrExists) || !errors.Is(err, store.ErrConditionFailed) ||
			!errors.As(err, &refused) || refused.Item["id"] == nil {
			t.Errorf("insert over an item: %v", err)
		}
		if got := must(tallies.Get(ctx, store.Key{Partition: "a"}))(t); got.Count != 1 {
			t.Errorf("the item is %+v", got)
		}

		// A condition of the caller's that an absent item does not meet.
		err = tallies.Insert(ctx, tally{ID: "b"}, calmHits)
		if errors.Is(err, store.ErrExists) || !errors.Is(err, store.ErrConditionFailed) {
			t.Errorf("insert under a condition: %v", err)
		}
		if err = tallies.Insert(ctx, tally{ID: "a"}, calmHits); !errors.Is(err, store.ErrExists) {
			t.Errorf("insert over an item under a condition: %v", err)
		}

		ok(t, counters.Insert(ctx, counter{ID: "a"}))
		if err = counters.Insert(ctx, counter{ID: "a"}); !errors.Is(err, store.ErrExists) {
			t.Errorf("insert over a versioned item: %v", err)
		}
		if err = counters.Insert(ctx, counter{ID: "b", Version: 3}); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("insert of a value that has a version: %v", err)
		}

		one, err := store.NewEntity[tally](w.client, name, m, store.Entity{Attribute: "kind", Name: "one"})
		ok(t, err)
		two, err := store.NewEntity[tally](w.client, name, m, store.Entity{Attribute: "kind", Name: "two"})
		ok(t, err)
		ok(t, one.Insert(ctx, tally{ID: "c"}))
		err = two.Insert(ctx, tally{ID: "c"})
		if !errors.Is(err, store.ErrExists) || !errors.Is(err, store.ErrConditionFailed) {
			t.Errorf("insert over an item of another entity: %v", err)
		}
	})
}

// guarantees: P11
func TestSave(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		counters := open[counter](t, w.client, w.table(t, "id:S"), m)
		c := &counter{ID: "a", Count: 1}
		for want := 1; want < 4; want++ {
			c.Count++
			ok(t, counters.Save(ctx, c))
			if got := must(counters.Get(ctx, store.Key{Partition: "a"}))(t); got != *c || c.Version != want {
				t.Fatalf("saved %+v, stored %+v, want version %d", *c, got, want)
			}
		}
		stale := &counter{ID: "a", Version: 1}
		if err := counters.Save(ctx, stale); !errors.Is(err, store.ErrStaleVersion) || stale.Version != 1 {
			t.Errorf("save of a stale value: %v, %+v", err, stale)
		}
		if err := counters.Save(ctx, nil); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("save of nil: %v", err)
		}
		tallies := open[tally](t, w.client, w.table(t, "id:S"), m)
		ok(t, tallies.Save(ctx, &tally{ID: "a", Count: 7}))
		if got := must(tallies.Get(ctx, store.Key{Partition: "a"}))(t); got.Count != 7 {
			t.Errorf("stored %+v", got)
		}
	})
}

// guarantees: U20
func TestUpdateAttributesReturned(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, k := t.Context(), store.Key{Partition: "a"}
		counters := open[counter](t, w.client, w.table(t, "id:S"), m)
		ok(t, counters.Put(ctx, counter{ID: "a", Count: 3}))
		before := must(counters.Get(ctx, k))(t)
		old := must(counters.UpdateAttributesOld(ctx, k, addHits))(t)
		if old != before {
			t.Errorf("the old item is %+v, want %+v", old, before)
		}
		got := must(counters.UpdateAttributesNew(ctx, k, addHits))(t)
		if want := must(counters.Get(ctx, k))(t); got != want || got.Hits != 2 || got.Count != 3 {
			t.Errorf("the new item is %+v, want %+v", got, want)
		}
		for name, err := range map[string]error{
			"new": ignore(counters.UpdateAttributesNew(ctx, store.Key{Partition: "b"}, addHits)),
			"old": ignore(counters.UpdateAttributesOld(ctx, store.Key{Partition: "b"}, addHits)),
		} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s of an absent item: %v", name, err)
			}
		}
		if m.String() == "client" { // a signed attribute changes by Update only
			set := expression.Set(expression.Name("count"), expression.Value(1))
			_, err := counters.UpdateAttributesNew(ctx, k, set)
			if !errors.Is(err, store.ErrEncryptedAttribute) {
				t.Errorf("update of an encrypted attribute: %v", err)
			}
		}
	})
}
