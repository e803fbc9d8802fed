// SPDX-License-Identifier: Apache-2.0

package ddbnumber

import (
	"errors"
	"strconv"
)

// Normalize returns the plain form of a number: no exponent, no "+", no leading
// or trailing zeros, "0" for every zero. Numbers are equal exactly when their
// normalized texts are.
//
// Accepted are ASCII texts of the form
// [+-]?(digits[.digits?] | .digits)([eE][+-]?digits)? without spaces. The
// errors are ErrSyntax, ErrOverflow, ErrUnderflow (both match ErrRange) and
// ErrPrecision, looked for in this order. A text that is normal already is
// returned as it is, without allocating.
func Normalize(s string) (string, error) {
	if isPlainInteger(s) {
		return s, nil
	}
	var d decimal
	if err := d.parse(s); err != nil {
		return "", err
	}
	var buf [maxText]byte
	out := d.append(buf[:0])
	if string(out) == s {
		return s, nil
	}
	return string(out), nil
}

// isPlainInteger reports whether s is a normal integer of at most 38 digits,
// by far the commonest number.
func isPlainInteger(s string) bool {
	if s == "0" {
		return true
	}
	if s != "" && s[0] == '-' {
		s = s[1:]
	}
	if s == "" || len(s) > MaxDigits || s[0] == '0' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// Validate returns the error with which DynamoDB refuses a number in a request:
// that of [Normalize], and two more. An exponent outside of 64 bits is ErrSyntax,
// and zero is ErrOverflow or ErrUnderflow by the exponent that it is written with,
// which Normalize allows, as the item format does.
//
// (?) Of a zero with a fraction, such as 0.0e126, only the exponent counts. That is
// an inference.
func Validate(s string) error {
	if isPlainInteger(s) {
		return nil
	}
	var d decimal
	err := d.parse(s)
	if d.mantissa == len(s) || errors.Is(err, ErrSyntax) {
		return err
	}
	exponent, tooLong := strconv.ParseInt(s[d.mantissa+1:], 10, 64)
	switch {
	case tooLong != nil:
		return ErrSyntax
	case err != nil || d.n > 0:
		return err
	case exponent > MaxExponent:
		return ErrOverflow
	case exponent < MinExponent:
		return ErrUnderflow
	}
	return nil
}

// Compare returns -1, 0 or 1 as a is smaller than, equal to or larger than b.
// Both must be valid numbers, in any spelling; a text that is none counts as
// zero.
func Compare(a, b string) int {
	if a == b {
		return 0
	}
	if isPlainInteger(a) && isPlainInteger(b) && a[0] != '-' && b[0] != '-' {
		if len(a) != len(b) {
			if len(a) < len(b) {
				return -1
			}
			return 1
		}
		if a < b {
			return -1
		}
		return 1
	}
	var x, y decimal
	if x.parse(a) != nil {
		x = decimal{}
	}
	if y.parse(b) != nil {
		y = decimal{}
	}
	return x.cmp(&y)
}

// Size returns the bytes that DynamoDB counts for a valid number: one, one for
// every two digits before the point and every two behind it, and one for a minus
// sign. Zeros outside of the first and last other digit do not count. The
// documentation says "two significant digits" without the point; the service
// counts both sides apart. A text that is not a valid number counts as zero.
func Size(s string) int {
	var d decimal
	if d.parse(s) != nil || d.n == 0 {
		return 1
	}
	whole := min(max(d.exp+1, 0), d.n)
	size := 1 + (whole+1)/2 + (d.n-whole+1)/2
	if d.neg {
		size++
	}
	return size
}
