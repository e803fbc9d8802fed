package dynamodb

import (
	"errors"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/tidwall/btree"
)

// entry is one stored item. It is never changed, only replaced.
type entry struct {
	key  string // ordered primary key
	item schema.Item
	size int // of the item in bytes
}

// itemOrNil returns the item, or nil for a nil entry.
func (e *entry) itemOrNil() schema.Item {
	if e == nil {
		return nil
	}
	return e.item
}

// newEntry prepares an item with checked keys for storing.
func newEntry(table schema.Key, it schema.Item) (*entry, error) {
	key, ok := table.Primary(it)
	if !ok {
		return nil, errors.New("an item without the table's key")
	}
	return &entry{key: key, item: it, size: ddbjson.ItemSize(it)}, nil
}

// index holds the entries of a secondary index under their index key.
type index struct {
	def     *schema.Index
	table   schema.Key // of the table: its key is always projected
	entries btree.Map[string, *entry]
	bytes   int64
}

// place puts e in the place of old, either of which may be nil.
func (i *index) place(old, e *entry) {
	var oldKey, newKey string
	var had, has bool
	if old != nil {
		oldKey, had = i.def.Key.Indexed(old.item, old.key)
	}
	if e != nil {
		newKey, has = i.def.Key.Indexed(e.item, e.key)
	}
	if had {
		i.bytes -= int64(i.def.Size(i.table, old.item, old.size))
		if !has || oldKey != newKey {
			i.entries.Delete(oldKey)
		}
	}
	if has {
		i.entries.Set(newKey, e)
		i.bytes += int64(i.def.Size(i.table, e.item, e.size))
	}
}
