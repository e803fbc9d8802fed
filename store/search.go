// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// searchError wraps an error of a search: of its expressions, its cursor, a beacon
// key or a call.
func (c *core) searchError(err error) error {
	if errors.Is(err, searching.ErrCursor) {
		return fmt.Errorf("page of %s: %w: %w", c.name, ErrConfiguration, err)
	}
	return c.callError("search", err)
}

// reader returns the reader of a query that searches by beacons.
func (c *core) reader(ctx context.Context, in *dynamodb.QueryInput, v view, q searching.Query,
	from Cursor) (*searching.Reader, error) {
	q.Input = in
	q.Keys = append(c.plan.Keys(), v.IndexKeys...)
	switch {
	case v.Index == "":
		q.Sort = c.plan.SortName()
	case len(v.IndexSort) > 0:
		q.Sort, q.Then = v.IndexSort[0], v.IndexSort[1:]
	}
	q.Send = func(ctx context.Context, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
		return c.client.Query(ctx, in)
	}
	q.Open = c.decryptAll
	if v.Whole != nil {
		q.Cap(in.Limit)
		q.Fetch = func(ctx context.Context, entries []searching.Item) ([]searching.Item, error) {
			return c.fetchWhole(ctx, entries, v)
		}
		q.Open = func(ctx context.Context, stored []searching.Item) ([]searching.Item, []error) {
			return c.openWhole(ctx, stored, v)
		}
	}
	return v.Search.Read(ctx, q, string(from))
}

// search is Query for a search by beacons.
func (t *Table[T]) search(ctx context.Context, in *dynamodb.QueryInput, v view, q Query, yield func(T, error) bool) {
	var item, zero T // item is one variable, which has to be on the heap
	r, err := t.reader(ctx, in, v, searching.All(int(q.PageSize), q.Limit), "")
	if err != nil {
		yield(zero, t.searchError(err))
		return
	}
	for given := 0; q.Limit == 0 || given < q.Limit; given++ {
		found, err := r.Next(ctx)
		if err != nil {
			yield(zero, t.searchError(err))
			return
		}
		if found == nil {
			return
		}
		item = zero
		if err := decodeOpened(&t.core, *found, v, &item); !yield(item, err) {
			return
		}
	}
}

// searchPage is queryPage for a search by beacons.
func (c *core) searchPage(ctx context.Context, in *dynamodb.QueryInput, v view, q Query,
	from Cursor) (page pageRead, err error) {
	size := int(q.PageSize)
	r, err := c.reader(ctx, in, v, searching.Page(size, q.ReadBudget), from)
	if err != nil {
		return page, c.searchError(err)
	}
	for n := 0; size == 0 || n < size; n++ {
		found, err := r.Next(ctx)
		if err != nil {
			return page, c.searchError(err)
		}
		if found == nil {
			break
		}
		page.add(*found)
	}
	page.scanned = int32(min(r.Scanned, math.MaxInt32))
	on, err := r.Cursor()
	turned := ""
	if err == nil && from != "" {
		turned, err = r.Turned()
	}
	page.turn(r.Back, on, turned)
	return page, err
}

// countSearch counts what a search by beacons finds, up to the limit.
func (c *core) countSearch(ctx context.Context, in *dynamodb.QueryInput, v view, q Query) (int, error) {
	r, err := c.reader(ctx, in, v, searching.All(int(q.PageSize), q.Limit), "")
	if err != nil {
		return 0, c.searchError(err)
	}
	n := 0
	for ; q.Limit == 0 || n < q.Limit; n++ {
		found, err := r.Next(ctx)
		switch {
		case err != nil:
			return 0, c.searchError(err)
		case found == nil:
			return n, nil
		case found.Err != nil:
			return 0, c.countError(found.Stored, found.Err)
		}
	}
	return n, nil
}
