// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store"
)

// TestSearchBesideLegacyItems: items of the older client have no beacons and are
// not found, but a search that reads them opens them, by a projection too.
func TestSearchBesideLegacyItems(t *testing.T) {
	for _, unknown := range []envelope.Action{0, envelope.EncryptAndSign} {
		w := newWorld(t)
		config := patientSearch(t)
		config.Standard = []beacon.Standard{{Name: "secret", Length: 20}}
		config.Compound, config.AcceptMissing = nil, true
		client := legacyClientOf(t, w, envelope.Config{Search: config}, unknown)
		ctx := t.Context()
		w.putRaw(t, oldItem("a"))
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(items), Item: envelope.Item{
			"id": s("b"), "note": s("x"), "secret": s("classified"), "ward": s("w")}})
		ok(t, err)
		for filter, want := range map[string][]string{"secret = :s": {"b"}, "NOT secret = :o": {"a", "b"},
			"NOT secret = :s": nil, "secret = :s OR id = :a": {"a", "b"}} {
			values := envelope.Item{}
			for name, v := range (envelope.Item{":s": s("classified"), ":o": s("other"), ":a": s("a")}) {
				if usedNames(filter, map[string]string{name: ""}) != nil {
					values[name] = v
				}
			}
			got, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(items), FilterExpression: &filter,
				ExpressionAttributeValues: values, ExpressionAttributeNames: map[string]string{"#i": "id"},
				ProjectionExpression: aws.String("#i, secret"), Select: types.SelectSpecificAttributes})
			if err != nil || !slices.Equal(ids(got.Items), want) {
				t.Errorf("%s: %v, %v", filter, got, err)
				continue
			}
			for _, item := range got.Items {
				same(t, filter, envelope.Item{"id": item["id"], "secret": s("classified")}, item)
			}
		}
		_, err = client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(items),
			FilterExpression:          aws.String("secret = :s OR ward = :w"),
			ExpressionAttributeValues: envelope.Item{":s": s("classified"), ":w": s("w")}})
		if !errors.Is(err, store.ErrEncryptedAttribute) {
			t.Errorf("an attribute that the older client encrypted: %v", err)
		}
	}
}
