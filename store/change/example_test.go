// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/change"
)

type order struct {
	ID    string `dynamodbav:"id" seal:"partition"`
	State string `dynamodbav:"state" seal:"sign"`
	Card  string `dynamodbav:"card"`
}

func openOrders(ctx context.Context) (*store.Table[order], *dynamodbstreams.Client, func() error) {
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	config := server.Config(server.RootCredentials())
	db := dynamodb.NewFromConfig(config)
	if _, err := db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true),
			StreamViewType: types.StreamViewTypeNewAndOldImages},
	}); err != nil {
		log.Fatal(err)
	}
	k, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "example", Name: "key", Key: make([]byte, 32)})
	if err != nil {
		log.Fatal(err)
	}
	orders, err := store.New[order](db, "orders", store.ClientSide{Keyring: k})
	if err != nil {
		log.Fatal(err)
	}
	return orders, dynamodbstreams.NewFromConfig(config), server.Close
}

// A process follows the stream of an encrypted table.
func ExampleFollow() {
	ctx := context.Background()
	orders, streams, closeServer := openOrders(ctx)
	defer closeServer()
	for _, o := range []order{{"7", "new", "4000 1234"}, {"7", "paid", "4000 1234"}, {"7", "paid", "4000 1234"}} {
		if err := orders.Put(ctx, o); err != nil {
			log.Fatal(err)
		}
	}
	err := change.Follow(ctx, streams, orders, func(_ context.Context, c change.Change[order]) error {
		names, _ := c.Changed()
		fmt.Println(c.Kind, c.New.ID, c.New.State, c.New.Card, names)
		return nil
	}, change.UntilIdle(10*time.Millisecond), change.PollEvery(time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// INSERT 7 new 4000 1234 [card id state]
	// MODIFY 7 paid 4000 1234 [state]
	// MODIFY 7 paid 4000 1234 []
}

// A Lambda function decodes its event, and lets Lambda repeat the batch from the
// first record that failed.
func ExampleLambda() {
	ctx := context.Background()
	orders, _, closeServer := openOrders(ctx)
	defer closeServer()
	handle := func(ctx context.Context, event []byte) (change.BatchResponse, error) {
		records, err := change.Lambda(event)
		if err != nil {
			return change.BatchResponse{}, err
		}
		for c, err := range change.Decode(ctx, orders, records) {
			if err == nil {
				fmt.Println(c.Kind, c.Sequence) // the work; use c.Failed for its errors
				continue
			}
			if response, ok := change.Response(err); ok {
				return response, nil
			}
			return change.BatchResponse{}, err
		}
		response, _ := change.Response(nil)
		return response, nil
	}
	response, err := handle(ctx, []byte(`{"Records": [
		{"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"id": {"S": "7"}},
			"SequenceNumber": "111", "StreamViewType": "KEYS_ONLY"}},
		{"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"id": {"S": "7"}},
			"SequenceNumber": "222", "StreamViewType": "NEW_IMAGE"}}]}`))
	fmt.Println(response, err)
	// Output:
	// MODIFY 111
	// {[{222}]} <nil>
}

// An export to S3 is read file by file.
func ExampleDecodeExport() {
	ctx := context.Background()
	orders, _, closeServer := openOrders(ctx)
	defer closeServer()
	file := strings.NewReader(`{"Item":{"id":{"S":"7"},"state":{"S":"paid"}}}`)
	for c, err := range change.DecodeExport(ctx, orders, file) {
		fmt.Println(c.Kind, c.New == nil, errors.Is(err, envelope.ErrNotEncrypted))
	}
	// Output:
	// SNAPSHOT true true
}
