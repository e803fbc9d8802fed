// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// TestPutsMeetThemselves: a conditional put whose answer is lost fails its own
// condition when it is repeated. Only a footer shows that it was done.
// guarantees: P3
func TestPutsMeetThemselves(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		client, l := w.wire()
		table := w.table(t, "id:S")
		counters, tallies := open[counter](t, client, table, m), open[tally](t, client, table, m)
		sealed := m.String() == "client"
		for name, put := range map[string]func() error{
			"version":   func() error { return counters.Put(t.Context(), counter{ID: "a"}) },
			"condition": func() error { return tallies.Put(t.Context(), tally{ID: "b"}, absent) },
		} {
			l.play("PutItem", lose, pass)
			err := put()
			if sealed != (err == nil) || !sealed &&
				(!errors.Is(err, store.ErrUncertain) || errors.Is(err, store.ErrStaleVersion)) || l.count() != 1 {
				t.Errorf("%s: %d done: %v", name, l.count(), err)
			}
		}
		ok(t, ignore(tallies.Raw(t.Context(), store.Key{Partition: "a"})))
	})
}

// TestRepeatedWrites: what the SDK repeats after a lost answer is done again if
// its condition holds again, no matter which writer changed the item in between.
// guarantees: P4, P5, P9, D3, B7
func TestRepeatedWrites(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, k := t.Context(), store.Key{Partition: "a"}
		client, l := w.wire()
		table := w.table(t, "id:S")
		tallies, others := open[tally](t, client, table, m), open[tally](t, w.client, table, m)
		theirs := func() { ok(t, others.Put(ctx, tally{ID: "a", Count: 100})) }
		reset := func(interfere func()) {
			ok(t, others.Put(ctx, tally{ID: "a"}))
			l.interfere = interfere
			l.play("PutItem DeleteItem BatchWriteItem", lose, pass)
		}
		reset(theirs)
		ok(t, tallies.Put(ctx, tally{ID: "a", Count: 1}))
		if got := must(others.Get(ctx, k))(t); got.Count != 1 {
			t.Errorf("Put: %+v is stored", got)
		}
		reset(theirs)
		if old := must(tallies.PutOld(ctx, tally{ID: "a", Count: 1}))(t); old == nil || old.Count != 100 {
			t.Errorf("PutOld: %+v was replaced last", old)
		}
		reset(theirs)
		ok(t, ignore(tallies.BatchPut(ctx, []tally{{ID: "a", Count: 1}})))
		if got := must(others.Get(ctx, k))(t); got.Count != 1 {
			t.Errorf("BatchPut: %+v is stored", got)
		}
		reset(theirs)
		ok(t, tallies.Delete(ctx, k))
		if _, err := others.Get(ctx, k); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Delete left the later item: %v", err)
		}
		// A condition that holds again.
		removals := 0
		reset(func() { removals++; ok(t, others.Delete(ctx, k)) })
		ok(t, others.Delete(ctx, k))
		ok(t, tallies.Put(ctx, tally{ID: "a", Count: 1}, absent))
		if l.count() != 2 || removals < 1 {
			t.Errorf("a put of an absent item: done %d times", l.count())
		}
	})
}

// TestRepeatedDeletes: a conditional delete whose answer is lost meets no item.
// guarantees: D4
func TestRepeatedDeletes(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		client, l := w.wire()
		counters := open[counter](t, client, w.table(t, "id:S"), m)
		for name, remove := range map[string]func() error{
			"condition": func() error { return counters.Delete(t.Context(), store.Key{Partition: "a"}, calmHits) },
			"version":   func() error { return counters.DeleteVersion(t.Context(), counter{ID: "a", Version: 1}) },
		} {
			ok(t, counters.Put(t.Context(), counter{ID: "a"}))
			l.play("DeleteItem", lose, pass)
			if err := remove(); !errors.Is(err, store.ErrUncertain) || errors.Is(err, store.ErrConditionFailed) ||
				l.count() != 1 {
				t.Errorf("%s: %d done: %v", name, l.count(), err)
			}
		}
	})
}

// TestOldItemsThatDoNotOpen: the write is done all the same.
// guarantees: P7, D5
func TestOldItemsThatDoNotOpen(t *testing.T) {
	w := newWorld(t)
	ctx, table, k := t.Context(), w.table(t, "id:S"), store.Key{Partition: "a"}
	tallies, foreign := open[tally](t, w.client, table, clientSide(t)),
		open[tally](t, w.client, table, store.ServerSide{})
	var item *store.ItemError
	ok(t, foreign.Put(ctx, tally{ID: "a"}))
	if _, err := tallies.PutOld(ctx, tally{ID: "a", Count: 1}); !errors.As(err, &item) ||
		!errors.Is(err, envelope.ErrNotEncrypted) {
		t.Errorf("put: %v", err)
	}
	if got := must(tallies.Get(ctx, k))(t); got.Count != 1 {
		t.Errorf("%+v", got)
	}
	ok(t, foreign.Put(ctx, tally{ID: "a"}))
	if _, err := tallies.DeleteOld(ctx, k); !errors.As(err, &item) || !errors.Is(err, envelope.ErrNotEncrypted) {
		t.Errorf("delete: %v", err)
	}
	if _, err := tallies.Raw(ctx, k); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after the delete: %v", err)
	}
}

// TestPutReplaces: what the type lacks is gone after a put.
// guarantees: P1, P6
func TestPutReplaces(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		table := w.table(t, "id:S")
		tallies := open[tally](t, w.client, table, m)
		ok(t, tallies.Put(t.Context(), tally{ID: "a"}))
		raw := must(tallies.Raw(t.Context(), store.Key{Partition: "a"}))(t)
		raw["aws_dbe_b_count"], raw["unknown"] = avS("beacon"), avS("of a newer program")
		_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: raw})
		ok(t, err)
		ok(t, tallies.Put(t.Context(), tally{ID: "a"}))
		raw = must(tallies.Raw(t.Context(), store.Key{Partition: "a"}))(t)
		if raw["aws_dbe_b_count"] != nil || raw["unknown"] != nil || raw["count"] == nil {
			t.Errorf("stored %v", raw)
		}
	})
}

// TestVersionsOfUpdates: what UpdateAttributes does to the version, and what a
// put with a version notices of it.
// guarantees: U15, U16
func TestVersionsOfUpdates(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, k := t.Context(), store.Key{Partition: "a"}
		client, l := w.wire()
		counters := open[counter](t, client, w.table(t, "id:S"), m)
		sealed := m.String() == "client"
		ok(t, counters.Put(ctx, counter{ID: "a"}))
		read := must(counters.Get(ctx, k))(t)
		l.play("UpdateItem", lose, pass)
		ok(t, counters.UpdateAttributes(ctx, k, setHits))
		want := map[bool]int{true: 1, false: 3}[sealed] // counted twice, or not at all
		if got := must(counters.Get(ctx, k))(t); got.Version != want || got.Hits != 1 {
			t.Errorf("%+v", got)
		}
		err := counters.Put(ctx, read)
		if sealed != (err == nil) || !sealed && !errors.Is(err, store.ErrStaleVersion) {
			t.Errorf("a put of what was read before: %v", err)
		}
		if got := must(counters.Get(ctx, k))(t); got.Hits != map[bool]int{true: 0, false: 1}[sealed] {
			t.Errorf("%+v", got)
		}
	})
}

// TestDeletesCompareNothing: Delete and the batches look neither at versions
// nor, in batches, at entities.
// guarantees: D2, B6
func TestDeletesCompareNothing(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, table := t.Context(), w.table(t, "id:S")
		counters := open[counter](t, w.client, table, m)
		entity := func(name string) *store.Table[tally] {
			return must(store.NewEntity[tally](w.client, table, m, store.Entity{Attribute: "kind", Name: name}))(t)
		}
		k := store.Key{Partition: "a"}
		gone := func(what string) {
			t.Helper()
			if _, err := counters.Raw(ctx, k); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for range 2 {
			ok(t, counters.Put(ctx, counter{ID: "a"}))
			ok(t, ignore(counters.Update(ctx, k, func(*counter) error { return nil })))
			ok(t, counters.Delete(ctx, k, expression.Name("id").AttributeExists()))
			gone("Delete")
		}
		ok(t, counters.Put(ctx, counter{ID: "a"}))
		ok(t, ignore(counters.BatchDelete(ctx, []store.Key{k})))
		gone("BatchDelete of a version")
		ok(t, entity("one").Put(ctx, tally{ID: "a"}))
		ok(t, ignore(entity("other").BatchPut(ctx, []tally{{ID: "a"}})))
		if _, err := entity("one").Get(ctx, k); !errors.Is(err, store.ErrOtherEntity) {
			t.Errorf("BatchPut: %v", err)
		}
		ok(t, ignore(entity("one").BatchDelete(ctx, []store.Key{k})))
		gone("BatchDelete of another entity")
	})
}
