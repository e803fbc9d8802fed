package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/store"
)

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
		"filter":     ignore(orders.QueryPage(ctx, store.Query{Partition: "a", Filter: between("hidden2", "hidden1")}, "")),
		"types":      ignore(orders.QueryPage(ctx, store.Query{Partition: "a", Filter: between("hidden2", 1)}, "")),
		"condition":  orders.Delete(ctx, store.Key{Partition: "a", Sort: 1}, between("hidden}2", "hidden1")),
		"duplicates": orders.Put(ctx, order{Customer: "a", Tags: []string{"hidden", "hidden"}}),
		"number":     numbers.Put(ctx, box[any]{"a", attributevalue.Number("hidden")}),
		"operation":  store.TransactWrite(ctx, w.client, numbers.PutOp(box[any]{"a", attributevalue.Number("hidden")})),
		"uncertain":  open[order](t, deaf{w.client}, orders.Name(), store.ServerSide{}).Put(ctx, order{Customer: "a", Tags: []string{"hidden", "hidden"}}),
	} {
		var api smithy.APIError
		if !errors.As(err, &api) || !strings.Contains(api.ErrorMessage(), "hidden") {
			t.Errorf("%s: %v: the exception is lost, or has no value", name, err)
		} else if strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "…") || !strings.Contains(err.Error(), "ValidationException") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A range of keys is refused before the call.
	far := open[order](t, untouchable{t}, "orders", store.ServerSide{})
	if _, err := far.QueryPage(ctx, store.Query{Partition: "a", Sort: store.SortBetween(770077, 10)}, ""); !errors.Is(err, store.ErrConfiguration) || !strings.Contains(err.Error(), `"number"`) || strings.Contains(err.Error(), "770077") {
		t.Errorf("a range from high to low: %v", err)
	}
}
