// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// TestStats: each count grows by what happened, and by nothing else.
func TestStats(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		client, l := w.wire()
		name := w.table(t, "id:S")
		tallies, counters := open[tally](t, client, name, m), open[counter](t, client, w.table(t, "id:S"), m)
		step := func(what string, want store.Stats, of func() store.Stats, call func()) {
			t.Helper()
			before := of()
			call()
			after := of()
			got := store.Stats{Conflicts: after.Conflicts - before.Conflicts,
				TransactionConflicts: after.TransactionConflicts - before.TransactionConflicts,
				Repeated:             after.Repeated - before.Repeated,
				Unreadable:           after.Unreadable - before.Unreadable}
			if got != want {
				t.Errorf("%s: counted %+v, want %+v", what, got, want)
			}
		}
		fails := func(err, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
		}
		key := store.Key{Partition: "a"}
		step("nothing in the way", store.Stats{}, tallies.Stats, func() {
			ok(t, tallies.Put(ctx, tally{ID: "a"}))
			ok(t, ignore(tallies.Get(ctx, key)))
			ok(t, store.TransactWrite(ctx, client, tallies.PutOp(tally{ID: "b"})))
			ok(t, ignore(tallies.BatchPut(ctx, []tally{{ID: "c"}})))
			_, err := tallies.Get(ctx, store.Key{Partition: "none"})
			fails(err, store.ErrNotFound)
			fails(tallies.Insert(ctx, tally{ID: "a"}), store.ErrExists)
		})
		step("three updates by another writer", store.Stats{Conflicts: 3}, tallies.Stats, func() {
			n := 0
			ok(t, ignore(tallies.Update(ctx, key, func(v *tally) error {
				if v.Count++; n < 3 {
					n++
					ok(t, tallies.Put(ctx, tally{ID: "a", Hits: n}))
				}
				return nil
			})))
		})
		step("two updates of a version", store.Stats{Conflicts: 2}, counters.Stats, func() {
			ok(t, counters.Put(ctx, counter{ID: "a"}))
			n := 0
			ok(t, ignore(counters.Update(ctx, key, func(v *counter) error {
				if v.Count++; n < 2 {
					n++
					ok(t, counters.Put(ctx, counter{ID: "a", Version: v.Version}))
				}
				return nil
			})))
		})
		step("a stale version", store.Stats{Conflicts: 3}, counters.Stats, func() {
			fails(counters.Put(ctx, counter{ID: "a", Version: 1}), store.ErrStaleVersion)
			fails(counters.DeleteVersion(ctx, counter{ID: "a", Version: 1}), store.ErrStaleVersion)
			fails(store.TransactWrite(ctx, client, counters.PutOp(counter{ID: "a", Version: 1})), store.ErrStaleVersion)
		})
		cancelled := func(count int) {
			w.faults(t, localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultTransactionConflict, Count: count,
				Table: name}}})
		}
		step("transactions cancelled for others", store.Stats{TransactionConflicts: 2}, tallies.Stats, func() {
			cancelled(2)
			ok(t, store.TransactWrite(ctx, client, tallies.PutOp(tally{ID: "a"}), counters.PutOp(counter{ID: "b"})))
		})
		step("those of the other table", store.Stats{}, counters.Stats, func() {
			cancelled(1)
			ok(t, store.TransactWrite(ctx, client, tallies.PutOp(tally{ID: "a"}), counters.PutOp(counter{ID: "c"})))
		})
		l.play("PutItem", conflict, pass)
		step("a write that met a transaction", store.Stats{TransactionConflicts: 1}, tallies.Stats, func() {
			fails(tallies.Put(ctx, tally{ID: "a"}), store.ErrConflict)
		})
		w.faults(t, localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Count: 2, Table: name}}})
		step("items left undone", store.Stats{Repeated: 2}, tallies.Stats, func() {
			ok(t, ignore(tallies.BatchPut(ctx, []tally{{ID: "a"}, {ID: "b"}, {ID: "c"}})))
		})
		w.faults(t, localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Count: 3, Table: name}}})
		step("items left undone of one table of two", store.Stats{Repeated: 3}, tallies.Stats, func() {
			a, b := tallies.GetOp(key), counters.GetOp(key)
			ok(t, store.BatchGet(ctx, client, a, b))
			ok(t, ignore(store.BatchWrite(ctx, client, tallies.PutOp(tally{ID: "a"}), tallies.PutOp(tally{ID: "b"}),
				counters.DeleteOp(store.Key{Partition: "c"}))))
		})
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(name),
			Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "bad"},
				"count": &types.AttributeValueMemberS{Value: "not a number"}}})
		ok(t, err)
		step("items that cannot be read", store.Stats{Unreadable: 5}, tallies.Stats, func() {
			bad := store.Key{Partition: "bad"}
			for _, err := range tallies.Query(ctx, store.Query{Partition: "bad"}) {
				if err == nil {
					t.Error("no error")
				}
			}
			op := tallies.GetOp(bad)
			var failed *store.BatchError
			if err := store.BatchGet(ctx, client, op); !errors.As(err, &failed) {
				t.Error(err)
			}
			ok(t, store.TransactGet(ctx, client, op))
			for _, err := range []error{ignore(tallies.Get(ctx, bad)),
				ignore(tallies.Update(ctx, bad, func(*tally) error { return nil })), ignore(op.Result())} {
				var item *store.ItemError
				if !errors.As(err, &item) {
					t.Error(err)
				}
			}
		})
	})
}

func TestStatsAllocatesNothing(t *testing.T) {
	tallies := open[tally](t, untouchable{t}, "tallies", store.ServerSide{})
	if n := testing.AllocsPerRun(10, func() { tallies.Stats() }); n != 0 {
		t.Errorf("Stats allocates %v times", n)
	}
}
