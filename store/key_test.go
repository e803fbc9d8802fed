// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/store"
)

// account has keys that convert themselves, by methods with pointer receivers.
type account struct {
	ID   pound `dynamodbav:"id" seal:"partition"`
	Sort pound `dynamodbav:"sort" seal:"sort"`
	Text string
}

// TestPointerReceivers: a key is converted with an address, as in the item.
func TestPointerReceivers(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "transactions")
		ctx := t.Context()
		accounts := open[account](t, w.client, w.table(t, "id:S,sort:S"), m)
		key := func(n int64) store.Key { return store.Key{Partition: pound{1}, Sort: pound{n}} }
		ok(t, accounts.Put(ctx, account{pound{1}, pound{1}, "put"}))
		ok(t, ignore(accounts.BatchPut(ctx, []account{{pound{1}, pound{2}, "batch"}})))
		ok(t, store.TransactWrite(ctx, w.client, accounts.PutOp(account{pound{1}, pound{3}, "operation"})))
		ok(t, ignore(accounts.UpdateOrCreate(ctx, key(4), func(a *account) error { a.Text = "update"; return nil })))
		for n, want := range []string{"put", "batch", "operation", "update"} {
			if got := must(accounts.Get(ctx, key(int64(n+1))))(t); got.Text != want {
				t.Errorf("%+v, want %s", got, want)
			}
		}
		found := ""
		for a, err := range accounts.Query(ctx,
			store.Query{Partition: &pound{1}, Sort: store.SortBetween(pound{2}, &pound{3})}) {
			ok(t, err)
			found += fmt.Sprint(a.Sort.Pence, a.Text)
		}
		if found != "2batch3operation" {
			t.Errorf("found %s", found)
		}
		ok(t, accounts.Delete(ctx, key(1)))
	})
}

// TestKeyOfValue: Key converts as the item is converted, and an error of it comes
// with the call that takes the key.
func TestKeyOfValue(t *testing.T) {
	ctx := t.Context()
	accounts := open[account](t, &noClient{}, "t", store.ServerSide{})
	if k := accounts.Key(account{ID: pound{1}, Sort: pound{2}}); avText(k.Partition) != "1 pence" ||
		avText(k.Sort) != "2 pence" {
		t.Errorf("keys that convert themselves: %v", k)
	}
	owns := open[own](t, &noClient{}, "t", store.ServerSide{})
	if k := owns.Key(own{ID: "a"}); avText(k.Partition) != "a" || k.Sort != nil {
		t.Errorf("a type that converts itself: %v", k)
	}
	type keyed struct {
		ID explosive `dynamodbav:"id" seal:"partition"`
	}
	explosives := open[keyed](t, &noClient{}, "t", store.ServerSide{})
	err := ignore(explosives.Get(ctx, explosives.Key(keyed{explosive{"secret"}})))
	if !errors.Is(err, store.ErrConfiguration) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a method that panics: %v", err)
	}
	selves := open[self](t, &noClient{}, "t", store.ServerSide{})
	for _, text := range []string{"list", "fault"} {
		if err := ignore(selves.Get(ctx, selves.Key(self{Text: text}))); !errors.Is(err, store.ErrConfiguration) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
