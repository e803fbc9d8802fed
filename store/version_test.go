// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// versioned is an entity with a version of any integer type.
type versioned[N any] struct {
	ID      string `dynamodbav:"id" seal:"partition"`
	Version N      `dynamodbav:"version" seal:"version"`
	Hits    int    `dynamodbav:"hits" seal:"none"`
}

// TestVersionsStayInTheirType: a version that its type cannot hold is refused
// before it is written, since the item could not be read any more.
func TestVersionsStayInTheirType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, m := range []store.Mode{store.ServerSide{}, clientSide(t)} {
		table := w.table(t, "id:S")
		lastVersion(t, w, table, m, int8(math.MaxInt8))
		lastVersion(t, w, table, m, int16(math.MaxInt16))
		lastVersion(t, w, table, m, int32(math.MaxInt32))
		lastVersion(t, w, table, m, int64(math.MaxInt64))
		lastVersion(t, w, table, m, int(math.MaxInt))
		lastVersion(t, w, table, m, uint8(math.MaxUint8))
		lastVersion(t, w, table, m, uint16(math.MaxUint16))
		lastVersion(t, w, table, m, uint32(math.MaxUint32))
		lastVersion(t, w, table, m, uint64(math.MaxInt64))
		lastVersion(t, w, table, m, uint(math.MaxInt64))
	}
}

func lastVersion[N int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64](t *testing.T, w *world,
	table string, m store.Mode, last N) {
	t.Run(fmt.Sprintf("%s %T", m, last), func(t *testing.T) {
		ctx := t.Context()
		values := open[versioned[N]](t, w.client, table, m)
		k := store.Key{Partition: "a"}
		item := envelope.Item{
			"id": avS("a"), "version": &types.AttributeValueMemberN{Value: fmt.Sprint(last - 1)}, "hits": &types.AttributeValueMemberN{Value: "0"},
		}
		if e := values.Encryptor(); e != nil {
			item = must(e.EncryptItem(ctx, item))(t)
		}
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item})
		ok(t, err)
		hit := expression.Add(expression.Name("hits"), expression.Value(1))
		ok(t, ignore(values.Update(ctx, k, func(*versioned[N]) error { return nil })))
		full := must(values.Get(ctx, k))(t)
		if full.Version != last {
			t.Fatalf("version %d", full.Version)
		}
		nothing := func(*versioned[N]) error { return nil }
		writes := map[string]error{
			"Put":    values.Put(ctx, full),
			"Update": ignore(values.Update(ctx, k, nothing)),

			"PutOp":    store.TransactWrite(ctx, w.client, values.PutOp(full)), // refused before the call
			"UpdateOp": store.TransactWrite(ctx, w.client, values.UpdateOp(k, nothing)),
		}
		if m == (store.ServerSide{}) && w.server != nil { // where UpdateAttributes counts
			writes["UpdateAttributes"] = values.UpdateAttributes(ctx, k, hit)
		}
		for name, err := range writes {
			if !errors.Is(err, envelope.ErrInvalidItem) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := must(values.Get(ctx, k))(t); got != full {
			t.Errorf("stored %+v", got)
		}
		ok(t, values.DeleteVersion(ctx, full))
	})
}

// guarantees: D7
func TestDeleteVersion(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		counters := open[counter](t, w.client, w.table(t, "id:S"), m)
		k := store.Key{Partition: "c"}
		transact := func(v counter, conditions ...store.Condition) error {
			return store.TransactWrite(ctx, w.client, counters.DeleteVersionOp(v, conditions...))
		}
		direct := func(v counter, conditions ...store.Condition) error {
			return counters.DeleteVersion(ctx, v, conditions...)
		}
		ways := map[string]func(counter, ...store.Condition) error{"DeleteVersion": direct}
		if w.server != nil {
			ways["DeleteVersionOp"] = transact
		}
		for name, remove := range ways {
			if err := remove(counter{ID: "c"}); !errors.Is(err, store.ErrConfiguration) {
				t.Errorf("%s of version 0: %v", name, err)
			}
			ok(t, counters.Put(ctx, counter{ID: "c"}))
			read := must(counters.Get(ctx, k))(t)
			ok(t, counters.Put(ctx, read))
			err := remove(read)
			if !errors.Is(err, store.ErrConditionFailed) || w.server != nil && !errors.Is(err, store.ErrStaleVersion) {
				t.Errorf("%s of a stale value: %v", name, err)
			}
			read = must(counters.Get(ctx, k))(t)
			err = remove(read, expression.Name("hits").Equal(expression.Value(7)))
			if !errors.Is(err, store.ErrConditionFailed) || errors.Is(err, store.ErrStaleVersion) {
				t.Errorf("%s under a condition: %v", name, err)
			}
			ok(t, remove(read))
			if err := remove(read); !errors.Is(err, store.ErrStaleVersion) {
				t.Errorf("%s of a deleted item: %v", name, err)
			}
		}
		orders := open[order](t, untouchable{t}, "orders", m)
		if err := orders.DeleteVersion(ctx, sample("ann", 1)); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("a type without a version: %v", err)
		}
	})
}

// TestStaleVersions: the error says whether it was the version or a condition
// of the application.
// guarantees: P2
func TestStaleVersions(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "items of failed conditions")
		ctx := t.Context()
		counters := open[counter](t, w.client, w.table(t, "id:S"), m)
		ok(t, counters.Put(ctx, counter{ID: "c"}))
		never := expression.Name("hits").Equal(expression.Value(7))
		for _, c := range []struct {
			what       string
			v          counter
			conditions []store.Condition
			stale      bool
		}{
			{"creation of what exists", counter{ID: "c"}, nil, true},
			{"a version that was never there", counter{ID: "c", Version: 7}, nil, true},
			{"a condition", counter{ID: "c", Version: 1}, []store.Condition{never}, false},
			{"both", counter{ID: "c", Version: 2}, []store.Condition{never}, true},
			{"a deleted item", counter{ID: "d", Version: 2}, nil, true},
			{"a creation under a condition", counter{ID: "d"}, []store.Condition{never}, false},
		} {
			for op, err := range map[string]error{
				"Put":    counters.Put(ctx, c.v, c.conditions...),
				"PutOld": ignore(counters.PutOld(ctx, c.v, c.conditions...)),
				"PutOp":  store.TransactWrite(ctx, w.client, counters.PutOp(c.v, c.conditions...)),
			} {
				if !errors.Is(err, store.ErrConditionFailed) || errors.Is(err, store.ErrStaleVersion) != c.stale {
					t.Errorf("%s: %s: %v", op, c.what, err)
				}
				var failed *store.ConditionError
				if errors.As(err, &failed) && failed.Stale != c.stale {
					t.Errorf("%s: %s: Stale is %t", op, c.what, failed.Stale)
				}
			}
		}
	})
}

// TestVersionsCountWrites: whatever readers and writers do in which order, a
// write with a version succeeds exactly if its value is the latest, and each
// adds 1.
func TestVersionsCountWrites(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		counters := open[versioned[uint8]](t, w.client, w.table(t, "id:S"), m)
		k := store.Key{Partition: "a"}
		rapid.Check(t, func(rt *rapid.T) {
			ok(t, counters.Delete(ctx, k))
			current := 0 // 0: no item
			read := []versioned[uint8]{{ID: "a"}}
			check := func(what string, err error, good bool) {
				if good && err != nil || !good && !errors.Is(err, store.ErrConditionFailed) &&
					!errors.Is(err, store.ErrConfiguration) {
					rt.Fatalf("%s at version %d: %v", what, current, err)
				}
			}
			rt.Repeat(map[string]func(*rapid.T){
				"read": func(rt *rapid.T) {
					if v, err := counters.Get(ctx, k); err == nil {
						read = append(read, v)
					}
				},
				"put": func(rt *rapid.T) {
					v := rapid.SampledFrom(read).Draw(rt, "value")
					good := int(v.Version) == current
					check("put", counters.Put(ctx, v), good)
					if good {
						current++
					}
				},
				"update": func(rt *rapid.T) {
					v, err := counters.Update(ctx, k, func(*versioned[uint8]) error { return nil })
					if current == 0 {
						if !errors.Is(err, store.ErrNotFound) {
							rt.Fatal(err)
						}
						return
					}
					current++
					if err != nil || int(v.Version) != current {
						rt.Fatalf("version %d, want %d: %v", v.Version, current, err)
					}
				},
				"delete": func(rt *rapid.T) {
					v := rapid.SampledFrom(read).Draw(rt, "value")
					good := current > 0 && int(v.Version) == current
					check("delete", counters.DeleteVersion(ctx, v), good)
					if good {
						current, read = 0, []versioned[uint8]{{ID: "a"}}
					}
				},
				"": func(rt *rapid.T) {
					v, err := counters.Get(ctx, k)
					if current == 0 && !errors.Is(err, store.ErrNotFound) || current > 0 &&
						(err != nil || int(v.Version) != current) {
						rt.Fatalf("stored version %d, want %d: %v", v.Version, current, err)
					}
				},
			})
		})
	})
}
