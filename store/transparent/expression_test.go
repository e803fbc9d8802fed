// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// TestUndeclaredNames: a condition on a misspelt attribute, which no item has,
// would hold or fail always: attribute_not_exists would overwrite.
func TestUndeclaredNames(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	ok(t, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})))
	calls := w.wire.calls.Load()
	name := aws.String(items)
	remove := aws.String("REMOVE note")
	write := func(op types.TransactWriteItem) error { return transact(ctx, w.client, nil, op) }
	for _, text := range []string{
		"attribute_not_exists(wrd)", "attribute_exists(#w)", "attribute_exists(wrd.a)",
		"attribute_exists(id) OR NOT attribute_exists(wrd)",
		"attribute_not_exists(aws_dbe_b_ward)", "size(wrd) < size(ward)",
	} {
		var names map[string]string
		if text == "attribute_exists(#w)" {
			names = map[string]string{"#w": "wrd"}
		}
		for what, err := range map[string]error{
			"PutItem": second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item("a"),
				ConditionExpression: &text, ExpressionAttributeNames: names})),
			"DeleteItem": second(w.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: name, Key: aKey,
				ConditionExpression: &text, ExpressionAttributeNames: names})),
			"UpdateItem": second(w.client.UpdateItem(ctx,
				&dynamodb.UpdateItemInput{TableName: name, Key: aKey, UpdateExpression: remove,
					ConditionExpression: &text, ExpressionAttributeNames: names})),
			"Scan": second(w.client.Scan(ctx,
				&dynamodb.ScanInput{TableName: name, FilterExpression: &text, ExpressionAttributeNames: names})),
			"Put": write(types.TransactWriteItem{Put: &types.Put{TableName: name, Item: item("a"),
				ConditionExpression: &text, ExpressionAttributeNames: names}}),
			"Delete": write(types.TransactWriteItem{Delete: &types.Delete{TableName: name, Key: aKey,
				ConditionExpression: &text, ExpressionAttributeNames: names}}),
			"ConditionCheck": write(types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: name,
				Key:                 aKey,
				ConditionExpression: &text, ExpressionAttributeNames: names}}),
			"Update": write(types.TransactWriteItem{Update: &types.Update{TableName: name, Key: aKey,
				UpdateExpression:    remove,
				ConditionExpression: &text, ExpressionAttributeNames: names}}),
		} {
			if !errors.Is(err, envelope.ErrConfiguration) {
				t.Errorf("%s with %s: %v", what, text, err)
			}
		}
	}
	if n := w.wire.calls.Load() - calls; n != 0 {
		t.Errorf("%d calls were made", n)
	}
	for _, text := range []string{"attribute_exists(secret) AND attribute_exists(ward)",
		"attribute_exists(aws_dbe_head) AND attribute_exists(aws_dbe_foot)"} {
		ok(t, second(w.client.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: name, Item: item("a"), ConditionExpression: &text})))
	}
}
