package store_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store"
)

// TestItemErrorKeys: the key of a failed item can be handed to every method
// that takes a key.
func TestItemErrorKeys(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, orderKeys)
	ok(t, open[order](t, w.client, table, store.ServerSide{}).Put(ctx, sample("ann", 7)))
	orders := open[order](t, w.client, table, clientSide(t))
	var item *store.ItemError
	for _, err := range orders.Scan(ctx, store.Scan{}) {
		if !errors.As(err, &item) {
			t.Fatal(err)
		}
	}
	if s, _ := item.Key.Partition.(types.AttributeValue).(*types.AttributeValueMemberS); s == nil || s.Value != "ann" {
		t.Errorf("partition key %v", item.Key.Partition)
	}
	if raw := must(orders.Raw(ctx, item.Key))(t); raw["secret"] == nil {
		t.Errorf("%v", raw)
	}
	if _, err := orders.Get(ctx, item.Key); !errors.As(err, &item) {
		t.Errorf("Get: %v", err)
	}
	wrong := store.Key{Partition: item.Key.Sort, Sort: item.Key.Partition}
	if err := orders.Delete(ctx, wrong); !errors.Is(err, store.ErrConfiguration) {
		t.Errorf("keys of the wrong type: %v", err)
	}
	if err := orders.Delete(ctx, store.Key{Partition: (*types.AttributeValueMemberS)(nil), Sort: item.Key.Sort}); !errors.Is(err, store.ErrConfiguration) {
		t.Errorf("a nil key: %v", err)
	}
	ok(t, ignore(orders.BatchDelete(ctx, []store.Key{item.Key})))
	if _, err := orders.Raw(ctx, item.Key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	counters := open[counter](t, w.client, w.table(t, "id:S"), store.ServerSide{})
	ok(t, open[counter](t, w.client, counters.Name(), clientSide(t)).Put(ctx, counter{ID: "c"}))
	if _, err := counters.Get(ctx, store.Key{Partition: "c"}); !errors.As(err, &item) || item.Key.Sort != nil {
		t.Errorf("a table without a sort key: %v", err)
	}
}
