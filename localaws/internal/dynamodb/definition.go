package dynamodb

import (
	"time"
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
	OnDemandLimit      *onDemandLimit `json:",omitempty"`
	DeletionProtection bool
	TableClass         string `json:",omitempty"`
	Encryption         encryption
	TTLAttribute       string    `json:",omitempty"` // empty: disabled
	TTLChanged         time.Time `json:",omitzero"`
	PITR               bool
	PITRSince          time.Time `json:",omitzero"`
	PITRDays           int64     `json:",omitempty"`
	Tags               []tag     `json:",omitempty"`
}

type throughput struct {
	Read, Write int64
}

type onDemandLimit struct {
	Read, Write *int64
}

type tag struct {
	Key, Value string
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
	Limit      *onDemandLimit `json:",omitempty"`
	ActiveAt   time.Time      `json:",omitzero"`
	Creating   bool           `json:",omitempty"`
	Deleting   bool           `json:",omitempty"`
}

func (i *indexDefinition) status(now time.Time) string {
	if now.Before(i.ActiveAt) {
		switch {
		case i.Creating:
			return "CREATING"
		case i.Deleting:
			return "DELETING"
		}
		return "UPDATING"
	}
	return "ACTIVE"
}

func (d *definition) global(name string) *indexDefinition {
	for _, i := range d.Global {
		if i.Name == name {
			return i
		}
	}
	return nil
}
