// SPDX-License-Identifier: Apache-2.0

package store

import (
	"reflect"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/schema"
)

// Key is the primary key of an item: values of the Go types of the fields
// tagged partition and sort, or of type types.AttributeValue as in
// [ItemError.Key]. Sort is nil exactly when the type has no sort key. [Table.Key]
// makes keys of the fields of a value.
type Key struct{ Partition, Sort any }

func planOf[T any](table string, o *options) (*schema.Plan, error) {
	return schema.New(reflect.TypeFor[T](), table, o.codec)
}

// key converts a key of the application.
func (c *core) key(k Key) (envelope.Item, error) { return c.plan.Key(k.Partition, k.Sort) }

// keyOf takes the key out of an item.
func (c *core) keyOf(item envelope.Item) Key {
	partition, sort := c.plan.KeyOf(item)
	return Key{partition, sort}
}

// Key returns the key of v, composed of the fields that the templates of T name.
// The other fields of v do not count. Its parts can be used apart, in
// [Query].Partition and in the ranges of the sort key:
//
//	orders.Get(ctx, orders.Key(Order{Customer: "7", Number: 42}))
//	orders.Query(ctx, store.Query{Partition: orders.Key(Order{Customer: "7"}).Partition})
//
// The error of a part that cannot be composed is returned by the method that
// takes it; it matches [ErrConfiguration] and [ErrKeyTemplate].
func (t *Table[T]) Key(v T) Key {
	k := Key{Partition: t.plan.KeyPart(t.plan.Partition, &v)}
	if t.plan.Sort != nil {
		k.Sort = t.plan.KeyPart(t.plan.Sort, &v)
	}
	return k
}

// IndexKey returns the key of v in an index that tags of T declare, as [Table.Key]
// returns the key in the table, for Partition and Sort of a [Query]:
//
//	orders.Query(ctx, store.Query{Index: &store.Index{Name: "byState"},
//		Partition: orders.IndexKey("byState", Order{State: "open"}).Partition})
//
// For a role of several attributes it has [Values]. If a part cannot be composed, the
// query returns the error, as for [Table.Key].
func (t *Table[T]) IndexKey(index string, v T) Key {
	partition, sort := t.plan.IndexKey(index, &v)
	return Key{several(partition), several(sort)}
}

func several(part any) any {
	if values, is := part.([]any); is {
		return Values(values)
	}
	return part
}

// SortPrefix matches the sort keys that agree with v in the named fields, which
// are the first ones of the template of T's sort key, in their order. Without
// fields it matches all sort keys of the template, those with its first text:
//
//	// of the template "ORDER#{Year:04}#{Number:08}", the orders of 2026
//	orders.SortPrefix(Order{Year: 2026}, "Year")
//
// If the last named field ends the template and is a text of any length, keys in
// which that text goes on match too. To match one key, use [SortEqual] with the Sort
// of [Table.Key].
//
// An error is returned by the query that takes the range; it matches
// [ErrConfiguration], and [ErrKeyTemplate] for a value that cannot be a part of
// the key.
func (t *Table[T]) SortPrefix(v T, fields ...string) SortRange {
	return SortRange{operator: "begins_with", low: t.plan.Prefix(&v, fields)}
}
