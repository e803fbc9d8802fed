// SPDX-License-Identifier: Apache-2.0

package keytemplate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestParse: a template that could not be taken apart is refused, with a reason
// that names the placeholder.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"USER#{ID}": "", "PROFILE": "", "{ID}": "", "{Year:04}{Month:02}": "", "{Year:04}{Name}": "", "{A}#{B}#": "",
		"Ω{Ünï}": "", "{N:020}": "",
		"":              "empty",
		"\xff{ID}":      "UTF-8",
		"{ID":           "no }",
		"ID}":           "no {",
		"{A}}":          "no {",
		"{}":            "not the name of a field",
		"{ ID}":         "not the name of a field",
		"{:08}":         "not the name of a field",
		"{A}{B}":        "{A} is directly followed by another placeholder",
		"{A}{B:04}":     "{A} is directly followed by another placeholder",
		"{A}#{A}":       "{A} occurs more than once",
		"{N:8}":         "write the number of digits",
		"{N:00}":        "write the number of digits",
		"{N:021}":       "write the number of digits",
		"{N:}":          "write the number of digits",
		"{N:0x}":        "write the number of digits",
		"{N:0-1}":       "write the number of digits",
		"{N:099999999}": "write the number of digits",
	} {
		got, err := Parse(text)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want == "" && got.String() != text:
			t.Errorf("%q: String returns %q", text, got)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestCompose: what a value must not be is refused, and the text of the error
// shows the placeholder and not the value.
func TestCompose(t *testing.T) {
	for _, c := range []struct {
		template string
		values   []string
		want     string
		reason   string
	}{
		{"USER#{ID}", []string{"7"}, "USER#7", ""},
		{"USER#{ID}", []string{"a#b"}, "USER#a#b", ""}, // nothing is behind it
		{"PROFILE", nil, "PROFILE", ""},
		{"{A}#{B}", []string{"a", "b#c"}, "a#b#c", ""},
		{"ORDER#{N:08}", []string{"42"}, "ORDER#00000042", ""},
		{"ORDER#{N:08}", []string{"0"}, "ORDER#00000000", ""},
		{"{Y:04}{M:02}", []string{"2026", "7"}, "202607", ""},
		{"{A}#{B}", []string{"sec#ret", "b"}, "", "{A}: the value and the \"#\" behind it"},
		{"{A}##{B}", []string{"secret#", "b"}, "", "{A}: the value and the \"##\" behind it"},
		{"{A}#", []string{"sec#ret"}, "", "{A}: the value and the \"#\" behind it"},
		{"{A}#{B}", []string{"", "b"}, "", "{A}: the value is empty"},
		{"{A}", []string{"secret\xff"}, "", "{A}: the value is not valid UTF-8"},
		{"{N:02}", []string{"-1"}, "", "{N}: the number is negative"},
		{"{N:02}", []string{"314"}, "", "{N}: the number has more than the 2 digits"},
		{"{N:02}", []string{"1.5"}, "", "{N}: the value is not a whole number"},
		{"{N:02}", []string{"01"}, "", "{N}: the value is not a whole number"},
		{"{N:02}", nil, "", "0 values for 1 placeholders"},
	} {
		got, err := parse(t, c.template).Compose(c.values)
		switch {
		case c.reason == "" && (err != nil || got != c.want):
			t.Errorf("%q of %q: %q, %v, want %q", c.template, c.values, got, err, c.want)
		case c.reason != "" && (err == nil || !strings.Contains(err.Error(), c.reason)):
			t.Errorf("%q of %q: %v, want %q", c.template, c.values, err, c.reason)
		case err != nil && (strings.Contains(err.Error(), "sec") || strings.Contains(err.Error(), "314")):
			t.Errorf("%q: the error shows a value: %v", c.template, err)
		}
	}
	if _, err := parse(t, "{A}#{B}").Prefix([]string{"a", "b", "c"}); err == nil {
		t.Error("three values of two placeholders have a prefix")
	}
}

// TestSplit: a key that is not one of the template is refused.
func TestSplit(t *testing.T) {
	for template, keys := range map[string][]string{
		"USER#{ID}":       {"", "USER#", "USER", "ORDER#7", "user#7", "USER#\xff"},
		"{A}#{B}":         {"a", "#b", "a#", "#"},
		"{A}#{B}#":        {"a#b", "a#b#c", "a#b##"},
		"ORDER#{N:03}":    {"ORDER#12", "ORDER#1234", "ORDER#-12", "ORDER#1a2", "ORDER#12 "},
		"{N:03}#{M:02}":   {"123-45", "12#345", "123#4", "123#456", ""},
		"PROFILE":         {"PROFILE#", "", "profile"},
		"{Y:04}{M:02}Z":   {"202607", "20260Z", "202607ZZ"},
		"{A}##{B}":        {"a#b", "a##", "##b"},
		"PRE{A}POST":      {"PREPOST", "PREaPOSTb", "PREaPOS"},
		"{Big:020}":       {"1", "000000000000000000001"},
		"{N:02}{Text}end": {"12end", "1xend", "12aendb"},
	} {
		for _, key := range keys {
			if got, err := parse(t, template).Split(key); !errors.Is(err, ErrKey) {
				t.Errorf("%q: %q gives %q, %v", template, key, got, err)
			}
		}
	}
}

func parse(t interface {
	Helper()
	Fatal(...any)
}, text string) *Template {
	t.Helper()
	out, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// templates draws a template whose literals and values are made of few letters,
// so that they often meet.
var templates = rapid.Custom(func(t *rapid.T) *Template {
	literal := func(least int) string {
		return rapid.StringOfN(rapid.SampledFrom([]rune("#aΩ")), least, 3, -1).Draw(t, "literal")
	}
	text := literal(1)
	for i := range rapid.IntRange(0, 4).Draw(t, "placeholders") {
		if rapid.Bool().Draw(t, "number") {
			text += fmt.Sprintf("{P%d:0%d}", i, rapid.IntRange(1, 4).Draw(t, "width")) + literal(0)
		} else {
			text += fmt.Sprintf("{P%d}", i) + literal(1)
		}
	}
	if p := strings.LastIndexByte(text, '}'); rapid.Bool().Draw(t, "open end") && p >= 0 {
		text = text[:p+1]
	}
	return parse(t, text)
})

// values draws values of a template, of which some are refused.
func values(t *rapid.T, of *Template, label string) []string {
	out := make([]string, len(of.fields))
	for i, f := range of.fields {
		if f.Width > 0 {
			out[i] = strconv.Itoa(rapid.IntRange(0, 12000).Draw(t, label))
		} else {
			out[i] = rapid.StringOfN(rapid.SampledFrom([]rune("#aΩb0")), 1, 5, -1).Draw(t, label)
		}
	}
	return out
}

// TestInverse: what was composed is taken apart again, different values have
// different keys, and keys begin with the prefixes of their values.
func TestInverse(t *testing.T) {
	composed := 0
	rapid.Check(t, func(t *rapid.T) {
		of := templates.Draw(t, "template")
		a, b := values(t, of, "a"), values(t, of, "b")
		key, err := of.Compose(a)
		if err != nil {
			return
		}
		composed++
		back, err := of.Split(key)
		if err != nil || !slices.Equal(back, a) {
			t.Fatalf("%q of %q gives %q, which gives %q, %v", of, a, key, back, err)
		}
		if other, err := of.Compose(b); err == nil && (other == key) != slices.Equal(a, b) {
			t.Fatalf("%q of %q and of %q gives %q and %q", of, a, b, key, other)
		}
		for n := range a {
			common := 0
			for common < n && a[common] == b[common] {
				common++
			}
			prefix, err := of.Prefix(a[:n])
			if err != nil || !strings.HasPrefix(key, prefix) {
				t.Fatalf("%q of %q has prefix %q, %v", of, a[:n], prefix, err)
			}
			if other, err := of.Compose(b); err == nil && n > 0 && common < n && strings.HasPrefix(other, prefix) {
				t.Fatalf("%q: the prefix %q of %q holds %q of %q", of, prefix, a[:n], other, b)
			}
		}
	})
	if composed == 0 {
		t.Error("no key was composed")
	}
}

// TestOrder: keys of padded numbers sort as the numbers do.
func TestOrder(t *testing.T) {
	of := parse(t, "A#{N:020}#{M:04}")
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.Uint64(), rapid.Uint16Range(0, 9999)
		a, b := [2]uint64{n.Draw(t, "a"), uint64(m.Draw(t, "a"))}, [2]uint64{n.Draw(t, "b"), uint64(m.Draw(t, "b"))}
		if rapid.Bool().Draw(t, "near") {
			b[0] = a[0]
		}
		key := func(v [2]uint64) string {
			k, err := of.Compose([]string{strconv.FormatUint(v[0], 10), strconv.FormatUint(v[1], 10)})
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		if want := slices.Compare(a[:], b[:]); strings.Compare(key(a), key(b)) != want {
			t.Fatalf("%v and %v: keys %q and %q", a, b, key(a), key(b))
		}
	})
}

// FuzzSplit: a key comes from the table. It is refused, or composing its values
// gives it again.
func FuzzSplit(f *testing.F) {
	for _, seed := range [][2]string{
		{"USER#{ID}", "USER#7"}, {"{A}#{B}", "a#b#c"}, {"ORDER#{N:08}", "ORDER#00000042"}, {"{A}##{B}", "a###b"},
		{"{Y:04}{M:02}", "202607"}, {"PROFILE", "PROFILE"}, {"{N:03}{A}#", "007x#"}, {"{A}", "\xff"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, template, key string) {
		of, err := Parse(template)
		if err != nil {
			return
		}
		values, err := of.Split(key)
		if err != nil {
			if !errors.Is(err, ErrKey) {
				t.Error(err)
			}
			return
		}
		if again, err := of.Compose(values); err != nil || again != key {
			t.Errorf("%q: %q gives %q, which gives %q, %v", template, key, values, again, err)
		}
	})
}
