// SPDX-License-Identifier: Apache-2.0

package gotype

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Types whose fields hide each other.
type (
	Inner  struct{ Name, Inner string }
	Tagged struct {
		Other string `dynamodbav:"Name"`
	}
	Second  struct{ Name string }
	Deeper  struct{ Inner }
	Text    string
	Sibling struct{ Inner }
	inside  struct{ Exported string }
)

// TestStoredFields: the fields are those that package attributevalue stores and
// fills, in every way of embedding.
func TestStoredFields(t *testing.T) {
	for name, v := range map[string]any{
		"plain": struct {
			A, b string
			C    string `dynamodbav:"see,omitempty"`
			D    string `dynamodbav:"-"`
			E    string `dynamodbav:",omitempty"`
		}{C: "x", E: "x", b: ""},
		"a field hides an embedded one": struct {
			Inner
			Name string
		}{},
		"a tag hides an embedded one": struct {
			Inner
			X string `dynamodbav:"Name"`
		}{},
		"two at one depth": struct {
			Inner
			Second
		}{},
		"one of two is tagged": struct {
			Inner
			Tagged
		}{},
		"the same type twice": struct {
			Deeper
			Sibling
		}{},
		"one twice, below another": struct {
			Inner
			Deeper
		}{},
		"embedded with a name": struct {
			Inner `dynamodbav:"inner"`
		}{},
		"embedded pointer": struct{ *Inner }{&Inner{}},
		"embedded text":    struct{ Text }{"x"},
		"embedded, ignored": struct {
			Inner `dynamodbav:"-"`
			B     string
		}{},
		"unexported type, exported field": struct{ inside }{},
		"nothing":                         struct{}{},
	} {
		stored, err := attributevalue.MarshalMap(v)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range (Settings{}).structureOf(reflect.TypeOf(v)).members {
			got = append(got, f.Name)
		}
		slices.Sort(got)
		if want := slices.Sorted(maps.Keys(stored)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, stored are %q", name, got, want)
		}
	}
}

// TestFieldsAreFoundAsTheDecoderDoes: the decoder takes a name in other case,
// too, but prefers an exact one.
func TestFieldsAreFoundAsTheDecoderDoes(t *testing.T) {
	type fields struct {
		Upper  string `dynamodbav:"NAME"`
		Lower  string `dynamodbav:"name"`
		Kelvin string `dynamodbav:"kind"`
		Umlaut string `dynamodbav:"größe"`
	}
	s := newNestings(Settings{}).of(reflect.TypeFor[fields]())
	for _, name := range []string{"NAME", "name", "Name", "kind", "KIND", "\u212aind", "GRÖßE", "GRÖSSE", "nam", "",
		"ſ"} {
		var v fields
		m := map[string]types.AttributeValue{name: &types.AttributeValueMemberS{Value: "x"}}
		if err := attributevalue.UnmarshalMap(m, &v); err != nil {
			t.Fatal(err)
		}
		want := slices.Index([]string{v.Upper, v.Lower, v.Kelvin, v.Umlaut}, "x")
		if got := s.find(name); got != want {
			t.Errorf("%q: field %d, the decoder fills %d", name, got, want)
		}
	}
}

// Ring and Chain contain themselves.
type (
	Ring struct {
		Next  *Ring
		All   []Ring
		Named map[string]*Ring
	}
	Chain []Chain
	Loop  *Loop
)

func TestShapesOfTypesInThemselves(t *testing.T) {
	s := newNestings(Settings{}).of(reflect.TypeFor[Ring]())
	next := s.fields[s.index["Next"]].Nesting
	all, named := s.fields[s.index["All"]].Nesting, s.fields[s.index["Named"]].Nesting
	if next != s || all.elem != s || named.elem != s {
		t.Error("the nesting is not in itself")
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[Chain](), reflect.TypeFor[Loop](),
		reflect.TypeFor[struct{ L Loop }]()} {
		list := &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberL{}}}
		if lost := newNestings(Settings{}).of(typ).lacks(list); lost != "" {
			t.Errorf("%v lacks %s", typ, lost)
		}
	}
}
