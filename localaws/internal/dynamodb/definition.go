package dynamodb

import (
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// maxProjected limits the NonKeyAttributes over all indexes of a table.
const maxProjected = 100

// definition is what is stored of a table, except its items. A definition is
// immutable once a table has it: a change makes a new one of clone and puts it
// in the place of the old one, so a request may read its definition without a
// lock.
type definition struct {
	Name, ARN, ID      string
	AccountID, Region  string
	Created            time.Time
	Key                keySchema
	Local              []*indexDefinition
	ActiveAt           time.Time `json:",omitzero"` // CREATING or UPDATING until then
	Creating           bool      `json:",omitempty"`
	Attributes         []keyAttribute
	Global             []*indexDefinition
	OnDemand           bool
	BillingChanged     time.Time `json:",omitzero"` // last switch to on-demand
	Throughput         throughput
	Warm               warmth         `json:",omitzero"`
	OnDemandLimit      *onDemandLimit `json:",omitempty"`
	DeletionProtection bool
	TableClass         string    `json:",omitempty"`
	ClassChanged       time.Time `json:",omitzero"`
	Encryption         encryption
	TTLAttribute       string    `json:",omitempty"` // empty: disabled
	TTLChanged         time.Time `json:",omitzero"`
	PITR               bool
	PITRSince          time.Time  `json:",omitzero"`
	PITRDays           int64      `json:",omitempty"`
	Tags               []wire.Tag `json:",omitempty"`
}

// status returns CREATING, UPDATING or ACTIVE. Whether the table's key can be
// used is not part of its definition.
func (d *definition) status(now time.Time) string { return statusOf(d.ActiveAt, d.Creating, now) }

func statusOf(activeAt time.Time, creating bool, now time.Time) string {
	switch {
	case !now.Before(activeAt):
		return "ACTIVE"
	case creating:
		return "CREATING"
	}
	return "UPDATING"
}

// busy refuses changes of a table that is being created or updated.
func (d *definition) busy(now time.Time) error {
	const text = "Attempt to change a resource which is still in use: "
	switch d.status(now) {
	case "CREATING":
		return refusal.InUse(text+"Table is being created: %s", d.Name)
	case "UPDATING":
		return refusal.InUse(text+"Table: %s is in the process of being updated.", d.Name)
	}
	return nil
}

// agrees reports whether a request that was checked with d may go on with
// current, a later definition of the same table: the items are sealed under
// the same table key and the indexes are the same.
func (d *definition) agrees(current *definition) bool {
	return d == current || d.Encryption.Generation == current.Encryption.Generation &&
		slices.EqualFunc(d.Global, current.Global, (*indexDefinition).same)
}

// target names the table.
func (d *definition) target() target {
	return target{Place: wire.Place{Account: d.AccountID, Region: d.Region}, name: d.Name, arn: d.ARN}
}

// clone copies what a request may change.
func (d *definition) clone() *definition {
	c := *d
	c.Attributes = slices.Clone(d.Attributes)
	c.Global = slices.Clone(d.Global)
	for n, i := range c.Global {
		copied := *i
		c.Global[n] = &copied
	}
	return &c
}

// index returns an index, and whether it is a local one; nil if there is no
// index with this name.
func (d *definition) index(name string) (i *indexDefinition, local bool) {
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

// attributeType returns the type of a key attribute, or "" for any other
// attribute.
func (d *definition) attributeType(name string) string {
	for _, a := range d.Attributes {
		if a.Name == name {
			return a.Type
		}
	}
	return ""
}

func (d *definition) class() string {
	if d.TableClass == "" {
		return "STANDARD"
	}
	return d.TableClass
}

// forgetAttributes drops the definitions of attributes that no key uses any
// more.
func (d *definition) forgetAttributes() {
	used := func(name string) bool {
		has := func(i *indexDefinition) bool { return i.Key.has(name) }
		return d.Key.has(name) || slices.ContainsFunc(d.Local, has) || slices.ContainsFunc(d.Global, has)
	}
	d.Attributes = slices.DeleteFunc(d.Attributes, func(a keyAttribute) bool { return !used(a.Name) })
}

// checkProjected counts the attributes that indexes name to project.
func (d *definition) checkProjected() error {
	n := 0
	for _, set := range [][]*indexDefinition{d.Local, d.Global} {
		for _, i := range set {
			n += len(i.NonKey)
		}
	}
	if n > maxProjected {
		return refusal.Parameter("Number of projected attributes over all indexes exceeds the limit of %d", maxProjected)
	}
	return nil
}

// checkIndexKeys checks the attributes that are keys of indexes: when they are
// there, they have the right type and are not too long. mismatch makes the
// refusal of a value of the type got.
func (d *definition) checkIndexKeys(it Item, mismatch func(a keyAttribute, got, index string) error) error {
	for _, set := range [][]*indexDefinition{d.Global, d.Local} {
		for _, i := range set {
			for n, a := range []keyAttribute{i.Key.Partition, i.Key.Sort} {
				v, ok := it[a.Name]
				if a.Name == "" || !ok {
					continue
				}
				if got := ddbjson.TypeName(v); got != a.Type {
					return mismatch(a, got, i.Name)
				}
				if err := checkKeySize(v, n == 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// emptyIndexKey finds an index and its key for which an item has an empty
// value; kind is "" if there is none.
func (d *definition) emptyIndexKey(it Item) (kind, indexName, key string) {
	for _, set := range [][]*indexDefinition{d.Global, d.Local} {
		for _, i := range set {
			for _, a := range []keyAttribute{i.Key.Partition, i.Key.Sort} {
				if kind := emptyKey(it[a.Name]); kind != "" {
					return kind, i.Name, a.Name
				}
			}
		}
	}
	return "", "", ""
}

func errIndexKeyType(a keyAttribute, got, index string) error {
	return refusal.Parameter("Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", a.Name, a.Type, got, index)
}
