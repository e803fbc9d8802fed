// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
)

func TestValidate(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "transactions")
		ctx, k, name := t.Context(), store.Key{Partition: "a"}, w.table(t, "id:S")
		errNegative := errors.New("the count is negative")
		tallies := open[tally](t, w.client, name, m, store.Validate(func(v tally) error {
			if v.Count < 0 {
				return errNegative
			}
			return nil
		}))
		bad := tally{ID: "a", Count: -1}
		ok(t, tallies.Put(ctx, tally{ID: "a"}))
		worsen := func(v *tally) error { v.Count = -1; return nil }
		for call, err := range map[string]error{
			"Put":            tallies.Put(ctx, bad),
			"PutOld":         ignore(tallies.PutOld(ctx, bad)),
			"Insert":         tallies.Insert(ctx, bad),
			"Save":           tallies.Save(ctx, &bad),
			"Update":         ignore(tallies.Update(ctx, k, worsen)),
			"UpdateOrCreate": ignore(tallies.UpdateOrCreate(ctx, store.Key{Partition: "b"}, worsen)),
			"BatchPut":       ignore(tallies.BatchPut(ctx, []tally{{ID: "c"}, bad})),
			"PutOp":          store.TransactWrite(ctx, w.client, tallies.PutOp(bad)),
			"UpdateOp":       store.TransactWrite(ctx, w.client, tallies.UpdateOp(k, worsen)),
		} {
			var item *store.ItemError
			if !errors.Is(err, errNegative) || !errors.As(err, &item) {
				t.Errorf("%s of a value that is not valid: %v", call, err)
			}
		}
		n := 0
		for v, err := range tallies.Scan(ctx, store.Scan{}) {
			ok(t, err)
			if n++; v != (tally{ID: "a"}) {
				t.Errorf("the table has %+v", v)
			}
		}
		if n != 1 {
			t.Errorf("%d items", n)
		}

		// What is stored may be invalid: it is read, and can be mended.
		open[tally](t, w.client, name, m)
		ok(t, open[tally](t, w.client, name, m).Put(ctx, bad))
		if got := must(tallies.Get(ctx, k))(t); got != bad {
			t.Errorf("read %+v", got)
		}
		ok(t, ignore(tallies.Update(ctx, k, func(v *tally) error { v.Count = 2; return nil })))
	})
}

func TestOptionValues(t *testing.T) {
	w := newWorld(t)
	for name, o := range map[string]store.Option{
		"check of another type": store.Validate(func(counter) error { return nil }),
		"no check":              store.Validate[tally](nil),
		"concurrency 65":        store.BatchConcurrency(65),
		"concurrency -1":        store.BatchConcurrency(-1),
	} {
		if _, err := store.New[tally](w.client, "t", store.ServerSide{}, o); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// slow delays each call.
type slow struct{ *dynamodb.Client }

const latency = 50 * time.Millisecond

func (s *slow) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput,
	opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	time.Sleep(latency)
	return s.Client.BatchWriteItem(ctx, in, opts...)
}

func (s *slow) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput,
	opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	time.Sleep(latency)
	return s.Client.BatchGetItem(ctx, in, opts...)
}

// TestBatchConcurrency: batches of a table with the option take a share of the
// time, and do the same.
// guarantees: B8
func TestBatchConcurrency(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, name := t.Context(), w.table(t, "id:S")
		var all []tally
		var keys []store.Key
		for i := range 250 {
			all = append(all, tally{ID: fmt.Sprint(i), Count: i})
			keys = append(keys, store.Key{Partition: fmt.Sprint(i)})
		}
		took := map[int]time.Duration{}
		for _, n := range []int{1, 5} {
			tallies := open[tally](t, &slow{Client: w.client}, name, m, store.BatchConcurrency(n))
			start := time.Now()
			rest, err := tallies.BatchPut(ctx, all)
			ok(t, err)
			got, err := tallies.BatchGet(ctx, keys)
			ok(t, err)
			took[n] = time.Since(start)
			for i := range all {
				if got[i] == nil || *got[i] != all[i] {
					t.Fatalf("item %d is %+v", i, got[i])
				}
			}
			deleted, err := tallies.BatchDelete(ctx, keys)
			ok(t, err)
			if len(rest)+len(deleted) > 0 {
				t.Errorf("%d and %d left", len(rest), len(deleted))
			}
		}
		if took[1] != 13*latency || took[5] != 3*latency {
			t.Errorf("one by one %v, five at once %v; want %v and %v", took[1], took[5], 13*latency, 3*latency)
		}
	})
}

// guarantees: T9
func TestTransactWriteOnce(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "transactions")
		ctx, k := t.Context(), store.Key{Partition: "a"}
		tallies := open[tally](t, w.client, w.table(t, "id:S"), m)
		put := tallies.PutOp(tally{ID: "a", Count: 1})
		ok(t, store.TransactWriteOnce(ctx, w.client, "message-1", put))
		ok(t, tallies.Put(ctx, tally{ID: "a", Count: 5}))

		err := store.TransactWriteOnce(ctx, w.client, "message-1", put)
		if server := m.String() == "server"; server && err != nil || !server && !errors.Is(err, store.ErrTokenUsed) {
			t.Errorf("the same transaction again: %v", err)
		}
		err = store.TransactWriteOnce(ctx, w.client, "message-1", tallies.PutOp(tally{ID: "a", Count: 2}))
		if !errors.Is(err, store.ErrTokenUsed) {
			t.Errorf("another transaction under the token: %v", err)
		}
		if got := must(tallies.Get(ctx, k))(t); got.Count != 5 {
			t.Errorf("a repetition wrote: %+v", got)
		}
		ok(t, store.TransactWriteOnce(ctx, w.client, "message-2", put))
		for _, token := range []string{"", strings.Repeat("x", 37)} {
			if err := store.TransactWriteOnce(ctx, w.client, token, put); !errors.Is(err, store.ErrConfiguration) {
				t.Errorf("a token of %d characters: %v", len(token), err)
			}
		}
	})
}
