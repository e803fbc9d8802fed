package store

import (
	"maps"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/codec"
)

// operand returns v as encode wants it: with an address only if a method with a
// pointer receiver needs one. It leaves v off the heap, or moves it there once.
func (t *Table[T]) operand(v T) any {
	if !t.plan.address {
		return v
	}
	addressed := new(T)
	*addressed = v
	return addressed
}

// encode converts v, a value of the type or a pointer to one.
func (p *plan) encode(v any) (envelope.Item, error) {
	item, err := p.codec.Item(v, p.address)
	if p.convertsItself {
		item = maps.Clone(item) // the type may use it again
	}
	return item, err
}

// inspect checks what New cannot know: the types in interfaces, and the depth.
func (p *plan) inspect(v any) error {
	of := reflect.Indirect(reflect.ValueOf(v))
	for i := range p.fields {
		f := &p.fields[i]
		if f.typ == nil {
			continue // the entity's attribute
		}
		if fv, err := of.FieldByIndexErr(f.index); err == nil {
			if err := p.inspection.Check(f.goName, fv); err != nil {
				return err
			}
		}
	}
	return nil
}

// Value returns v as a value of an expression, converted by the options of the
// table as a field of v's type is, for conditions, filters and updates. The SDK's
// expression.Value does not know the options. For a field with the option unixtime
// pass an attributevalue.UnixTime. A value that cannot be converted is an
// [ErrConfiguration] of the method that takes the expression.
func (t *Table[T]) Value(v any) expression.ValueBuilder {
	err := t.plan.inspection.Check("value", reflect.ValueOf(&v).Elem())
	var av types.AttributeValue
	if err == nil {
		av, err = t.plan.codec.EncodeKey(v)
	}
	if err != nil {
		av = codec.Failed(v, err)
	}
	return value(av)
}
