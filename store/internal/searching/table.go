// SPDX-License-Identifier: Apache-2.0

package searching

import (
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
)

// Item is a DynamoDB item.
type Item = envelope.Item

// Table is a table whose items have beacons. It is safe for concurrent use.
type Table struct {
	encryptor *envelope.ItemEncryptor
	beacons   *beacon.Search
	rewriter  *search.Rewriter
	// over has the beacons that items store, by what they are made of.
	over map[string]*beacon.StandardBeacon
}

// New returns the table of an encryptor, nil if its items have no beacons.
func New(e *envelope.ItemEncryptor) *Table {
	if e == nil || e.Search() == nil {
		return nil
	}
	var signed []string
	for name, action := range e.Actions() {
		if action.Signed() {
			signed = append(signed, name)
		}
	}
	over := map[string]*beacon.StandardBeacon{}
	for _, b := range e.Search().Standard() {
		if b.Style() != beacon.PartOnly {
			over[b.Location()] = b
		}
	}
	return &Table{e, e.Search(), search.New(e.Search(), signed), over}
}

// Hides reports whether a name in an expression stands for a beacon or for the
// value of an encrypted attribute, which a search rewrites or refuses.
func (t *Table) Hides(name string) bool {
	if t == nil {
		return false
	}
	n := t.beacons.Lookup(name)
	return n.Standard != nil || n.Compound != nil && !n.Compound.Signed() || n.Protection == beacon.Encrypted ||
		name == t.beacons.KeyField() && (n.Protection == beacon.Unsigned || n.Protection == beacon.Unknown)
}

// Key is an index key that is a beacon.
type Key struct {
	// Name is what expressions say, Attribute what items store.
	Name, Attribute string
	// Of is the attribute whose value the beacon is made of, "" if the beacon is
	// made of another text or a part of an attribute.
	Of string
	// Text reports that values of the key are strings.
	Text bool
}

// Key returns the beacon that an index key stands for: by the name of the
// beacon, of the attribute or virtual field that it is made of, or of the
// attribute that stores it. ok is false if there is none. The error is the
// reason why the beacon cannot be a key.
func (t *Table) Key(name string) (k Key, ok bool, err error) {
	if t == nil {
		return Key{}, false, nil
	}
	found, stored := t.beacons.ByAttribute(name)
	if !stored {
		found = t.beacons.Lookup(name)
	}
	if found.Standard == nil && found.Compound == nil {
		found.Standard = t.over[name]
	}
	switch b := found.Standard; {
	case found.Compound != nil:
		return Key{Name: found.Compound.Name(), Attribute: found.Compound.Attribute(), Text: true}, true, nil
	case b == nil:
		return Key{}, false, nil
	case b.Style() == beacon.PartOnly:
		return Key{}, true, fmt.Errorf("beacon %q has style %v, so that items do not store it: use a compound beacon",
			b.Name(), b.Style())
	case b.Style() == beacon.AsSet || b.Style() == beacon.SharedSet:
		return Key{}, true, fmt.Errorf("beacon %q has style %v, and a set is not a key: use it in a filter", b.Name(),
			b.Style())
	default:
		k := Key{Name: b.Name(), Attribute: b.Attribute()}
		if of := b.Attributes(); len(of) == 1 && of[0] == b.Location() {
			k.Of = of[0]
		} else {
			k.Text = !strings.ContainsAny(b.Location(), ".[") // a virtual field
		}
		return k, true, nil
	}
}

// Stored returns the kind of beacon under the name of a stored attribute, "" if
// the table has none there.
func (t *Table) Stored(attribute string) string {
	n, has := t.beacons.ByAttribute(attribute)
	switch {
	case !has:
		return ""
	case n.Standard != nil && (n.Standard.Style() == beacon.AsSet || n.Standard.Style() == beacon.SharedSet):
		return "SS"
	}
	return "S"
}
