package store

import (
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
)

// shape says where a value of a Go type can lack members that a stored value
// has. A nil shape lacks none, as those of numbers, interfaces and types that
// marshal themselves, whose values are taken whole.
type shape struct {
	// fields are those of a struct, in the order in which the decoder looks for
	// a name. A struct without fields has an empty list that is not nil.
	fields []member
	index  map[string]int // of fields, by their exact names

	// elem is the shape of the elements of a slice, an array or a map.
	elem *shape
	// length is that of an array, which drops further elements; -1 otherwise.
	length int
}

// member is a field of a struct, as package attributevalue stores it.
type member struct {
	name  string
	shape *shape
}

// find returns the index of the field that the decoder fills from a member of
// a map, or -1: the field of that name, or else the first whose name differs
// only in case.
func (s *shape) find(name string) int {
	if i, has := s.index[name]; has {
		return i
	}
	return slices.IndexFunc(s.fields, func(m member) bool { return strings.EqualFold(m.name, name) })
}

// shapes are those of a type and of all types in it. Types may contain
// themselves.
type shapes map[reflect.Type]*shape

func (known shapes) of(t reflect.Type) *shape {
	for range maxPointers {
		if marshalsWhole(t) {
			return nil
		}
		if t.Kind() != reflect.Pointer {
			break
		}
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		if isTime(t) {
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
	if s, has := known[t]; has {
		return s
	}
	s := &shape{length: -1}
	known[t] = s
	switch t.Kind() {
	case reflect.Struct:
		known.structure(s, t)
		return s
	case reflect.Array:
		s.length = t.Len()
	}
	s.elem = known.of(t.Elem())
	if s.elem == nil && s.length < 0 {
		known[t] = nil
		return nil
	}
	return s
}

// maxPointers bounds the pointers to one value: a Go type can point to itself.
const maxPointers = 16

func (known shapes) structure(s *shape, t reflect.Type) {
	s.fields, s.index = []member{}, map[string]int{}
	for _, f := range storedFields(t) {
		s.index[f.name] = len(s.fields)
		s.fields = append(s.fields, member{name: f.name, shape: known.of(f.typ)})
	}
}

// marshalsWhole reports whether package attributevalue leaves the values of a
// type, or the pointers to them, to methods of the type.
func marshalsWhole(t reflect.Type) bool {
	for _, t := range []reflect.Type{t, reflect.PointerTo(t)} {
		if t.Implements(reflect.TypeFor[attributevalue.Marshaler]()) || t.Implements(reflect.TypeFor[attributevalue.Unmarshaler]()) {
			return true
		}
	}
	return false
}

// storedField is a field of a struct or of a struct embedded in it.
type storedField struct {
	name   string
	tagged bool // the name is that of a tag
	index  []int
	typ    reflect.Type
}

// storedFields returns the fields that package attributevalue stores, in the
// order of the declaration. A field hides those of its name that are embedded
// more deeply. Of several at the same depth, the only one with a tag is stored,
// and none if there is no such one.
func storedFields(t reflect.Type) []storedField {
	type level struct {
		typ   reflect.Type
		index []int
		twice bool // embedded several times at this depth: its fields hide each other
	}
	var out []storedField
	hidden := map[string]bool{} // names of fields at a smaller depth
	visited := map[reflect.Type]bool{}
	for current := []level{{typ: t}}; len(current) > 0; {
		var next []level
		found := map[string][]storedField{}
		for _, l := range current {
			if visited[l.typ] {
				continue
			}
			visited[l.typ] = true
			for i := range l.typ.NumField() {
				sf := l.typ.Field(i)
				name, _, _ := strings.Cut(sf.Tag.Get(nameTag), ",")
				if name == "-" || !sf.IsExported() && !sf.Anonymous {
					continue
				}
				index := append(slices.Clone(l.index), i)
				inner := sf.Type
				if inner.Name() == "" {
					inner = indirect(inner)
				}
				if sf.Anonymous && name == "" && inner.Kind() == reflect.Struct {
					if at := slices.IndexFunc(next, func(l level) bool { return l.typ == inner }); at >= 0 {
						next[at].twice = true
					} else {
						next = append(next, level{typ: inner, index: index})
					}
					continue
				}
				f := storedField{name: name, tagged: name != "", index: index, typ: sf.Type}
				if !f.tagged {
					f.name = sf.Name
				}
				found[f.name] = append(found[f.name], f)
				if l.twice {
					found[f.name] = append(found[f.name], f)
				}
			}
		}
		for name, fields := range found {
			if hidden[name] {
				continue
			}
			hidden[name] = true
			if tagged := slices.DeleteFunc(slices.Clone(fields), func(f storedField) bool { return !f.tagged }); len(tagged) > 0 {
				fields = tagged
			}
			if len(fields) == 1 {
				out = append(out, fields[0])
			}
		}
		current = next
	}
	slices.SortFunc(out, func(a, b storedField) int { return slices.Compare(a.index, b.index) })
	return out
}
