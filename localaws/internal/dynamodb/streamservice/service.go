// SPDX-License-Identifier: Apache-2.0

package streamservice

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Config is what a Service stands on. Every member must be set.
type Config struct {
	Clock      func() time.Time
	Store      storage.Store
	Authorizer request.Authorizer
	Streams    *stream.Book
	// Enter asks KMS whether the caller may use the key of a stream, makes the
	// records of the stream readable, and brings the stream up to the time.
	Enter func(ctx context.Context, c *request.Call, of *stream.Stream) error
	// Tend does what time alone does to a stream.
	Tend func(of *stream.Stream) error
	// Throttled reports whether a call of an operation on the stream of a table is
	// to be refused.
	Throttled func(table, operation string) bool
}

// Service is DynamoDB Streams for all accounts and Regions. Its methods may be called
// at the same time.
type Service struct{ cfg Config }

var _ request.Service = (*Service)(nil)

// New returns the service on cfg.
func New(cfg Config) *Service { return &Service{cfg} }

type op[In any] = wire.Op[*Service, In, []byte]

var operations = wire.NewTable(&wire.JSON{},
	op[listStreams]{Name: "ListStreams", Kind: wire.Read, Authorize: (*Service).allowList, Serve: (*Service).list},
	op[describeStream]{Name: "DescribeStream", Kind: wire.Read, Authorize: (*Service).allowDescribe,
		Serve: (*Service).describe},
	op[getShardIterator]{Name: "GetShardIterator", Kind: wire.ReadItems, Authorize: (*Service).allowIterator,
		Serve: (*Service).iterator},
	op[getRecords]{Name: "GetRecords", Kind: wire.ReadItems, Authorize: (*Service).allowRecords,
		Serve: (*Service).records},
)

// Serve answers one call.
func (s *Service) Serve(ctx context.Context, c *request.Call) ([]byte, error) {
	if _, ok := operations.Describe(c.Operation); !ok {
		return nil, refusal.Unsupported(c.Operation, "an operation of this name")
	}
	out, err := operations.Serve(ctx, s, c)
	if e, ok := err.(*request.Error); ok && e.Code == "AccessDeniedException" && e.Namespace == "" {
		e.Namespace = wire.NamespaceService
	}
	return out, err
}

// Describe tells the front door about an operation.
func (s *Service) Describe(name string) (request.Operation, bool) { return operations.Describe(name) }

// Coverage returns which operations are served.
func (s *Service) Coverage() wire.Coverage { return operations.Coverage() }

type jsonObject = map[string]any

// allow asks for the call's own action on a stream, which need not exist.
func (s *Service) allow(ctx context.Context, c *request.Call, at schema.Target) error {
	c.Trail.Resources = append(c.Trail.Resources, request.Resource{ARN: at.ARN, AccountID: at.Account,
		Type: "AWS::DynamoDB::Stream"})
	return request.Require(ctx, s.cfg.Authorizer, c, request.Check{Action: "dynamodb:" + c.Operation, Resource: at.ARN,
		ResourceAccountID: at.Account, Context: policy.Context{}, ResourcePolicy: s.policy(c, at),
		Mode: policy.ModeOrdinary})
}

// policy returns the policy of a stream, nil if there is no stream or no policy.
func (s *Service) policy(c *request.Call, at schema.Target) *policy.Document {
	found, err := s.find(c, at)
	if err != nil {
		return nil
	}
	return found.Table().Policy.Evaluated()
}

// find finds the stream of an authorized request. A stream is only reachable through
// the endpoint of its own Region.
func (s *Service) find(c *request.Call, at schema.Target) (*stream.Stream, error) {
	if found := s.cfg.Streams.Find(at.ARN); found != nil && at.Region == c.Region {
		return found, nil
	}
	return nil, stream.NotFound(at.ARN)
}

// throttle refuses a call on a stream that was found, if it is to be refused.
func (s *Service) throttle(c *request.Call, at schema.Target) error {
	if !s.cfg.Throttled(at.Name, c.Operation) {
		return nil
	}
	return request.Errorf("ThrottlingException", "Rate exceeded for stream %s", at.ARN)
}

func (s *Service) allowList(ctx context.Context, c *request.Call, in *listStreams) error {
	c.Trail.RequestParameters = struct {
		TableName *string `json:"tableName,omitempty"`
	}{in.TableName}
	return request.Require(ctx, s.cfg.Authorizer, c, request.Check{Action: "dynamodb:ListStreams", Resource: "*",
		ResourceAccountID: c.AccountID, Context: policy.Context{}, Mode: policy.ModeOrdinary})
}

func (s *Service) list(_ context.Context, _ *request.Call, in *listStreams) ([]byte, error) {
	page, next := wire.Page(s.cfg.Streams.List(in.prefix), func(s *stream.Stream) string { return s.ARN }, in.after(),
		limit(in.Limit, maxStreams))
	list := []jsonObject{}
	for _, found := range page {
		table := found.Table()
		list = append(list, jsonObject{"StreamArn": found.ARN, "TableName": table.Name,
			"StreamLabel": table.Stream.Label})
	}
	out := jsonObject{"Streams": list}
	if next != "" {
		out["LastEvaluatedStreamArn"] = next
	}
	return json.Marshal(out)
}

func (s *Service) allowDescribe(ctx context.Context, c *request.Call, in *describeStream) error {
	c.Trail.RequestParameters = struct {
		StreamARN string `json:"streamArn"`
	}{in.at.ARN}
	return s.allow(ctx, c, in.at)
}

func (s *Service) describe(_ context.Context, c *request.Call, in *describeStream) ([]byte, error) {
	found, err := s.find(c, in.at)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Tend(found); err != nil {
		return nil, err
	}
	d := found.Describe(s.cfg.Clock())
	shards, more := in.page(d.Shards)
	list := []jsonObject{}
	for _, shard := range shards {
		list = append(list, describeShard(shard))
	}
	table := d.Table
	out := jsonObject{"StreamArn": found.ARN, "StreamLabel": table.Stream.Label, "StreamStatus": d.Status,
		"StreamViewType": table.Stream.View, "CreationRequestDateTime": float64(d.Created.UnixMilli()) / 1000,
		"TableName": table.Name, "KeySchema": describeKey(&table.Key), "Shards": list}
	if more {
		out["LastEvaluatedShardId"] = shards[len(shards)-1].ID
	}
	return json.Marshal(jsonObject{"StreamDescription": out})
}

// page returns the shards that the request asks for, and whether there are more.
func (in *describeStream) page(shards []stream.Shard) ([]stream.Shard, bool) {
	if f := in.ShardFilter; f != nil {
		shards = slices.DeleteFunc(shards, func(shard stream.Shard) bool { return shard.Parent != *f.ShardId })
	}
	if start := in.ExclusiveStartShardId; start != nil {
		at := slices.IndexFunc(shards, func(shard stream.Shard) bool { return shard.ID == *start })
		if at < 0 {
			return nil, false
		}
		shards = shards[at+1:]
	}
	n := min(limit(in.Limit, maxShards), len(shards))
	return shards[:n], n < len(shards)
}

func describeShard(shard stream.Shard) jsonObject {
	numbers := jsonObject{"StartingSequenceNumber": stream.FormatSequence(shard.First)}
	if shard.Last != 0 {
		numbers["EndingSequenceNumber"] = stream.FormatSequence(shard.Last)
	}
	out := jsonObject{"ShardId": shard.ID, "SequenceNumberRange": numbers}
	if shard.Parent != "" {
		out["ParentShardId"] = shard.Parent
	}
	return out
}

func describeKey(k *schema.Key) []jsonObject {
	out := []jsonObject{{"AttributeName": k.Partition.Name, "KeyType": "HASH"}}
	if k.HasSort() {
		out = append(out, jsonObject{"AttributeName": k.Sort.Name, "KeyType": "RANGE"})
	}
	return out
}

// trailIterator are the parameters of GetShardIterator in the audit event.
type trailIterator struct {
	StreamARN         string `json:"streamArn"`
	ShardID           string `json:"shardId"`
	ShardIteratorType string `json:"shardIteratorType"`
}

func (s *Service) allowIterator(ctx context.Context, c *request.Call, in *getShardIterator) error {
	c.Trail.RequestParameters = trailIterator{in.at.ARN, *in.ShardId, *in.ShardIteratorType}
	return s.allow(ctx, c, in.at)
}

func (s *Service) iterator(_ context.Context, c *request.Call, in *getShardIterator) ([]byte, error) {
	found, err := s.find(c, in.at)
	if err != nil {
		return nil, err
	}
	if err := s.throttle(c, in.at); err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	i := stream.Iterator{Stream: found.ARN, Shard: *in.ShardId, Issued: now}
	switch *in.ShardIteratorType {
	case trimHorizon:
		i.Position, err = found.Oldest(i.Shard, now)
	case latest:
		i.Position, err = found.Latest(i.Shard, now)
	case atTimestamp:
		if in.since.After(now) {
			return nil, refusal.Validation("Timestamp must not be in the future")
		}
		i.Position, err = found.From(i.Shard, in.since, now)
	default:
		i.Position, err = found.At(i.Shard, in.sequence, *in.ShardIteratorType == afterSequenceNumber, now)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"ShardIterator": i.String()})
}

func (s *Service) allowRecords(ctx context.Context, c *request.Call, in *getRecords) error {
	c.Trail.RequestParameters = struct {
		ShardIterator string `json:"shardIterator"`
	}{*in.ShardIterator}
	return s.allow(ctx, c, in.at)
}

func (s *Service) records(ctx context.Context, c *request.Call, in *getRecords) ([]byte, error) {
	found, err := s.find(c, in.at)
	if err != nil {
		return nil, err
	}
	if now := s.cfg.Clock(); in.from.Expired(now) {
		return nil, request.Errorf("ExpiredIteratorException", "Iterator expired. The iterator was created at time %s "+
			"while right now it is %s, which is further in the future than the tolerated delay of %d milliseconds.",
			in.from.Issued.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339),
			stream.IteratorLife.Milliseconds())
	}
	if err := s.throttle(c, in.at); err != nil {
		return nil, err
	}
	if err := s.cfg.Enter(ctx, c, found); err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	got, err := found.Read(in.from.Shard, in.from.Position, limit(in.Limit, maxRecords), now)
	if err != nil {
		return nil, err
	}
	// A record tells of a change that a crash must not undo.
	if err := s.cfg.Store.Submit(new(storage.Tx)).Wait(); err != nil {
		return nil, refusal.Internal(err)
	}
	out := append(make([]byte, 0, 1024), `{"Records":[`...)
	for n, r := range got.Records {
		if n > 0 {
			out = append(out, ',')
		}
		out = appendRecord(out, found, r, in.at.Region)
	}
	out = append(out, ']')
	if !got.End {
		next := stream.Iterator{Stream: found.ARN, Shard: in.from.Shard, Position: got.Next, Issued: now}
		out = schema.AppendText(append(out, `,"NextShardIterator":`...), next.String())
	}
	return append(out, '}'), nil
}

// appendRecord appends a record as GetRecords answers it.
func appendRecord(dst []byte, of *stream.Stream, r *stream.Record, region string) []byte {
	dst = append(append(dst, `{"eventID":"`...), r.EventID(of.ARN)...)
	dst = append(append(dst, `","eventName":"`...), r.Kind.String()...)
	dst = append(append(dst, `","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"`...), region...)
	dst = append(dst, `","dynamodb":{"ApproximateCreationDateTime":`...)
	dst = strconv.AppendInt(dst, r.At.Unix(), 10)
	dst = schema.AppendItem(append(dst, `,"Keys":`...), r.Keys)
	if r.New != nil {
		dst = schema.AppendItem(append(dst, `,"NewImage":`...), r.New)
	}
	if r.Old != nil {
		dst = schema.AppendItem(append(dst, `,"OldImage":`...), r.Old)
	}
	dst = append(append(dst, `,"SequenceNumber":"`...), stream.FormatSequence(r.Sequence)...)
	dst = strconv.AppendInt(append(dst, `","SizeBytes":`...), int64(r.Size()), 10)
	dst = append(append(dst, `,"StreamViewType":"`...), of.Table().Stream.View...)
	dst = append(dst, `"}`...)
	if r.Expired {
		dst = append(dst, `,"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}`...)
	}
	return append(dst, '}')
}
