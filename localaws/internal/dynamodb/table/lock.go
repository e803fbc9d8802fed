// SPDX-License-Identifier: Apache-2.0

package table

import (
	"cmp"
	"slices"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Every function of this file that takes a lock for a request releases it in a
// defer. A panic ends one request and must not stop the table for all others.

// View runs f while the table does not change, if [Table.Check] allows def.
func (t *Table) View(def *schema.Definition, f func() error) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.Check(def); err != nil {
		return err
	}
	return f()
}

// Update runs f while no other request uses the table, if [Table.Check] allows
// def, files what f collects, and waits until that is durable. After an error of f
// nothing is filed, but Update still waits until what f saw is durable: a client
// that repeats its request takes a failed condition for the success of its first
// try.
func (t *Table) Update(def *schema.Definition, f func(*storage.Tx) error) error {
	pending, err := t.Submit(def, f)
	if failed := Wait(pending); failed != nil {
		return failed
	}
	return err
}

// Submit is [Table.Update] without the wait. The caller must wait for the returned
// change, even after an error.
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

// Wait waits until a change is durable. It returns an InternalServerError if the
// store failed.
func Wait(p storage.Pending) error {
	if err := p.Wait(); err != nil {
		return refusal.Internal(err)
	}
	return nil
}

// Lock locks every table once, in an order that all transactions share, and
// returns the function that unlocks them.
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
