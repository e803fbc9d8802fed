// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/request"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// Scan asks for all items of a table, in no order.
type Scan struct {
	// Segments are read in parallel, each holding one page in memory; zero: 1.
	Segments int
	// Segment is the one, from 0 to Segments-1, that [Table.ScanPage] reads a page
	// of. Scan and ScanCount read all and refuse another value than 0.
	Segment int
	// Index reads a secondary index of this name instead of the table.
	Index string
	// Filter, Attributes, EventuallyConsistent, Limit, PageSize and BranchKeyID
	// have the same meaning as in [Query].
	Filter               Condition
	Attributes           []string
	EventuallyConsistent bool
	Limit                int
	PageSize             int32
	BranchKeyID          string
}

// maxSegments is DynamoDB's limit; each costs a goroutine here.
const maxSegments = 1_000_000

// page is what a segment hands over.
type page[T any] struct {
	items []T
	errs  []error
	err   error // ends the scan
}

// Scan iterates over all items. Pages come in any order when there are several
// segments. An [*ItemError] is about one item and iteration goes on; any other
// error is the last element. Errors: as [Table.QueryPage].
func (t *Table[T]) Scan(ctx context.Context, s Scan) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		input, v, err := t.scanInput(s)
		if err == nil {
			err = s.all()
		}
		if err != nil {
			yield(zero, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan page[T])
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		segments := max(1, s.Segments)
		for segment := range segments {
			in := input(segment, segments)
			if v.Search != nil {
				if err := v.Search.Scan(ctx, in); err != nil {
					yield(zero, t.searchError(err))
					return
				}
			}
			wg.Go(func() { scanSegment(ctx, t, in, v, s.Limit, pages) })
		}
		go func() {
			wg.Wait()
			close(pages)
		}()
		given := 0
		for p := range pages {
			if p.err != nil {
				yield(zero, p.err)
				return
			}
			for i := range p.items {
				if !yield(p.items[i], p.errs[i]) {
					return
				}
				if given++; given == s.Limit {
					return
				}
			}
		}
		if err := ctx.Err(); err != nil { // segments that end by it are silent
			yield(zero, t.callError("scan", err))
		}
	}
}

// all refuses a scan of one segment.
func (s Scan) all() error {
	if s.Segment != 0 {
		return fmt.Errorf("%w: Segment %d is for ScanPage: this scan reads all segments", ErrConfiguration, s.Segment)
	}
	return nil
}

// ScanPage reads one page of one segment, from where cursor points, "" being the
// beginning of the segment. Several processes can share a scan by its segments, and
// each can go on later where a cursor points. A page has what one call finds: with a
// Filter it can be empty although Next is not. Limit has no meaning.
//
// A cursor names its segment and the number of segments, and is refused with
// [ErrConfiguration] for others: the pages would miss items without an error.
// Other errors: as [Table.QueryPage].
func (t *Table[T]) ScanPage(ctx context.Context, s Scan, cursor Cursor) (Page[T], error) {
	r, v, err := t.scanPage(ctx, s, cursor)
	if err != nil {
		return Page[T]{}, err
	}
	return decodeRead[T](&t.core, &r, v), nil
}

func (c *core) scanPage(ctx context.Context, s Scan, cursor Cursor) (r pageRead, v view, err error) {
	s.Limit = 0
	segments := max(1, s.Segments)
	input, v, err := c.scanInput(s)
	if err == nil && (s.Segment < 0 || s.Segment >= segments) {
		err = fmt.Errorf("%w: Segment %d of %d", ErrConfiguration, s.Segment, segments)
	}
	if err != nil {
		return r, v, err
	}
	in := input(s.Segment, segments)
	if v.Search != nil {
		if err := v.Search.Scan(ctx, in); err != nil {
			return r, v, c.searchError(err)
		}
	}
	if in.ExclusiveStartKey, err = searching.DecodeScan(string(cursor), s.Segment, segments); err != nil {
		return r, v, c.searchError(err)
	}
	out, err := c.client.Scan(ctx, in)
	if err != nil {
		return r, v, c.callError("scan", err)
	}
	if r.opened, err = c.openScan(ctx, out.Items, v); err != nil {
		return r, v, err
	}
	if err := ctx.Err(); err != nil { // not the items' errors, then
		return r, v, c.callError("scan", err)
	}
	next, err := searching.EncodeScan(out.LastEvaluatedKey, s.Segment, segments)
	r.next, r.scanned = Cursor(next), out.ScannedCount
	return r, v, err
}

// scanSegment reads a page ahead of what was taken, but none when it has given
// as many items as the whole scan wants.
func scanSegment[T any](ctx context.Context, t *Table[T], in *dynamodb.ScanInput, v view, limit int,
	to chan<- page[T]) {
	for given := 0; ; {
		var p page[T]
		out, err := t.client.Scan(ctx, in)
		if err != nil {
			p.err = t.callError("scan", err)
		} else {
			var found opened
			if found, p.err = t.openScan(ctx, out.Items, v); p.err == nil {
				p.items, p.errs = decodeAll[T](&t.core, found, v)
			}
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case to <- p:
		case <-ctx.Done():
			return
		}
		given += len(p.items)
		if p.err != nil || len(out.LastEvaluatedKey) == 0 || limit > 0 && given >= limit {
			return
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// openScan decrypts the items of a page, and leaves out those that a search does
// not want.
func (c *core) openScan(ctx context.Context, stored []envelope.Item, v view) (out opened, err error) {
	if v.Search == nil {
		return c.openPage(ctx, stored, v)
	}
	found, err := v.Search.Results(ctx, 0, stored, c.decryptAll)
	if err != nil {
		return out, c.searchError(err)
	}
	for _, f := range found {
		out.add(f)
	}
	return out, nil
}

// scanInput returns what makes the request of each segment.
func (c *core) scanInput(s Scan) (func(segment, segments int) *dynamodb.ScanInput, view, error) {
	if s.Segments < 0 || s.Segments > maxSegments {
		return nil, view{}, fmt.Errorf("%w: %d segments, at most %d", ErrConfiguration, s.Segments, maxSegments)
	}
	if err := checkSizes(s.Limit, s.PageSize, 0); err != nil {
		return nil, view{}, err
	}
	r := request.Read{Filter: s.Filter, Attributes: s.Attributes, Eventually: s.EventuallyConsistent || c.eventually,
		Limit: s.Limit, PageSize: s.PageSize, BranchKeyID: s.BranchKeyID}
	if s.Index != "" {
		r.Index = &request.Index{Name: s.Index}
	}
	return c.requests().Scan(r)
}
