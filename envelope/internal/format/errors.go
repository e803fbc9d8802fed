// SPDX-License-Identifier: Apache-2.0

package format

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformed means that bytes are not of this format.
	ErrMalformed = errors.New("malformed")
	// ErrInvalid means that the format cannot hold a value.
	ErrInvalid = errors.New("invalid value")
	// ErrEmptyKey means that a map has an empty key, which not every official library
	// reads. It also matches ErrInvalid.
	ErrEmptyKey = fmt.Errorf("%w: map with an empty key, which not every official library reads; name the key",
		ErrInvalid)
	// ErrVersion means that a header has an unknown version or flavor.
	ErrVersion = errors.New("unknown version of the item format")
)

func malformed(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{ErrMalformed}, args...)...)
}

func invalid(text string, args ...any) error {
	return fmt.Errorf("%w: "+text, append([]any{ErrInvalid}, args...)...)
}

func fmtVersion(what string, v byte) error {
	return fmt.Errorf("%w: %s %#02x", ErrVersion, what, v)
}

// TooLong is an error of class [ErrInvalid] for a value that a length field of
// the encryption context cannot express.
func TooLong(limit int) error {
	return invalid("part of the encryption context over %d bytes", limit)
}
