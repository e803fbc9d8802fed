// SPDX-License-Identifier: Apache-2.0

package leastprivilege

import "fmt"

// Purpose is what a principal does with a table. The zero Purpose is invalid.
type Purpose uint8

const (
	// Reader reads items in plaintext.
	Reader Purpose = iota + 1
	// Writer writes and deletes items.
	Writer
	// Migrator moves items from one state of encryption to another.
	Migrator
	// KeyStoreAdmin creates, rotates, lists and destroys branch keys.
	KeyStoreAdmin
)

// Purposes returns all purposes in the order of their constants.
func Purposes() []Purpose { return []Purpose{Reader, Writer, Migrator, KeyStoreAdmin} }

var purposeNames = [...]string{Reader: "reader", Writer: "writer", Migrator: "migrator",
	KeyStoreAdmin: "keystore-admin"}

// String returns the name of the purpose, such as "keystore-admin".
func (p Purpose) String() string {
	if p < Reader || p > KeyStoreAdmin {
		return "invalid purpose"
	}
	return purposeNames[p]
}

// MarshalText returns the purpose's name as String does.
func (p Purpose) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText sets p to the purpose with a name, and returns an error for any
// other text.
func (p *Purpose) UnmarshalText(text []byte) error {
	for i := Reader; i <= KeyStoreAdmin; i++ {
		if purposeNames[i] == string(text) {
			*p = i
			return nil
		}
	}
	return fmt.Errorf("%.20q is not a purpose: choose among %v", text, Purposes())
}
