// SPDX-License-Identifier: Apache-2.0

// Transparent encrypts inside of a plain SDK client: the calls stay as they
// are.
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring/awskms"
	"github.com/ddbseal/ddbseal/examples/internal/account"
	"github.com/ddbseal/ddbseal/store/transparent"
)

func main() { account.Main(run) }

func run(ctx context.Context, a *account.Account) error {
	key, err := a.Key(ctx)
	if err != nil {
		return err
	}
	name, err := a.Table(ctx, "transparent", "")
	if err != nil {
		return err
	}
	keyring, err := awskms.New(awskms.Config{Client: a.KMS, KeyARN: key})
	if err != nil {
		return err
	}

	encryptor, err := envelope.NewItemEncryptor(envelope.Config{
		LogicalTableName: "patients",
		PartitionKey:     "id",
		Actions:          map[string]envelope.Action{"id": envelope.SignOnly, "diagnosis": envelope.EncryptAndSign},
		Keyring:          keyring,
	})
	if err != nil {
		return err
	}
	sealing, err := transparent.New(map[string]*envelope.ItemEncryptor{name: encryptor})
	if err != nil {
		return err
	}
	client := dynamodb.NewFromConfig(a.Config, sealing.Install)

	item := map[string]types.AttributeValue{
		"id":        &types.AttributeValueMemberS{Value: "7"},
		"diagnosis": &types.AttributeValueMemberS{Value: "hay fever"},
	}
	if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
		return err
	}
	get := &dynamodb.GetItemInput{TableName: &name, Key: map[string]types.AttributeValue{"id": item["id"]}}
	for _, c := range []struct {
		who string
		*dynamodb.Client
	}{{"this client", client}, {"a plain client", a.DynamoDB}} {
		out, err := c.GetItem(ctx, get)
		if err != nil {
			return err
		}
		fmt.Printf("%s sees %d attributes, the diagnosis as %s\n", c.who, len(out.Item),
			account.Value(out.Item["diagnosis"]))
	}
	return nil
}
