package dynamodb

import (
	"errors"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
	"github.com/tidwall/btree"
)

// table is one table with its items in memory.
type table struct {
	service *Service

	// bound is the encryption context of the table's key; never changed.
	bound map[string]string

	mu      sync.RWMutex
	def     *definition
	deleted bool
	loaded  bool    // the items are in memory
	sealer  *sealer // nil until the table key was unwrapped
	items   btree.Map[string, *entry]
	bytes   int64
	local   []*index
	global  []*index
	expiry  expiryQueue

	// inaccessible is when KMS first said that the key cannot be used, zero
	// while it can.
	inaccessible time.Time
}

// status is TableStatus; the caller holds the lock.
func (t *table) status(now time.Time) string {
	switch {
	case now.Before(t.def.ActiveAt) && t.def.Creating:
		return "CREATING"
	case now.Before(t.def.ActiveAt):
		return "UPDATING"
	case !t.inaccessible.IsZero() && !now.Before(t.inaccessible.Add(inaccessibleAfter)):
		return "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
	}
	return "ACTIVE"
}

// busy refuses changes of a table that is being created or updated; the caller
// holds the lock.
func (t *table) busy(now time.Time) error {
	const text = "Attempt to change a resource which is still in use: "
	switch t.status(now) {
	case "CREATING":
		return errInUse(text+"Table is being created: %s", t.def.Name)
	case "UPDATING":
		return errInUse(text+"Table: %s is in the process of being updated.", t.def.Name)
	}
	return nil
}

// newEntry prepares an item with checked keys for storing.
func (t *table) newEntry(it Item) (*entry, error) {
	key, ok := t.def.Key.primary(it)
	if !ok {
		return nil, errors.New("an item without the table's key")
	}
	return &entry{key: key, item: it, size: ddbjson.ItemSize(it)}, nil
}

// change replaces old by e, either of which may be nil, in memory and in tx.
// The caller holds the write lock.
func (t *table) change(tx *storage.Tx, old, e *entry) {
	t.place(old, e)
	if !t.service.cfg.Store.Durable() {
		return
	}
	bucket := bucketItems(t.def.ID, t.def.Encryption.Generation)
	switch {
	case e != nil:
		key := t.sealer.itemKey(e.key)
		tx.Put(bucket, key, t.sealer.seal(key, e.item))
	case old != nil:
		tx.Delete(bucket, t.sealer.itemKey(old.key))
	}
}

// entry is one stored item. It is never changed, only replaced.
type entry struct {
	key  string // ordered primary key
	item Item
	size int
}

// index is a secondary index: entries under their index key.
type index struct {
	def     *indexDefinition
	isLocal bool
	table   keySchema // the table's own key is always projected
	entries btree.Map[string, *entry]
	bytes   int64
}

func newTable(s *Service, def *definition) *table {
	t := &table{service: s, def: def, loaded: true, bound: encryptionContext(def.Name, def.AccountID)}
	for _, d := range def.Local {
		t.local = append(t.local, &index{def: d, isLocal: true, table: def.Key})
	}
	for _, d := range def.Global {
		t.global = append(t.global, &index{def: d, table: def.Key})
	}
	return t
}

// target names the table.
func (t *table) target() target {
	return target{Place: wire.Place{Account: t.def.AccountID, Region: t.def.Region}, name: t.def.Name, arn: t.def.ARN}
}

// indexNamed returns an index or nil; the caller holds the lock.
func (t *table) indexNamed(name string) *index {
	for _, set := range [][]*index{t.local, t.global} {
		for _, i := range set {
			if i.def.Name == name {
				return i
			}
		}
	}
	return nil
}

// get returns the entry under an ordered key, or nil.
func (t *table) get(key string) *entry {
	e, _ := t.items.Get(key)
	return e
}

// place puts e in the place of old, either of which may be nil, in the table
// and all of its indexes. The caller holds the write lock.
func (t *table) place(old, e *entry) {
	if old != nil {
		t.bytes -= int64(old.size)
		t.expiry.remove(t.def.TTLAttribute, old)
	}
	if e != nil {
		t.items.Set(e.key, e)
		t.bytes += int64(e.size)
		t.expiry.add(t.def.TTLAttribute, e)
	} else if old != nil {
		t.items.Delete(old.key)
	}
	for _, i := range t.local {
		i.place(old, e)
	}
	for _, i := range t.global {
		i.place(old, e)
	}
}

func (i *index) place(old, e *entry) {
	var oldKey, newKey string
	var had, has bool
	if old != nil {
		oldKey, had = i.def.Key.indexed(old.item, old.key)
	}
	if e != nil {
		newKey, has = i.def.Key.indexed(e.item, e.key)
	}
	if had {
		i.bytes -= int64(i.size(old))
		if !has || oldKey != newKey {
			i.entries.Delete(oldKey)
		}
	}
	if has {
		i.entries.Set(newKey, e)
		i.bytes += int64(i.size(e))
	}
}

// clear forgets all items; the caller holds the write lock.
func (t *table) clear() {
	t.items = btree.Map[string, *entry]{}
	t.bytes = 0
	t.expiry = expiryQueue{}
	for _, set := range [][]*index{t.local, t.global} {
		for _, i := range set {
			i.entries = btree.Map[string, *entry]{}
			i.bytes = 0
		}
	}
}

// projects reports whether the index holds an attribute.
func (i *index) projects(name string) bool {
	if i.def.Projection == projectAll || i.def.Key.has(name) || i.table.has(name) {
		return true
	}
	for _, n := range i.def.NonKey {
		if n == name {
			return true
		}
	}
	return false
}

// project returns what the index holds of an item.
func (i *index) project(it Item) Item {
	if i.def.Projection == projectAll {
		return it
	}
	out := make(Item, 4+len(i.def.NonKey))
	for _, k := range []keyAttribute{i.table.Partition, i.table.Sort, i.def.Key.Partition, i.def.Key.Sort} {
		if v, ok := it[k.Name]; ok {
			out[k.Name] = v
		}
	}
	for _, n := range i.def.NonKey {
		if v, ok := it[n]; ok {
			out[n] = v
		}
	}
	return out
}

// size is that of the projected item.
func (i *index) size(e *entry) int {
	if i.def.Projection == projectAll {
		return e.size
	}
	return ddbjson.ItemSize(i.project(e.item))
}
