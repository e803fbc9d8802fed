// SPDX-License-Identifier: Apache-2.0

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

// addComputed adds the blank fields that declare a composed attribute.
func (p *Plan) addComputed(members []gotype.Member) error {
	for i := range members {
		m := &members[i]
		f := Field{Name: m.Name, GoName: m.Path, Type: stringType, tag: m.Field.Tag, Codec: p.Codec,
			kinds: p.Codec.Kinds(stringType, nil), sparse: slices.Contains(m.Options, "omitempty")}
		seal, tagged := m.Seal()
		err := f.parse(seal, tagged, m.Options)
		_, beacon := m.Beacon()
		switch {
		case err != nil:
		case m.Field.Type != stringType && m.Field.Type != reflect.TypeFor[struct{}]():
			err = errors.New("a blank field with a template is of type string or struct{}")
		case slices.ContainsFunc(p.Fields, func(f Field) bool { return f.Name == m.Name }):
			err = errors.New("another field has this name")
		case beacon:
			err = errors.New("tag beacon: the attribute is not encrypted: remove the tag")
		case slices.ContainsFunc(m.Options, func(o string) bool { return o != "omitempty" }):
			err = errors.New("a composed attribute has no option of the tag dynamodbav but omitempty")
		}
		if err != nil {
			return fmt.Errorf("%w: field %s of %s, attribute %q: %w", envelope.ErrConfiguration, m.Path, p.TypeName,
				m.Name, err)
		}
		p.Fields = append(p.Fields, f)
	}
	return nil
}

// collectTemplates reads the template tags, when all fields are known.
func (p *Plan) collectTemplates(t reflect.Type) error {
	inKeys := map[string]bool{} // the placeholders of the table's keys
	for i := range p.Fields {
		f := &p.Fields[i]
		tag, has := f.tag.Lookup("template")
		if !has {
			continue
		}
		if err := p.addTemplate(t, f, tag); err != nil {
			return f.tagError(p, err)
		}
		for _, name := range f.composed.Unstored() {
			inKeys[name] = inKeys[name] || f.isKey()
		}
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.composed == nil || f.isKey() {
			continue
		}
		for _, name := range f.composed.Unstored() {
			if !inKeys[name] {
				return f.tagError(p, fmt.Errorf("{%s}: the field is neither an attribute nor a part of the table's "+
					"key, so a read of other attributes would lose it", name))
			}
		}
	}
	return nil
}

func (f *Field) tagError(p *Plan, err error) error {
	return fmt.Errorf("%w: field %s of %s, attribute %q: tag template: %w", envelope.ErrConfiguration, f.GoName,
		p.TypeName, f.Name, err)
}

// addTemplate reads the template tag of a field.
func (p *Plan) addTemplate(t reflect.Type, f *Field, tag string) (err error) {
	_, global := f.tag.Lookup(GlobalTag)
	_, local := f.tag.Lookup(LocalTag)
	signed := f.action == envelope.SignOnly || f.action == envelope.SignAndIncludeInEncryptionContext
	switch {
	case !f.isKey() && !(f.role == plain && signed && (global || local)):
		return errors.New(`it is for a field tagged seal:"partition" or seal:"sort", and for the key of an index, ` +
			`tagged seal:"sign" and index`)
	case p.convertsItself:
		return fmt.Errorf("%s converts itself to an item: let its method compose the key", p.TypeName)
	case f.Type != stringType:
		return fmt.Errorf("the composed key is a string, not %v", f.Type)
	}
	p.Composed = true
	f.composed, err = composed.New(t, tag, p.Codec, p.partOfKey)
	return err
}

// partOfKey returns the attribute of a field that a template names, and refuses
// one that cannot be a part of a key.
func (p *Plan) partOfKey(index []int) (string, error) {
	for i := range p.Fields {
		f := &p.Fields[i]
		switch {
		case !slices.Equal(f.Index, index):
			continue
		case f.role != plain || f.tag.Get("template") != "":
			return "", errors.New("a key, a version or a ttl cannot be a part of a key")
		case f.action == envelope.EncryptAndSign:
			return "", errors.New(`the field is encrypted, and the key would show it: tag it seal:"sign", or ` +
				`dynamodbav:"-" to keep it in the key alone`)
		}
		return f.Name, nil
	}
	return "", nil
}

// Compose sets the attributes of an item that templates compose of v, a value of
// the type or a pointer to one.
func (p *Plan) Compose(item envelope.Item, v any) error {
	of := reflect.Indirect(reflect.ValueOf(v))
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.composed == nil {
			continue
		}
		if f.sparse && f.composed.Empty(of) {
			delete(item, f.Name)
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
// composed attributes that are not those of the filled value. The keys of an index
// may be absent.
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
	// Composing all again finds every contradiction: between the keys, and between
	// a key and an attribute.
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.composed == nil || item[f.Name] == nil || !f.isKey() && !p.complete(f, item) {
			continue
		}
		text, err := f.composed.Text(of)
		if err != nil {
			return f.templateError(err)
		}
		if s, is := item[f.Name].(*types.AttributeValueMemberS); !is || s.Value != text {
			return f.templateError(errors.New("the item's values compose another key"))
		}
	}
	return nil
}

// complete reports whether an item has all attributes that a key of an index is
// composed of: a projection may leave some out.
func (p *Plan) complete(f *Field, item envelope.Item) bool {
	return !slices.ContainsFunc(p.Fields, func(g Field) bool { return f.composed.Uses(g.Name) && item[g.Name] == nil })
}

// CheckTargets refuses an update in place of an attribute that is composed, or of
// which another one is composed: the two would contradict each other.
func (p *Plan) CheckTargets(names []string) error {
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.composed == nil {
			continue
		}
		for _, name := range names {
			if name == f.Name || f.composed.Uses(name) {
				return fmt.Errorf("%w: UpdateExpression changes %q, and the template of %q composes a key of it: "+
					"change it by Update", envelope.ErrConfiguration, name, f.Name)
			}
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

// IndexKey returns the values of the keys of an index of *v, or what stands for
// their errors: a []any for a role of several attributes. sort is nil for an index
// without a sort key.
func (p *Plan) IndexKey(index string, v any) (partition, sort any) {
	x := p.DeclaredIndex(index)
	if x == nil {
		err := fmt.Errorf("no field of %s declares index %q", p.TypeName, index)
		return codec.Refused(err), codec.Refused(err)
	}
	part := func(name string) any {
		if f := p.Field(name); f != nil && f.Index != nil || f != nil && f.composed != nil {
			return p.KeyPart(f, v)
		}
		return codec.Refused(fmt.Errorf("key %q of index %q is not a field of %s: give its plaintext value", name,
			index, p.TypeName))
	}
	role := func(names []string) any {
		if len(names) == 1 {
			return part(names[0])
		}
		values := make([]any, len(names))
		for i, name := range names {
			values[i] = part(name)
		}
		return values
	}
	if x.Key.Sort != "" {
		sort = role(x.Key.Sorts())
	}
	return role(x.Key.Partitions()), sort
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
