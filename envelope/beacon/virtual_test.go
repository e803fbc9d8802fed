// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestVirtualValues: the strings of each type, joined; numbers in normal form.
func TestVirtualValues(t *testing.T) {
	schema := schemaOf("a encrypted, b signed")
	f, err := compileVirtual(&VirtualField{"v", []VirtualPart{{"a", []Transform{Insert("_")}}, {"b.x[1]", nil}}},
		&schema)
	if err != nil {
		t.Fatal(err)
	}
	list := func(v types.AttributeValue) types.AttributeValue {
		return &types.AttributeValueMemberM{Value: Item{
			"x": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("no"), v}}}}
	}
	for _, c := range []struct {
		a, b types.AttributeValue
		want string
		has  bool
	}{
		{text("A"), list(text("B")), "A_B", true},
		{text(""), list(text("")), "_", true},
		{number("001.2300e1"), list(number("1984.0")), "12.3_1984", true},
		{number("12.3"), list(number("-0")), "12.3_0", true},
		{&types.AttributeValueMemberBOOL{Value: true}, list(&types.AttributeValueMemberBOOL{}), "true_false", true},
		{&types.AttributeValueMemberNULL{Value: true}, list(&types.AttributeValueMemberNULL{}), "null_null", true},
		{nil, list(text("B")), "", false},
		{text("A"), nil, "", false},
		{text("A"), text("B"), "", false},
		{text("A"), list(nil), "", false},
	} {
		item := Item{}
		if c.a != nil {
			item["a"] = c.a
		}
		if c.b != nil {
			item["b"] = c.b
		}
		if got, has, err := f.value(item); got != c.want || has != c.has || err != nil {
			t.Errorf("%s and %s: %q, %v, %v; want %q, %v", describe(c.a), describe(c.b), got, has, err, c.want, c.has)
		}
	}
	for _, v := range []types.AttributeValue{
		&types.AttributeValueMemberB{Value: []byte("secret")}, &types.AttributeValueMemberL{},
		&types.AttributeValueMemberM{},
		&types.AttributeValueMemberSS{Value: []string{"secret"}}, &types.AttributeValueMemberNS{},
		&types.AttributeValueMemberBS{}, text("secret\xff"), number("secret"), (*types.AttributeValueMemberS)(nil),
	} {
		_, _, err := f.value(Item{"a": v, "b": list(text("B"))})
		var e *Error
		if !errors.Is(err, ErrItem) || !errors.As(err, &e) || e.Name != "v" || e.Attribute != "a" ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%T: %v", v, err)
		}
	}
}
