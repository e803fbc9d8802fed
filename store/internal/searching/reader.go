// SPDX-License-Identifier: Apache-2.0

package searching

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// Query is what a [Reader] reads.
type Query struct {
	// Input is the request without expressions and Limit.
	Input *dynamodb.QueryInput
	// Keys are the attributes of a position: the keys of the table and the index.
	Keys []string
	// Sort is the sort key as stored, by which the results of several requests
	// are merged; "" if there is none. Then are the further attributes of a sort key
	// of several.
	Sort string
	Then []string
	// Size is the number of items of the first request; zero: no limit. Grow
	// doubles it with each further one.
	Size int
	Grow bool
	// Budget bounds the number of items that DynamoDB looks at, where a request
	// has been sent for each partition; negative: no limit.
	Budget int
	// Send sends a request, and Open decrypts the items of the answer. Unless it is
	// nil, Fetch replaces these items first: an entry is nil for an item to leave out.
	Send  func(context.Context, *dynamodb.QueryInput) (*dynamodb.QueryOutput, error)
	Fetch func(context.Context, []Item) ([]Item, error)
	Open  Opener
}

// Reader reads the results of a Query one by one: over several pages, and with
// partitions over several requests, whose results it merges. It is not safe for
// concurrent use.
type Reader struct {
	Query
	// Back: the results come in the opposite order of the query's.
	Back bool
	// Scanned is the number of items that DynamoDB looked at.
	Scanned int

	search  *Search
	streams []*stream
}

// stream has the results of the requests for one partition.
type stream struct {
	partition int
	begun     position // where the page begins
	in        *dynamodb.QueryInput
	size      int
	asked     bool // a request was sent
	done      bool // DynamoDB has no more
	ahead     []Found
	// first is the item that was taken first of all. passed is the one that was
	// taken last, nil if nothing of ahead was taken. start is the key in front of
	// ahead, and next the one behind it.
	first, passed, start, next Item
}

// Read returns a Reader that begins at a cursor, "" being the beginning. Errors:
// those of fetching a beacon key; [ErrCursor].
func (s *Search) Read(ctx context.Context, q Query, from string) (*Reader, error) {
	r := &Reader{Query: q, search: s}
	starts, back, err := decodePositions(from, s.plan.Queries())
	if err != nil {
		return nil, err
	}
	if back {
		in := *q.Input
		in.ScanIndexForward = new(in.ScanIndexForward != nil && !*in.ScanIndexForward)
		r.Input, r.Back = &in, true
	}
	size := min(q.Size, math.MaxInt32)
	if q.Sort != "" && size > 0 && len(starts) > 1 {
		size = (size-1)/len(starts) + 1
	}
	for i, start := range starts {
		in := *r.Input
		if err := s.query(ctx, i, &in); err != nil {
			return nil, err
		}
		r.streams = append(r.streams, &stream{partition: i, begun: start, in: &in, size: size,
			next: start.key, done: start.end})
	}
	if back { // items of one sort key, too, come in the opposite order
		slices.Reverse(r.streams)
	}
	return r, nil
}

// Next returns the next result. It returns nil at the end, and if the budget is
// spent. Errors are those of Send and of fetching a beacon key.
func (r *Reader) Next(ctx context.Context) (*Found, error) {
	for {
		empty := r.empty()
		if len(empty) == 0 {
			break
		}
		if again, err := r.fill(ctx, empty); err != nil || !again {
			return nil, err
		}
	}
	s := r.first()
	if s == nil {
		return nil, nil
	}
	found := s.ahead[0]
	s.ahead = s.ahead[1:]
	s.passed = found.At
	if s.first == nil {
		s.first = found.At
	}
	return &found, nil
}

// position returns where the next results of the stream are: once nothing is ahead,
// behind all that was read.
func (r *Reader) position(s *stream) position {
	switch {
	case !s.asked:
		return s.begun
	case len(s.ahead) == 0:
		return position{key: s.next, end: s.done}
	case s.passed == nil:
		return position{key: s.start}
	}
	return position{key: PickKey(s.passed, r.Keys)}
}

// PickKey returns the attributes of an item that are keys.
func PickKey(item Item, keys []string) Item {
	key := make(Item, len(keys))
	for _, name := range keys {
		if v := item[name]; v != nil {
			key[name] = v
		}
	}
	return key
}

// ended reports whether the stream has no results any more.
func (s *stream) ended() bool { return s.done && len(s.ahead) == 0 }

// empty returns the streams that have to be read before the next result is
// known: without a sort key, results come partition by partition.
func (r *Reader) empty() []*stream {
	var out []*stream
	for _, s := range r.streams {
		if len(s.ahead) == 0 && !s.done {
			out = append(out, s)
		}
		if r.Sort == "" && !s.ended() {
			break
		}
	}
	return out
}

// first returns the stream of the next result, nil if there is none.
func (r *Reader) first() *stream {
	var first *stream
	for _, s := range r.streams {
		if len(s.ahead) > 0 && (first == nil || r.before(&s.ahead[0], &first.ahead[0])) {
			first = s
		}
	}
	return first
}

// before reports whether a comes before b in the order of the sort key. Without
// one, results come in the order of the streams.
func (r *Reader) before(a, b *Found) bool {
	c, _ := ddbexpr.Compare(a.At[r.Sort], b.At[r.Sort])
	for i := 0; c == 0 && i < len(r.Then); i++ {
		c, _ = ddbexpr.Compare(a.At[r.Then[i]], b.At[r.Then[i]])
	}
	if forward := r.Input.ScanIndexForward; forward != nil && !*forward {
		return c > 0
	}
	return c < 0
}

// maxRequests bounds the requests that are under way at the same time.
const maxRequests = 8

// fill sends one request for each of the streams. It returns false if the budget
// does not allow one.
func (r *Reader) fill(ctx context.Context, streams []*stream) (bool, error) {
	left := r.Budget - r.Scanned
	for _, s := range streams {
		size := s.size
		if r.Budget >= 0 && s.asked {
			if left <= 0 {
				return false, nil
			}
			if size == 0 || size > left {
				size = left
			}
			left -= size
		}
		s.in.Limit = nil
		if size > 0 {
			s.in.Limit = new(int32(size))
		}
	}
	answers := make([]answer, len(streams))
	if len(streams) == 1 {
		answers[0] = r.send(ctx, streams[0])
	} else {
		var wg sync.WaitGroup
		slots := make(chan struct{}, maxRequests)
		for i, s := range streams {
			slots <- struct{}{}
			wg.Go(func() {
				answers[i] = r.send(ctx, s)
				<-slots
			})
		}
		wg.Wait()
	}
	for i, s := range streams {
		if err := r.take(ctx, s, answers[i]); err != nil {
			return false, err
		}
	}
	return true, nil
}

type answer struct {
	out *dynamodb.QueryOutput
	err error
}

// send sends the next request of a stream.
func (r *Reader) send(ctx context.Context, s *stream) answer {
	s.in.ExclusiveStartKey = s.next
	out, err := r.Send(ctx, s.in)
	return answer{out, err}
}

// take opens the items of an answer.
func (r *Reader) take(ctx context.Context, s *stream, a answer) (err error) {
	if a.err != nil {
		return a.err
	}
	at, stored := a.out.Items, a.out.Items
	if r.Fetch != nil {
		if at, stored, err = r.fetch(ctx, at); err != nil {
			return err
		}
	}
	if s.ahead, err = r.search.results(ctx, s.partition, at, stored, r.Open); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // Open may have given up
		return err
	}
	s.passed, s.start = nil, s.next
	s.asked, s.next, s.done = true, a.out.LastEvaluatedKey, len(a.out.LastEvaluatedKey) == 0
	r.Scanned += int(a.out.ScannedCount)
	most := maxGrown
	if r.Fetch != nil {
		most = MaxFetched
	}
	if r.Grow && s.size < most {
		s.size = min(2*s.size, most)
	}
	return nil
}

// maxGrown keeps a size that doubles in bounds. A page ends at 1 MB anyway.
const maxGrown = 1 << 20

// Cursor returns where the next results begin, "" at the end.
func (r *Reader) Cursor() (string, error) {
	at := make([]position, len(r.streams))
	for _, s := range r.streams {
		at[s.partition] = r.position(s)
	}
	return encodePositions(at, r.Back)
}

// Turned returns where the results in front of all that were taken begin, in the
// opposite order.
func (r *Reader) Turned() (string, error) {
	at := make([]position, len(r.streams))
	for _, s := range r.streams {
		at[s.partition] = r.front(s)
	}
	return encodePositions(at, !r.Back)
}

// front returns the place from which the stream goes in the opposite direction.
// Items that do not match may lie on both sides of it.
func (r *Reader) front(s *stream) position {
	p := position{turn: s.begun.key}
	switch {
	case s.first != nil:
		p.key = PickKey(s.first, r.Keys)
	case len(s.ahead) > 0:
		p.key = PickKey(s.ahead[0].At, r.Keys)
	case s.done:
		return position{} // all of it was passed
	case s.asked:
		p.key = s.next
	default: // never read: there is nothing in front of the beginning
		p.key, p.end = s.begun.turn, s.begun.key == nil
	}
	if r.Sort != "" {
		p.turn = nil // each request is sent for each page
	}
	return p
}

// fetch replaces the items of an answer.
func (r *Reader) fetch(ctx context.Context, entries []Item) (at, stored []Item, err error) {
	whole, err := r.Fetch(ctx, entries)
	if err != nil {
		return nil, nil, err
	}
	for i, item := range whole {
		if item != nil {
			at, stored = append(at, entries[i]), append(stored, item)
		}
	}
	return at, stored, nil
}
