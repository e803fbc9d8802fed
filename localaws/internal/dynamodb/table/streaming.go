// SPDX-License-Identifier: Apache-2.0

package table

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// record adds the change of an item to the stream of the table, which has one.
func (t *Table) record(tx *storage.Tx, old, e *Entry, expired bool) {
	of := e
	if of == nil {
		of = old
	}
	t.stream.Append(tx, t.sealer, of.Key, old.ItemOrNil(), e.ItemOrNil(), expired)
}

// restream ends the stream of the table if next does not have it any more, and
// starts and labels the one that next wants. The caller holds the write lock, and
// no request knows next yet.
func (t *Table) restream(tx *storage.Tx, before, next *schema.Definition) {
	if next.Stream == before.Stream {
		return
	}
	if before.Streams() && !next.Streams() {
		t.endStream(tx, next.Stream.Settles)
	}
	if next.Streams() && !before.Streams() {
		t.book.Label(next)
		t.stream = t.book.Start(tx, next)
	}
}

// endStream ends the stream of the table, if it has one. The stream is DISABLING
// until settles. The caller holds the write lock.
func (t *Table) endStream(tx *storage.Tx, settles time.Time) {
	if t.stream != nil {
		t.stream.End(tx, settles)
		t.stream = nil
	}
}

// EditStream is [stream.Stream.Edit] for a stream that the table may have.
func (t *Table) EditStream(of *stream.Stream, change func(*schema.Definition) error) (storage.Pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return of.Edit(change)
}

// Tend does what time alone does to the stream of the table, unless it is done.
func (t *Table) Tend(now time.Time) error {
	t.mu.RLock()
	due := t.stream != nil && t.stream.Untended(now)
	t.mu.RUnlock()
	if !due {
		return nil
	}
	return Wait(t.tend(now))
}

func (t *Table) tend(now time.Time) storage.Pending {
	t.mu.Lock()
	defer t.mu.Unlock()
	tx := new(storage.Tx)
	if t.stream != nil {
		t.stream.Tend(tx, now)
	}
	return t.store.Submit(tx)
}
