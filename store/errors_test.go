// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

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
	if err := orders.Delete(ctx,
		store.Key{Partition: (*types.AttributeValueMemberS)(nil), Sort: item.Key.Sort}); !errors.Is(err,
		store.ErrConfiguration) {
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

// TestErrorsOfDynamoDB: its messages repeat values, and the texts leave them
// out.
func TestErrorsOfDynamoDB(t *testing.T) {
	w := newWorld(t)
	w.onlyLocal(t, "AWS's messages")
	ctx := t.Context()
	orders := open[order](t, w.client, w.table(t, orderKeys), store.ServerSide{})
	numbers := open[box[any]](t, w.client, w.table(t, "id:S"), store.ServerSide{})
	between := func(low, high any) store.Condition {
		return expression.Name("secret").Between(expression.Value(low), expression.Value(high))
	}
	for name, err := range map[string]error{
		"filter": ignore(orders.QueryPage(ctx, store.Query{Partition: "a", Filter: between("hidden2", "hidden1")},
			"")),
		"types":      ignore(orders.QueryPage(ctx, store.Query{Partition: "a", Filter: between("hidden2", 1)}, "")),
		"condition":  orders.Delete(ctx, store.Key{Partition: "a", Sort: 1}, between("hidden}2", "hidden1")),
		"duplicates": orders.Put(ctx, order{Customer: "a", Tags: []string{"hidden", "hidden"}}),
		"number":     numbers.Put(ctx, box[any]{"a", attributevalue.Number("hidden")}),
		"operation":  store.TransactWrite(ctx, w.client, numbers.PutOp(box[any]{"a", attributevalue.Number("hidden")})),
		"uncertain": open[order](t, deaf{w.client}, orders.Name(), store.ServerSide{}).Put(ctx,
			order{Customer: "a", Tags: []string{"hidden", "hidden"}}),
	} {
		var api smithy.APIError
		if !errors.As(err, &api) || !strings.Contains(api.ErrorMessage(), "hidden") {
			t.Errorf("%s: %v: the exception is lost, or has no value", name, err)
		} else if strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "…") ||
			!strings.Contains(err.Error(), "ValidationException") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A range of keys is refused before the call.
	far := open[order](t, untouchable{t}, "orders", store.ServerSide{})
	if _, err := far.QueryPage(ctx, store.Query{Partition: "a", Sort: store.SortBetween(770077, 10)},
		""); !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), `"number"`) ||
		strings.Contains(err.Error(), "770077") {
		t.Errorf("a range from high to low: %v", err)
	}
}
