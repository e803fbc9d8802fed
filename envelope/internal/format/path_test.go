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
