// SPDX-License-Identifier: Apache-2.0

package format

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type (
	tS    = types.AttributeValueMemberS
	tN    = types.AttributeValueMemberN
	tB    = types.AttributeValueMemberB
	tBOOL = types.AttributeValueMemberBOOL
	tNULL = types.AttributeValueMemberNULL
	tSS   = types.AttributeValueMemberSS
	tNS   = types.AttributeValueMemberNS
	tBS   = types.AttributeValueMemberBS
	tM    = types.AttributeValueMemberM
	tL    = types.AttributeValueMemberL
	tMap  = map[string]types.AttributeValue
	tList = []types.AttributeValue
)

func TestValueBytes(t *testing.T) {
	for name, c := range map[string]struct {
		value types.AttributeValue
		id    TypeID
		want  string
	}{
		"S":           {&tS{Value: "é"}, 0x0001, "é"},
		"empty S":     {&tS{}, 0x0001, ""},
		"N":           {&tN{Value: "-1.50e1"}, 0x0002, "-15"},
		"zero":        {&tN{Value: "-0.0e99"}, 0x0002, "0"},
		"bare point":  {&tN{Value: "-.5"}, 0x0002, "-0.5"},
		"long number": {&tN{Value: "1e125"}, 0x0002, "1" + strings.Repeat("0", 125)},
		"tiny number": {&tN{Value: "-1e-130"}, 0x0002, "-0." + strings.Repeat("0", 129) + "1"},
		"B":           {&tB{Value: []byte{0, 255}}, 0xFFFF, "\x00\xff"},
		"nil B":       {&tB{}, 0xFFFF, ""},
		"true":        {&tBOOL{Value: true}, 0x0004, "\x01"},
		"false":       {&tBOOL{}, 0x0004, "\x00"},
		"NULL":        {&tNULL{Value: true}, 0x0000, ""},
		"NULL false":  {&tNULL{}, 0x0000, ""},
		"SS":          {&tSS{Value: []string{"\uFFEF", "𐀂", "b"}}, 0x0101, "\x00\x00\x00\x03\x00\x00\x00\x01b\x00\x00\x00\x04𐀂\x00\x00\x00\x03\uFFEF"},
		"NS":          {&tNS{Value: []string{"9", "1e1", "0.0"}}, 0x0102, "\x00\x00\x00\x03\x00\x00\x00\x010\x00\x00\x00\x0210\x00\x00\x00\x019"},
		"BS":          {&tBS{Value: [][]byte{{2}, {1, 1}, {}}}, 0x01FF, "\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x02\x01\x01\x00\x00\x00\x01\x02"},
		"empty set":   {&tSS{}, 0x0101, "\x00\x00\x00\x00"},
		"L":           {&tL{Value: tList{&tN{Value: "01"}, &tL{}}}, 0x0300, "\x00\x00\x00\x02\x00\x02\x00\x00\x00\x011\x03\x00\x00\x00\x00\x04\x00\x00\x00\x00"},
		"M": {&tM{Value: tMap{"b": &tBOOL{}, "a": &tS{Value: "x"}}}, 0x0200,
			"\x00\x00\x00\x02\x00\x01\x00\x00\x00\x01a\x00\x01\x00\x00\x00\x01x\x00\x01\x00\x00\x00\x01b\x00\x04\x00\x00\x00\x01\x00"},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := TypeOf(c.value)
			if err != nil || id != c.id {
				t.Errorf("type id %#04x, %v", uint16(id), err)
			}
			got, err := AppendValue([]byte("before"), c.value)
			if err != nil || string(got) != "before"+c.want {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
			bound, err := SizeBound(c.value)
			if err != nil || bound < len(c.want) {
				t.Errorf("size bound %d, %v, of %d", bound, err, len(c.want))
			}
			v, err := ParseValue(id, []byte(c.want))
			if err != nil {
				t.Fatal(err)
			}
			if again, err := AppendValue(nil, v); err != nil || string(again) != c.want {
				t.Errorf("parsed and written again as %q, %v", again, err)
			}
		})
	}
}

func TestParseValueRefuses(t *testing.T) {
	entry := "\x00\x00\x00\x01a"
	pair := "\x00\x01" + entry + "\x00\x00\x00\x00\x00\x00"
	noKey := "\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	for name, c := range map[string]struct {
		id   TypeID
		data string
	}{
		"unknown type":          {0x0003, ""},
		"S not UTF-8":           {TypeString, "\xff"},
		"N not UTF-8":           {TypeNumber, "\xff"},
		"BOOL 2":                {TypeBool, "\x02"},
		"empty BOOL":            {TypeBool, ""},
		"BOOL of two bytes":     {TypeBool, "\x01\x01"},
		"NULL with content":     {TypeNull, "\x00"},
		"set without count":     {TypeStringSet, "\x00\x00\x00"},
		"set cut":               {TypeStringSet, "\x00\x00\x00\x02" + entry},
		"set entry cut":         {TypeBinarySet, "\x00\x00\x00\x01\x00\x00\x00\x02a"},
		"set with more":         {TypeStringSet, "\x00\x00\x00\x01" + entry + "\x00"},
		"binary set with more":  {TypeBinarySet, "\x00\x00\x00\x00\x00"},
		"duplicate":             {TypeStringSet, "\x00\x00\x00\x02" + entry + entry},
		"duplicate apart":       {TypeNumberSet, "\x00\x00\x00\x03" + "\x00\x00\x00\x012" + "\x00\x00\x00\x011" + "\x00\x00\x00\x012"},
		"duplicate binary":      {TypeBinarySet, "\x00\x00\x00\x03" + entry + "\x00\x00\x00\x01\x00" + entry},
		"set not UTF-8":         {TypeStringSet, "\x00\x00\x00\x01\x00\x00\x00\x01\xff"},
		"map key of type N":     {TypeMap, "\x00\x00\x00\x01\x00\x02" + entry + "\x00\x00\x00\x00\x00\x00"},
		"map key not UTF-8":     {TypeMap, "\x00\x00\x00\x01\x00\x01\x00\x00\x00\x01\xff\x00\x00\x00\x00\x00\x00"},
		"duplicate map key":     {TypeMap, "\x00\x00\x00\x02" + pair + pair},
		"duplicate empty key":   {TypeMap, "\x00\x00\x00\x02" + noKey + noKey},
		"empty key cut":         {TypeMap, "\x00\x00\x00\x01" + noKey[:len(noKey)-1]},
		"map cut":               {TypeMap, "\x00\x00\x00\x02" + pair},
		"map with more":         {TypeMap, "\x00\x00\x00\x01" + pair + "x"},
		"bad value in map":      {TypeMap, "\x00\x00\x00\x01\x00\x01" + entry + "\x00\x04\x00\x00\x00\x01\x07"},
		"list cut":              {TypeList, "\x00\x00\x00\x01\x00\x00\x00\x00\x00"},
		"list with more":        {TypeList, "\x00\x00\x00\x00\x00"},
		"bad value in list":     {TypeList, "\x00\x00\x00\x01\x09\x09\x00\x00\x00\x00"},
		"value beyond its list": {TypeList, "\x00\x00\x00\x01\x00\x01\x00\x00\x00\x05abcd"},
		"count beyond input":    {TypeList, "\xff\xff\xff\xff"},
	} {
		if v, err := ParseValue(c.id, []byte(c.data)); !errors.Is(err, ErrMalformed) || v != nil {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}

// Authentic items of other writers are read as they are.
func TestParseValueAccepts(t *testing.T) {
	v, err := ParseValue(TypeNumber, []byte("not a number: é"))
	if n, ok := v.(*tN); err != nil || !ok || n.Value != "not a number: é" {
		t.Errorf("got %v, %v", v, err)
	}
	v, err = ParseValue(TypeNumberSet, []byte("\x00\x00\x00\x02\x00\x00\x00\x012\x00\x00\x00\x032.0"))
	if n, ok := v.(*tNS); err != nil || !ok || len(n.Value) != 2 || n.Value[1] != "2.0" {
		t.Errorf("got %v, %v", v, err)
	}
	v, err = ParseValue(TypeBinary, nil)
	if n, ok := v.(*tB); err != nil || !ok || n.Value == nil {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestParsedValuesAreCopies(t *testing.T) {
	data := []byte("\x00\x00\x00\x01\x00\x00\x00\x01a")
	for _, id := range []TypeID{TypeBinary, TypeBinarySet, TypeStringSet} {
		v, err := ParseValue(id, data)
		if err != nil {
			t.Fatal(err)
		}
		before, err := AppendValue(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		data[8] = 'b'
		if after, _ := AppendValue(nil, v); string(after) != string(before) {
			t.Errorf("%v aliases the input", id)
		}
		data[8] = 'a'
	}
}

func TestDepth(t *testing.T) {
	nest := func(levels int, around func(types.AttributeValue) types.AttributeValue) types.AttributeValue {
		var v types.AttributeValue = &tS{Value: "leaf"}
		for range levels - 1 {
			v = around(v)
		}
		return v
	}
	for name, around := range map[string]func(types.AttributeValue) types.AttributeValue{
		"list": func(v types.AttributeValue) types.AttributeValue { return &tL{Value: tList{v}} },
		"map":  func(v types.AttributeValue) types.AttributeValue { return &tM{Value: tMap{"k": v}} },
	} {
		v := nest(32, around)
		b, err := AppendValue(nil, v)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		id, _ := TypeOf(v)
		if _, err := ParseValue(id, b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		deep := nest(33, around)
		if _, err := SizeBound(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := AppendValue(nil, deep); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s of 33 levels: %v", name, err)
		}
		if _, err := SizeBound(deep); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s of 33 levels: %v", name, err)
		}
		// Written by somebody without the limit.
		inner, err := AppendValue(nil, nest(32, around))
		if err != nil {
			t.Fatal(err)
		}
		outer, err := AppendValue(nil, around(&tB{Value: inner}))
		if err != nil {
			t.Fatal(err)
		}
		at := strings.Index(string(outer), "\xff\xff")
		outer[at], outer[at+1] = byte(id>>8), byte(id)
		if _, err := ParseValue(id, outer); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s of 33 levels parses: %v", name, err)
		}
	}
}

func TestContextValues(t *testing.T) {
	for name, c := range map[string]struct {
		value  types.AttributeValue
		v1, v2 string
		legend byte
	}{
		"S":    {&tS{Value: "é"}, "AAHDqQ==", "é", 'S'},
		"N":    {&tN{Value: "1e1"}, "AAIxMA==", "10", 'N'},
		"B":    {&tB{Value: []byte{1}}, "//8B", "//8B", 'B'},
		"NULL": {&tNULL{Value: true}, "AAA=", "null", 'L'},
		"BOOL": {&tBOOL{Value: true}, "AAQB", "true", 'L'},
		"no":   {&tBOOL{}, "AAQA", "false", 'L'},
		"L":    {&tL{}, "AwAAAAAA", "AwAAAAAA", 'B'},
	} {
		if got, err := ContextValueV1(c.value); err != nil || got != c.v1 {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.v1)
		}
		if got, legend, err := ContextValueV2(c.value, RefuseEmptyKeys); err != nil || got != c.v2 ||
			legend != c.legend {
			t.Errorf("%s: got %q, %c, %v, want %q, %c", name, got, legend, err, c.v2, c.legend)
		}
	}
	for name, v := range map[string]types.AttributeValue{"nil": nil, "S": &tS{Value: "\xff"}, "N": &tN{Value: "x"},
		"SS": &tSS{Value: []string{"a", "a"}}} {
		if _, err := ContextValueV1(v); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := ContextValueV2(v, RefuseEmptyKeys); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Sets and maps are written in the order of UTF-16 code units, binary sets in
// that of bytes, and the caller's slices stay as they are.
func TestEntriesAreSorted(t *testing.T) {
	given := []string{"\uFFFF", "\uE000", "\U00010000", "\uD7FF", "a"}
	want := []string{"a", "\uD7FF", "\U00010000", "\uE000", "\uFFFF"}
	texts := slices.Clone(given)
	binaries, m := make([][]byte, len(given)), make(tMap)
	for i, s := range given {
		binaries[i], m[s] = []byte(s), &tNULL{}
	}
	var all, bs, mapped []byte
	for _, s := range want {
		all = append(binary.BigEndian.AppendUint32(all, uint32(len(s))), s...)
		mapped = append(binary.BigEndian.AppendUint32(append(mapped, 0, 1), uint32(len(s))), s...)
		mapped = append(mapped, 0, 0, 0, 0, 0, 0)
	}
	for _, s := range slices.Sorted(slices.Values(given)) {
		bs = append(binary.BigEndian.AppendUint32(bs, uint32(len(s))), s...)
	}
	for _, c := range []struct {
		value types.AttributeValue
		want  []byte
	}{{&tSS{Value: texts}, all}, {&tBS{Value: binaries}, bs}, {&tM{Value: m}, mapped}} {
		if got, err := AppendValue(nil, c.value); err != nil || string(got) != "\x00\x00\x00\x05"+string(c.want) {
			t.Errorf("%T: got %+q, %v", c.value, got, err)
		}
	}
	if !slices.Equal(texts, given) || string(binaries[0]) != given[0] {
		t.Error("the caller's entries were sorted")
	}
}

// Nil pointers are refused wherever they stand.
func TestNilPointers(t *testing.T) {
	for _, v := range []types.AttributeValue{
		nil, (*tS)(nil), (*tN)(nil), (*tB)(nil), (*tBOOL)(nil), (*tNULL)(nil), (*tSS)(nil), (*tNS)(nil), (*tBS)(nil),
		(*tM)(nil), (*tL)(nil),
		&types.UnknownUnionMember{},
	} {
		if id, err := TypeOf(v); !errors.Is(err, ErrInvalid) || id != 0 {
			t.Errorf("%T is of type %v, %v", v, id, err)
		}
		for _, v := range []types.AttributeValue{v, &tL{Value: tList{v}}, &tM{Value: tMap{"k": v}},
			&tL{Value: tList{v, &tS{Value: "good"}}}} {
			if b, err := AppendValue(nil, v); !errors.Is(err, ErrInvalid) || b != nil {
				t.Errorf("%T: %q, %v", v, b, err)
			}
			if _, err := SizeBound(v); err != nil { // left to AppendValue
				t.Errorf("%T: %v", v, err)
			}
			if _, err := ContextValueV1(v); !errors.Is(err, ErrInvalid) {
				t.Errorf("%T: %v", v, err)
			}
			if _, _, err := ContextValueV2(v, RefuseEmptyKeys); !errors.Is(err, ErrInvalid) {
				t.Errorf("%T: %v", v, err)
			}
		}
	}
}

// A bad entry fails its list, set or map wherever it stands among good ones.
func TestBadEntriesAnywhere(t *testing.T) {
	for _, bad := range []types.AttributeValue{
		&tS{Value: "\xff"}, &tN{Value: "x"}, &tSS{Value: []string{"\xff"}}, &tSS{Value: []string{"a", "a"}},
		&tNS{Value: []string{"1", "x"}},
		&tBS{Value: [][]byte{{1}, {1}}}, &tM{Value: tMap{"": &tNULL{}}}, &tM{Value: tMap{"\xff": &tNULL{}}},
	} {
		if b, err := AppendValue(nil, bad); !errors.Is(err, ErrInvalid) || b != nil {
			t.Errorf("%T: %q, %v", bad, b, err)
		}
		for place := range 3 {
			list, m := tList{&tS{Value: "a"}, &tS{Value: "b"}, &tS{Value: "c"}},
				tMap{"0": &tNULL{}, "1": &tNULL{}, "2": &tNULL{}}
			list[place], m[string(rune('0'+place))] = bad, bad
			for _, v := range []types.AttributeValue{&tL{Value: list}, &tM{Value: m}} {
				if b, err := AppendValue(nil, v); !errors.Is(err, ErrInvalid) || b != nil {
					t.Errorf("%T at %d of %T: %q, %v", bad, place, v, b, err)
				}
			}
		}
	}
}

// What another writer serialized is read with its empty map key, at any depth.
func TestEmptyKeysAreAChoice(t *testing.T) {
	m := &tM{Value: tMap{"": &tS{Value: "x"}, "k": &tNULL{}}}
	want := "\x00\x00\x00\x02" + "\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01x" +
		"\x00\x01\x00\x00\x00\x01k\x00\x00\x00\x00\x00\x00"
	if b, err := Append(nil, m, TakeEmptyKeys); err != nil || string(b) != want {
		t.Errorf("got %q, %v", b, err)
	}
	for _, v := range []types.AttributeValue{m, &tL{Value: tList{m, &tS{}}}, &tM{Value: tMap{"a": m, "b": &tS{}}}} {
		text, err := Append(nil, v, TakeEmptyKeys)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		id, _ := TypeOf(v)
		read, err := ParseValue(id, text)
		if err != nil {
			t.Fatalf("%T: %v", v, err)
		}
		if again, err := Append(nil, read, TakeEmptyKeys); err != nil || string(again) != string(text) {
			t.Errorf("%T: read and written again as %q, %v", v, again, err)
		}
		if _, _, err := ContextValueV2(v, TakeEmptyKeys); err != nil {
			t.Errorf("%T: %v", v, err)
		}
		if b, err := AppendValue(nil, v); !errors.Is(err, ErrEmptyKey) || b != nil {
			t.Errorf("%T: %q, %v", v, b, err)
		}
		if _, _, err := ContextValueV2(v, RefuseEmptyKeys); !errors.Is(err, ErrEmptyKey) {
			t.Errorf("%T: %v", v, err)
		}
	}
}

// TestParseNull: DynamoDB refuses a NULL that is false.
func TestParseNull(t *testing.T) {
	v, err := ParseValue(TypeNull, nil)
	if null, ok := v.(*tNULL); err != nil || !ok || !null.Value {
		t.Errorf("read as %#v, %v", v, err)
	}
}
