// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store"
)

// TestNamesInOtherCase: an attribute that anybody may add must not fill the
// field of a signed one whose name differs in case only.
func TestNamesInOtherCase(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	table := w.table(t, "id:S")
	type entity struct {
		ID     string `dynamodbav:"id" seal:"partition"`
		Secret string `dynamodbav:"tmpSecret,omitempty"`
	}
	m := clientSide(t)
	m.AllowedUnsignedPrefix = "TMP"
	entities := open[entity](t, w.client, table, m)
	k := store.Key{Partition: "a"}
	ok(t, entities.Put(ctx, entity{ID: "a"}))
	_, err := w.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &table, Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "a"}},
		UpdateExpression:          new("SET TMPSECRET = :v"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberS{Value: "forged"}},
	})
	ok(t, err)
	if got := must(entities.Get(ctx, k))(t); got.Secret != "" {
		t.Errorf("an unsigned attribute fills a signed field: %+v", got)
	}
	got := must(entities.Update(ctx, k, func(e *entity) error { e.Secret += "mine"; return nil }))(t)
	if raw := must(entities.Raw(ctx, k))(t); got.Secret != "mine" || raw["TMPSECRET"] == nil {
		t.Errorf("%+v, stored %v", got, raw)
	}
}

// at has a time for a key, in seconds.
type at struct {
	ID   string    `dynamodbav:"id" seal:"partition"`
	At   time.Time `dynamodbav:"at,unixtime" seal:"sort"`
	Text string    `dynamodbav:"text"`
}

func TestTimesAsKeys(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		table := w.table(t, "id:S,at:N")
		events := open[at](t, w.client, table, m)
		ok(t, events.Check(ctx))
		begin := time.Unix(1_700_000_000, 0)
		for i := range 4 {
			ok(t, events.Put(ctx, at{"a", begin.Add(time.Duration(i) * time.Hour), "text"}))
		}
		k := store.Key{Partition: "a", Sort: begin.Add(time.Hour)}
		got := must(events.Update(ctx, k, func(e *at) error { e.Text = "new"; return nil }))(t)
		if got.Text != "new" || must(events.Get(ctx, k))(t).Text != "new" {
			t.Errorf("%+v", got)
		}
		n := 0
		for _, err := range events.Query(ctx,
			store.Query{Partition: "a", Sort: store.SortGreater(begin.Add(time.Hour))}) {
			ok(t, err)
			n++
		}
		if n != 2 {
			t.Errorf("%d items after the second", n)
		}
		if err := open[at](t, w.client, w.table(t, "id:S,at:S"), m).Check(ctx); !errors.Is(err, store.ErrDeclaration) {
			t.Errorf("a table with texts for times: %v", err)
		}
	})
}
