// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/store/internal/pace"
)

// shard handles a shard until it ends, or until ctx does.
func (f *follower[T]) shard(ctx context.Context, stream, id string) error {
	f.mu.Lock()
	at, begun := f.positions[id]
	f.mu.Unlock()
	if !begun {
		at = Position{Stream: stream, Shard: id}
		if err := f.save(ctx, at); err != nil {
			return err
		}
	}
	r := &reader{client: f.client, at: at}
	defer f.stats.at(id, time.Time{})
	for failures := 0; ; {
		idle, err := f.turn(ctx, r)
		switch {
		case err == nil:
			failures = 0
		case ctx.Err() != nil:
			return ctx.Err()
		case r.ended:
			return err
		default:
			if failures++; failures > maxFailures {
				return fmt.Errorf("shard %s: %d reads in a row failed: %w", id, failures, err)
			}
			if err := pause(ctx, failures); err != nil {
				return err
			}
			continue
		}
		if r.at.Done {
			return nil
		}
		if idle {
			if err := sleep(ctx, f.poll); err != nil {
				return err
			}
		}
	}
}

// turn reads and handles one page of a shard. idle reports that it was empty.
// An error after which r has not ended can be tried again.
func (f *follower[T]) turn(ctx context.Context, r *reader) (idle bool, err error) {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-f.slots }()
	began := time.Now().UnixNano()
	records, err := r.read(ctx)
	if err != nil {
		return false, f.readFailed(ctx, r, err)
	}
	if len(records) == 0 {
		f.stats.at(r.at.Shard, time.Time{})
		if r.next == "" {
			r.ended, r.at.Done = true, true
			return false, f.save(ctx, r.at)
		}
		f.mu.Lock()
		f.empty[r.at.Shard] = began
		f.mu.Unlock()
		return true, nil
	}
	f.busy.Add(1)
	before := r.at
	err = f.page(ctx, r, records)
	f.touch()
	f.busy.Add(-1)
	if err != nil {
		r.ended = true
	} else if r.next == "" {
		r.ended, r.at.Done = true, true
	}
	if r.at != before {
		if bad := f.save(ctx, r.at); bad != nil {
			r.ended = true
			err = errors.Join(err, bad)
		}
	}
	return false, err
}

// page decodes and handles the records of one answer.
func (f *follower[T]) page(ctx context.Context, r *reader, records []streamtypes.Record) error {
	if !r.at.Since.IsZero() {
		older := r.at.Since.Truncate(time.Second)
		for len(records) > 0 && records[0].Dynamodb != nil &&
			aws.ToTime(records[0].Dynamodb.ApproximateCreationDateTime).Before(older) {
			r.at.Sequence = aws.ToString(records[0].Dynamodb.SequenceNumber)
			records = records[1:]
		}
	}
	all := Stream(records)
	i := -1
	for c, err := range Decode(ctx, f.table, all) {
		i++
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.stats.at(r.at.Shard, c.At)
		if err := f.record(ctx, c, err, all[i:i+1]); err != nil {
			return err
		}
		if c.Sequence != "" {
			r.at.Sequence, r.at.Since = c.Sequence, time.Time{}
		}
	}
	return nil
}

// readFailed says what to do about a failed read: nil if it is mended.
func (f *follower[T]) readFailed(ctx context.Context, r *reader, err error) error {
	var expired *streamtypes.ExpiredIteratorException
	var trimmed *streamtypes.TrimmedDataAccessException
	var missing *streamtypes.ResourceNotFoundException
	at := r.at
	switch {
	case ctx.Err() != nil:
		return err
	case errors.As(err, &expired):
		f.stats.add(func(c *Counts) { c.Expired++ })
		r.next = "" // the position is where it goes on
		return nil
	case errors.As(err, &trimmed):
		if err := f.missed(ctx, &GapError{Stream: at.Stream, Shard: at.Shard, After: at.Sequence,
			Reason: "DynamoDB removed records before they were read"}); err != nil {
			r.ended = true
			return err
		}
		r.next, r.at.Sequence, r.at.Since = "", "", time.Time{}
		return nil
	case errors.As(err, &missing):
		r.ended = true
		if err := f.missed(ctx, &GapError{Stream: at.Stream, Shard: at.Shard, After: at.Sequence,
			Reason: "DynamoDB removed the shard before it was handled to its end"}); err != nil {
			return err
		}
		r.at.Done = true
		return f.save(ctx, r.at)
	case !passing(err):
		r.ended = true
		return fmt.Errorf("shard %s: %w", at.Shard, err)
	case throttled(err):
		f.stats.add(func(c *Counts) { c.Throttled++ })
	default:
		f.stats.add(func(c *Counts) { c.Failed++ })
	}
	f.touch()   // the shard may have records
	r.next = "" // the answer may be lost
	return err
}

// reader reads the pages of a shard.
type reader struct {
	client StreamsClient
	at     Position
	next   string // iterator; "": begin at the position
	ended  bool
}

// read returns the next records. Where the shard is at its end, next is empty
// afterwards.
func (r *reader) read(ctx context.Context) ([]streamtypes.Record, error) {
	if r.next == "" {
		if err := r.open(ctx); err != nil {
			return nil, err
		}
	}
	out, err := r.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: &r.next})
	if err != nil {
		return nil, err
	}
	r.next = aws.ToString(out.NextShardIterator)
	return out.Records, nil
}

// open asks for an iterator at the position.
func (r *reader) open(ctx context.Context) error {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &r.at.Stream, ShardId: &r.at.Shard,
		ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon}
	switch {
	case r.at.Sequence != "":
		in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAfterSequenceNumber, &r.at.Sequence
	case !r.at.Since.IsZero():
		in.ShardIteratorType = streamtypes.ShardIteratorTypeAtTimestamp
		in.Timestamp = aws.Time(r.at.Since.Truncate(time.Second))
	}
	out, err := r.client.GetShardIterator(ctx, in)
	if err != nil && in.Timestamp != nil && invalid(err) {
		// A server without AT_TIMESTAMP, or with a clock behind this one: read all,
		// and leave out what is older.
		in.ShardIteratorType, in.Timestamp = streamtypes.ShardIteratorTypeTrimHorizon, nil
		out, err = r.client.GetShardIterator(ctx, in)
	}
	if err != nil {
		return err
	}
	if r.next = aws.ToString(out.ShardIterator); r.next == "" {
		return errors.New("the answer has no iterator")
	}
	return nil
}

func invalid(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationException"
}

func throttled(err error) bool {
	var limit *streamtypes.LimitExceededException
	return errors.As(err, &limit) || retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}.
		IsErrorThrottle(err) == aws.TrueTernary
}

// passing reports whether a failed call may succeed later: everything except
// what the service calls a mistake of the caller.
func passing(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	return api.ErrorFault() != smithy.FaultClient && !clientFault(err) || throttled(err)
}

// clientFault reports an answer with status 4xx.
func clientFault(err error) bool {
	var answer interface{ HTTPStatusCode() int }
	return errors.As(err, &answer) && answer.HTTPStatusCode() >= 400 && answer.HTTPStatusCode() < 500
}

// pause waits before another attempt, after n that failed.
func pause(ctx context.Context, n int) error {
	d := longestPause
	if n < 8 {
		d = min(d, firstPause<<(n-1))
	}
	return pace.Sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
