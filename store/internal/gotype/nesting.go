// SPDX-License-Identifier: Apache-2.0

package gotype

import (
	"reflect"
	"slices"
	"strings"
)

// Nesting says where a value of a Go type can lack members that a stored value
// has. It is nil for types whose values lack none: numbers, interfaces, and
// types that marshal themselves, whose values are taken whole.
type Nesting struct {
	// fields are the fields of a struct, in the order in which the decoder looks
	// for a name. They are nil only for other types.
	fields []NestedField
	index  map[string]int // of fields, by their exact names

	// elem is the nesting of the elements of a slice, an array or a map.
	elem *Nesting
	// length is the length of an array, which drops further elements, or -1.
	length int
}

// NestedField is a field of a struct, as package attributevalue stores it.
type NestedField struct {
	Name    string
	Nesting *Nesting
}

// find returns the index of the field that the decoder fills from a member of
// a map, or -1: the field of that name, or else the first whose name differs
// only in case.
func (s *Nesting) find(name string) int {
	if i, has := s.index[name]; has {
		return i
	}
	return slices.IndexFunc(s.fields, func(m NestedField) bool { return strings.EqualFold(m.Name, name) })
}

// nestings has an entry for each type that was seen, since a type can contain
// itself.
type nestings struct {
	settings Settings
	seen     map[reflect.Type]*Nesting
}

func newNestings(s Settings) nestings { return nestings{s, map[reflect.Type]*Nesting{}} }

// of returns the nesting of a type.
func (known nestings) of(t reflect.Type) *Nesting {
	for range maxPointers {
		if known.settings.isWhole(t) {
			return nil
		}
		if t.Kind() != reflect.Pointer {
			break
		}
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		if IsTime(t) {
			return nil
		}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return nil
		}
	case reflect.Map:
	default:
		return nil
	}
	if s, has := known.seen[t]; has {
		return s
	}
	s := &Nesting{length: -1}
	known.seen[t] = s
	switch t.Kind() {
	case reflect.Struct:
		known.structure(s, t)
		return s
	case reflect.Array:
		s.length = t.Len()
	}
	s.elem = known.of(t.Elem())
	if s.elem == nil && s.length < 0 {
		known.seen[t] = nil
		return nil
	}
	return s
}

// maxPointers bounds the pointers to one value: a Go type can point to itself.
const maxPointers = 16

// structure fills the nesting of a struct.
func (known nestings) structure(s *Nesting, t reflect.Type) {
	s.fields, s.index = []NestedField{}, map[string]int{}
	for _, m := range known.settings.Members(t) {
		s.index[m.Name] = len(s.fields)
		s.fields = append(s.fields, NestedField{Name: m.Name, Nesting: known.of(m.Field.Type)})
	}
}

// Nested returns the fields of the struct type of a table that can lack members.
// A type that converts itself has none.
func (set Settings) Nested(t reflect.Type) []NestedField {
	if isWhole(t) {
		return nil
	}
	known := newNestings(set)
	s := &Nesting{length: -1}
	known.seen[t] = s
	known.structure(s, t)
	return slices.DeleteFunc(slices.Clone(s.fields), func(f NestedField) bool { return f.Nesting == nil })
}
