// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/store/internal/schema"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// beaconKey returns what stands for the field of an index key that is a beacon:
// its name is used in expressions, and its values have the type of the attribute
// that the beacon is made of. It returns nil if name does not stand for a beacon.
func (c *core) beaconKey(name string) (*schema.Field, error) {
	k, is, err := c.searching.Key(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfiguration, err)
	}
	if !is {
		return nil, nil
	}
	f := schema.Field{GoName: k.Name, Type: reflect.TypeFor[any](), Codec: c.plan.Codec}
	if own := c.plan.Field(k.Of); own != nil && k.Of != "" {
		f = *own
	} else if k.Text {
		f.Type = stringType
	}
	f.Name, f.Stored = k.Name, k.Attribute
	return &f, nil
}

// storedKey returns the attribute that stores an index key.
func (c *core) storedKey(name string) string {
	if f, err := c.beaconKey(name); err == nil && f != nil {
		return f.Stored
	}
	return name
}

// searchError wraps an error of a search: of its expressions, its cursor, a beacon
// key or a call.
func (c *core) searchError(err error) error {
	switch {
	case errors.Is(err, search.ErrUnsearchable):
		return fmt.Errorf("search of %s: %w: %w", c.name, ErrEncryptedAttribute, err)
	case errors.Is(err, searching.ErrCursor):
		return fmt.Errorf("query of %s: %w: %w", c.name, ErrConfiguration, err)
	}
	return c.callError("search", err)
}

// reader returns the reader of a query that searches by beacons.
func (c *core) reader(ctx context.Context, in *dynamodb.QueryInput, v view, q searching.Query,
	from Cursor) (*searching.Reader, error) {
	q.Input = in
	q.Keys = append(c.plan.Keys(), v.indexKeys...)
	switch {
	case v.index == "":
		q.Sort = c.plan.SortName()
	case len(v.indexKeys) > 1:
		q.Sort = v.indexKeys[1]
	}
	q.Send = func(ctx context.Context, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
		return c.client.Query(ctx, in)
	}
	q.Open = c.decryptAll
	return v.search.Read(ctx, q, string(from))
}

// search is Query for a search by beacons.
func (t *Table[T]) search(ctx context.Context, in *dynamodb.QueryInput, v view, q Query, yield func(T, error) bool) {
	var item, zero T // item is one variable, which has to be on the heap
	read := searching.Query{Size: int(q.PageSize), Budget: -1}
	if q.PageSize == 0 && q.Limit > 0 {
		read.Size, read.Grow = q.Limit, true
	}
	r, err := t.reader(ctx, in, v, read, "")
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

// minBudget is the smallest number of items that may be read for a page unless
// the query has another.
const minBudget = 1000

// searchPage is QueryPage for a search by beacons.
func (t *Table[T]) searchPage(ctx context.Context, in *dynamodb.QueryInput, v view, q Query,
	from Cursor) (Page[T], error) {
	size := int(q.PageSize)
	read := searching.Query{Size: size, Grow: true}
	if size > 0 {
		if read.Budget = q.ReadBudget; read.Budget == 0 {
			read.Budget = max(20*size, minBudget)
		}
	}
	r, err := t.reader(ctx, in, v, read, from)
	if err != nil {
		return Page[T]{}, t.searchError(err)
	}
	var page Page[T]
	for n := 0; size == 0 || n < size; n++ {
		found, err := r.Next(ctx)
		if err != nil {
			return Page[T]{}, t.searchError(err)
		}
		if found == nil {
			break
		}
		var item T
		err = decodeOpened(&t.core, *found, v, &item)
		page.add(item, err)
	}
	next, err := r.Cursor()
	page.Next, page.Scanned = Cursor(next), r.Scanned
	return page, err
}
