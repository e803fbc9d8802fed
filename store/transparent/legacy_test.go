// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/transparent"
)

var legacyKey = bytes.Repeat([]byte{9}, 16)

// oldItem is an item as the older client stored it: with the note signed, which is
// unsigned now, and the ward encrypted, which is readable now.
func oldItem(id string) envelope.Item {
	w := legacywriter.Writer{Table: "old", ContentKey: legacyKey, MACKey: legacyKey,
		Encrypted: []string{"secret", "ward"}}
	return w.Encrypt(envelope.Item{"id": s(id), "note": s("signed"), "secret": s("classified"), "ward": s("w")})
}

var oldPlain = envelope.Item{"id": s("a"), "note": s("signed"), "secret": s("classified"), "ward": s("w")}

// legacyClient returns a client that reads old items of the table items.
func legacyClient(t testing.TB, w *world, policy envelope.PlaintextPolicy, unknown envelope.Action) *dynamodb.Client {
	t.Helper()
	return legacyClientOf(t, w, envelope.Config{PlaintextPolicy: policy}, unknown)
}

func legacyClientOf(t testing.TB, w *world, config envelope.Config, unknown envelope.Action) *dynamodb.Client {
	t.Helper()
	mac, err := legacy.NewHMAC("HmacSHA256", legacyKey)
	ok(t, err)
	provider, err := legacy.NewStatic(legacy.StaticConfig{ContentKey: legacyKey, Verification: mac})
	ok(t, err)
	decryptor, err := legacy.New(legacy.Config{TableName: "old", PartitionKey: "id", Provider: provider,
		DefaultAction: unknown, Actions: map[string]envelope.Action{"id": envelope.SignOnly, "note": envelope.SignOnly,
			"secret": envelope.EncryptAndSign, "ward": envelope.EncryptAndSign}})
	ok(t, err)
	config.LogicalTableName, config.PartitionKey, config.Keyring = "items", "id", w.keyring
	config.AlgorithmSuite = envelope.SuiteSymmetricSignature
	config.Actions = map[string]envelope.Action{"id": envelope.SignOnly, "ward": envelope.SignOnly,
		"secret": envelope.EncryptAndSign, "note": envelope.DoNothing}
	config.AllowedUnsigned = []string{"note"}
	config.Legacy = &envelope.LegacyOverride{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt,
		Decryptor: decryptor}
	e, err := envelope.NewItemEncryptor(config)
	ok(t, err)
	sealing, err := transparent.New(map[string]*envelope.ItemEncryptor{items: e})
	ok(t, err)
	return dynamodb.NewFromConfig(w.config, sealing.Install)
}

func (w *world) putRaw(t testing.TB, item envelope.Item) {
	t.Helper()
	_, err := w.raw.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(items), Item: item})
	ok(t, err)
}

// TestLegacyItems: old items are read in plaintext, also by a projection, and puts
// replace them by current ones.
func TestLegacyItems(t *testing.T) {
	for _, unknown := range []envelope.Action{0, envelope.EncryptAndSign} {
		w := newWorld(t)
		client := legacyClient(t, w, 0, unknown)
		ctx, key := t.Context(), envelope.Item{"id": s("a")}
		w.putRaw(t, oldItem("a"))
		got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(items), Key: key})
		ok(t, err)
		same(t, "get", oldPlain, got.Item)
		got, err = client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(items), Key: key,
			ProjectionExpression: aws.String("secret")})
		ok(t, err)
		same(t, "projection", envelope.Item{"secret": s("classified")}, got.Item)
		scan, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(items),
			FilterExpression: aws.String("#n = :n"), ProjectionExpression: aws.String("secret, #n"),
			ExpressionAttributeNames:  map[string]string{"#n": "note"},
			ExpressionAttributeValues: envelope.Item{":n": s("signed")}})
		ok(t, err)
		if len(scan.Items) != 1 {
			t.Fatalf("%d items", len(scan.Items))
		}
		same(t, "scan", envelope.Item{"secret": s("classified"), "note": s("signed")}, scan.Items[0])

		raw, err := w.raw.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(items), Key: key})
		ok(t, err)
		put := &dynamodb.PutItemInput{TableName: aws.String(items), Item: maps.Clone(oldPlain),
			ConditionExpression:       aws.String("#s = :old"),
			ExpressionAttributeNames:  map[string]string{"#s": envelope.LegacySignatureAttribute},
			ExpressionAttributeValues: envelope.Item{":old": raw.Item[envelope.LegacySignatureAttribute]}}
		_, err = client.PutItem(ctx, put)
		ok(t, err)
		raw, err = w.raw.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(items), Key: key})
		ok(t, err)
		if envelope.IsLegacy(raw.Item) || raw.Item[envelope.HeaderAttribute] == nil {
			t.Error("a put wrote another format")
		}
		var failed *types.ConditionalCheckFailedException
		if _, err = client.PutItem(ctx, put); !errors.As(err, &failed) {
			t.Errorf("the old signature is gone: %v", err)
		}
	}
}

// TestLegacyUpdates: an update in place demands the current format, alone and in a
// transaction, under each plaintext policy.
// guarantees: E11
func TestLegacyUpdates(t *testing.T) {
	for policy := range envelope.PlaintextPolicy(3) {
		w := newWorld(t)
		client := legacyClient(t, w, policy, 0)
		ctx, key := t.Context(), envelope.Item{"id": s("a")}
		values := envelope.Item{":n": s("changed")}
		update := func() error {
			_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String(items), Key: key,
				UpdateExpression: aws.String("SET note = :n"), ExpressionAttributeValues: values})
			return err
		}
		transact := func() error {
			_, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
				TransactItems: []types.TransactWriteItem{{Update: &types.Update{TableName: aws.String(items), Key: key,
					UpdateExpression: aws.String("SET note = :n"), ExpressionAttributeValues: values}}}})
			return err
		}
		for name, c := range map[string]struct {
			item envelope.Item
			old  bool
		}{"old": {oldItem("a"), true}, "plaintext": {oldPlain, false}, "none": {nil, false}} {
			if c.item != nil {
				w.putRaw(t, c.item)
			} else {
				_, err := w.raw.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(items), Key: key})
				ok(t, err)
			}
			for _, call := range []func() error{update, transact} {
				if err := call(); !errors.Is(err, transparent.ErrUpdateTarget) ||
					errors.Is(err, envelope.ErrLegacyItem) != c.old {
					t.Errorf("%v, %s: %v", policy, name, err)
				}
			}
			got, err := w.raw.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(items), Key: key})
			ok(t, err)
			if note, _ := got.Item["note"].(*types.AttributeValueMemberS); note != nil && note.Value != "signed" ||
				c.item == nil && got.Item != nil {
				t.Errorf("%v, %s: the item was changed", policy, name)
			}
		}
		if policy == envelope.ForcePlaintextWriteAllowPlaintextRead {
			continue
		}
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: maps.Clone(oldPlain)})
		ok(t, err)
		ok(t, update())
		ok(t, transact())
	}
}

// TestLegacyExpressions: a condition on an attribute that old items have encrypted
// is refused, and so is the old signature where old items are not read.
func TestLegacyExpressions(t *testing.T) {
	w := newWorld(t)
	client := legacyClient(t, w, 0, 0)
	filter := &dynamodb.ScanInput{TableName: aws.String(items), FilterExpression: aws.String("ward = :w"),
		ExpressionAttributeValues: envelope.Item{":w": s("w")}}
	if _, err := client.Scan(t.Context(), filter); !errors.Is(err, store.ErrEncryptedAttribute) ||
		!strings.Contains(err.Error(), "older client") {
		t.Error(err)
	}
	_, err := w.client.Scan(t.Context(), filter)
	ok(t, err)
	filter.FilterExpression = aws.String("attribute_exists(#s)")
	filter.ExpressionAttributeNames = map[string]string{"#s": envelope.LegacySignatureAttribute}
	filter.ExpressionAttributeValues = nil
	_, err = client.Scan(t.Context(), filter)
	ok(t, err)
	if _, err := w.client.Scan(t.Context(), filter); !errors.Is(err, envelope.ErrConfiguration) {
		t.Error(err)
	}
}

// TestLegacyFaults: a changed old item is tampered with and not incomplete; one
// that may not be read is named.
func TestLegacyFaults(t *testing.T) {
	w := newWorld(t)
	client := legacyClient(t, w, 0, 0)
	in := &dynamodb.GetItemInput{TableName: aws.String(items), Key: envelope.Item{"id": s("a")}}
	changed := oldItem("a")
	changed["note"] = s("changed")
	w.putRaw(t, changed)
	if _, err := client.GetItem(t.Context(), in); !errors.Is(err, envelope.ErrTampered) ||
		errors.Is(err, store.ErrPartialItem) {
		t.Error(err)
	}
	w.putRaw(t, oldItem("a"))
	if _, err := w.client.GetItem(t.Context(), in); !errors.Is(err, envelope.ErrLegacyItem) ||
		errors.Is(err, store.ErrPartialItem) {
		t.Error(err)
	}
}
