// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// The projections of an index.
const (
	ProjectAll     = "ALL"
	projectKeys    = "KEYS_ONLY"
	ProjectInclude = "INCLUDE"
)

// Index is what is stored of a secondary index, except its entries. It is as
// immutable as the definition of its table.
type Index struct {
	Name       string
	Key        Key
	Projection string
	NonKey     []string `json:",omitempty"`
	Throughput Throughput
	Warm       Warmth         `json:",omitzero"`
	Limit      *OnDemandLimit `json:",omitempty"`
	ActiveAt   time.Time      `json:",omitzero"`
	Creating   bool           `json:",omitempty"`
}

// Status returns CREATING, UPDATING or ACTIVE.
func (i *Index) Status(now time.Time) string { return statusOf(i.ActiveAt, i.Creating, now) }

// Same reports whether two indexes hold the same entries. Their throughput and
// the time at which they are ready do not matter.
func (i *Index) Same(other *Index) bool {
	return i == other || i.Name == other.Name && i.Key.Equal(&other.Key) && i.Projection == other.Projection &&
		slices.Equal(i.NonKey, other.NonKey)
}

// Projects reports whether the index holds an attribute. table is the key of
// the table, which every index holds.
func (i *Index) Projects(table *Key, name string) bool {
	return i.Projection == ProjectAll || i.Key.Has(name) || table.Has(name) || slices.Contains(i.NonKey, name)
}

// Project returns what the index holds of an item.
func (i *Index) Project(table *Key, it Item) Item {
	if i.Projection == ProjectAll {
		return it
	}
	out := make(Item, 4+len(i.NonKey))
	i.projectInto(out, table, it)
	return out
}

func (i *Index) projectInto(out Item, table *Key, it Item) {
	table.copyTo(out, it)
	i.Key.copyTo(out, it)
	for _, name := range i.NonKey {
		copyAttribute(out, it, name)
	}
}

// Size returns the size in bytes of what the index holds of an item. whole is
// the size of the item.
func (i *Index) Size(table *Key, it Item, whole int) int {
	if i.Projection == ProjectAll {
		return whole
	}
	out := make(Item, 8) // small enough to stay off the heap
	i.projectInto(out, table, it)
	return ddbjson.ItemSize(out)
}
