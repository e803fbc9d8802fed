// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/segment"
)

// QueryCount returns how many items [Table.Query] would give, without sending them.
// DynamoDB counts them by what it stores, and charges for the items that it looks
// at, not for those that it counts. It stops at a Limit. Attributes have no meaning.
//
// In client-side mode the count is not verified: no item is decrypted, so it
// includes items that would not open, and anyone with write access can change what a
// Filter sees of an item. A search by beacons,
// and a query with Whole, read and decrypt the items and count true matches; they
// fail with an [*ItemError] if an item does not open, since it is not known whether
// it counts. Errors: those of [Table.QueryPage].
func (t *Table[T]) QueryCount(ctx context.Context, q Query) (int, error) { return t.countQuery(ctx, q) }

// ScanCount returns how many items [Table.Scan] would give, as [Table.QueryCount]
// does for a query. It costs as much as the scan.
func (t *Table[T]) ScanCount(ctx context.Context, s Scan) (int, error) { return t.countScan(ctx, s) }

func (c *core) countQuery(ctx context.Context, q Query) (int, error) {
	q.Attributes = nil
	in, v, err := c.queryInput(q)
	if err != nil {
		return 0, err
	}
	if v.Search != nil {
		return c.countSearch(ctx, in, v, q)
	}
	if v.Whole == nil {
		in.Select = types.SelectCount
	}
	for n := 0; ; {
		out, err := c.client.Query(ctx, in)
		if err != nil {
			return 0, c.callError("count", err)
		}
		more := int(out.Count)
		if v.Whole != nil {
			items, err := c.openPage(ctx, out.Items, v)
			if err == nil {
				more, err = c.countOpened(ctx, items)
			}
			if err != nil {
				return 0, err
			}
		}
		if n += more; q.Limit > 0 && n >= q.Limit {
			return q.Limit, nil
		}
		if len(out.LastEvaluatedKey) == 0 {
			return n, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// countOpened counts items, which must all have been decrypted.
func (c *core) countOpened(ctx context.Context, items opened) (int, error) {
	if err := ctx.Err(); err != nil { // not the items' errors, then
		return 0, c.callError("count", err)
	}
	for i, err := range items.errs {
		if err != nil {
			return 0, c.countError(items.stored[i], err)
		}
	}
	return len(items.stored), nil
}

// countError is the error of a count that met an item which does not open.
func (c *core) countError(stored envelope.Item, err error) error {
	return fmt.Errorf("count of %s: %w", c.name, c.itemError(stored, err))
}

func (c *core) countScan(ctx context.Context, s Scan) (int, error) {
	s.Attributes = nil
	input, v, err := c.scanInput(s)
	if err == nil {
		err = s.all()
	}
	if err != nil {
		return 0, err
	}
	segments := max(1, s.Segments)
	n, err := segment.Count(ctx, segments, s.Limit, func(ctx context.Context, i int, add func(int)) error {
		in := input(i, segments)
		if v.Search == nil {
			in.Select = types.SelectCount
		} else if err := v.Search.Scan(ctx, in); err != nil {
			return c.searchError(err)
		}
		return c.countSegment(ctx, in, v, add)
	})
	if err != nil && err == ctx.Err() {
		err = c.callError("count", err)
	}
	return n, err
}

// countSegment counts the items of a segment.
func (c *core) countSegment(ctx context.Context, in *dynamodb.ScanInput, v view, add func(int)) error {
	for {
		out, err := c.client.Scan(ctx, in)
		if err != nil {
			return c.callError("count", err)
		}
		more := int(out.Count)
		if v.Search != nil {
			items, err := c.openScan(ctx, out.Items, v)
			if err == nil {
				more, err = c.countOpened(ctx, items)
			}
			if err != nil {
				return err
			}
		}
		if add(more); len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
