// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
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

// readStream returns all records of a stream, the records of a parent before the
// records of its children.
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
			got = append(got, fmt.Sprintf("%s %s %s", r.EventName, number(r.Dynamodb.OldImage),
				number(r.Dynamodb.NewImage)))
			if r.UserIdentity != nil || *r.EventSource != "aws:dynamodb" || len(*r.EventID) != 32 {
				t.Errorf("record %+v", r)
			}
		}
		if text := strings.Join(got, ", "); text != "INSERT - 1, MODIFY 1 2, REMOVE 2 -" {
			t.Errorf("records: %s", text)
		}
		d, err := streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		for since, want := range map[time.Duration]int{time.Minute: 3, 48 * time.Hour: 3} {
			at, err := streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn,
				ShardId:           d.StreamDescription.Shards[0].ShardId,
				ShardIteratorType: streamtypes.ShardIteratorTypeAtTimestamp,
				Timestamp:         aws.Time(time.Now().Add(-since))})
			if err != nil {
				t.Fatal(err)
			}
			out, err := streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{
				ShardIterator: at.ShardIterator})
			if err != nil || len(out.Records) != want {
				t.Errorf("%v ago: %d records, %v", since, len(out.Records), err)
			}
		}
	})
}

// streamSeed is a table with a stream under a key, and users with parts of the
// rights to read it.
func streamSeed() localawstest.Seed {
	allow := func(action any, resource string) string {
		text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{"Effect": "Allow",
			"Action": action, "Resource": resource}})
		return string(text)
	}
	const streams = "arn:aws:dynamodb:{{region}}:{{account}}:table/orders/stream/*"
	read := []string{"dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"}
	return localawstest.Seed{
		Keys: []localawstest.Key{{Name: "orders"}},
		Tables: []localawstest.Table{{Name: "orders", PartitionKey: "pk", Key: "orders",
			Stream: "NEW_AND_OLD_IMAGES"}},
		Users: []localawstest.User{
			{Name: "reader", Policies: map[string]any{"read": allow(read, streams), "key": allow("kms:Decrypt", "*"),
				"list": allow("dynamodb:ListStreams", "*")}},
			{Name: "keyless", Policies: map[string]any{"read": allow(read, streams)}},
			{Name: "tables", Attach: []string{"ReadOnlyAccess"}, Policies: map[string]any{"key": allow("kms:*", "*"),
				"items": `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"dynamodb:GetRecords","Resource":"*"}}`}},
			{Name: "other", Policies: map[string]any{"key": allow("kms:Decrypt", "*")}},
		}}
}

// TestStreamRights: the actions on a stream are allowed by IAM on its ARN, or by the
// stream's policy, and its records are for those who can use the table's key.
func TestStreamRights(t *testing.T) {
	s := localawstest.New(t, localawstest.WithSeed(streamSeed()))
	root := dynamodb.NewFromConfig(s.Root())
	if _, err := root.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"),
		Item: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}}}); err != nil {
		t.Fatal(err)
	}
	client := func(user string) *dynamodbstreams.Client { return dynamodbstreams.NewFromConfig(s.User(user)) }
	list, err := client("reader").ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{})
	if err != nil || len(list.Streams) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	arn := *list.Streams[0].StreamArn
	if records, err := readStream(t.Context(), client("reader"), arn); err != nil || len(records) != 1 {
		t.Errorf("the reader gets %v, %v", records, err)
	}
	_, err = readStream(t.Context(), client("keyless"), arn)
	localawstest.AssertDenied(t, err, "kms:Decrypt", "no identity-based policy allows the kms:Decrypt action")
	_, err = readStream(t.Context(), client("tables"), arn)
	localawstest.AssertDenied(t, err, "dynamodb:GetRecords", "explicit deny in an identity-based policy")
	_, err = readStream(t.Context(), client("other"), arn)
	localawstest.AssertDenied(t, err, "dynamodb:DescribeStream", arn)
	_, err = client("keyless").ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{})
	localawstest.AssertDenied(t, err, "dynamodb:ListStreams", "on resource: *")
	if _, err := root.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: &arn,
		Policy: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` +
			s.AccountID() + `:user/other"},"Action":["dynamodb:DescribeStream","dynamodb:GetShardIterator",` +
			`"dynamodb:GetRecords"],"Resource":"` + arn + `"}}`)}); err != nil {
		t.Fatal(err)
	}
	if records, err := readStream(t.Context(), client("other"), arn); err != nil || len(records) != 1 {
		t.Errorf("by the policy of the stream: %v, %v", records, err)
	}
	checkStreamEvents(t, s, arn)
}

// checkStreamEvents: describing a stream is a management event, reading it a data
// event, and both name the stream.
func checkStreamEvents(t *testing.T, s *localawstest.Server, arn string) {
	for _, name := range []string{"DescribeStream", "GetShardIterator", "GetRecords"} {
		events := s.Events(name)
		if len(events) == 0 {
			t.Fatalf("no event of %s", name)
		}
		e := events[0]
		data := name != "DescribeStream"
		if e.EventSource != "dynamodb.amazonaws.com" || !e.ReadOnly || e.ManagementEvent == data ||
			len(e.Resources) != 1 || e.Resources[0].ARN != arn || e.Resources[0].Type != "AWS::DynamoDB::Stream" {
			t.Errorf("event %+v", e)
		}
	}
	if len(s.Events("ListStreams")) != 2 || s.Events("ListStreams")[1].ErrorCode != "AccessDenied" {
		t.Errorf("events of ListStreams: %v", s.Events("ListStreams"))
	}
}

// TestStreamFaults: throttling comes back as an error that the SDK retries, and a
// split moves new records into the children of a shard.
func TestStreamFaults(t *testing.T) {
	s := start(t, localaws.Options{Faults: localaws.Faults{Rules: []localaws.Fault{
		{Kind: localaws.FaultShardSplit, Table: "orders", Skip: 2, Count: 1},
		{Kind: localaws.FaultThrottle, Table: "orders", Operation: "GetRecords", Count: 1}}}})
	cfg := s.Config(s.RootCredentials())
	db, streams := dynamodb.NewFromConfig(cfg), dynamodbstreams.NewFromConfig(cfg,
		func(o *dynamodbstreams.Options) { o.RetryMaxAttempts = 1 })
	arn := streamedTable(t, db, "orders")
	for i := range 20 {
		key := &types.AttributeValueMemberS{Value: fmt.Sprint(i)}
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"),
			Item: map[string]types.AttributeValue{"pk": key}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readStream(t.Context(), streams, arn); code(err) != "ThrottlingException" {
		t.Errorf("throttled: %v", err)
	}
	records, err := readStream(t.Context(), streams, arn)
	if err != nil || len(records) != 20 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	d, err := streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
	if err != nil || len(d.StreamDescription.Shards) != 3 {
		t.Fatalf("%v, %v", d, err)
	}
	parent := d.StreamDescription.Shards[0]
	children, err := streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &arn,
		ShardFilter: &streamtypes.ShardFilter{Type: streamtypes.ShardFilterTypeChildShards, ShardId: parent.ShardId}})
	if err != nil || parent.SequenceNumberRange.EndingSequenceNumber == nil ||
		len(children.StreamDescription.Shards) != 2 {
		t.Errorf("%v, %v", children, err)
	}
}

// TestStreamRestart: with a data directory a stream, its records and the iterators in
// the hands of clients survive a new start.
func TestStreamRestart(t *testing.T) {
	clock := newClock()
	o := localaws.Options{DataDir: t.TempDir(), Clock: clock.Now, ShardLife: time.Hour}
	var arn string
	var iterator *string
	run := func(work func(db *dynamodb.Client, streams *dynamodbstreams.Client)) {
		t.Helper()
		s, err := localaws.New(o)
		if err != nil {
			t.Fatal(err)
		}
		cfg := s.Config(s.RootCredentials())
		work(dynamodb.NewFromConfig(cfg), dynamodbstreams.NewFromConfig(cfg))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	put := func(db *dynamodb.Client, id string) {
		t.Helper()
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"),
			Item: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: id}}}); err != nil {
			t.Fatal(err)
		}
	}
	run(func(db *dynamodb.Client, streams *dynamodbstreams.Client) {
		arn = streamedTable(t, db, "orders")
		put(db, "a")
		d, err := streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		out, err := streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn,
			ShardId: d.StreamDescription.Shards[0].ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeLatest})
		if err != nil {
			t.Fatal(err)
		}
		iterator = out.ShardIterator
	})
	run(func(db *dynamodb.Client, streams *dynamodbstreams.Client) {
		put(db, "b")
		out, err := streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
		if err != nil || len(out.Records) != 1 || out.NextShardIterator == nil {
			t.Fatalf("%v, %v", out, err)
		}
		clock.Advance(time.Hour)
		put(db, "c")
	})
	run(func(db *dynamodb.Client, streams *dynamodbstreams.Client) {
		records, err := readStream(t.Context(), streams, arn)
		var keys []string
		for _, r := range records {
			keys = append(keys, r.Dynamodb.Keys["pk"].(*streamtypes.AttributeValueMemberS).Value)
		}
		if err != nil || !slices.Equal(keys, []string{"a", "b", "c"}) {
			t.Errorf("%v, %v", keys, err)
		}
	})
}
