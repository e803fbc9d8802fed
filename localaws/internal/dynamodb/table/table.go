// SPDX-License-Identifier: Apache-2.0

package table

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/tidwall/btree"
)

// bucketTables holds the definitions of all tables.
var bucketTables = storage.Bucket{Name: "dynamodb/tables"}

// bucketItems holds the sealed items of one table under one table key: a
// re-encryption writes the next bucket and drops this one in one transaction.
func bucketItems(tableID string, generation int) storage.Bucket {
	return storage.Bucket{Name: "dynamodb/items/" + tableID + "/" + strconv.Itoa(generation), PlainValues: true}
}

// ErrRedefined means that the key or the indexes of a table changed after a
// request read the definition that it was checked with. The request must start
// again with the current definition.
var ErrRedefined = errors.New("dynamodb: the table was redefined while a request on it ran")

// Table is one table with its items in memory. Its methods may be called at the
// same time, unless they say that the caller must hold the lock.
type Table struct {
	id    string // of every definition of the table
	store storage.Store
	book  *stream.Book
	bound map[string]string // the encryption context of the table's key
	as    string            // the service principal that asks KMS for it

	// The definition and what KMS said last are replaced under mu and read
	// without it.
	def    atomic.Pointer[schema.Definition]
	loaded atomic.Bool // the items are in memory
	// inaccessible is when KMS first said that the key cannot be used, nil
	// while it can.
	inaccessible atomic.Pointer[time.Time]

	mu            sync.RWMutex
	deleted       bool
	sealer        *atrest.Sealer // nil until the table key was unwrapped
	items         btree.Map[string, *Entry]
	bytes         int64
	local, global []*index // in the order of the definition
	expiry        expiryQueue
	stream        *stream.Stream // that takes the changes of the items; nil: none
}

// New returns an empty table whose items will be sealed under the table key. It
// does not keep the key. If the definition has an enabled stream, New labels it.
func New(store storage.Store, book *stream.Book, def *schema.Definition, key []byte) (*Table, error) {
	seal, err := atrest.NewSealer(def.ID, key)
	if err != nil {
		return nil, refusal.Internal(err)
	}
	if def.Streams() {
		book.Label(def)
	}
	t := restored(store, book, def)
	t.sealer = seal
	t.loaded.Store(true)
	return t, nil
}

// Restore calls found with every table in the store. The items of the tables
// stay in the store, sealed, until [Table.Load].
func Restore(store storage.Store, book *stream.Book, found func(*Table)) error {
	return store.Range(bucketTables, func(key, value []byte) error {
		def := new(schema.Definition)
		if err := json.Unmarshal(value, def); err != nil {
			return fmt.Errorf("table record %q: %w", key, err)
		}
		t := restored(store, book, def)
		if def.Streams() {
			if t.stream = book.Find(def.StreamARN()); t.stream == nil {
				return fmt.Errorf("table record %q: its stream is missing", key)
			}
		}
		found(t)
		return nil
	})
}

// restored returns a table whose items lie in the store, still sealed.
func restored(store storage.Store, book *stream.Book, def *schema.Definition) *Table {
	t := &Table{id: def.ID, store: store, book: book,
		bound: atrest.EncryptionContext(def.Name, def.AccountID), as: atrest.ServicePrincipal(def.Region)}
	t.def.Store(def)
	t.expiry.init()
	for _, d := range def.Local {
		t.local = append(t.local, &index{def: d, table: &def.Key})
	}
	for _, d := range def.Global {
		t.global = append(t.global, &index{def: d, table: &def.Key})
	}
	return t
}

// Definition returns the table's current definition, without a lock.
func (t *Table) Definition() *schema.Definition { return t.def.Load() }

// Check returns nil if a request that was checked with def may go on: the table
// is there, its items are in memory, and its current definition agrees with def.
// Otherwise Check returns a ResourceNotFoundException or [ErrRedefined]. The
// caller holds the lock until the request is done.
func (t *Table) Check(def *schema.Definition) error {
	switch {
	case t.deleted:
		return refusal.NoTable()
	case !t.loaded.Load() || !def.Agrees(t.def.Load()):
		return ErrRedefined
	}
	return nil
}

// Change replaces old by e, either of which may be nil, in memory and in tx, and
// tells the table's stream. The caller holds the write lock.
func (t *Table) Change(tx *storage.Tx, old, e *Entry) { t.change(tx, old, e, false) }

// change is [Table.Change], for which expired says that the time of the item is
// over.
func (t *Table) change(tx *storage.Tx, old, e *Entry, expired bool) {
	t.place(old, e)
	if t.stream != nil {
		t.record(tx, old, e, expired)
	}
	if !t.store.Durable() {
		return
	}
	def := t.def.Load()
	bucket := bucketItems(def.ID, def.Encryption.Generation)
	switch {
	case e != nil:
		key := t.sealer.ItemKey(e.Key)
		tx.Put(bucket, key, t.sealer.Seal(key, e.Item))
	case old != nil:
		tx.Delete(bucket, t.sealer.ItemKey(old.Key))
	}
}

// Get returns the entry under an ordered key, or nil. The caller holds the
// lock.
func (t *Table) Get(key string) *Entry {
	e, _ := t.items.Get(key)
	return e
}

// place puts e in the place of old, either of which may be nil, in the table
// and all of its indexes. The caller holds the write lock.
func (t *Table) place(old, e *Entry) {
	if old != nil {
		t.bytes -= int64(old.Size)
	}
	t.expiry.place(t.def.Load().TTLAttribute, old, e)
	if e != nil {
		t.items.Set(e.Key, e)
		t.bytes += int64(e.Size)
	} else if old != nil {
		t.items.Delete(old.Key)
	}
	for _, i := range t.local {
		i.place(old, e)
	}
	for _, i := range t.global {
		i.place(old, e)
	}
}

// clear forgets all items; the caller holds the write lock.
func (t *Table) clear() {
	t.items = btree.Map[string, *Entry]{}
	t.bytes = 0
	t.expiry.init()
	for _, set := range [][]*index{t.local, t.global} {
		for _, i := range set {
			i.entries = btree.Map[string, *Entry]{}
			i.bytes = 0
		}
	}
}

// save files the table's record in tx; the caller holds the lock, or is the
// only one who knows the table.
func (t *Table) save(tx *storage.Tx) {
	def := t.def.Load()
	value, err := json.Marshal(def)
	if err != nil {
		panic(fmt.Errorf("dynamodb: a table record cannot be written: %w", err)) // plain data only
	}
	tx.Put(bucketTables, recordKey(def), value)
}

// Items returns the items of the table in order, and their size in bytes, if
// [Table.Check] allows def. The items belong to the table and must not be
// changed.
func (t *Table) Items(def *schema.Definition) (list []schema.Item, bytes int64, err error) {
	err = t.View(def, func() error {
		list = make([]schema.Item, 0, t.items.Len())
		t.items.Scan(func(_ string, e *Entry) bool {
			list = append(list, e.Item)
			return true
		})
		bytes = t.bytes
		return nil
	})
	return list, bytes, err
}

// Fill puts items into a table that no request can find yet, in memory and in tx.
func (t *Table) Fill(tx *storage.Tx, items []schema.Item) error {
	key := &t.def.Load().Key
	for _, it := range items {
		e, err := newEntry(key, it)
		if err != nil {
			return refusal.Internal(err)
		}
		t.Change(tx, nil, e)
	}
	return nil
}

// File files the definition of a table that no request can find yet, after the
// changes of tx.
func (t *Table) File(tx *storage.Tx) storage.Pending {
	if def := t.def.Load(); def.Streams() {
		t.stream = t.book.Start(tx, def)
	}
	t.save(tx)
	return t.store.Submit(tx)
}

func recordKey(def *schema.Definition) []byte {
	return []byte(def.AccountID + "/" + def.Region + "/" + def.Name)
}
