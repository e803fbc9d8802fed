package store

import (
	"errors"
	"maps"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

var errNotMap = errors.New(gotype.MarshalMethod + " did not return a map")

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

// encode converts v, a value of the type or a pointer to one. A panic is an
// error.
func (p *plan) encode(v any) (item envelope.Item, err error) {
	defer redaction.Catch(&err)
	if rv := reflect.ValueOf(v); !p.address && rv.Kind() == reflect.Pointer {
		// The encoder allocates a copy of every number and text that has an address.
		v = rv.Elem().Interface()
	}
	av, err := p.codec.Encoder.Encode(v)
	if err != nil {
		return nil, err
	}
	m, ok := av.(*types.AttributeValueMemberM)
	if !ok || m.Value == nil {
		return nil, errNotMap
	}
	if p.convertsItself {
		return maps.Clone(m.Value), nil // the type may use it again
	}
	return m.Value, nil
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

// decode fills *v. A panic is an error.
func (p *plan) decode(item envelope.Item, v any) (err error) {
	defer redaction.Catch(&err)
	return p.codec.Decoder.Decode(&types.AttributeValueMemberM{Value: item}, v)
}
