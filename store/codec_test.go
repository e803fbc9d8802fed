package store_test

import (
	"testing"

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
