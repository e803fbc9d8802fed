package store

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

// addComputed adds the blank fields that declare a composed key.
func (p *plan) addComputed(members []gotype.Member) error {
	for i := range members {
		m := &members[i]
		refuse := func(reason string) error {
			return fmt.Errorf("%w: field %s of %s, attribute %q: %s", ErrConfiguration, m.Path, p.typeName, m.Name, reason)
		}
		if m.Field.Type != stringType && m.Field.Type != reflect.TypeFor[struct{}]() {
			return refuse("a blank field with a template is of type string or struct{}")
		}
		if slices.ContainsFunc(p.fields, func(f field) bool { return f.name == m.Name }) {
			return refuse("another field has this name")
		}
		f := field{name: m.Name, goName: m.Path, typ: stringType, tag: m.Field.Tag, codec: p.codec,
			kinds: p.codec.Kinds(stringType, nil)}
		seal, tagged := m.Seal()
		if err := f.parse(seal, tagged, m.Options); err != nil {
			return refuse(err.Error())
		}
		p.fields = append(p.fields, f)
	}
	return nil
}

// collectTemplates reads the template tags, when all fields are known.
func (p *plan) collectTemplates(t reflect.Type) error {
	for i := range p.fields {
		f := &p.fields[i]
		tag, has := f.tag.Lookup("template")
		if !has {
			continue
		}
		var err error
		switch {
		case f.role != partition && f.role != sortKey:
			err = errors.New(`it is for a field tagged seal:"partition" or seal:"sort"`)
		case p.convertsItself:
			err = fmt.Errorf("%s converts itself to an item: let its method compose the key", p.typeName)
		case f.typ != stringType:
			err = fmt.Errorf("the composed key is a string, not %v", f.typ)
		default:
			f.composed, err = composed.New(t, tag, p.codec, p.partOfKey)
		}
		if err != nil {
			return fmt.Errorf("%w: field %s of %s: tag template: %w", ErrConfiguration, f.goName, p.typeName, err)
		}
		p.composed = true
	}
	return nil
}

// partOfKey returns the attribute of a field that a template names, and refuses
// one that cannot be a part of a key.
func (p *plan) partOfKey(index []int) (string, error) {
	for i := range p.fields {
		f := &p.fields[i]
		switch {
		case !slices.Equal(f.index, index):
			continue
		case f.role != plain:
			return "", errors.New("a key, a version or a ttl cannot be a part of a key")
		case f.action == envelope.EncryptAndSign:
			return "", errors.New(`the field is encrypted, and the key would show it: tag it seal:"sign", or ` +
				`dynamodbav:"-" to keep it in the key alone`)
		}
		return f.name, nil
	}
	return "", nil
}

// compose sets the key attributes of an item that templates compose of v, a value
// of the type or a pointer to one.
func (p *plan) compose(item envelope.Item, v any) error {
	of := reflect.Indirect(reflect.ValueOf(v))
	for _, f := range []*field{p.partition, p.sort} {
		if f == nil || f.composed == nil {
			continue
		}
		text, err := f.composed.Text(of)
		if err != nil {
			return f.templateError(err)
		}
		item[f.name] = &types.AttributeValueMemberS{Value: text}
	}
	return nil
}

// templateError names the template of a key that cannot be composed.
func (f *field) templateError(err error) error {
	return fmt.Errorf("%w: key attribute %q of template %q: %w", ErrKeyTemplate, f.name, f.composed.Template(), err)
}

// takeApart fills the fields of *v that only the item's keys have, and refuses
// keys that are not those of the filled value.
func (p *plan) takeApart(item envelope.Item, v any) error {
	of := reflect.ValueOf(v).Elem()
	for _, f := range []*field{p.partition, p.sort} {
		if f == nil || f.composed == nil {
			continue
		}
		s, is := item[f.name].(*types.AttributeValueMemberS)
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
	if err := p.compose(again, v); err != nil {
		return err
	}
	for name, av := range again {
		if av.(*types.AttributeValueMemberS).Value != item[name].(*types.AttributeValueMemberS).Value {
			return p.field(name).templateError(errors.New("the stored key is not that which the item's values have"))
		}
	}
	return nil
}

// fullKey is keyValue of a whole key: text must fit the template of the field, if
// it has one. A key of an [ItemError] need not, so that its item can be deleted.
func (f *field) fullKey(value any) (types.AttributeValue, error) {
	av, err := f.keyValue(value)
	if err != nil || f.composed == nil {
		return av, err
	}
	if _, stored := value.(types.AttributeValue); stored {
		return av, nil
	}
	if s, is := av.(*types.AttributeValueMemberS); !is || !f.composed.Fits(s.Value) {
		return nil, fmt.Errorf("%w: %w: make the key by Table.Key", ErrConfiguration,
			f.templateError(errors.New("the text is not a key of the template")))
	}
	return av, nil
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
	k := Key{Partition: t.plan.keyPart(t.plan.partition, &v)}
	if t.plan.sort != nil {
		k.Sort = t.plan.keyPart(t.plan.sort, &v)
	}
	return k
}

// keyPart returns the value of a key field of *v, or what stands for its error.
func (p *plan) keyPart(f *field, v any) types.AttributeValue {
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
		item, err = p.encode(v)
		av = item[f.name]
	} else {
		av, err = p.encodeField(v, f)
	}
	switch {
	case err != nil:
		return codec.Refused(p.encodeError(v, err))
	case av == nil:
		return codec.Refused(fmt.Errorf("the %s has no key attribute %q", p.typeName, f.name))
	}
	return av
}

// SortPrefix matches the sort keys that agree with v in the named fields, which
// are the first ones of the template of T's sort key, in their order. Without
// fields it matches all sort keys of the template, those with its first text:
//
//	// of the template "ORDER#{Year:04}#{Number:08}", the orders of 2026
//	orders.SortPrefix(Order{Year: 2026}, "Year")
//
// An error is returned by the query that takes the range; it matches
// [ErrConfiguration], and [ErrKeyTemplate] for a value that cannot be a part of
// the key.
func (t *Table[T]) SortPrefix(v T, fields ...string) SortRange {
	f := t.plan.sort
	if f == nil || f.composed == nil {
		return SortRange{operator: "begins_with",
			low: codec.Refused(fmt.Errorf("SortPrefix: the sort key of %s has no template", t.plan.typeName))}
	}
	prefix, err := f.composed.Prefix(reflect.ValueOf(&v).Elem(), fields)
	if err != nil {
		return SortRange{operator: "begins_with", low: codec.Refused(f.templateError(err))}
	}
	return SortBeginsWith(prefix)
}
