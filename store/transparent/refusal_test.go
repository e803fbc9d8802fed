// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// request has what every operation on one item takes, by the name of its table.
type request struct {
	table                 string
	item                  envelope.Item // of the operations that put one
	names                 map[string]string
	values                envelope.Item
	condition, projection *string // where the operation has one
}

// operations are all operations on items, those inside of transactions apart.
var operations = map[string]func(context.Context, *dynamodb.Client, request) error{
	"GetItem": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return second(c.GetItem(ctx,
			&dynamodb.GetItemInput{TableName: &r.table, Key: aKey, ProjectionExpression: r.projection,
				ExpressionAttributeNames: r.names}))
	},
	"PutItem": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return second(c.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: &r.table, Item: r.item, ConditionExpression: r.condition,
				ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values}))
	},
	"DeleteItem": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return second(c.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: &r.table, Key: aKey, ConditionExpression: r.condition,
				ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values}))
	},
	"UpdateItem": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return second(c.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: &r.table, Key: aKey, UpdateExpression: aws.String("REMOVE note"),
				ConditionExpression: r.condition, ExpressionAttributeNames: r.names,
				ExpressionAttributeValues: r.values}))
	},
	"Query": func(ctx context.Context, c *dynamodb.Client, r request) error {
		in := &dynamodb.QueryInput{TableName: &r.table,
			KeyConditions: map[string]types.Condition{"id": {ComparisonOperator: types.ComparisonOperatorEq,
				AttributeValueList: []types.AttributeValue{s("a")}}}, ProjectionExpression: r.projection,
			FilterExpression:         r.condition,
			ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values}
		// legacy and new parameters do not mix
		if r.condition != nil || r.projection != nil || r.names != nil || r.values != nil {
			in.KeyConditions, in.KeyConditionExpression = nil, aws.String("id = :id")
			in.ExpressionAttributeValues = envelope.Item{":id": s("a")}
			for name, v := range r.values {
				in.ExpressionAttributeValues[name] = v
			}
		}
		return second(c.Query(ctx, in))
	},
	"Scan": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return second(c.Scan(ctx,
			&dynamodb.ScanInput{TableName: &r.table, ProjectionExpression: r.projection, FilterExpression: r.condition,
				ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values}))
	},
	"BatchGetItem": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return second(c.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			r.table: {Keys: []map[string]types.AttributeValue{aKey}, ProjectionExpression: r.projection,
				ExpressionAttributeNames: r.names}}}))
	},
	"BatchWriteItem": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return second(c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
			r.table: {{PutRequest: &types.PutRequest{Item: r.item}}}}}))
	},
	"TransactGetItems": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return second(c.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: &r.table, Key: aKey, ProjectionExpression: r.projection,
				ExpressionAttributeNames: r.names}}}}))
	},
	"Put": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return transact(ctx, c, nil,
			types.TransactWriteItem{Put: &types.Put{TableName: &r.table, Item: r.item, ConditionExpression: r.condition,
				ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values}})
	},
	"Put under a token": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return transact(ctx, c, aws.String(rand.Text()),
			types.TransactWriteItem{Put: &types.Put{TableName: &r.table, Item: r.item, ConditionExpression: r.condition,
				ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values}})
	},
	"Delete": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return transact(ctx, c, nil,
			types.TransactWriteItem{Delete: &types.Delete{TableName: &r.table, Key: aKey,
				ConditionExpression:      r.condition,
				ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values}})
	},
	"ConditionCheck": func(ctx context.Context, c *dynamodb.Client, r request) error {
		if r.condition == nil {
			r.condition = aws.String("attribute_exists(id)")
		}
		return transact(ctx, c, nil,
			types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: &r.table, Key: aKey,
				ConditionExpression: r.condition, ExpressionAttributeNames: r.names,
				ExpressionAttributeValues: r.values}})
	},
	"Update": func(ctx context.Context, c *dynamodb.Client, r request) error {
		return transact(ctx, c, nil,
			types.TransactWriteItem{Update: &types.Update{TableName: &r.table, Key: aKey,
				UpdateExpression:    aws.String("REMOVE note"),
				ConditionExpression: r.condition, ExpressionAttributeNames: r.names,
				ExpressionAttributeValues: r.values}})
	},
}

// The operations that put an item, that take a projection, and that take a
// condition or filter.
var (
	putting     = []string{"PutItem", "BatchWriteItem", "Put", "Put under a token"}
	projecting  = []string{"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"}
	conditional = []string{"PutItem", "DeleteItem", "UpdateItem", "Query", "Scan", "Put", "Put under a token", "Delete",
		"ConditionCheck", "Update"}
)

// TestRefusedEverywhere: what is refused is refused by each operation that can
// have it, and before any call.
func TestRefusedEverywhere(t *testing.T) {
	w := newWorld(t)
	bad := aws.String("id = = :v")
	undeclared := item("a")
	undeclared["nope"] = s(secret)
	all := make([]string, 0, len(operations))
	for name := range operations {
		all = append(all, name)
	}
	long := map[string]string{"#n": strings.Repeat("n", 65536)}
	calls := w.wire.calls.Load()
	for what, c := range map[string]struct {
		of      []string
		request request
		is      error
	}{
		"name that is none":          {all, request{table: "no table!"}, transparent.ErrTableName},
		"ARN of an index":            {all, request{table: arn(items) + "/index/x"}, transparent.ErrTableName},
		"undeclared attribute":       {putting, request{item: undeclared}, envelope.ErrInvalidItem},
		"item without its key":       {putting, request{item: envelope.Item{"secret": s(secret)}}, envelope.ErrInvalidItem},
		"item over the limit":        {putting, request{item: envelope.Item{"id": s("a"), "secret": s(strings.Repeat("s", 400<<10))}}, store.ErrItemTooLarge},
		"syntax of a condition":      {conditional, request{condition: bad, values: envelope.Item{":v": s("a")}}, envelope.ErrConfiguration},
		"empty condition":            {conditional, request{condition: aws.String("")}, envelope.ErrConfiguration},
		"condition with a bad name":  {conditional, request{condition: aws.String("#n = :v"), names: map[string]string{"n": "ward"}, values: envelope.Item{":v": s("a")}}, envelope.ErrConfiguration},
		"condition with a bad value": {conditional, request{condition: aws.String("ward = :v"), values: envelope.Item{"v": s("a")}}, envelope.ErrConfiguration},
		"condition, long name":       {conditional, request{condition: aws.String("#n = #n"), names: long}, envelope.ErrConfiguration},
		"encrypted attribute":        {conditional, request{condition: aws.String("secret = :v"), values: envelope.Item{":v": s("a")}}, store.ErrEncryptedAttribute},
		"syntax of a projection":     {projecting, request{projection: aws.String("id,,ward")}, envelope.ErrConfiguration},
		"empty projection":           {projecting, request{projection: aws.String("")}, envelope.ErrConfiguration},
		"projection with a bad name": {projecting, request{projection: aws.String("#n"), names: map[string]string{"n": "ward"}}, envelope.ErrConfiguration},
		"bad name":                   {projecting, request{names: map[string]string{"n": "ward"}}, envelope.ErrConfiguration},
		"empty name":                 {projecting, request{names: map[string]string{"#n": ""}}, envelope.ErrConfiguration},
	} {
		for _, name := range c.of {
			r := c.request
			if r.table == "" {
				r.table = items
			}
			if r.item == nil {
				r.item = item("a")
			}
			err := operations[name](t.Context(), w.client, r)
			var own *transparent.Error
			if !errors.Is(err, c.is) || !errors.As(err, &own) || strings.Contains(err.Error(), secret) {
				t.Errorf("%s, %s: %v", name, what, err)
				continue
			}
			if want := items; c.is != transparent.ErrTableName &&
				(own.Table != want || !strings.Contains(err.Error(), " on "+want+": ")) {
				t.Errorf("%s, %s: the error is about table %q: %v", name, what, own.Table, err)
			}
		}
	}
	var own *transparent.Error
	if err := second(w.client.Query(t.Context(),
		&dynamodb.QueryInput{TableName: aws.String(items), KeyConditions: map[string]types.Condition{"id": {}},
			ExpressionAttributeNames: map[string]string{"n": "ward"}})); !errors.Is(err, envelope.ErrConfiguration) ||
		!errors.As(err, &own) {
		t.Errorf("Query by legacy conditions, bad name: %v", err)
	}
	for _, condition := range []string{"", "id = ", "id = :v OR id = :v", "attribute_exists(id)", "#n = :v"} {
		if err := second(w.client.Query(t.Context(),
			&dynamodb.QueryInput{TableName: aws.String(items), KeyConditionExpression: &condition,
				ExpressionAttributeValues: envelope.Item{":v": s("a")}})); !errors.Is(err, envelope.ErrConfiguration) ||
			!errors.As(err, &own) {
			t.Errorf("Query by %q: %v", condition, err)
		}
	}
	if n := w.wire.calls.Load() - calls; n != 0 {
		t.Errorf("%d calls were made", n)
	}
	if n := w.sealing.Tokens(); n != 0 {
		t.Errorf("%d transactions are remembered", n)
	}
}

// TestPlainTablesPassEverything: on a table without encryption each operation is
// DynamoDB's alone, with its answers and its errors.
func TestPlainTablesPassEverything(t *testing.T) {
	w := newWorld(t)
	for name, call := range operations {
		for _, table := range []string{plain, arn(plain)} {
			ok(t, second(w.raw.PutItem(t.Context(),
				&dynamodb.PutItemInput{TableName: aws.String(plain), Item: item("a")})))
			r := request{table: table, item: envelope.Item{"id": s("a"), "nope": s(secret)}}
			if slices.Contains(conditional, name) {
				r.condition, r.values = aws.String("secret = :v OR attribute_exists(wrong)"),
					envelope.Item{":v": s(secret)}
			}
			if slices.Contains(projecting, name) {
				r.projection = aws.String("secret, wrong")
			}
			if err := call(t.Context(), w.client, r); err != nil {
				t.Errorf("%s on %s: %v", name, table, err)
			}
			var own *transparent.Error
			r.projection, r.condition, r.values = nil, aws.String("secret = "), nil
			if slices.Contains(projecting, name) {
				r.projection = aws.String("secret,,")
			}
			var api smithy.APIError
			if err := call(t.Context(), w.client, r); name != "BatchWriteItem" &&
				(!errors.As(err, &api) || errors.As(err, &own)) {
				t.Errorf("%s with a wrong expression: %v", name, err)
			}
		}
	}
	if w.keyring.encrypts.Load() != 0 {
		t.Error("something was sealed")
	}
}

// TestServiceErrors: an error of the service comes through each operation, and
// nothing else does.
func TestServiceErrors(t *testing.T) {
	w := newWorld(t)
	client, l := w.on()
	for name, call := range operations {
		for _, table := range []string{items, plain} {
			l.fates = []fate{throttle, throttle, throttle}
			err := call(t.Context(), client, request{table: table, item: item("a")})
			var throttled *types.ProvisionedThroughputExceededException
			if !errors.As(err, &throttled) || errors.Is(err, store.ErrUncertain) {
				t.Errorf("%s on %s: %v", name, table, err)
			}
		}
	}
	w.faults(t, localaws.Fault{Kind: localaws.FaultThrottle, Rate: 1})
	for name, call := range operations {
		var own *transparent.Error
		if err := call(t.Context(), w.client, request{table: items, item: item("a")}); err == nil ||
			errors.As(err, &own) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMissingParameters: what is missing is for the SDK's validation, before any
// call.
func TestMissingParameters(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	calls := w.wire.calls.Load()
	name := aws.String(items)
	for what, err := range map[string]error{
		"PutItem without item":  second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name})),
		"PutItem without table": second(w.client.PutItem(ctx, &dynamodb.PutItemInput{Item: item("a")})),
		"UpdateItem without key": second(w.client.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: name})),
		"Query without table":       second(w.client.Query(ctx, &dynamodb.QueryInput{})),
		"Scan without table":        second(w.client.Scan(ctx, &dynamodb.ScanInput{})),
		"BatchWriteItem of nothing": second(w.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{})),
		"BatchGetItem of nothing":   second(w.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{})),
		"TransactGetItems of nothing": second(w.client.TransactGetItems(ctx,
			&dynamodb.TransactGetItemsInput{})),
		"TransactWriteItems of nothing":    transact(ctx, w.client, nil),
		"TransactWriteItems under a token": transact(ctx, w.client, aws.String("token")),
		"TransactGetItems without an item": second(w.client.TransactGetItems(ctx,
			&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{}}})),
		"TransactGetItems without table": second(w.client.TransactGetItems(ctx,
			&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{Key: aKey}}}})),
		"Put without item": transact(ctx, w.client, nil,
			types.TransactWriteItem{Put: &types.Put{TableName: name}}),
		"Put without item, under a token": transact(ctx, w.client, aws.String("token"),
			types.TransactWriteItem{Put: &types.Put{TableName: name}}),
		"BatchWriteItem of a put of nothing": second(w.client.BatchWriteItem(ctx,
			batchOf(types.WriteRequest{PutRequest: &types.PutRequest{}}))),
		"BatchWriteItem, one of two nothing": second(w.client.BatchWriteItem(ctx,
			batchOf(types.WriteRequest{PutRequest: &types.PutRequest{Item: item("a")}},
				types.WriteRequest{PutRequest: &types.PutRequest{}}))),
		"BatchWriteItem of a delete, no key": second(w.client.BatchWriteItem(ctx,
			batchOf(types.WriteRequest{DeleteRequest: &types.DeleteRequest{}}))),
		"BatchGetItem without keys": second(w.client.BatchGetItem(ctx,
			&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{items: {}}})),
		"UpdateItem of a plain table, no key": second(w.client.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: aws.String(plain)})),
	} {
		var invalid smithy.InvalidParamsError
		var own *transparent.Error
		if !errors.As(err, &invalid) || errors.As(err, &own) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := w.wire.calls.Load() - calls; n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func batchOf(requests ...types.WriteRequest) *dynamodb.BatchWriteItemInput {
	return &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{items: requests}}
}

// TestEmptyExpressionMaps: an empty map of names or values, and names without an
// expression, are DynamoDB's to refuse.
func TestEmptyExpressionMaps(t *testing.T) {
	w := newWorld(t)
	ok(t, second(w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})))
	refused := func(what string, err error) {
		t.Helper()
		var api smithy.APIError
		var own *transparent.Error
		if !errors.As(err, &api) || api.ErrorCode() != "ValidationException" || errors.As(err, &own) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for name, call := range operations {
		r := request{table: items, item: item("a"), names: map[string]string{}}
		if slices.Contains(projecting, name) {
			r.projection = aws.String("secret")
		} else if slices.Contains(conditional, name) {
			r.condition = aws.String("attribute_exists(id)")
		}
		// a projection is rewritten with names of its own
		if slices.Contains(conditional, name) && !slices.Contains(projecting, name) {
			refused(name+", no names", call(t.Context(), w.client, r))
			r.names, r.values = nil, envelope.Item{}
			refused(name+", no values", call(t.Context(), w.client, r))
		}
	}
	for _, name := range []string{"PutItem", "DeleteItem"} {
		r := request{table: items, item: item("a"), names: map[string]string{"n": "ward"}}
		refused(name+", names without an expression", operations[name](t.Context(), w.client, r))
		r.names, r.values = nil, envelope.Item{"v": s("a")}
		refused(name+", values without an expression", operations[name](t.Context(), w.client, r))
	}
}

// TestLegacyParameters: each legacy parameter of each operation is refused on an
// encrypted table, and is DynamoDB's on another.
func TestLegacyParameters(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	none, expected := []string{}, map[string]types.ExpectedAttributeValue{}
	condition, and := map[string]types.Condition{}, types.ConditionalOperatorAnd
	for _, table := range []string{items, plain} {
		calls := w.wire.calls.Load()
		name := &table
		all := map[string]error{
			"GetItem AttributesToGet": second(w.client.GetItem(ctx,
				&dynamodb.GetItemInput{TableName: name, Key: aKey, AttributesToGet: none})),
			"BatchGetItem AttributesToGet": second(w.client.BatchGetItem(ctx,
				&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
					table: {Keys: []map[string]types.AttributeValue{aKey}, AttributesToGet: none}}})),
			"Query AttributesToGet": second(w.client.Query(ctx,
				&dynamodb.QueryInput{TableName: name, AttributesToGet: none})),
			"Query QueryFilter": second(w.client.Query(ctx,
				&dynamodb.QueryInput{TableName: name, QueryFilter: condition})),
			"Query ConditionalOperator": second(w.client.Query(ctx,
				&dynamodb.QueryInput{TableName: name, ConditionalOperator: and})),
			"Scan AttributesToGet": second(w.client.Scan(ctx,
				&dynamodb.ScanInput{TableName: name, AttributesToGet: none})),
			"Scan ScanFilter": second(w.client.Scan(ctx,
				&dynamodb.ScanInput{TableName: name, ScanFilter: condition})),
			"Scan ConditionalOperator": second(w.client.Scan(ctx,
				&dynamodb.ScanInput{TableName: name, ConditionalOperator: and})),
			"PutItem Expected": second(w.client.PutItem(ctx,
				&dynamodb.PutItemInput{TableName: name, Item: item("a"), Expected: expected})),
			"PutItem ConditionalOperator": second(w.client.PutItem(ctx,
				&dynamodb.PutItemInput{TableName: name, Item: item("a"), ConditionalOperator: and})),
			"DeleteItem Expected": second(w.client.DeleteItem(ctx,
				&dynamodb.DeleteItemInput{TableName: name, Key: aKey, Expected: expected})),
			"DeleteItem ConditionalOperator": second(w.client.DeleteItem(ctx,
				&dynamodb.DeleteItemInput{TableName: name, Key: aKey, ConditionalOperator: and})),
			"UpdateItem Expected": second(w.client.UpdateItem(ctx,
				&dynamodb.UpdateItemInput{TableName: name, Key: aKey, Expected: expected})),
			"UpdateItem ConditionalOperator": second(w.client.UpdateItem(ctx,
				&dynamodb.UpdateItemInput{TableName: name, Key: aKey, ConditionalOperator: and})),
			"UpdateItem AttributeUpdates": second(w.client.UpdateItem(ctx,
				&dynamodb.UpdateItemInput{TableName: name, Key: aKey,
					AttributeUpdates: map[string]types.AttributeValueUpdate{}})),
		}
		for what, err := range all {
			_, parameter, _ := strings.Cut(what, " ")
			if table == plain {
				if errors.Is(err, transparent.ErrRefused) {
					t.Errorf("%s on a plain table: %v", what, err)
				}
			} else if !errors.Is(err, transparent.ErrRefused) || !strings.Contains(err.Error(), parameter) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n := w.wire.calls.Load() - calls; table == items && n != 0 || table == plain && n < int64(len(all)) {
			t.Errorf("%d calls were made on %s", n, table)
		}
	}
}
