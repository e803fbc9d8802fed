// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

// EncodeError says which attribute of *v cannot be converted, and why.
// attributevalue does not say which, so the fields are tried one by one.
func (p *Plan) EncodeError(v any, err error) error {
	if !p.convertsItself {
		for i := range p.Fields {
			f := &p.Fields[i]
			if _, fault := p.encodeField(v, f); fault != nil {
				return redaction.New(fmt.Sprintf("%s cannot be marshalled: %s: %s", p.TypeName, f,
					redaction.Reason(fault)), err)
			}
		}
	}
	return redaction.New(fmt.Sprintf("%s cannot be marshalled: %s", p.TypeName, redaction.Reason(err)), err)
}

// encodeField converts one field of *v as the encoder does in a struct.
func (p *Plan) encodeField(v any, f *Field) (types.AttributeValue, error) {
	if f.Index == nil {
		return nil, nil
	}
	return p.Codec.Field(v, f.Index, reflect.StructField{Name: "Field", Type: f.Type, Tag: f.tag})
}

// Encodable converts the keys of a value that cannot be converted as a whole,
// as far as they can be.
func (p *Plan) Encodable(v any) envelope.Item {
	key := envelope.Item{}
	for _, f := range []*Field{p.Partition, p.Sort} {
		if f == nil || p.convertsItself {
			continue
		}
		if f.composed != nil {
			if text, err := f.composed.Text(reflect.Indirect(reflect.ValueOf(v))); err == nil {
				key[f.Name] = &types.AttributeValueMemberS{Value: text}
			}
			continue
		}
		if av, err := p.encodeField(v, f); err == nil && av != nil {
			key[f.Name] = av
		}
	}
	return key
}

// DecodeError says which attribute of an item does not fit, and why.
func (p *Plan) DecodeError(item envelope.Item, t reflect.Type, err error) error {
	if !p.convertsItself {
		for _, name := range slices.Sorted(maps.Keys(item)) {
			fault := p.Codec.Decode(envelope.Item{name: item[name]}, reflect.New(t).Interface())
			if fault == nil {
				continue
			}
			what := fmt.Sprintf("attribute %q", name)
			if f := p.Field(name); f != nil {
				what = f.String()
			}
			text := fmt.Sprintf("item does not fit %s: %s, stored as %s: %s",
				p.TypeName, what, ddbjson.TypeName(item[name]), redaction.Reason(fault))
			return redaction.New(text, err)
		}
	}
	return redaction.New(fmt.Sprintf("item does not fit %s: %s", p.TypeName, redaction.Reason(err)), err)
}

// String names the attribute and the Go field.
func (f *Field) String() string {
	return fmt.Sprintf("attribute %q, field %s of type %v", f.Name, f.GoName, f.Type)
}

// NotText is the error for a string that is not valid UTF-8, which the SDK's
// encoding of a request would change in silence.
func NotText(attribute string) error {
	return fmt.Errorf("%w: a string in attribute %q is not valid UTF-8: store bytes", envelope.ErrInvalidItem,
		attribute)
}
