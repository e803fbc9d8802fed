// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/envelope"
)

// fakeStreams is a client of streams whose shards and failures a test writes
// down, for what the embedded AWS does not do at a test's word.
type fakeStreams struct {
	t  testing.TB
	mu sync.Mutex
	// streams are in the order of their labels.
	streams []*fakeStream
	// failures are taken one by one, by operation; nil lets a call pass.
	failures map[string][]error
	calls    map[string]int
}

type fakeStream struct {
	label    string
	disabled bool
	shards   []*fakeShard
}

type fakeShard struct {
	id, parent string
	closed     bool
	trimmed    int // records up to this sequence number are gone
	records    []streamtypes.Record
}

const fakeARN = "arn:aws:dynamodb:us-east-1:123456789012:table/patients/stream/"

func (f *fakeStreams) call(operation string) error {
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[operation]++
	queue := f.failures[operation]
	if len(queue) == 0 {
		return nil
	}
	f.failures[operation] = queue[1:]
	return queue[0]
}

func (f *fakeStreams) find(arn string) *fakeStream {
	for _, s := range f.streams {
		if fakeARN+s.label == arn {
			return s
		}
	}
	return &fakeStream{}
}

func (s *fakeStream) shard(id string) *fakeShard {
	i := slices.IndexFunc(s.shards, func(s *fakeShard) bool { return s.id == id })
	if i < 0 {
		return nil
	}
	return s.shards[i]
}

// ListStreams pages by one stream.
func (f *fakeStreams) ListStreams(_ context.Context, in *dynamodbstreams.ListStreamsInput,
	_ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.ListStreamsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("ListStreams"); err != nil {
		return nil, err
	}
	out := &dynamodbstreams.ListStreamsOutput{}
	for _, s := range f.streams {
		arn := fakeARN + s.label
		if arn > aws.ToString(in.ExclusiveStartStreamArn) {
			out.Streams = []streamtypes.Stream{{StreamArn: &arn, TableName: in.TableName}}
			out.LastEvaluatedStreamArn = &arn
			break
		}
	}
	return out, nil
}

// DescribeStream pages by one shard.
func (f *fakeStreams) DescribeStream(_ context.Context, in *dynamodbstreams.DescribeStreamInput,
	_ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("DescribeStream"); err != nil {
		return nil, err
	}
	s := f.find(*in.StreamArn)
	d := &streamtypes.StreamDescription{StreamStatus: streamtypes.StreamStatusEnabled}
	if s.disabled {
		d.StreamStatus = streamtypes.StreamStatusDisabled
	}
	after := aws.ToString(in.ExclusiveStartShardId)
	at := 1 + slices.IndexFunc(s.shards, func(s *fakeShard) bool { return s.id == after })
	if at < len(s.shards) {
		shard := streamtypes.Shard{ShardId: &s.shards[at].id}
		if s.shards[at].parent != "" {
			shard.ParentShardId = &s.shards[at].parent
		}
		d.Shards = []streamtypes.Shard{shard}
		if at+1 < len(s.shards) {
			d.LastEvaluatedShardId = &s.shards[at].id
		}
	}
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: d}, nil
}

// GetShardIterator returns "arn|shard|next sequence number|from".
func (f *fakeStreams) GetShardIterator(_ context.Context, in *dynamodbstreams.GetShardIteratorInput,
	_ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("GetShardIterator"); err != nil {
		return nil, err
	}
	shard := f.find(*in.StreamArn).shard(*in.ShardId)
	if shard == nil {
		return nil, &streamtypes.ResourceNotFoundException{}
	}
	next := shard.trimmed + 1
	switch in.ShardIteratorType {
	case streamtypes.ShardIteratorTypeAfterSequenceNumber:
		after, _ := strconv.Atoi(*in.SequenceNumber)
		if after < shard.trimmed {
			return nil, &streamtypes.TrimmedDataAccessException{}
		}
		next = after + 1
	case streamtypes.ShardIteratorTypeAtTimestamp:
		if in.Timestamp.After(time.Now()) {
			return nil, &smithy.GenericAPIError{Code: "ValidationException", Fault: smithy.FaultClient}
		}
		for _, r := range shard.records {
			if sequence(r) >= next && r.Dynamodb.ApproximateCreationDateTime.Before(*in.Timestamp) {
				next = sequence(r) + 1
			}
		}
	}
	return &dynamodbstreams.GetShardIteratorOutput{
		ShardIterator: aws.String(fmt.Sprintf("%s|%s|%d", *in.StreamArn, shard.id, next))}, nil
}

func sequence(r streamtypes.Record) int {
	n, _ := strconv.Atoi(*r.Dynamodb.SequenceNumber)
	return n
}

// GetRecords gives two records at a time.
func (f *fakeStreams) GetRecords(_ context.Context, in *dynamodbstreams.GetRecordsInput,
	_ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call("GetRecords"); err != nil {
		return nil, err
	}
	parts := strings.Split(*in.ShardIterator, "|")
	shard := f.find(parts[0]).shard(parts[1])
	if shard == nil {
		return nil, &streamtypes.ResourceNotFoundException{}
	}
	next, _ := strconv.Atoi(parts[2])
	if next <= shard.trimmed {
		return nil, &streamtypes.TrimmedDataAccessException{}
	}
	out := &dynamodbstreams.GetRecordsOutput{}
	for _, r := range shard.records {
		if sequence(r) >= next && len(out.Records) < 2 {
			out.Records, next = append(out.Records, r), sequence(r)+1
		}
	}
	if !shard.closed || len(shard.records) > 0 && next <= sequence(shard.records[len(shard.records)-1]) {
		out.NextShardIterator = aws.String(fmt.Sprintf("%s|%s|%d", parts[0], parts[1], next))
	}
	return out, nil
}

// put adds records of new patients with these sequence numbers; the ids are
// "patient-<number>".
func (s *fakeShard) put(t testing.TB, e *envelope.ItemEncryptor, numbers ...int) *fakeShard {
	t.Helper()
	for _, n := range numbers {
		stored := must(e.EncryptItem(t.Context(), plainPatient(aPatient(n))))(t)
		image := sdk(t, stored)
		s.records = append(s.records, streamtypes.Record{EventName: "INSERT", Dynamodb: &streamtypes.StreamRecord{
			Keys:     map[string]streamtypes.AttributeValue{"id": image["id"]},
			NewImage: image, SequenceNumber: aws.String(strconv.Itoa(n)),
			StreamViewType:              streamtypes.StreamViewTypeNewAndOldImages,
			ApproximateCreationDateTime: aws.Time(time.Now())}})
	}
	return s
}
