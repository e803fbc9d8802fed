package transparent_test

import (
	"errors"
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

func (w *world) fill(t testing.TB, count int) {
	t.Helper()
	for i := range count {
		_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(orders), Item: order("ann", i)})
		ok(t, err)
	}
}

// guarantees: E5, E9
func TestPages(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.fill(t, 10)
	query := dynamodb.NewQueryPaginator(w.client, &dynamodb.QueryInput{TableName: aws.String(arn(orders)), Limit: aws.Int32(3),
		KeyConditionExpression: aws.String("customer = :c"), ExpressionAttributeValues: envelope.Item{":c": s("ann")}})
	next := 0
	for query.HasMorePages() {
		page, err := query.NextPage(ctx)
		ok(t, err)
		for _, got := range page.Items {
			same(t, "query", order("ann", next), got)
			next++
		}
	}
	if next != 10 {
		t.Errorf("%d items", next)
	}
	scan := dynamodb.NewScanPaginator(w.client, &dynamodb.ScanInput{TableName: aws.String(orders), Limit: aws.Int32(4),
		FilterExpression: aws.String("#w = :w"), ProjectionExpression: aws.String("secret, #w, #n"),
		ExpressionAttributeNames: map[string]string{"#w": "ward", "#n": "note"}, ExpressionAttributeValues: envelope.Item{":w": s("w1")}})
	found := 0
	for scan.HasMorePages() {
		page, err := scan.NextPage(ctx)
		ok(t, err)
		for _, got := range page.Items {
			same(t, "scan", envelope.Item{"secret": s(secret), "ward": s("w1"), "note": s("a note")}, got)
			found++
		}
	}
	if found != 5 {
		t.Errorf("%d items", found)
	}
	byIndex := func(index string) (*dynamodb.QueryOutput, error) {
		return w.client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(orders), IndexName: &index,
			KeyConditionExpression: aws.String("ward = :w"), ExpressionAttributeValues: envelope.Item{":w": s("w0")}})
	}
	if out, err := byIndex("wards"); err != nil || len(out.Items) != 5 {
		t.Errorf("index: %v", err)
	}
	if _, err := byIndex("keys"); !errors.Is(err, store.ErrPartialItem) {
		t.Errorf("index of keys only: %v", err)
	}
	count, err := w.client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(orders), Select: types.SelectCount,
		KeyConditionExpression: aws.String("customer = :c"), ExpressionAttributeValues: envelope.Item{":c": s("ann")}})
	if err != nil || count.Count != 10 {
		t.Errorf("count: %v", err)
	}

	_, err = w.raw.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(orders), Key: orderKey("ann", 3),
		UpdateExpression: aws.String("SET ward = :w"), ExpressionAttributeValues: envelope.Item{":w": s("forged")}})
	ok(t, err)
	_, err = w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(orders)})
	if !errors.Is(err, envelope.ErrTampered) || strings.Contains(err.Error(), "forged") {
		t.Errorf("a tampered page: %v", err)
	}
	_, err = w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(orders), Item: order("ann", 3), ReturnValues: types.ReturnValueAllOld})
	if !errors.Is(err, envelope.ErrTampered) || !errors.Is(err, transparent.ErrReturnedItem) {
		t.Errorf("a tampered old item: %v", err)
	}
	_, err = w.client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(orders)})
	ok(t, err)
}

func TestBatches(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	requests := map[string][]types.WriteRequest{arn(orders): {}, plain: {{PutRequest: &types.PutRequest{Item: item("p")}}}}
	for i := range 8 {
		requests[arn(orders)] = append(requests[arn(orders)], types.WriteRequest{PutRequest: &types.PutRequest{Item: order("ann", i)}})
	}
	requests[arn(orders)] = append(requests[arn(orders)], types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: orderKey("bob", 1)}})
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

	ask := types.KeysAndAttributes{ProjectionExpression: aws.String("#s"), ExpressionAttributeNames: map[string]string{"#s": "secret"}}
	for i := range 8 {
		ask.Keys = append(ask.Keys, orderKey("ann", i))
	}
	w.faults(t, localaws.Fault{Kind: localaws.FaultUnprocessed, Operation: "BatchGetItem", Skip: 4})
	got, err := w.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{orders: ask}})
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

func TestTransactions(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	put := func(table string, i envelope.Item) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: &table, Item: i}}
	}
	write := func(ops ...types.TransactWriteItem) error {
		_, err := w.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: ops})
		return err
	}
	ok(t, write(put(items, item("a")), put(arn(orders), order("ann", 1)), put(plain, item("p"))))
	get := func(table string, key envelope.Item) types.TransactGetItem {
		return types.TransactGetItem{Get: &types.Get{TableName: &table, Key: key}}
	}
	part := get(items, envelope.Item{"id": s("a")})
	part.Get.ProjectionExpression = aws.String("secret")
	out, err := w.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		get(plain, envelope.Item{"id": s("p")}), get(arn(orders), orderKey("ann", 1)), get(items, envelope.Item{"id": s("none")}), part}})
	ok(t, err)
	same(t, "plain", item("p"), out.Responses[0].Item)
	same(t, "by ARN", order("ann", 1), out.Responses[1].Item)
	if out.Responses[2].Item != nil {
		t.Error("an absent item")
	}
	same(t, "projection", envelope.Item{"secret": s(secret)}, out.Responses[3].Item)

	all := types.ReturnValuesOnConditionCheckFailureAllOld
	absent := aws.String("attribute_not_exists(ward)")
	err = write(
		types.TransactWriteItem{Update: &types.Update{TableName: aws.String(items), Key: envelope.Item{"id": s("a")}, UpdateExpression: aws.String("SET note = :n"),
			ConditionExpression: aws.String("note = :n"), ExpressionAttributeValues: envelope.Item{":n": s("x")}}},
		types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String(orders), Key: orderKey("ann", 1), ConditionExpression: absent, ReturnValuesOnConditionCheckFailure: all}},
		types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: aws.String(plain), Key: envelope.Item{"id": s("p")}, ConditionExpression: absent, ReturnValuesOnConditionCheckFailure: all}},
	)
	var c *types.TransactionCanceledException
	if !errors.As(err, &c) || len(c.CancellationReasons) != 3 || errors.Is(err, transparent.ErrUpdateTarget) {
		t.Fatal(err)
	}
	if c.CancellationReasons[0].Item != nil {
		t.Error("the update did not ask for its item")
	}
	same(t, "reason 1", order("ann", 1), c.CancellationReasons[1].Item)
	same(t, "reason 2", item("p"), c.CancellationReasons[2].Item)
	for _, op := range []types.TransactWriteItem{
		{Update: &types.Update{TableName: aws.String(items), Key: envelope.Item{"id": s("a")}, UpdateExpression: aws.String("SET secret = :n"), ExpressionAttributeValues: envelope.Item{":n": s("x")}}},
		{Delete: &types.Delete{TableName: aws.String(arn(items)), Key: envelope.Item{"id": s("a")}, ConditionExpression: aws.String("secret = :n"), ExpressionAttributeValues: envelope.Item{":n": s("x")}}},
	} {
		if err := write(op); !errors.Is(err, store.ErrEncryptedAttribute) {
			t.Error(err)
		}
	}
	ok(t, write(types.TransactWriteItem{Update: &types.Update{TableName: aws.String(items), Key: envelope.Item{"id": s("a")}, UpdateExpression: aws.String("SET note = :n"), ExpressionAttributeValues: envelope.Item{":n": s("x")}}}))
}
