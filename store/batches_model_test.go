// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// batchModel is what two tables of different modes should hold.
type batchModel struct {
	orders  map[store.Key]order
	tallies map[string]tally
}

// write is one operation of a batch: a put, or a delete of the same key.
type write struct {
	at    int
	order bool // or a tally
	op    store.WriteOp
	done  func(m *batchModel)
}

// TestBatchModel: any sequence of batches over two tables gives what maps give,
// whatever gets lost, throttled or left undone on the way. An operation whose
// error is not ErrUncertain was not done, and one with it was done or not.
// guarantees: B1, B2, B9
func TestBatchModel(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "faults")
		w.faults(t, localaws.Faults{Seed: 7, Rules: []localaws.Fault{{Kind: localaws.FaultUnprocessed, Rate: 0.1}}})
		w.config.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 3, 100*time.Microsecond, ratelimit.None
			})
		}
		client, l := w.wire()
		calm := t.Context()
		rapid.Check(t, func(rt *rapid.T) {
			l.play("", pass)
			concurrency := store.BatchConcurrency(rapid.IntRange(1, 3).Draw(rt, "concurrency"))
			orders, tallies := twoTables(t, w, client, m, concurrency)
			calmOrders := open[order](t, w.client, orders.Name(), m)
			calmTallies := open[tally](t, w.client, tallies.Name(), other(t, m))
			model := &batchModel{map[store.Key]order{}, map[string]tally{}}
			must := func(err error) {
				if err != nil {
					rt.Fatal(err)
				}
			}
			draw := rapid.IntRange(0, 40)
			drawWrite := func(rt *rapid.T, at int) write {
				id := fmt.Sprint(at)
				n, put := rapid.IntRange(0, 9).Draw(rt, "value"), rapid.IntRange(0, 3).Draw(rt, "put") > 0
				if rapid.Bool().Draw(rt, "order") {
					o := order{Customer: "ann", Number: at, Secret: fmt.Sprint("secret ", n)}
					if put {
						return write{at, true, orders.PutOp(o), func(m *batchModel) { m.orders[o.key()] = o }}
					}
					return write{at, true, orders.DeleteOp(o.key()), func(m *batchModel) { delete(m.orders, o.key()) }}
				}
				if put {
					v := tally{ID: id, Count: n}
					return write{at, false, tallies.PutOp(v), func(m *batchModel) { m.tallies[id] = v }}
				}
				return write{at, false, tallies.DeleteOp(store.Key{Partition: id}),
					func(m *batchModel) { delete(m.tallies, id) }}
			}
			// A script ends in success, in a failure that lasts, or with the context.
			script := func(rt *rapid.T, steps ...step) []step {
				return rapid.SliceOfN(rapid.SampledFrom(append(steps, pass)), 0, 6).Draw(rt, "script")
			}
			play := func(operation string, steps, last []step, rt *rapid.T) (ctx context.Context) {
				l.play(operation, append(steps, rapid.SampledFrom(last).Draw(rt, "last"))...)
				ctx, l.cancel = context.WithCancel(calm)
				return ctx
			}
			rt.Repeat(map[string]func(*rapid.T){
				"write": func(rt *rapid.T) {
					var writes []write
					var ops []store.WriteOp
					for _, id := range rapid.SliceOfNDistinct(draw, 0, 35, rapid.ID[int]).Draw(rt, "ids") {
						writes = append(writes, drawWrite(rt, id))
						ops = append(ops, writes[len(writes)-1].op)
					}
					ctx := play("BatchWriteItem", script(rt, lose, throttle, broken, fail, refuse),
						[]step{pass, pass, broken, lose, stay, leave}, rt)
					rest, err := store.BatchWrite(ctx, client, ops...)
					l.play("", pass)
					l.cancel()
					var failed *store.BatchError
					if (err != nil) != (len(rest) > 0) || err != nil && (!errors.As(err, &failed) ||
						failed.Done != len(ops)-len(rest) || len(failed.Items) != len(rest)) {
						rt.Fatalf("%d left of %d: %v", len(rest), len(ops), err)
					}
					var perhaps []write
					for i := range writes {
						switch {
						case failed == nil || failed.Items[i] == nil:
							writes[i].done(model)
						case errors.Is(failed.Items[i], store.ErrUncertain):
							perhaps = append(perhaps, writes[i])
						}
					}
					settle(calm, rt, model, perhaps, calmOrders, calmTallies)
				},
				"read": func(rt *rapid.T) {
					ids := rapid.SliceOfN(draw, 0, 120).Draw(rt, "ids")
					var ops []store.ReadOp
					for i, id := range ids {
						if i%2 == 0 {
							ops = append(ops, tallies.GetOp(store.Key{Partition: fmt.Sprint(id)}))
						} else {
							ops = append(ops, orders.GetOp(store.Key{Partition: "ann", Sort: id}))
						}
					}
					ctx := play("BatchGetItem", script(rt, lose, throttle, broken, refuse),
						[]step{pass, pass, broken, stay}, rt)
					err := store.BatchGet(ctx, client, ops...)
					l.play("", pass)
					l.cancel()
					var failed *store.BatchError
					if err != nil && !errors.As(err, &failed) {
						rt.Fatal(err)
					}
					for i, id := range ids {
						if failed != nil && failed.Items[i] != nil {
							continue // was not read
						}
						if r, is := ops[i].(*store.Read[tally]); is {
							got, err := r.Result()
							compare(rt, model.tallies, fmt.Sprint(id), got, err)
						} else {
							got, err := ops[i].(*store.Read[order]).Result()
							compare(rt, model.orders, store.Key{Partition: "ann", Sort: id}, got, err)
						}
					}
				},
				"": func(rt *rapid.T) {
					gotOrders, gotTallies := map[store.Key]order{}, map[string]tally{}
					for o, err := range calmOrders.Scan(calm, store.Scan{}) {
						must(err)
						gotOrders[o.key()] = o
					}
					for v, err := range calmTallies.Scan(calm, store.Scan{}) {
						must(err)
						gotTallies[v.ID] = v
					}
					if d := cmp.Diff(model.orders, gotOrders, cmpopts.EquateEmpty()); d != "" {
						rt.Fatal(d)
					}
					if d := cmp.Diff(model.tallies, gotTallies); d != "" {
						rt.Fatal(d)
					}
				},
			})
		})
	})
}

// compare compares one result with the model.
func compare[K comparable, V any](rt *rapid.T, model map[K]V, key K, got V, err error) {
	want, has := model[key]
	switch {
	case !has && !errors.Is(err, store.ErrNotFound):
		rt.Fatalf("%v is absent: %+v, %v", key, got, err)
	case has && err != nil:
		rt.Fatalf("%v: %v", key, err)
	case has && !cmp.Equal(want, got, cmpopts.EquateEmpty()):
		rt.Fatalf("%v: %s", key, cmp.Diff(want, got))
	}
}

// settle finds out which of the uncertain operations were done: each as a whole,
// or not at all.
func settle(ctx context.Context, rt *rapid.T, model *batchModel, perhaps []write, orders *store.Table[order],
	tallies *store.Table[tally]) {
	for _, p := range perhaps {
		after := &batchModel{maps.Clone(model.orders), maps.Clone(model.tallies)}
		p.done(after)
		done := false
		if p.order {
			k := store.Key{Partition: "ann", Sort: p.at}
			got, err := orders.Get(ctx, k)
			want, has := after.orders[k]
			done = has == (err == nil) && cmp.Equal(want, got, cmpopts.EquateEmpty())
		} else {
			got, err := tallies.Get(ctx, store.Key{Partition: fmt.Sprint(p.at)})
			want, has := after.tallies[fmt.Sprint(p.at)]
			done = has == (err == nil) && want == got
		}
		if done {
			p.done(model)
		}
	}
}
