// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// TestUnreadableItems: an item that does not open is an error of every read, no
// part of it is returned, and a write that returns it says that it is done.
func TestUnreadableItems(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	name := aws.String(items)
	fill := func() {
		ok(t, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item("a")})))
		w.forge(t, items, aKey)
	}
	hit := aws.String("ADD hits :one")
	for what, call := range map[string]func() (any, error){
		"GetItem": func() (any, error) {
			out, err := w.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: aKey})
			return out, err
		},
		"GetItem of a part": func() (any, error) {
			out, err := w.client.GetItem(ctx,
				&dynamodb.GetItemInput{TableName: name, Key: aKey, ProjectionExpression: aws.String("note")})
			return out, err
		},
		"Query": func() (any, error) {
			out, err := w.client.Query(ctx,
				&dynamodb.QueryInput{TableName: name, KeyConditionExpression: aws.String("id = :i"),
					ExpressionAttributeValues: envelope.Item{":i": s("a")}})
			return out, err
		},
		"Scan": func() (any, error) {
			out, err := w.client.Scan(ctx, &dynamodb.ScanInput{TableName: name})
			return out, err
		},
		"BatchGetItem": func() (any, error) {
			out, err := w.client.BatchGetItem(ctx,
				&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{items: {
					Keys: []map[string]types.AttributeValue{aKey}}}})
			return out, err
		},
		"TransactGetItems": func() (any, error) {
			out, err := w.client.TransactGetItems(ctx,
				&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: name,
					Key: aKey}}}})
			return out, err
		},
		"returned by PutItem": func() (any, error) {
			out, err := w.client.PutItem(ctx,
				&dynamodb.PutItemInput{TableName: name, Item: item("a"), ReturnValues: types.ReturnValueAllOld})
			return out, err
		},
		"returned by DeleteItem": func() (any, error) {
			out, err := w.client.DeleteItem(ctx,
				&dynamodb.DeleteItemInput{TableName: name, Key: aKey, ReturnValues: types.ReturnValueAllOld})
			return out, err
		},
		"returned by UpdateItem, old": func() (any, error) {
			out, err := w.client.UpdateItem(ctx,
				&dynamodb.UpdateItemInput{TableName: name, Key: aKey, UpdateExpression: hit,
					ExpressionAttributeValues: added, ReturnValues: types.ReturnValueAllOld})
			return out, err
		},
		"returned by UpdateItem, new": func() (any, error) {
			out, err := w.client.UpdateItem(ctx,
				&dynamodb.UpdateItemInput{TableName: name, Key: aKey, UpdateExpression: hit,
					ExpressionAttributeValues: added, ReturnValues: types.ReturnValueAllNew})
			return out, err
		},
	} {
		fill()
		out, err := call()
		var own *transparent.Error
		if !errors.Is(err, envelope.ErrTampered) || errors.Is(err, store.ErrPartialItem) || !errors.As(err, &own) ||
			own.Table != items || strings.Contains(err.Error(), "forged") {
			t.Errorf("%s: %v", what, err)
		}
		if errors.Is(err, transparent.ErrReturnedItem) != strings.HasPrefix(what, "returned") {
			t.Errorf("%s: %v", what, err)
		}
		if text := fmt.Sprint(out); text != "<nil>" {
			t.Errorf("%s returns %s", what, text)
		}
	}
	// The item inside of a failed condition.
	fill()
	never, all := aws.String("attribute_not_exists(id)"), types.ReturnValuesOnConditionCheckFailureAllOld
	for what, err := range map[string]error{
		"PutItem": second(w.client.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: name, Item: item("a"), ConditionExpression: never,
				ReturnValuesOnConditionCheckFailure: all})),
		"DeleteItem": second(w.client.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: name, Key: aKey, ConditionExpression: never,
				ReturnValuesOnConditionCheckFailure: all})),
		"UpdateItem": second(w.client.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: name, Key: aKey, ConditionExpression: never,
				UpdateExpression: hit, ExpressionAttributeValues: added, ReturnValuesOnConditionCheckFailure: all})),
	} {
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) || !errors.Is(err, envelope.ErrTampered) || failed.Item != nil {
			t.Errorf("%s under a condition: %v", what, err)
		}
	}
	// Without asking for the item there is nothing to open.
	for what, err := range map[string]error{
		"PutItem": second(w.client.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: name, Item: item("a"), ConditionExpression: never})),
		"DeleteItem": second(w.client.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: name, Key: aKey, ConditionExpression: never})),
		"UpdateItem": second(w.client.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: name, Key: aKey, ConditionExpression: never,
				UpdateExpression: hit, ExpressionAttributeValues: added})),
	} {
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) || errors.Is(err, envelope.ErrTampered) || failed.Item != nil {
			t.Errorf("%s under a condition, without its item: %v", what, err)
		}
	}
}

// TestItemOfAFailedCondition: the caller gets the item in plaintext if it asked
// for it, and DynamoDB is asked for it only where a condition can fail.
func TestItemOfAFailedCondition(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	ok(t, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})))
	in := dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a"),
		ConditionExpression: aws.String("ward = :w"), ExpressionAttributeValues: envelope.Item{":w": s("x")}}
	var failed *types.ConditionalCheckFailedException
	if _, err := w.client.PutItem(ctx, &in); !errors.As(err, &failed) || failed.Item != nil {
		t.Errorf("not asked for: %v", err)
	}
	in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	if _, err := w.client.PutItem(ctx, &in); !errors.As(err, &failed) || strings.Contains(err.Error(), "its item") {
		t.Fatal(err)
	}
	same(t, "item of a failed put", item("a"), failed.Item)

	client, sent := w.stubbed("{}")
	const parameter = "ReturnValuesOnConditionCheckFailure"
	ok(t, second(client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})))
	in.ReturnValuesOnConditionCheckFailure = ""
	ok(t, second(client.PutItem(ctx, &in)))
	if without, with := (*sent)[0][parameter], (*sent)[1][parameter]; without != nil || with != "ALL_OLD" {
		t.Errorf("asked for %v without a condition, %v with one", without, with)
	}
}

// TestAbsentItems: what is not there stays absent, with a projection too.
func TestAbsentItems(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, projection := range []*string{nil, aws.String("secret"), aws.String("doc.a, note")} {
		got, err := w.client.GetItem(ctx,
			&dynamodb.GetItemInput{TableName: aws.String(items), Key: aKey, ProjectionExpression: projection})
		if err != nil || got.Item != nil {
			t.Errorf("GetItem: %v, %v", got, err)
		}
		get := types.TransactGetItem{Get: &types.Get{TableName: aws.String(items), Key: aKey,
			ProjectionExpression: projection}}
		all, err := w.client.TransactGetItems(ctx,
			&dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{get}})
		if err != nil || len(all.Responses) != 1 || all.Responses[0].Item != nil {
			t.Errorf("TransactGetItems: %v, %v", all, err)
		}
	}
	old, err := w.client.PutItem(ctx,
		&dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a"), ReturnValues: types.ReturnValueAllOld})
	if err != nil || old.Attributes != nil {
		t.Errorf("PutItem: %v, %v", old, err)
	}
	gone, err := w.client.DeleteItem(ctx,
		&dynamodb.DeleteItemInput{TableName: aws.String(items), Key: envelope.Item{"id": s("b")},
			ReturnValues: types.ReturnValueAllOld})
	if err != nil || gone.Attributes != nil {
		t.Errorf("DeleteItem: %v, %v", gone, err)
	}
}

// TestPartialItems tells items that came incomplete from items that were changed
// and from items that are not encrypted.
func TestPartialItems(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	whole := w.sealed(t, orders, order("ann", 1))
	without := func(names ...string) envelope.Item {
		i := maps.Clone(whole)
		for _, n := range names {
			delete(i, n)
		}
		return i
	}
	changed := func(name, value string) envelope.Item {
		i := maps.Clone(whole)
		i[name] = s(value)
		return i
	}
	const head, foot = envelope.HeaderAttribute, envelope.FooterAttribute
	garbled := maps.Clone(whole)
	garbled[head] = &types.AttributeValueMemberB{Value: []byte("not a header")}
	forged := without("note")
	forged["ward"] = s("x")
	swapped := without("note")
	swapped["hits"] = n(7)
	swapped["ward"] = s("x")
	for what, c := range map[string]struct {
		stored             envelope.Item
		opens              bool
		partial, onIndex   bool // store.ErrPartialItem, from the table and from an index
		tampered, unsealed bool
	}{
		"whole":                                 {stored: whole, opens: true},
		"without an unsigned attribute":         {stored: without("note"), opens: true},
		"without a signed attribute":            {stored: without("ward"), partial: true, onIndex: true},
		"without an encrypted attribute":        {stored: without("secret"), partial: true, onIndex: true},
		"without signed and unsigned":           {stored: without("ward", "note"), partial: true, onIndex: true},
		"without the footer":                    {stored: without(foot), partial: true, onIndex: true},
		"without the header":                    {stored: without(head), partial: true, onIndex: true},
		"without header and footer":             {stored: without(head, foot), onIndex: true, unsealed: true},
		"keys":                                  {stored: without(head, foot, "secret", "note"), onIndex: true, unsealed: true},
		"a header that cannot be read":          {stored: garbled},
		"a changed attribute":                   {stored: changed("ward", "x"), tampered: true},
		"a changed attribute, no unsigned":      {stored: forged, tampered: true},
		"a changed attribute, another unsigned": {stored: swapped, tampered: true},
	} {
		text := jsonOf(t, c.stored)
		client, _ := w.stubbed(`{"Item":` + text + `,"Items":[` + text +
			`],"Count":1,"ScannedCount":1,"Responses":[{"Item":` + text + `}]}`)
		query := func(index *string) error {
			return second(client.Query(ctx, &dynamodb.QueryInput{TableName: aws.String(orders), IndexName: index,
				KeyConditionExpression:    aws.String("ward = :w"),
				ExpressionAttributeValues: envelope.Item{":w": s("w1")}}))
		}
		scan := func(index *string) error {
			return second(client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(orders), IndexName: index}))
		}
		batch := func() error {
			client, _ := w.stubbed(`{"Responses":{"` + orders + `":[` + text + `]}}`)
			return second(client.BatchGetItem(ctx,
				&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
					orders: {Keys: []map[string]types.AttributeValue{orderKey("ann", 1)}}}}))
		}
		index := aws.String("wards")
		get := types.TransactGetItem{Get: &types.Get{TableName: aws.String(orders), Key: orderKey("ann", 1)}}
		for how, got := range map[string]struct {
			err     error
			partial bool
		}{
			"GetItem":           {second(client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(orders), Key: orderKey("ann", 1)})), c.partial},
			"TransactGetItems":  {second(client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{get}})), c.partial},
			"BatchGetItem":      {batch(), c.partial},
			"Query":             {query(nil), c.partial},
			"Scan":              {scan(nil), c.partial},
			"Query of an index": {query(index), c.onIndex},
			"Scan of an index":  {scan(index), c.onIndex},
		} {
			if (got.err == nil) != c.opens || errors.Is(got.err, store.ErrPartialItem) != got.partial {
				t.Errorf("%s, %s: %v", what, how, got.err)
			}
			if c.tampered && !errors.Is(got.err, envelope.ErrTampered) || c.unsealed &&
				!errors.Is(got.err, envelope.ErrNotEncrypted) {
				t.Errorf("%s, %s: %v", what, how, got.err)
			}
		}
	}
}

// TestItemSizes: an item is as large as DynamoDB allows, and not a byte larger,
// whichever operation puts it.
func TestItemSizes(t *testing.T) {
	w := newWorld(t)
	sized := func(n int) envelope.Item {
		i := item("a")
		i["note"] = s(strings.Repeat("n", n))
		return i
	}
	// The unsigned note is stored as it is, so that the size of the rest stays.
	rest := ddbjson.ItemSize(w.sealed(t, items, sized(1))) - 1
	const limit = 400 << 10
	for _, name := range putting {
		ok(t, operations[name](t.Context(), w.client, request{table: items, item: sized(limit - rest)}))
		calls := w.wire.calls.Load()
		err := operations[name](t.Context(), w.client, request{table: items, item: sized(limit - rest + 1)})
		var size *store.SizeError
		if !errors.As(err, &size) || !errors.Is(err, store.ErrItemTooLarge) || w.wire.calls.Load() != calls {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if size.Stored != limit+1 || size.Plain != ddbjson.ItemSize(sized(limit-rest+1)) || size.Table != items {
			t.Errorf("%s: %+v", name, size)
		}
	}
}

// TestPlaintextPolicy: while plaintext is written, nothing tells the item of a
// lost attempt, so a put whose old item may be its own is uncertain, and updates
// create items as without this package.
func TestPlaintextPolicy(t *testing.T) {
	w := newWorldWith(t, envelope.ForcePlaintextWriteAllowPlaintextRead)
	ctx := t.Context()
	client, l := w.on()
	put := func(old bool) (*dynamodb.PutItemOutput, error) {
		in := &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")}
		if old {
			in.ReturnValues = types.ReturnValueAllOld
		}
		return client.PutItem(ctx, in)
	}
	ok(t, second(put(false)))
	out, err := put(true)
	ok(t, err)
	same(t, "old item", item("a"), out.Attributes)
	l.fates = []fate{lose, pass}
	if out, err := put(false); err != nil || out.Attributes != nil {
		t.Errorf("without the old item: %v", err)
	}
	l.fates = []fate{lose, pass}
	if _, err := put(true); !errors.Is(err, store.ErrUncertain) {
		t.Errorf("with the old item: %v", err)
	}

	never, all := aws.String("attribute_exists(hits)"), types.ReturnValuesOnConditionCheckFailureAllOld
	update := dynamodb.UpdateItemInput{TableName: aws.String(items), Key: envelope.Item{"id": s("b")},
		UpdateExpression:          aws.String("SET note = :n"),
		ExpressionAttributeValues: envelope.Item{":n": s("x")}}
	inTransaction := func(in dynamodb.UpdateItemInput) error {
		return transact(ctx, w.client, nil,
			types.TransactWriteItem{Update: &types.Update{TableName: in.TableName, Key: in.Key,
				UpdateExpression:    in.UpdateExpression,
				ConditionExpression: in.ConditionExpression, ExpressionAttributeValues: in.ExpressionAttributeValues,
				ReturnValuesOnConditionCheckFailure: in.ReturnValuesOnConditionCheckFailure}})
	}
	failing := update
	failing.ConditionExpression = never
	var failed *types.ConditionalCheckFailedException
	if _, err := w.client.UpdateItem(ctx, &failing); !errors.As(err, &failed) ||
		errors.Is(err, transparent.ErrUpdateTarget) {
		t.Errorf("a condition on an absent item: %v", err)
	}
	var cancelled *types.TransactionCanceledException
	if err := inTransaction(failing); !errors.As(err, &cancelled) || errors.Is(err, transparent.ErrUpdateTarget) {
		t.Errorf("a condition on an absent item, in a transaction: %v", err)
	}
	ok(t, second(w.client.UpdateItem(ctx, &update)))
	update.Key = envelope.Item{"id": s("c")}
	ok(t, inTransaction(update))
	if got := len(w.rawItems(t, items)); got != 3 {
		t.Errorf("%d items", got)
	}
	// The item of a failed condition comes if the caller asks for it.
	failing.ReturnValuesOnConditionCheckFailure = all
	if _, err := w.client.UpdateItem(ctx, &failing); !errors.As(err, &failed) || failed.Item["note"] == nil {
		t.Errorf("the item of a failed condition: %v", err)
	}
	if err := inTransaction(failing); !errors.As(err, &cancelled) ||
		cancelled.CancellationReasons[0].Item["note"] == nil {
		t.Errorf("the item of a failed condition, in a transaction: %v", err)
	}
	stub, sent := w.stubbed("{}")
	ok(t, second(stub.UpdateItem(ctx, &update)))
	ok(t, transact(ctx, stub, nil,
		types.TransactWriteItem{Update: &types.Update{TableName: update.TableName, Key: update.Key,
			UpdateExpression: update.UpdateExpression, ExpressionAttributeValues: update.ExpressionAttributeValues}}))
	for _, r := range *sent {
		if strings.Contains(fmt.Sprint(r), "ConditionCheckFailure") ||
			strings.Contains(fmt.Sprint(r), "ConditionExpression") {
			t.Errorf("a condition was added: %v", r)
		}
	}
}
