// SPDX-License-Identifier: Apache-2.0

package gotype

import (
	"maps"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
)

// TestTagKey: with another key of tags, the names are those of attributevalue.
func TestTagKey(t *testing.T) {
	for name, v := range map[string]any{
		"json alone": struct {
			A string `json:"a"`
			B string `json:",omitempty"`
			C string `json:"-"`
			D string `json:"d,omitempty"`
		}{},
		"both": struct {
			A string `json:"a" dynamodbav:"x"`
			B string `dynamodbav:"b"`
			C string `json:"-" dynamodbav:"c"`
			D string `json:"d" dynamodbav:"-"`
			E string `json:",omitempty" dynamodbav:"e"`
		}{E: "e"},
		"embedded": struct {
			Inner  `json:"inner"`
			Second `json:",omitempty"`
		}{},
	} {
		item, err := attributevalue.MarshalMapWithOptions(v,
			func(o *attributevalue.EncoderOptions) { o.TagKey = "json" })
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range (Settings{TagKey: "json"}).Members(reflect.TypeOf(v)) {
			if _, left := item[m.Name]; left || !slices.Contains(m.Options, "omitempty") {
				got = append(got, m.Name)
			}
		}
		slices.Sort(got)
		if want := slices.Sorted(maps.Keys(item)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, attributevalue stores %q", name, got, want)
		}
	}
}

// TestKinds: the types that a field can have in an item, by its type and settings.
func TestKinds(t *testing.T) {
	all := Settings{Text: true, Sets: true}
	for _, c := range []struct {
		t       reflect.Type
		option  string
		set     Settings
		want    string
		unknown bool
	}{
		{t: reflect.TypeFor[string](), want: "S"}, {t: reflect.TypeFor[*int](), want: "N"},
		{t: reflect.TypeFor[int](), option: "string", want: "S"}, {t: reflect.TypeFor[bool](), want: "BOOL"},
		{t: reflect.TypeFor[attributevalue.Number](), want: "N"}, {t: reflect.TypeFor[[]byte](), want: "B"},
		{t: reflect.TypeFor[[4]byte](), want: "B"}, {t: reflect.TypeFor[[]string](), want: "L"},
		{t: reflect.TypeFor[[]string](), option: "stringset", want: "SS"},
		{t: reflect.TypeFor[time.Time](), want: "S"}, {t: reflect.TypeFor[*time.Time](), option: "unixtime", want: "N"},
		{t: reflect.TypeFor[attributevalue.UnixTime](), want: "N"}, {t: reflect.TypeFor[Inner](), want: "M"},
		{t: reflect.TypeFor[map[string]int](), want: "M"}, {t: reflect.TypeFor[any](), unknown: true},
		{t: reflect.TypeFor[time.Time](), set: all, want: "S"}, {t: reflect.TypeFor[netip.Addr](), set: all, want: "S"},
		{t: reflect.TypeFor[*big.Int](), set: all, want: "S"}, {t: reflect.TypeFor[url.URL](), set: all, want: "B"},
		{t: reflect.TypeFor[[]string](), set: all, want: "SS"}, {t: reflect.TypeFor[[]int](), set: all, want: "NS"},
		{t: reflect.TypeFor[[][]byte](), set: all, want: "BS"}, {t: reflect.TypeFor[[]netip.Addr](), set: all, want: "L"},
		{t: reflect.TypeFor[[]*string](), set: all, want: "L"}, {t: reflect.TypeFor[[2]string](), set: all, want: "L"},
		{t: reflect.TypeFor[[]bool](), set: all, want: "L"}, {t: reflect.TypeFor[[]byte](), set: all, want: "B"},
	} {
		got := c.set.Kinds(c.t, []string{c.option})
		if c.unknown != (got == nil) || !c.unknown && (len(got) != 1 || got[0] != c.want) {
			t.Errorf("%v %s: %v, want %s", c.t, c.option, got, c.want)
		}
	}
}
