// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/internal/tablename"
)

// StreamsClient is the part of *dynamodbstreams.Client that [Follow] uses.
type StreamsClient interface {
	ListStreams(context.Context, *dynamodbstreams.ListStreamsInput,
		...func(*dynamodbstreams.Options)) (*dynamodbstreams.ListStreamsOutput, error)
	DescribeStream(context.Context, *dynamodbstreams.DescribeStreamInput,
		...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(context.Context, *dynamodbstreams.GetShardIteratorInput,
		...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(context.Context, *dynamodbstreams.GetRecordsInput,
		...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

var _ StreamsClient = (*dynamodbstreams.Client)(nil)

// Follow reads the stream of a table and calls handle for each change, until ctx
// ends. Run it in one process at a time.
//
// Follow passes each change to handle at least once: after a crash, the changes
// since the last checkpoint come again. The changes of one key come in order,
// one after the other. Changes of different keys are handled in parallel if
// they are in different shards. Follow starts a shard when it is done with the
// parent of the shard. It skips records of other entity types than T after they
// verified.
//
// If handle returns an error, Follow tries the change again; see [Attempts].
// Then it passes the error to the function of [Poison], or ends. A panic of
// handle is a failure that matches [ErrHandler]. A call that does not return
// ends Follow; see [HandlerTimeout].
//
// Follow repeats calls that DynamoDB throttled and calls whose connection was
// lost, and renews expired iterators. If DynamoDB removed records before they
// were read, [OnGap] decides. When the stream is disabled, Follow handles the
// records that are left in it. Then it continues with the table's next stream
// after a gap, or ends with [ErrNoStream] if there is none.
//
// When ctx ends, Follow waits for the running calls of handle and returns an
// error that matches the context's. Other errors: [ErrNoStream], a [*GapError],
// a [*RecordError], [ErrHandler], [ErrTakenOver], [ErrCheckpoint],
// [store.ErrConfiguration], and the client's.
func Follow[T any](ctx context.Context, client StreamsClient, table Table[T],
	handle func(context.Context, Change[T]) error, options ...Option) error {
	if client == nil || table == nil || handle == nil {
		return fmt.Errorf("%w: Follow needs a client, a table and a handler", store.ErrConfiguration)
	}
	s, err := newSettings(options)
	if err != nil {
		return err
	}
	name, err := tablename.Parse(table.Name())
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrConfiguration, err)
	}
	f := &follower[T]{settings: s, client: client, table: table, name: name, handle: handle,
		slots: make(chan struct{}, s.parallel), positions: map[string]Position{}, empty: map[string]int64{}}
	f.touch()
	return f.run(ctx)
}

// follower is one call of Follow.
type follower[T any] struct {
	*settings
	client StreamsClient
	table  Table[T]
	name   string
	handle func(context.Context, Change[T]) error
	slots  chan struct{} // bounds the shards that work at a time
	active atomic.Int64  // when a record came last, in Unix nanoseconds
	busy   atomic.Int64  // pages that are being handled

	mu        sync.Mutex
	positions map[string]Position // of the current stream, by shard
	empty     map[string]int64    // when the last read that found nothing began, by shard
}

// errIdle ends a follower that UntilIdle asked to end.
var errIdle = errors.New("no records for the time of UntilIdle")

// quiet reports whether each running shard was read since the last record came,
// and had none: a read that takes long is not a stream without records.
func (f *follower[T]) quiet(running map[string]bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for shard := range running {
		if f.empty[shard] < f.active.Load() {
			return false
		}
	}
	return true
}

func (f *follower[T]) touch() { f.active.Store(time.Now().UnixNano()) }

func (f *follower[T]) fail(err error) error {
	return fmt.Errorf("follow the stream of table %s: %w", f.name, err)
}

// run follows one stream after the other.
func (f *follower[T]) run(ctx context.Context) error {
	saved, err := f.checkpoint.Load(ctx)
	if err != nil {
		return f.fail(err)
	}
	var since time.Time
	if f.since != nil {
		since = f.since()
	}
	last := ""
	for {
		stream, gap, err := f.next(ctx, saved, last)
		switch {
		case err != nil:
			return f.fail(err)
		case stream == "":
			return f.fail(ErrNoStream)
		}
		var obsolete []Position // of streams before this one
		for _, p := range saved {
			if p.Stream != stream {
				obsolete = append(obsolete, p)
			}
		}
		for _, p := range f.known() {
			obsolete = append(obsolete, p)
		}
		if gap {
			if err := f.missed(ctx, &GapError{Stream: stream, Reason: "the stream before it was disabled and " +
				"another one enabled, and what changed in between is in neither"}); err != nil {
				return f.fail(err)
			}
		}
		clear(f.positions)
		for _, p := range saved {
			if p.Stream == stream {
				f.positions[p.Shard] = p
			}
		}
		if len(saved) > 0 || last != "" {
			since = time.Time{} // it was for the beginning
		}
		if err := f.stream(ctx, stream, since, obsolete); err != nil {
			if errors.Is(err, errIdle) {
				return nil
			}
			return f.fail(err)
		}
		last = stream
	}
}

// next returns the stream to follow after last, which was handled to its end;
// "" if there is none. It is the newest one at the very beginning. gap reports
// that changes before it are missing.
func (f *follower[T]) next(ctx context.Context, saved []Position, last string) (next string, gap bool, err error) {
	var streams []string
	in := &dynamodbstreams.ListStreamsInput{TableName: &f.name}
	for {
		out, err := f.client.ListStreams(ctx, in)
		if err != nil {
			return "", false, err
		}
		for _, s := range out.Streams {
			if aws.ToString(s.TableName) == f.name {
				streams = append(streams, aws.ToString(s.StreamArn))
			}
		}
		if in.ExclusiveStartStreamArn = out.LastEvaluatedStreamArn; in.ExclusiveStartStreamArn == nil {
			break
		}
	}
	slices.SortFunc(streams, func(a, b string) int { return strings.Compare(label(a), label(b)) })
	if last != "" {
		i := slices.IndexFunc(streams, func(s string) bool { return label(s) > label(last) })
		if i < 0 {
			return "", false, nil
		}
		return streams[i], true, nil
	}
	oldest := ""
	for _, p := range saved {
		if oldest == "" || label(p.Stream) < label(oldest) {
			oldest = p.Stream
		}
	}
	switch {
	case len(streams) == 0:
		return "", false, nil
	case oldest == "":
		return streams[len(streams)-1], false, nil
	case slices.Contains(streams, oldest):
		return oldest, false, nil
	}
	// DynamoDB does not keep the stream any more.
	i := slices.IndexFunc(streams, func(s string) bool { return label(s) > label(oldest) })
	if i < 0 {
		return "", false, nil
	}
	return streams[i], true, nil
}

// label returns the time in a stream's ARN, which sorts.
func label(arn string) string {
	_, l, _ := strings.Cut(arn, "/stream/")
	return l
}

// missed reports a gap.
func (f *follower[T]) missed(ctx context.Context, gap *GapError) error {
	gap.Table = f.name
	f.stats.add(func(c *Counts) { c.Gaps++ })
	if f.gap == nil {
		return gap
	}
	return f.gap(ctx, gap)
}

// shardEnd is how the work on a shard ended.
type shardEnd struct {
	shard string
	err   error
}

// stream follows one stream until it is disabled and handled to its end.
func (f *follower[T]) stream(ctx context.Context, stream string, since time.Time, obsolete []Position) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	ends := make(chan shardEnd)
	running := map[string]bool{}
	defer func() {
		cancel()
		for range running { // let them save their positions
			if end := <-ends; err == nil || errors.Is(err, context.Canceled) && end.err != nil {
				err = end.err
			}
		}
	}()
	resumed, first := len(f.positions) > 0, true
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		shards, open, err := f.shards(ctx, stream)
		if err != nil {
			return err
		}
		if first && len(shards) > 0 {
			first = false
			if err := f.begin(ctx, stream, shards, since, resumed, obsolete); err != nil {
				return err
			}
		}
		if err := f.prune(ctx, stream, shards, running); err != nil {
			return err
		}
		for _, s := range f.ready(shards, running) {
			id := aws.ToString(s.ShardId)
			if err := f.checkParent(ctx, stream, s, shards); err != nil {
				return err
			}
			running[id] = true
			go func() { ends <- shardEnd{id, f.shard(ctx, stream, id)} }()
		}
		f.stats.add(func(c *Counts) { c.Shards = len(running) })
		if len(running) == 0 && !open {
			return nil
		}
		wait := shardPoll
		if f.idle > 0 {
			idleFor := time.Duration(time.Now().UnixNano() - f.active.Load())
			if idleFor >= f.idle && f.busy.Load() == 0 && f.quiet(running) {
				return errIdle
			}
			wait = min(wait, max(f.idle-idleFor, f.idle/4, time.Millisecond))
		}
		if len(shards) == 0 {
			wait = min(wait, f.poll)
		}
		timer.Reset(wait)
		select {
		case end := <-ends:
			delete(running, end.shard)
			if end.err != nil {
				return end.err
			}
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// shards describes the stream; open reports whether it can get more shards.
func (f *follower[T]) shards(ctx context.Context, stream string) (all []streamtypes.Shard, open bool, err error) {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &stream}
	for failures := 0; ; {
		out, err := f.client.DescribeStream(ctx, in)
		if err != nil {
			if failures++; !passing(err) || failures > maxFailures {
				return nil, false, err
			}
			if err := pause(ctx, failures); err != nil {
				return nil, false, err
			}
			continue
		}
		all = append(all, out.StreamDescription.Shards...)
		open = out.StreamDescription.StreamStatus != streamtypes.StreamStatusDisabled
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return all, open, nil
		}
	}
}

// begin writes the positions of all shards down before the first record, so
// that a crash changes nothing about where the follower began. Then it forgets
// the streams before.
func (f *follower[T]) begin(ctx context.Context, stream string, shards []streamtypes.Shard, since time.Time,
	resumed bool, obsolete []Position) error {
	if !resumed {
		for _, s := range shards {
			p := Position{Stream: stream, Shard: aws.ToString(s.ShardId), Since: since}
			if err := f.save(ctx, p); err != nil {
				return err
			}
		}
	}
	for _, p := range obsolete {
		if err := f.checkpoint.Remove(ctx, p.Stream, p.Shard); err != nil {
			return err
		}
	}
	return nil
}

// prune forgets shards that DynamoDB does not keep any more. One that was not
// handled to its end is a gap.
func (f *follower[T]) prune(ctx context.Context, stream string, shards []streamtypes.Shard,
	running map[string]bool) error {
	listed, parents := map[string]bool{}, map[string]bool{}
	for _, s := range shards {
		listed[aws.ToString(s.ShardId)], parents[aws.ToString(s.ParentShardId)] = true, true
	}
	for id, p := range f.known() {
		if listed[id] || running[id] || parents[id] && p.Done {
			continue
		}
		if !p.Done {
			if err := f.missed(ctx, &GapError{Stream: stream, Shard: id, After: p.Sequence,
				Reason: "DynamoDB removed the shard before it was handled to its end"}); err != nil {
				return err
			}
			if parents[id] {
				p.Done = true
				if err := f.save(ctx, p); err != nil {
					return err
				}
				continue
			}
		}
		if err := f.checkpoint.Remove(ctx, stream, id); err != nil {
			return err
		}
		f.mu.Lock()
		delete(f.positions, id)
		f.mu.Unlock()
	}
	return nil
}

// known returns a copy of the positions.
func (f *follower[T]) known() map[string]Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make(map[string]Position, len(f.positions))
	for id, p := range f.positions {
		out[id] = p
	}
	return out
}

// ready returns the shards to begin now: those whose parent is done, or is kept
// no more.
func (f *follower[T]) ready(shards []streamtypes.Shard, running map[string]bool) []streamtypes.Shard {
	known, listed := f.known(), map[string]bool{}
	for _, s := range shards {
		listed[aws.ToString(s.ShardId)] = true
	}
	var out []streamtypes.Shard
	for _, s := range shards {
		id, parent := aws.ToString(s.ShardId), aws.ToString(s.ParentShardId)
		if running[id] || known[id].Done || listed[parent] && !known[parent].Done {
			continue
		}
		out = append(out, s)
	}
	return out
}

// checkParent reports a gap if a new shard descends from one that was never
// read and that DynamoDB does not keep any more.
func (f *follower[T]) checkParent(ctx context.Context, stream string, s streamtypes.Shard,
	shards []streamtypes.Shard) error {
	parent := aws.ToString(s.ParentShardId)
	known := f.known()
	_, begun := known[aws.ToString(s.ShardId)]
	_, read := known[parent]
	listed := slices.ContainsFunc(shards, func(s streamtypes.Shard) bool { return aws.ToString(s.ShardId) == parent })
	if begun || parent == "" || read || listed {
		return nil
	}
	return f.missed(ctx, &GapError{Stream: stream, Shard: parent,
		Reason: "DynamoDB removed the shard before it was read"})
}

// save keeps a position.
func (f *follower[T]) save(ctx context.Context, p Position) error {
	// A position is worth writing although the caller wants to end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := f.checkpoint.Save(ctx, p); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.positions[p.Shard] = p
	return nil
}
