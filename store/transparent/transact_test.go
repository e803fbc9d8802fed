// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// TestUnions: of a struct that must have one member, a second one would leave
// unsealed.
func TestUnions(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	calls := w.wire.calls.Load()
	refused := func(what string, err error) {
		t.Helper()
		var own *transparent.Error
		if !errors.Is(err, transparent.ErrRefused) || !errors.As(err, &own) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, table := range []string{items, plain} {
		for set := range 1 << 4 {
			var op types.TransactWriteItem
			if set&1 != 0 {
				op.Put = &types.Put{TableName: aws.String(items), Item: item("a")}
			}
			if set&2 != 0 {
				op.Delete = &types.Delete{TableName: &table, Key: aKey}
			}
			if set&4 != 0 {
				op.Update = &types.Update{TableName: &table, Key: aKey, UpdateExpression: aws.String("SET secret = :s"),
					ExpressionAttributeValues: envelope.Item{":s": s(secret)}}
			}
			if set&8 != 0 {
				op.ConditionCheck = &types.ConditionCheck{TableName: &table, Key: aKey,
					ConditionExpression: aws.String("attribute_exists(id)")}
			}
			if set&(set-1) == 0 && set != 0 {
				continue // one member
			}
			first := types.TransactWriteItem{Put: &types.Put{TableName: aws.String(plain), Item: item("p")}}
			err := transact(ctx, w.client, nil, first, op)
			refused(fmt.Sprintf("members %04b on %s", set, table), err)
			if err != nil && !strings.Contains(err.Error(), "operation 1") {
				t.Errorf("the error does not say where: %v", err)
			}
		}
	}
	for what, r := range map[string]types.WriteRequest{
		"no member":   {},
		"two members": {PutRequest: &types.PutRequest{Item: item("a")}, DeleteRequest: &types.DeleteRequest{Key: item("b")}},
	} {
		_, err := w.client.BatchWriteItem(ctx,
			&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{arn(items): {r}}})
		refused(what, err)
	}
	if n := w.wire.calls.Load() - calls; n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

// TestKeysAreChecked: a whole item given as a key would leave in plaintext.
func TestKeysAreChecked(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	calls := w.wire.calls.Load()
	name := aws.String(items)
	update := aws.String("REMOVE note")
	exists := aws.String("attribute_exists(id)")
	write := func(op types.TransactWriteItem) error { return transact(ctx, w.client, nil, op) }
	for key, want := range map[string]error{"secret": store.ErrEncryptedAttribute, "nope": envelope.ErrConfiguration} {
		key := envelope.Item{"id": s("a"), key: s(secret)}
		keys := []map[string]types.AttributeValue{aKey, key}
		requests := []types.WriteRequest{{DeleteRequest: &types.DeleteRequest{Key: key}}}
		get := types.TransactGetItem{Get: &types.Get{TableName: name, Key: key}}
		query := &dynamodb.QueryInput{TableName: name, KeyConditionExpression: aws.String("id = :i"),
			ExpressionAttributeValues: envelope.Item{":i": s("a")}, ExclusiveStartKey: key}
		for what, err := range map[string]error{
			"GetItem": second(w.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: key})),
			"UpdateItem": second(w.client.UpdateItem(ctx,
				&dynamodb.UpdateItemInput{TableName: name, Key: key, UpdateExpression: update})),
			"DeleteItem": second(w.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: name, Key: key})),
			"Query":      second(w.client.Query(ctx, query)),
			"Scan":       second(w.client.Scan(ctx, &dynamodb.ScanInput{TableName: name, ExclusiveStartKey: key})),
			"BatchGetItem": second(w.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
				RequestItems: map[string]types.KeysAndAttributes{items: {Keys: keys}}})),
			"BatchWriteItem": second(w.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{items: requests}})),
			"TransactGetItems": second(w.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
				TransactItems: []types.TransactGetItem{get}})),
			"Update": write(types.TransactWriteItem{Update: &types.Update{TableName: name, Key: key,
				UpdateExpression: update}}),
			"Delete": write(types.TransactWriteItem{Delete: &types.Delete{TableName: name, Key: key}}),
			"ConditionCheck": write(types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: name,
				Key: key, ConditionExpression: exists}}),
		} {
			var own *transparent.Error
			if !errors.Is(err, want) || !errors.As(err, &own) || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
	}
	if n := w.wire.calls.Load() - calls; n != 0 {
		t.Errorf("%d calls were made", n)
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
		get(plain, envelope.Item{"id": s("p")}), get(arn(orders), orderKey("ann", 1)),
		get(items, envelope.Item{"id": s("none")}), part}})
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
		types.TransactWriteItem{Update: &types.Update{TableName: aws.String(items), Key: envelope.Item{"id": s("a")},
			UpdateExpression:    aws.String("SET note = :n"),
			ConditionExpression: aws.String("note = :n"), ExpressionAttributeValues: envelope.Item{":n": s("x")}}},
		types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String(orders), Key: orderKey("ann", 1),
			ConditionExpression: absent, ReturnValuesOnConditionCheckFailure: all}},
		types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: aws.String(plain),
			Key: envelope.Item{"id": s("p")}, ConditionExpression: absent, ReturnValuesOnConditionCheckFailure: all}},
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
	ok(t, write(types.TransactWriteItem{Update: &types.Update{TableName: aws.String(items),
		Key: envelope.Item{"id": s("a")}, UpdateExpression: aws.String("SET note = :n"),
		ExpressionAttributeValues: envelope.Item{":n": s("x")}}}))
}

// TestTransactionReads: an answer must have a response to each operation, and the
// error says which item does not open.
func TestTransactionReads(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	sealed := jsonOf(t, w.sealed(t, items, item("a")))
	get := func(table string) types.TransactGetItem {
		return types.TransactGetItem{Get: &types.Get{TableName: &table, Key: aKey}}
	}
	for body, fits := range map[string]bool{
		`{}`:               false,
		`{"Responses":[]}`: false,
		`{"Responses":[{"Item":` + sealed + `}]}`:          false,
		`{"Responses":[{"Item":` + sealed + `},{}]}`:       true,
		`{"Responses":[{"Item":` + sealed + `},{},{}]}`:    false,
		`{"Responses":[{},{}]}`:                            true,
		`{"Responses":[{"Item":{}},{"Item":{}}]}`:          true,
		`{"Responses":[{"Item":` + sealed + `},{},{},{}]}`: false,
	} {
		client, _ := w.stubbed(body)
		out, err := client.TransactGetItems(ctx,
			&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{get(items), get(plain)}})
		var own *transparent.Error
		if (err == nil) != fits || err != nil &&
			(!errors.As(err, &own) || !strings.Contains(err.Error(), "responses to 2 operations") || out != nil) {
			t.Errorf("%.80s: %v", body, err)
		}
		if fits && len(out.Responses[0].Item) > 0 {
			same(t, "item", item("a"), out.Responses[0].Item)
		}
	}
}

// TestCancellationReasons: each reason has its item in plaintext if the caller
// asked for it, and only updates are told that they met no item.
func TestCancellationReasons(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	put := func(id string) {
		ok(t, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: item(id)})))
	}
	put("a")
	put("b")
	all, none := types.ReturnValuesOnConditionCheckFailureAllOld, types.ReturnValuesOnConditionCheckFailureNone
	never, absent := aws.String("attribute_exists(hits)"), aws.String("attribute_exists(note)")
	key := func(id string) envelope.Item { return envelope.Item{"id": s(id)} }
	name, remove := aws.String(items), aws.String("REMOVE note")
	ops := map[string]func(id string, condition *string,
		returns types.ReturnValuesOnConditionCheckFailure) types.TransactWriteItem{
		"Put": func(id string, condition *string,
			returns types.ReturnValuesOnConditionCheckFailure) types.TransactWriteItem {
			return types.TransactWriteItem{Put: &types.Put{TableName: name, Item: item(id),
				ConditionExpression: condition, ReturnValuesOnConditionCheckFailure: returns}}
		},
		"Delete": func(id string, condition *string,
			returns types.ReturnValuesOnConditionCheckFailure) types.TransactWriteItem {
			return types.TransactWriteItem{Delete: &types.Delete{TableName: name, Key: key(id),
				ConditionExpression: condition, ReturnValuesOnConditionCheckFailure: returns}}
		},
		"ConditionCheck": func(id string, condition *string,
			returns types.ReturnValuesOnConditionCheckFailure) types.TransactWriteItem {
			return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: name, Key: key(id),
				ConditionExpression: condition, ReturnValuesOnConditionCheckFailure: returns}}
		},
		"Update": func(id string, condition *string,
			returns types.ReturnValuesOnConditionCheckFailure) types.TransactWriteItem {
			return types.TransactWriteItem{Update: &types.Update{TableName: name, Key: key(id),
				UpdateExpression: remove, ConditionExpression: condition, ReturnValuesOnConditionCheckFailure: returns}}
		},
	}
	reasonsOf := func(err error) []types.CancellationReason {
		t.Helper()
		var cancelled *types.TransactionCanceledException
		if !errors.As(err, &cancelled) || errors.Is(err, store.ErrUncertain) {
			t.Fatal(err)
		}
		return cancelled.CancellationReasons
	}
	passing := ops["Update"]("b", aws.String("attribute_exists(note)"), none) // its reason is None
	for kind, op := range ops {
		for _, returns := range []types.ReturnValuesOnConditionCheckFailure{"", none, all} {
			err := transact(ctx, w.client, nil, passing, op("a", never, returns))
			if errors.Is(err, transparent.ErrUpdateTarget) {
				t.Errorf("%s of an item: %v", kind, err)
			}
			reasons := reasonsOf(err)
			if strings.Contains(err.Error(), "item of operation") {
				t.Errorf("%s: the error is about an item that opens: %v", kind, err)
			}
			if len(reasons) != 2 || *reasons[0].Code != "None" || reasons[0].Item != nil ||
				*reasons[1].Code != "ConditionalCheckFailed" {
				t.Fatalf("%s: %+v", kind, reasons)
			}
			if returns == all {
				same(t, kind+" returns its item", item("a"), reasons[1].Item)
			} else if reasons[1].Item != nil {
				t.Errorf("%s returns an item that was not asked for", kind)
			}
			// No item is there.
			err = transact(ctx, w.client, nil, op("none", absent, returns), passing)
			if errors.Is(err, transparent.ErrUpdateTarget) != (kind == "Update") || kind == "Update" &&
				!strings.Contains(err.Error(), "operation 0") {
				t.Errorf("%s of no item: %v", kind, err)
			}
			for _, r := range reasonsOf(err) {
				if r.Item != nil {
					t.Errorf("%s of no item returns one", kind)
				}
			}
		}
		// An item that does not open.
		put("c")
		w.forge(t, items, key("c"))
		err := transact(ctx, w.client, nil, passing, op("c", never, all))
		reasons := reasonsOf(err)
		if !errors.Is(err, envelope.ErrTampered) || !strings.Contains(err.Error(), "item of operation 1") ||
			reasons[1].Item != nil || strings.Contains(err.Error(), "forged") {
			t.Errorf("%s of a changed item: %v", kind, err)
		}
		err = transact(ctx, w.client, nil, passing, op("c", never, none))
		if reasons = reasonsOf(err); errors.Is(err, envelope.ErrTampered) || reasons[1].Item != nil {
			t.Errorf("%s of a changed item that was not asked for: %v", kind, err)
		}
	}
	// A plaintext item is none for an update, and does not come back.
	ok(t, second(w.raw.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item("plain")})))
	for _, returns := range []types.ReturnValuesOnConditionCheckFailure{none, all} {
		err := transact(ctx, w.client, nil, ops["Update"]("plain", nil, returns))
		if reasons := reasonsOf(err); !errors.Is(err, transparent.ErrUpdateTarget) || reasons[0].Item != nil {
			t.Errorf("an update of a plaintext item: %v", err)
		}
	}
	var own *transparent.Error
	update := &dynamodb.UpdateItemInput{TableName: name, Key: key("plain"), UpdateExpression: remove,
		ReturnValuesOnConditionCheckFailure: all}
	var failed *types.ConditionalCheckFailedException
	if _, err := w.client.UpdateItem(ctx, update); !errors.Is(err, transparent.ErrUpdateTarget) ||
		!errors.As(err, &own) || !errors.As(err, &failed) || failed.Item != nil {
		t.Errorf("an update of a plaintext item: %v", err)
	}
}

// TestForeignReasons: reasons that do not fit the request are left alone.
func TestForeignReasons(t *testing.T) {
	w := newWorld(t)
	config := w.config.Copy()
	config.HTTPClient = httpFunc(func(*http.Request) (*http.Response, error) {
		return answered(http.StatusBadRequest,
			`{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[`+
				`{},{"Code":"TransactionConflict"},{"Code":"ConditionalCheckFailed","Item":{"id":{"S":"p"}}},{"Code":"ConditionalCheckFailed","Item":{"id":{"S":"x"}}},{}]}`), nil
	})
	update := types.TransactWriteItem{Update: &types.Update{TableName: aws.String(items), Key: aKey,
		UpdateExpression: aws.String("REMOVE note")}}
	err := transact(t.Context(), dynamodb.NewFromConfig(config, w.sealing.Install), nil, update, update,
		types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String(plain), Key: aKey}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || errors.Is(err, transparent.ErrUpdateTarget) ||
		len(cancelled.CancellationReasons) != 5 {
		t.Fatal(err)
	}
	for i, id := range map[int]string{2: "p", 3: "x"} {
		same(t, "item", envelope.Item{"id": s(id)}, cancelled.CancellationReasons[i].Item)
	}
}

// TestErrorsOfOperations: an error names the operation of the transaction, and its
// table as the only one.
func TestErrorsOfOperations(t *testing.T) {
	w := newWorld(t)
	bad := item("a")
	bad["nope"] = s(secret)
	first := types.TransactWriteItem{Put: &types.Put{TableName: aws.String(plain), Item: item("p")}}
	err := transact(t.Context(), w.client, nil, first,
		types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String(arn(orders)), Key: bad}})
	var own *transparent.Error
	if !errors.As(err, &own) || own.Table != orders || own.Operation != "TransactWriteItems" ||
		strings.Count(err.Error(), "transparent encryption") != 1 ||
		!strings.Contains(err.Error(), "operation 1: ") {
		t.Errorf("%v: %+v", err, own)
	}
	err = transact(t.Context(), w.client, nil, first, types.TransactWriteItem{})
	if !errors.As(err, &own) || own.Table != "" ||
		!strings.Contains(err.Error(), "transparent encryption: TransactWriteItems: operation 1: ") {
		t.Errorf("%v: %+v", err, own)
	}
}
