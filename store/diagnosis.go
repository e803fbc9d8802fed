package store

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

// encodeError says which attribute of *v cannot be converted, and why.
// attributevalue does not say which, so the fields are tried one by one.
func (p *plan) encodeError(v any, err error) error {
	if !p.convertsItself {
		for i := range p.fields {
			f := &p.fields[i]
			if _, fault := p.encodeField(v, f); fault != nil {
				return redaction.New(fmt.Sprintf("%s cannot be marshalled: %s: %s", p.typeName, f,
					redaction.Reason(fault)), err)
			}
		}
	}
	return redaction.New(fmt.Sprintf("%s cannot be marshalled: %s", p.typeName, redaction.Reason(err)), err)
}

// encodeField converts one field of *v as the encoder does in a struct.
func (p *plan) encodeField(v any, f *field) (types.AttributeValue, error) {
	if f.index == nil {
		return nil, nil
	}
	return p.codec.Field(v, f.index, reflect.StructField{Name: "Field", Type: f.typ, Tag: f.tag})
}

// encodable converts the keys of a value that cannot be converted as a whole,
// as far as they can be.
func (p *plan) encodable(v any) envelope.Item {
	key := envelope.Item{}
	for _, f := range []*field{p.partition, p.sort} {
		if f == nil || p.convertsItself {
			continue
		}
		if f.composed != nil {
			if text, err := f.composed.Text(reflect.Indirect(reflect.ValueOf(v))); err == nil {
				key[f.name] = &types.AttributeValueMemberS{Value: text}
			}
			continue
		}
		if av, err := p.encodeField(v, f); err == nil && av != nil {
			key[f.name] = av
		}
	}
	return key
}

// decodeError says which attribute of an item does not fit, and why.
func (p *plan) decodeError(item envelope.Item, t reflect.Type, err error) error {
	if !p.convertsItself {
		for _, name := range slices.Sorted(maps.Keys(item)) {
			fault := p.codec.Decode(envelope.Item{name: item[name]}, reflect.New(t).Interface())
			if fault == nil {
				continue
			}
			what := fmt.Sprintf("attribute %q", name)
			if f := p.field(name); f != nil {
				what = f.String()
			}
			text := fmt.Sprintf("item does not fit %s: %s, stored as %s: %s",
				p.typeName, what, ddbjson.TypeName(item[name]), redaction.Reason(fault))
			return redaction.New(text, err)
		}
	}
	return redaction.New(fmt.Sprintf("item does not fit %s: %s", p.typeName, redaction.Reason(err)), err)
}

// String names the attribute and the Go field.
func (f *field) String() string {
	return fmt.Sprintf("attribute %q, field %s of type %v", f.name, f.goName, f.typ)
}

// notText is the error for a string that is not valid UTF-8, which the SDK's
// encoding of a request would change in silence.
func notText(attribute string) error {
	return fmt.Errorf("%w: a string in attribute %q is not valid UTF-8: store bytes", envelope.ErrInvalidItem,
		attribute)
}
