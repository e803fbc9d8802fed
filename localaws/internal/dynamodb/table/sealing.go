// SPDX-License-Identifier: Apache-2.0

package table

import (
	"fmt"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

var _ atrest.Table = (*Table)(nil)

// EncryptionContext implements [atrest.Table].
func (t *Table) EncryptionContext() map[string]string { return t.bound }

// Principal implements [atrest.Table].
func (t *Table) Principal() string { return t.as }

// Loaded implements [atrest.Table].
func (t *Table) Loaded() bool { return t.loaded.Load() }

// Reseal puts the table under a new key and seals every item with it. It returns
// a ResourceInUseException if the table does not have the generation any more
// that the key was made to replace, and otherwise what [Table.Redefine] does.
func (t *Table) Reseal(enc schema.Encryption, key []byte, generation int, now time.Time) (
	*schema.Definition, Counts, storage.Pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	def := t.def.Load()
	switch {
	case t.deleted:
		return nil, Counts{}, nil, refusal.NoTableNamed(def.Name)
	case def.Encryption.Generation != generation:
		return nil, Counts{}, nil, refusal.InUse("Attempt to change a resource which is still in use: Table is "+
			"being updated: %s", def.Name)
	}
	seal, err := atrest.NewSealer(def.ID, key)
	if err != nil {
		return nil, Counts{}, nil, refusal.Internal(err)
	}
	tx := new(storage.Tx)
	if t.store.Durable() {
		bucket := bucketItems(def.ID, enc.Generation)
		t.items.Scan(func(primary string, e *Entry) bool {
			key := seal.ItemKey(primary)
			tx.Put(bucket, key, seal.Seal(key, e.Item))
			return true
		})
		tx.Drop(bucketItems(def.ID, generation))
	}
	next := def.Clone()
	next.Encryption = enc
	if t.stream != nil {
		t.stream.Reseal(tx, seal, enc)
	}
	t.sealer = seal
	t.inaccessible.Store(nil)
	t.replace(tx, next)
	t.save(tx)
	return next, t.count(now), t.store.Submit(tx), nil
}

// Load implements [atrest.Table]: it reads the items of the table from the store,
// once.
func (t *Table) Load(key []byte, generation int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	def := t.def.Load()
	if t.loaded.Load() || t.deleted || def.Encryption.Generation != generation {
		return nil
	}
	seal, err := atrest.NewSealer(def.ID, key)
	if err != nil {
		return refusal.Internal(err)
	}
	if t.stream != nil {
		// Before the items: a change of one adds to the records.
		if err := t.stream.Load(key, generation); err != nil {
			return err
		}
	}
	err = t.store.Range(bucketItems(def.ID, generation), func(itemKey, sealed []byte) error {
		it, err := seal.Open(itemKey, sealed)
		if err != nil {
			return err
		}
		e, err := newEntry(&def.Key, it)
		if err != nil {
			return err
		}
		t.place(nil, e)
		return nil
	})
	if err != nil {
		t.clear()
		return refusal.Internal(fmt.Errorf("table %s: %w", def.Name, err))
	}
	t.sealer = seal
	t.loaded.Store(true)
	return nil
}

// Reachable implements [atrest.Table].
func (t *Table) Reachable(yes bool, now time.Time) {
	if yes == (t.inaccessible.Load() == nil) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if yes {
		t.inaccessible.Store(nil)
	} else {
		since := now // now itself would be on the heap in every call
		t.inaccessible.Store(&since)
	}
}
