// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// declare is New for a type that is wrong.
func declare[T any](t *testing.T, m store.Mode) error {
	_, err := store.New[T](untouchable{t}, "table", m)
	return err
}

func TestDeclarations(t *testing.T) {
	client := clientSide(t)
	other := func(actions map[string]envelope.Action) store.ClientSide {
		m := client
		m.OtherActions = actions
		return m
	}
	for _, c := range []struct {
		name, says string
		err        error
	}{
		{"not a struct", "not a struct", declare[int](t, client)},
		{"no partition key", "partition", declare[struct{ A string }](t, client)},
		{"two partition keys", "B", declare[struct {
			A string `seal:"partition"`
			B string `seal:"partition"`
		}](t, client)},
		{"unknown tag", "Field", declare[struct {
			ID    string `seal:"partition"`
			Field string `seal:"encrpyt"`
		}](t, client)},
		{"two fields of one name", "Second", declare[struct {
			ID     string `seal:"partition"`
			First  string `dynamodbav:"x"`
			Second string `dynamodbav:"x" seal:"sign"`
		}](t, client)},
		{"tag on an unexported field", "hidden", declare[struct {
			ID     string `seal:"partition"`
			hidden string `seal:"sign"`
		}](t, client)},
		{"tag on a field left out", "Out", declare[struct {
			ID  string `seal:"partition"`
			Out string `dynamodbav:"-" seal:"sign"`
		}](t, client)},
		{"tag on an embedded struct", "inner", declare[struct {
			ID    string `seal:"partition"`
			inner `seal:"sign"`
		}](t, client)},
		{"key that may be absent", "ID", declare[struct {
			ID string `dynamodbav:"id,omitempty" seal:"partition"`
		}](t, client)},
		{"key of a wrong type", "ID", declare[struct {
			ID []string `seal:"partition"`
		}](t, client)},
		{"version that does not count", "V", declare[struct {
			ID string `seal:"partition"`
			V  string `seal:"version"`
		}](t, client)},
		{"ttl that is not a time", "T", declare[struct {
			ID string    `seal:"partition"`
			T  time.Time `seal:"ttl"`
		}](t, client)},
		{"version stored as text", "V", declare[struct {
			ID string `seal:"partition"`
			V  int    `dynamodbav:"v,string" seal:"version"`
		}](t, client)},
		{"key stored as text", "ID", declare[struct {
			ID int `dynamodbav:"id,string" seal:"partition"`
		}](t, client)},
		{"reserved name", "aws_dbe_x", declare[struct {
			ID string `seal:"partition"`
			A  string `dynamodbav:"aws_dbe_x"`
		}](t, client)},
		{"two actions for one name", "secret", declare[order](t, other(map[string]envelope.Action{"secret": envelope.SignOnly}))},
		{"other attribute unsigned and not allowed", "wild", declare[order](t, other(map[string]envelope.Action{"wild": 0}))},
		{"signed attribute allowed unsigned", "ward", declare[order](t, store.ClientSide{Keyring: client.Keyring, AllowedUnsigned: []string{"ward"}})},
		{"no keyring", "Keyring", declare[order](t, store.ClientSide{})},
		{"no mode", "mode", declare[order](t, nil)},
	} {
		if !errors.Is(c.err, store.ErrConfiguration) || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: %v, should name %q", c.name, c.err, c.says)
		}
	}
	if _, err := store.NewEntity[order](untouchable{t}, "t", client,
		store.Entity{Attribute: "secret", Name: "order"}); !errors.Is(err, store.ErrConfiguration) {
		t.Errorf("an encrypted entity attribute: %v", err)
	}
	if _, err := store.NewEntity[order](untouchable{t}, "t", client, store.Entity{Attribute: "kind"}); !errors.Is(err,
		store.ErrConfiguration) {
		t.Errorf("a nameless entity: %v", err)
	}
}

func TestKeys(t *testing.T) {
	orders := open[order](t, untouchable{t}, "orders", clientSide(t))
	for _, k := range []store.Key{{}, {Partition: "a"}, {Sort: 1}, {Partition: 1, Sort: 1}, {Partition: "a", Sort: "1"},
		{Partition: "a", Sort: []int{1}}, {Partition: make(chan int), Sort: 1}} {
		if _, err := orders.Get(t.Context(), k); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%v: %v", k, err)
		}
	}
}

// event is one more type in a table of orders.
type event struct {
	Customer string `dynamodbav:"customer" seal:"partition"`
	Number   int    `dynamodbav:"number" seal:"sort"`
	What     string `dynamodbav:"what"`
}

func TestEntities(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, orderKeys)
		of := func(other map[string]envelope.Action) store.Mode {
			if c, is := m.(store.ClientSide); is {
				c.OtherActions = other
				c.AllowedUnsigned = []string{"note", "expiry"}
				return c
			}
			return m
		}
		orders := must(store.NewEntity[order](w.client, table, of(must(store.Actions[event]())(t)),
			store.Entity{Attribute: "kind", Name: "order"}))(t)
		events := must(store.NewEntity[event](w.client, table, of(must(store.Actions[order]())(t)),
			store.Entity{Attribute: "kind", Name: "event"}))(t)
		for n := range 4 {
			ok(t, orders.Put(ctx, sample("ann", 2*n)))
			ok(t, events.Put(ctx, event{"ann", 2*n + 1, "something"}))
		}
		if _, err := orders.Get(ctx, store.Key{Partition: "ann", Sort: 1}); !errors.Is(err, store.ErrOtherEntity) {
			t.Errorf("an event read as an order: %v", err)
		}
		n := 0
		for o, err := range orders.Query(ctx, store.Query{Partition: "ann"}) {
			ok(t, err)
			if o.Secret != "secret text" {
				t.Errorf("%+v", o)
			}
			n++
		}
		for e, err := range events.Scan(ctx, store.Scan{Attributes: []string{"what"}}) {
			ok(t, err)
			if e.What != "something" {
				t.Errorf("%+v", e)
			}
			n++
		}
		if n != 8 {
			t.Errorf("%d items", n)
		}
		kind, _ := must(events.Raw(ctx, store.Key{Partition: "ann", Sort: 1}))(t)["kind"].(*types.AttributeValueMemberS)
		if kind == nil || kind.Value != "event" {
			t.Errorf("kind %v", kind)
		}
	})
}

// wrongType reads a number of order into a type too small for it.
type wrongType struct {
	Customer string `dynamodbav:"customer" seal:"partition"`
	Number   int    `dynamodbav:"number" seal:"sort"`
	Secret   int8   `dynamodbav:"secret"`
}
type number struct {
	Customer string `dynamodbav:"customer" seal:"partition"`
	Number   int    `dynamodbav:"number" seal:"sort"`
	Secret   int    `dynamodbav:"secret"`
}

// TestErrorTextsWithoutValues: codecs put values into their messages.
func TestErrorTextsWithoutValues(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, orderKeys)
	ok(t, open[number](t, w.client, table, clientSide(t)).Put(t.Context(), number{"ann", 1, 987654}))
	_, err := open[wrongType](t, w.client, table, clientSide(t)).Get(t.Context(), store.Key{Partition: "ann", Sort: 1})
	var item *store.ItemError
	if !errors.As(err, &item) || strings.Contains(err.Error(), "987654") || !strings.Contains(err.Error(), "int8") {
		t.Fatal(err)
	}
}

// patient and visit are in one table, and only one has an attribute in the
// encryption context.
type patient struct {
	ID     string `dynamodbav:"id" seal:"partition"`
	Tenant string `dynamodbav:"tenant" seal:"context"`
}
type visit struct {
	ID   string `dynamodbav:"id" seal:"partition"`
	Text string `dynamodbav:"text"`
}

// record is patient as a program knows it that has no tenants.
type record struct {
	ID   string `dynamodbav:"id" seal:"partition"`
	Text string `dynamodbav:"text"`
}

func TestEntitiesWithContext(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, "id:S")
	m := clientSide(t)
	m.OtherActions = must(store.Actions[visit]())(t)
	patients, err := store.NewEntity[patient](w.client, table, m, store.Entity{Attribute: "kind", Name: "patient"})
	ok(t, err)
	m.OtherActions = must(store.Actions[patient]())(t)
	records, err := store.NewEntity[record](w.client, table, m, store.Entity{Attribute: "kind", Name: "patient"})
	ok(t, err)
	m.OtherActions["tenant"] = envelope.SignOnly // no visit has it
	visits, err := store.NewEntity[visit](w.client, table, m, store.Entity{Attribute: "kind", Name: "visit"})
	ok(t, err)
	ok(t, patients.Put(ctx, patient{"a", "north"}))
	ok(t, visits.Put(ctx, visit{"b", "text"}))
	if got := must(visits.Get(ctx, store.Key{Partition: "b"}))(t); got.Text != "text" {
		t.Errorf("%+v", got)
	}
	if got := must(patients.Get(ctx, store.Key{Partition: "a"}))(t); got.Tenant != "north" {
		t.Errorf("%+v", got)
	}
	ok(t, ignore(records.Update(ctx, store.Key{Partition: "a"}, func(r *record) error { r.Text = "new"; return nil })))
	message, err := envelope.Inspect(must(patients.Raw(ctx, store.Key{Partition: "a"}))(t))
	if err != nil || message.Version != 2 {
		t.Errorf("header version %d, %v", message.Version, err)
	}
}

// Looped embeds itself, as a tree may.
type Looped struct {
	ID string `dynamodbav:"id" seal:"partition"`
	*Looped
}

func TestEmbeddedInItself(t *testing.T) {
	if _, err := store.New[Looped](untouchable{t}, "table", clientSide(t)); err != nil {
		t.Error(err)
	}
}
