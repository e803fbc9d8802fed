// SPDX-License-Identifier: Apache-2.0

package inspection

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/screen"
	"github.com/ddbseal/ddbseal/envelope"
)

// Table lays the item out for reading, within width columns: what each attribute
// is, then the keys that open the item, then the encryption context. With bytes set
// the fields of the header and of the footer follow. The lines are escaped.
func (i Item) Table(width int, bytes bool) []string {
	if i.message == nil {
		lines := []string{"Format: " + legacyFormat}
		var rows [][]string
		for _, name := range slices.Sorted(maps.Keys(i.legacy)) {
			rows = append(rows, []string{name, i.legacy[name]})
		}
		return append(lines, grid(width, []string{"MATERIAL DESCRIPTION", "VALUE"}, rows)...)
	}
	m := i.message
	lines := screen.Wrap(fmt.Sprintf("Format version %d, suite %v. Nothing here is verified.", m.Version, m.Suite),
		width)
	var rows [][]string
	for k := range m.Attributes {
		a := &m.Attributes[k]
		rows = append(rows, []string{a.Name, what(a), a.Type, strconv.Itoa(a.Length)})
	}
	lines = append(lines, grid(width, []string{"ATTRIBUTE", "WHAT IT IS", "TYPE", "BYTES"}, rows)...)
	rows = nil
	for k := range m.EncryptedDataKeys {
		key := &m.EncryptedDataKeys[k]
		rows = append(rows, []string{key.ProviderID, printable(key.ProviderInfo), strconv.Itoa(len(key.Ciphertext))})
	}
	lines = append(lines, grid(width, []string{"OPENS WITH", "KEY", "BYTES"}, rows)...)
	if len(m.StoredContext) > 0 {
		rows = nil
		for _, name := range slices.Sorted(maps.Keys(m.StoredContext)) {
			rows = append(rows, []string{name, m.StoredContext[name]})
		}
		lines = append(lines, grid(width, []string{"STORED CONTEXT", "VALUE"}, rows)...)
	}
	if bytes {
		lines = append(lines, fields(width, "HEADER", m.Header)...)
		lines = append(lines, fields(width, "FOOTER", m.Footer)...)
	}
	return lines
}

// what says what was done with an attribute.
func what(a *envelope.InspectedAttribute) string {
	switch {
	case a.Beacon:
		return "beacon, by which searches find the item; not signed"
	case a.Action == envelope.EncryptAndSign:
		return "encrypted and signed"
	case a.Action == envelope.SignOnly:
		return "signed, in the clear"
	case a.Action == envelope.SignAndIncludeInEncryptionContext:
		return "signed, in the clear, in the encryption context"
	case a.Action == envelope.DoNothing:
		return "not signed, in the clear"
	}
	return "unknown: the item does not say which of its attributes are not signed"
}

func fields(width int, title string, all []envelope.Field) []string {
	var rows [][]string
	for _, f := range all {
		rows = append(rows, []string{strconv.Itoa(f.Offset), strconv.Itoa(f.Length), f.Name, f.Value, f.Meaning})
	}
	return grid(width, []string{title, "BYTES", "FIELD", "VALUE", "MEANING"}, rows)
}

// grid lays out a table below an empty line.
func grid(width int, header []string, rows [][]string) []string {
	lines := []string{""}
	for _, row := range screen.Grid(header, rows, width, nil) {
		lines = append(lines, row...)
	}
	return lines
}

// printable returns text as it is and anything else in hexadecimal.
func printable(b []byte) string {
	for _, x := range b {
		if x < ' ' || x > '~' {
			return hex.EncodeToString(b)
		}
	}
	return string(b)
}
