// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// loose has fields that ciphertext fits.
type loose struct {
	Customer string `dynamodbav:"customer" seal:"partition"`
	Number   int    `dynamodbav:"number" seal:"sort"`
	Secret   []byte `dynamodbav:"secret"`
	Ward     string `dynamodbav:"ward"`
}

// TestServerSideReadsNoCiphertext: no read of a table in ServerSide mode fills
// fields from an item that was encrypted on the client.
func TestServerSideReadsNoCiphertext(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, orderKeys)
	sealed, plain := open[order](t, w.client, table, clientSide(t)), open[loose](t, w.client, table, store.ServerSide{})
	o := sample("ann", 1)
	k := o.key()
	ok(t, sealed.Put(ctx, o))
	check := func(what string, got loose, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrClientSideItem) || !strings.Contains(err.Error(), "ClientSide") ||
			got.Secret != nil || got.Ward != "" {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	got, err := plain.Get(ctx, k)
	check("Get", got, err)
	got, err = plain.Update(ctx, k, func(*loose) error { t.Error("the change ran"); return nil })
	check("Update", got, err)
	for _, attributes := range [][]string{nil, {"secret"}, {"ward"}} {
		n := 0
		for v, err := range plain.Query(ctx, store.Query{Partition: "ann", Attributes: attributes}) {
			check("Query", v, err)
			n++
		}
		for v, err := range plain.Scan(ctx, store.Scan{Attributes: attributes}) {
			check("Scan", v, err)
			n++
		}
		if n != 2 {
			t.Errorf("%d items", n)
		}
	}
	many, err := plain.BatchGet(ctx, []store.Key{k})
	var batch *store.BatchError
	if !errors.As(err, &batch) {
		t.Fatal(err)
	}
	check("BatchGet", loose{}, batch.Items[0])
	if len(many) != 1 || many[0] != nil {
		t.Errorf("BatchGet gave %v", many)
	}
	if w.server != nil {
		op := plain.GetOp(k)
		ok(t, store.TransactGet(ctx, w.client, op))
		got, err = op.Result()
		check("GetOp", got, err)
		err = plain.Put(ctx, loose{Customer: "ann", Number: 1}, expression.Name("ward").Equal(expression.Value("none")))
		var failed *store.ConditionError
		if !errors.As(err, &failed) || failed.Item != nil || !errors.Is(failed.ItemErr, store.ErrClientSideItem) {
			t.Errorf("item of a failed condition: %v", err)
		}
	}
	_, err = plain.PutOld(ctx, loose{Customer: "ann", Number: 1})
	check("PutOld", loose{}, err)
}

// TestPlaintextItemsAreExplained: the error for a plaintext item in client-side
// mode names the setting and the package that help.
func TestPlaintextItemsAreExplained(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, orderKeys)
	o := sample("ann", 1)
	ok(t, open[order](t, w.client, table, store.ServerSide{}).Put(ctx, o))
	orders := open[order](t, w.client, table, clientSide(t))
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, envelope.ErrNotEncrypted) || !strings.Contains(err.Error(), "PlaintextPolicy") ||
			!strings.Contains(err.Error(), "migrate") {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("Get", ignore(orders.Get(ctx, o.key())))
	check("Update", ignore(orders.Update(ctx, o.key(), func(*order) error { return nil })))
	var batch *store.BatchError
	if _, err := orders.BatchGet(ctx, []store.Key{o.key()}); !errors.As(err, &batch) {
		t.Fatal(err)
	}
	check("BatchGet", batch.Items[0])
	for _, err := range orders.Query(ctx, store.Query{Partition: "ann"}) {
		check("Query", err)
	}
}

// parcel has an attribute that order does not have.
type parcel struct {
	Customer string `dynamodbav:"customer" seal:"partition"`
	Number   int    `dynamodbav:"number" seal:"sort"`
	Carrier  string `dynamodbav:"carrier"`
}

// TestPointerToMode: a pointer to a mode means the mode, and nil is refused: the
// key of a table is compared, and a collection's types know each other's actions.
func TestPointerToMode(t *testing.T) {
	w := newWorld(t)
	type embedded struct{ store.ServerSide }
	mode := store.ServerSide{KMSKeyARN: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}
	table := w.table(t, orderKeys)
	for what, m := range map[string]store.Mode{"pointer": &mode, "embedded": embedded{mode}} {
		orders := open[order](t, w.client, table, m)
		if got, is := orders.Mode().(store.ServerSide); !is || got != mode {
			t.Errorf("%s: %#v", what, orders.Mode())
		}
		if err := orders.Check(t.Context()); !errors.Is(err, store.ErrDeclaration) {
			t.Errorf("%s: the table is under another key: %v", what, err)
		}
	}
	secret := clientSide(t)
	var orders *store.Table[order]
	var parcels *store.Table[parcel]
	shop, err := store.NewCollection(w.client, table, &secret, "kind", store.MemberOf(&orders, "order"),
		store.MemberOf(&parcels, "parcel"))
	ok(t, err)
	ok(t, parcels.Put(t.Context(), parcel{Customer: "a", Number: 1, Carrier: "c"}))
	for p, err := range shop.Query(t.Context(), store.Query{Partition: "a"}) {
		ok(t, err)
		if p.(parcel).Carrier != "c" {
			t.Errorf("%+v", p)
		}
	}
	for what, m := range map[string]store.Mode{"nil": nil, "nil ServerSide": (*store.ServerSide)(nil),
		"nil ClientSide": (*store.ClientSide)(nil)} {
		var orders *store.Table[order]
		_, err := store.New[order](w.client, "orders", m)
		_, bad := store.NewCollection(w.client, "orders", m, "kind", store.MemberOf(&orders, "order"))
		if !errors.Is(err, store.ErrConfiguration) || !errors.Is(bad, store.ErrConfiguration) {
			t.Errorf("%s: %v, %v", what, err, bad)
		}
	}
}
