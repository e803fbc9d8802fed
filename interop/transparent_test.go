// SPDX-License-Identifier: Apache-2.0

package interop_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/itemconfig"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/peer"
	"github.com/ddbseal/ddbseal/store/transparent"
)

// TestSharedTable has a program with the official interceptor and a Go program
// with the transparent client work on one table, each a plain client
// otherwise.
func TestSharedTable(t *testing.T) {
	eachPeer(t, sharedTable, func(t *testing.T, c *cloud) {
		for _, k := range []itemconfig.Keyring{{Type: "aws-kms", KeyID: c.keyARN}, rawAES("k", make([]byte, 32))} {
			t.Run(k.Type, func(t *testing.T) { c.shareTable(t, "shared-"+k.Type, k) })
		}
	})
}

func (c *cloud) shareTable(t *testing.T, table string, k itemconfig.Keyring) {
	_, err := c.ddb.CreateTable(t.Context(),
		&dynamodb.CreateTableInput{TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"),
				AttributeType: types.ScalarAttributeTypeS}},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}}})
	if err != nil {
		t.Fatal(err)
	}
	config := &itemconfig.Config{Table: "logical", PartitionKey: "pk", AllowedUnsignedAttributePrefix: ":",
		AttributeActions: map[string]envelope.Action{"pk": envelope.SignOnly, "secret": envelope.EncryptAndSign,
			"signed": envelope.SignOnly, ":open": envelope.DoNothing},
		Keyring: k}
	client, err := transparent.New(map[string]*envelope.ItemEncryptor{table: c.encryptor(t, config)})
	if err != nil {
		t.Fatal(err)
	}
	sealing := dynamodb.New(c.ddb.Options(), client.Install)
	item := func(key string) envelope.Item {
		return envelope.Item{"pk": &types.AttributeValueMemberS{Value: key},
			"secret": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"n": &types.AttributeValueMemberN{Value: "1e3"}}},
			"signed": &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
			":open":  &types.AttributeValueMemberBOOL{Value: true}}
	}
	they := func(op string, it envelope.Item) map[string]json.RawMessage {
		t.Helper()
		text, err := ddbjson.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.peer.Do(map[string]any{"op": op, "tableName": table, "config": config,
			"item": json.RawMessage(text)})
		if err != nil {
			t.Fatalf("%s %s: %v", c.peer.Name, op, err)
		}
		return answer
	}

	they("table-put", item("by them"))
	got, err := sealing.GetItem(t.Context(),
		&dynamodb.GetItemInput{TableName: aws.String(table),
			Key: envelope.Item{"pk": &types.AttributeValueMemberS{Value: "by them"}}})
	if err != nil || !peer.EqualItems(item("by them"), got.Item) {
		t.Fatalf("their item through the transparent client: %v %v", got, err)
	}
	results.count(c.direction, c.peer.Name)

	if _, err := sealing.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: aws.String(table), Item: item("by go")}); err != nil {
		t.Fatal(err)
	}
	answer := they("table-get", envelope.Item{"pk": &types.AttributeValueMemberS{Value: "by go"}})
	opened, err := ddbjson.Unmarshal(answer["item"])
	if err != nil || !peer.EqualItems(item("by go"), opened) {
		t.Fatalf("the transparent client's item through theirs: %v %v", opened, err)
	}

	results.count(c.direction, c.peer.Name)

	// What lies in the table is ciphertext, whichever program wrote it.
	scan, err := c.ddb.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(table)})
	if err != nil || len(scan.Items) != 2 {
		t.Fatalf("scan: %v %v", scan, err)
	}
	for _, it := range scan.Items {
		if _, sealed := it["secret"].(*types.AttributeValueMemberB); !sealed || it[envelope.HeaderAttribute] == nil {
			t.Errorf("stored in the open: %v", it["pk"])
		}
	}
}
