// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// putUnder puts an item in a transaction under a token.
func putUnder(t testing.TB, client *dynamodb.Client, token, id string) error {
	return transact(t.Context(), client, &token,
		types.TransactWriteItem{Put: &types.Put{TableName: aws.String(items), Item: item(id)}})
}

// sentUnder is putUnder and returns what was sent.
func (w *world) sentUnder(t testing.TB, token, id string) string {
	t.Helper()
	ok(t, putUnder(t, w.client, token, id))
	var body any // maps come in any order
	ok(t, json.Unmarshal([]byte(*w.wire.last.Load()), &body))
	text, err := json.Marshal(body)
	ok(t, err)
	return string(text)
}

// TestClientRequestToken: the caller's own repetition of a transaction is the
// same to DynamoDB. Answers are stubbed: what counts is what is sent.
// guarantees: E7
func TestClientRequestToken(t *testing.T) {
	w := newWorld(t)
	w.wire.stub = true
	first := w.sentUnder(t, "token", "a")
	if again := w.sentUnder(t, "token", "a"); again != first || w.keyring.encrypts.Load() != 1 {
		t.Errorf("a repetition is another request; sealed %d times", w.keyring.encrypts.Load())
	}
	other := w.sentUnder(t, "token", "b")
	if other == first || w.sentUnder(t, "token", "b") != other {
		t.Error("another transaction under the token is not sealed once for itself")
	}
	if w.sentUnder(t, "other token", "a") == first {
		t.Error("another token got the same seal")
	}
	if again := w.sentUnder(t, "token", "a"); again != first {
		t.Error("the first transaction was forgotten")
	}
	w.sealing.Advance(10 * time.Minute)
	if later := w.sentUnder(t, "token", "a"); later == first {
		t.Error("a token was kept for longer than DynamoDB keeps it")
	}
}

// TestTokensMakeRoom: beyond the bound the oldest goes, and one whose answer did
// not come goes last. TestGureguDynamo goes beyond the real bound.
// guarantees: E10
func TestTokensMakeRoom(t *testing.T) {
	w := newWorld(t)
	w.sealing.LimitTokens(8)
	w.wire.stub = true
	w.wire.last.Store(nil)
	client, l := w.on()
	l.HTTPClient = w.wire
	l.fates = []fate{lose, lose, lose}
	if err := putUnder(t, client, "unclear", "a"); !errors.Is(err, store.ErrUncertain) {
		t.Fatal(err)
	}
	var body any
	ok(t, json.Unmarshal([]byte(*w.wire.last.Load()), &body))
	unclear, err := json.Marshal(body)
	ok(t, err)
	first, second := w.sentUnder(t, "first", "a"), w.sentUnder(t, "second", "a")
	for i := range 6 {
		w.sentUnder(t, fmt.Sprint("token-", i), "c")
	}
	if w.sentUnder(t, "second", "a") != second {
		t.Error("the second token was forgotten too early")
	}
	if w.sentUnder(t, "first", "a") == first {
		t.Error("the oldest token was not forgotten")
	}
	for i := range 20 {
		w.sentUnder(t, fmt.Sprint("later-", i), "c")
	}
	if w.sentUnder(t, "unclear", "a") != string(unclear) {
		t.Error("an unclear transaction was forgotten before those that are done")
	}
}

// TestTokenOutcomes: what a repetition under a token is after each outcome.
// guarantees: E7
func TestTokenOutcomes(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	var mismatch *types.IdempotentParameterMismatchException
	stored := func(id string) envelope.Item {
		out, err := w.raw.GetItem(ctx,
			&dynamodb.GetItemInput{TableName: aws.String(items), Key: envelope.Item{"id": s(id)}})
		ok(t, err)
		return out.Item
	}
	sealed := func(want int64, what string) {
		t.Helper()
		if got := w.keyring.encrypts.Swap(0); got != want {
			t.Errorf("%s: sealed %d times, want %d", what, got, want)
		}
	}

	w.faults(t, localaws.Fault{Kind: localaws.FaultTransactionConflict, Count: 1})
	var cancelled *types.TransactionCanceledException
	if err := putUnder(t, w.client, "cancelled", "a"); !errors.As(err, &cancelled) {
		t.Fatal(err)
	}
	if n := w.sealing.Tokens(); n != 0 {
		t.Errorf("a cancelled transaction left %d entries", n)
	}
	ok(t, putUnder(t, w.client, "cancelled", "a"))
	sealed(2, "cancelled")

	client, l := w.on()
	l.fates = []fate{throttle, throttle, throttle}
	if err := putUnder(t, client, "throttled", "b"); err == nil || errors.Is(err, store.ErrUncertain) {
		t.Fatal(err)
	}
	if n := w.sealing.Tokens(); n != 1 {
		t.Errorf("%d entries: a transaction that was refused left one", n)
	}
	w.keyring.encrypts.Store(0)

	l.fates = []fate{lose, lose, lose}
	if err := putUnder(t, client, "unclear", "c"); !errors.Is(err, store.ErrUncertain) {
		t.Fatal(err)
	}
	was := stored("c")
	ok(t, putUnder(t, w.client, "unclear", "c"))
	same(t, "after the repetition", was, stored("c"))
	sealed(1, "unclear")
	// A refusal of a repetition says nothing about the first call.
	l.fates = []fate{lose, throttle, throttle, throttle, throttle, throttle}
	for range 2 {
		if err := putUnder(t, client, "unclear, then refused", "d"); err == nil {
			t.Fatal("not refused")
		}
	}
	ok(t, putUnder(t, w.client, "unclear, then refused", "d"))
	sealed(1, "unclear, then refused")

	// Another process, and another transaction.
	elsewhere, err := transparent.New(map[string]*envelope.ItemEncryptor{items: encryptor(t, w.keyring, "items", "id",
		"", 0)})
	ok(t, err)
	other := dynamodb.NewFromConfig(w.config, elsewhere.Install)
	was = stored("c")
	if err := putUnder(t, other, "unclear", "c"); !errors.Is(err, transparent.ErrTokenMismatch) ||
		!errors.As(err, &mismatch) {
		t.Errorf("another process: %v", err)
	}
	if err := putUnder(t, w.client, "unclear", "z"); !errors.Is(err, transparent.ErrTokenMismatch) ||
		stored("z") != nil {
		t.Errorf("another transaction: %v", err)
	}
	same(t, "after the mismatches", was, stored("c"))
	// On a table without encryption the error is DynamoDB's.
	write := func(id string) error {
		return transact(ctx, w.client, aws.String("plain"),
			types.TransactWriteItem{Put: &types.Put{TableName: aws.String(plain), Item: item(id)}})
	}
	ok(t, write("a"))
	if err := write("b"); !errors.As(err, &mismatch) || errors.Is(err, transparent.ErrTokenMismatch) {
		t.Errorf("plain table: %v", err)
	}
}

// TestTokensKeepNothingOfTheCaller: what the caller does to its maps and values
// after a call changes nothing of what is sent again.
func TestTokensKeepNothingOfTheCaller(t *testing.T) {
	w := newWorld(t)
	w.wire.stub = true
	write := func() (sent any, in *dynamodb.TransactWriteItemsInput) {
		in = &dynamodb.TransactWriteItemsInput{ClientRequestToken: aws.String("token"),
			TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: aws.String(items), Item: item("a"), ConditionExpression: aws.String("ward = :w"), ExpressionAttributeValues: envelope.Item{":w": s("w")}}},
				{Update: &types.Update{TableName: aws.String(items), Key: envelope.Item{"id": s("b")}, UpdateExpression: aws.String("SET note = :n"), ExpressionAttributeValues: envelope.Item{":n": s("x")}}},
			}}
		_, err := w.client.TransactWriteItems(t.Context(), in)
		ok(t, err)
		ok(t, json.Unmarshal([]byte(*w.wire.last.Load()), &sent))
		return sent, in
	}
	first, in := write()
	put, update := in.TransactItems[0].Put, in.TransactItems[1].Update
	put.Item["ward"].(*types.AttributeValueMemberS).Value = "other"
	put.ExpressionAttributeValues[":w"] = s("other")
	update.ExpressionAttributeValues[":n"] = s("other")
	update.Key["id"] = s("other")
	if again, _ := write(); !reflect.DeepEqual(again, first) {
		t.Errorf("sent first %v, again %v", first, again)
	}
}

// TestTokenOfAnotherSecret: under a known token, and for the same keys, another
// request is sealed for itself: the old ciphertext is not sent in place of a new
// value. The repetition of either is what was sent before.
func TestTokenOfAnotherSecret(t *testing.T) {
	w := newWorld(t)
	w.wire.stub = true
	type request struct {
		TransactItems []struct {
			Put struct{ Item map[string]map[string]any }
		}
	}
	send := func(change func(a, b *types.Put)) (sent string, secrets [2]any) {
		puts := []*types.Put{{TableName: aws.String(items), Item: item("a")},
			{TableName: aws.String(orders), Item: order("ann", 1)}}
		change(puts[0], puts[1])
		ok(t, transact(t.Context(), w.client, aws.String("token"), types.TransactWriteItem{Put: puts[0]},
			types.TransactWriteItem{Put: puts[1]}))
		var body request
		ok(t, json.Unmarshal([]byte(*w.wire.last.Load()), &body))
		for i, op := range body.TransactItems {
			if op.Put.Item["secret"]["S"] != nil || op.Put.Item["secret"]["B"] == nil ||
				op.Put.Item[envelope.FooterAttribute] == nil {
				t.Fatalf("sent in plaintext: %s", *w.wire.last.Load())
			}
			secrets[i] = op.Put.Item["secret"]["B"]
		}
		text, err := json.Marshal(body)
		ok(t, err)
		return string(text), secrets
	}
	known := map[any]string{}
	for what, change := range map[string]func(a, b *types.Put){
		"nothing":            func(_, _ *types.Put) {},
		"first secret":       func(a, _ *types.Put) { a.Item["secret"] = s("another secret txt") },
		"second secret":      func(_, b *types.Put) { b.Item["secret"] = s("another secret txt") },
		"signed attribute":   func(a, _ *types.Put) { a.Item["ward"] = s("v") },
		"unsigned attribute": func(a, _ *types.Put) { a.Item["note"] = s("b note") },
		"attribute less":     func(a, _ *types.Put) { delete(a.Item, "doc") },
		"key":                func(a, _ *types.Put) { a.Item["id"] = s("b") },
		"spelling of a key":  func(_, b *types.Put) { b.Item["number"] = &types.AttributeValueMemberN{Value: "1.0"} },
		"name of the table":  func(a, _ *types.Put) { a.TableName = aws.String(arn(items)) },
		"condition":          func(a, _ *types.Put) { a.ConditionExpression = aws.String("attribute_not_exists(id)") },
		"returned values": func(a, _ *types.Put) {
			a.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		},
		"value of condition": func(a, _ *types.Put) {
			a.ConditionExpression, a.ExpressionAttributeValues = aws.String("ward = :w"), envelope.Item{":w": s("a")}
		},
		"value of condition2": func(a, _ *types.Put) {
			a.ConditionExpression, a.ExpressionAttributeValues = aws.String("ward = :w"), envelope.Item{":w": s("b")}
		},
	} {
		first, secrets := send(change)
		for _, v := range secrets {
			if other, has := known[v]; has {
				t.Errorf("%s: the ciphertext is that of %s", what, other)
			}
			known[v] = what
		}
		if again, _ := send(change); again != first {
			t.Errorf("%s: the repetition is another request", what)
		}
	}
}

// TestTokensOfPutsOnly: a transaction that is the same each time is not kept.
func TestTokensOfPutsOnly(t *testing.T) {
	w := newWorld(t)
	w.wire.stub = true
	write := func(ops ...types.TransactWriteItem) {
		t.Helper()
		ok(t, transact(t.Context(), w.client, aws.String("token"), ops...))
	}
	remove := types.TransactWriteItem{Delete: &types.Delete{TableName: aws.String(items), Key: aKey}}
	plainPut := types.TransactWriteItem{Put: &types.Put{TableName: aws.String(plain), Item: item("p")}}
	check := types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: aws.String(items), Key: aKey,
		ConditionExpression: aws.String("attribute_exists(id)")}}
	update := types.TransactWriteItem{Update: &types.Update{TableName: aws.String(items), Key: aKey,
		UpdateExpression: aws.String("REMOVE note")}}
	write(remove)
	write(plainPut)
	write(check, update, plainPut)
	if n := w.sealing.Tokens(); n != 0 {
		t.Errorf("%d entries", n)
	}
	write(plainPut, types.TransactWriteItem{Put: &types.Put{TableName: aws.String(items), Item: item("a")}})
	if n := w.sealing.Tokens(); n != 1 {
		t.Errorf("%d entries", n)
	}
	ok(t, transact(t.Context(), w.client, nil,
		types.TransactWriteItem{Put: &types.Put{TableName: aws.String(items), Item: item("b")}}))
	if n := w.sealing.Tokens(); n != 1 {
		t.Errorf("%d entries", n)
	}
}
