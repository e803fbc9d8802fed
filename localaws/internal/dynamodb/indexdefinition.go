package dynamodb

import (
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// Projections.
const (
	projectAll     = "ALL"
	projectKeys    = "KEYS_ONLY"
	projectInclude = "INCLUDE"
)

// indexDefinition is what is stored of a secondary index. It is as immutable
// as the definition of its table.
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

func (i *indexDefinition) status(now time.Time) string { return statusOf(i.ActiveAt, i.Creating, now) }

// same reports whether two definitions hold the same entries: what an index
// may use and when it is ready do not matter.
func (i *indexDefinition) same(other *indexDefinition) bool {
	return i == other || i.Name == other.Name && i.Key == other.Key && i.Projection == other.Projection && slices.Equal(i.NonKey, other.NonKey)
}

// projects reports whether the index holds an attribute. table is the key of
// the table, which every index holds.
func (i *indexDefinition) projects(table keySchema, name string) bool {
	return i.Projection == projectAll || i.Key.has(name) || table.has(name) || slices.Contains(i.NonKey, name)
}

// project returns what the index holds of an item.
func (i *indexDefinition) project(table keySchema, it Item) Item {
	if i.Projection == projectAll {
		return it
	}
	out := make(Item, 4+len(i.NonKey))
	for _, k := range []keyAttribute{table.Partition, table.Sort, i.Key.Partition, i.Key.Sort} {
		if v, ok := it[k.Name]; ok {
			out[k.Name] = v
		}
	}
	for _, n := range i.NonKey {
		if v, ok := it[n]; ok {
			out[n] = v
		}
	}
	return out
}

// size returns the size of the projected item; whole is the size of the item.
func (i *indexDefinition) size(table keySchema, it Item, whole int) int {
	if i.Projection == projectAll {
		return whole
	}
	return ddbjson.ItemSize(i.project(table, it))
}
