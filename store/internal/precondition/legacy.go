// SPDX-License-Identifier: Apache-2.0

package precondition

import (
	"slices"

	"github.com/ddbseal/ddbseal/envelope"
)

// Loose returns a function that reports which attributes of a stored item others
// can change without touching its [Seal], whichever of the encryptors opens it.
// Those of an item of the older DynamoDB Encryption Client are its description,
// the attributes that its writer did not sign, and the unsigned names of the
// current configuration. A nil encryptor stands for plaintext.
func Loose(stored envelope.Item, encryptors ...*envelope.ItemEncryptor) func(string) bool {
	old := envelope.IsLegacy(stored)
	return func(name string) bool {
		if old && name == envelope.LegacyDescriptionAttribute {
			return true
		}
		return slices.ContainsFunc(encryptors, func(e *envelope.ItemEncryptor) bool {
			if e == nil {
				return false
			}
			if e.AllowedUnsigned(name) {
				return true
			}
			action, known := e.LegacyAction(name)
			return old && known && action == envelope.DoNothing
		})
	}
}

// LegacyUnsignedNames returns, in order, the names of the attributes that the
// older DynamoDB Encryption Client did not sign in the items that the encryptors
// read. A nil encryptor stands for plaintext.
func LegacyUnsignedNames(encryptors ...*envelope.ItemEncryptor) []string {
	var names []string
	for _, e := range encryptors {
		if e == nil || e.LegacyDecryptor() == nil {
			continue
		}
		for name, action := range e.LegacyDecryptor().Actions() {
			if action == envelope.DoNothing {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
