// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/store/internal/codec"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
)

type (
	blob  []byte
	stamp time.Time
	Base  struct {
		Name  string `dynamodbav:"base,omitempty"`
		Count int
	}
	// every has a field of each kind that attributevalue stores, with each option.
	every struct {
		Base
		*Pointed
		S        string
		Empty    string `dynamodbav:"e,omitempty"`
		Null     string `dynamodbav:",nullempty"`
		I        int8
		U        uint64 `dynamodbav:",string"`
		F        float64
		F32      float32 `dynamodbav:",omitempty"`
		B        bool
		Bytes    []byte
		Blob     blob
		Array    [3]byte
		L        []string
		LE       []string `dynamodbav:",omitemptyelem"`
		LN       []string `dynamodbav:",nullemptyelem"`
		SS       []string `dynamodbav:",stringset"`
		NS       []int    `dynamodbav:",numberset"`
		BS       [][]byte `dynamodbav:",binaryset"`
		M        map[string]int
		ME       map[int]string `dynamodbav:",omitemptyelem"`
		Keys     map[netip.Addr]bool
		P        *int
		PE       *int `dynamodbav:",omitempty"`
		Any      any
		Anys     []any
		T        time.Time
		Unix     time.Time `dynamodbav:",unixtime"`
		UnixType attributevalue.UnixTime
		Stamp    stamp
		N        attributevalue.Number
		J        json.Number
		Next     *every
		hidden   int
		Skipped  int `dynamodbav:"-"`
	}
	Pointed struct{ Deep string }
)

func drawEvery(rt *rapid.T, depth int) every {
	text, number := rapid.StringN(0, 4, 16), rapid.IntRange(-2, 2)
	texts := rapid.SliceOfNDistinct(text, 0, 3, rapid.ID)
	when := time.Unix(int64(rapid.IntRange(-1e9, 1e9).Draw(rt, "seconds")), 5).In(time.FixedZone("", 3600))
	v := every{
		Base: Base{text.Draw(rt, "name"), number.Draw(rt, "count")}, S: text.Draw(rt, "s"), Empty: text.Draw(rt, "e"),
		Null: text.Draw(rt, "null"), I: int8(number.Draw(rt, "i")), U: uint64(rapid.IntRange(0, 9).Draw(rt, "u")),
		F: rapid.Float64().Draw(rt, "f"), F32: float32(number.Draw(rt, "f32")), B: rapid.Bool().Draw(rt, "b"),
		Bytes: rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(rt, "bytes"), Blob: blob{1}, Array: [3]byte{1, 2, 3},
		L: texts.Draw(rt, "l"), LE: texts.Draw(rt, "le"), LN: texts.Draw(rt, "ln"), SS: texts.Draw(rt, "ss"),
		NS: rapid.SliceOfNDistinct(number, 0, 3, rapid.ID).Draw(rt, "ns"), BS: [][]byte{{1}, {2}},
		M: map[string]int{"a": 1}, ME: map[int]string{1: "", 2: "b"},
		Keys: map[netip.Addr]bool{netip.IPv4Unspecified(): true},
		Any: rapid.SampledFrom([]any{nil, "s", 1, []byte{1}, map[string]any{"a": nil}, time.Unix(5, 0),
			new(int)}).Draw(rt, "any"),
		Anys: []any{nil, "a", 1.5, []string(nil)}, T: when, Unix: when, UnixType: attributevalue.UnixTime(when),
		Stamp: stamp(when), N: "12", J: "1.5", hidden: 1, Skipped: 2,
	}
	if rapid.Bool().Draw(rt, "pointers") {
		v.P, v.PE, v.Pointed = new(5), new(0), &Pointed{"deep"}
	}
	if depth > 0 {
		next := drawEvery(rt, depth-1)
		v.Next = &next
	}
	return v
}

// TestOwnEncoding: what this package encodes is what attributevalue encodes, where
// no setting says otherwise.
func TestOwnEncoding(t *testing.T) {
	sdk, own := codec.New(codec.Settings{}), codec.New(codec.Settings{Settings: gotype.Settings{OmitZeroTimes: true}})
	rapid.Check(t, func(rt *rapid.T) {
		v := drawEvery(rt, 1)
		for _, address := range []bool{false, true} {
			want, err := sdk.Item(&v, address)
			if err != nil {
				rt.Fatal(err)
			}
			got, err := own.Item(&v, address)
			if d := cmp.Diff(want, got, exported); d != "" || err != nil {
				rt.Errorf("%v: %s", err, d)
			}
		}
	})
}

var exported = cmp.Exporter(func(reflect.Type) bool { return true })

// texts has fields that the settings change, and fields that they must not.
type texts struct {
	ID     uuid.UUID  `json:"id"`
	Addr   netip.Addr `json:"addr" dynamodbav:"other"`
	Big    *big.Int   `json:"big"`
	Value  big.Int
	URL    url.URL
	List   []netip.Prefix
	Map    map[string]uuid.UUID
	At     time.Time
	Zero   time.Time  `json:"zero,omitempty"`
	Kept   *time.Time `json:"kept,omitempty"`
	Unix   time.Time  `dynamodbav:",unixtime"`
	Set    []string
	Number []float64
	Binary [][]byte
	Any    any
	Nested struct {
		Set  []int
		Unix time.Time `json:"unix" dynamodbav:",unixtime"`
		Addr netip.Addr
	}
}

// TestSettings: all settings at once store what they say, and it comes back.
func TestSettings(t *testing.T) {
	c := codec.New(codec.Settings{Numbers: codec.NumberJSON, Settings: gotype.Settings{TagKey: "json", Text: true,
		FixedTimes: true, OmitZeroTimes: true, Sets: true}})
	at := time.Date(2026, 1, 2, 3, 4, 5, 600, time.FixedZone("", 3600))
	v := texts{ID: uuid.UUID{1}, Addr: netip.MustParseAddr("10.0.0.1"), Big: big.NewInt(7), Value: *big.NewInt(8),
		URL: url.URL{Scheme: "https", Host: "example.com"}, List: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Map: map[string]uuid.UUID{"a": {2}}, At: at, Kept: new(time.Time{}), Unix: at.Truncate(time.Second),
		Set: []string{"b", "a"}, Number: []float64{1.5}, Binary: [][]byte{{1}},
		Any: []any{json.Number("12345678901234567890"), map[string]any{"a": json.Number("1")}}}
	v.Nested.Set, v.Nested.Unix = []int{2, 1}, v.Unix
	item, err := c.Item(&v, true)
	if err != nil {
		t.Fatal(err)
	}
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	n := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	unix := n("1767319445")
	want := map[string]types.AttributeValue{
		"id": s("01000000-0000-0000-0000-000000000000"), "addr": s("10.0.0.1"), "big": s("7"), "Value": s("8"),
		"URL":  &types.AttributeValueMemberB{Value: []byte("https://example.com")},
		"List": &types.AttributeValueMemberL{Value: []types.AttributeValue{s("10.0.0.0/8")}},
		"Map": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"a": s("02000000-0000-0000-0000-000000000000")}},
		"At": s("2026-01-02T02:04:05.000000600Z"), "kept": s("0001-01-01T00:00:00.000000000Z"), "Unix": unix,
		"Set":    &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
		"Number": &types.AttributeValueMemberNS{Value: []string{"1.5"}},
		"Binary": &types.AttributeValueMemberBS{Value: [][]byte{{1}}},
		"Any": &types.AttributeValueMemberL{Value: []types.AttributeValue{n("12345678901234567890"),
			&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"a": n("1")}}}},
		"Nested": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"Set": &types.AttributeValueMemberNS{Value: []string{"2", "1"}}, "unix": unix, "Addr": s("")}},
	}
	if d := cmp.Diff(want, item, exported); d != "" {
		t.Fatal(d)
	}
	var back texts
	if err := c.Decode(item, &back); err != nil {
		t.Fatal(err)
	}
	times := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	if d := cmp.Diff(v, back, times, cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
		t.Error(d)
	}
}

// TestSetElements: a slice that is not a set is refused, and the error has no value.
func TestSetElements(t *testing.T) {
	c := codec.New(codec.Settings{Settings: gotype.Settings{Sets: true}})
	for _, v := range []any{
		struct{ A []string }{[]string{"hidden", "hidden"}},
		struct{ A []attributevalue.Number }{[]attributevalue.Number{"1.0", "1"}},
	} {
		if _, err := c.Item(v, false); err == nil || !strings.Contains(err.Error(), "more than once") ||
			strings.Contains(err.Error(), "hidden") {
			t.Errorf("%v: %v", v, err)
		}
	}
}

// TestNoSettingsCostNothing: without settings an item and a key cost the
// allocations of attributevalue.
func TestNoSettingsCostNothing(t *testing.T) {
	type small struct {
		ID string
		N  int
	}
	var v any = small{"a", 5}
	sdk, c := attributevalue.NewEncoder(), codec.New(codec.Settings{})
	want := testing.AllocsPerRun(100, func() { _, _ = sdk.Encode(v) })
	if got := testing.AllocsPerRun(100, func() { _, _ = c.Item(v, false) }); got > want {
		t.Errorf("an item costs %v allocations, attributevalue's %v", got, want)
	}
	var key any = "a"
	if got := testing.AllocsPerRun(100, func() { _, _ = c.EncodeKey(key) }); got > 1 {
		t.Errorf("a key costs %v allocations", got)
	}
}
