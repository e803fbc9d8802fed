// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"strings"
)

// TestBatchesGoOn: a batch outlives a table that scales up, and one that does
// not recover ends it after about a minute, or with its context.
// guarantees: B2
func TestBatchesGoOn(t *testing.T) {
	bothModesAtOnce(t, func(t *testing.T, w *world, m store.Mode) {
		client, l := w.wire()
		orders := open[order](t, client, w.table(t, orderKeys), m)
		all, keys := manyOrders(30)
		parcels := open[order](t, client, w.table(t, orderKeys), m)
		calls := map[string]func(context.Context) (done int, err error){
			"BatchWriteItem": func(ctx context.Context) (int, error) {
				rest, err := orders.BatchPut(ctx, all)
				return len(all) - len(rest), err
			},
			"BatchGetItem": func(ctx context.Context) (int, error) {
				got, err := orders.BatchGet(ctx, keys)
				done := 0
				for _, o := range got {
					if o != nil {
						done++
					}
				}
				return done, err
			},
			"BatchWriteItem of tables": func(ctx context.Context) (int, error) {
				var ops []store.WriteOp
				for i, o := range all {
					ops = append(ops, []*store.Table[order]{orders, parcels}[i%2].PutOp(o))
				}
				rest, err := store.BatchWrite(ctx, client, ops...)
				return len(ops) - len(rest), err
			},
			"BatchGetItem of tables": func(ctx context.Context) (int, error) {
				var ops []store.ReadOp
				for i, k := range keys {
					ops = append(ops, []*store.Table[order]{orders, parcels}[i%2].GetOp(k))
				}
				err := store.BatchGet(ctx, client, ops...)
				return len(ops), err
			},
		}
		for _, name := range []string{"BatchWriteItem", "BatchGetItem", "BatchWriteItem of tables",
			"BatchGetItem of tables"} {
			operation, _, _ := strings.Cut(name, " ")
			call, start := calls[name], time.Now()
			l.play(operation, throttle)
			time.AfterFunc(50*time.Second, func() { l.play(operation, pass) })
			done, err := call(t.Context())
			if took := time.Since(start); err != nil || done != 30 || took < 50*time.Second || took > 55*time.Second {
				t.Errorf("%s: %d done after %v: %v", name, done, took, err)
			}

			start = time.Now()
			l.play(operation, throttle)
			var slow *types.ThrottlingException
			_, err = call(t.Context())
			if !errors.Is(err, store.ErrUnprocessed) || !errors.As(err, &slow) || errors.Is(err, store.ErrUncertain) {
				t.Errorf("%s throttled: %v", name, err)
			}
			if took := time.Since(start); took < time.Minute || took > 70*time.Second {
				t.Errorf("%s gave up after %v", name, took)
			}
			if calls := l.attempts / 10; calls < 15 || calls > 60 {
				t.Errorf("%s: %d calls in a minute", name, calls)
			}

			w.faults(t,
				localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Operation: operation}}})
			l.play(operation, pass)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			start = time.Now()
			_, err = call(ctx)
			if !is(store.ErrUnprocessed)(err) || !is(context.DeadlineExceeded)(err) || is(store.ErrUncertain)(err) {
				t.Errorf("%s at the deadline: %v", name, err)
			}
			if took := time.Since(start); took != 5*time.Second {
				t.Errorf("%s: deadline after %v", name, took)
			}
			cancel()
			w.faults(t, localaws.Faults{})
		}
	})
}
