// SPDX-License-Identifier: Apache-2.0

// Package display makes text from elsewhere safe to show: names and messages of
// clients, servers and files, on a terminal and in a log.
package display

import (
	"bytes"
	"io"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Text returns s with every character escaped that could change how a terminal
// shows what surrounds it: controls (C0, delete and C1, and so every ANSI
// sequence), line breaks, the separators U+2028 and U+2029, characters of
// format such as bidirectional overrides and zero-width ones, other characters
// that show nothing, such as fillers and variation selectors, and bytes that are
// not UTF-8. The escapes are Go's and JSON's where there is one: \n, \u202e.
// It returns s itself where there is nothing to escape. A character of format
// outside the basic plane becomes \U000e0041.
func Text(s string) string {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if unsafeRune(r, size) {
			return string(escape(make([]byte, 0, len(s)+16), []byte(s), false))
		}
		i += size
	}
	return s
}

// unsafeRune reports whether a character of size bytes must be escaped.
func unsafeRune(r rune, size int) bool {
	switch {
	case ' ' <= r && r < 0x7f:
		return false
	case r == utf8.RuneError:
		return size == 1
	}
	// Cc has C1, Cf the bidirectional and the zero-width characters. Of the letters
	// and marks some show nothing: fillers and variation selectors.
	return r == brailleBlank || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// brailleBlank is the symbol that looks like a space and is not one.
const brailleBlank = '\u2800'

// escape appends text to dst. With lines set, line breaks and tabs stay, and
// every escape is one that a JSON string can have.
func escape(dst, text []byte, lines bool) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case !unsafeRune(r, size), lines && (r == '\n' || r == '\t'):
			dst = append(dst, text[:size]...)
		case r == utf8.RuneError && !lines:
			dst = append(dst, `\x`...)
			dst = append(dst, hex[text[0]>>4], hex[text[0]&0xf])
		case r == utf8.RuneError:
			dst = append(dst, `\ufffd`...)
		case r > 0xffff && lines: // JSON has surrogates
			r -= 0x10000
			dst = unit(unit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff)
		case lines:
			dst = unit(dst, r)
		default:
			quoted := strconv.AppendQuoteRuneToASCII(nil, r)
			dst = append(dst, quoted[1:len(quoted)-1]...)
		}
		text = text[size:]
	}
	return dst
}

const hex = "0123456789abcdef"

// unit appends the escape of a UTF-16 code unit.
func unit(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hex[r>>12&0xf], hex[r>>8&0xf], hex[r>>4&0xf], hex[r&0xf])
}

// NewWriter returns a writer of lines in front of w, for logs and for JSON. It
// escapes what Text escapes, but for line breaks and tabs, and JSON stays the
// same JSON. Every Write must end between two characters, as a Write of whole
// lines does.
func NewWriter(w io.Writer) io.Writer { return lineWriter{w} }

type lineWriter struct{ w io.Writer }

func (l lineWriter) Write(p []byte) (int, error) {
	if n, err := l.w.Write(JSON(p)); err != nil {
		return min(n, len(p)), err
	}
	return len(p), nil
}

// JSON returns text, which is JSON, with the same characters escaped as
// NewWriter escapes. It returns text itself where there is nothing to escape.
func JSON(text []byte) []byte {
	if !bytes.ContainsFunc(text, suspicious) {
		return text
	}
	return escape(make([]byte, 0, len(text)+64), text, true)
}

// suspicious reports a character that need not stay as it is.
func suspicious(r rune) bool { return r >= 0x7f || r < ' ' && r != '\n' && r != '\t' }
