// SPDX-License-Identifier: Apache-2.0

package table

import (
	"errors"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/tidwall/btree"
)

// Entry is one stored item. It is never changed, only replaced.
type Entry struct {
	Key  string // ordered primary key
	Item schema.Item
	Size int // of Item in bytes
}

// ItemOrNil returns the item, or nil for a nil entry.
func (e *Entry) ItemOrNil() schema.Item {
	if e == nil {
		return nil
	}
	return e.Item
}

// newEntry prepares an item with checked keys for storing.
func newEntry(table *schema.Key, it schema.Item) (*Entry, error) {
	key, ok := table.Primary(it)
	if !ok {
		return nil, errors.New("an item without the table's key")
	}
	return &Entry{Key: key, Item: it, Size: ddbjson.ItemSize(it)}, nil
}

// index holds the entries of a secondary index under their index key.
type index struct {
	def     *schema.Index
	table   *schema.Key // of the table: its key is always projected
	entries btree.Map[string, *Entry]
	bytes   int64
}

// place puts e in the place of old, either of which may be nil.
func (i *index) place(old, e *Entry) {
	var oldKey, newKey string
	var had, has bool
	if old != nil {
		oldKey, had = i.def.Key.Indexed(old.Item, old.Key)
	}
	if e != nil {
		newKey, has = i.def.Key.Indexed(e.Item, e.Key)
	}
	if had {
		i.bytes -= int64(i.def.Size(i.table, old.Item, old.Size))
		if !has || oldKey != newKey {
			i.entries.Delete(oldKey)
		}
	}
	if has {
		i.entries.Set(newKey, e)
		i.bytes += int64(i.def.Size(i.table, e.Item, e.Size))
	}
}
