// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// same compares items as DynamoDB JSON.
func same(t testing.TB, what string, want, got envelope.Item) {
	t.Helper()
	a, err := ddbjson.Marshal(want)
	ok(t, err)
	b, err := ddbjson.Marshal(got)
	ok(t, err)
	if d := cmp.Diff(string(a), string(b)); d != "" {
		t.Errorf("%s: %s", what, d)
	}
}

// TestSingleItems: put, get, update and delete give plaintext and store
// ciphertext, by name and by ARN.
func TestSingleItems(t *testing.T) {
	for _, name := range []string{items, arn(items)} {
		w := newWorld(t)
		ctx := t.Context()
		key := envelope.Item{"id": s("a")}
		given := item("a")
		before := maps.Clone(given)
		_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: given})
		ok(t, err)
		same(t, "the caller's item", before, given)
		raw, err := w.raw.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(items), Key: key})
		ok(t, err)
		if raw.Item[envelope.FooterAttribute] == nil || strings.Contains(fmt.Sprint(raw.Item["secret"]), secret) ||
			strings.Contains(*w.wire.last.Load(), secret) {
			t.Fatal("stored in plaintext")
		}
		got, err := w.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &name, Key: key})
		ok(t, err)
		same(t, "get", given, got.Item)

		part, err := w.client.GetItem(ctx,
			&dynamodb.GetItemInput{TableName: &name, Key: key, ProjectionExpression: aws.String("#d.a, note"),
				ExpressionAttributeNames: map[string]string{"#d": "doc"}})
		ok(t, err)
		same(t, "projection", envelope.Item{"note": s("a note"),
			"doc": &types.AttributeValueMemberM{Value: envelope.Item{"a": s("b")}}}, part.Item)

		changed := item("a")
		changed["secret"] = s("another")
		old, err := w.client.PutItem(ctx,
			&dynamodb.PutItemInput{TableName: &name, Item: changed, ReturnValues: types.ReturnValueAllOld,
				ConditionExpression:       aws.String("ward = :w AND attribute_exists(secret)"),
				ExpressionAttributeValues: envelope.Item{":w": s("w")}})
		ok(t, err)
		same(t, "old value", given, old.Attributes)

		updated, err := w.client.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: &name, Key: key,
				UpdateExpression:          aws.String("SET note = :n ADD hits :one"),
				ExpressionAttributeValues: envelope.Item{":n": s("new"), ":one": n(1)},
				ReturnValues:              types.ReturnValueAllNew})
		ok(t, err)
		changed["note"], changed["hits"] = s("new"), n(1)
		same(t, "update", changed, updated.Attributes)
		some, err := w.client.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: &name, Key: key, UpdateExpression: aws.String("ADD hits :one"),
				ExpressionAttributeValues: envelope.Item{":one": n(1)}, ReturnValues: types.ReturnValueUpdatedNew})
		ok(t, err)
		same(t, "updated values", envelope.Item{"hits": n(2)}, some.Attributes)
		changed["hits"] = n(2)

		_, err = w.client.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: &name, Key: key, ConditionExpression: aws.String("ward <> :w"),
				ExpressionAttributeValues:           envelope.Item{":w": s("w")},
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			t.Fatal(err)
		}
		same(t, "failed condition", changed, failed.Item)
		gone, err := w.client.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: &name, Key: key, ReturnValues: types.ReturnValueAllOld})
		ok(t, err)
		same(t, "deleted", changed, gone.Attributes)
		none, err := w.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &name, Key: key})
		if err != nil || none.Item != nil {
			t.Errorf("absent item: %v, %v", none, err)
		}
	}
}

func TestPlainTablesPass(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(plain), Item: item("a")})
	ok(t, err)
	_, err = w.client.UpdateItem(ctx,
		&dynamodb.UpdateItemInput{TableName: aws.String(arn(plain)), Key: envelope.Item{"id": s("b")},
			UpdateExpression: aws.String("SET secret = :n"), ExpressionAttributeValues: envelope.Item{":n": s("x")}})
	ok(t, err)
	out, err := w.raw.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(plain)})
	if err != nil || len(out.Items) != 2 || w.keyring.encrypts.Load() != 0 {
		t.Fatalf("%v, %v", out, err)
	}
	if _, err := w.client.GetItem(ctx,
		&dynamodb.GetItemInput{TableName: aws.String("no table!"), Key: envelope.Item{"id": s("b")}}); !errors.Is(err,
		transparent.ErrTableName) {
		t.Error(err)
	}
	if _, err := w.client.GetItem(ctx, &dynamodb.GetItemInput{}); err == nil ||
		errors.Is(err, transparent.ErrTableName) {
		t.Errorf("a missing name is for the SDK's validation: %v", err)
	}
}

func TestRefused(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	calls := w.wire.calls.Load()
	name := aws.String(items)
	key := envelope.Item{"id": s("a")}
	value := envelope.Item{":v": s(secret)}
	set := func(u string) error {
		_, err := w.client.UpdateItem(ctx,
			&dynamodb.UpdateItemInput{TableName: name, Key: key, UpdateExpression: &u,
				ExpressionAttributeValues: value})
		return err
	}
	for what, c := range map[string]struct {
		is  error
		got error
	}{
		"PartiQL":                              {transparent.ErrRefused, second(w.client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String("SELECT * FROM plain")}))},
		"PartiQL batch":                        {transparent.ErrRefused, second(w.client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{}))},
		"PartiQL transaction":                  {transparent.ErrRefused, second(w.client.ExecuteTransaction(ctx, &dynamodb.ExecuteTransactionInput{}))},
		"vectors":                              {transparent.ErrRefused, second(w.client.SearchVectors(ctx, &dynamodb.SearchVectorsInput{}))},
		"bulk":                                 {transparent.ErrRefused, second(w.client.StartBulkPutItems(ctx, &dynamodb.StartBulkPutItemsInput{}))},
		"legacy get":                           {transparent.ErrRefused, second(w.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: key, AttributesToGet: []string{"id"}}))},
		"legacy update":                        {transparent.ErrRefused, second(w.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: name, Key: key, AttributeUpdates: map[string]types.AttributeValueUpdate{}}))},
		"legacy put":                           {transparent.ErrRefused, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item("a"), Expected: map[string]types.ExpectedAttributeValue{}}))},
		"legacy query":                         {transparent.ErrRefused, second(w.client.Query(ctx, &dynamodb.QueryInput{TableName: name, QueryFilter: map[string]types.Condition{}}))},
		"legacy key of an encrypted attribute": {store.ErrEncryptedAttribute, second(w.client.Query(ctx, &dynamodb.QueryInput{TableName: name, KeyConditions: map[string]types.Condition{"secret": {}}}))},
		"legacy scan":                          {transparent.ErrRefused, second(w.client.Scan(ctx, &dynamodb.ScanInput{TableName: name, ScanFilter: map[string]types.Condition{}}))},
		"filter":                               {store.ErrEncryptedAttribute, second(w.client.Scan(ctx, &dynamodb.ScanInput{TableName: name, FilterExpression: aws.String("doc.a = :v"), ExpressionAttributeValues: value}))},
		"key condition":                        {store.ErrEncryptedAttribute, second(w.client.Query(ctx, &dynamodb.QueryInput{TableName: name, IndexName: aws.String("i"), KeyConditionExpression: aws.String("secret = :v"), ExpressionAttributeValues: value}))},
		"condition":                            {store.ErrEncryptedAttribute, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item("a"), ConditionExpression: aws.String("ward = :v OR NOT contains(secret, :v)"), ExpressionAttributeValues: value}))},
		"unknown attribute":                    {envelope.ErrConfiguration, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item("a"), ConditionExpression: aws.String("nope = :v"), ExpressionAttributeValues: value}))},
		"syntax":                               {envelope.ErrConfiguration, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item("a"), ConditionExpression: aws.String("nope = "), ExpressionAttributeValues: value}))},
		"update of an encrypted attribute":     {store.ErrEncryptedAttribute, set("SET secret = :v")},
		"update of a signed attribute":         {store.ErrEncryptedAttribute, set("SET ward = :v")},
		"update from an encrypted attribute":   {store.ErrEncryptedAttribute, set("SET note = if_not_exists(secret, :v)")},
		"update of the header":                 {store.ErrEncryptedAttribute, set("SET aws_dbe_head = :v")},
		"item with an undeclared attribute":    {envelope.ErrInvalidItem, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: envelope.Item{"id": s("a"), "nope": s(secret)}}))},
		"too large":                            {store.ErrItemTooLarge, second(w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: envelope.Item{"id": s("a"), "secret": s(strings.Repeat(secret, 25<<10))}}))},
	} {
		var own *transparent.Error
		if !errors.Is(c.got, c.is) || !errors.As(c.got, &own) {
			t.Errorf("%s: %v", what, c.got)
		}
		if c.got != nil && strings.Contains(c.got.Error(), secret) {
			t.Errorf("%s: the error shows a value", what)
		}
	}
	if n := w.wire.calls.Load() - calls; n != 0 {
		t.Errorf("%d calls were made", n)
	}
}

func second[T any](_ T, err error) error { return err }

// guarantees: E4
func TestUpdateCreatesNothing(t *testing.T) {
	ctx := t.Context()
	for policy, seed := range map[envelope.PlaintextPolicy]bool{envelope.ForbidPlaintextWriteForbidPlaintextRead: false,
		envelope.ForbidPlaintextWriteAllowPlaintextRead: true} {
		w := newWorldWith(t, policy)
		in := &dynamodb.UpdateItemInput{TableName: aws.String(items), Key: envelope.Item{"id": s("a")},
			UpdateExpression:          aws.String("SET note = :v"),
			ExpressionAttributeValues: envelope.Item{":v": s("x")}}
		if _, err := w.client.UpdateItem(ctx, in); !errors.Is(err, transparent.ErrUpdateTarget) {
			t.Errorf("%v: absent item: %v", policy, err)
		}
		_, err := w.client.TransactWriteItems(ctx,
			&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Update: &types.Update{
				TableName: in.TableName, Key: in.Key, UpdateExpression: in.UpdateExpression,
				ExpressionAttributeValues: in.ExpressionAttributeValues}}}})
		if !errors.Is(err, transparent.ErrUpdateTarget) {
			t.Errorf("%v: absent item in a transaction: %v", policy, err)
		}
		// A plaintext item, as before a migration.
		_, err = w.raw.PutItem(ctx, &dynamodb.PutItemInput{TableName: in.TableName, Item: item("a")})
		ok(t, err)
		if _, err := w.client.UpdateItem(ctx, in); (err == nil) != seed || err != nil &&
			!errors.Is(err, transparent.ErrUpdateTarget) {
			t.Errorf("%v: plaintext item: %v", policy, err)
		}
		_, err = w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: in.TableName, Item: item("a")})
		ok(t, err)
		failing := *in
		failing.ConditionExpression = aws.String("note = :v OR note = :v")
		_, err = w.client.UpdateItem(ctx, &failing)
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) || errors.Is(err, transparent.ErrUpdateTarget) || failed.Item != nil {
			t.Errorf("%v: the caller's condition: %v", policy, err)
		}
		failing.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		if _, err = w.client.UpdateItem(ctx, &failing); !errors.As(err, &failed) {
			t.Fatal(err)
		}
		same(t, "the item of the caller's condition", item("a"), failed.Item)
	}
}

// TestSealedOncePerCall: the SDK's retries repeat the sealed item, and its logs
// show ciphertext.
func TestSealedOncePerCall(t *testing.T) {
	w := newWorld(t)
	var log bytes.Buffer
	config := w.config.Copy()
	config.ClientLogMode = aws.LogRequestWithBody | aws.LogResponseWithBody | aws.LogRetries
	config.Logger = logging.NewStandardLogger(&log)
	client := dynamodb.NewFromConfig(config, w.sealing.Install)
	w.faults(t, localaws.Fault{Kind: localaws.FaultThrottle, Operation: "PutItem", Count: 2})
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})
	ok(t, err)
	if got := w.keyring.encrypts.Load(); got != 1 {
		t.Errorf("sealed %d times", got)
	}
	out, err := client.GetItem(t.Context(),
		&dynamodb.GetItemInput{TableName: aws.String(items), Key: envelope.Item{"id": s("a")}})
	ok(t, err)
	same(t, "get", item("a"), out.Item)
	text := log.String()
	if strings.Count(text, "X-Amz-Target: DynamoDB_20120810.PutItem") != 3 {
		t.Errorf("the log has not three attempts")
	}
	if strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) {
		t.Error("the log shows plaintext")
	}
}

// TestFirstInInitialize: a middleware of the application's own, whichever end it
// was put at, sees the sealed item.
func TestFirstInInitialize(t *testing.T) {
	for _, at := range []middleware.RelativePosition{middleware.Before, middleware.After} {
		w := newWorld(t)
		seen := 0
		spy := func(o *dynamodb.Options) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Initialize.Add(middleware.InitializeMiddlewareFunc("spy",
					func(ctx context.Context, in middleware.InitializeInput,
						next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
						put := in.Parameters.(*dynamodb.PutItemInput)
						if _, sealed := put.Item["secret"].(*types.AttributeValueMemberB); sealed {
							seen++
						}
						return next.HandleInitialize(ctx, in)
					}), at)
			})
		}
		client := dynamodb.NewFromConfig(w.config, spy, w.sealing.Install)
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})
		ok(t, err)
		if seen != 1 {
			t.Errorf("position %v: the middleware saw plaintext", at)
		}
	}
}

func TestInstallation(t *testing.T) {
	w := newWorld(t)
	client := dynamodb.NewFromConfig(w.config, w.sealing.Install, w.sealing.Install)
	if _, err := client.ListTables(t.Context(), nil); !errors.Is(err, transparent.ErrInstalledTwice) {
		t.Error(err)
	}
	if _, err := w.client.ListTables(t.Context(), nil, w.sealing.Install); !errors.Is(err,
		transparent.ErrInstalledTwice) {
		t.Error(err)
	}
	for _, tables := range []map[string]*envelope.ItemEncryptor{nil, {"a": nil},
		{arn("a"): encryptor(t, w.keyring, "a", "id", "", 0)}} {
		if _, err := transparent.New(tables); !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%v: %v", tables, err)
		}
	}
}

// TestEmptiedOptions: the encryption is in APIOptions, as the package says.
// guarantees: E8
func TestEmptiedOptions(t *testing.T) {
	w := newWorld(t)
	put := func(change func(*dynamodb.Options)) bool {
		in := &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")}
		ok(t, second(w.client.PutItem(t.Context(), in, change)))
		return strings.Contains(*w.wire.last.Load(), secret)
	}
	if put(func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(*middleware.Stack) error { return nil })
	}) {
		t.Error("an option that appends removed the encryption")
	}
	if !put(func(o *dynamodb.Options) { o.APIOptions = nil }) {
		t.Error("an option that empties APIOptions did not remove the encryption: say so in the package's " +
			"documentation")
	}
}

// TestRecursion: a keyring whose key store lives behind the same client.
func TestRecursion(t *testing.T) {
	w := newWorld(t)
	w.keyring.during = func(ctx context.Context) error {
		_, err := w.client.GetItem(ctx,
			&dynamodb.GetItemInput{TableName: aws.String(plain), Key: envelope.Item{"id": s("k")}})
		return err
	}
	if _, err := w.client.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")}); !errors.Is(err,
		transparent.ErrRecursion) {
		t.Error(err)
	}
	w.keyring.during = func(ctx context.Context) error {
		_, err := w.raw.GetItem(ctx,
			&dynamodb.GetItemInput{TableName: aws.String(plain), Key: envelope.Item{"id": s("k")}})
		return err
	}
	_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(items), Item: item("a")})
	ok(t, err)
}
