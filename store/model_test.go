// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"flag"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/internal/testenv"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// TestMain keeps the property tests short unless flags ask for more: each step
// is several calls.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("12")
	}
	testenv.Main(m)
}

// TestModel: any sequence of operations gives what a map gives.
func TestModel(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		if w.server != nil {
			w.faults(t, localaws.Faults{Seed: 5, Rules: []localaws.Fault{
				{Kind: localaws.FaultThrottle, Service: "dynamodb", Rate: 0.01},
				{Kind: localaws.FaultUnprocessed, Rate: 0.1},
			}})
		}
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		ctx := t.Context()
		rapid.Check(t, func(rt *rapid.T) {
			model := map[store.Key]order{}
			for o, err := range orders.Scan(ctx, store.Scan{}) { // what the run before left
				ok(t, err)
				ok(t, orders.Delete(ctx, o.key()))
			}
			customers, numbers := rapid.SampledFrom([]string{"a", "b", "Ω"}), rapid.IntRange(-2, 2)
			text := rapid.StringN(0, 8, 64)
			draw := rapid.Custom(func(rt *rapid.T) order {
				o := order{
					Customer: customers.Draw(rt, "customer"), Number: numbers.Draw(rt, "number"),
					Ward:   rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "ward"),
					Secret: text.Draw(rt, "secret"), Note: text.Draw(rt, "note"),
					Extra:  rapid.MapOfN(rapid.StringN(1, 4, 16), text, 0, 3).Draw(rt, "extra"),
					Expiry: int64(rapid.IntRange(0, 2).Draw(rt, "expiry")) * 1_000_000_000,
				}
				if dynalite != "" {
					o.Extra = nil // see sample
				}
				return o
			})
			key := func(rt *rapid.T) store.Key {
				return store.Key{Partition: customers.Draw(rt, "customer"), Sort: numbers.Draw(rt, "number")}
			}
			same := func(want, got order) {
				if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
					rt.Fatal(d)
				}
			}
			fail := func(err error) {
				if err != nil {
					rt.Fatal(err)
				}
			}
			rt.Repeat(map[string]func(*rapid.T){
				"put": func(rt *rapid.T) {
					o := draw.Draw(rt, "order")
					old, err := orders.PutOld(ctx, o)
					fail(err)
					if was, has := model[o.key()]; has != (old != nil) {
						rt.Fatalf("old value: %v, want %t", old, has)
					} else if has {
						same(was, *old)
					}
					model[o.key()] = o
				},
				"create": func(rt *rapid.T) {
					o := draw.Draw(rt, "order")
					err := orders.Put(ctx, o, expression.AttributeNotExists(expression.Name("customer")))
					if _, has := model[o.key()]; has != errors.Is(err, store.ErrConditionFailed) {
						rt.Fatalf("exists %t: %v", has, err)
					} else if !has {
						fail(err)
						model[o.key()] = o
					}
				},
				"update": func(rt *rapid.T) {
					k, s := key(rt), text.Draw(rt, "text")
					_, err := orders.Update(ctx, k, func(o *order) error { o.Secret += s; o.Note = s; return nil })
					if o, has := model[k]; !has {
						if !errors.Is(err, store.ErrNotFound) {
							rt.Fatal(err)
						}
					} else {
						fail(err)
						o.Secret, o.Note = o.Secret+s, s
						model[k] = o
					}
				},
				"delete": func(rt *rapid.T) {
					k := key(rt)
					fail(orders.Delete(ctx, k))
					delete(model, k)
				},
				"batch": func(rt *rapid.T) {
					batch := rapid.SliceOfNDistinct(draw, 0, 8, order.key).Draw(rt, "batch")
					_, err := orders.BatchPut(ctx, batch)
					fail(err)
					for _, o := range batch {
						model[o.key()] = o
					}
				},
				"get": func(rt *rapid.T) {
					k := key(rt)
					got, err := orders.Get(ctx, k)
					if want, has := model[k]; !has {
						if !errors.Is(err, store.ErrNotFound) {
							rt.Fatal(err)
						}
					} else {
						fail(err)
						same(want, got)
					}
				},
				"": func(rt *rapid.T) {
					seen := 0
					for o, err := range orders.Scan(ctx, store.Scan{Segments: 2, PageSize: 3}) {
						fail(err)
						same(model[o.key()], o)
						seen++
					}
					if seen != len(model) {
						rt.Fatalf("%d items, want %d", seen, len(model))
					}
				},
			})
		})
	})
}

// TestConcurrentModel: updaters on a few keys at once; each item ends with what
// all its successful updates made together, in both attributes.
// guarantees: U17
func TestConcurrentModel(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		var mu sync.Mutex
		model := map[store.Key]int{}
		var wg sync.WaitGroup
		for writer := range 6 {
			wg.Go(func() {
				for i := range 12 {
					k := store.Key{Partition: "a", Sort: (writer + i) % 3}
					_, err := orders.UpdateOrCreate(ctx, k, func(o *order) error {
						o.Tags = append(o.Tags, fmt.Sprint(writer, "-", i))
						o.Expiry++
						return nil
					})
					if errors.Is(err, store.ErrConflict) {
						continue
					}
					if err != nil {
						t.Error(err)
						continue
					}
					mu.Lock()
					model[k]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for k, n := range model {
			got := must(orders.Get(ctx, k))(t)
			if len(got.Tags) != n || got.Expiry != int64(n) {
				t.Errorf("%v: %d tags, expiry %d after %d updates", k, len(got.Tags), got.Expiry, n)
			}
		}
	})
}
