// SPDX-License-Identifier: Apache-2.0

// Package projection tells which attributes of an encrypted item must be read to
// verify it, and whether a stored item came without some of them.
package projection

import (
	"errors"
	"slices"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
)

// Verified returns the names of the attributes that verification needs. In
// server-side mode, for which e is nil, they show an item that was encrypted on
// the client. all reports that any attribute can be one of them, since items of
// the older client are read whose signed attributes are not known by name.
func Verified(e *envelope.ItemEncryptor) (names []string, all bool) {
	names = []string{envelope.HeaderAttribute, envelope.FooterAttribute, envelope.LegacySignatureAttribute}
	if e == nil {
		return names, false
	}
	for n, action := range e.Actions() {
		if action.Signed() {
			names = append(names, n)
		}
	}
	old := e.LegacyDecryptor()
	if old == nil {
		return names, false
	}
	names = append(names, envelope.LegacyDescriptionAttribute)
	for n, action := range old.Actions() {
		if action.Signed() {
			names = append(names, n)
		}
	}
	return names, old.DefaultAction() != 0
}

// maxKeys is how many key attributes a table, with up to two, and an index, with
// up to eight, have together.
const maxKeys = 10

// Kind tells from a stored item the kind of projection that it came by. index has
// the keys of the index, nil if they are not known, and table those of the table.
func Kind(stored envelope.Item, table, index []string) string {
	bare := stored[envelope.HeaderAttribute] == nil && stored[envelope.FooterAttribute] == nil
	for n := range stored {
		if !slices.Contains(table, n) && !slices.Contains(index, n) {
			if index == nil && bare && len(stored) <= maxKeys {
				return "KEYS_ONLY or INCLUDE" // a scan does not know the index's keys
			}
			return "INCLUDE"
		}
	}
	return "KEYS_ONLY"
}

// Incomplete reports whether a stored item came without header, footer or one of
// the attributes that its header counts.
func Incomplete(e *envelope.ItemEncryptor, stored envelope.Item) bool {
	if envelope.IsLegacy(stored) { // it counts no attributes
		return stored[envelope.LegacySignatureAttribute] == nil || stored[envelope.LegacyDescriptionAttribute] == nil
	}
	if stored[envelope.HeaderAttribute] == nil || stored[envelope.FooterAttribute] == nil {
		return true
	}
	m, err := e.Inspect(stored)
	if err != nil {
		return !errors.Is(err, envelope.ErrUnsupported)
	}
	signed := 0
	for n := range stored {
		if n != envelope.HeaderAttribute && n != envelope.FooterAttribute && !e.AllowedUnsigned(n) &&
			!beacon.Stored(n) {
			signed++
		}
	}
	return signed < len(m.Legend)
}
