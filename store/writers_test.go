// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

// forge sets attributes of the sample item as a writer without keys can.
func (w *world) forge(t testing.TB, table string, o order, attributes envelope.Item) {
	t.Helper()
	for n, v := range attributes {
		_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: envelope.Item{"customer": avS(o.Customer),
				"number": &types.AttributeValueMemberN{Value: "1"}},
			UpdateExpression: aws.String("SET #n = :v"), ExpressionAttributeNames: map[string]string{"#n": n},
			ExpressionAttributeValues: envelope.Item{":v": v},
		})
		ok(t, err)
	}
}

// TestWritersWithoutKeys: what a writer that has access to the table, but not to
// the keys, can do unnoticed in each mode.
// guarantees: O1, O2, O3, O4, O5
func TestWritersWithoutKeys(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, table, o := t.Context(), w.table(t, orderKeys), sample("ann", 1)
		orders, sealed := open[order](t, w.client, table, m), m.String() == "client"
		put := func(item envelope.Item) {
			_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item})
			ok(t, err)
		}

		// Unsigned attributes, the time to live among them, and beacons.
		ok(t, orders.Put(ctx, o))
		before := must(orders.Raw(ctx, o.key()))(t)
		w.forge(t, table, o, envelope.Item{"note": avS("forged"), "expiry": &types.AttributeValueMemberN{Value: "2"},
			"aws_dbe_b_secret": avS("forged")})
		if got := must(orders.Get(ctx, o.key()))(t); got.Note != "forged" || got.Expiry != 2 || got.Secret != o.Secret {
			t.Errorf("unsigned: %+v", got)
		}

		// A signed attribute, and a copy under another key.
		w.forge(t, table, o, envelope.Item{"ward": avS("forged")})
		if _, err := orders.Get(ctx, o.key()); sealed != errors.Is(err, envelope.ErrTampered) || !sealed && err != nil {
			t.Errorf("signed: %v", err)
		}
		filter := store.Query{Partition: "ann", Filter: expression.Name("ward").Equal(expression.Value(o.Ward))}
		for _, err := range orders.Query(ctx, filter) {
			t.Errorf("the filter chose the forged item: %v", err)
		}
		copied := envelope.Item{}
		for n, v := range before {
			copied[n] = v
		}
		copied["customer"] = avS("bob")
		put(copied)
		other := sample("bob", 1)
		if _, err := orders.Get(ctx, other.key()); sealed != (err != nil) {
			t.Errorf("copy: %v", err)
		}

		// An older item, and no item.
		put(before)
		ok(t, ignore(orders.Update(ctx, o.key(), func(v *order) error { v.Secret = "new"; return nil })))
		put(before)
		if got := must(orders.Get(ctx, o.key()))(t); got.Secret != o.Secret {
			t.Errorf("older: %+v", got)
		}
		_, err := w.client.DeleteItem(ctx,
			&dynamodb.DeleteItemInput{TableName: &table,
				Key: envelope.Item{"customer": avS("ann"), "number": before["number"]}})
		ok(t, err)
		if _, err := orders.Get(ctx, o.key()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("removed: %v", err)
		}
	})
}

// TestUpdateMisses: the changes of other writers that the condition of Update
// does not notice.
// guarantees: U6, U7, U8
func TestUpdateMisses(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, table, o := t.Context(), w.table(t, orderKeys), sample("ann", 1)
		if client, is := m.(store.ClientSide); is {
			client.AllowedUnsignedPrefix = "tmp"
			m = client
		}
		orders := open[order](t, w.client, table, m)
		ok(t, orders.Put(ctx, o))
		runs := 0
		ok(t, ignore(orders.Update(ctx, o.key(), func(v *order) error {
			if runs++; runs == 1 {
				w.forge(t, table, o, envelope.Item{"tmp-new": avS("theirs")})
			}
			v.Ward = "mine"
			return nil
		})))
		if raw := must(orders.Raw(ctx, o.key()))(t); runs != 1 || raw["tmp-new"] != nil {
			t.Errorf("an attribute without a known name: %d rounds, %v", runs, raw["tmp-new"])
		}

		// A writer that does not count the version.
		keys := w.table(t, "id:S")
		counters := open[counter](t, w.client, keys, m)
		ok(t, counters.Put(ctx, counter{ID: "a"}))
		runs = 0
		got := must(counters.Update(ctx, store.Key{Partition: "a"}, func(c *counter) error {
			if runs++; runs == 1 {
				w.set(t, keys, "unknown")
				_, err := w.client.UpdateItem(ctx,
					&dynamodb.UpdateItemInput{TableName: &keys, Key: envelope.Item{"id": avS("a")},
						UpdateExpression:          aws.String("SET hits = :v"),
						ExpressionAttributeValues: envelope.Item{":v": &types.AttributeValueMemberN{Value: "5"}}})
				ok(t, err)
			}
			c.Count++
			return nil
		}))
		if m.String() == "client" {
			return // TestUpdateSeesOtherWriters
		}
		if v := got(t); runs != 1 || v.Hits != 0 {
			t.Errorf("a version that was not counted: %d rounds, %+v", runs, v)
		}
	})
}

// TestItemsThatExpire: expiry is one more writer. The store does not compare the
// time to live with the time.
// guarantees: O8, O9
func TestItemsThatExpire(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx, o := t.Context(), sample("ann", 1)
		orders := open[order](t, w.client, w.table(t, orderKeys), m)
		o.Expiry = 1 // long ago, and DynamoDB has not deleted it yet
		ok(t, orders.Put(ctx, o))
		if got := must(orders.Get(ctx, o.key()))(t); got.Expiry != 1 {
			t.Errorf("%+v", got)
		}
		if page := must(orders.QueryPage(ctx, store.Query{Partition: "ann"}, ""))(t); len(page.Items) != 1 {
			t.Errorf("%d items", len(page.Items))
		}
		_, err := orders.Update(ctx, o.key(), func(v *order) error {
			v.Secret = "new"
			return orders.Delete(ctx, o.key())
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("expired between reading and writing: %v", err)
		}
		if _, err := orders.Get(ctx, o.key()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the update brought it back: %v", err)
		}
	})
}
