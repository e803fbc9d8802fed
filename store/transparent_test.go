// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// through makes a table of the repository that knows nothing of encryption, on
// a client that encrypts inside.
func through[T any](t *testing.T, w *world, table string) (plain, sealed *store.Table[T]) {
	t.Helper()
	sealed = open[T](t, w.client, table, clientSide(t))
	sealing, err := transparent.New(map[string]*envelope.ItemEncryptor{table: sealed.Encryptor()})
	ok(t, err)
	return open[T](t, dynamodb.NewFromConfig(w.config, sealing.Install), table, store.ServerSide{}), sealed
}

// TestThroughTransparentClient: the same operations and results as in both
// modes, and items that the client-side mode reads.
func TestThroughTransparentClient(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	orders, sealed := through[order](t, w, w.table(t, orderKeys))
	all, keys := manyOrders(60)
	ok(t, ignore(orders.BatchPut(ctx, all)))
	got := must(orders.BatchGet(ctx, keys))(t)
	for i := range all {
		if got[i] == nil || cmp.Diff(all[i], *got[i]) != "" {
			t.Fatalf("item %d: %+v", i, got[i])
		}
		if d := cmp.Diff(all[i], must(sealed.Get(ctx, keys[i]))(t)); d != "" {
			t.Fatal(d)
		}
	}
	next := all[0]
	next.Secret = "another"
	if old := must(orders.PutOld(ctx, next,
		expression.Name("ward").Equal(expression.Value(next.Ward))))(t); old == nil || old.Secret != all[0].Secret {
		t.Errorf("old value %+v", old)
	}
	ok(t, orders.UpdateAttributes(ctx, next.key(), expression.Set(expression.Name("note"), expression.Value("new"))))
	if err := orders.UpdateAttributes(ctx, next.key(),
		expression.Set(expression.Name("secret"), expression.Value("new"))); !errors.Is(err,
		store.ErrEncryptedAttribute) {
		t.Errorf("update of an encrypted attribute: %v", err)
	}
	n := 0
	for o, err := range orders.Query(ctx,
		store.Query{Partition: "customer0", Attributes: []string{"secret"}, PageSize: 4}) {
		ok(t, err)
		if o.Secret == "" || o.Note != "" {
			t.Errorf("%+v", o)
		}
		n++
	}
	if n != 9 {
		t.Errorf("%d items", n)
	}
	if old := must(orders.DeleteOld(ctx, next.key()))(t); old == nil || old.Secret != "another" || old.Note != "new" {
		t.Errorf("deleted %+v", old)
	}
	ok(t, ignore(orders.BatchDelete(ctx, keys)))
	for o := range sealed.Scan(ctx, store.Scan{}) {
		t.Fatalf("still there: %v", o.key())
	}

	counters, _ := through[counter](t, w, w.table(t, "id:S"))
	k := store.Key{Partition: "c"}
	ok(t, counters.Put(ctx, counter{ID: "c"}))
	if c := must(counters.Update(ctx, k, func(c *counter) error { c.Count++; return nil }))(t); c.Count != 1 ||
		c.Version != 2 {
		t.Errorf("%+v", c)
	}
}

// TestSealedTwice: client-side mode on a client that encrypts the table too.
func TestSealedTwice(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, orderKeys)
	sealed := open[order](t, w.client, table, clientSide(t))
	sealing, err := transparent.New(map[string]*envelope.ItemEncryptor{table: sealed.Encryptor()})
	ok(t, err)
	twice := open[order](t, dynamodb.NewFromConfig(w.config, sealing.Install), table, clientSide(t))
	if err := twice.Put(t.Context(), sample("ann", 1)); !errors.Is(err, envelope.ErrInvalidItem) {
		t.Error(err)
	}
}
