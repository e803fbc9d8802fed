// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

func manyOrders(n int) (all []order, keys []store.Key) {
	for i := range n {
		o := sample(fmt.Sprint("customer", i%7), i)
		all, keys = append(all, o), append(keys, o.key())
	}
	return all, keys
}

// guarantees: R2
func TestBatches(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		all, keys := manyOrders(230)
		if w.server != nil { // a third of everything comes back, and must be sent again
			w.faults(t, localaws.Faults{Seed: 3, Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Rate: 0.3}}})
		}
		rest, err := orders.BatchPut(ctx, all)
		ok(t, err)
		if len(rest) != 0 {
			t.Fatalf("%d left", len(rest))
		}
		ask := append(keys, store.Key{Partition: "missing", Sort: 1}, keys[0])
		got := must(orders.BatchGet(ctx, ask))(t)
		for i := range all {
			if got[i] == nil || cmp.Diff(all[i], *got[i]) != "" {
				t.Fatalf("item %d: %+v", i, got[i])
			}
		}
		if got[230] != nil || got[231] == nil || cmp.Diff(all[0], *got[231]) != "" {
			t.Fatalf("absent %v, again %v", got[230], got[231])
		}
		gone, err := orders.BatchDelete(ctx, keys)
		ok(t, err)
		if len(gone) != 0 {
			t.Fatalf("%d left", len(gone))
		}
		for o := range orders.Scan(ctx, store.Scan{}) {
			t.Fatalf("still there: %v", o.key())
		}
		if rest, err := orders.BatchPut(ctx, nil); rest != nil || err != nil {
			t.Fatal(rest, err)
		}
	})
}

// TestBatchesThatEnd: what is not known to be written comes back as plain
// items, and the rest was written.
// guarantees: B1, B3
func TestBatchesThatEnd(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		all, keys := manyOrders(60)
		w.faults(t,
			localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Operation: "BatchWriteItem",
				Skip: 30}}})
		rest, err := orders.BatchPut(ctx, all)
		var batch *store.BatchError
		if !errors.As(err, &batch) || !errors.Is(err, store.ErrUnprocessed) || batch.Done != 30 || batch.Total != 60 {
			t.Fatalf("%v", err)
		}
		if d := cmp.Diff(all[30:], rest); d != "" {
			t.Fatal(d)
		}
		w.faults(t, localaws.Faults{})
		count := 0
		for _, err := range orders.Scan(ctx, store.Scan{}) {
			ok(t, err)
			count++
		}
		if count != 30 {
			t.Fatalf("%d written", count)
		}
		ok(t, ignore(orders.BatchPut(ctx, rest)))

		w.faults(t,
			localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Operation: "BatchGetItem",
				Skip: 10}}})
		got, err := orders.BatchGet(ctx, keys)
		if !errors.As(err, &batch) || !errors.Is(err, store.ErrUnprocessed) || batch.Done != 10 {
			t.Fatalf("%v", err)
		}
		have := 0
		for _, o := range got {
			if o != nil {
				have++
			}
		}
		if have != 10 {
			t.Fatalf("%d read", have)
		}
	})
}

// TestBatchesWithLostAnswers: the rest of a batch is uncertain exactly where an
// attempt may have written it.
// guarantees: B4
func TestBatchesWithLostAnswers(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		client, l := w.wire()
		orders := open[order](t, client, w.table(t, orderKeys), m)
		all, _ := manyOrders(30)
		// The first chunk's answer came in the end.
		l.play("BatchWriteItem", lose, pass, throttle)
		rest, err := orders.BatchPut(t.Context(), all)
		if len(rest) != 5 || !errors.Is(err, store.ErrUnprocessed) || errors.Is(err, store.ErrUncertain) {
			t.Errorf("%d left: %v", len(rest), err)
		}
		// What the second attempt leaves undone, the first did.
		l.interfere = func() {
			w.faults(t,
				localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Operation: "BatchWriteItem",
					Skip: 10}}})
		}
		l.play("BatchWriteItem", lose, pass)
		rest, err = orders.BatchPut(t.Context(), all)
		if len(rest) != 20 || !errors.Is(err, store.ErrUnprocessed) || !errors.Is(err, store.ErrUncertain) {
			t.Errorf("%d left: %v", len(rest), err)
		}
	})
}

// cancelling ends the context at a call.
type cancelling struct {
	store.Client
	calls  int
	cancel context.CancelFunc
}

func (c *cancelling) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	if c.calls--; c.calls < 0 {
		c.cancel()
	}
	return c.Client.BatchWriteItem(ctx, in, o...)
}

func TestBatchCancelled(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	orders := open[order](t, &cancelling{w.client, 2, cancel}, w.table(t, orderKeys), clientSide(t))
	all, _ := manyOrders(100)
	rest, err := orders.BatchPut(ctx, all)
	var batch *store.BatchError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &batch) || batch.Done != 50 || len(rest) != 50 ||
		rest[0].Number != 50 {
		t.Fatalf("%v, %d left", err, len(rest))
	}
	if !strings.Contains(err.Error(), "50 of 100 done") {
		t.Error(err)
	}
}

func TestBatchArguments(t *testing.T) {
	orders := open[order](t, untouchable{t}, "orders", clientSide(t))
	all, keys := manyOrders(3)
	all, keys = append(all, all[1]), append(keys, keys[1])
	if rest, err := orders.BatchPut(t.Context(), all); !errors.Is(err, store.ErrConfiguration) || len(rest) != 4 {
		t.Errorf("same key twice: %v", err)
	}
	if rest, err := orders.BatchDelete(t.Context(), keys); !errors.Is(err, store.ErrConfiguration) || len(rest) != 4 {
		t.Errorf("same key twice: %v", err)
	}
	if _, err := orders.BatchGet(t.Context(), []store.Key{{Partition: 1}}); !errors.Is(err, store.ErrConfiguration) {
		t.Errorf("wrong key: %v", err)
	}
	if _, err := orders.BatchDelete(t.Context(), []store.Key{{Partition: "a"}}); !errors.Is(err,
		store.ErrConfiguration) {
		t.Errorf("wrong key: %v", err)
	}
	big := sample("ann", 1)
	big.Secret = strings.Repeat("x", 400<<10)
	rest, err := orders.BatchPut(t.Context(), []order{sample("ann", 0), big})
	var size *store.SizeError
	if !errors.As(err, &size) || !errors.Is(err, store.ErrItemTooLarge) || len(rest) != 2 || size.Stored <= size.Plain {
		t.Errorf("too large: %v", err)
	}
}

func TestItemSize(t *testing.T) {
	orders := open[order](t, untouchable{t}, "orders", clientSide(t))
	o := sample("ann", 1)
	o.Secret = strings.Repeat("x", 400<<10-150) // fits only in plaintext
	err := orders.Put(t.Context(), o)
	var size *store.SizeError
	if !errors.As(err, &size) || size.Plain > 400<<10 || size.Stored <= 400<<10 {
		t.Fatalf("%v", err)
	}
	if s := err.Error(); !strings.Contains(s, fmt.Sprint(size.Plain)) || !strings.Contains(s, fmt.Sprint(size.Stored)) {
		t.Errorf("the text lacks a size: %s", s)
	}
	if err := orders.Put(t.Context(), order{Customer: "ann", Expiry: 1_800_000_000_000}); !errors.Is(err,
		envelope.ErrInvalidItem) {
		t.Errorf("expiry in milliseconds: %v", err)
	}
}

// TestBatchErrorsCount: the index of a bad item is that of the batch, and what
// a cancelled batch read counts once.
func TestBatchErrorsCount(t *testing.T) {
	w := newWorld(t)
	orders := open[order](t, w.client, w.table(t, orderKeys), clientSide(t))
	all, keys := manyOrders(60)
	all[40].Secret = strings.Repeat("x", 400<<10)
	var batch *store.BatchError
	rest, err := orders.BatchPut(t.Context(), all)
	if !errors.As(err, &batch) || batch.Done != 25 || len(rest) != 35 ||
		!strings.Contains(err.Error(), "item 40 of the batch") {
		t.Errorf("%d left: %v", len(rest), err)
	}
	all[40].Secret = ""
	ok(t, ignore(orders.BatchPut(t.Context(), all)))
	ctx, cancel := context.WithCancel(t.Context())
	stopping := open[order](t, &stopping{w.client, cancel}, orders.Name(), clientSide(t))
	got, err := stopping.BatchGet(ctx, keys)
	if !errors.Is(err, context.Canceled) || !errors.As(err, &batch) || batch.Done != 0 || len(batch.Items) != 0 ||
		len(got) != 60 {
		t.Errorf("%v", err)
	}
}

// stopping is a client whose caller gives up as the answer comes.
type stopping struct {
	*dynamodb.Client
	stop func()
}

func (s *stopping) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	defer s.stop()
	return s.Client.BatchGetItem(ctx, in, o...)
}

// inventive is a client whose first answer repeats an undone request, names one
// that was not sent, and has an empty one.
type inventive struct {
	*dynamodb.Client
	sent []int
}

func (c *inventive) BatchWriteItem(
	ctx context.Context, in *dynamodb.BatchWriteItemInput, o ...option,
) (*dynamodb.BatchWriteItemOutput, error) {
	for table, requests := range in.RequestItems {
		if c.sent = append(c.sent, len(requests)); len(c.sent) == 1 {
			foreign := types.WriteRequest{DeleteRequest: &types.DeleteRequest{
				Key: envelope.Item{"id": &types.AttributeValueMemberS{Value: "foreign"}},
			}}
			return &dynamodb.BatchWriteItemOutput{UnprocessedItems: map[string][]types.WriteRequest{
				table: {requests[1], foreign, {}, requests[1]},
			}}, nil
		}
	}
	return c.Client.BatchWriteItem(ctx, in, o...)
}

// TestBatchOfForeignItems: a batch sends again what it sent before, and nothing
// else.
func TestBatchOfForeignItems(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		c := &inventive{Client: w.client}
		tallies := open[tally](t, c, w.table(t, "id:S"), m)
		ok(t, tallies.Put(t.Context(), tally{ID: "foreign"}))
		rest, err := tallies.BatchPut(t.Context(), []tally{{ID: "a"}, {ID: "b"}, {ID: "c"}})
		if ok(t, err); len(rest) != 0 || len(c.sent) != 2 || c.sent[1] != 1 {
			t.Errorf("%d left, %v sent", len(rest), c.sent)
		}
		ok(t, ignore(tallies.Get(t.Context(), store.Key{Partition: "foreign"})))
		ok(t, ignore(tallies.Get(t.Context(), store.Key{Partition: "b"})))
	})
}
