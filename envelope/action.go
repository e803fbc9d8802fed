// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"fmt"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

// Action says what happens to an attribute. The zero value is invalid, so that
// a forgotten action is an error and not a plaintext attribute.
// (Specification: [structures], "Crypto Action".)
//
// [structures]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/structures.md#crypto-action
type Action uint8

const (
	// EncryptAndSign encrypts the value and signs it.
	EncryptAndSign Action = iota + 1
	// SignOnly leaves the value readable and signs it: a change is noticed.
	SignOnly
	// SignAndIncludeInEncryptionContext signs the value and makes it part of
	// the encryption context, which the key service sees and writes to its
	// audit log. One attribute with it makes items of header version 2, in
	// which the keys need it too.
	SignAndIncludeInEncryptionContext
	// DoNothing leaves the value readable and unsigned: anybody who may write
	// to the table can change it unnoticed. Such attributes must also be named
	// in Config.AllowedUnsigned or begin with Config.AllowedUnsignedPrefix.
	DoNothing
)

// String returns the official name, such as ENCRYPT_AND_SIGN.
func (a Action) String() string {
	switch a {
	case EncryptAndSign:
		return "ENCRYPT_AND_SIGN"
	case SignOnly:
		return "SIGN_ONLY"
	case SignAndIncludeInEncryptionContext:
		return "SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT"
	case DoNothing:
		return "DO_NOTHING"
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// ParseAction reads an official name. Anything else fails with
// [ErrConfiguration].
func ParseAction(name string) (Action, error) {
	for a := EncryptAndSign; a <= DoNothing; a++ {
		if a.String() == name {
			return a, nil
		}
	}
	return 0, fmt.Errorf("%w: unknown attribute action %.60q: one of %s", ErrConfiguration, name,
		names(EncryptAndSign, SignOnly, SignAndIncludeInEncryptionContext, DoNothing))
}

// MarshalText writes the official name; an invalid action fails with
// [ErrConfiguration].
func (a Action) MarshalText() ([]byte, error) {
	if !a.valid() {
		return nil, fmt.Errorf("%w: %v", ErrConfiguration, a)
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads an official name as [ParseAction] does.
func (a *Action) UnmarshalText(text []byte) error {
	v, err := ParseAction(string(text))
	if err == nil {
		*a = v
	}
	return err
}

// Signed reports whether the signatures cover attributes of this action.
func (a Action) Signed() bool { return a.valid() && a != DoNothing }

func (a Action) valid() bool { return a >= EncryptAndSign && a <= DoNothing }

// legend returns the header's letter for a signed action.
func (a Action) legend() byte {
	switch a {
	case EncryptAndSign:
		return format.LegendEncrypt
	case SignAndIncludeInEncryptionContext:
		return format.LegendContext
	}
	return format.LegendSign
}

// legendAction is the reverse of legend.
func legendAction(letter byte) Action {
	switch letter {
	case format.LegendEncrypt:
		return EncryptAndSign
	case format.LegendContext:
		return SignAndIncludeInEncryptionContext
	}
	return SignOnly
}
