// SPDX-License-Identifier: Apache-2.0

package ddbjson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

func ExampleMarshal() {
	item := map[string]types.AttributeValue{
		"id":   &types.AttributeValueMemberS{Value: "a\tb"},
		"n":    &types.AttributeValueMemberN{Value: "1.50"},
		"blob": &types.AttributeValueMemberB{Value: []byte{1, 2}},
		"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberNULL{Value: true}}},
	}
	text, err := ddbjson.Marshal(item)
	fmt.Println(string(text), err)
	// Output: {"blob":{"B":"AQI="},"id":{"S":"a\tb"},"list":{"L":[{"NULL":true}]},"n":{"N":"1.50"}} <nil>
}

func TestMarshalIsDeterministic(t *testing.T) {
	inner, outer := item{}, item{}
	for i := range 40 {
		inner[fmt.Sprint("k", i)] = s("v")
		outer[fmt.Sprint("a", i)] = m(inner)
	}
	first, err := ddbjson.Marshal(outer)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if again, _ := ddbjson.Marshal(outer); string(again) != string(first) {
			t.Fatal("two texts for one item")
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	dst := append(make([]byte, 0, 100), "before "...)
	out, err := ddbjson.AppendValue(dst, ss("a", "\x00\u2028<"))
	if want := "before {\"SS\":[\"a\",\"\\u0000\u2028<\"]}"; string(out) != want || err != nil {
		t.Errorf("%q, %v", out, err)
	}
	for name, bad := range map[string]types.AttributeValue{
		"nil": nil, "nested nil": l(s("a"), nil), "unknown": &types.UnknownUnionMember{Tag: "Q"},
		"utf-8": s("\xff"), "utf-8 in a set": ss("a", "\xff"), "utf-8 in a name": m(item{"\xff": s("a")}),
		"deep": deep(33),
	} {
		out, err := ddbjson.AppendValue(dst, bad)
		var e *ddbjson.ValidationError
		if !errors.As(err, &e) || string(out) != "before " {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	if _, err := ddbjson.AppendValue(nil, deep(32)); err != nil {
		t.Error(err)
	}
}

// deep returns a scalar under lists and maps, of so many levels in all.
func deep(levels int) types.AttributeValue {
	v := s("x")
	for i := 1; i < levels; i++ {
		if i%2 == 0 {
			v = l(v)
		} else {
			v = m(item{"m": v})
		}
	}
	return v
}

func TestValidate(t *testing.T) {
	const prefix = "One or more parameter values were invalid: "
	long := strings.Repeat("123", 13)
	for _, c := range []struct {
		v     types.AttributeValue
		want  string
		older string // where it is another text
	}{
		{v: s("")}, {v: b("")}, {v: boolean(false)}, {v: null(true)}, {v: l()}, {v: m(item{})}, {v: ss("")}, {v: n("1e3")},
		{nil, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes", ""},
		{l(nil), "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes", ""},
		{null(false), prefix + "Null attribute value types must have the value of true", ""},
		{ss(), prefix + "An string set  may not be empty", ""},
		{ns(), prefix + "An number set  may not be empty", ""},
		{bs(), prefix + "Binary sets should not be empty", ""},
		{ss("b", "a", "b", "c"), prefix + `Input collection ["a", "b", "b", "c"] contains duplicates.`,
			prefix + "Input collection [b, a, b, c] contains duplicates."},
		{ss("a", "b", "c", "d", "e", "f", "g", "h", "i", "a"),
			prefix + `Input collection ["a", "b", "c", "d", "e", "f", "g", "h", "i", "a"] contains duplicates.`,
			prefix + "Input collection [a, b, c, d, e, f, g, h, i, a] contains duplicates."},
		{v: ss("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")},
		{ns("1", "2", "1.0"), prefix + "Input collection contains duplicates.", "Input collection contains duplicates"},
		{v: ns("1", "2", "3")},
		{bs([]byte{255}, []byte{0}, []byte{0}),
			prefix + `Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.`,
			prefix + "Input collection [/w==, AA==, AA==]of type BS contains duplicates."},
		{v: bs([]byte("a"), nil)},
		{n(""), "The parameter cannot be converted to a numeric value: ", "The parameter cannot be converted to a numeric value"},
		{n("x"), "The parameter cannot be converted to a numeric value: x", ""},
		{ns("1", "x"), "The parameter cannot be converted to a numeric value: x", ""},
		{n("1e126"), "Number overflow. Attempting to store a number with magnitude larger than supported range", ""},
		{n("1e-131"), "Number underflow. Attempting to store a number with magnitude smaller than supported range", ""},
		{n(long), "Attempting to store more than 38 significant digits in a Number", ""},
		{l(s("a"), m(item{"x": null(false)})), prefix + "Null attribute value types must have the value of true", ""},
		{v: deep(32)},
		{deep(33), "Nesting Levels have exceeded supported limits", ""},
	} {
		err := ddbjson.Validate(c.v)
		if c.want == "" {
			if err != nil {
				t.Errorf("%v: %v", c.v, err)
			}
			continue
		}
		var e *ddbjson.ValidationError
		if !errors.As(err, &e) || e.Message != c.want || e.Older != c.older {
			t.Errorf("%v: %v\n got %q, %q\nwant %q, %q", c.v, err, e.Message, e.Older, c.want, c.older)
		}
	}
	// Of several refusals that of the first name is reported, every time.
	bad := item{"a": s("fine"), "b": n("x"), "c": null(false), "d": ss()}
	for range 20 {
		var e *ddbjson.ValidationError
		if err := ddbjson.ValidateItem(bad); !errors.As(err, &e) || !strings.HasSuffix(e.Message, "numeric value: x") {
			t.Fatal(err)
		}
	}
}

func TestItemSize(t *testing.T) {
	for _, c := range []struct {
		v    types.AttributeValue
		want int
	}{
		{nil, 0}, {s(""), 0}, {s("é"), 2}, {b("abc"), 3}, {null(true), 1}, {boolean(false), 1},
		{n("0"), 1}, {n("5"), 2}, {n("-5"), 3}, {n("12"), 2}, {n("123"), 3}, {n("1200"), 2}, {n("0.0012"), 2},
		{n(strings.Repeat("9", 38)), 20}, {n("-" + strings.Repeat("9", 38)), 21},
		{ss("ab", "c"), 3}, {ns("12", "-3"), 5}, {bs([]byte("a"), []byte("bc")), 3},
		{l(), 3}, {l(s("ab"), null(true)), 3 + 2 + 2 + 1},
		{m(item{}), 3}, {m(item{"ab": s("c")}), 3 + 1 + 2 + 1},
		{m(item{"a": l(s("x"))}), 3 + 1 + 1 + 3 + 1 + 1},
	} {
		if got := ddbjson.ValueSize(c.v); got != c.want {
			t.Errorf("%v: %d, want %d", c.v, got, c.want)
		}
		if got := ddbjson.ItemSize(item{"é": c.v}); got != c.want+2 {
			t.Errorf("item of %v: %d, want %d", c.v, got, c.want+2)
		}
	}
}
