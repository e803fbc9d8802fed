// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"github.com/ddbseal/ddbseal/store"
)

// consistency records how reads ask.
type consistency struct {
	store.Client
	asked map[string]bool
}

func (c *consistency) GetItem(ctx context.Context, in *dynamodb.GetItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	c.asked["GetItem"] = *in.ConsistentRead
	return c.Client.GetItem(ctx, in, o...)
}

func (c *consistency) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	for _, k := range in.RequestItems {
		c.asked["BatchGetItem"] = *k.ConsistentRead
	}
	return c.Client.BatchGetItem(ctx, in, o...)
}

func (c *consistency) Query(ctx context.Context, in *dynamodb.QueryInput,
	o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	c.asked["Query"] = *in.ConsistentRead
	return c.Client.Query(ctx, in, o...)
}

func (c *consistency) Scan(ctx context.Context, in *dynamodb.ScanInput,
	o ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	c.asked["Scan"] = *in.ConsistentRead
	return c.Client.Scan(ctx, in, o...)
}

// TestConsistentReads: a derived table reads as it says, the table it came from as
// before, and a writer always consistently.
// guarantees: R7
func TestConsistentReads(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		client := &consistency{w.client, map[string]bool{}}
		orders := open[order](t, client, w.table(t, orderKeys), m)
		o := order{Customer: "a", Number: 1}
		ok(t, orders.Put(ctx, o))
		eventual := orders.With(store.ConsistentReads(false))
		for _, c := range []struct {
			table *store.Table[order]
			want  bool
		}{{eventual, false}, {orders, true}, {eventual.With(store.ConsistentReads(true)), true}} {
			reads := map[string]func() error{
				"GetItem":      func() error { return ignore(c.table.Get(ctx, o.key())) },
				"BatchGetItem": func() error { return ignore(c.table.BatchGet(ctx, []store.Key{o.key()})) },
				"Query":        func() error { return ignore(c.table.QueryPage(ctx, store.Query{Partition: "a"}, "")) },
				"Scan":         func() error { return ignore(c.table.ScanPage(ctx, store.Scan{}, "")) },
			}
			for name, read := range reads {
				if ok(t, read()); client.asked[name] != c.want {
					t.Errorf("%s: consistent %t", name, !c.want)
				}
			}
			for name, read := range map[string]error{
				"Raw": ignore(c.table.Raw(ctx, o.key())), "GetAttributes": ignore(c.table.GetAttributes(ctx, o.key(), "ward")),
			} {
				if ok(t, read); client.asked["GetItem"] != c.want {
					t.Errorf("%s: consistent %t", name, !c.want)
				}
			}
			ok(t, ignore(c.table.Update(ctx, o.key(), func(*order) error { return nil })))
			if !client.asked["GetItem"] {
				t.Error("Update read eventually")
			}
		}
	})
}

// TestClientOptions: options of the SDK reach each call of a derived table, before
// those by which a write watches its attempts.
func TestClientOptions(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "lost answers")
		ctx := t.Context()
		client, l := w.wire()
		orders := open[order](t, client, w.table(t, orderKeys), m)
		var calls atomic.Int64
		counted := orders.With(store.ClientOptions(nil, func(o *dynamodb.Options) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { calls.Add(1); return nil })
		}))
		o := order{Customer: "a", Number: 1}
		ok(t, counted.Put(ctx, o))
		ok(t, ignore(counted.Get(ctx, o.key())))
		ok(t, ignore(counted.CheckReport(ctx)))
		want := int64(4) // the check describes the table and its time to live
		if n := calls.Load(); n != want {
			t.Errorf("%d calls with the option, want %d", n, want)
		}
		if ok(t, orders.Put(ctx, o)); calls.Load() != want {
			t.Error("the table itself has the option")
		}
		// A retryer that gives up: the lost answer is known to be one.
		once := orders.With(store.ClientOptions(func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }))
		l.play("PutItem", lose, pass)
		if err := once.Put(ctx, o); !errors.Is(err, store.ErrUncertain) || l.attempts != 1 {
			t.Errorf("%d attempts: %v", l.attempts, err)
		}
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		if err := once.Put(ctx, o); err == nil || errors.Is(err, store.ErrUncertain) {
			t.Errorf("a call that was never made: %v", err)
		}
	})
}

// TestCapacity: each call adds what it consumed, to all that ask.
func TestCapacity(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "the same figures")
	ctx := t.Context()
	table := w.table(t, orderKeys)
	never := expression.Name("ward").Equal(expression.Value("another"))
	var all, gets store.ConsumedCapacity
	orders := open[order](t, w.client, table, store.ServerSide{}).With(store.Capacity(&all), store.Capacity(nil))
	o := order{Customer: "a", Number: 1}
	expect := func(what string, c *store.ConsumedCapacity, reads, writes float64) {
		t.Helper()
		if c.ReadUnits() != reads || c.WriteUnits() != writes {
			t.Errorf("%s: %v reads and %v writes, want %v and %v", what, c.ReadUnits(), c.WriteUnits(), reads, writes)
		}
	}
	ok(t, orders.Put(ctx, o))
	expect("put", &all, 0, 1)
	ok(t, ignore(orders.With(store.Capacity(&gets)).Get(ctx, o.key())))
	expect("get", &all, 1, 1)
	expect("get alone", &gets, 1, 0)
	ok(t, ignore(orders.With(store.ConsistentReads(false)).Get(ctx, o.key())))
	expect("eventual get", &all, 1.5, 1)
	ok(t, ignore(orders.BatchPut(ctx, []order{{Customer: "a", Number: 2}, {Customer: "a", Number: 3}})))
	expect("batch", &all, 1.5, 3)
	ok(t, ignore(orders.BatchGet(ctx, []store.Key{o.key()})))
	expect("batch get", &all, 2.5, 3)
	ok(t, ignore(orders.QueryPage(ctx, store.Query{Partition: "a"}, "")))
	ok(t, ignore(orders.ScanPage(ctx, store.Scan{}, "")))
	expect("query and scan", &all, 7.5, 3) // a scan costs 4 at least
	ok(t, orders.Delete(ctx, o.key()))
	expect("delete", &all, 7.5, 4)
	ok(t, orders.With(store.Capacity(&all), store.Capacity(&all)).Delete(ctx, o.key()))
	expect("a call that is told three times to count", &all, 7.5, 5)
	if err := orders.Put(ctx, o, never); !errors.Is(err, store.ErrConditionFailed) {
		t.Fatal(err)
	}
	expect("a failed put", &all, 7.5, 5)
	var used store.ConsumedCapacity
	client := store.ClientWith(w.client, store.Capacity(&used))
	ok(t, store.TransactWrite(ctx, client, orders.PutOp(o)))
	ok(t, store.TransactGet(ctx, client, orders.GetOp(o.key())))
	expect("transactions", &used, 2, 2)
}
