// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/resourcepolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// maxProjected limits the NonKeyAttributes over all indexes of a table.
const maxProjected = 100

// Definition is what is stored of a table, except its items. A definition is
// immutable once a table has it: a change makes a new one with [Definition.Clone]
// and puts it in the place of the old one, so a request may read its definition
// without a lock.
type Definition struct {
	Name, ARN, ID      string
	AccountID, Region  string
	Created            time.Time
	Key                Key
	Local              []*Index
	ActiveAt           time.Time `json:",omitzero"` // CREATING or UPDATING until then
	Creating           bool      `json:",omitempty"`
	Attributes         []Attribute
	Global             []*Index
	OnDemand           bool
	BillingChanged     time.Time `json:",omitzero"` // last switch to on-demand
	Throughput         Throughput
	Warm               Warmth         `json:",omitzero"`
	OnDemandLimit      *OnDemandLimit `json:",omitempty"`
	DeletionProtection bool
	TableClass         string    `json:",omitempty"`
	ClassChanged       time.Time `json:",omitzero"`
	Encryption         Encryption
	TTLAttribute       string    `json:",omitempty"` // empty: disabled
	TTLChanged         time.Time `json:",omitzero"`
	PITR               bool
	PITRSince          time.Time  `json:",omitzero"`
	PITRDays           int64      `json:",omitempty"`
	Tags               []wire.Tag `json:",omitempty"`
	// Policy is the resource-based policy, nil if there is none. PolicyChanged is
	// when it was put or deleted last.
	Policy        *resourcepolicy.Policy `json:",omitempty"`
	PolicyChanged time.Time              `json:",omitzero"`
	Restored      *Restoration           `json:",omitempty"`
	Stream        *Stream                `json:",omitempty"` // nil: never had one
}

// Restoration is what a restored table keeps of where its items come from.
type Restoration struct {
	BackupARN, TableARN string // TableARN is the table of the backup
	At                  time.Time
}

// Restoring reports whether the table is being restored from a backup at now.
func (d *Definition) Restoring(now time.Time) bool {
	return d.Restored != nil && d.Status(now) == "CREATING"
}

// Status returns CREATING, UPDATING or ACTIVE. Whether the table's key can be
// used is not part of its definition.
func (d *Definition) Status(now time.Time) string { return statusOf(d.ActiveAt, d.Creating, now) }

func statusOf(activeAt time.Time, creating bool, now time.Time) string {
	switch {
	case !now.Before(activeAt):
		return "ACTIVE"
	case creating:
		return "CREATING"
	}
	return "UPDATING"
}

// Busy returns a ResourceInUseException if the table is being created or
// updated at now.
func (d *Definition) Busy(now time.Time) error {
	const text = "Attempt to change a resource which is still in use: "
	switch d.Status(now) {
	case "CREATING":
		return refusal.InUse(text+"Table is being created: %s", d.Name)
	case "UPDATING":
		return refusal.InUse(text+"Table: %s is in the process of being updated.", d.Name)
	}
	return nil
}

// Agrees reports whether a request that was checked with d may go on with
// current, a later definition of the same table: the items are sealed under
// the same table key and the indexes are the same.
func (d *Definition) Agrees(current *Definition) bool {
	return d == current || d.Encryption.Generation == current.Encryption.Generation &&
		slices.EqualFunc(d.Global, current.Global, (*Index).Same)
}

// Target returns the table's place, name and ARN.
func (d *Definition) Target() Target {
	return Target{Place: wire.Place{Account: d.AccountID, Region: d.Region}, Name: d.Name, ARN: d.ARN}
}

// Clone returns a copy of which everything may be changed that a request can
// change.
func (d *Definition) Clone() *Definition {
	c := *d
	c.Attributes = slices.Clone(d.Attributes)
	c.Global = slices.Clone(d.Global)
	for n, i := range c.Global {
		copied := *i
		c.Global[n] = &copied
	}
	return &c
}

// Index returns the index with a name, and whether it is a local one. It
// returns nil if there is no index with this name.
func (d *Definition) Index(name string) (i *Index, local bool) {
	for _, i := range d.Local {
		if i.Name == name {
			return i, true
		}
	}
	for _, i := range d.Global {
		if i.Name == name {
			return i, false
		}
	}
	return nil, false
}

// AttributeType returns the type of a key attribute, or "" for any other
// attribute.
func (d *Definition) AttributeType(name string) string {
	for _, a := range d.Attributes {
		if a.Name == name {
			return a.Type
		}
	}
	return ""
}

// Class returns the table class, STANDARD if none was asked for.
func (d *Definition) Class() string {
	if d.TableClass == "" {
		return "STANDARD"
	}
	return d.TableClass
}

// ForgetAttributes removes the definitions of attributes that are in no key.
func (d *Definition) ForgetAttributes() {
	used := func(name string) bool {
		has := func(i *Index) bool { return i.Key.Has(name) }
		return d.Key.Has(name) || slices.ContainsFunc(d.Local, has) || slices.ContainsFunc(d.Global, has)
	}
	d.Attributes = slices.DeleteFunc(d.Attributes, func(a Attribute) bool { return !used(a.Name) })
}

// CheckRedefined refuses the key of a new index that gives an attribute another
// type than a key of the table or one of its indexes. The refusal shows the first
// of them, and the new key.
func (d *Definition) CheckRedefined(key *Key) error {
	clash := func(old *Key) bool {
		for a := range old.All() {
			for b := range key.All() {
				if a.Name == b.Name && a.Type != b.Type {
					return true
				}
			}
		}
		return false
	}
	keys := []*Key{&d.Key}
	for _, set := range [][]*Index{d.Local, d.Global} {
		for _, i := range set {
			keys = append(keys, &i.Key)
		}
	}
	if at := slices.IndexFunc(keys, clash); at >= 0 {
		return refusal.Parameter("Attributes cannot be redefined. Please check that your attribute has the same type "+
			"as previously defined. Existing schema: %s New schema: %s", keys[at].describe(), key.describe())
	}
	return nil
}

// CheckProjected refuses indexes that name too many attributes to project.
func (d *Definition) CheckProjected() error {
	n := 0
	for _, set := range [][]*Index{d.Local, d.Global} {
		for _, i := range set {
			n += len(i.NonKey)
		}
	}
	if n > maxProjected {
		return refusal.Parameter("Number of projected attributes over all indexes exceeds the limit of %d",
			maxProjected)
	}
	return nil
}

// CheckIndexKeys refuses an item with a key of an index that is too long or has
// another type than the index wants. mismatch makes the refusal of a value of
// the type got. An attribute that is missing is not refused.
func (d *Definition) CheckIndexKeys(it Item, mismatch func(a Attribute, got, index string) error) error {
	for _, set := range [][]*Index{d.Global, d.Local} {
		for _, i := range set {
			var partitionSize, sortSize int
			for a, partition := range i.Key.All() {
				v, ok := it[a.Name]
				if !ok {
					continue
				}
				if got := ddbjson.TypeName(v); got != a.Type {
					return mismatch(a, got, i.Name)
				}
				size := &sortSize
				if partition {
					size = &partitionSize
				}
				*size += keySize(v)
				if err := checkKeySize(*size, partition); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// EmptyIndexKey returns an index and the attribute of its key for which the
// item has an empty value, and "string" or "binary" for the type. kind is "" if
// there is none.
func (d *Definition) EmptyIndexKey(it Item) (kind, indexName, key string) {
	for _, set := range [][]*Index{d.Global, d.Local} {
		for _, i := range set {
			for a := range i.Key.All() {
				if kind := EmptyKey(it[a.Name]); kind != "" {
					return kind, i.Name, a.Name
				}
			}
		}
	}
	return "", "", ""
}

// IndexKeyMismatch returns the refusal of a value of the type got for the key a
// of an index.
func IndexKeyMismatch(a Attribute, got, index string) error {
	return refusal.Parameter("Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s",
		a.Name, a.Type, got, index)
}
