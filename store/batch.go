// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/batch"
)

// BatchError says how far a batch came. It matches [ErrUnprocessed] when
// DynamoDB left a part undone, [ErrUncertain] when items that are not counted in
// Done may have been written, and wraps the error that ended the batch.
type BatchError struct {
	// Table is the table's name; names of several are separated by commas.
	Table string
	// Done counts the items that were written, or read.
	Done, Total int
	// Items has, for [Table.BatchGet], the [*ItemError] of items that do not open,
	// by the index of their key, and for [BatchGet] and [BatchWrite] the error of
	// each operation that is not known to be done, by its index.
	Items map[int]error
	Err   error // nil if only Items has errors

	writes bool
}

// Error says how many were done, and why not all.
func (e *BatchError) Error() string {
	s := fmt.Sprintf("batch on %s: %d of %d done", e.Table, e.Done, e.Total)
	if len(e.Items) > 0 && !e.writes {
		s += fmt.Sprintf(", %d items cannot be read", len(e.Items))
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the errors of the batch and of its items.
func (e *BatchError) Unwrap() []error {
	var out []error
	if e.Err != nil {
		out = append(out, e.Err)
	}
	for _, err := range e.Items {
		out = append(out, err)
	}
	return out
}

// BatchPut writes any number of items, 25 in one call, replacing items of the same
// keys. What DynamoDB leaves undone or throttles is sent again after pauses that grow
// to a few seconds, until ctx ends or a minute passes without progress. rest has the
// items that are not known to be written, in their order. It is empty exactly when err
// is nil. If err matches [ErrUncertain], items of rest that were in the last call may
// have been written, as its answer was lost; writing them again does no harm unless
// another writer changed them in between.
//
// A batch has no conditions, so it is refused for types with a version
// ([ErrConfiguration]), as are two items of one key. Nor can it check entities:
// it replaces an item of another entity under the same key. As Put does, it
// drops attributes that T lacks, and beacons. Errors: [*BatchError].
func (t *Table[T]) BatchPut(ctx context.Context, items []T) (rest []T, err error) {
	if err := t.checkBatchable(); err != nil {
		return items, err
	}
	plain := make([]envelope.Item, len(items))
	seen := make(map[string]int, len(items))
	for i := range items {
		if plain[i], err = t.marshal(&items[i]); err == nil {
			err = t.valid(plain[i], &items[i])
		}
		if err != nil {
			return items, &BatchError{Table: t.name, Total: len(items),
				Err: fmt.Errorf("item %d of the batch: %w", i, err)}
		}
		if err := seenBefore(seen, t.plan.KeyText(plain[i]), i); err != nil {
			return items, &BatchError{Table: t.name, Total: len(items), Err: err}
		}
	}
	left, err := t.batchWrite(ctx, plain,
		func(ctx context.Context, from int, chunk []batch.Entry) ([]types.WriteRequest, error) {
			stored, err := t.encryptAll(ctx, from, plain[from:from+len(chunk)])
			requests := make([]types.WriteRequest, len(stored))
			for i := range stored {
				requests[i].PutRequest = &types.PutRequest{Item: stored[i]}
			}
			return requests, err
		})
	return batch.Pick(items, left), err
}

// BatchDelete removes any number of items by their keys, as [Table.BatchPut]
// writes them. A batch has no conditions: it removes items whatever their
// version, and items of other entities. [Table.DeleteVersion] compares versions,
// and [Table.Delete] checks the entity.
func (t *Table[T]) BatchDelete(ctx context.Context, keys []Key) (rest []Key, err error) {
	items, err := t.batchKeys(keys)
	if err != nil {
		return keys, &BatchError{Table: t.name, Total: len(keys), Err: err}
	}
	seen := make(map[string]int, len(keys))
	for i := range items {
		if err := seenBefore(seen, t.plan.KeyText(items[i]), i); err != nil {
			return keys, &BatchError{Table: t.name, Total: len(keys), Err: err}
		}
	}
	left, err := t.batchWrite(ctx, items,
		func(_ context.Context, _ int, chunk []batch.Entry) ([]types.WriteRequest, error) {
			requests := make([]types.WriteRequest, len(chunk))
			for i := range chunk {
				requests[i].DeleteRequest = &types.DeleteRequest{Key: chunk[i].Item}
			}
			return requests, nil
		})
	return batch.Pick(keys, left), err
}

func seenBefore(seen map[string]int, key string, i int) error {
	if j, has := seen[key]; has {
		return fmt.Errorf("%w: items %d and %d of the batch have the same key", ErrConfiguration, j, i)
	}
	seen[key] = i
	return nil
}

func (c *core) batchKeys(keys []Key) ([]envelope.Item, error) {
	items := make([]envelope.Item, len(keys))
	for i, k := range keys {
		var err error
		if items[i], err = c.key(k); err != nil {
			return nil, fmt.Errorf("key %d of the batch: %w", i, err)
		}
	}
	return items, nil
}

// sender returns what sends the table's batches, and the table as it knows it.
func (c *core) sender() (*batch.Sender, *batch.Table) {
	return &batch.Sender{Client: c.client, Fail: c.callError, Concurrency: c.options.concurrency, Again: c.again},
		&batch.Table{Name: c.name, Plain: c.name, Key: c.plan.KeyText, Eventually: c.eventually}
}

// batchWrite sends items in chunks and returns those not known to be written, in
// ascending order.
func (c *core) batchWrite(ctx context.Context, items []envelope.Item, requests batch.Requests) ([]batch.Left, error) {
	sender, table := c.sender()
	left, err := sender.Write(ctx, batch.Entries(table, items), requests)
	if err != nil {
		err = &BatchError{Table: c.name, Done: len(items) - len(left), Total: len(items), Err: err}
	}
	return left, err
}

// BatchGet reads any number of items by their keys, 100 in one call, strongly
// consistent unless [ConsistentReads] says otherwise. The result has the order of keys, and nil where no item has the
// key; a key may occur several times. What DynamoDB leaves unread or throttles
// is asked for again as [Table.BatchPut] does. A [*BatchError] says what else is
// missing: items that do not open, and those not read when the batch ended
// early.
func (t *Table[T]) BatchGet(ctx context.Context, keys []Key) ([]*T, error) {
	items, err := t.batchKeys(keys)
	if err != nil {
		return make([]*T, len(keys)), &BatchError{Table: t.name, Total: len(keys), Err: err}
	}
	at := make(map[string][]int, len(keys))
	unique := make([]envelope.Item, 0, len(keys))
	for i := range items {
		k := t.plan.KeyText(items[i])
		if at[k] == nil {
			unique = append(unique, items[i])
		}
		at[k] = append(at[k], i)
	}
	result := make([]*T, len(keys))
	failed := &BatchError{Table: t.name, Total: len(keys), Items: map[int]error{}}
	var mu sync.Mutex
	sender, table := t.sender()
	left, err := sender.Get(ctx, batch.Entries(table, unique), func(_ *batch.Table, stored []envelope.Item) error {
		values, errs := decodePage[T](ctx, &t.core, stored, view{})
		if err := ctx.Err(); err != nil { // not the items' errors, then
			return t.callError("batch get", err)
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range stored {
			for _, j := range at[t.plan.KeyText(stored[i])] {
				if errs[i] != nil {
					failed.Items[j] = errs[i]
				} else {
					v := values[i]
					result[j] = &v
				}
			}
		}
		return nil
	})
	failed.Err, failed.Done = err, len(keys)
	for _, l := range left {
		failed.Done -= len(at[t.plan.KeyText(unique[l.Index])])
	}
	failed.Done -= len(failed.Items)
	if failed.Err != nil || len(failed.Items) > 0 {
		return result, failed
	}
	return result, nil
}
