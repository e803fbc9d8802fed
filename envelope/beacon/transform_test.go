// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// virtualOf is a virtual field of one part over attribute a.
func virtualOf(t testing.TB, transforms ...Transform) *virtualField {
	t.Helper()
	schema := schemaOf("a encrypted")
	f, err := compileVirtual(&VirtualField{"v", []VirtualPart{{"a", transforms}}}, &schema)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTransforms(t *testing.T) {
	for _, c := range []struct {
		in        string
		transform Transform
		want      string
	}{
		{"aZ-äÄ1", Upper(), "AZ-äÄ1"}, {"aZ-äÄ1", Lower(), "az-äÄ1"}, {"[`{@AZaz", Upper(), "[`{@AZAZ"},
		{"[`{@AZaz", Lower(), "[`{@azaz"}, {"", Upper(), ""},
		{"ab", Insert("__"), "ab__"}, {"ab", Insert("名"), "ab名"}, {"名", Insert("x"), "名x"},

		{"12345", Prefix(2), "12"}, {"12345", Prefix(0), ""}, {"12345", Prefix(5), "12345"}, {"12345", Prefix(99), "12345"},
		{"12345", Prefix(-1), "1234"}, {"12345", Prefix(-5), ""}, {"12345", Prefix(-6), ""}, {"", Prefix(3), ""},
		{"12345", Suffix(2), "45"}, {"12345", Suffix(0), ""}, {"12345", Suffix(5), "12345"}, {"12345", Suffix(99), "12345"},
		{"12345", Suffix(-1), "2345"}, {"12345", Suffix(-5), ""}, {"12345", Suffix(-6), ""}, {"", Suffix(-3), ""},

		// A high end cannot reach past the last unit.
		{"12345", Substring(0, 999), "1234"}, {"12345", Substring(0, 5), "1234"}, {"12345", Substring(0, 4), "1234"},
		{"12345", Substring(1, -1), "234"}, {"12345", Substring(-3, -1), "34"}, {"12345", Substring(-99, 2), "12"},
		{"12345", Substring(3, 3), ""}, {"12345", Substring(4, 2), ""}, {"12345", Substring(99, 99), ""},
		{"", Substring(0, 1), ""}, {"1", Substring(0, 1), ""},

		{"a-b-c", Segment('-', 0), "a"}, {"a-b-c", Segment('-', 2), "c"}, {"a-b-c", Segment('-', 3), ""},
		{"a-b-c", Segment('-', -1), "c"}, {"a-b-c", Segment('-', -3), "a"}, {"a-b-c", Segment('-', -4), ""},
		{"abc", Segment('-', 0), "abc"}, {"", Segment('-', 0), ""}, {"-", Segment('-', 1), ""}, {"--x", Segment('-', 2), "x"},
		{"a名b名c", Segment('名', 1), "b"},

		{"a-b-c", Segments('-', 0, 99), "a-b"}, {"a-b-c-d", Segments('-', 1, -1), "b-c"}, {"a-b-c", Segments('-', 0, 1), "a"},
		{"a-b-c", Segments('-', 2, 1), ""}, {"a-b-c", Segments('-', 1, 1), ""}, {"a-b-c", Segments('-', -2, -1), "b"},
		{"a", Segments('-', 0, 1), ""}, {"", Segments('-', 0, 1), ""}, {"--", Segments('-', 0, 2), "-"},

		{"😀z", Prefix(2), "😀"}, {"😀z", Suffix(1), "z"}, {"z😀", Suffix(2), "😀"}, {"😀z", Substring(0, 2), "😀"},
	} {
		f := virtualOf(t, c.transform)
		got, has, err := f.value(Item{"a": text(c.in)})
		if err != nil || !has || got != c.want {
			t.Errorf("%+v of %q: %q, %v, %v; want %q", c.transform, c.in, got, has, err, c.want)
		}
		// The other width of text gives the same.
		wide := slices.Clone(utf16.Encode([]rune(c.in)))
		compiled := f.parts[0].transforms[0]
		if got := string(utf16.Decode(apply(&compiled, wide))); got != c.want {
			t.Errorf("%+v of %q in UTF-16: %q, want %q", c.transform, c.in, got, c.want)
		}
	}
}

// TestTransformsInOrder: one after the other, and a half of a surrogate pair is
// refused only if it is left at the end.
func TestTransformsInOrder(t *testing.T) {
	for _, c := range []struct {
		in         string
		transforms []Transform
		want       string
		half       bool
	}{
		{"abcdef", []Transform{Suffix(3), Upper()}, "DEF", false},
		{"ab-cd", []Transform{Segment('-', 1), Insert("!"), Upper(), Prefix(-1)}, "CD", false},
		{"ab😀", []Transform{Prefix(3), Prefix(2)}, "ab", false},
		{"ab😀", []Transform{Prefix(3)}, "", true},
		{"😀ab", []Transform{Suffix(3)}, "", true},
		{"😀😀", []Transform{Substring(1, 3)}, "", true},
		{"😀", []Transform{Prefix(1), Insert("x")}, "", true},
	} {
		got, has, err := virtualOf(t, c.transforms...).value(Item{"a": text(c.in)})
		if c.half {
			var e *Error
			if !errors.Is(err, ErrItem) || !errors.As(err, &e) || e.Name != "v" ||
				!strings.Contains(err.Error(), "surrogate pair") || strings.Contains(err.Error(), c.in) {
				t.Errorf("%+v of %q: %v", c.transforms, c.in, err)
			}
			continue
		}
		if err != nil || !has || got != c.want {
			t.Errorf("%+v of %q: %q, %v, %v; want %q", c.transforms, c.in, got, has, err, c.want)
		}
	}
	// The halves of two parts make a whole.
	schema := schemaOf("a encrypted, b encrypted")
	f, err := compileVirtual(&VirtualField{"v", []VirtualPart{{"a", []Transform{Prefix(1)}},
		{"b", []Transform{Suffix(1)}}}}, &schema)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := f.value(Item{"a": text("😀"), "b": text("😀")}); got != "😀" || err != nil {
		t.Errorf("two halves: %q, %v", got, err)
	}
}

// TestLongVirtualField: what transforms can make of an item is bounded.
func TestLongVirtualField(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	schema := schemaOf("a encrypted")
	parts := slices.Repeat([]VirtualPart{{Location: "a"}}, 5)
	inserts := slices.Repeat([]Transform{Insert(strings.Repeat("y", 60_000))}, 80)
	for what, field := range map[string]VirtualField{
		"parts":   {"v", parts},
		"literal": {"v", []VirtualPart{{"a", inserts}}},
	} {
		f, err := compileVirtual(&field, &schema)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{big, "名" + big} {
			if _, _, err := f.value(Item{"a": text(s)}); !errors.Is(err, ErrItem) ||
				!strings.Contains(err.Error(), "over 4194304 bytes") {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

// transformsOf reads transforms from the bytes of a fuzzer.
func transformsOf(program []byte) []Transform {
	var out []Transform
	next := func() int {
		if len(program) == 0 {
			return 0
		}
		n := int(int8(program[0]))
		program = program[1:]
		return n
	}
	split := func() rune { return []rune("-ab名 |")[next()&3] }
	for len(program) > 0 && len(out) < 20 {
		switch next() & 7 {
		case 0:
			out = append(out, Upper())
		case 1:
			out = append(out, Lower())
		case 2:
			out = append(out, Insert([]string{"__", "名", "😀", "-"}[next()&3]))
		case 3:
			out = append(out, Prefix(next()))
		case 4:
			out = append(out, Suffix(next()))
		case 5:
			out = append(out, Substring(next(), next()))
		case 6:
			out = append(out, Segment(split(), next()))
		case 7:
			out = append(out, Segments(split(), next(), next()))
		}
	}
	return out
}

// reference computes transforms on UTF-16 units in the plainest way.
func reference(transforms []Transform, s string) []uint16 {
	units := utf16.Encode([]rune(s))
	clamp := func(p, n int) int {
		if p < 0 {
			p += n
		}
		return max(0, min(p, n-1))
	}
	between := func(low, high, n int) (int, int) {
		low, high = clamp(low, n), clamp(high, n)
		return low, max(low, high)
	}
	split := func(at rune) [][]uint16 {
		parts := [][]uint16{{}}
		for _, u := range units {
			if u == uint16(at) {
				parts = append(parts, []uint16{})
			} else {
				parts[len(parts)-1] = append(parts[len(parts)-1], u)
			}
		}
		return parts
	}
	for _, x := range transforms {
		n := len(units)
		switch x.op {
		case opUpper, opLower:
			for i, u := range units {
				if u < utf8.RuneSelf && x.op == opUpper {
					units[i] = uint16(strings.ToUpper(string(rune(u)))[0])
				} else if u < utf8.RuneSelf {
					units[i] = uint16(strings.ToLower(string(rune(u)))[0])
				}
			}
		case opInsert:
			units = append(units, utf16.Encode([]rune(x.literal))...)
		case opPrefix:
			end := x.low
			if end < 0 {
				end += n
			}
			units = units[:max(0, min(end, n))]
		case opSuffix:
			begin := n - x.low
			if x.low < 0 {
				begin = -x.low
			}
			units = units[max(0, min(begin, n)):]
		case opSubstring:
			if n > 0 {
				low, high := between(x.low, x.high, n)
				units = units[low:high]
			}
		case opSegment:
			if parts := split(x.split); x.low >= len(parts) || -x.low > len(parts) {
				units = nil
			} else {
				units = parts[clamp(x.low, len(parts))]
			}
		case opSegments:
			parts := split(x.split)
			low, high := between(x.low, x.high, len(parts))
			units = slices.Clone(join(parts[low:high], uint16(x.split)))
		}
	}
	return units
}

func join(parts [][]uint16, split uint16) []uint16 {
	var out []uint16
	for i, p := range parts {
		if i > 0 {
			out = append(out, split)
		}
		out = append(out, p...)
	}
	return out
}

// FuzzTransforms compares the transforms with a plain reference, whatever the
// text and its width.
func FuzzTransforms(f *testing.F) {
	for _, s := range []string{"", "12345", "a-b-c", "MyTITLEÄ", "😀z", "名-前", "a😀-b😀"} {
		f.Add(s, []byte{0})
		f.Add(s, []byte{3, 2, 2, 2})
		f.Add(s, []byte{4, 253, 0})
		f.Add(s, []byte{5, 1, 255, 1})
		f.Add(s, []byte{6, 0, 1})
		f.Add(s, []byte{7, 0, 0, 99, 2, 1})
		f.Add(s, []byte{3, 1, 2, 0, 4, 1})
	}
	f.Fuzz(func(t *testing.T, s string, program []byte) {
		transforms := transformsOf(program)
		got, has, err := virtualOf(t, transforms...).value(Item{"a": text(s)})
		if !utf8.ValidString(s) {
			if !errors.Is(err, ErrItem) {
				t.Fatalf("text that is not UTF-8: %q, %v", got, err)
			}
			return
		}
		want := reference(transforms, s)
		if half(want) {
			if !errors.Is(err, ErrItem) {
				t.Fatalf("%+v of %q leaves half of a pair: %q, %v", transforms, s, got, err)
			}
			return
		}
		if w := string(utf16.Decode(want)); err != nil || !has || got != w {
			t.Fatalf("%+v of %q: %q, %v, %v; want %q", transforms, s, got, has, err, w)
		}
	})
}

// half reports whether units have a surrogate that is not part of a pair.
func half(units []uint16) bool {
	for i := 0; i < len(units); i++ {
		switch u := units[i]; {
		case u >= 0xd800 && u < 0xdc00 && i+1 < len(units) && units[i+1] >= 0xdc00 && units[i+1] < 0xe000:
			i++
		case u >= 0xd800 && u < 0xe000:
			return true
		}
	}
	return false
}

// TestPositions has the table of the specification's source.
func TestPositions(t *testing.T) {
	for p, want := range map[int]int{0: 0, 1: 1, 4: 4, 5: 4, -1: 4, -2: 3, -4: 1, -5: 0, -6: 0,
		math.MaxInt32: 4, -math.MaxInt32: 0} {
		if got := position(p, 5); got != want {
			t.Errorf("position %d of 5 is %d, want %d", p, got, want)
		}
	}
	if got := position(3, 0); got != 0 {
		t.Errorf("position 3 of nothing is %d", got)
	}
}
