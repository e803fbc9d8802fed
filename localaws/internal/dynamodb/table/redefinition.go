// SPDX-License-Identifier: Apache-2.0

package table

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Edit replaces the table's definition by a copy that change has changed, files
// it, and waits until it is durable. If change fails, Edit returns its error and
// leaves the table as it was.
func (t *Table) Edit(change func(*schema.Definition) error) error {
	_, _, pending, err := t.Redefine(time.Time{}, change)
	if err != nil {
		return err
	}
	return Wait(pending)
}

// Redefine is [Table.Edit] without the wait. It returns the new definition with the
// counts of the table at now.
func (t *Table) Redefine(now time.Time, change func(*schema.Definition) error) (
	*schema.Definition, Counts, storage.Pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	def := t.def.Load()
	if t.deleted {
		return nil, Counts{}, nil, refusal.NoTableNamed(def.Name)
	}
	next := def.Clone()
	if err := change(next); err != nil {
		return nil, Counts{}, nil, err
	}
	tx := new(storage.Tx)
	t.replace(tx, next)
	t.save(tx)
	return next, t.count(now), t.store.Submit(tx), nil
}

// replace makes next the definition, and changes indexes, expiry and stream with
// it. The caller holds the write lock.
func (t *Table) replace(tx *storage.Tx, next *schema.Definition) {
	before := t.def.Load()
	t.restream(tx, before, next)
	t.def.Store(next)
	if next.TTLAttribute != before.TTLAttribute {
		t.expiry.init()
		t.items.Scan(func(_ string, e *Entry) bool {
			t.expiry.place(next.TTLAttribute, nil, e)
			return true
		})
	}
	var global []*index
	for _, d := range next.Global {
		i := t.globalIndex(d)
		if i == nil {
			i = &index{def: d, table: &next.Key}
			t.items.Scan(func(_ string, e *Entry) bool {
				i.place(nil, e)
				return true
			})
		}
		i.def = d
		global = append(global, i)
	}
	t.global = global
}

// globalIndex returns the index that has the entries of d, or nil.
func (t *Table) globalIndex(d *schema.Index) *index {
	for _, i := range t.global {
		if i.def.Same(d) {
			return i
		}
	}
	return nil
}

// Remove deletes the table and its items, unless may refuses that. It returns the
// definition and the counts that the table had.
func (t *Table) Remove(now time.Time, may func(*schema.Definition) error) (
	*schema.Definition, Counts, storage.Pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	def := t.def.Load()
	if t.deleted {
		return nil, Counts{}, nil, refusal.NoTableNamed(def.Name)
	}
	if err := may(def); err != nil {
		return nil, Counts{}, nil, err
	}
	left := t.count(now)
	tx := new(storage.Tx)
	tx.Delete(bucketTables, recordKey(def))
	tx.Drop(bucketItems(def.ID, def.Encryption.Generation))
	t.endStream(tx, now)
	t.deleted, t.sealer = true, nil
	t.clear()
	return def, left, t.store.Submit(tx), nil
}
