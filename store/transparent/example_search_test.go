// SPDX-License-Identifier: Apache-2.0

package transparent_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// A plain client queries an index on the beacon of an encrypted attribute. The
// beacon key is in memory; applications use a key store.
func ExampleNew_search() {
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
	keys := &keyring.MemorySource{}
	if err := keys.AddBeaconKey(materials.NewBeaconKey("clinic", [32]byte{2})); err != nil {
		log.Fatal(err)
	}
	encryptor, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "people", PartitionKey: "name", Keyring: key,
		Actions: map[string]envelope.Action{"name": envelope.SignOnly, "number": envelope.EncryptAndSign},
		Search: &beacon.Config{
			Standard: []beacon.Standard{{Name: "number", Length: 4}},
			Keys:     beacon.KeySource{Source: keys, BranchKeyID: "clinic", Lifetime: time.Hour},
		},
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
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("name"), AttributeType: "S"},
			{AttributeName: aws.String("aws_dbe_b_number"), AttributeType: "S"}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("name"), KeyType: "HASH"}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("byNumber"),
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("aws_dbe_b_number"), KeyType: "HASH"}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for i := range 50 {
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("people"),
			Item: map[string]types.AttributeValue{
				"name":   &types.AttributeValueMemberS{Value: fmt.Sprint("person ", i)},
				"number": &types.AttributeValueMemberS{Value: fmt.Sprintf("P-%04d", i)}}})
		if err != nil {
			log.Fatal(err)
		}
	}
	out, err := client.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String("people"), IndexName: aws.String("byNumber"),
		KeyConditionExpression: aws.String("#n = :n"), ExpressionAttributeNames: map[string]string{"#n": "number"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberS{Value: "P-0042"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, item := range out.Items {
		fmt.Println(item["name"].(*types.AttributeValueMemberS).Value)
	}
	fmt.Println("read", out.ScannedCount, "found", out.Count)
	// Output:
	// person 42
	// read 6 found 1
}
