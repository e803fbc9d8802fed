// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// Session is a type whose items DynamoDB deletes after Ends, in Unix seconds.
type Session struct {
	ID   string `dynamodbav:"id" seal:"partition"`
	Ends int64  `dynamodbav:"ends" seal:"ttl"`
}

// Create turns on the table's time to live too.
func ExampleCreate_timeToLive() {
	ctx := context.Background()
	server, err := localaws.New(localaws.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client := dynamodb.NewFromConfig(server.Config(server.RootCredentials()))
	sessions, err := store.New[Session](client, "sessions", store.ServerSide{})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Create(ctx, store.CreateOptions{}, sessions); err != nil {
		log.Fatal(err)
	}
	out, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("sessions")})
	if err != nil {
		log.Fatal(err)
	}
	ttl := out.TimeToLiveDescription
	fmt.Println(*ttl.AttributeName, ttl.TimeToLiveStatus)
	// Output:
	// ends ENABLED
}
