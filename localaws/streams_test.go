package localaws_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/ddbseal/ddbseal/localaws"
)

// streamedTable makes a table whose stream has both images, and returns the ARN of
// the stream.
func streamedTable(t *testing.T, db *dynamodb.Client, name string) string {
	t.Helper()
	out, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true),
			StreamViewType: types.StreamViewTypeNewAndOldImages}})
	if err != nil {
		t.Fatal(err)
	}
	return *out.TableDescription.LatestStreamArn
}

// readStream returns all records of a stream, those of a parent before those of its
// children.
func readStream(ctx context.Context, c *dynamodbstreams.Client, arn string) (all []streamtypes.Record, err error) {
	d, err := c.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
	if err != nil {
		return nil, err
	}
	for _, shard := range d.StreamDescription.Shards {
		at, err := c.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn,
			ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
		if err != nil {
			return nil, err
		}
		for next := at.ShardIterator; next != nil; {
			out, err := c.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: next})
			if err != nil {
				return nil, err
			}
			all = append(all, out.Records...)
			if len(out.Records) == 0 {
				break
			}
			next = out.NextShardIterator
		}
	}
	return all, nil
}

// TestStreamThroughTheSDK writes with one client and reads the stream with the
// other.
func TestStreamThroughTheSDK(t *testing.T) {
	bothWays(t, localaws.Options{}, func(t *testing.T, s *localaws.Server, config func(aws.Credentials) aws.Config) {
		cfg := config(s.RootCredentials())
		db, streams := dynamodb.NewFromConfig(cfg), dynamodbstreams.NewFromConfig(cfg)
		arn := streamedTable(t, db, "orders")
		key := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}}
		put := func(n string) {
			t.Helper()
			if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"),
				Item: map[string]types.AttributeValue{"pk": key["pk"],
					"n": &types.AttributeValueMemberN{Value: n}}}); err != nil {
				t.Fatal(err)
			}
		}
		put("1")
		put("2")
		put("2.0")
		if _, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"),
			Key: key}); err != nil {
			t.Fatal(err)
		}
		list, err := streams.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{
			TableName: aws.String("orders")})
		if err != nil || len(list.Streams) != 1 || *list.Streams[0].StreamArn != arn {
			t.Fatalf("list: %v, %v", list, err)
		}
		records, err := readStream(t.Context(), streams, arn)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		number := func(it map[string]streamtypes.AttributeValue) string {
			if n, ok := it["n"].(*streamtypes.AttributeValueMemberN); ok {
				return n.Value
			}
			return "-"
		}
		for _, r := range records {
			got = append(got, fmt.Sprintf("%s %s %s", r.EventName, number(r.Dynamodb.OldImage), number(r.Dynamodb.NewImage)))
			if r.UserIdentity != nil || *r.EventSource != "aws:dynamodb" || len(*r.EventID) != 32 {
				t.Errorf("record %+v", r)
			}
		}
		if text := strings.Join(got, ", "); text != "INSERT - 1, MODIFY 1 2, REMOVE 2 -" {
			t.Errorf("records: %s", text)
		}
	})
}
