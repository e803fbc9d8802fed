// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// Transform changes a string on its way into a virtual field. Positions and
// lengths count UTF-16 units, as the official libraries do. The zero value is
// invalid. (Specification: [virtual], "Virtual Transform Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#virtual-transform-initialization
type Transform struct {
	op        transformOp
	literal   string
	split     rune
	low, high int
	units     []uint16 // of literal
}

type transformOp uint8

const (
	opInvalid transformOp = iota
	opUpper
	opLower
	opInsert
	opPrefix
	opSuffix
	opSubstring
	opSegment
	opSegments
)

// Upper converts ASCII letters to upper case. Other letters stay as they are.
// (Specification: [virtual], "Upper Transform Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#upper-transform-initialization
func Upper() Transform { return Transform{op: opUpper} }

// Lower converts ASCII letters to lower case. Other letters stay as they are.
// (Specification: [virtual], "Lower Transform Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#lower-transform-initialization
func Lower() Transform { return Transform{op: opLower} }

// Insert appends a literal.
// (Specification: [virtual], "Insert Transform Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#insert-transform-initialization
func Insert(literal string) Transform { return Transform{op: opInsert, literal: literal} }

// Prefix keeps the first n units, or all but the last -n if n is negative.
// (Specification: [virtual], "GetPrefix Transform Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#getprefix-transform-initialization
func Prefix(n int) Transform { return Transform{op: opPrefix, low: n} }

// Suffix keeps the last n units, or all but the first -n if n is negative.
// (Specification: [virtual], "GetSuffix Transform Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#getsuffix-transform-initialization
func Suffix(n int) Transform { return Transform{op: opSuffix, low: n} }

// Substring keeps the units from low up to high, high excluded. A negative
// position counts from the end. A position beyond the last unit means the last
// unit, so high cannot reach past it: Substring(0, 999) of "12345" is "1234".
// (Specification: [virtual], "GetSubstring Transform Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#getsubstring-transform-initialization
func Substring(low, high int) Transform { return Transform{op: opSubstring, low: low, high: high} }

// Segment splits the string and keeps the segment of this index; a negative
// index counts from the end. Without that segment the result is "".
// (Specification: [virtual], "GetSegment Transform Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#getsegment-transform-initialization
func Segment(split rune, index int) Transform {
	return Transform{op: opSegment, split: split, low: index}
}

// Segments splits the string and keeps the segments from low up to high, high
// excluded, with the characters between them. Positions are as in
// [Substring], so Segments('-', 0, 99) of "a-b-c" is "a-b".
// (Specification: [virtual], "GetSegments Transform Initialization".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#getsegments-transform-initialization
func Segments(split rune, low, high int) Transform {
	return Transform{op: opSegments, split: split, low: low, high: high}
}

// maxLiteral is the longest literal of Insert, in bytes.
const maxLiteral = math.MaxUint16

// compile checks a transform and fills in what its evaluation needs.
func (t Transform) compile() (Transform, error) {
	switch t.op {
	case opUpper, opLower:
		return t, nil
	case opInsert:
		if !utf8.ValidString(t.literal) || t.literal == "" || len(t.literal) > maxLiteral {
			return t, fmt.Errorf("the literal of Insert is not 1 to %d bytes of UTF-8", maxLiteral)
		}
		t.units = utf16.Encode([]rune(t.literal))
		return t, nil
	case opSegment, opSegments:
		if err := checkSplit(t.split); err != nil {
			return t, err
		}
	case opPrefix, opSuffix, opSubstring:
	default:
		return t, errors.New("a transform is the zero value")
	}
	for _, n := range []int{t.low, t.high} {
		if n < -math.MaxInt32 || n > math.MaxInt32 { // the official libraries have 32 bits
			return t, fmt.Errorf("the position %d is not a 32-bit number", n)
		}
	}
	return t, nil
}

// checkSplit refuses a split character that is not one UTF-16 unit.
func checkSplit(split rune) error {
	if split <= 0 || split > math.MaxUint16 || utf16.IsSurrogate(split) {
		return errors.New("the split character is not one UTF-16 unit")
	}
	return nil
}

// ascii reports whether the transform keeps ASCII text ASCII.
func (t *Transform) ascii() bool { return isASCII(t.literal) }

// unit is what texts are transformed as: bytes if they are ASCII, which are
// then the UTF-16 units, else UTF-16 units.
type unit interface{ byte | uint16 }

// apply transforms text, in place where it can.
func apply[U unit](t *Transform, text []U) []U {
	switch t.op {
	case opUpper:
		for i, u := range text {
			if u >= 'a' && u <= 'z' {
				text[i] = u - 'a' + 'A'
			}
		}
	case opLower:
		for i, u := range text {
			if u >= 'A' && u <= 'Z' {
				text[i] = u - 'A' + 'a'
			}
		}
	case opInsert:
		for _, u := range t.units {
			text = append(text, U(u))
		}
	case opPrefix:
		if t.low >= 0 {
			return text[:min(t.low, len(text))]
		}
		return text[:len(text)-min(-t.low, len(text))]
	case opSuffix:
		if t.low >= 0 {
			return text[len(text)-min(t.low, len(text)):]
		}
		return text[min(-t.low, len(text)):]
	case opSubstring:
		low, high := position(t.low, len(text)), position(t.high, len(text))
		return text[low:max(low, high)]
	case opSegment:
		return segment(t, text)
	case opSegments:
		return segments(t, text)
	}
	return text
}

// position is the index that a configured position means in a list of n
// elements: never beyond the last one. (Specification: [virtual], "Position
// Definition".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#position-definition
func position(p, n int) int {
	switch {
	case n == 0:
		return 0
	case p >= 0:
		return min(p, n-1)
	}
	return max(n+p, 0)
}

func segment[U unit](t *Transform, text []U) []U {
	n := countSegments(text, t.split)
	if t.low >= n || -t.low > n {
		return text[:0]
	}
	i := position(t.low, n)
	return cutSegments(text, t.split, i, i+1)
}

func segments[U unit](t *Transform, text []U) []U {
	n := countSegments(text, t.split)
	low, high := position(t.low, n), position(t.high, n)
	if low >= high {
		return text[:0]
	}
	return cutSegments(text, t.split, low, high)
}

// countSegments is one more than the number of split characters.
func countSegments[U unit](text []U, split rune) int {
	n := 1
	for _, u := range text {
		if rune(u) == split {
			n++
		}
	}
	return n
}

// cutSegments returns the segments from low up to high, which lie side by side.
func cutSegments[U unit](text []U, split rune, low, high int) []U {
	begin, seen := 0, 0
	for i, u := range text {
		if rune(u) != split {
			continue
		}
		if seen++; seen == low {
			begin = i + 1
		} else if seen == high {
			return text[begin:i]
		}
	}
	return text[begin:]
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// decode returns UTF-16 units as UTF-8. It refuses half of a surrogate pair,
// which has no UTF-8.
func decode(units []uint16) (string, error) {
	out := make([]byte, 0, len(units)+len(units)/2)
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			pair := utf8.RuneError
			if i+1 < len(units) {
				pair = utf16.DecodeRune(r, rune(units[i+1]))
			}
			if pair == utf8.RuneError { // a pair is never this character
				return "", itemError("a transform leaves half of a surrogate pair: it counts UTF-16 units and cut a " +
					"character")
			}
			r = pair
			i++
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out), nil
}

// encode appends text as UTF-16 units.
func encode(dst []uint16, text string) []uint16 {
	dst = slices.Grow(dst, len(text))
	for _, r := range text {
		dst = utf16.AppendRune(dst, r)
	}
	return dst
}
