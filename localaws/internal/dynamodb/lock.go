package dynamodb

import (
	"cmp"
	"slices"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Whoever takes a table's lock for a request does so here or defers the
// release: a panic ends one request, and must not stop the table for all.

// reading runs f while nobody changes the table.
func (t *table) reading(f func() error) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return f()
}

// writing runs f while nobody else uses the table, files what it collects, and
// waits until that is durable. After an error of f nothing is filed, but what
// it saw must be durable all the same: a client that repeats its request takes
// a failed condition for the success of its first try.
func (t *table) writing(f func(*storage.Tx) error) error {
	pending, err := t.submitted(f)
	if failed := waitFor(pending); failed != nil {
		return failed
	}
	return err
}

// submitted is writing without the wait.
func (t *table) submitted(f func(*storage.Tx) error) (storage.Pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tx := new(storage.Tx)
	err := f(tx)
	if err != nil {
		tx = new(storage.Tx)
	}
	return t.service.cfg.Store.Submit(tx), err
}

// settled waits until everything that was changed so far is durable: a
// consistent read tells nothing that a crash could undo.
func (s *Service) settled() error { return waitFor(s.cfg.Store.Submit(new(storage.Tx))) }

// waitFor waits until a change is durable.
func waitFor(p storage.Pending) error {
	if err := p.Wait(); err != nil {
		return errInternal(err)
	}
	return nil
}

// lockTables locks every table once, in an order that all transactions share.
func lockTables(tables []*table, write bool) (unlock func()) {
	list := slices.Clone(tables)
	slices.SortFunc(list, func(a, b *table) int { return cmp.Compare(a.def.ID, b.def.ID) })
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
