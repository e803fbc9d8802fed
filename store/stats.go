// SPDX-License-Identifier: Apache-2.0

package store

import (
	"sync/atomic"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/batch"
)

// Stats counts what got in the way of a table's calls since [New]. Its fields only
// grow. Calls, their time and their repetition by the SDK are the SDK's to count:
// its middleware, meters and tracers work beside the store and see ciphertext.
// Calls of AWS KMS are counted by awskms.Counter, and hits of a cache of branch
// keys by cache.Cache.Stats.
//
// Publish it with expvar.Func, or read it in the callback of an OpenTelemetry
// observable counter:
//
//	expvar.Publish("orders", expvar.Func(func() any { return orders.Stats() }))
type Stats struct {
	// Conflicts is the number of times that another writer was faster: attempts of
	// [Table.Update] that found the item changed, and writes that failed with
	// [ErrStaleVersion].
	Conflicts uint64
	// TransactionConflicts is the number of times that DynamoDB refused an operation
	// on an item because of a transaction that was under way on it.
	TransactionConflicts uint64
	// Repeated is the number of times that an item of a batch was sent, or asked
	// for, again, as DynamoDB had left it undone or throttled the call.
	Repeated uint64
	// Unreadable is the number of times that an item was read and could not be returned,
	// with an [*ItemError]: it did not verify, for example, or it is of another type. If
	// others may have changed the table, look at this count first.
	Unreadable uint64
}

// counters are the fields of [Stats]. Only the ways of errors touch them.
type counters struct{ conflicts, transactionConflicts, repeated, unreadable atomic.Uint64 }

// Stats returns the counts. It allocates nothing.
func (t *Table[T]) Stats() Stats {
	c := t.counts
	return Stats{Conflicts: c.conflicts.Load(), TransactionConflicts: c.transactionConflicts.Load(),
		Repeated: c.repeated.Load(), Unreadable: c.unreadable.Load()}
}

// unreadable counts an item that could not be returned, and makes its error.
func (c *core) unreadable(stored envelope.Item, err error) error {
	c.counts.unreadable.Add(1)
	return c.itemError(stored, err)
}

// again counts items that a batch sends again.
func (c *core) again(_ *batch.Table, items int) { c.counts.repeated.Add(uint64(items)) }

// metAnother counts the conflicts of a transaction with others by the tables of
// its n operations.
func metAnother(n int, tables func(int) *core) func(int) {
	return func(i int) {
		if i < n {
			tables(i).counts.transactionConflicts.Add(1)
		}
	}
}
