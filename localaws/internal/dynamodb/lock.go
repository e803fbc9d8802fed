package dynamodb

import (
	"cmp"
	"slices"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Every function of this file that takes a lock for a request releases it in a
// defer: a panic ends one request, and must not stop the table for all.

// reading runs f while the table does not change, if check allows def.
func (t *table) reading(def *schema.Definition, f func() error) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.check(def); err != nil {
		return err
	}
	return f()
}

// writing runs f while no other request uses the table, if check allows def,
// files what f collects, and waits until that is durable. After an error of f
// nothing is filed, but what it saw must be durable all the same: a client that
// repeats its request takes a failed condition for the success of its first
// try.
func (t *table) writing(def *schema.Definition, f func(*storage.Tx) error) error {
	pending, err := t.submitted(def, f)
	if failed := waitFor(pending); failed != nil {
		return failed
	}
	return err
}

// submitted is writing without the wait.
func (t *table) submitted(def *schema.Definition, f func(*storage.Tx) error) (storage.Pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tx := new(storage.Tx)
	err := t.check(def)
	if err == nil {
		err = f(tx)
	}
	if err != nil {
		tx = new(storage.Tx)
	}
	return t.store.Submit(tx), err
}

// waitFor waits until a change is durable.
func waitFor(p storage.Pending) error {
	if err := p.Wait(); err != nil {
		return refusal.Internal(err)
	}
	return nil
}

// lockTables locks every table once, in an order that all transactions share.
func lockTables(tables []*table, write bool) (unlock func()) {
	list := slices.Clone(tables)
	slices.SortFunc(list, func(a, b *table) int { return cmp.Compare(a.id, b.id) })
	list = slices.Compact(list)
	for _, t := range list {
		if write {
			t.mu.Lock()
		} else {
			t.mu.RLock()
		}
	}
	return func() {
		for _, t := range list {
			if write {
				t.mu.Unlock()
			} else {
				t.mu.RUnlock()
			}
		}
	}
}
