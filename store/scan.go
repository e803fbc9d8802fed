// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
)

// Scan asks for all items of a table, in no order.
type Scan struct {
	// Segments are read in parallel, each holding one page in memory; zero: 1.
	Segments int
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
		v, e, err := t.scanView(s)
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
			in := t.scanInput(s, e, segment, segments)
			if v.search != nil {
				if err := v.search.Scan(ctx, in); err != nil {
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
			p.items, p.errs, p.err = decodeScan[T](ctx, &t.core, out.Items, v)
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

// decodeScan is decodePage, and leaves out the items that a search does not want.
func decodeScan[T any](ctx context.Context, c *core, stored []envelope.Item, v view) ([]T, []error, error) {
	if v.search == nil {
		items, errs := decodePage[T](ctx, c, stored, v)
		return items, errs, nil
	}
	found, err := v.search.Results(ctx, 0, stored, c.decryptAll)
	if err != nil {
		return nil, nil, c.searchError(err)
	}
	items, errs := make([]T, len(found)), make([]error, len(found))
	for i := range found {
		errs[i] = decodeOpened(c, found[i], v, &items[i])
	}
	return items, errs, nil
}

func (c *core) scanView(s Scan) (view, expression.Expression, error) {
	if s.Segments < 0 || s.Segments > maxSegments {
		return view{}, expression.Expression{},
			fmt.Errorf("%w: %d segments, at most %d", ErrConfiguration, s.Segments, maxSegments)
	}
	if err := checkSizes(s.Limit, s.PageSize, 0); err != nil {
		return view{}, expression.Expression{}, err
	}
	return c.view(expression.NewBuilder(), s.Filter, s.Attributes, Index{Name: s.Index}, s.BranchKeyID)
}

func (c *core) scanInput(s Scan, e expression.Expression, segment, segments int) *dynamodb.ScanInput {
	in := &dynamodb.ScanInput{
		TableName: &c.name, FilterExpression: e.Filter(), ProjectionExpression: e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
	}
	if s.Index != "" {
		in.IndexName = &s.Index
	} else {
		in.ConsistentRead = new(!s.EventuallyConsistent)
	}
	in.Limit = pageSize(s.PageSize, s.Limit, e)
	if segments > 1 {
		in.Segment, in.TotalSegments = new(int32(segment)), new(int32(segments))
	}
	return in
}
