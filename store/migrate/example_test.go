// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store/migrate"
)

func Example() {
	ctx := context.Background()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()))
	people(ctx, client)

	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key",
		Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		log.Fatal(err)
	}
	to, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "people", PartitionKey: "name", Keyring: key,
		Actions: map[string]envelope.Action{"name": envelope.SignOnly, "born": envelope.EncryptAndSign},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := migrate.CreateCheckpointTable(ctx, client, "migrations"); err != nil {
		log.Fatal(err)
	}
	share, err := migrate.ShareFromEnvironment(os.LookupEnv, 0)
	if err != nil {
		log.Fatal(err)
	}
	m, err := migrate.New(migrate.Config{
		Client: client, Table: "people", ID: "encrypt people", To: to,
		CheckpointTable: "migrations", Share: share, WriteUnits: 500,
	})
	if err != nil {
		log.Fatal(err)
	}
	plan, err := m.DryRun(ctx)
	fmt.Println(plan.Counts.Plaintext, "items to encrypt", err)
	report, err := m.Run(ctx)
	fmt.Println(report.Counts.Migrated, "items encrypted", err)
	// Output:
	// 20 items to encrypt <nil>
	// 20 items encrypted <nil>
}

// people makes the table of the example.
func people(ctx context.Context, client *dynamodb.Client) {
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("people"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("name"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("name"), KeyType: "HASH"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for i := range 20 {
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("people"), Item: envelope.Item{
			"name": &types.AttributeValueMemberS{Value: fmt.Sprint("person ", i)}, "born": &types.AttributeValueMemberN{Value: "1990"},
		}})
		if err != nil {
			log.Fatal(err)
		}
	}
}
