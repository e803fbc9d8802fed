package table

import (
	"cmp"
	"slices"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Every function of this file that takes a lock for a request releases it in a
// defer: a panic ends one request, and must not stop the table for all.

// View runs f while the table does not change, if check allows def.
func (t *Table) View(def *schema.Definition, f func() error) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.Check(def); err != nil {
		return err
	}
	return f()
}

// Update runs f while no other request uses the table, if check allows def,
// files what f collects, and waits until that is durable. After an error of f
// nothing is filed, but what it saw must be durable all the same: a client that
// repeats its request takes a failed condition for the success of its first
// try.
func (t *Table) Update(def *schema.Definition, f func(*storage.Tx) error) error {
	pending, err := t.Submit(def, f)
	if failed := Wait(pending); failed != nil {
		return failed
	}
	return err
}

// Submit is writing without the wait.
func (t *Table) Submit(def *schema.Definition, f func(*storage.Tx) error) (storage.Pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tx := new(storage.Tx)
	err := t.Check(def)
	if err == nil {
		err = f(tx)
	}
	if err != nil {
		tx = new(storage.Tx)
	}
	return t.store.Submit(tx), err
}

// Wait waits until a change is durable.
func Wait(p storage.Pending) error {
	if err := p.Wait(); err != nil {
		return refusal.Internal(err)
	}
	return nil
}

// Lock locks every table once, in an order that all transactions share.
func Lock(tables []*Table, write bool) (unlock func()) {
	list := slices.Clone(tables)
	slices.SortFunc(list, func(a, b *Table) int { return cmp.Compare(a.id, b.id) })
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
