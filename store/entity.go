// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
)

// Entity tells the types of items in one table apart, for tables that hold
// several. Every item of the type has Name in Attribute, a readable and signed
// string: writes put it there, reads refuse items that have another one
// ([ErrOtherEntity]), and Query and Scan leave them out; so an index has to
// project Attribute, or nothing is found by it. T may have a field for the
// attribute, which is then overwritten; it need not.
//
// Every write that can carry a condition has the condition that the item under
// the key, if there is one, is not of another entity; it fails with
// [ErrOtherEntity] otherwise. An item without Attribute may be replaced or
// deleted. [Table.BatchPut] and [Table.BatchDelete] cannot check.
//
// One attribute has one action per table: in client-side mode each type needs the
// attributes and beacons of the others. [NewCollection] gives them to all types of
// a program; [ClientSide].OtherActions, from [Actions], and [ClientSide].Search,
// from [Beacons], take them one by one.
type Entity struct{ Attribute, Name string }

// Beacons returns the standard beacons that the tags of T declare, for the
// Standard beacons of [ClientSide].Search of another type in the same table. The
// error is as for [New], whose options that say how values are stored are needed
// here too.
func Beacons[T any](opts ...Option) ([]beacon.Standard, error) {
	o, err := collectOptions(opts)
	if err != nil {
		return nil, err
	}
	p, err := planOf[T]("", o)
	if err != nil {
		return nil, err
	}
	return p.Beacons, nil
}

// Actions returns the actions that the tags of T give its attributes, for
// [ClientSide].OtherActions of another type in the same table. The error is
// as for [New], whose options that say how values are stored are needed here too.
func Actions[T any](opts ...Option) (map[string]envelope.Action, error) {
	o, err := collectOptions(opts)
	if err != nil {
		return nil, err
	}
	p, err := planOf[T]("", o)
	if err != nil {
		return nil, err
	}
	return p.Actions(nil)
}

// guard adds to the conditions of a write that the item under the key is not of
// another entity.
func (c *core) guard(conditions []Condition) []Condition {
	e := c.plan.Entity
	if e.Name == "" {
		return conditions
	}
	attribute := name(e.Attribute)
	return append(slices.Clip(conditions),
		expression.Or(attribute.AttributeNotExists(), attribute.Equal(expression.Value(e.Name))))
}
