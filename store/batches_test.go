// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// other returns a mode that is not m.
func other(t *testing.T, m store.Mode) store.Mode {
	if m.String() == "client" {
		return store.ServerSide{}
	}
	return clientSide(t)
}

// twoTables opens orders in mode m and tallies in the other mode.
func twoTables(t *testing.T, w *world, c store.Client, m store.Mode,
	opts ...store.Option) (*store.Table[order], *store.Table[tally]) {
	t.Helper()
	return open[order](t, c, w.table(t, orderKeys), m, opts...),
		open[tally](t, c, w.table(t, "id:S"), other(t, m), opts...)
}

// manyOps puts n orders and n tallies, one after the other.
func manyOps(orders *store.Table[order], tallies *store.Table[tally], n int) (ops []store.WriteOp) {
	for i := range n {
		ops = append(ops, orders.PutOp(sample("ann", i)), tallies.PutOp(tally{ID: fmt.Sprint(i), Count: i}))
	}
	return ops
}

// TestBatchesOfTables: one batch writes and reads items of tables of both modes,
// whatever is left undone on the way.
func TestBatchesOfTables(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		orders, tallies := twoTables(t, w, w.client, m, store.BatchConcurrency(3))
		if w.server != nil {
			w.faults(t, localaws.Faults{Seed: 3, Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Rate: 0.3}}})
		}
		const n = 60
		rest, err := store.BatchWrite(ctx, w.client, manyOps(orders, tallies, n)...)
		if ok(t, err); rest != nil {
			t.Fatalf("%d left", len(rest))
		}
		var ops []store.ReadOp
		var first []*store.Read[order]
		var second []*store.Read[tally]
		for i := range n + 1 { // the last ones are absent
			first = append(first, orders.GetOp(sample("ann", i).key()))
			second = append(second, tallies.GetOp(store.Key{Partition: fmt.Sprint(i)}))
			ops = append(ops, first[i], second[i])
		}
		again := orders.GetOp(sample("ann", 0).key()) // a key may occur several times
		ok(t, store.BatchGet(ctx, w.client, append(ops, again, first[1])...))
		for i := range n {
			if d := cmp.Diff(sample("ann", i), must(first[i].Result())(t)); d != "" {
				t.Fatal(d)
			}
			if got := must(second[i].Result())(t); got.Count != i {
				t.Fatalf("tally %d: %+v", i, got)
			}
		}
		if d := cmp.Diff(sample("ann", 0), must(again.Result())(t)); d != "" {
			t.Error(d)
		}
		if _, err := first[n].Result(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("absent order: %v", err)
		}
		if v, err := second[n].Result(); !errors.Is(err, store.ErrNotFound) || v != (tally{}) {
			t.Errorf("absent tally: %+v, %v", v, err)
		}
		// Puts and deletes in one batch.
		rest, err = store.BatchWrite(ctx, w.client, orders.DeleteOp(sample("ann", 0).key()),
			tallies.DeleteOp(store.Key{Partition: "0"}), tallies.PutOp(tally{ID: "new"}))
		if ok(t, err); rest != nil {
			t.Fatalf("%d left", len(rest))
		}
		ok(t, ignore(tallies.Get(ctx, store.Key{Partition: "new"})))
		for _, err := range []error{ignore(orders.Get(ctx, sample("ann", 0).key())),
			ignore(tallies.Get(ctx, store.Key{Partition: "0"}))} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("deleted: %v", err)
			}
		}
		if rest, err := store.BatchWrite(ctx, w.client); rest != nil || err != nil {
			t.Errorf("nothing to write: %v, %v", rest, err)
		}
		if err := store.BatchGet(ctx, w.client); err != nil {
			t.Errorf("nothing to read: %v", err)
		}
	})
}

// TestBatchesOfTablesThatEnd: each operation that is left has its own error, and
// the rest can be given to BatchWrite again.
// guarantees: B9
func TestBatchesOfTablesThatEnd(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		client, l := w.wire()
		orders, tallies := twoTables(t, w, client, m)
		ops := manyOps(orders, tallies, 40) // chunks of 25, 25, 25 and 5
		// The first call's answer is lost, and DynamoDB throttles after that.
		l.play("BatchWriteItem", pass, lose, throttle)
		rest, err := store.BatchWrite(ctx, client, ops...)
		var failed *store.BatchError
		if !errors.As(err, &failed) || failed.Done != 25 || failed.Total != 80 || len(rest) != 55 ||
			failed.Table != orders.Name()+", "+tallies.Name() {
			t.Fatalf("%d left: %v", len(rest), err)
		}
		if !strings.Contains(err.Error(), "25 of 80 done") || strings.Contains(err.Error(), "cannot be read") {
			t.Error(err)
		}
		for i := range ops {
			switch err := failed.Items[i]; {
			case i < 25 && err != nil:
				t.Errorf("operation %d was done: %v", i, err)
			case i >= 25 && err == nil:
				t.Errorf("operation %d has no error", i)
			case i >= 25 && errors.Is(err, store.ErrUncertain) != (i < 50):
				t.Errorf("operation %d: %v", i, err)
			}
		}
		l.play("", pass)
		rest, err = store.BatchWrite(ctx, client, rest...)
		if ok(t, err); rest != nil {
			t.Fatalf("%d left", len(rest))
		}
		var reads []store.ReadOp
		for i := range 120 {
			reads = append(reads, tallies.GetOp(store.Key{Partition: fmt.Sprint(i)}))
		}
		l.play("BatchGetItem", pass, throttle)
		err = store.BatchGet(ctx, client, reads...)
		if !errors.As(err, &failed) || !errors.Is(err, store.ErrUnprocessed) || failed.Done != 100 ||
			len(failed.Items) != 20 {
			t.Fatalf("%v", err)
		}
		for i, op := range reads {
			_, err := op.(*store.Read[tally]).Result()
			if i < 100 && (err == nil) != (i < 40) || i >= 100 && !errors.Is(err, store.ErrUnprocessed) {
				t.Errorf("read %d: %v", i, err)
			}
		}
	})
}

// TestBatchOfItemsThatDoNotOpen: an item that does not open is an error of its
// operation alone.
func TestBatchOfItemsThatDoNotOpen(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	orders, tallies := twoTables(t, w, w.client, clientSide(t))
	ok(t, ignore(store.BatchWrite(ctx, w.client, manyOps(orders, tallies, 2)...)))
	copied := must(orders.Raw(ctx, sample("ann", 0).key()))(t)
	key := must(orders.Raw(ctx, sample("ann", 1).key()))(t)
	copied["number"] = key["number"]
	name := orders.Name()
	ok(t, ignore(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: copied})))
	good, bad := orders.GetOp(sample("ann", 0).key()), orders.GetOp(sample("ann", 1).key())
	elsewhere := tallies.GetOp(store.Key{Partition: "1"})
	err := store.BatchGet(ctx, w.client, good, bad, elsewhere)
	var failed *store.BatchError
	var item *store.ItemError
	if !errors.As(err, &failed) || failed.Err != nil || failed.Done != 2 || len(failed.Items) != 1 ||
		!errors.As(failed.Items[1], &item) {
		t.Fatalf("%v", err)
	}
	ok(t, ignore(good.Result()))
	ok(t, ignore(elsewhere.Result()))
	if v, err := bad.Result(); !errors.As(err, &item) || !cmp.Equal(v, order{}) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestBatchWriteArguments(t *testing.T) {
	c := untouchable{t}
	orders, tallies := open[order](t, c, "orders", clientSide(t)), open[tally](t, c, "tallies", store.ServerSide{})
	same := open[struct {
		Customer string `dynamodbav:"customer" seal:"partition"`
		Number   int    `dynamodbav:"number" seal:"sort"`
	}](t, c, "orders", store.ServerSide{})
	misfit := open[tally](t, c, "orders", store.ServerSide{})
	named := open[tally](t, c, "arn:aws:dynamodb:us-east-1:111122223333:table/tallies", store.ServerSide{})
	counters := open[counter](t, c, "counters", store.ServerSide{})
	picky := open[tally](t, c, "tallies", store.ServerSide{}, store.Validate(func(v tally) error {
		if v.Count < 0 {
			return errors.New("negative")
		}
		return nil
	}))
	put, key := orders.PutOp(sample("ann", 1)), sample("ann", 1).key()
	big := sample("bob", 1)
	big.Secret = strings.Repeat("x", 400<<10)
	never := expression.Name("count").Equal(expression.Value(1))
	for name, c := range map[string]struct {
		op   store.WriteOp
		want error
	}{
		"no operation":          {store.WriteOp{}, store.ErrConfiguration},
		"a condition on a put":  {tallies.PutOp(tally{ID: "a"}, never), store.ErrConfiguration},
		"a condition on delete": {tallies.DeleteOp(store.Key{Partition: "a"}, never), store.ErrConfiguration},
		"an update": {tallies.UpdateOp(store.Key{Partition: "a"}, func(*tally) error { return nil }),
			store.ErrConfiguration},
		"a check":               {tallies.CheckOp(store.Key{Partition: "a"}, never), store.ErrConfiguration},
		"a put with a version":  {counters.PutOp(counter{ID: "a"}), store.ErrConfiguration},
		"a delete of a version": {counters.DeleteVersionOp(counter{ID: "a", Version: 1}), store.ErrConfiguration},
		"an incomplete key":     {orders.DeleteOp(store.Key{Partition: "a"}), store.ErrConfiguration},
		"one item twice":        {orders.DeleteOp(key), store.ErrConfiguration},
		"one item of two types": {same.DeleteOp(key), store.ErrConfiguration},
		"keys that differ":      {misfit.DeleteOp(store.Key{Partition: "a"}), store.ErrConfiguration},
		"a value that is not valid": {picky.PutOp(tally{ID: "a", Count: -1}),
			nil},
		"an item that is too large": {orders.PutOp(big), store.ErrItemTooLarge},
	} {
		rest, err := store.BatchWrite(t.Context(), untouchable{t}, tallies.PutOp(tally{ID: "z"}), put, c.op)
		var failed *store.BatchError
		if !errors.As(err, &failed) || c.want != nil && !errors.Is(err, c.want) || len(rest) != 3 || failed.Done != 0 {
			t.Errorf("%s: %d left: %v", name, len(rest), err)
			continue
		}
		if culprit := failed.Items[2]; culprit == nil || c.want != nil && !errors.Is(culprit, c.want) ||
			!strings.Contains(err.Error(), "operation 2 of the batch") {
			t.Errorf("%s: the operation has the error %v in %v", name, culprit, err)
		}
		if len(failed.Items) != 3 { // as many as are left
			t.Errorf("%s: %d operations have errors", name, len(failed.Items))
		}
		if errors.Is(failed.Items[0], store.ErrItemTooLarge) {
			t.Errorf("%s: another operation has its error", name)
		}
	}
	if _, err := store.BatchWrite(t.Context(), c, tallies.PutOp(tally{ID: "a"}),
		named.PutOp(tally{ID: "b"})); !errors.Is(err, store.ErrConfiguration) {
		t.Errorf("a table by name and ARN: %v", err)
	}
	read, late := tallies.GetOp(store.Key{Partition: "a"}), tallies.GetOp(store.Key{Partition: "b"})
	for name, op := range map[string]store.ReadOp{
		"no operation": nil, "an incomplete key": orders.GetOp(store.Key{Partition: "a"}),
		"a table by name and ARN": named.GetOp(store.Key{Partition: "a"}),
	} {
		err := store.BatchGet(t.Context(), c, read, op, late)
		var failed *store.BatchError
		if !errors.As(err, &failed) || !errors.Is(failed.Items[1], store.ErrConfiguration) || len(failed.Items) != 3 {
			t.Errorf("%s: %v", name, err)
		}
		for _, r := range []*store.Read[tally]{read, late} {
			if _, err := r.Result(); err == nil || errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: a read that did not run has a result: %v", name, err)
			}
		}
	}
}

// distant is a client whose calls take a while.
type distant struct{ *dynamodb.Client }

const away = 50 * time.Millisecond

func (d distant) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput,
	o ...option) (*dynamodb.BatchWriteItemOutput, error) {
	time.Sleep(away)
	return d.Client.BatchWriteItem(ctx, in, o...)
}

func (d distant) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput,
	o ...option) (*dynamodb.BatchGetItemOutput, error) {
	time.Sleep(away)
	return d.Client.BatchGetItem(ctx, in, o...)
}

// TestParallelBatchesOfTables: calls that run at the same time take the time of
// their share. The time is the fake one of synctest, in which encryption takes
// none.
func TestParallelBatchesOfTables(t *testing.T) {
	if dynalite != "" {
		t.Skip("dynalite is a process with its own time")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := distant{w.client}
		measure := func(opts ...store.Option) (write, read time.Duration) {
			orders, tallies := twoTables(t, w, c, clientSide(t), opts...)
			var reads []store.ReadOp
			for i := range 500 {
				reads = append(reads, orders.GetOp(sample("ann", i).key()),
					tallies.GetOp(store.Key{Partition: fmt.Sprint(i)}))
			}
			start := time.Now()
			ok(t, ignore(store.BatchWrite(t.Context(), c, manyOps(orders, tallies, 500)...)))
			write = time.Since(start)
			start = time.Now()
			ok(t, store.BatchGet(t.Context(), c, reads...))
			for _, op := range reads {
				if o, is := op.(*store.Read[order]); is {
					ok(t, ignore(o.Result()))
				}
			}
			return write, time.Since(start)
		}
		write, read := measure()
		if write != 40*away || read != 10*away {
			t.Errorf("one call after the other: writing %v, reading %v", write, read)
		}
		write, read = measure(store.BatchConcurrency(8))
		if write != 5*away || read != 2*away {
			t.Errorf("8 calls at the same time: writing %v, reading %v", write, read)
		}
	})
}

// TestBatchConcurrencyOfTables: the greatest setting of the tables holds.
func TestBatchConcurrencyOfTables(t *testing.T) {
	if dynalite != "" {
		t.Skip("dynalite is a process with its own time")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := distant{w.client}
		slow := open[order](t, c, w.table(t, orderKeys), store.ServerSide{})
		fast := open[tally](t, c, w.table(t, "id:S"), store.ServerSide{}, store.BatchConcurrency(4))
		start := time.Now()
		ok(t, ignore(store.BatchWrite(t.Context(), c, manyOps(slow, fast, 50)...)))
		if took := time.Since(start); took != away {
			t.Errorf("4 calls took %v", took)
		}
	})
}
