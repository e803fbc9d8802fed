// SPDX-License-Identifier: Apache-2.0

package display

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// unsafeTexts are characters that must not be shown, with what Text shows.
var unsafeTexts = []struct{ name, text, shown string }{
	{"line feed", "\n", `\n`},
	{"carriage return", "\r", `\r`},
	{"tab", "\t", `\t`},
	{"null", "\x00", `\x00`},
	{"bell", "\a", `\a`},
	{"backspace", "\b", `\b`},
	{"ANSI colour", "\x1b[31m", `\x1b[31m`},
	{"ANSI title", "\x1b]0;title\a", `\x1b]0;title\a`},
	{"ANSI link", "\x1b]8;;http://x\x1b\\", `\x1b]8;;http://x\x1b\`},
	{"delete", "\x7f", `\x7f`},
	{"C1 CSI", "\u009b31m", `\u009b31m`},
	{"C1 next line", "\u0085", `\u0085`},
	{"C1 OSC", "\u009d", `\u009d`},
	{"byte of C1", "\x9b31m", `\x9b31m`},
	{"no UTF-8", "\xff", `\xff`},
	{"half a character", "\xe2\x80", `\xe2\x80`},
	{"surrogate", "\xed\xa0\x80", `\xed\xa0\x80`},
	{"line separator", "\u2028", `\u2028`},
	{"paragraph separator", "\u2029", `\u2029`},
	{"right-to-left override", "\u202e", `\u202e`},
	{"left-to-right override", "\u202d", `\u202d`},
	{"embedding", "\u202a\u202b\u202c", `\u202a\u202b\u202c`},
	{"isolates", "\u2066\u2067\u2068\u2069", `\u2066\u2067\u2068\u2069`},
	{"marks", "\u200e\u200f\u061c", `\u200e\u200f\u061c`},
	{"zero width", "\u200b\u200d\ufeff", `\u200b\u200d\ufeff`},
	{"soft hyphen", "\u00ad", `\u00ad`},
	{"tag", "\U000e0041", `\U000e0041`},
	{"variation selectors", "\ufe0f\u180b\U000e0100", `\ufe0f\u180b\U000e0100`},
	{"fillers", "\u3164\uffa0\u115f\u1160", `\u3164\uffa0\u115f\u1160`},
	{"invisible marks", "\u034f\u17b4\u17b5", `\u034f\u17b4\u17b5`},
	{"Braille blank", "\u2800", `\u2800`},
	{"default ignorable", "\u2065\ufff0\U000e0fff", `\u2065\ufff0\U000e0fff`},
}

func TestText(t *testing.T) {
	for _, c := range unsafeTexts {
		if got := Text("a" + c.text + "ü"); got != "a"+c.shown+"ü" {
			t.Errorf("%s: %q, want %q", c.name, got, "a"+c.shown+"ü")
		}
	}
	for _, text := range []string{"", "plain text", "größer 日本 שלום 🙂 e\u0301 \ufffd\u00a0 한국 ⠃ ខ្មែរ", `C:\new`} {
		if got := Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
		if n := testing.AllocsPerRun(10, func() { _ = Text(text) }); n != 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

// safe reports whether nothing of s could deceive, but for the last line break.
func safe(s string) bool {
	s = strings.TrimSuffix(s, "\n")
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
	})
}

// A log is one line for each record whatever is in it, and JSON stays the same.
func TestWriter(t *testing.T) {
	for _, c := range unsafeTexts {
		var text, object bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(NewWriter(&text), nil),
			slog.NewJSONHandler(NewWriter(&object), nil)} {
			slog.New(h).Error("m"+c.text, "k"+c.text, c.text, "error", errors.New(c.text),
				slog.Group("g"+c.text, "x", c.text))
		}
		if !safe(text.String()) || !safe(object.String()) {
			t.Errorf("%s: %q, %q", c.name, text.String(), object.String())
		}
		var parsed map[string]any
		if err := json.Unmarshal(object.Bytes(), &parsed); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if utf8.ValidString(c.text) && parsed["error"] != c.text {
			t.Errorf("%s: %q became %q", c.name, c.text, parsed["error"])
		}
	}
	var lines bytes.Buffer
	const text = "one\n\ttwo ü\n"
	if n, err := NewWriter(&lines).Write([]byte(text)); n != len(text) || err != nil || lines.String() != text {
		t.Errorf("%d, %v, %q", n, err, &lines)
	}
	if n, err := NewWriter(failing{}).Write([]byte("\x1b")); n > 1 || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("%d, %v", n, err)
	}
}

type failing struct{}

func (failing) Write(p []byte) (int, error) { return len(p), io.ErrShortWrite }

func FuzzText(f *testing.F) {
	for _, c := range unsafeTexts {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		shown := Text(s)
		if !safe(shown + "\n") {
			t.Errorf("%q is shown as %q", s, shown)
		}
		if Text(shown) != shown {
			t.Errorf("%q is escaped twice", shown)
		}
	})
}
