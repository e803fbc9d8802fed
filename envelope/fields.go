package envelope

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
// signed ones in canonical order into w.entries, the others into w.unsigned. It
// returns the number of attributes that have none.
func (e *ItemEncryptor) collect(w *work, item Item) (unknown int) {
	if len(e.ordered) > 4*len(item)+16 {
		// A small item of a wide configuration.
		for name, v := range item {
			if f, has := e.fields[name]; has {
				w.add(f, v)
			}
		}
		w.sortEntries()
	} else {
		for _, f := range e.ordered {
			if v, has := item[f.name]; has {
				w.add(f, v)
			}
		}
	}
	return len(item) - len(w.entries) - len(w.unsigned)
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
	slices.SortFunc(w.entries, func(a, b entry) int { return format.ComparePaths(a.name, b.name) })
}

// collectForWriting gathers the attributes of an item to be written and returns
// the header version that their actions need. It refuses an attribute that has
// neither a configured action nor one in taken and may not be unsigned either.
func (e *ItemEncryptor) collectForWriting(w *work, item Item, taken map[string]Action) (version byte, err error) {
	if e.collect(w, item) == 0 {
		return e.version, nil
	}
	version = e.version
	refused, any, added := "", false, false
	for name, v := range item {
		if _, known := e.fields[name]; known {
			continue
		}
		if e.AllowedUnsigned(name) {
			w.addUnsigned(name, v)
			continue
		}
		if action, has := taken[name]; has && takeable(name, action) {
			w.add(newField(e.table, name, action), v)
			added = true
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
		return 0, refuse(refused, taken)
	}
	if added {
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
	return action.Signed() && name != "" && utf8.ValidString(name) && !reserved(name)
}

// reserved reports whether a name belongs to the format.
func reserved(name string) bool {
	return strings.HasPrefix(name, ReservedPrefix) || strings.HasPrefix(name, materials.ReservedContextPrefix)
}

// refuse says why an attribute cannot be written.
func refuse(name string, taken map[string]Action) error {
	action, has := taken[name]
	switch {
	case name == "":
		return invalidItem("attribute with an empty name")
	case name == HeaderAttribute || name == FooterAttribute:
		return at(name, invalidItem("the item is encrypted already"))
	case strings.HasPrefix(name, ReservedPrefix):
		return at(name, invalidItem("names that begin with %q are reserved", ReservedPrefix))
	case reserved(name):
		return at(name, invalidItem("names that begin with %q are reserved", materials.ReservedContextPrefix))
	case !has:
		return at(name, invalidItem("no action is configured for the attribute; add it to Actions"))
	case !action.Signed():
		return at(name, invalidItem("the given action is %v; without a configured action an attribute must be signed", action))
	}
	return at(name, invalidItem("attribute name is not UTF-8"))
}

// includeKeys puts the keys into the encryption context, where items of header
// version 2 need them.
func (e *ItemEncryptor) includeKeys(entries []entry) {
	for _, k := range e.keyFields {
		find(entries, k.name).action = SignAndIncludeInEncryptionContext
	}
}

// collectForReading adds attributes without a configured action as signed
// ones, since whoever wrote them may know more attributes, and leaves out those
// of the format itself: header, footer, and what official clients store for
// searching.
func (e *ItemEncryptor) collectForReading(w *work, item Item) error {
	if e.collect(w, item) == 2 { // header and footer
		return nil
	}
	added := false
	for name, v := range item {
		if _, known := e.fields[name]; known {
			continue
		}
		switch {
		case name == HeaderAttribute || name == FooterAttribute:
		case strings.HasPrefix(name, beaconPrefix), strings.HasPrefix(name, virtualBeaconPrefix):
		case strings.HasPrefix(name, ReservedPrefix):
			return at(name, errReservedName)
		case e.AllowedUnsigned(name):
			w.addUnsigned(name, v)
		case name == "" || !utf8.ValidString(name):
			return at(name, tampered("attribute name is empty or not UTF-8"))
		default:
			w.entries = append(w.entries, entry{field: newField(e.table, name, SignOnly), value: v})
			added = true
		}
	}
	if added {
		w.sortEntries()
	}
	return nil
}
