package transparent_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
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
