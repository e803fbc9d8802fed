package store

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/pace"
)

// DynamoDB's limits for one call.
const (
	batchWriteSize = 25
	batchGetSize   = 100
)

// BatchError says how far a batch came. It matches [ErrUnprocessed] when
// DynamoDB left a part undone, [ErrUncertain] when items that are not counted in
// Done may have been written, and wraps the error that ended the batch.
type BatchError struct {
	Table string
	// Done counts the items that were written, or read.
	Done, Total int
	// Items has, for a read, the [*ItemError] of items that do not open, by
	// the index of their key.
	Items map[int]error
	Err   error // nil if only Items has errors
}

// Error says how many were done, and why not all.
func (e *BatchError) Error() string {
	s := fmt.Sprintf("batch on %s: %d of %d done", e.Table, e.Done, e.Total)
	if len(e.Items) > 0 {
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

// BatchPut writes any number of items, 25 in one call, replacing items of the
// same keys. What DynamoDB leaves undone or throttles is sent again after pauses
// that grow to a few seconds, until ctx ends or a minute passes without progress.
// rest are the items not known to be written, in their order; it is empty
// exactly when err is nil. If err matches [ErrUncertain], items of rest that
// were in the last call may have been written, as its answer was lost; writing
// them again does no harm unless another writer changed them in between.
//
// A batch has no conditions, so it is refused for types with a version
// ([ErrConfiguration]), as are two items of one key. Nor can it check entities:
// it replaces an item of another entity under the same key. As Put does, it
// drops attributes that T lacks, and beacons. Errors: [*BatchError].
func (t *Table[T]) BatchPut(ctx context.Context, items []T) (rest []T, err error) {
	if t.plan.version != nil {
		return items, fmt.Errorf("%w: a batch cannot check the version of %s: use Put, Update or TransactWrite",
			ErrConfiguration, t.plan.typeName)
	}
	plain := make([]envelope.Item, len(items))
	seen := make(map[string]int, len(items))
	for i := range items {
		if plain[i], err = t.marshal(&items[i]); err != nil {
			return items, &BatchError{Table: t.name, Total: len(items),
				Err: fmt.Errorf("item %d of the batch: %w", i, err)}
		}
		if err := seenBefore(seen, t.plan.keyText(plain[i]), i); err != nil {
			return items, &BatchError{Table: t.name, Total: len(items), Err: err}
		}
	}
	left, err := t.batchWrite(ctx, plain,
		func(ctx context.Context, from int, chunk []envelope.Item) ([]types.WriteRequest, error) {
			stored, err := t.encryptAll(ctx, from, chunk)
			requests := make([]types.WriteRequest, len(stored))
			for i := range stored {
				requests[i].PutRequest = &types.PutRequest{Item: stored[i]}
			}
			return requests, err
		})
	return pick(items, left), err
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
		if err := seenBefore(seen, t.plan.keyText(items[i]), i); err != nil {
			return keys, &BatchError{Table: t.name, Total: len(keys), Err: err}
		}
	}
	left, err := t.batchWrite(ctx, items,
		func(_ context.Context, _ int, chunk []envelope.Item) ([]types.WriteRequest, error) {
			requests := make([]types.WriteRequest, len(chunk))
			for i := range chunk {
				requests[i].DeleteRequest = &types.DeleteRequest{Key: chunk[i]}
			}
			return requests, nil
		})
	return pick(keys, left), err
}

func seenBefore(seen map[string]int, key string, i int) error {
	if j, has := seen[key]; has {
		return fmt.Errorf("%w: items %d and %d of the batch have the same key", ErrConfiguration, j, i)
	}
	seen[key] = i
	return nil
}

func pick[E any](all []E, indexes []int) []E {
	if len(indexes) == 0 {
		return nil
	}
	out := make([]E, len(indexes))
	for i, at := range indexes {
		out[i] = all[at]
	}
	return out
}

func (c *core) batchKeys(keys []Key) ([]envelope.Item, error) {
	items := make([]envelope.Item, len(keys))
	for i, k := range keys {
		var err error
		if items[i], err = c.plan.key(k); err != nil {
			return nil, fmt.Errorf("key %d of the batch: %w", i, err)
		}
	}
	return items, nil
}

// batchWrite sends items in chunks and returns the indexes of those not known
// to be written, in ascending order.
func (c *core) batchWrite(ctx context.Context, items []envelope.Item,
	requests func(ctx context.Context, from int, chunk []envelope.Item) ([]types.WriteRequest, error)) (left []int,
	err error) {
	for from := 0; from < len(items); from += batchWriteSize {
		chunk := items[from:min(from+batchWriteSize, len(items))]
		waiting, err := requests(ctx, from, chunk)
		if err == nil {
			waiting, err = c.writeChunk(ctx, waiting)
		} else {
			waiting = nil
			for i := range chunk {
				left = append(left, from+i)
			}
		}
		if err == nil {
			continue
		}
		undone := make(map[string]bool, len(waiting))
		for _, r := range waiting {
			undone[c.plan.keyText(requestItem(r))] = true
		}
		for i := range chunk {
			if undone[c.plan.keyText(chunk[i])] {
				left = append(left, from+i)
			}
		}
		for i := from + len(chunk); i < len(items); i++ {
			left = append(left, i)
		}
		return left, &BatchError{Table: c.name, Done: len(items) - len(left), Total: len(items), Err: err}
	}
	return nil, nil
}

func requestItem(r types.WriteRequest) envelope.Item {
	if r.PutRequest != nil {
		return r.PutRequest.Item
	}
	return r.DeleteRequest.Key
}

// writeChunk sends one chunk until nothing of it is left; the requests it
// returns with an error are not known to be done. The error matches
// [ErrUncertain] if an attempt without an answer may have done them.
func (c *core) writeChunk(ctx context.Context, waiting []types.WriteRequest) ([]types.WriteRequest, error) {
	var p pace.Batch
	var lost *attempts.Observer // a call of which an attempt may have written
	for {
		var seen attempts.Observer
		out, err := c.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{c.name: waiting},
		}, seen.Observe)
		if err != nil && seen.Unclear() || err == nil && seen.Repeated() {
			lost = &seen
		}
		progress := false
		if err == nil {
			left := c.still(waiting, only(out.UnprocessedItems))
			if len(left) == 0 {
				return nil, nil
			}
			progress = len(left) < len(waiting)
			waiting = left
		}
		if err == nil || pace.Throttled(err) {
			if err = p.Wait(ctx, progress, err); err == nil {
				continue
			}
		}
		if lost != nil {
			return waiting, fmt.Errorf("batch write of %s: %w", c.name, lost.Uncertain(err))
		}
		return waiting, c.callError("batch write", err)
	}
}

// still returns the requests that an answer leaves undone. It takes them from
// what was sent, so an answer that repeats a request or names another item
// causes no other write.
func (c *core) still(waiting, unprocessed []types.WriteRequest) []types.WriteRequest {
	if len(unprocessed) == 0 {
		return nil
	}
	undone := make(map[string]bool, len(unprocessed))
	for _, r := range unprocessed {
		if r.PutRequest != nil || r.DeleteRequest != nil {
			undone[c.plan.keyText(requestItem(r))] = true
		}
	}
	var left []types.WriteRequest
	for _, r := range waiting {
		if undone[c.plan.keyText(requestItem(r))] {
			left = append(left, r)
		}
	}
	return left
}

// only takes what an answer says of the one table in the request: it may call
// by its name what was asked by its ARN.
func only[V any](answers map[string]V) (v V) {
	for _, v = range answers {
	}
	return v
}

// BatchGet reads any number of items by their keys, 100 in one call, strongly
// consistent. The result has the order of keys, and nil where no item has the
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
		k := t.plan.keyText(items[i])
		if at[k] == nil {
			unique = append(unique, items[i])
		}
		at[k] = append(at[k], i)
	}
	result := make([]*T, len(keys))
	failed := &BatchError{Table: t.name, Total: len(keys), Items: map[int]error{}}
	for from := 0; from < len(unique) && failed.Err == nil; from += batchGetSize {
		chunk := unique[from:min(from+batchGetSize, len(unique))]
		pending := make(map[string]bool, len(chunk))
		for _, k := range chunk {
			pending[t.plan.keyText(k)] = true
		}
		var left []envelope.Item
		left, failed.Err = t.getChunk(ctx, chunk, func(stored []envelope.Item) error {
			values, errs := decodePage[T](ctx, &t.core, stored, view{})
			if err := ctx.Err(); err != nil { // not the items' errors, then
				return t.callError("batch get", err)
			}
			for i := range stored {
				for _, j := range at[t.plan.keyText(stored[i])] {
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
		for _, k := range left {
			delete(pending, t.plan.keyText(k))
		}
		for k := range pending {
			failed.Done += len(at[k])
		}
	}
	failed.Done -= len(failed.Items)
	if failed.Err != nil || len(failed.Items) > 0 {
		return result, failed
	}
	return result, nil
}

// getChunk reads up to 100 items and hands them over as they come; the keys it
// returns with an error were not read.
func (c *core) getChunk(ctx context.Context, waiting []envelope.Item,
	take func([]envelope.Item) error) ([]envelope.Item, error) {
	var p pace.Batch
	for {
		out, err := c.client.BatchGetItem(ctx,
			&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				c.name: {Keys: waiting, ConsistentRead: new(true)},
			}})
		progress := false
		switch {
		case err == nil:
			if err := take(only(out.Responses)); err != nil {
				return waiting, err
			}
			left := only(out.UnprocessedKeys).Keys
			if len(left) == 0 {
				return nil, nil
			}
			progress = len(left) < len(waiting)
			waiting = left
		case !pace.Throttled(err):
			return waiting, c.callError("batch get", err)
		}
		if err := p.Wait(ctx, progress, err); err != nil {
			return waiting, fmt.Errorf("batch get of %s: %w", c.name, err)
		}
	}
}
