// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// between is a client that does something before each write to a table.
type between struct {
	*dynamodb.Client
	table  string
	before func(key envelope.Item) error
}

func (b *between) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if *in.TableName == b.table {
		if err := b.before(envelope.Item{"id": in.Item["id"]}); err != nil {
			return nil, err
		}
	}
	return b.Client.PutItem(ctx, in, o...)
}

func (b *between) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if *in.TableName == b.table {
		if err := b.before(in.Key); err != nil {
			return nil, err
		}
	}
	return b.Client.UpdateItem(ctx, in, o...)
}

// TestUnsignedAttributesOfOthers: an attribute that may be there unsigned, and
// has no action, is not lost when somebody adds it while its item is converted.
func TestUnsignedAttributesOfOthers(t *testing.T) {
	allowed := func(c *envelope.Config) { c.AllowedUnsigned = append(c.AllowedUnsigned, "later") }
	for name, from := range map[string]*envelope.ItemEncryptor{"plaintext": nil,
		"encrypted": encryptor(t, aes(t, 1), allowed)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			to := encryptor(t, aes(t, 2), allowed)
			table := w.table(t, count, from)
			config := w.config(table, from, to)
			config.Client = &between{w.client, table, func(key envelope.Item) error {
				_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: key,
					UpdateExpression:          aws.String("SET later = :v"),
					ExpressionAttributeValues: envelope.Item{":v": s("x")}})
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

// TestTransactionsOfOthers: a write refused because its item is in a
// transaction is tried again.
func TestTransactionsOfOthers(t *testing.T) {
	w := newWorld(t)
	to := encryptor(t, aes(t, 1))
	table := w.table(t, count, nil)
	config := w.config(table, nil, to)
	var calls atomic.Int64
	config.Client = &between{w.client, table, func(envelope.Item) error {
		if calls.Add(1)%3 == 0 {
			return &types.TransactionConflictException{Message: aws.String("Transaction is ongoing for the item")}
		}
		return nil
	}}
	if _, real := migrated(t, config); real != (migrate.Counts{Migrated: count}) {
		t.Errorf("%+v", real)
	}
	w.opens(t, table, to, count)
}

// TestRefusedItems: DynamoDB's refusal of one item leaves that item, as a local
// one does.
func TestRefusedItems(t *testing.T) {
	w := newWorld(t)
	to := encryptor(t, aes(t, 1))
	table := w.table(t, count, nil)
	config := w.config(table, nil, to)
	config.SkipDryRun = true
	full := &types.ItemCollectionSizeLimitExceededException{Message: aws.String("Collection size exceeded.")}
	config.Client = &between{w.client, table, func(key envelope.Item) error {
		if key["id"].(*types.AttributeValueMemberS).Value == "item-7" {
			return full
		}
		return nil
	}}
	m, err := migrate.New(config)
	ok(t, err)
	report, err := m.Run(t.Context())
	if !errors.Is(err, migrate.ErrFailedItems) || !errors.Is(err, full) ||
		report.Counts != (migrate.Counts{Migrated: count - 1, Failed: 1}) {
		t.Errorf("%+v, %v", report.Counts, err)
	}
}

// TestIndexKeys: an index whose key becomes ciphertext shows in the dry run.
func TestIndexKeys(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, count, nil)
	_, err := w.client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &table,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("secret"), AttributeType: "S"}},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{
			{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName:  aws.String("secrets"),
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
				KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("secret"), KeyType: types.KeyTypeHash}},
			}}}})
	ok(t, err)
	m, err := migrate.New(w.config(table, nil, encryptor(t, aes(t, 1))))
	ok(t, err)
	if _, err := m.DryRun(t.Context()); !errors.Is(err, envelope.ErrConfiguration) ||
		!strings.Contains(err.Error(), `"secret" of index secrets`) {
		t.Error(err)
	}
}
