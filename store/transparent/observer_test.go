// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/witness"
)

func ignore[T any](_ T, err error) error { return err }

// TestObservers: the SDK's log, tracer, meters and middleware keep working, and
// see ciphertext of the encrypted tables only, in whichever order they and the
// encryption are installed.
func TestObservers(t *testing.T) {
	for name, order := range map[string]func(w *world, seen *witness.Witness) []func(*dynamodb.Options){
		"before": func(w *world, seen *witness.Witness) []func(*dynamodb.Options) {
			return []func(*dynamodb.Options){seen.Install, w.sealing.Install}
		},
		"after": func(w *world, seen *witness.Witness) []func(*dynamodb.Options) {
			return []func(*dynamodb.Options){w.sealing.Install, seen.Install}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var seen witness.Witness
			client := dynamodb.NewFromConfig(w.config, order(w, &seen)...)
			ctx := t.Context()
			secrets := []string{"first-secret-text", "second-secret-text", "third-secret-text"}
			const shown = "text-of-a-plain-table"
			item := func(id, secret string) envelope.Item {
				return envelope.Item{"id": &types.AttributeValueMemberS{Value: id},
					"secret": &types.AttributeValueMemberS{Value: secret}}
			}
			put := func(table, secret string) {
				ok(t, ignore(client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item("a", secret),
					ReturnValues: types.ReturnValueAllOld})))
			}
			put(items, secrets[0])
			put(items, secrets[1])
			put(plain, shown)
			ok(t, ignore(client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{
					items: {{PutRequest: &types.PutRequest{Item: item("b", secrets[2])}}}}})))
			got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(items),
				Key: envelope.Item{"id": &types.AttributeValueMemberS{Value: "b"}}})
			ok(t, err)
			if s, is := got.Item["secret"].(*types.AttributeValueMemberS); !is || s.Value != secrets[2] {
				t.Errorf("read %v", got.Item["secret"])
			}
			ok(t, ignore(client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(items)})))
			ok(t, ignore(client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String(plain)})))
			for _, kind := range witness.Kinds {
				if seen.Seen(kind) == "" {
					t.Errorf("nothing of kind %s was observed", kind)
				}
				if found := seen.Found(kind, secrets...); found != nil {
					t.Errorf("%s saw %q", kind, found)
				}
				found := seen.Found(kind, shown)
				if want := kind == witness.Log || kind == witness.Middleware; want != (found != nil) {
					t.Errorf("%s saw %q of the plain table", kind, found)
				}
			}
		})
	}
}
