// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store/internal/request"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// Query asks for the items of one partition, in the order of the sort key.
type Query struct {
	// Partition is the value of the partition key: of the field's Go type, or taken
	// from [Table.Key]; [Values] for an index that has several attributes in it.
	Partition any
	// Sort narrows the sort key; zero: all of the partition.
	Sort SortRange
	// Index asks a secondary index instead of the table: by its name alone if
	// fields of T or [GlobalIndex] declare it. Its keys are attributes of T or
	// beacons; an encrypted attribute stands for its beacon. An index that does
	// not project all attributes gives an [*ItemError] with [ErrPartialItem] for
	// each encrypted item; in server-side mode, and under a PlaintextPolicy that
	// allows reading plaintext, it can leave fields zero without an error. Declare
	// an index that must hold whole items by [WholeIndexes], or set Whole.
	Index *Index
	// Whole takes from the Index nothing but the keys of items, and reads the items
	// from the table by BatchGetItem, as they are now: for an index that does not
	// project what the query needs. Each item costs a read of its own. An item that
	// was deleted, or that no longer meets the key condition, is left out. Filter is
	// then evaluated in this process, so it may name any attribute of the table, with
	// the plaintext value, but not a beacon.
	Whole bool
	// Filter leaves items out after they were read (and paid for). It may name
	// encrypted attributes that have a beacon, and beacons.
	Filter Condition
	// Attributes are those to fill in the result; nil: all. In client-side
	// mode all signed attributes are read nevertheless, for verification.
	Attributes []string
	// Descending reverses the order.
	Descending bool
	// EventuallyConsistent halves the price of a read. Global secondary
	// indexes need it; it is set for every Index.
	EventuallyConsistent bool
	// Limit ends the iteration after so many items; zero: none. A negative one
	// is refused, as is a negative PageSize. QueryPage ignores Limit.
	Limit int
	// PageSize is how many items DynamoDB looks at per call, before Filter;
	// zero: 1 MB, with Whole 400 items, and without a Filter no more than Limit. In a
	// search by beacons it is how many items QueryPage returns, see ReadBudget.
	PageSize int32
	// ReadBudget bounds how many items DynamoDB looks at to fill one page of
	// QueryPage in a search by beacons. Items whose beacons are equal only by
	// chance do not count for PageSize, so QueryPage reads on. When the budget is
	// spent, the page has fewer items, and Next continues behind what was read.
	// QueryPage reads each partition of the beacons once even beyond the budget.
	// Zero: 20 times PageSize, and at least 1000. Without a PageSize, a page has
	// what one call for each partition finds.
	ReadBudget int
	// BranchKeyID names the branch key to search under, if the beacons of the
	// table are under several and neither key nor Filter names one.
	BranchKeyID string
}

// Values are the values of the attributes of a partition key, in their order, for
// [Query].Partition of an index that has several.
type Values []any

// SortRange is a condition on the sort key; zero means no condition.
type SortRange struct {
	operator  string
	low, high any
	after     []any
}

// After puts the values of the first attributes in front of the range, for an index
// that has several attributes in its sort key: the query matches items with these
// values, and with the next attribute in the range. SortRange{}.After(v) has no range.
// The number of values must fit the index, and so must the number of [Values].
// Otherwise the query fails with [ErrConfiguration].
func (r SortRange) After(first ...any) SortRange {
	r.after = append(first[:len(first):len(first)], r.after...)
	return r
}

// SortEqual matches one sort key.
func SortEqual(v any) SortRange { return SortRange{operator: "=", low: v} }

// SortLess matches sort keys below v.
func SortLess(v any) SortRange { return SortRange{operator: "<", low: v} }

// SortLessEqual matches v and sort keys below it.
func SortLessEqual(v any) SortRange { return SortRange{operator: "<=", low: v} }

// SortGreater matches sort keys above v.
func SortGreater(v any) SortRange { return SortRange{operator: ">", low: v} }

// SortGreaterEqual matches v and sort keys above it.
func SortGreaterEqual(v any) SortRange { return SortRange{operator: ">=", low: v} }

// SortBetween matches sort keys from low to high, both included.
func SortBetween(low, high any) SortRange {
	return SortRange{operator: "between", low: low, high: high}
}

// SortBeginsWith matches sort keys with a prefix, of strings only.
func SortBeginsWith(prefix string) SortRange {
	return SortRange{operator: "begins_with", low: prefix}
}

// Query iterates over the items of one partition, page by page; the items of a
// page are decrypted in parallel and keep their order. An [*ItemError] is about
// one item and iteration goes on; any other error is the last element. Errors:
// as [Table.QueryPage].
func (t *Table[T]) Query(ctx context.Context, q Query) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		in, v, err := t.queryInput(q)
		if err != nil {
			yield(zero, err)
			return
		}
		if v.Search != nil {
			t.search(ctx, in, v, q, yield)
			return
		}
		given := 0
		for {
			out, page, err := t.queryOnce(ctx, in, v)
			if err != nil {
				yield(zero, err)
				return
			}
			items, errs := decodeAll[T](&t.core, page, v)
			for i := range items {
				if !yield(items[i], errs[i]) {
					return
				}
				if given++; given == q.Limit {
					return
				}
			}
			if len(out.LastEvaluatedKey) == 0 {
				return
			}
			in.ExclusiveStartKey = out.LastEvaluatedKey
		}
	}
}

// queryOnce makes one call and opens its items.
func (c *core) queryOnce(ctx context.Context, in *dynamodb.QueryInput,
	v view) (out *dynamodb.QueryOutput, items opened, err error) {
	if out, err = c.client.Query(ctx, in); err != nil {
		return nil, opened{}, c.callError("query", err)
	}
	if items, err = c.openPage(ctx, out.Items, v); err != nil {
		return nil, opened{}, err
	}
	if err := ctx.Err(); err != nil { // not the items' errors, then
		return nil, opened{}, c.callError("query", err)
	}
	return out, items, nil
}

// QueryPage reads one page. The cursor "" reads the first page, [Page].Next of a page
// reads the page after it, and [Page].Previous the page before it. Its items are in the
// order of the query in both cases. q must be the same for all pages but for PageSize
// and ReadBudget. In a search by beacons the page holds items that match, and Next
// points behind the last of them; see [Query] for PageSize and ReadBudget. Errors:
// [ErrConfiguration] for keys, names or a cursor that do not fit;
// [ErrEncryptedAttribute] for what no beacon serves; envelope.ErrKeyDenied and
// envelope.ErrMaterials, with the branch key in a *materials.KeyError, for the key of a
// beacon; the SDK's.
func (t *Table[T]) QueryPage(ctx context.Context, q Query, cursor Cursor) (Page[T], error) {
	r, v, err := t.queryPage(ctx, q, cursor)
	if err != nil {
		return Page[T]{}, err
	}
	return decodeRead[T](&t.core, &r, v), nil
}

func (c *core) queryPage(ctx context.Context, q Query, cursor Cursor) (r pageRead, v view, err error) {
	q.Limit = 0
	in, v, err := c.queryInput(q)
	if err != nil {
		return r, v, err
	}
	if v.Search != nil {
		r, err = c.searchPage(ctx, in, v, q, cursor)
		return r, v, err
	}
	start, err := searching.DecodeStart(string(cursor))
	if err != nil {
		return r, v, c.searchError(err)
	}
	in.ExclusiveStartKey = start.Key
	if start.Back {
		in.ScanIndexForward = new(q.Descending)
	}
	out, items, err := c.queryOnce(ctx, in, v)
	if err != nil {
		return r, v, err
	}
	r = pageRead{opened: items, scanned: out.ScannedCount}
	front := out.LastEvaluatedKey // the key next to what was read first
	if len(out.Items) > 0 {
		front = searching.PickKey(out.Items[0], append(c.plan.Keys(), v.IndexKeys...))
	}
	on, turned, err := start.Link(front, out.LastEvaluatedKey)
	r.turn(start.Back, on, turned)
	return r, v, err
}

func (c *core) queryInput(q Query) (*dynamodb.QueryInput, view, error) {
	if err := checkSizes(q.Limit, q.PageSize, q.ReadBudget); err != nil {
		return nil, view{}, err
	}
	several, _ := q.Partition.(Values)
	return c.requests().Query(request.Read{
		Partition: q.Partition, Partitions: several, After: q.Sort.after,
		Operator: q.Sort.operator, Low: q.Sort.low, High: q.Sort.high,
		Index: (*request.Index)(q.Index), Whole: q.Whole, Filter: q.Filter, Attributes: q.Attributes,
		Descending: q.Descending, Eventually: q.EventuallyConsistent || c.eventually, Limit: q.Limit,
		PageSize: q.PageSize, BranchKeyID: q.BranchKeyID,
	})
}

// checkSizes refuses a negative number, which would mean no limit.
func checkSizes(limit int, page int32, budget int) error {
	if limit < 0 || page < 0 || budget < 0 {
		return fmt.Errorf("%w: Limit %d, PageSize %d and ReadBudget %d must not be negative; zero means none",
			ErrConfiguration, limit, page, budget)
	}
	return nil
}

// Index is a secondary index of a query. Name is enough if fields of T declare
// the index, by the tags index and localIndex; otherwise Partition and Sort name
// its key attributes.
type Index struct{ Name, Partition, Sort string }
