// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

func TestBatches(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	requests := map[string][]types.WriteRequest{arn(orders): {},
		plain: {{PutRequest: &types.PutRequest{Item: item("p")}}}}
	for i := range 8 {
		requests[arn(orders)] = append(requests[arn(orders)],
			types.WriteRequest{PutRequest: &types.PutRequest{Item: order("ann", i)}})
	}
	requests[arn(orders)] = append(requests[arn(orders)],
		types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: orderKey("bob", 1)}})
	w.faults(t, localaws.Fault{Kind: localaws.FaultUnprocessed, Operation: "BatchWriteItem", Skip: 5})
	out, err := w.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: requests})
	ok(t, err)
	back := 0
	for name, left := range out.UnprocessedItems {
		for _, r := range left {
			back++
			if r.PutRequest == nil {
				continue
			}
			if strings.Contains(name, plain) {
				same(t, "unprocessed", item("p"), r.PutRequest.Item)
				continue
			}
			found := false
			for _, given := range requests[arn(orders)] {
				found = found || given.PutRequest == r.PutRequest
			}
			if !found {
				t.Errorf("%s: an unprocessed item is not the given one", name)
			}
		}
	}
	if back != 5 {
		t.Fatalf("%d unprocessed of 10", back)
	}
	w.faults(t)
	_, err = w.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: out.UnprocessedItems})
	ok(t, err)

	ask := types.KeysAndAttributes{ProjectionExpression: aws.String("#s"),
		ExpressionAttributeNames: map[string]string{"#s": "secret"}}
	for i := range 8 {
		ask.Keys = append(ask.Keys, orderKey("ann", i))
	}
	w.faults(t, localaws.Fault{Kind: localaws.FaultUnprocessed, Operation: "BatchGetItem", Skip: 4})
	got, err := w.client.BatchGetItem(ctx,
		&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{orders: ask}})
	ok(t, err)
	if len(got.Responses[orders]) != 4 {
		t.Fatalf("%d items", len(got.Responses[orders]))
	}
	for _, i := range got.Responses[orders] {
		same(t, "batch get", envelope.Item{"secret": s(secret)}, i)
	}
	left := got.UnprocessedKeys[orders]
	if len(left.Keys) != 4 || *left.ProjectionExpression != "#s" || len(left.ExpressionAttributeNames) != 1 {
		t.Errorf("unprocessed keys: %+v", left)
	}
	w.faults(t)
	got, err = w.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		arn(orders): {Keys: left.Keys}, plain: {Keys: []map[string]types.AttributeValue{{"id": s("p")}}}}})
	ok(t, err)
	total := 0
	for name, list := range got.Responses {
		for _, i := range list {
			total++
			if v, _ := i["secret"].(*types.AttributeValueMemberS); v == nil || v.Value != secret {
				t.Errorf("%s: %v", name, i)
			}
		}
	}
	if total != 5 {
		t.Errorf("%d items", total)
	}
}

// TestUnprocessedItems: an answer names a table as it likes. Each unprocessed put
// comes back as the caller gave it, found by its key, and all else as it came.
func TestUnprocessedItems(t *testing.T) {
	w := newWorld(t)
	sealedItem, sealedOrder := w.sealed(t, items, item("a")), w.sealed(t, orders, order("ann", 1))
	sealedOrder["number"] = &types.AttributeValueMemberN{Value: "1.00"} // the same number
	itemPut, orderPut, plainPut := &types.PutRequest{Item: item("a")}, &types.PutRequest{Item: order("ann", 1)},
		&types.PutRequest{Item: item("p")}
	remove := &types.DeleteRequest{Key: envelope.Item{"id": s("gone")}}
	for _, c := range []struct{ asItems, asOrders, answerItems, answerOrders string }{
		{items, orders, items, orders},
		{arn(items), arn(orders), items, orders},
		{items, arn(orders), arn(items), orders},
		{arn(items), orders, arn(items), arn(orders)},
	} {
		client, _ := w.stubbed(`{"UnprocessedItems":{"` + c.answerItems +
			`":[{"DeleteRequest":{"Key":{"id":{"S":"gone"}}}},{"PutRequest":{"Item":` + jsonOf(t, sealedItem) +
			`}}],"` + c.answerOrders + `":[{"PutRequest":{"Item":` + jsonOf(t, sealedOrder) + `}}],"` + plain +
			`":[{"PutRequest":{"Item":` + jsonOf(t, item("p")) +
			`}}],"not a table":[{"PutRequest":{"Item":{"id":{"S":"x"}}}}]}}`)
		out, err := client.BatchWriteItem(t.Context(),
			&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
				c.asItems: {{PutRequest: itemPut}, {DeleteRequest: remove}}, c.asOrders: {{PutRequest: orderPut}},
				plain: {{PutRequest: plainPut}}}})
		ok(t, err)
		left := out.UnprocessedItems
		if len(left) != 4 || len(left[c.answerItems]) != 2 || left[c.answerItems][1].PutRequest != itemPut ||
			left[c.answerOrders][0].PutRequest != orderPut {
			t.Errorf("%+v: %v", c, left)
		}
		same(t, "unprocessed delete", remove.Key, left[c.answerItems][0].DeleteRequest.Key)
		same(t, "unprocessed put of a plain table", item("p"), left[plain][0].PutRequest.Item)
	}
}

// TestBatchAnswers: the items of a batch are decrypted, and its unprocessed keys
// come back with the caller's own projection, whatever the answer calls a table.
func TestBatchAnswers(t *testing.T) {
	w := newWorld(t)
	sealedItem, sealedOrder := w.sealed(t, items, item("a")), w.sealed(t, orders, order("ann", 1))
	for _, c := range []struct{ asItems, asOrders, answerItems, answerOrders string }{
		{items, orders, items, orders},
		{arn(items), arn(orders), items, orders},
		{items, arn(orders), arn(items), orders},
	} {
		client, sent := w.stubbed(`{"Responses":{"` + c.answerItems + `":[` + jsonOf(t, sealedItem) + `],"` +
			c.answerOrders + `":[` + jsonOf(t, sealedOrder) + `],"` +
			plain + `":[` + jsonOf(t, item("p")) + `],"not a table":[{"x":{"S":"y"}}]},"UnprocessedKeys":{"` +
			c.answerItems + `":{"Keys":[{"id":{"S":"left"}}],"ProjectionExpression":"theirs"},"` + c.answerOrders +
			`":{"Keys":[{"customer":{"S":"bob"},"number":{"N":"2"}}]},"` +
			plain +
			`":{"Keys":[{"id":{"S":"left"}}],"ProjectionExpression":"theirs"},"not a table":{"Keys":[{"id":{"S":"left"}}],"ProjectionExpression":"theirs"}}}`)
		ofItems := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{aKey, {"id": s("left")}},
			ProjectionExpression:     aws.String("#n, secret"),
			ExpressionAttributeNames: map[string]string{"#n": "note"}, ConsistentRead: aws.Bool(true)}
		ofOrders := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{orderKey("ann", 1),
			orderKey("bob", 2)}}
		out, err := client.BatchGetItem(t.Context(),
			&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				c.asItems: ofItems, c.asOrders: ofOrders,
				plain: {Keys: []map[string]types.AttributeValue{{"id": s("p")}}}}})
		ok(t, err)
		same(t, "item", envelope.Item{"note": s("a note"), "secret": s(secret)}, out.Responses[c.answerItems][0])
		same(t, "order", order("ann", 1), out.Responses[c.answerOrders][0])
		same(t, "plain item", item("p"), out.Responses[plain][0])
		same(t, "item of an unknown table", envelope.Item{"x": s("y")}, out.Responses["not a table"][0])
		left := out.UnprocessedKeys[c.answerItems]
		if len(left.Keys) != 1 || left.ProjectionExpression != ofItems.ProjectionExpression ||
			len(left.ExpressionAttributeNames) != 1 || left.ConsistentRead == nil {
			t.Errorf("%+v: unprocessed items %+v", c, left)
		}
		same(t, "unprocessed key", envelope.Item{"id": s("left")}, left.Keys[0])
		left = out.UnprocessedKeys[c.answerOrders]
		if len(left.Keys) != 1 || left.ProjectionExpression != nil {
			t.Errorf("%+v: unprocessed orders %+v", c, left)
		}
		same(t, "unprocessed key", orderKey("bob", 2), left.Keys[0])
		for _, other := range []string{plain, "not a table"} {
			if left = out.UnprocessedKeys[other]; len(left.Keys) != 1 ||
				aws.ToString(left.ProjectionExpression) != "theirs" {
				t.Errorf("%+v: unprocessed %s %+v", c, other, left)
			}
		}
		if text := fmt.Sprint((*sent)[0]); strings.Contains(text, "#n") ||
			!strings.Contains(text, envelope.FooterAttribute) {
			t.Errorf("sent %s", text)
		}
	}
}

// TestUnsealableBatches: the error says which item of which table, and nothing of
// the batch is sent.
func TestUnsealableBatches(t *testing.T) {
	w := newWorld(t)
	bad := item("b")
	bad["nope"] = s(secret)
	calls := w.wire.calls.Load()
	_, err := w.client.BatchWriteItem(t.Context(),
		&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
			plain: {{PutRequest: &types.PutRequest{Item: item("p")}}},
			items: {{DeleteRequest: &types.DeleteRequest{Key: aKey}}, {PutRequest: &types.PutRequest{Item: item("a")}},
				{PutRequest: &types.PutRequest{Item: bad}}},
		}})
	var own *transparent.Error
	if !errors.Is(err, envelope.ErrInvalidItem) || !errors.As(err, &own) || own.Table != items ||
		!strings.Contains(err.Error(), "item 1 of the table: ") ||
		w.wire.calls.Load() != calls || errors.Is(err, store.ErrUncertain) {
		t.Error(err)
	}
}
