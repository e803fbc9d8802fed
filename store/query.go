// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store/internal/schema"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// Query asks for the items of one partition, in the order of the sort key.
type Query struct {
	// Partition is the value of the partition key: of the field's Go type, or taken
	// from [Table.Key].
	Partition any
	// Sort narrows the sort key; zero: all of the partition.
	Sort SortRange
	// Index asks a secondary index instead of the table: by its name alone if
	// fields of T or [GlobalIndex] declare it. Its keys are attributes of T or
	// beacons; an encrypted attribute stands for its beacon. An index that does
	// not project all attributes gives an [*ItemError] with [ErrPartialItem] for
	// each encrypted item; in server-side mode, and under a PlaintextPolicy that
	// allows reading plaintext, it can leave fields zero without an error. Declare
	// an index that must hold whole items by [WholeIndexes].
	Index *Index
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
	// zero: 1 MB, or without a Filter no more than Limit. In a search by beacons
	// it is how many items QueryPage returns, see ReadBudget.
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

// SortRange is a condition on the sort key; zero means no condition.
type SortRange struct {
	operator  string
	low, high any
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
		if v.search != nil {
			t.search(ctx, in, v, q, yield)
			return
		}
		given := 0
		for {
			out, err := t.client.Query(ctx, in)
			if err != nil {
				yield(zero, t.callError("query", err))
				return
			}
			items, errs := decodePage[T](ctx, &t.core, out.Items, v)
			if err := ctx.Err(); err != nil {
				yield(zero, t.callError("query", err))
				return
			}
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

// QueryPage reads one page from where cursor points, "" being the beginning. In a
// search by beacons the page holds items that match, and Next points behind the
// last of them; see [Query] for PageSize and ReadBudget. Errors:
// [ErrConfiguration] for keys, names or a cursor that do not fit;
// [ErrEncryptedAttribute] for what no beacon serves; envelope.ErrKeyDenied and
// envelope.ErrMaterials, with the branch key in a *materials.KeyError, for the key
// of a beacon; the SDK's.
func (t *Table[T]) QueryPage(ctx context.Context, q Query, cursor Cursor) (Page[T], error) {
	q.Limit = 0
	in, v, err := t.queryInput(q)
	if err != nil {
		return Page[T]{}, err
	}
	if v.search != nil {
		return t.searchPage(ctx, in, v, q, cursor)
	}
	if in.ExclusiveStartKey, err = searching.DecodeKey(string(cursor)); err != nil {
		return Page[T]{}, t.searchError(err)
	}
	out, err := t.client.Query(ctx, in)
	if err != nil {
		return Page[T]{}, t.callError("query", err)
	}
	items, errs := decodePage[T](ctx, &t.core, out.Items, v)
	if err := ctx.Err(); err != nil {
		return Page[T]{}, t.callError("query", err)
	}
	page := Page[T]{Scanned: int(out.ScannedCount)}
	for i := range items {
		page.add(items[i], errs[i])
	}
	next, err := searching.EncodeKey(out.LastEvaluatedKey)
	page.Next = Cursor(next)
	return page, err
}

func (c *core) queryInput(q Query) (*dynamodb.QueryInput, view, error) {
	if err := checkSizes(q.Limit, q.PageSize, q.ReadBudget); err != nil {
		return nil, view{}, err
	}
	if q.Index != nil {
		index, err := c.resolveIndex(*q.Index)
		if err != nil {
			return nil, view{}, err
		}
		q.Index = &index
	}
	pk, sk, err := c.queryKeys(q.Index)
	if err != nil {
		return nil, view{}, err
	}
	av, err := pk.FullKey(q.Partition)
	if err != nil {
		return nil, view{}, err
	}
	key := expression.Key(pk.Name).Equal(value(av))
	if q.Sort.operator != "" {
		if sk == nil {
			return nil, view{}, fmt.Errorf("%w: a sort range for %s, which has no sort key", ErrConfiguration,
				c.plan.TypeName)
		}
		sort, err := sk.SortRange(q.Sort.operator, q.Sort.low, q.Sort.high)
		if err != nil {
			return nil, view{}, err
		}
		key = key.And(sort)
	}
	b := expression.NewBuilder().WithKeyCondition(key)
	var index Index
	if q.Index != nil {
		index = *q.Index
	}
	v, e, err := c.view(b, q.Filter, q.Attributes, index, q.BranchKeyID)
	if err != nil {
		return nil, view{}, err
	}
	in := &dynamodb.QueryInput{
		TableName: &c.name, KeyConditionExpression: e.KeyCondition(), FilterExpression: e.Filter(),
		ProjectionExpression:     e.Projection(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
		ScanIndexForward: new(!q.Descending),
	}
	if q.Index != nil {
		in.IndexName = &q.Index.Name
	} else {
		in.ConsistentRead = new(!q.EventuallyConsistent)
	}
	in.Limit = pageSize(q.PageSize, q.Limit, e)
	return in, v, nil
}

// pageSize is how many items one call looks at; nil: as many as DynamoDB wants.
// Where nothing is left out after reading, a page larger than the limit would be
// paid for and decrypted in vain.
func pageSize(size int32, limit int, e expression.Expression) *int32 {
	if size <= 0 && limit > 0 && e.Filter() == nil {
		size = int32(min(limit, math.MaxInt32))
	}
	if size <= 0 {
		return nil
	}
	return &size
}

// checkSizes refuses a negative number, which would mean no limit.
func checkSizes(limit int, page int32, budget int) error {
	if limit < 0 || page < 0 || budget < 0 {
		return fmt.Errorf("%w: Limit %d, PageSize %d and ReadBudget %d must not be negative; zero means none",
			ErrConfiguration, limit, page, budget)
	}
	return nil
}

// queryKeys returns the key fields of the table or of an index.
func (c *core) queryKeys(index *Index) (pk, sk *schema.Field, err error) {
	if index == nil {
		return c.plan.Partition, c.plan.Sort, nil
	}
	if pk, err = c.indexKey(index.Partition); err != nil {
		return nil, nil, err
	}
	if index.Sort != "" {
		if sk, err = c.indexKey(index.Sort); err != nil {
			return nil, nil, err
		}
	}
	return pk, sk, nil
}

func (c *core) indexKey(name string) (*schema.Field, error) {
	if f, err := c.beaconKey(name); f != nil || err != nil {
		return f, err
	}
	f := c.plan.Field(name)
	if f == nil {
		return nil, fmt.Errorf("%w: %s has no field for index key %q", ErrConfiguration, c.plan.TypeName, name)
	}
	if f.Type == nil { // the entity's attribute
		f = &schema.Field{Name: f.Name, Type: stringType}
	}
	if f.IsTextTime() {
		return nil, fmt.Errorf("%w: field %s of %s is the key of an index: %s", ErrConfiguration, f.GoName,
			c.plan.TypeName, schema.TextTime)
	}
	return f, c.visible().Readable("index key", name)
}
