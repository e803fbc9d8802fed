// SPDX-License-Identifier: Apache-2.0

// Package action merges the actions of the types whose items share a table.
package action

import (
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/envelope"
)

// Merge adds to the actions of a type, by attribute name, those of other types.
// Whether the keys are in the encryption context follows from the other
// attributes: the format demands it when any of them is. It fails with
// envelope.ErrConfiguration if an attribute has two actions.
func Merge(own, others map[string]envelope.Action, keys []string, typeName string) error {
	for name, action := range others {
		has, is := own[name]
		switch {
		case !is:
			own[name] = action
		case action == envelope.SignAndIncludeInEncryptionContext && slices.Contains(keys, name):
		case has != action:
			return fmt.Errorf("%w: attribute %q is %v in %s and %v in OtherActions: an attribute has one action per "+
				"table", envelope.ErrConfiguration, name, has, typeName, action)
		}
	}
	for _, action := range own {
		if action == envelope.SignAndIncludeInEncryptionContext {
			for _, name := range keys {
				own[name] = action
			}
			break
		}
	}
	return nil
}
