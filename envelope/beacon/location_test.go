// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestLocations(t *testing.T) {
	deep := text("deep")
	item := Item{
		"a": &types.AttributeValueMemberM{Value: Item{
			"b": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("0"), &types.AttributeValueMemberM{
				Value: Item{"c d": deep}}}},
			"": text("empty"),
		}},
		"l":      &types.AttributeValueMemberL{Value: []types.AttributeValue{text("0")}},
		"nilmap": (*types.AttributeValueMemberM)(nil), "nillist": (*types.AttributeValueMemberL)(nil),
		"x.y": text("dotted"),
	}
	for path, want := range map[string]types.AttributeValue{
		"a.b[1].c d": deep, "a": item["a"], "l[0]": text("0"), "l[00]": text("0"),
		"a.b[2]": nil, "a.b.c": nil, "a[0]": nil, "a.x": nil, "l.x": nil, "l[0].x": nil, "l[0][0]": nil, "z": nil,
		"nilmap.x": nil, "nillist[0]": nil, "x.y": nil,
	} {
		l, err := parseLocation(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.find(item); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s, want %s", path, describe(got), describe(want))
		}
	}
	if l := attributeLocation("x.y"); describe(l.find(item)) != `{"S":"dotted"}` {
		t.Error("a signed part without a location does not find an attribute with a dot")
	}
	for path, reason := range map[string]string{
		"": "no attribute name", ".a": "no attribute name", "[0]": "no attribute name", "a.": "step has no name",
		"a..b": "step has no name", "a[": "does not end with ]", "a[1": "does not end with ]", "a[]": "not a decimal number",
		"a[x]": "not a decimal number", "a[-1]": "not a decimal number", "a[2000000000]": "not a decimal number",
		"a[99999999999999999999]": "not a decimal number", "a[1]b": "does not end with ]", "a\xff": "not UTF-8",
		"a" + strings.Repeat(".b", 32): "deeper than the 32 levels",
	} {
		if _, err := parseLocation(path); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: %v, want %q", path, err, reason)
		}
	}
	if _, err := parseLocation("a" + strings.Repeat(".b", 31)); err != nil {
		t.Error(err)
	}
}
