package transparent_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
)

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
