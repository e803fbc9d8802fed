// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/batch"
)

var (
	errNotSent = errors.New("not sent: the batch ended before")
	errNotRead = errors.New("the operation has not run")
)

// BatchWrite puts and deletes any number of items of several tables, of both
// modes, that client reaches, 25 in one call. ops come from [Table.PutOp] and
// [Table.DeleteOp], without conditions. Unlike a transaction, a batch is not
// atomic: each item is. The calls take turns, or run at the same time, as many as
// the greatest [BatchConcurrency] of the tables says. As [Table.BatchPut] does, a
// batch sends again what DynamoDB leaves undone, checks neither versions nor
// entities, and refuses two operations on one item.
//
// rest has the operations that are not known to be done, in their order, for another
// call of BatchWrite. It is empty exactly when err is nil. Errors: [*BatchError], whose
// Items have the error of each operation in rest, by its index in ops. An operation was
// not done unless its error matches [ErrUncertain].
func BatchWrite(ctx context.Context, client Client, ops ...WriteOp) (rest []WriteOp, err error) {
	b := &batchTables{}
	writes := make([]batchWrite, len(ops))
	entries := make([]batch.Entry, len(ops))
	seen := make(map[string]int, len(ops))
	for i, op := range ops {
		if writes[i], err = op.inBatch(); err == nil {
			entries[i], err = b.entry(op.core, writes[i].item)
		}
		if err == nil {
			err = seenBefore(seen, entries[i].ID(), i)
		}
		if err != nil {
			return ops, b.refused(len(ops), i, err)
		}
	}
	var mu sync.Mutex
	failed := map[int]error{} // of the operations that could not be sealed
	left, err := b.sender(client).Write(ctx, entries,
		func(ctx context.Context, from int, chunk []batch.Entry) ([]types.WriteRequest, error) {
			requests, errs := sealBatch(ctx, ops[from:from+len(chunk)], writes[from:from+len(chunk)])
			mu.Lock()
			defer mu.Unlock()
			for i, err := range errs {
				failed[from+i] = err
			}
			for _, i := range slices.Sorted(maps.Keys(errs)) {
				return nil, fmt.Errorf("operation %d of the batch: %w", from+i, errs[i])
			}
			return requests, nil
		})
	if err == nil {
		return nil, nil
	}
	out := &BatchError{Table: b.Names(), Done: len(ops) - len(left), Total: len(ops), Items: make(map[int]error,
		len(left)), Err: err, writes: true}
	for _, l := range left {
		out.Items[l.Index] = cmp.Or(l.Err, failed[l.Index], errNotSent)
	}
	return batch.Pick(ops, left), out
}

// batchWrite is a [WriteOp] in a batch.
type batchWrite struct {
	item envelope.Item // plaintext, or a key
	put  bool
}

// inBatch returns what the operation does in a batch.
func (op WriteOp) inBatch() (batchWrite, error) {
	switch {
	case op.build == nil:
		return batchWrite{}, fmt.Errorf("%w: the operation is empty", ErrConfiguration)
	case op.batch == nil:
		return batchWrite{}, fmt.Errorf("%w: a batch takes PutOp and DeleteOp without conditions: use TransactWrite",
			ErrConfiguration)
	}
	return op.batch()
}

// batchPut is a put of v, a value of the table's type or a pointer to one, in a
// batch.
func (c *core) batchPut(v any) (batchWrite, error) {
	if err := c.checkBatchable(); err != nil {
		return batchWrite{}, err
	}
	item, err := c.marshal(v)
	if err == nil {
		err = c.valid(item, v)
	}
	return batchWrite{item, true}, err
}

// checkBatchable refuses to put values with a version in a batch.
func (c *core) checkBatchable() error {
	if c.plan.Version == nil {
		return nil
	}
	return fmt.Errorf("%w: a batch cannot check the version of %s: use Put, Update or TransactWrite", ErrConfiguration,
		c.plan.TypeName)
}

// sealBatch makes the requests of operations. Those of one table are encrypted in
// parallel. The errors are by the index of the operation.
func sealBatch(ctx context.Context, ops []WriteOp, writes []batchWrite) ([]types.WriteRequest, map[int]error) {
	requests := make([]types.WriteRequest, len(ops))
	puts := map[*core][]int{}
	for i, w := range writes {
		if w.put {
			puts[ops[i].core] = append(puts[ops[i].core], i)
		} else {
			requests[i].DeleteRequest = &types.DeleteRequest{Key: w.item}
		}
	}
	failed := map[int]error{}
	for c, places := range puts {
		plain := make([]envelope.Item, len(places))
		for j, i := range places {
			plain[j] = writes[i].item
		}
		stored, errs := c.sealAll(ctx, plain)
		for j, i := range places {
			if errs != nil && errs[j] != nil {
				failed[i] = errs[j]
			} else if errs == nil {
				requests[i].PutRequest = &types.PutRequest{Item: stored[j]}
			}
		}
	}
	return requests, failed
}

// BatchGet reads any number of items of several tables, of both modes, that client
// reaches, 100 in one call, strongly consistent. Unlike [TransactGet], it does not read
// them as they are at one moment. A key may occur several times. What DynamoDB leaves
// unread is asked for again, and calls run at the same time, as [BatchWrite] does.
//
// Each operation then has its own result. If the item does not exist, the result is
// [ErrNotFound], which is not an error of the batch. Errors: [*BatchError], whose
// Items have the errors of the operations on items that were not read or do not
// open, by their index in ops.
func BatchGet(ctx context.Context, client Client, ops ...ReadOp) error {
	b := &batchTables{}
	r := &batchRead{ops: ops, cores: make([]*core, len(ops)), at: make(map[string][]int, len(ops)),
		read: make([]bool, len(ops))}
	var unique []batch.Entry
	for _, op := range ops {
		if op != nil {
			op.fail(errNotRead)
		}
	}
	for i, op := range ops {
		if op == nil {
			return b.refused(len(ops), i, fmt.Errorf("%w: the operation is empty", ErrConfiguration))
		}
		c, in, err := op.request()
		var e batch.Entry
		if err == nil {
			e, err = b.entry(c, in.Get.Key)
		}
		if err != nil {
			return b.refused(len(ops), i, err)
		}
		id := e.ID()
		if r.at[id] == nil {
			unique = append(unique, e)
		}
		r.at[id], r.cores[i] = append(r.at[id], i), c
	}
	left, err := b.sender(client).Get(ctx, unique,
		func(t *batch.Table, stored []envelope.Item) error { return r.take(ctx, t, stored) })
	for _, l := range left {
		for _, i := range r.at[unique[l.Index].ID()] {
			ops[i].fail(fmt.Errorf("get of %s: %w", r.cores[i].name, cmp.Or(l.Err, errNotSent)))
			r.read[i] = true
		}
	}
	out := &BatchError{Table: b.Names(), Done: len(ops), Total: len(ops), Items: map[int]error{}, Err: err}
	for i, op := range ops {
		if !r.read[i] { // no answer had the item
			op.take(ctx, nil)
		} else if err := op.failure(); err != nil {
			out.Items[i] = err
		}
	}
	out.Done -= len(out.Items)
	if err == nil && len(out.Items) == 0 {
		return nil
	}
	return out
}

// batchRead hands the items of a batch to its operations.
type batchRead struct {
	ops   []ReadOp
	cores []*core
	at    map[string][]int // the operations on one item, by its id
	mu    sync.Mutex       // guards the results
	read  []bool
}

// take opens items of one table, and items of one type in parallel.
func (r *batchRead) take(ctx context.Context, t *batch.Table, stored []envelope.Item) error {
	ids := make([]string, len(stored))
	groups := map[*core][]int{}
	for j, item := range stored {
		ids[j] = batch.Entry{Table: t, Item: item}.ID()
		for _, i := range r.at[ids[j]] {
			group := groups[r.cores[i]]
			if len(group) == 0 || group[len(group)-1] != j {
				groups[r.cores[i]] = append(group, j)
			}
		}
	}
	for c, group := range groups {
		part := make([]envelope.Item, len(group))
		for k, j := range group {
			part[k] = stored[j]
		}
		plain, errs := c.decryptAll(ctx, part)
		if err := ctx.Err(); err != nil { // not the items' errors, then
			return c.callError("batch get", err)
		}
		r.mu.Lock()
		for k, j := range group {
			for _, i := range r.at[ids[j]] {
				if r.cores[i] == c {
					r.ops[i].receive(part[k], plain[k], errs[k])
					r.read[i] = true
				}
			}
		}
		r.mu.Unlock()
	}
	return nil
}

// batchTables are the tables of a batch, whose items have one or several types.
type batchTables struct {
	batch.Set
	first       map[*batch.Table]*core // the first type of each
	concurrency int
}

// entry is an item of a table, or its key.
func (b *batchTables) entry(c *core, item envelope.Item) (batch.Entry, error) {
	t, err := b.Add(c.name, c.plan.Keys(), c.plan.KeyText)
	if err != nil {
		return batch.Entry{}, err
	}
	if b.first == nil {
		b.first = map[*batch.Table]*core{}
	}
	if b.first[t] == nil {
		b.first[t], t.Eventually = c, true
	}
	t.Eventually = t.Eventually && c.eventually // one table may read for several
	b.concurrency = max(b.concurrency, c.options.concurrency)
	return batch.Entry{Table: t, Item: item}, nil
}

// sender returns what sends the batch.
func (b *batchTables) sender(client Client) *batch.Sender {
	return &batch.Sender{Client: client, Concurrency: b.concurrency,
		Fail:  func(call string, err error) error { return callError(call, b.Names(), err) },
		Again: func(t *batch.Table, items int) { b.first[t].again(t, items) }}
}

// refused is the error of an operation because of which nothing was sent.
func (b *batchTables) refused(total, i int, err error) error {
	out := &BatchError{Table: b.Names(), Total: total, Items: make(map[int]error, total), writes: true,
		Err: fmt.Errorf("operation %d of the batch: %w", i, err)}
	for k := range total {
		out.Items[k] = errNotSent
	}
	out.Items[i] = err
	return out
}
