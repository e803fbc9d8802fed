// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/schema"
)

// Collection is a table with items of several Go types, and reads them together:
//
//	for v, err := range shop.Query(ctx, store.Query{Partition: "CUSTOMER#7"}) {
//		switch v := v.(type) {
//		case Customer:
//		case Order:
//		case store.UnknownItem: // of a type that the collection does not have
//		}
//	}
//
// Values come in the order of the sort key, whatever their types. Writes and
// reads of one type go through its own [Table]. A Collection is a [Declaration]
// of all its types for [Create]. It is safe for use by many goroutines.
type Collection struct {
	all    Table[any]
	values []reflect.Type
}

// Member is one type of a [Collection]. [MemberOf] returns one.
type Member struct {
	plan func(table, attribute string) (*schema.Plan, error)
	open func(Client, string, Mode, Entity) (entityType, error)
	set  func(entityType)
	of   reflect.Type
}

// entityType is a *Table of any type as a part of a collection.
type entityType interface {
	Declaration
	value(plain envelope.Item, v view) (any, error)
}

// MemberOf declares that items with the name, the value of the collection's
// attribute, are values of T, and sets *to to their table. The options are those
// of [NewEntity].
func MemberOf[T any](to **Table[T], name string, opts ...Option) Member {
	return Member{
		plan: func(table, attribute string) (*schema.Plan, error) {
			if to == nil {
				return nil, fmt.Errorf("%w: member %q has no pointer to its table", ErrConfiguration, name)
			}
			o, err := collectOptions(opts)
			if err != nil {
				return nil, err
			}
			p, err := planOf[T](table, o)
			if err == nil {
				err = p.AddEntity(schema.Entity{Attribute: attribute, Name: name})
			}
			return p, err
		},
		open: func(c Client, table string, m Mode, e Entity) (entityType, error) {
			e.Name = name
			return NewEntity[T](c, table, m, e, opts...)
		},
		set: func(t entityType) { *to = t.(*Table[T]) },
		of:  reflect.TypeFor[T](),
	}
}

// NewCollection declares table, by its name or ARN, to hold the items of members,
// each of which says in attribute which type it is, as with [NewEntity]:
//
//	var customers *store.Table[Customer]
//	var orders *store.Table[Order]
//	shop, err := store.NewCollection(client, "shop", store.ClientSide{Keyring: keyring}, "kind",
//		store.MemberOf(&customers, "customer"), store.MemberOf(&orders, "order"))
//
// In client-side mode it gives each type the actions and beacons of the others.
// m needs only those of types that the program does not have: unsigned attributes
// of theirs must be in AllowedUnsigned, or their items do not verify. Nothing is
// called. [ErrConfiguration] says which member is wrong, or which two contradict
// each other: in a key, in the action of an attribute, in an index or in the
// time to live. No table is set then.
func NewCollection(client Client, table string, m Mode, attribute string, members ...Member) (*Collection, error) {
	if len(members) == 0 || attribute == "" {
		return nil, fmt.Errorf("%w: a collection needs an attribute and members", ErrConfiguration)
	}
	m, err := settle(m)
	if err != nil {
		return nil, err
	}
	plans := make([]*schema.Plan, len(members))
	out := &Collection{}
	for i, one := range members {
		var err error
		if one.plan == nil {
			return nil, fmt.Errorf("%w: the zero Member: use MemberOf", ErrConfiguration)
		}
		if plans[i], err = one.plan(table, attribute); err != nil {
			return nil, err
		}
		out.values = append(out.values, one.of)
	}
	if _, err := schema.Union(plans); err != nil {
		return nil, fmt.Errorf("table %s: %w", table, err)
	}
	opened := make([]entityType, len(members))
	named := make(map[string]entityType, len(members))
	wide := options{}
	for i, one := range members {
		var err error
		if opened[i], err = one.open(client, table, among(m, plans, i), Entity{Attribute: attribute}); err != nil {
			return nil, err
		}
		c := opened[i].declaration()
		plans[i], named[c.plan.Entity.Name] = c.plan, opened[i]
		wide.wholeIndexes = append(wide.wholeIndexes, c.options.wholeIndexes...)
	}
	union, err := schema.Union(plans)
	if err == nil {
		err = union.UniteIndexes(plans)
	}
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", table, err)
	}
	// Each encryptor opens the items of all types: their headers have the actions.
	out.all.core = *opened[0].declaration()
	out.all.mode, out.all.plan, out.all.options, out.all.types, out.all.validate = m, union, wide, named, nil
	for i, one := range members {
		one.set(opened[i])
	}
	return out, nil
}

// among returns the mode of one type beside others.
func among(m Mode, plans []*schema.Plan, i int) Mode {
	c, is := m.(ClientSide)
	if !is {
		return m
	}
	actions, beacons := schema.Others(plans, i)
	for name, action := range c.OtherActions {
		actions[name] = action
	}
	c.OtherActions = actions
	if c.Search != nil {
		s := *c.Search
		s.Standard = append(slices.Clip(s.Standard), beacons...)
		c.Search = &s
	}
	return c
}

// UnknownItem is an item of a [Collection] whose entity none of its members has.
type UnknownItem struct {
	// Entity is what the item has in the collection's attribute; "" if it has no
	// string there.
	Entity string
	// Key can be given to a [Table] of the collection.
	Key Key
	// Item is the plaintext, which was verified in client-side mode.
	Item envelope.Item
}

// unmarshalOne sets *to to the value of an item of a collection.
func (c *core) unmarshalOne(plain envelope.Item, v view, to *any) (err error) {
	s, _ := plain[c.plan.Entity.Attribute].(*types.AttributeValueMemberS)
	if s == nil {
		s = &types.AttributeValueMemberS{}
	}
	if t := c.types[s.Value]; t != nil {
		*to, err = t.value(plain, v)
		return err
	}
	*to = UnknownItem{Entity: s.Value, Key: c.keyOf(plain), Item: plain}
	return nil
}

func (t *Table[T]) value(plain envelope.Item, v view) (any, error) {
	var out T
	err := t.unmarshalView(plain, v, &out)
	return out, err
}

func (c *Collection) declaration() *core { return &c.all.core }

// Query iterates over the items of one partition as [Table.Query] does. Each value
// is of the Go type of a member, or an [UnknownItem]. A filter and Attributes may
// name the attributes of all members. An index must project the attribute that
// tells the types apart. If an item does not open, the error is an [*ItemError],
// whatever its type, and the value is nil.
func (c *Collection) Query(ctx context.Context, q Query) iter.Seq2[any, error] {
	return c.all.Query(ctx, q)
}

// QueryPage reads one page of [Collection.Query], as [Table.QueryPage] does.
func (c *Collection) QueryPage(ctx context.Context, q Query, cursor Cursor) (Page[any], error) {
	return c.all.QueryPage(ctx, q, cursor)
}

// Scan iterates over all items as [Table.Scan] does, with the values of
// [Collection.Query].
func (c *Collection) Scan(ctx context.Context, s Scan) iter.Seq2[any, error] {
	return c.all.Scan(ctx, s)
}

// Check compares the table with the declarations of all members, as [Table.Check]
// does.
func (c *Collection) Check(ctx context.Context) error { return c.all.Check(ctx) }

// Target is where [Collection.Collect] puts the values of one type. [Into] returns
// one.
type Target struct {
	add func(any) bool
	of  reflect.Type
}

// Into appends the values of type T, a member's type or [UnknownItem], to *list.
func Into[T any](list *[]T) Target {
	return Target{of: reflect.TypeFor[T](), add: func(v any) bool {
		one, is := v.(T)
		if is {
			*list = append(*list, one)
		}
		return is
	}}
}

// Collect reads the items of one partition into the lists of their types, each in
// the order of the query. rest has the values without a list, such as each
// [UnknownItem], in their order.
//
//	var customers []Customer
//	var orders []Order
//	rest, err := shop.Collect(ctx, q, store.Into(&customers), store.Into(&orders))
//
// The error joins an [*ItemError] for each item that could not be read; all other
// items are in the lists. Any other error ends the reading, and the lists have
// what was read before. Errors: [ErrConfiguration] for a list of a type that the
// collection does not have; those of [Collection.Query].
func (c *Collection) Collect(ctx context.Context, q Query, lists ...Target) (rest []any, err error) {
	for _, l := range lists {
		if l.of != reflect.TypeFor[UnknownItem]() && !slices.Contains(c.values, l.of) {
			return nil, fmt.Errorf("%w: collect from %s: no member is of type %v", ErrConfiguration, c.all.name, l.of)
		}
	}
	var failed []error
	for v, err := range c.Query(ctx, q) {
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if !slices.ContainsFunc(lists, func(l Target) bool { return l.add(v) }) {
			rest = append(rest, v)
		}
	}
	return rest, errors.Join(failed...)
}
