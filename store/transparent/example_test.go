// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store/transparent"
)

func ExampleNew() {
	ctx := context.Background()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key",
		Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		log.Fatal(err)
	}
	encryptor, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "people", PartitionKey: "name", Keyring: key,
		Actions: map[string]envelope.Action{"name": envelope.SignOnly, "born": envelope.EncryptAndSign},
	})
	if err != nil {
		log.Fatal(err)
	}
	sealing, err := transparent.New(map[string]*envelope.ItemEncryptor{"people": encryptor})
	if err != nil {
		log.Fatal(err)
	}
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()), sealing.Install)

	_, err = client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("people"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("name"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("name"), KeyType: "HASH"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	ann := map[string]types.AttributeValue{"name": &types.AttributeValueMemberS{Value: "ann"},
		"born": &types.AttributeValueMemberN{Value: "1990"}}
	if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("people"), Item: ann}); err != nil {
		log.Fatal(err)
	}
	out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("people")})
	fmt.Println(out.Items[0]["born"].(*types.AttributeValueMemberN).Value, err)
	_, err = client.ExecuteStatement(ctx,
		&dynamodb.ExecuteStatementInput{Statement: aws.String("SELECT * FROM people")})
	fmt.Println(err)
	// Output:
	// 1990 <nil>
	// operation error DynamoDB: ExecuteStatement, transparent encryption: ExecuteStatement: not possible with client-side encryption: use the calls on items, or a client without encryption
}
