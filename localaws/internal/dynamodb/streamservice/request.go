// SPDX-License-Identifier: Apache-2.0

package streamservice

import (
	"math"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	minARN = 37 // characters
	maxARN = 1024
	// minShard and maxShard are the lengths of the ID of a shard.
	minShard, maxShard = 28, 65
	// minSequence and maxSequence are the lengths of a sequence number.
	minSequence, maxSequence = 21, 40
	maxIterator              = 2048
	maxStreams               = 100 // in an answer of ListStreams
	maxShards                = 100 // in an answer of DescribeStream
	maxRecords               = 1000
)

// locate takes the ARN of a stream apart.
func locate(arn string) (schema.Target, error) {
	at, ok := stream.Locate(arn)
	if !ok {
		return at, refusal.Validation("Invalid StreamArn: it is not the ARN of a stream")
	}
	return at, nil
}

// checkARN checks the ARN of a stream that may be missing.
func checkARN(c *wire.Checks, arn *string, path string) { c.Length(arn, path, minARN, maxARN) }

// named is the part of a request that names a stream.
type named struct {
	StreamArn *string

	at schema.Target // set by Prepare
}

// Check implements [wire.Checker].
func (in *named) Check(c *wire.Checks) {
	if c.Required(in.StreamArn == nil, "streamArn") {
		checkARN(c, in.StreamArn, "streamArn")
	}
}

// Prepare takes the ARN apart.
func (in *named) Prepare(*request.Call) (err error) {
	in.at, err = locate(*in.StreamArn)
	return err
}

// listStreams is a ListStreams request.
type listStreams struct {
	TableName, ExclusiveStartStreamArn *string
	Limit                              *int64

	prefix string // of the ARNs; set by Prepare
}

// Check implements [wire.Checker].
func (in *listStreams) Check(c *wire.Checks) {
	if in.TableName != nil {
		in.table().Check(c)
	}
	checkARN(c, in.ExclusiveStartStreamArn, "exclusiveStartStreamArn")
	c.Between(in.Limit, "limit", 1, maxStreams)
}

func (in *listStreams) table() *input.Table { return &input.Table{TableName: in.TableName} }

// Prepare finds out where the streams are.
func (in *listStreams) Prepare(c *request.Call) error {
	if in.ExclusiveStartStreamArn != nil {
		if _, err := locate(*in.ExclusiveStartStreamArn); err != nil {
			return err
		}
	}
	in.prefix = schema.TableARN(wire.PlaceOf(c), "")
	if in.TableName == nil {
		return nil
	}
	table := in.table()
	if err := table.Prepare(c); err != nil {
		return err
	}
	in.prefix = schema.StreamARN(table.Target().ARN, "")
	return nil
}

func (in *listStreams) after() string { return textOf(in.ExclusiveStartStreamArn) }

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// limit returns the number that a request asks for, or the default.
func limit(n *int64, most int) int {
	if n == nil {
		return most
	}
	return int(*n)
}

// describeStream is a DescribeStream request.
type describeStream struct {
	named
	ExclusiveStartShardId *string
	Limit                 *int64
	ShardFilter           *struct{ Type, ShardId *string }
}

// Check implements [wire.Checker].
func (in *describeStream) Check(c *wire.Checks) {
	in.named.Check(c)
	c.Length(in.ExclusiveStartShardId, "exclusiveStartShardId", minShard, maxShard)
	c.Between(in.Limit, "limit", 1, maxShards)
	if f := in.ShardFilter; f != nil {
		c.Enum(f.Type, "shardFilter.type", "CHILD_SHARDS")
		c.Length(f.ShardId, "shardFilter.shardId", minShard, maxShard)
	}
}

// Prepare checks the members together.
func (in *describeStream) Prepare(c *request.Call) error {
	if f := in.ShardFilter; f != nil && (f.Type == nil || f.ShardId == nil) {
		return refusal.Validation("ShardFilter must have a Type and a ShardId")
	}
	return in.named.Prepare(c)
}

// getShardIterator is a GetShardIterator request.
type getShardIterator struct {
	named
	ShardId, ShardIteratorType, SequenceNumber *string
	Timestamp                                  *float64

	sequence uint64    // set by Prepare
	since    time.Time // set by Prepare
}

// The types of iterators.
const (
	trimHorizon         = "TRIM_HORIZON"
	latest              = "LATEST"
	atSequenceNumber    = "AT_SEQUENCE_NUMBER"
	afterSequenceNumber = "AFTER_SEQUENCE_NUMBER"
	atTimestamp         = "AT_TIMESTAMP"
)

// Check implements [wire.Checker].
func (in *getShardIterator) Check(c *wire.Checks) {
	in.named.Check(c)
	if c.Required(in.ShardId == nil, "shardId") {
		c.Length(in.ShardId, "shardId", minShard, maxShard)
	}
	if c.Required(in.ShardIteratorType == nil, "shardIteratorType") {
		c.Enum(in.ShardIteratorType, "shardIteratorType", afterSequenceNumber, latest, atSequenceNumber, trimHorizon,
			atTimestamp)
	}
	c.Length(in.SequenceNumber, "sequenceNumber", minSequence, maxSequence)
}

// Prepare checks the members together.
func (in *getShardIterator) Prepare(c *request.Call) error {
	kind := *in.ShardIteratorType
	numbered := kind == atSequenceNumber || kind == afterSequenceNumber
	switch {
	case numbered && in.SequenceNumber == nil:
		return refusal.Validation("SequenceNumber is required for ShardIteratorType " + kind)
	case !numbered && in.SequenceNumber != nil:
		return refusal.Validation("SequenceNumber must not be specified for ShardIteratorType " + kind)
	case kind == atTimestamp && in.Timestamp == nil:
		return refusal.Validation("Timestamp is required for ShardIteratorType " + kind)
	case kind != atTimestamp && in.Timestamp != nil:
		return refusal.Validation("Timestamp must not be specified for ShardIteratorType " + kind)
	}
	if numbered {
		var ok bool
		if in.sequence, ok = stream.ParseSequence(*in.SequenceNumber); !ok {
			return refusal.Validation("Invalid SequenceNumber: it is not the number of a record")
		}
	}
	if kind == atTimestamp {
		in.since = instant(*in.Timestamp)
	}
	return in.named.Prepare(c)
}

// instant returns the time of a number of seconds, of which milliseconds count.
func instant(seconds float64) time.Time {
	const far = 1 << 40 // seconds: beyond every clock, and its milliseconds fit
	return time.UnixMilli(int64(math.Round(min(max(seconds, 0), far) * 1000)))
}

// getRecords is a GetRecords request.
type getRecords struct {
	ShardIterator *string
	Limit         *int64

	from stream.Iterator // set by Prepare
	at   schema.Target   // set by Prepare
}

// Check implements [wire.Checker].
func (in *getRecords) Check(c *wire.Checks) {
	if c.Required(in.ShardIterator == nil, "shardIterator") {
		c.Length(in.ShardIterator, "shardIterator", 1, maxIterator)
	}
	c.Between(in.Limit, "limit", 1, maxRecords)
}

// Prepare reads the iterator.
func (in *getRecords) Prepare(*request.Call) error {
	invalid := refusal.Validation("Invalid ShardIterator")
	var ok bool
	if in.from, ok = stream.ParseIterator(*in.ShardIterator); !ok || strings.Contains(in.from.Shard, "|") {
		return invalid
	}
	var err error
	if in.at, err = locate(in.from.Stream); err != nil {
		return invalid
	}
	return nil
}
