// SPDX-License-Identifier: Apache-2.0

// Package composed composes a key attribute of the fields of a struct, as a
// template says, and fills the fields from a stored key.
package composed

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/keytemplate"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
)

// Key is a key attribute that is composed of fields. It is safe for concurrent
// use.
type Key struct {
	template *keytemplate.Template
	codec    *codec.Codec
	parts    []part
}

// part is the field of a placeholder.
type part struct {
	name   string
	index  []int
	form   form
	stored string // the field's own attribute, "" if it has none
}

// form is how the value of a field becomes text.
type form uint8

const (
	text      form = iota // a string
	converted             // a type that the codec stores as a string
	number
)

// Use returns the attribute in which a field of the struct is stored itself, ""
// if it is not stored. The error says why the field cannot be a part of a key.
type Use func(index []int) (attribute string, err error)

// New returns the key of a template over the fields of the struct type t. The
// error is the reason.
func New(t reflect.Type, tag string, c *codec.Codec, use Use) (*Key, error) {
	template, err := keytemplate.Parse(tag)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", tag, err)
	}
	k := &Key{template: template, codec: c}
	for _, p := range template.Placeholders() {
		one, err := k.part(t, p, use)
		if err != nil {
			return nil, fmt.Errorf("%q: {%s}: %w", tag, p.Name, err)
		}
		k.parts = append(k.parts, one)
	}
	return k, nil
}

// part finds the field of a placeholder.
func (k *Key) part(t reflect.Type, of keytemplate.Placeholder, use Use) (part, error) {
	f, has := t.FieldByName(of.Name)
	if !has || !f.IsExported() {
		return part{}, fmt.Errorf("%v has no exported field of this name", t)
	}
	for outer, rest := t, f.Index; len(rest) > 1; rest = rest[1:] {
		if outer = outer.Field(rest[0]).Type; outer.Kind() == reflect.Pointer {
			return part{}, errors.New("the field is behind a pointer, which can be nil")
		}
	}
	stored, err := use(f.Index)
	if err != nil {
		return part{}, err
	}
	p := part{name: of.Name, index: f.Index, stored: stored}
	p.form, err = k.formOf(f.Type, of.Width > 0)
	return p, err
}

// formOf returns the form of a field's type.
func (k *Key) formOf(t reflect.Type, padded bool) (form, error) {
	own := t.Kind() == reflect.Pointer || k.codec.Form(t) != gotype.FormNone
	switch {
	case !own && gotype.IsInteger(t):
		if !padded {
			return 0, errors.New("a number needs its number of digits, such as {Name:08}: numbers of different " +
				"lengths do not sort as text")
		}
		return number, nil
	case padded:
		return 0, fmt.Errorf("digits are for integers, not for %v", t)
	case !own && t.Kind() == reflect.String && !gotype.IsNumber(t):
		return text, nil
	case t.Kind() != reflect.Pointer && k.codec.KeyType(t, false) == "S":
		return converted, nil
	}
	return 0, fmt.Errorf("a part of a key is a string, an integer, or of a type that is stored as a string, not %v", t)
}

// Text returns the key of the struct v. The error is the reason, and names the
// placeholder.
func (k *Key) Text(v reflect.Value) (string, error) {
	values, err := k.values(v, len(k.parts))
	if err != nil {
		return "", err
	}
	return k.template.Compose(values)
}

// Prefix returns what the keys have in common that agree with v in the named
// fields, which are the first ones of the template. The error is the reason.
func (k *Key) Prefix(v reflect.Value, fields []string) (string, error) {
	for i, name := range fields {
		if i >= len(k.parts) || k.parts[i].name != name {
			return "", fmt.Errorf("%q is not placeholder %d of the template: name the first ones in their order", name,
				i+1)
		}
	}
	values, err := k.values(v, len(fields))
	if err != nil {
		return "", err
	}
	prefix, err := k.template.Prefix(values)
	if err == nil && prefix == "" {
		err = errors.New("the template begins with a placeholder: name the fields that the keys agree in")
	}
	return prefix, err
}

// Template returns the template as it was declared.
func (k *Key) Template() string { return k.template.String() }

// Empty reports whether text that the key needs is empty in the struct v.
func (k *Key) Empty(v reflect.Value) bool {
	for i := range k.parts {
		p := &k.parts[i]
		if p.form == number {
			continue
		}
		if text, err := k.value(p, v.FieldByIndex(p.index)); err == nil && text == "" {
			return true
		}
	}
	return false
}

// Uses reports whether the key is composed of the field that is stored as the
// attribute.
func (k *Key) Uses(attribute string) bool {
	return slices.ContainsFunc(k.parts, func(p part) bool { return p.stored == attribute })
}

// Unstored returns the names of the placeholders whose fields are not stored as
// attributes.
func (k *Key) Unstored() []string {
	var out []string
	for i := range k.parts {
		if k.parts[i].stored == "" {
			out = append(out, k.parts[i].name)
		}
	}
	return out
}

// Fits reports whether key is one that the template composes.
func (k *Key) Fits(key string) bool {
	_, err := k.template.Split(key)
	return err == nil
}

// values returns the values of the first n placeholders.
func (k *Key) values(v reflect.Value, n int) ([]string, error) {
	out := make([]string, n)
	for i := range out {
		p := &k.parts[i]
		var err error
		if out[i], err = k.value(p, v.FieldByIndex(p.index)); err != nil {
			return nil, fmt.Errorf("{%s}: %w", p.name, err)
		}
	}
	return out, nil
}

// value returns the text of one field.
func (k *Key) value(p *part, field reflect.Value) (string, error) {
	switch {
	case p.form == text:
		return field.String(), nil
	case p.form == number && field.CanInt():
		return strconv.FormatInt(field.Int(), 10), nil
	case p.form == number:
		return strconv.FormatUint(field.Uint(), 10), nil
	}
	av, err := k.codec.EncodeKey(field.Interface())
	if err != nil {
		return "", redaction.New("the value cannot be converted: "+redaction.Reason(err), err)
	}
	s, is := av.(*types.AttributeValueMemberS)
	if !is {
		return "", errors.New("the value is not stored as a string")
	}
	return s.Value, nil
}

// ErrTemplate: a key does not fit its template, or would not.
var ErrTemplate = errors.New("key does not fit its template")

var errFit = errors.New("the stored key is not one of the template")

// Fill sets the fields of the struct v that item does not have itself from the
// key. v must be addressable. The error says that the key is not one of the
// template.
func (k *Key) Fill(v reflect.Value, key string, item map[string]types.AttributeValue) error {
	values, err := k.template.Split(key)
	if err != nil {
		return errFit
	}
	for i := range k.parts {
		p := &k.parts[i]
		if p.stored != "" && item[p.stored] != nil {
			continue
		}
		if err := k.set(p, v.FieldByIndex(p.index), values[i]); err != nil {
			return fmt.Errorf("%w: {%s}: %w", errFit, p.name, err)
		}
	}
	return nil
}

// set fills one field.
func (k *Key) set(p *part, field reflect.Value, value string) error {
	switch {
	case p.form == text:
		field.SetString(value)
	case p.form == number && field.CanInt():
		n, err := strconv.ParseInt(value, 10, field.Type().Bits())
		if err != nil {
			return fmt.Errorf("%v does not hold the number", field.Type())
		}
		field.SetInt(n)
	case p.form == number:
		n, err := strconv.ParseUint(value, 10, field.Type().Bits())
		if err != nil {
			return fmt.Errorf("%v does not hold the number", field.Type())
		}
		field.SetUint(n)
	default:
		av := &types.AttributeValueMemberS{Value: value}
		if err := k.codec.DecodeKey(av, field.Addr().Interface()); err != nil {
			return redaction.New("the text cannot be converted: "+redaction.Reason(err), err)
		}
	}
	return nil
}
