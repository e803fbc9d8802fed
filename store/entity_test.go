// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// entities are two types in one table.
func entities(t *testing.T, w *world, m store.Mode) (orders *store.Table[order], counts *store.Table[score]) {
	t.Helper()
	table := w.table(t, orderKeys)
	of := func(other map[string]envelope.Action) store.Mode {
		if c, is := m.(store.ClientSide); is {
			c.OtherActions, c.AllowedUnsigned = other, []string{"note", "expiry", "hits"}
			return c
		}
		return m
	}
	orders = must(store.NewEntity[order](w.client, table, of(must(store.Actions[score]())(t)),
		store.Entity{Attribute: "kind", Name: "order"}))(t)
	counts = must(store.NewEntity[score](w.client, table, of(must(store.Actions[order]())(t)),
		store.Entity{Attribute: "kind", Name: "score"}))(t)
	return orders, counts
}

// score is an entity with a version.
type score struct {
	Customer string `dynamodbav:"customer" seal:"partition"`
	Number   int    `dynamodbav:"number" seal:"sort"`
	Version  int    `dynamodbav:"version" seal:"version"`
	Hits     int    `dynamodbav:"hits" seal:"none"`
}

// TestEntitiesGuardWrites: no write that carries a condition touches an item
// of another entity.
// guarantees: O6
func TestEntitiesGuardWrites(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "items of failed conditions")
		ctx := t.Context()
		orders, counts := entities(t, w, m)
		o := sample("ann", 1)
		k := o.key()
		ok(t, orders.Put(ctx, o))
		fresh, versioned := score{Customer: "ann", Number: 1}, score{Customer: "ann", Number: 1, Version: 1}
		transact := func(op store.WriteOp) error { return store.TransactWrite(ctx, w.client, op) }
		hit := expression.Add(expression.Name("hits"), expression.Value(1))
		note := expression.Set(expression.Name("note"), expression.Value("x"))
		nothing := func(*score) error { return nil }
		exists := expression.AttributeExists(expression.Name("customer"))
		for name, err := range map[string]error{
			"Put, new":                    counts.Put(ctx, fresh),
			"Put, version":                counts.Put(ctx, versioned),
			"PutOld":                      ignore(counts.PutOld(ctx, versioned)),
			"Delete":                      counts.Delete(ctx, k),
			"Delete, condition":           counts.Delete(ctx, k, exists),
			"DeleteOld":                   ignore(counts.DeleteOld(ctx, k)),
			"DeleteVersion":               counts.DeleteVersion(ctx, versioned),
			"UpdateAttributes":            counts.UpdateAttributes(ctx, k, hit),
			"UpdateAttributes, condition": counts.UpdateAttributes(ctx, k, hit, exists),
			"Update":                      ignore(counts.Update(ctx, k, nothing)),
			"UpdateOrCreate":              ignore(counts.UpdateOrCreate(ctx, k, nothing)),
			"PutOp":                       transact(counts.PutOp(fresh)),
			"UpdateOp":                    transact(counts.UpdateOp(k, nothing)),
			"DeleteOp":                    transact(counts.DeleteOp(k)),
			"DeleteVersionOp":             transact(counts.DeleteVersionOp(versioned)),
			"CheckOp":                     transact(counts.CheckOp(k, exists)),
		} {
			if !errors.Is(err, store.ErrOtherEntity) || errors.Is(err, store.ErrConditionFailed) ||
				errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if d := cmp.Diff(o, must(orders.Get(ctx, k))(t)); d != "" {
			t.Fatal(d)
		}
		// Its own entity and new items are not affected.
		ok(t, orders.UpdateAttributes(ctx, k, note))
		ok(t, orders.Put(ctx, o))
		ok(t, transact(orders.CheckOp(k, exists)))
		ok(t, ignore(orders.Update(ctx, k, func(o *order) error { o.Secret = "new"; return nil })))
		if err := orders.Put(ctx, o, expression.Name("ward").Equal(expression.Value("none"))); !errors.Is(err,
			store.ErrConditionFailed) || errors.Is(err, store.ErrOtherEntity) {
			t.Errorf("a condition: %v", err)
		}
		if err := transact(orders.CheckOp(k)); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("a check without a condition: %v", err)
		}
		ok(t, transact(orders.DeleteOp(k)))
		ok(t, counts.Put(ctx, fresh))
		ok(t, counts.Delete(ctx, k))
		if err := counts.UpdateAttributes(ctx, k, hit); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("update of an absent item: %v", err)
		}
	})
}

// meeting is a client that lets another entity take the key between reading
// and writing.
type meeting struct {
	*dynamodb.Client
	before func()
}

func (m *meeting) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if f := m.before; f != nil {
		m.before = nil
		f()
	}
	return m.Client.PutItem(ctx, in, o...)
}

// TestEntitiesMeetInUpdate: an item of another entity that takes the key while
// Update works ends the update.
func TestEntitiesMeetInUpdate(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "items of failed conditions")
		ctx := t.Context()
		client := &meeting{Client: w.client}
		orders, counts := entities(t, w, m)
		met := must(store.NewEntity[score](client, counts.Name(), counts.Mode(),
			store.Entity{Attribute: "kind", Name: "score"}))(t)
		k := sample("ann", 1).key()
		nothing := func(*score) error { return nil }
		take := func() {
			ok(t, counts.Delete(ctx, k))
			ok(t, orders.Put(ctx, sample("ann", 1)))
		}
		client.before = take
		if _, err := met.UpdateOrCreate(ctx, k, nothing); !errors.Is(err, store.ErrOtherEntity) ||
			errors.Is(err, store.ErrConflict) {
			t.Errorf("creation: %v", err)
		}
		ok(t, orders.Delete(ctx, k))
		ok(t, counts.Put(ctx, score{Customer: "ann", Number: 1}))
		others := must(store.NewEntity[score](w.client, counts.Name(), counts.Mode(),
			store.Entity{Attribute: "kind", Name: "other"}))(t)
		client.before = func() { // an item of the same version
			ok(t, counts.Delete(ctx, k))
			ok(t, others.Put(ctx, score{Customer: "ann", Number: 1}))
		}
		if _, err := met.Update(ctx, k, nothing); !errors.Is(err, store.ErrOtherEntity) ||
			errors.Is(err, store.ErrConflict) {
			t.Errorf("update: %v", err)
		}
		ok(t, ignore(others.Get(ctx, k)))
	})
}

// conditions is a client that counts the conditions of writes.
type conditions struct {
	*dynamodb.Client
	n int
}

func (c *conditions) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if in.ConditionExpression != nil {
		c.n++
	}
	return c.Client.PutItem(ctx, in, o...)
}
func (c *conditions) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	if in.ConditionExpression != nil {
		c.n++
	}
	return c.Client.DeleteItem(ctx, in, o...)
}

// TestNoEntityNoCondition: a table of one type pays nothing for entities.
func TestNoEntityNoCondition(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	client := &conditions{Client: w.client}
	orders := open[order](t, client, w.table(t, orderKeys), store.ServerSide{})
	ok(t, orders.Put(ctx, sample("ann", 1)))
	ok(t, orders.Delete(ctx, sample("ann", 1).key()))
	if client.n != 0 {
		t.Errorf("%d writes have a condition", client.n)
	}
}
