// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// field is what is known about an attribute before any item is seen.
type field struct {
	name       string
	path       []byte // canonical path
	contextKey string
	action     Action
}

func newField(table, name string, action Action) *field {
	return &field{
		name:       name,
		path:       format.AppendPath(nil, table, name),
		contextKey: materials.ContextAttributePrefix + name,
		action:     action,
	}
}

// entry is a signed attribute of one item.
type entry struct {
	*field
	value  types.AttributeValue
	action Action // on reading, the header's legend decides it
}

// collect gathers the attributes of an item that have a configured action:
// signed ones into w.entries, the others into w.unsigned. It returns the number
// of attributes that have none, and whether w.entries is in canonical order.
func (e *ItemEncryptor) collect(w *work, item Item) (unknown int, ordered bool) {
	if ordered = len(e.ordered) <= 4*len(item)+16; !ordered {
		// A small item of a wide configuration.
		for name, v := range item {
			if f, has := e.fields[name]; has {
				w.add(f, v)
			}
		}
	} else {
		for _, f := range e.ordered {
			if v, has := item[f.name]; has {
				w.add(f, v)
			}
		}
	}
	return len(item) - len(w.entries) - len(w.unsigned), ordered
}

func (w *work) add(f *field, v types.AttributeValue) {
	if f.action == DoNothing {
		w.unsigned = append(w.unsigned, entry{field: f, value: v, action: DoNothing})
		return
	}
	w.entries = append(w.entries, entry{field: f, value: v, action: f.action})
}

// addUnsigned adds an attribute that is allowed unsigned without having an
// action of its own.
func (w *work) addUnsigned(name string, v types.AttributeValue) {
	w.unsigned = append(w.unsigned, entry{field: &field{name: name}, value: v, action: DoNothing})
}

func (w *work) sortEntries() {
	slices.SortFunc(w.entries, func(a, b entry) int { return bytes.Compare(a.path, b.path) })
}

// collectForWriting gathers the attributes of an item to be written and returns
// the header version that their actions need. It refuses an attribute that has
// neither a configured action nor one in taken and may not be unsigned either.
func (e *ItemEncryptor) collectForWriting(w *work, item Item, taken map[string]Action) (version byte, err error) {
	unknown, ordered := e.collect(w, item)
	if version = e.version; unknown == 0 {
		if !ordered {
			w.sortEntries()
		}
		return version, nil
	}
	refused, any := "", false
	for name, v := range item {
		if _, known := e.fields[name]; known {
			continue
		}
		if e.AllowedUnsigned(name) && checkName(name) == nil {
			w.addUnsigned(name, v)
			continue
		}
		if action, has := taken[name]; has && takeable(name, action) {
			w.add(newField(e.table, name, action), v)
			ordered = false
			if action == SignAndIncludeInEncryptionContext {
				version = format.Version2
			}
			continue
		}
		if !any || name < refused { // the same one every time
			refused, any = name, true
		}
	}
	if any {
		return 0, e.refuse(refused, taken)
	}
	if !ordered {
		w.sortEntries()
	}
	if version != e.version {
		e.includeKeys(w.entries)
	}
	return version, nil
}

// takeable reports whether [ItemEncryptor.EncryptItemAs] may write an attribute
// with this action, which no configuration has checked.
func takeable(name string, action Action) bool {
	return action.Signed() && checkName(name) == nil && !reserved(name)
}

// maxName is DynamoDB's limit of an attribute name, in bytes of UTF-8.
const maxName = math.MaxUint16

// checkName refuses a name that DynamoDB does not hold. The error has no class.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("attribute with an empty name")
	case len(name) > maxName:
		return fmt.Errorf("attribute name of %d bytes; DynamoDB holds %d", len(name), maxName)
	case !utf8.ValidString(name):
		return errors.New("attribute name is not UTF-8")
	}
	return nil
}

// reserved reports whether a name belongs to the format.
func reserved(name string) bool {
	return strings.HasPrefix(name, ReservedPrefix) || strings.HasPrefix(name, materials.ReservedContextPrefix)
}

// refuse says why an attribute cannot be written.
func (e *ItemEncryptor) refuse(name string, taken map[string]Action) error {
	action, has := taken[name]
	err := checkName(name)
	switch {
	case err != nil && (has || name == "" || e.AllowedUnsigned(name)):
		return at(name, invalidItem("%w", err))
	case name == HeaderAttribute || name == FooterAttribute:
		return at(name, invalidItem("the item is encrypted already"))
	case strings.HasPrefix(name, ReservedPrefix):
		return at(name, invalidItem("names that begin with %q are reserved", ReservedPrefix))
	case reserved(name):
		return at(name, invalidItem("names that begin with %q are reserved", materials.ReservedContextPrefix))
	case !has:
		return at(name, invalidItem("no action is configured for the attribute; add it to Actions"))
	}
	return at(name, invalidItem("the given action is %v, but an attribute without a configured one must be signed",
		action))
}

// includeKeys puts the keys into the encryption context, where items of header
// version 2 need them.
func (e *ItemEncryptor) includeKeys(entries []entry) {
	for _, k := range e.keyFields {
		find(entries, k.name).action = SignAndIncludeInEncryptionContext
	}
}

// collectForReading gathers the attributes of a stored item and refuses one that
// does not have the given number of signed attributes, before any further work.
// Attributes without a configured action count as signed, because their writer
// may know more attributes. It leaves out the attributes of the format itself: header,
// footer, and what official clients store for searching.
// (Specification: [decrypt-item], "Signature Scope".)
//
// [decrypt-item]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/decrypt-item.md#signature-scope
func (e *ItemEncryptor) collectForReading(w *work, item Item, signed int) error {
	unknown, ordered := e.collect(w, item)
	surplus := 0
	if unknown != 2 { // header and footer
		for name, v := range item {
			if _, known := e.fields[name]; known {
				continue
			}
			switch {
			case name == HeaderAttribute || name == FooterAttribute:
			case beacon.Stored(name):
			case strings.HasPrefix(name, ReservedPrefix):
				return at(name, errReservedName)
			case e.AllowedUnsigned(name):
				w.addUnsigned(name, v)
			case name == "" || !utf8.ValidString(name):
				return at(name, tampered("attribute name is empty or not UTF-8"))
			case len(w.entries) >= signed:
				surplus++ // only counted: a hostile item may have any number
			default:
				w.entries = append(w.entries, entry{field: newField(e.table, name, SignOnly), value: v})
				ordered = false
			}
		}
	}
	if n := len(w.entries) + surplus; n != signed {
		return tampered("%d attributes are signed under this configuration, the header says %d", n, signed)
	}
	if !ordered {
		w.sortEntries()
	}
	return nil
}
