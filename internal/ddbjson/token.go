// SPDX-License-Identifier: Apache-2.0

package ddbjson

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// literal steps over true, false or null.
func (r *Reader) literal(word string) error {
	if len(r.data)-r.pos < len(word) || string(r.data[r.pos:r.pos+len(word)]) != word {
		return r.syntax("expected a value")
	}
	r.pos += len(word)
	return nil
}

// number steps over a JSON number; whole tells that it has neither a fraction
// nor an exponent.
func (r *Reader) number() (text []byte, whole bool, err error) {
	d, i := r.data, r.pos
	digits := func() bool {
		start := i
		for i < len(d) && d[i] >= '0' && d[i] <= '9' {
			i++
		}
		return i > start
	}
	if i < len(d) && d[i] == '-' {
		i++
	}
	lead := i
	if !digits() || (d[lead] == '0' && i > lead+1) {
		return nil, false, r.syntax("malformed number")
	}
	whole = true
	if i < len(d) && d[i] == '.' {
		whole = false
		if i++; !digits() {
			return nil, false, r.syntax("malformed number")
		}
	}
	if i < len(d) && (d[i] == 'e' || d[i] == 'E') {
		whole = false
		if i++; i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		if !digits() {
			return nil, false, r.syntax("malformed number")
		}
	}
	text = d[r.pos:i]
	r.pos = i
	return text, whole, nil
}

// text reads the string that begins at the current quotation mark. Without
// escapes the result shares memory with the document.
func (r *Reader) text() ([]byte, error) {
	r.pos++
	rest := r.data[r.pos:]
	i, ascii := plainRun(rest)
	if i == len(rest) {
		r.pos = len(r.data)
		return nil, r.syntax("string without an end")
	}
	switch rest[i] {
	case '"':
		if !ascii && !utf8.Valid(rest[:i]) {
			return nil, r.syntax("invalid utf-8")
		}
		r.pos += i + 1
		return rest[:i:i], nil
	case '\\':
		return r.escapedText(i)
	}
	r.pos += i
	return nil, r.syntax("control character in a string")
}

// plainRun returns how many leading bytes are neither a quotation mark, a
// backslash nor a control character, and whether all of them are ASCII. It
// looks at eight bytes at a time.
func plainRun(b []byte) (n int, ascii bool) {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	var all uint64
	for n+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[n:])
		quote := w ^ '"'*ones
		slash := w ^ '\\'*ones
		// (x - ones) &^ x has the high bit set in a byte of x that is zero, and
		// (w - ' '*ones) &^ w in one below ' '. Higher bytes may be wrong behind a
		// right one, so only the lowest counts.
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-' '*ones)&^w) & highs
		if found != 0 {
			k := bits.TrailingZeros64(found) &^ 7
			return n + k/8, (all|w&(1<<k-1))&highs == 0
		}
		all |= w
		n += 8
	}
	for ; n < len(b); n++ {
		c := b[n]
		if c == '"' || c == '\\' || c < ' ' {
			break
		}
		all |= uint64(c)
	}
	return n, all&highs == 0
}

// chunkSize is how many bytes of the document short strings share in memory,
// and so the most that one of them keeps alive.
const chunkSize = 512

// ownText reads a string for good. Short ones are cut from copies of stretches
// of the document, as most values hold many of them.
func (r *Reader) ownText() (string, error) {
	start := r.pos + 1
	b, err := r.text()
	if err != nil || len(b) == 0 {
		return "", err
	}
	if len(b) > chunkSize/4 || &b[0] != &r.data[start] {
		return string(b), nil
	}
	if start+len(b) > r.chunkStart+len(r.chunk) || r.chunk == "" {
		r.chunkStart = start
		r.chunk = string(r.data[start:min(start+chunkSize, len(r.data))])
	}
	return r.chunk[start-r.chunkStart:][:len(b)], nil
}

// escapedText reads a string with at least one escape; the first stands n bytes
// behind the current position.
func (r *Reader) escapedText(n int) ([]byte, error) {
	d := r.data
	out := append(make([]byte, 0, 2*n+16), d[r.pos:r.pos+n]...)
	r.pos += n
	for r.pos < len(d) {
		switch c := d[r.pos]; {
		case c == '"':
			r.pos++
			if !utf8.Valid(out) {
				return nil, r.syntax("invalid utf-8")
			}
			return out, nil
		case c < ' ':
			return nil, r.syntax("control character in a string")
		case c != '\\':
			out = append(out, c)
			r.pos++
		default:
			var err error
			if out, err = r.escape(out); err != nil {
				return nil, err
			}
		}
	}
	return nil, r.syntax("string without an end")
}

// escape appends the character of the escape at the current position.
func (r *Reader) escape(out []byte) ([]byte, error) {
	d := r.data
	if r.pos+1 >= len(d) {
		return nil, r.syntax("string without an end")
	}
	var c byte
	switch d[r.pos+1] {
	case '"', '\\', '/':
		c = d[r.pos+1]
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		char, ok := hex4(d[r.pos+2:])
		if !ok {
			return nil, r.syntax("malformed escape")
		}
		r.pos += 6
		if utf16.IsSurrogate(char) {
			// A lone surrogate is not a character; what it would turn into differs
			// from reader to reader.
			low, ok := rune(0), false
			if r.pos+1 < len(d) && d[r.pos] == '\\' && d[r.pos+1] == 'u' {
				low, ok = hex4(d[r.pos+2:])
			}
			if char = utf16.DecodeRune(char, low); !ok || char == utf8.RuneError {
				return nil, r.syntax("lone surrogate")
			}
			r.pos += 6
		}
		return utf8.AppendRune(out, char), nil
	default:
		return nil, r.syntax("malformed escape")
	}
	r.pos += 2
	return append(out, c), nil
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var n rune
	for _, c := range b[:4] {
		n <<= 4
		switch {
		case c >= '0' && c <= '9':
			n |= rune(c - '0')
		case c >= 'a' && c <= 'f':
			n |= rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			n |= rune(c-'A') + 10
		default:
			return 0, false
		}
	}
	return n, true
}
