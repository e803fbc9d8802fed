// SPDX-License-Identifier: Apache-2.0

package beacon

import "fmt"

// Schema is what the configuration of a table's items says of attributes.
type Schema struct {
	// Table is the logical table name.
	Table string
	// Protection returns the protection of an attribute: its configured one,
	// Unsigned for every name that may be unsigned, and Unknown for any other.
	Protection func(attribute string) Protection
}

// Protection is what happens to an attribute.
type Protection uint8

const (
	// Unknown is the protection of an attribute that is not configured.
	Unknown Protection = iota
	// Encrypted attributes are encrypted and signed.
	Encrypted
	// Signed attributes are in the clear and signed.
	Signed
	// Included attributes are in the clear, signed, and in the encryption
	// context.
	Included
	// Unsigned attributes are not protected.
	Unsigned
)

// String returns a word such as "encrypted".
func (p Protection) String() string {
	switch p {
	case Unknown:
		return "unknown"
	case Encrypted:
		return "encrypted"
	case Signed:
		return "signed"
	case Included:
		return "included"
	case Unsigned:
		return "unsigned"
	}
	return fmt.Sprintf("Protection(%d)", uint8(p))
}

// readable reports whether the attribute is signed and in the clear.
func (p Protection) readable() bool { return p == Signed || p == Included }
