// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// guarantees: T1
func TestTransactions(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "transactions with returned items")
	ctx := t.Context()
	orders := open[order](t, w.client, w.table(t, orderKeys), store.ServerSide{})
	counters := open[counter](t, w.client, w.table(t, "id:S"), clientSide(t))
	k := store.Key{Partition: "c"}
	ok(t, store.TransactWrite(ctx, w.client, orders.PutOp(sample("ann", 1)), orders.PutOp(sample("ann", 2)),
		counters.PutOp(counter{ID: "c", Count: 1})))
	ok(t, store.TransactWrite(ctx, w.client,
		orders.DeleteOp(store.Key{Partition: "ann", Sort: 1}, expression.Name("ward").Equal(expression.Value("w1"))),
		orders.CheckOp(store.Key{Partition: "ann", Sort: 2}, expression.AttributeExists(expression.Name("customer"))),
		counters.UpdateOp(k, func(c *counter) error { c.Count++; return nil }),
	))
	a, b, c := orders.GetOp(store.Key{Partition: "ann", Sort: 1}), orders.GetOp(store.Key{Partition: "ann", Sort: 2}),
		counters.GetOp(k)
	if _, err := a.Result(); err == nil {
		t.Error("a result before the transaction")
	}
	ok(t, store.TransactGet(ctx, w.client, a, b, c))
	if _, err := a.Result(); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	if got := must(b.Result())(t); got.Secret != "secret text" {
		t.Errorf("%+v", got)
	}
	if got := must(c.Result())(t); got.Count != 2 || got.Version != 2 {
		t.Errorf("%+v", got)
	}

	err := store.TransactWrite(ctx, w.client,
		orders.PutOp(sample("ann", 3)),
		counters.PutOp(counter{ID: "c", Count: 9, Version: 1}), // stale
		orders.PutOp(sample("ann", 2), expression.AttributeNotExists(expression.Name("customer"))),
	)
	var cancelled *store.TransactionError
	if !errors.As(err, &cancelled) || !errors.Is(err, store.ErrConditionFailed) || errors.Is(err, store.ErrConflict) ||
		len(cancelled.Reasons) != 3 {
		t.Fatalf("%v", err)
	}
	var sdk *types.TransactionCanceledException
	if !errors.As(err, &sdk) {
		t.Error("the SDK's exception is lost")
	}
	if r := cancelled.Reasons[0]; r.Code != "None" || r.Item != nil {
		t.Errorf("%+v", r)
	}
	if n, _ := cancelled.Reasons[1].Item["count"].(*types.AttributeValueMemberN); n == nil || n.Value != "2" {
		t.Errorf("item of the client-side table: %+v", cancelled.Reasons[1])
	}
	if s, _ := cancelled.Reasons[2].Item["secret"].(*types.AttributeValueMemberS); s == nil ||
		s.Value != "secret text" {
		t.Errorf("item of the server-side table: %+v", cancelled.Reasons[2])
	}
	if _, err := orders.Get(ctx, store.Key{Partition: "ann", Sort: 3}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a part of the cancelled transaction was done: %v", err)
	}

	w.faults(t, localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultTransactionConflict}}})
	if err := store.TransactWrite(ctx, w.client, orders.PutOp(sample("ann", 3))); !errors.Is(err, store.ErrConflict) {
		t.Errorf("conflict: %v", err)
	}
	w.faults(t,
		localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultThrottle, Operation: "TransactWriteItems",
			Count: 2}}})
	ok(t, store.TransactWrite(ctx, w.client, orders.PutOp(sample("ann", 3))))
}

// TestTransactionAnswers: a cancellation is definite even after a lost answer,
// and a transaction under way may be done.
// guarantees: T4
func TestTransactionAnswers(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		client, l := w.wire()
		counters := open[counter](t, client, w.table(t, "id:S"), m)
		put := func(version int) error {
			return store.TransactWrite(t.Context(), client, counters.PutOp(counter{ID: "c", Version: version}))
		}
		ok(t, put(0))
		l.play("TransactWriteItems", lose, pass)
		var cancelled *store.TransactionError
		if err := put(0); !errors.As(err, &cancelled) || !errors.Is(err, store.ErrConditionFailed) ||
			errors.Is(err, store.ErrUncertain) {
			t.Errorf("cancelled, and the answer lost once: %v", err)
		}
		l.play("TransactWriteItems", lose, pass)
		ok(t, put(1))
		var under *types.TransactionInProgressException
		l.play("TransactWriteItems", running)
		if err := put(2); !errors.Is(err, store.ErrUncertain) || !errors.As(err, &under) {
			t.Errorf("under way: %v", err)
		}
		l.play("TransactWriteItems", running, pass)
		ok(t, put(2))
		var other *types.IdempotentParameterMismatchException
		l.play("TransactWriteItems", mismatch)
		if err := put(3); errors.Is(err, store.ErrUncertain) || !errors.As(err, &other) {
			t.Errorf("another request: %v", err)
		}
		l.play("TransactWriteItems", lose, mismatch)
		if err := put(3); !errors.Is(err, store.ErrUncertain) || !errors.As(err, &other) {
			t.Errorf("another request after a lost answer: %v", err)
		}
	})
}

// tokens is a client that records the tokens of transactions, and cancels the
// first ones.
type tokens struct {
	deaf
	seen   []string
	cancel int
}

func (c *tokens) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput,
	o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	c.seen = append(c.seen, aws.ToString(in.ClientRequestToken))
	if len(c.seen) <= c.cancel {
		return nil,
			&types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{
				{Code: aws.String("TransactionConflict")}}}
	}
	return c.deaf.TransactWriteItems(ctx, in, o...)
}

// TestTransactionTokens: all calls of one transaction share a token, so that an
// attempt that arrives late does nothing more.
// guarantees: T2, T6
func TestTransactionTokens(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "transactions")
	c := &tokens{deaf: deaf{w.client}, cancel: 2}
	counters := open[counter](t, c, w.table(t, "id:S"), clientSide(t))
	ok(t, store.TransactWrite(t.Context(), c, counters.PutOp(counter{ID: "a"})))
	if len(c.seen) != 3 || c.seen[0] == "" || c.seen[1] != c.seen[0] || c.seen[2] != c.seen[0] {
		t.Errorf("tokens of one transaction: %q", c.seen)
	}
	op := counters.UpdateOp(store.Key{Partition: "a"}, func(c *counter) error { c.Count++; return nil })
	ok(t, store.TransactWrite(t.Context(), c, op))
	ok(t, store.TransactWrite(t.Context(), c, op)) // an operation can be used again
	if c.seen[3] == c.seen[0] || c.seen[4] == c.seen[3] {
		t.Errorf("tokens of three transactions: %q", c.seen)
	}
	if got := must(counters.Get(t.Context(), store.Key{Partition: "a"}))(t); got.Count != 2 || got.Version != 3 {
		t.Errorf("%+v", got)
	}
}

// guarantees: T7
func TestTransactionTampered(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "transactions")
	ctx := t.Context()
	table := w.table(t, "id:S")
	counters := open[counter](t, w.client, table, clientSide(t))
	other := clientSide(t)
	other.LogicalTableName = "another table"
	strangers := open[counter](t, w.client, table, other)
	ok(t, counters.Put(ctx, counter{ID: "mine"}))
	ok(t, strangers.Put(ctx, counter{ID: "theirs"}))
	a, b := counters.GetOp(store.Key{Partition: "mine"}), counters.GetOp(store.Key{Partition: "theirs"})
	ok(t, store.TransactGet(ctx, w.client, a, b))
	ok(t, ignore(a.Result()))
	var item *store.ItemError
	if _, err := b.Result(); !errors.As(err, &item) || !errors.Is(err, envelope.ErrTampered) &&
		!errors.Is(err, envelope.ErrMaterials) {
		t.Errorf("%v", err)
	}
	err := store.TransactWrite(ctx, w.client, counters.PutOp(counter{ID: "theirs"}))
	var cancelled *store.TransactionError
	if !errors.As(err, &cancelled) || cancelled.Reasons[0].Item != nil || cancelled.Reasons[0].ItemErr == nil {
		t.Errorf("%v", err)
	}
}

func TestTransactionArguments(t *testing.T) {
	orders := open[order](t, untouchable{t}, "orders", clientSide(t))
	for name, ops := range map[string][]store.WriteOp{
		"none":            {},
		"too many":        make([]store.WriteOp, 101),
		"empty":           {{}},
		"wrong key":       {orders.DeleteOp(store.Key{Partition: 1, Sort: 1})},
		"empty check":     {orders.CheckOp(store.Key{Partition: "a", Sort: 1})},
		"wrong condition": {orders.PutOp(sample("a", 1), expression.Name("nope").Equal(expression.Value(1)))},
	} {
		if err := store.TransactWrite(t.Context(), untouchable{t}, ops...); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := store.TransactGet(t.Context(), untouchable{t}); !errors.Is(err, store.ErrConfiguration) {
		t.Error(err)
	}
	if err := store.TransactGet(t.Context(), untouchable{t}, orders.GetOp(store.Key{})); !errors.Is(err,
		store.ErrConfiguration) {
		t.Error(err)
	}
}

// TestWriteOpsAgain: operations only describe, so they may be used in any
// number of transactions.
func TestWriteOpsAgain(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "transactions")
		ctx := t.Context()
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		counters := open[counter](t, w.client, w.table(t, "id:S"), m)
		k, o := store.Key{Partition: "c"}, sample("ann", 1)
		ward := expression.Name("ward").Equal(expression.Value(o.Ward))
		ok(t, counters.Put(ctx, counter{ID: "c"}))
		put := orders.PutOp(o, expression.Or(expression.AttributeNotExists(expression.Name("customer")), ward))
		ops := []store.WriteOp{put, counters.UpdateOp(k, func(c *counter) error { c.Count++; return nil })}
		rest := []store.WriteOp{orders.CheckOp(o.key(), ward), counters.DeleteVersionOp(counter{ID: "c", Version: 4})}
		again := []store.WriteOp{orders.DeleteOp(o.key(), ward)}
		for range 3 {
			ok(t, store.TransactWrite(ctx, w.client, ops...))
			ok(t, store.TransactWrite(ctx, w.client, again...))
		}
		ok(t, orders.Put(ctx, o))
		if got := must(counters.Get(ctx, k))(t); got.Count != 3 || got.Version != 4 {
			t.Errorf("%+v", got)
		}
		ok(t, store.TransactWrite(ctx, w.client, rest...))
		if err := store.TransactWrite(ctx, w.client, rest...); !errors.Is(err, store.ErrStaleVersion) {
			t.Errorf("a second deletion: %v", err)
		}
	})
}
