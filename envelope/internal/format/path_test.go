// SPDX-License-Identifier: Apache-2.0

package format

import (
	"bytes"
	"cmp"
	"slices"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

func drawText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(),
		rapid.StringOf(rapid.RuneFrom([]rune{'a', 'é', '\uD7FF', '\uE000', '\uFFEF', '𐀂', '\U0010FFFF'})))
}

func TestPathBytes(t *testing.T) {
	got := AppendPath([]byte("x"), "tab", "é𐀂")
	want := "xtab" + "\x00\x00\x00\x00\x00\x00\x00\x01" + "$" + "\x00\x00\x00\x00\x00\x00\x00\x03" + "é𐀂"
	if string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSortPathsOrdersByTheirBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := rapid.SliceOf(drawText()).Draw(t, "names")
		want := slices.SortedFunc(slices.Values(got), func(a, b string) int {
			return bytes.Compare(AppendPath(nil, "t", a), AppendPath(nil, "t", b))
		})
		if SortPaths(got); !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestCompareUTF16OrdersByCodeUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawText().Draw(t, "a"), drawText().Draw(t, "b")
		if rapid.Bool().Draw(t, "common beginning") {
			a, b = "é𐀂"+a, "é𐀂"+b
		}
		want := slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
		if got := CompareUTF16(a, b); got != want {
			t.Fatalf("%q, %q: got %d, want %d", a, b, got, want)
		}
	})
	// The order of bytes is another one.
	if CompareUTF16("𐀂", "\uFFEF") >= 0 || cmp.Compare("𐀂", "\uFFEF") <= 0 {
		t.Error("surrogates sort before U+E000 and up in UTF-16 only")
	}
}

// The order of code units at its turning points: after the characters of three
// bytes before the surrogates come those of four bytes, then the rest of three.
func TestCompareUTF16AtItsBoundaries(t *testing.T) {
	runes := []rune{
		0, 1, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xE001, 0xEFFF, 0xF000, 0xFFFD, 0xFFFE, 0xFFFF,
		0x10000, 0x10001, 0x103FF, 0x10400, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFF,
	}
	for _, a := range runes {
		for _, b := range runes {
			for _, texts := range [][2]string{
				{string(a), string(b)}, {"x" + string(a), "x" + string(b)}, {string(a) + "x", string(b)}, {string(a), string(b) + "x"},
				{string(a) + string(b), string(b) + string(a)}, {string(a) + string(a), string(a) + string(b)},
			} {
				want := slices.Compare(utf16.Encode([]rune(texts[0])), utf16.Encode([]rune(texts[1])))
				if got := CompareUTF16(texts[0], texts[1]); got != want {
					t.Errorf("%+q, %+q: got %d, want %d", texts[0], texts[1], got, want)
				}
			}
		}
		want := 1
		if a > 0xFFFF {
			want = 2
		}
		if got := PathNameLength("n" + string(a)); got != want+1 {
			t.Errorf("%U: %d code units", a, got-1)
		}
	}
	ordered := []string{"\uD7FF", "\U00010000", "\U0010FFFF", "\uE000", "\uFFFF"}
	if !slices.IsSortedFunc(ordered, CompareUTF16) {
		t.Errorf("%+q are out of order", ordered)
	}
}

func TestSortPathsAtItsBoundaries(t *testing.T) {
	names := []string{"\uFFFF\uFFFF", "\U00010000", "aa", "b", "\uFFFF", "a", ""}
	SortPaths(names)
	if want := []string{"", "a", "b", "\uFFFF", "aa", "\uFFFF\uFFFF", "\U00010000"}; !slices.Equal(names, want) {
		t.Errorf("got %+q, want %+q", names, want)
	}
}
