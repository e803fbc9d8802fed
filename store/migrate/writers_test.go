package migrate_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
)

// between is a client that does something before each put into a table.
type between struct {
	*dynamodb.Client
	table  string
	before func(key envelope.Item) error
}

func (b *between) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if *in.TableName == b.table {
		if err := b.before(envelope.Item{"id": in.Item["id"]}); err != nil {
			return nil, err
		}
	}
	return b.Client.PutItem(ctx, in, o...)
}

// TestUnsignedAttributesOfOthers: an attribute that may be there unsigned, and
// has no action, is not lost when somebody adds it while its item is converted.
func TestUnsignedAttributesOfOthers(t *testing.T) {
	allowed := func(c *envelope.Config) { c.AllowedUnsigned = append(c.AllowedUnsigned, "later") }
	for name, from := range map[string]*envelope.ItemEncryptor{"plaintext": nil, "encrypted": encryptor(t, aes(t, 1), allowed)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			to := encryptor(t, aes(t, 2), allowed)
			table := w.table(t, count, from)
			config := w.config(table, from, to)
			config.Client = &between{w.client, table, func(key envelope.Item) error {
				_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: key,
					UpdateExpression: aws.String("SET later = :v"), ExpressionAttributeValues: envelope.Item{":v": s("x")}})
				return err
			}}
			migrated(t, config)
			for _, stored := range w.all(t, table) {
				if stored["later"] == nil {
					t.Fatal("an unsigned attribute was lost")
				}
			}
			w.opens(t, table, to, count)
		})
	}
}
