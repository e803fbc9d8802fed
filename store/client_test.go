// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
	"path"
)

// TestClientsThatDropOptions: without the option functions the store cannot see
// the attempts, so every failed write is uncertain, however clear its answer.
// A cancelled transaction is the exception, since all attempts share a token.
// guarantees: A8, A9, T5
func TestClientsThatDropOptions(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		client, l := w.wire()
		table := w.table(t, "id:S")
		a := &attempt{T: t, wire: l, client: deaf{client}, id: "a"}
		a.counters, a.tallies = open[counter](t, a.client, table, m), open[tally](t, a.client, table, m)
		a.calm, a.still = open[counter](t, w.client, table, m), open[tally](t, w.client, table, m)
		ok(t, a.calm.Put(t.Context(), counter{ID: "a"}))
		for _, method := range methods {
			l.play(writes, throttle)
			err := method.call(t.Context(), a)
			if uncertain := errors.Is(err, store.ErrUncertain); uncertain != (method.seen != nil) || uncertain &&
				!code("ThrottlingException")(err) {
				t.Errorf("%s: %v", method.name, err)
			}
		}
		l.play("", pass)

		// Another writer is faster: Update does not begin again.
		runs := 0
		_, err := a.counters.Update(t.Context(), a.key(), func(c *counter) error {
			if runs++; runs == 1 {
				_, err := a.calm.Update(t.Context(), a.key(), func(c *counter) error { c.Count++; return nil })
				ok(t, err)
			}
			c.Count += 10
			return nil
		})
		if got := must(a.calm.Get(t.Context(), a.key()))(t); runs != 1 || !errors.Is(err, store.ErrUncertain) ||
			got.Count != 1 {
			t.Errorf("%d rounds of Update, count %d: %v", runs, got.Count, err)
		}

		err = store.TransactWrite(t.Context(), a.client, a.counters.PutOp(counter{ID: "a"}))
		if !errors.Is(err, store.ErrStaleVersion) || errors.Is(err, store.ErrUncertain) {
			t.Errorf("a cancelled transaction: %v", err)
		}

		// The footer is a proof all the same.
		l.play("PutItem", lose, pass)
		_, err = a.counters.Update(t.Context(), a.key(), func(c *counter) error { c.Count++; return nil })
		if sealed := m.String() == "client"; sealed != (err == nil) || !sealed && !errors.Is(err, store.ErrUncertain) {
			t.Errorf("a lost answer: %v", err)
		}
	})
}

// TestUpdatesDoneTwiceUnseen: a client that drops option functions and repeats
// calls by itself does an addition twice, and nothing shows it.
// guarantees: A10
func TestUpdatesDoneTwiceUnseen(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		client, l := w.wire()
		tallies := open[tally](t, deaf{client}, w.table(t, "id:S"), m)
		ok(t, tallies.Put(t.Context(), tally{ID: "a"}))
		l.play("UpdateItem", lose, pass)
		ok(t, tallies.UpdateAttributes(t.Context(), store.Key{Partition: "a"}, addHits))
		if got := must(tallies.Get(t.Context(), store.Key{Partition: "a"}))(t); got.Hits != 2 {
			t.Errorf("%d hits: the documentation says that they can be two", got.Hits)
		}
	})
}

// TestCallsOfWrites: the store repeats a call only where its documentation says
// so; everything else is left to the retryer of the client, which makes ten
// attempts here.
// guarantees: A6, T3
func TestCallsOfWrites(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		client, l := w.wire()
		table := w.table(t, "id:S")
		a := &attempt{T: t, wire: l, client: client, id: "a"}
		a.counters, a.tallies = open[counter](t, a.client, table, m), open[tally](t, a.client, table, m)
		a.calm, a.still = open[counter](t, w.client, table, m), open[tally](t, w.client, table, m)
		ok(t, a.still.Put(t.Context(), tally{ID: "a"}))
		for _, method := range methods {
			if method.seen == nil || strings.HasPrefix(strings.ToLower(path.Base(method.name)), "batch") {
				continue // TestBatchesGoOn
			}
			l.play(writes, throttle)
			if err := method.call(t.Context(), a); l.attempts != 10 || err == nil {
				t.Errorf("%s: %d attempts: %v", method.name, l.attempts, err)
			}
		}
		l.play("", pass)
		conflicts := &tokens{deaf: deaf{w.client}, cancel: 100}
		err := store.TransactWrite(t.Context(), conflicts, a.tallies.PutOp(tally{ID: "a"}))
		if n := len(conflicts.seen); n != 8 || !errors.Is(err, store.ErrConflict) ||
			errors.Is(err, store.ErrUncertain) {
			t.Errorf("%d calls of a transaction in conflict: %v", n, err)
		}
	})
}

// late is a client that does something before a transaction.
type late struct {
	*dynamodb.Client
	before func()
}

func (l late) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput,
	o ...option) (*dynamodb.TransactWriteItemsOutput, error) {
	l.before()
	return l.Client.TransactWriteItems(ctx, in, o...)
}

// TestUpdateOpMeetsWriters: an operation reads when the transaction is built, and
// a change of the item in between cancels the transaction.
// guarantees: T8
func TestUpdateOpMeetsWriters(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		table, k := w.table(t, "id:S"), store.Key{Partition: "a"}
		tallies := open[tally](t, w.client, table, m)
		ok(t, tallies.Put(t.Context(), tally{ID: "a"}))
		runs := 0
		op := tallies.UpdateOp(k, func(v *tally) error { runs++; v.Count = 7; return nil })
		client := late{w.client, func() { ok(t, tallies.UpdateAttributes(t.Context(), k, addHits)) }}
		err := store.TransactWrite(t.Context(), client, op, tallies.PutOp(tally{ID: "b"}))
		var cancelled *store.TransactionError
		if !errors.As(err, &cancelled) || !errors.Is(err, store.ErrConditionFailed) || runs != 1 {
			t.Errorf("%d rounds: %v", runs, err)
		}
		if got := must(tallies.Get(t.Context(), k))(t); got.Count != 0 || got.Hits != 1 {
			t.Errorf("%+v", got)
		}
		if _, err := tallies.Get(t.Context(), store.Key{Partition: "b"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the other operation: %v", err)
		}
	})
}
