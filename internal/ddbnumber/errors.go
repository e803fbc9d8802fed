// SPDX-License-Identifier: Apache-2.0

package ddbnumber

import "errors"

// The reasons for which a number is refused. None of them carries the refused
// text, since that may be a secret; [Message] adds it where DynamoDB does.
var (
	// ErrSyntax means that the text is not a decimal number.
	ErrSyntax = errors.New("not a decimal number")
	// ErrPrecision means that a number has more than [MaxDigits] significant digits.
	ErrPrecision = errors.New("number has more than 38 significant digits")
	// ErrRange means that the magnitude cannot be stored. [ErrOverflow] and
	// [ErrUnderflow] both match it by errors.Is.
	ErrRange = errors.New("number is outside of the supported range")
	// ErrOverflow means that the magnitude is 1e126 or larger.
	ErrOverflow error = &rangeError{"number overflow: magnitude is 1e126 or larger"}
	// ErrUnderflow means that the magnitude is not zero and smaller than 1e-130.
	ErrUnderflow error = &rangeError{"number underflow: magnitude is smaller than 1e-130"}
)

type rangeError struct{ text string }

func (e *rangeError) Error() string { return e.text }
func (e *rangeError) Unwrap() error { return ErrRange }

// Message returns the text with which DynamoDB itself refuses the number s, for
// an err that came from this package, and "" for any other error. It repeats s
// where DynamoDB does, so it belongs into answers to the caller who sent s, not
// into logs.
func Message(err error, s string) string {
	switch {
	case errors.Is(err, ErrSyntax):
		return "The parameter cannot be converted to a numeric value: " + s
	case errors.Is(err, ErrPrecision):
		return "Attempting to store more than 38 significant digits in a Number"
	case errors.Is(err, ErrOverflow):
		return "Number overflow. Attempting to store a number with magnitude larger than supported range"
	case errors.Is(err, ErrUnderflow):
		return "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	}
	return ""
}
