// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
)

func testClient(t *testing.T) *Client {
	t.Helper()
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "test", Name: "key", Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	e, err := envelope.NewItemEncryptor(envelope.Config{LogicalTableName: "items", PartitionKey: "id", Keyring: k,
		Actions:        map[string]envelope.Action{"id": envelope.SignOnly, "ward": envelope.SignOnly},
		AlgorithmSuite: envelope.SuiteSymmetricSignature})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(map[string]*envelope.ItemEncryptor{"items": e})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestStack: the middleware is first in Initialize for every operation, and last
// in Deserialize for writes, where it watches the attempts.
func TestStack(t *testing.T) {
	c := testClient(t)
	for operation, write := range map[string]bool{"PutItem": true, "UpdateItem": true, "DeleteItem": true,
		"BatchWriteItem": true, "TransactWriteItems": true,
		"GetItem": false, "Query": false, "Scan": false, "BatchGetItem": false, "TransactGetItems": false,
		"ListTables": false} {
		s := middleware.NewStack(operation, smithyhttp.NewStackRequest)
		if err := s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("other", nil), middleware.After); err != nil {
			t.Fatal(err)
		}
		if err := c.add(s); err != nil {
			t.Fatal(err)
		}
		ids := s.Deserialize.List()
		if watched := ids[len(ids)-1] == middlewareID; watched != write || s.Initialize.List()[0] != middlewareID {
			t.Errorf("%s: watched %t", operation, watched)
		}
		if err := c.add(s); !errors.Is(err, ErrInstalledTwice) {
			t.Errorf("%s: %v", operation, err)
		}
	}
}

// TestResults: the middlewares above get the result that was decrypted, or none.
func TestResults(t *testing.T) {
	c := testClient(t)
	item := envelope.Item{"id": &types.AttributeValueMemberS{Value: "a"},
		"ward": &types.AttributeValueMemberS{Value: "w"}}
	stored, err := c.tables["items"].EncryptItem(t.Context(), item)
	if err != nil {
		t.Fatal(err)
	}
	bad := envelope.Item{"id": item["id"], "ward": item["ward"]}
	failed := &types.ConditionalCheckFailedException{}
	get, put := &dynamodb.GetItemInput{TableName: aws.String("items"), Key: envelope.Item{"id": item["id"]}},
		&dynamodb.PutItemInput{TableName: aws.String("items"), Item: item,
			ConditionExpression: aws.String("attribute_not_exists(id)")}
	call := func(operation string, in, result any, after error, with func(any)) (any, error) {
		one := &call{client: c, operation: operation}
		next := middleware.InitializeHandlerFunc(func(_ context.Context,
			in middleware.InitializeInput) (middleware.InitializeOutput, middleware.Metadata, error) {
			if with != nil {
				with(in.Parameters)
			}
			return middleware.InitializeOutput{Result: result}, middleware.Metadata{}, after
		})
		out, _, err := one.HandleInitialize(t.Context(), middleware.InitializeInput{Parameters: in}, next)
		return out.Result, err
	}
	if out, err := call("GetItem", get, &dynamodb.GetItemOutput{Item: stored}, nil, nil); err != nil ||
		len(out.(*dynamodb.GetItemOutput).Item) != 2 {
		t.Errorf("an item: %v, %v", out, err)
	}
	if out, err := call("GetItem", get, &dynamodb.GetItemOutput{Item: bad}, nil, nil); !errors.Is(err,
		envelope.ErrNotEncrypted) || out != nil {
		t.Errorf("an item that does not open: %v, %v", out, err)
	}
	// A put whose own item failed the condition of its repetition succeeded.
	sent := func(in any) { failed.Item = in.(*dynamodb.PutItemInput).Item }
	out, err := call("PutItem", put, nil, failed, sent)
	if p, is := out.(*dynamodb.PutItemOutput); err != nil || !is || p == nil || p.Attributes != nil {
		t.Errorf("a put that failed its own condition: %v, %v", out, err)
	}
	// Parameters of another operation are refused.
	if out, err := call("PutItem", struct{}{}, nil, nil, nil); !errors.Is(err, ErrRefused) || out != nil {
		t.Errorf("parameters of no operation: %v, %v", out, err)
	}
}
