package dynamodb

import (
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// definition is what is stored of a table, except its items.
type definition struct {
	identity
	settings
}

// identity is what a table has from its making to its end, so it is read
// without a lock.
type identity struct {
	Name, ARN, ID     string
	AccountID, Region string
	Created           time.Time
	Key               keySchema
	Local             []*indexDefinition
}

// settings are read and changed under the table's lock.
type settings struct {
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

// Projections.
const (
	projectAll     = "ALL"
	projectKeys    = "KEYS_ONLY"
	projectInclude = "INCLUDE"
)

type indexDefinition struct {
	Name       string
	Key        keySchema
	Projection string
	NonKey     []string `json:",omitempty"`
	Throughput throughput
	Warm       warmth         `json:",omitzero"`
	Limit      *onDemandLimit `json:",omitempty"`
	ActiveAt   time.Time      `json:",omitzero"`
	Creating   bool           `json:",omitempty"`
}

func (i *indexDefinition) status(now time.Time) string {
	if now.Before(i.ActiveAt) {
		if i.Creating {
			return "CREATING"
		}
		return "UPDATING"
	}
	return "ACTIVE"
}

// clone copies what an UpdateTable may change.
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

// attributeType is that of a key attribute; empty when it is none.
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
		return errParam("Number of projected attributes over all indexes exceeds the limit of %d", maxProjected)
	}
	return nil
}
