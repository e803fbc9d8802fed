// SPDX-License-Identifier: Apache-2.0

package gotype

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
)

// Settings are the options of a table that change what is stored of a Go value.
// The zero Settings store what attributevalue stores.
type Settings struct {
	// TagKey is the key of a struct tag that is read besides dynamodbav, and
	// decides where both name a field; "" for none.
	TagKey string
	// Text stores types with MarshalText and UnmarshalText as strings, and types
	// that have MarshalBinary and UnmarshalBinary only as bytes.
	Text bool
	// FixedTimes stores times that are text in UTC and in a layout of fixed width.
	FixedTimes bool
	// OmitZeroTimes makes the option omitempty leave out zero times.
	OmitZeroTimes bool
	// Sets stores slices of strings, numbers and bytes as sets.
	Sets bool
}

// Form is what a type's own methods make of its values.
type Form uint8

// The forms. FormNone is for types without methods that count.
const (
	FormNone   Form = iota
	FormOwn         // whatever MarshalDynamoDBAttributeValue returns
	FormText        // a string, by MarshalText
	FormBinary      // bytes, by MarshalBinary
)

var (
	textMarshaler     = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler   = reflect.TypeFor[encoding.TextUnmarshaler]()
	binaryMarshaler   = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryUnmarshaler = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// Form returns the form of the values of a type that is not a pointer. The text
// methods of time.Time do not count: the settings of times say how it is stored.
func (s Settings) Form(t reflect.Type) Form {
	if t.Kind() == reflect.Interface {
		return FormNone
	}
	p := reflect.PointerTo(t)
	switch {
	case p.Implements(marshalerType):
		return FormOwn
	case !s.Text || t == timeType:
		return FormNone
	case p.Implements(textMarshaler):
		return FormText
	case p.Implements(binaryMarshaler):
		return FormBinary
	}
	return FormNone
}

// IsTextTime reports whether the values of a type are times that attributevalue
// stores as text, unless the tag option unixtime is set.
func (s Settings) IsTextTime(t reflect.Type) bool {
	t = Indirect(t)
	return IsTime(t) && s.Form(t) == FormNone
}

// omits reports whether the option omitempty leaves out zero values of a type
// that attributevalue never considers empty.
func (s Settings) omits(t reflect.Type) bool {
	return s.OmitZeroTimes && IsTime(t) && s.Form(t) == FormNone
}

// Set returns the option of a dynamodbav tag by which a field of type t is stored
// as a set, "" if it is not.
func (s Settings) Set(t reflect.Type, options []string) string {
	for _, o := range setOptions {
		if slices.Contains(options, o) {
			return o
		}
	}
	t = Indirect(t)
	if t == byteSlicesType && s.Sets {
		return "binaryset"
	}
	if !s.Sets || t.Kind() != reflect.Slice || s.Form(t) != FormNone {
		return ""
	}
	e := t.Elem()
	switch k := e.Kind(); {
	case s.Form(e) != FormNone || k == reflect.Uint8 || k == reflect.Pointer:
	case IsNumber(e):
		return "numberset"
	case k == reflect.String:
		return "stringset"
	case k == reflect.Slice && e.Elem() == byteType:
		return "binaryset"
	}
	return ""
}

var (
	setOptions = []string{"stringset", "numberset", "binaryset"}
	setKinds   = map[string]string{"stringset": "SS", "numberset": "NS", "binaryset": "BS"}
)

// name reads the tags of a field. conflict is the name in the tag dynamodbav that
// the other tag replaces by the field's Go name.
func (s Settings) name(f reflect.StructField) (name string, options []string, conflict string) {
	read := func(text string) {
		var more string
		var some bool
		if name, more, some = strings.Cut(text, ","); some {
			options = append(options, strings.Split(more, ",")...)
		}
	}
	read(f.Tag.Get(nameTag))
	if s.TagKey == "" || s.TagKey == nameTag {
		return name, options, ""
	}
	if text := f.Tag.Get(s.TagKey); text != "" {
		first := name
		if read(text); name == "" {
			conflict = first
		}
	}
	return name, options, conflict
}

// Kinds returns the names of the DynamoDB types that a field of type t can have
// in an item, besides NULL, which every field reads as its zero value. It returns
// nil if only a value tells.
func (s Settings) Kinds(t reflect.Type, options []string) []string {
	if IsUnixTime(t, options) {
		return []string{"N"}
	}
	t = indirectAll(t)
	switch s.Form(t) {
	case FormOwn:
		return nil
	case FormText:
		return []string{"S"}
	case FormBinary:
		return []string{"B"}
	}
	if kind := setKinds[s.Set(t, options)]; kind != "" {
		return []string{kind}
	}
	k := t.Kind()
	switch {
	case IsTime(t):
		return []string{"S"}
	case IsNumber(t) && slices.Contains(options, "string"):
		return []string{"S"}
	case IsNumber(t):
		return []string{"N"}
	case k == reflect.String:
		return []string{"S"}
	case k == reflect.Bool:
		return []string{"BOOL"}
	case (k == reflect.Slice || k == reflect.Array) && t.Elem().Kind() == reflect.Uint8:
		return []string{"B"}
	case k == reflect.Slice || k == reflect.Array:
		return []string{"L"}
	case k == reflect.Struct || k == reflect.Map:
		return []string{"M"}
	}
	return nil
}

// Members returns the fields of a struct type that are stored, in the order of
// their declaration.
func (s Settings) Members(t reflect.Type) []Member { return s.structureOf(t).members }
