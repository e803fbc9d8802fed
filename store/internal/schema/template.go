package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/composed"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
)

var stringType = reflect.TypeFor[string]()

// addComputed adds the blank fields that declare a composed key.
func (p *Plan) addComputed(members []gotype.Member) error {
	for i := range members {
		m := &members[i]
		refuse := func(reason string) error {
			return fmt.Errorf("%w: field %s of %s, attribute %q: %s", envelope.ErrConfiguration, m.Path, p.TypeName,
				m.Name, reason)
		}
		if m.Field.Type != stringType && m.Field.Type != reflect.TypeFor[struct{}]() {
			return refuse("a blank field with a template is of type string or struct{}")
		}
		if slices.ContainsFunc(p.Fields, func(f Field) bool { return f.Name == m.Name }) {
			return refuse("another field has this name")
		}
		f := Field{Name: m.Name, GoName: m.Path, Type: stringType, tag: m.Field.Tag, Codec: p.Codec,
			kinds: p.Codec.Kinds(stringType, nil)}
		seal, tagged := m.Seal()
		if err := f.parse(seal, tagged, m.Options); err != nil {
			return refuse(err.Error())
		}
		p.Fields = append(p.Fields, f)
	}
	return nil
}

// collectTemplates reads the template tags, when all fields are known.
func (p *Plan) collectTemplates(t reflect.Type) error {
	for i := range p.Fields {
		f := &p.Fields[i]
		tag, has := f.tag.Lookup("template")
		if !has {
			continue
		}
		var err error
		switch {
		case !f.isKey():
			err = errors.New(`it is for a field tagged seal:"partition" or seal:"sort"`)
		case p.convertsItself:
			err = fmt.Errorf("%s converts itself to an item: let its method compose the key", p.TypeName)
		case f.Type != stringType:
			err = fmt.Errorf("the composed key is a string, not %v", f.Type)
		default:
			f.composed, err = composed.New(t, tag, p.Codec, p.partOfKey)
		}
		if err != nil {
			return fmt.Errorf("%w: field %s of %s: tag template: %w", envelope.ErrConfiguration, f.GoName, p.TypeName,
				err)
		}
		p.Composed = true
	}
	return nil
}

// partOfKey returns the attribute of a field that a template names, and refuses
// one that cannot be a part of a key.
func (p *Plan) partOfKey(index []int) (string, error) {
	for i := range p.Fields {
		f := &p.Fields[i]
		switch {
		case !slices.Equal(f.Index, index):
			continue
		case f.role != plain:
			return "", errors.New("a key, a version or a ttl cannot be a part of a key")
		case f.action == envelope.EncryptAndSign:
			return "", errors.New(`the field is encrypted, and the key would show it: tag it seal:"sign", or ` +
				`dynamodbav:"-" to keep it in the key alone`)
		}
		return f.Name, nil
	}
	return "", nil
}

// Compose sets the key attributes of an item that templates compose of v, a value
// of the type or a pointer to one.
func (p *Plan) Compose(item envelope.Item, v any) error {
	of := reflect.Indirect(reflect.ValueOf(v))
	for _, f := range []*Field{p.Partition, p.Sort} {
		if f == nil || f.composed == nil {
			continue
		}
		text, err := f.composed.Text(of)
		if err != nil {
			return f.templateError(err)
		}
		item[f.Name] = &types.AttributeValueMemberS{Value: text}
	}
	return nil
}

// templateError names the template of a key that cannot be composed.
func (f *Field) templateError(err error) error {
	return fmt.Errorf("%w: key attribute %q of template %q: %w", composed.ErrTemplate, f.Name, f.composed.Template(),
		err)
}

// TakeApart fills the fields of *v that only the item's keys have, and refuses
// keys that are not those of the filled value.
func (p *Plan) TakeApart(item envelope.Item, v any) error {
	of := reflect.ValueOf(v).Elem()
	for _, f := range []*Field{p.Partition, p.Sort} {
		if f == nil || f.composed == nil {
			continue
		}
		s, is := item[f.Name].(*types.AttributeValueMemberS)
		if !is {
			return f.templateError(errors.New("the item has no string there"))
		}
		if err := f.composed.Fill(of, s.Value, item); err != nil {
			return f.templateError(err)
		}
	}
	// Composing the keys again finds every contradiction: between the two keys,
	// and between a key and an attribute.
	again := make(envelope.Item, 2)
	if err := p.Compose(again, v); err != nil {
		return err
	}
	for name, av := range again {
		if av.(*types.AttributeValueMemberS).Value != item[name].(*types.AttributeValueMemberS).Value {
			return p.Field(name).templateError(errors.New("the item's values compose another key"))
		}
	}
	return nil
}

// FullKey is KeyValue of a whole key: text must fit the template of the field, if
// it has one. The key of an ItemError need not, so that its item can be deleted.
func (f *Field) FullKey(value any) (types.AttributeValue, error) {
	av, err := f.KeyValue(value)
	if err != nil || f.composed == nil {
		return av, err
	}
	if _, stored := value.(types.AttributeValue); stored {
		return av, nil
	}
	if s, is := av.(*types.AttributeValueMemberS); !is || !f.composed.Fits(s.Value) {
		return nil, fmt.Errorf("%w: %w: make the key by Table.Key", envelope.ErrConfiguration,
			f.templateError(errors.New("the text is not a key of the template")))
	}
	return av, nil
}

// KeyPart returns the value of a key field of *v, or what stands for its error.
func (p *Plan) KeyPart(f *Field, v any) types.AttributeValue {
	if f.composed != nil {
		text, err := f.composed.Text(reflect.ValueOf(v).Elem())
		if err != nil {
			return codec.Refused(f.templateError(err))
		}
		return &types.AttributeValueMemberS{Value: text}
	}
	var av types.AttributeValue
	var err error
	if p.convertsItself {
		var item envelope.Item
		item, err = p.Encode(v)
		av = item[f.Name]
	} else {
		av, err = p.encodeField(v, f)
	}
	switch {
	case err != nil:
		return codec.Refused(p.EncodeError(v, err))
	case av == nil:
		return codec.Refused(fmt.Errorf("the %s has no key attribute %q", p.TypeName, f.Name))
	}
	return av
}

// Prefix returns the value of a sort key's prefix that the named fields of *v
// give, or what stands for its error.
func (p *Plan) Prefix(v any, fields []string) types.AttributeValue {
	f := p.Sort
	if f == nil || f.composed == nil {
		return codec.Refused(fmt.Errorf("SortPrefix: the sort key of %s has no template", p.TypeName))
	}
	prefix, err := f.composed.Prefix(reflect.ValueOf(v).Elem(), fields)
	if err != nil {
		return codec.Refused(f.templateError(err))
	}
	return &types.AttributeValueMemberS{Value: prefix}
}
