// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

func TestUpdate(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		o := sample("ann", 1)
		nothing := func(*order) error { return nil }
		if _, err := orders.Update(ctx, o.key(), nothing); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("update of an absent item: %v", err)
		}
		got := must(orders.UpdateOrCreate(ctx, o.key(), func(v *order) error {
			if v.Customer != "ann" || v.Number != 1 || v.Secret != "" {
				t.Errorf("new item %+v", v)
			}
			*v = o
			return nil
		}))(t)
		if got.Secret != o.Secret {
			t.Fatalf("created %+v", got)
		}
		ok(t, ignore(orders.Update(ctx, o.key(), func(v *order) error {
			v.Secret, v.Note = "changed", "" // an omitted attribute goes away
			return nil
		})))
		got = must(orders.Get(ctx, o.key()))(t)
		if got.Secret != "changed" || got.Note != "" || got.Ward != o.Ward {
			t.Fatalf("updated %+v", got)
		}
		stop := errors.New("stop")
		if _, err := orders.Update(ctx, o.key(), func(*order) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("error of the function: %v", err)
		}
		if _, err := orders.Update(ctx, o.key(), func(v *order) error { v.Number++; return nil }); !errors.Is(err,
			store.ErrConfiguration) {
			t.Errorf("changed key: %v", err)
		}
	})
}

func ignore[T any](_ T, err error) error { return err }

// narrow is order as an older program knows it.
type narrow struct {
	Customer string `dynamodbav:"customer" seal:"partition"`
	Number   int    `dynamodbav:"number" seal:"sort"`
	Secret   string `dynamodbav:"secret,omitempty"`
}

// guarantees: U4
func TestUpdateKeepsUnknownAttributes(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, orderKeys)
		orders := open[order](t, w.client, table, m)
		if c, is := m.(store.ClientSide); is {
			actions := must(store.Actions[order]())(t)
			for name, action := range actions {
				if action == envelope.DoNothing {
					c.AllowedUnsigned = append(c.AllowedUnsigned, name)
				}
			}
			c.OtherActions = actions
			m = c
		}
		old := open[narrow](t, w.client, table, m)
		o := sample("ann", 1)
		ok(t, orders.Put(ctx, o))
		ok(t, ignore(old.Update(ctx, o.key(), func(v *narrow) error { v.Secret = "by the older one"; return nil })))
		got := must(orders.Get(ctx, o.key()))(t)
		if got.Secret != "by the older one" || got.Note != o.Note || got.Ward != o.Ward || len(got.Tags) != 2 ||
			got.Extra["a"] != o.Extra["a"] {
			t.Fatalf("%+v", got)
		}
	})
}

// TestUpdateSeesOtherWriters: whatever another writer changes between reading
// and writing makes Update begin again, in unsigned attributes too.
// guarantees: U2
func TestUpdateSeesOtherWriters(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, orderKeys)
		orders := open[order](t, w.client, table, m)
		bare := sample("ann", 1)
		bare.Note = ""
		others := map[string]func() error{
			"signed attribute": func() error { o := sample("ann", 1); o.Secret = "theirs"; return orders.Put(ctx, o) },
			"unsigned attribute changed": func() error {
				return orders.UpdateAttributes(ctx, bare.key(),
					expression.Set(expression.Name("note"), expression.Value("theirs")))
			},
			"unsigned attribute added": func() error {
				return orders.UpdateAttributes(ctx, bare.key(),
					expression.Set(expression.Name("expiry"), expression.Value(2_000_000_000)))
			},
		}
		for name, interfere := range others {
			ok(t, orders.Put(ctx, bare))
			runs := 0
			got := must(orders.Update(ctx, bare.key(), func(v *order) error {
				if runs++; runs == 1 {
					ok(t, interfere())
				}
				v.Ward = "mine"
				return nil
			}))(t)
			stored := must(orders.Get(ctx, bare.key()))(t)
			if runs != 2 || stored.Ward != "mine" ||
				stored.Secret+stored.Note+fmt.Sprint(stored.Expiry) == bare.Secret+bare.Note+"0" || got.Ward != "mine" {
				t.Errorf("%s: %d runs, stored %+v", name, runs, stored)
			}
		}
		ok(t, orders.Delete(ctx, bare.key()))
		runs := 0
		ok(t, ignore(orders.UpdateOrCreate(ctx, bare.key(), func(v *order) error {
			if runs++; runs == 1 {
				ok(t, orders.Put(ctx, bare))
			}
			v.Note = "mine"
			return nil
		})))
		if got := must(orders.Get(ctx, bare.key()))(t); runs != 2 || got.Secret != bare.Secret || got.Note != "mine" {
			t.Errorf("creation: %d runs, %+v", runs, got)
		}
		runs = 0
		if _, err := orders.Update(ctx, bare.key(), func(v *order) error {
			runs++
			return orders.UpdateAttributes(ctx, bare.key(),
				expression.Set(expression.Name("note"), expression.Value(fmt.Sprint("run", runs))))
		}); !errors.Is(err, store.ErrConflict) || !errors.Is(err, store.ErrConditionFailed) || runs != 20 {
			t.Errorf("endless interference: %d runs, %v", runs, err)
		}
	})
}

// guarantees: U14
func TestUpdateAttributes(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		counters := open[counter](t, w.client, w.table(t, "id:S"), m)
		k := store.Key{Partition: "c"}
		hit := expression.Add(expression.Name("hits"), expression.Value(1))
		if err := counters.UpdateAttributes(ctx, k, hit); w.server != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("absent item: %v", err)
		}
		ok(t, counters.Put(ctx, counter{ID: "c", Count: 1}))
		for range 3 {
			ok(t, counters.UpdateAttributes(ctx, k, hit))
		}
		got := must(counters.Get(ctx, k))(t)
		version := map[string]int{"client": 1, "server": 4}[m.String()]
		if got.Hits != 3 || got.Count != 1 || got.Version != version {
			t.Fatalf("%+v", got)
		}
		if err := counters.UpdateAttributes(ctx, k, hit,
			expression.Name("hits").Equal(expression.Value(0))); !errors.Is(err, store.ErrConditionFailed) {
			t.Errorf("condition: %v", err)
		}
	})
}

// guarantees: P2, B5
func TestVersions(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		counters := open[counter](t, w.client, w.table(t, "id:S"), m)
		k := store.Key{Partition: "c"}
		ok(t, counters.Put(ctx, counter{ID: "c", Count: 1}))
		if err := counters.Put(ctx, counter{ID: "c"}); !errors.Is(err, store.ErrConditionFailed) {
			t.Fatalf("a second creation: %v", err)
		}
		read := must(counters.Get(ctx, k))(t)
		if read.Version != 1 {
			t.Fatalf("%+v", read)
		}
		ok(t, counters.Put(ctx, read))
		if err := counters.Put(ctx, read); !errors.Is(err, store.ErrConditionFailed) {
			t.Fatalf("a stale put: %v", err)
		}
		got := must(counters.Update(ctx, k, func(c *counter) error { c.Count, c.Version = 7, 99; return nil }))(t)
		if got.Version != 3 || got != must(counters.Get(ctx, k))(t) {
			t.Fatalf("%+v", got)
		}
		if _, err := counters.BatchPut(ctx, []counter{{ID: "d"}}); !errors.Is(err, store.ErrConfiguration) {
			t.Fatalf("batch: %v", err)
		}
		if err := counters.Put(ctx, counter{ID: "c", Version: -1}); !errors.Is(err, envelope.ErrInvalidItem) {
			t.Errorf("negative version: %v", err)
		}
	})
}

// small has a version that outgrows its type, behind a pointer.
type small struct {
	ID string `dynamodbav:"id" seal:"partition"`
	inner
}
type inner struct {
	Version *uint8 `dynamodbav:"version,omitempty" seal:"version"`
}

func TestVersionTypes(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, "id:S")
	smalls := open[small](t, w.client, table, store.ServerSide{})
	ctx, k := t.Context(), store.Key{Partition: "c"}
	ok(t, smalls.Put(ctx, small{ID: "c"}))
	got := must(smalls.Update(ctx, k, func(*small) error { return nil }))(t)
	if got.Version == nil || *got.Version != 2 {
		t.Fatalf("%+v", got)
	}
	_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
		"id": &types.AttributeValueMemberS{Value: "c"}, "version": &types.AttributeValueMemberN{Value: "255"},
	}})
	ok(t, err)
	if _, err := smalls.Update(ctx, k, func(*small) error { return nil }); !errors.Is(err, envelope.ErrInvalidItem) {
		t.Errorf("overflow: %v", err)
	}
}

// wide has more attributes than a condition can compare.
type wide struct {
	ID     string            `dynamodbav:"id" seal:"partition"`
	Others map[string]string `dynamodbav:"others"`
}

// guarantees: U12
func TestUpdateTooWide(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, "id:S")
	item := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "a"}}
	for i := range 148 {
		item[fmt.Sprint("attribute", i)] = &types.AttributeValueMemberS{Value: "x"}
	}
	put := func() {
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item})
		ok(t, err)
	}
	wides := open[wide](t, w.client, table, store.ServerSide{})
	change := func(v *wide) error { v.Others = map[string]string{"a": "b"}; return nil }
	put()
	got := must(wides.Update(ctx, store.Key{Partition: "a"}, change))(t)
	if got.Others["a"] != "b" {
		t.Fatalf("%+v", got)
	}
	item["one more"] = &types.AttributeValueMemberS{Value: "x"}
	put()
	if _, err := wides.Update(ctx, store.Key{Partition: "a"}, change); !errors.Is(err, store.ErrTooWide) {
		t.Fatalf("150 attributes: %v", err)
	}
}

// TestConcurrentUpdates: many updaters, throttled ones among them; every
// increment counts once.
// guarantees: U1
func TestConcurrentUpdates(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		counters := open[counter](t, w.client, w.table(t, "id:S"), m)
		k := store.Key{Partition: "c"}
		if w.server != nil {
			w.faults(t, localaws.Faults{Seed: 1,
				Rules: []localaws.Fault{{Kind: localaws.FaultThrottle, Service: "dynamodb", Rate: 0.02}}})
		}
		var wg sync.WaitGroup
		var done, hits atomic.Int64
		for range 4 {
			wg.Go(func() {
				for range 10 {
					_, err := counters.UpdateOrCreate(ctx, k, func(c *counter) error { c.Count++; return nil })
					if err == nil {
						done.Add(1)
					} else if !errors.Is(err, store.ErrConflict) {
						t.Error(err)
					}
					if err := counters.UpdateAttributes(ctx, k,
						expression.Add(expression.Name("hits"), expression.Value(1))); err == nil {
						hits.Add(1)
					} else {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		got := must(counters.Get(ctx, k))(t)
		if got.Count != int(done.Load()) || done.Load() < 20 || got.Hits != int(hits.Load()) {
			t.Errorf("count %d of %d updates, hits %d of %d", got.Count, done.Load(), got.Hits, hits.Load())
		}
	})
}

func TestUpdateCancelled(t *testing.T) {
	w := newWorld(t)
	counters := open[counter](t, w.client, w.table(t, "id:S"), clientSide(t))
	ok(t, counters.Put(t.Context(), counter{ID: "c"}))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := counters.Update(ctx, store.Key{Partition: "c"}, func(*counter) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// TestUpdateRefusesBeacons: a table without beacons does not replace an item that
// has some, by which others search for it.
// guarantees: U5
func TestUpdateRefusesBeacons(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table, m := w.table(t, orderKeys), clientSide(t)
	orders := open[order](t, w.client, table, m)
	dropping := must(store.New[order](w.client, table, m, store.DropBeacons()))(t)
	o := sample("ann", 1)
	put := func() {
		stored := must(orders.Encryptor().EncryptItem(ctx, envelope.Item{
			"customer": avS("ann"), "number": &types.AttributeValueMemberN{Value: "1"}, "secret": avS("old"),
		}))(t)
		stored["aws_dbe_b_secret"] = avS("hidden")
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: stored})
		ok(t, err)
	}
	put()
	change := func(o *order) error { o.Secret = "new"; return nil }
	for name, err := range map[string]error{
		"Update":         ignore(orders.Update(ctx, o.key(), change)),
		"UpdateOrCreate": ignore(orders.UpdateOrCreate(ctx, o.key(), change)),
		"UpdateOp":       store.TransactWrite(ctx, w.client, orders.UpdateOp(o.key(), change)),
	} {
		if !errors.Is(err, store.ErrBeacons) || !strings.Contains(err.Error(), `"aws_dbe_b_secret"`) ||
			strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if raw := must(orders.Raw(ctx, o.key()))(t); raw["aws_dbe_b_secret"] == nil {
		t.Error("the beacon is gone")
	}
	ok(t, ignore(dropping.Update(ctx, o.key(), change)))
	if w.server != nil {
		put()
		ok(t, store.TransactWrite(ctx, w.client, dropping.UpdateOp(o.key(), change)))
	}
	if got, raw := must(orders.Get(ctx, o.key()))(t),
		must(orders.Raw(ctx, o.key()))(t); got.Secret != "new" || raw["aws_dbe_b_secret"] != nil {
		t.Errorf("%+v, stored %v", got, raw)
	}
	put()
	ok(t, orders.Put(ctx, o)) // replaces the item
}
