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

// collect gathers the signed attributes of an item in canonical order into
// w.entries. It reports how many attributes of the item have no configured
// action.
func (e *ItemEncryptor) collect(w *work, item Item) (unknown int) {
	known := 0
	if len(e.ordered) > 4*len(item)+16 {
		// A small item of a wide configuration.
		for name, v := range item {
			if f, has := e.fields[name]; has {
				known++
				if f.action != DoNothing {
					w.entries = append(w.entries, entry{field: f, value: v, action: f.action})
				}
			}
		}
		w.sortEntries()
		return len(item) - known
	}
	for _, f := range e.ordered {
		v, has := item[f.name]
		if !has {
			continue
		}
		known++
		if f.action != DoNothing {
			w.entries = append(w.entries, entry{field: f, value: v, action: f.action})
		}
	}
	return len(item) - known
}

func (w *work) sortEntries() {
	slices.SortFunc(w.entries, func(a, b entry) int { return format.ComparePaths(a.name, b.name) })
}

// collectForWriting refuses attributes that have no action and may not be
// unsigned either.
func (e *ItemEncryptor) collectForWriting(w *work, item Item) error {
	if e.collect(w, item) == 0 {
		return nil
	}
	refused := ""
	for name := range item {
		if _, known := e.fields[name]; known || e.AllowedUnsigned(name) {
			continue
		}
		if refused == "" || name < refused { // the same one every time
			refused = name
		}
		if name == "" {
			return invalidItem("attribute with an empty name")
		}
	}
	switch {
	case refused == "":
		return nil
	case refused == HeaderAttribute || refused == FooterAttribute:
		return at(refused, invalidItem("the item is encrypted already"))
	case strings.HasPrefix(refused, ReservedPrefix):
		return at(refused, invalidItem("names that begin with %q are reserved", ReservedPrefix))
	}
	return at(refused, invalidItem("no action is configured for the attribute; add it to Actions"))
}

// collectForReading adds attributes without a configured action as signed
// ones, since whoever wrote them may know more attributes, and leaves out those
// of the format itself. It reports whether the item has any of the latter
// besides header and footer.
func (e *ItemEncryptor) collectForReading(w *work, item Item) (beacons bool, err error) {
	if e.collect(w, item) == 2 { // header and footer
		return false, nil
	}
	added := false
	for name, v := range item {
		if _, known := e.fields[name]; known {
			continue
		}
		switch {
		case name == HeaderAttribute || name == FooterAttribute:
		case strings.HasPrefix(name, beaconPrefix), strings.HasPrefix(name, virtualBeaconPrefix):
			beacons = true
		case strings.HasPrefix(name, ReservedPrefix):
			return false, at(name, reservedName)
		case e.AllowedUnsigned(name):
		case name == "" || !utf8.ValidString(name):
			return false, at(name, tampered("attribute name is empty or not UTF-8"))
		default:
			w.entries = append(w.entries, entry{field: newField(e.table, name, SignOnly), value: v})
			added = true
		}
	}
	if added {
		w.sortEntries()
	}
	return beacons, nil
}

// dropBeacons removes what official clients store for searching.
func dropBeacons(item Item) {
	for name := range item {
		if strings.HasPrefix(name, beaconPrefix) || strings.HasPrefix(name, virtualBeaconPrefix) {
			delete(item, name)
		}
	}
}
