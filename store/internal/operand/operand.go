// SPDX-License-Identifier: Apache-2.0

// Package operand compares the values of an expression with the fields whose
// attributes the expression compares them with or stores them in.
package operand

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store/internal/codec"
)

// Field is what is known of the values of an attribute.
type Field struct {
	// Kinds are the DynamoDB types that the attribute can have; nil: any.
	Kinds []string
	// FixedTime says that the attribute is a time in codec.FixedLayout.
	FixedTime bool
	// GoName and Type describe the field.
	GoName string
	Type   reflect.Type
}

// Fields returns the field of an attribute, false if nothing is known of it.
type Fields func(attribute string) (Field, bool)

// CheckCondition refuses values of another type than the attribute with which a
// condition compares them. Errors: envelope.ErrConfiguration.
func CheckCondition(n ddbexpr.Node, fields Fields) error {
	for _, below := range n.Nodes() {
		if err := CheckCondition(below, fields); err != nil {
			return err
		}
	}
	op := n.Operator()
	switch op {
	case ddbexpr.OpExists, ddbexpr.OpNotExists, ddbexpr.OpType, ddbexpr.OpOr, ddbexpr.OpAnd, ddbexpr.OpNot,
		ddbexpr.OpInvalid:
		return nil
	}
	operands := n.Operands()
	for _, path := range operands {
		f, known := field(path.Path(), fields)
		if !known {
			continue
		}
		if op == ddbexpr.OpContains {
			f.Kinds, f.FixedTime = elements(f.Kinds), false
		}
		for _, o := range operands {
			if o.Value() == nil {
				continue
			}
			if err := f.check(path.Path().Attribute(), o.Value(), op != ddbexpr.OpBeginsWith); err != nil {
				return fmt.Errorf("%w: a condition compares %w", envelope.ErrConfiguration, err)
			}
		}
	}
	return nil
}

// CheckUpdate refuses values of another type than the attribute in which an
// update stores them. Errors: envelope.ErrConfiguration.
func CheckUpdate(u *ddbexpr.Update, fields Fields) error {
	// On an item without attributes, if_not_exists shows the value that it stores.
	stored, err := u.Apply(nil)
	if err != nil {
		stored = nil // the update needs an item
	}
	for _, a := range u.Actions() {
		f, known := field(a.Path, fields)
		if !known {
			continue
		}
		name := a.Path.Attribute()
		for _, v := range []types.AttributeValue{a.Value, stored[name]} {
			if v == nil {
				continue
			}
			if err := f.check(name, v, true); err != nil {
				return fmt.Errorf("%w: an update stores %w", envelope.ErrConfiguration, err)
			}
		}
	}
	return nil
}

// field returns the field of a whole attribute.
func field(p ddbexpr.Path, fields Fields) (Field, bool) {
	if len(p) != 1 {
		return Field{}, false
	}
	f, known := fields(p.Attribute())
	return f, known && f.Kinds != nil
}

// elements returns the types of the elements that an attribute can contain.
func elements(kinds []string) []string {
	of := map[string]string{"S": "S", "SS": "S", "NS": "N", "BS": "B", "B": "B"}
	var out []string
	for _, k := range kinds {
		e, known := of[k]
		if !known {
			return nil
		}
		out = append(out, e)
	}
	return out
}

// check refuses a value that is not stored for the field. whole says that it is
// not only the beginning of one. NULL fits: each field reads it as its zero value.
func (f *Field) check(attribute string, av types.AttributeValue, whole bool) error {
	kind := ddbjson.TypeName(av)
	if f.Kinds == nil || kind == "NULL" {
		return nil
	}
	if !slices.Contains(f.Kinds, kind) {
		return fmt.Errorf("attribute %q with a value of type %s, but field %s of type %v is stored as %s: make the "+
			"value by Table.Value of a %[4]v", attribute, kind, f.GoName, f.Type, f.Kinds[0])
	}
	text, is := av.(*types.AttributeValueMemberS)
	if !f.FixedTime || !whole || !is {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, text.Value); err != nil {
		return nil // another bound, such as a year
	}
	if _, err := time.Parse(codec.FixedLayout, text.Value); err != nil || len(text.Value) != len(codec.FixedLayout) {
		return fmt.Errorf("attribute %q with a time in another layout than field %s has, which the option "+
			"SortableTimes stores: make the value by Table.Value", attribute, f.GoName)
	}
	return nil
}
