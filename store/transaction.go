// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/pace"
	"github.com/ddbseal/ddbseal/store/internal/redaction"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// maxOperations is DynamoDB's limit for one transaction.
const maxOperations = 100

// WriteOp is one operation of [TransactWrite], and of [BatchWrite] if it is a
// PutOp or DeleteOp without conditions. The methods PutOp, UpdateOp, DeleteOp,
// DeleteVersionOp and CheckOp of [Table] return it. It only describes the
// operation, so it may be used in any number of transactions and batches, also at
// the same time: each builds it again, and an UpdateOp reads the item again.
type WriteOp struct {
	core     *core
	build    func(context.Context) (types.TransactWriteItem, error)
	expected expectation                // but for the version of a put, which is in its item
	batch    func() (batchWrite, error) // nil if it cannot be in a batch
}

// PutOp is [Table.Put] in a transaction, or one item of [Table.BatchPut] in a
// batch.
func (t *Table[T]) PutOp(v T, conditions ...Condition) WriteOp {
	op := WriteOp{core: &t.core, build: func(ctx context.Context) (types.TransactWriteItem, error) {
		in, err := t.putInput(ctx, t.operand(v), conditions)
		if err != nil {
			return types.TransactWriteItem{}, err
		}
		return putOperation(in), nil
	}, expected: expecting(conditions)}
	if !anySet(conditions) {
		op.batch = func() (batchWrite, error) { return t.batchPut(t.operand(v)) }
	}
	return op
}

// UpdateOp is one attempt of [Table.Update] in a transaction: it reads and
// changes the item when the transaction is built, and the transaction is
// cancelled if the item changes before it runs. The names that the item lacks
// must fit into its condition: [ErrTooWide].
func (t *Table[T]) UpdateOp(k Key, change func(*T) error) WriteOp {
	return WriteOp{core: &t.core, build: func(ctx context.Context) (types.TransactWriteItem, error) {
		key, err := t.key(k)
		if err != nil {
			return types.TransactWriteItem{}, err
		}
		in, wide, _, err := prepare(ctx, t, key, change, false)
		if err == nil && wide != nil { // its answer would not show what others added
			err = fmt.Errorf("update of %s: %w in a transaction: use Update", t.name, ErrTooWide)
		}
		if err != nil {
			return types.TransactWriteItem{}, err
		}
		return putOperation(in), nil
	}, expected: expectation{version: noVersion}}
}

// DeleteOp is [Table.Delete] in a transaction, or one key of [Table.BatchDelete]
// in a batch. It removes the item whatever its version; see
// [Table.DeleteVersionOp].
func (t *Table[T]) DeleteOp(k Key, conditions ...Condition) WriteOp {
	op := t.keyOp(k, conditions, func(key envelope.Item, condition writeCondition) types.TransactWriteItem {
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &t.name, Key: key, ConditionExpression: condition.expression,
			ExpressionAttributeNames: condition.names, ExpressionAttributeValues: condition.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}}
	})
	if !anySet(conditions) {
		op.batch = func() (batchWrite, error) {
			key, err := t.key(k)
			return batchWrite{item: key}, err
		}
	}
	return op
}

// CheckOp cancels the transaction unless the item with the key meets all
// conditions; at least one is needed.
func (t *Table[T]) CheckOp(k Key, conditions ...Condition) WriteOp {
	return t.keyOp(k, conditions, func(key envelope.Item, condition writeCondition) types.TransactWriteItem {
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &t.name, Key: key, ConditionExpression: condition.expression,
			ExpressionAttributeNames: condition.names, ExpressionAttributeValues: condition.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}}
	})
}

func (c *core) keyOp(k Key, conditions []Condition,
	make func(envelope.Item, writeCondition) types.TransactWriteItem) WriteOp {
	return WriteOp{core: c, build: func(context.Context) (types.TransactWriteItem, error) {
		key, err := c.key(k)
		if err != nil {
			return types.TransactWriteItem{}, err
		}
		condition, err := c.condition(Condition{}, conditions)
		if err != nil {
			return types.TransactWriteItem{}, err
		}
		op := make(key, condition)
		if op.ConditionCheck != nil && !anySet(conditions) {
			return op, fmt.Errorf("%w: a check without a condition", ErrConfiguration)
		}
		return op, nil
	}, expected: expecting(conditions)}
}

func putOperation(in *dynamodb.PutItemInput) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName: in.TableName, Item: in.Item, ConditionExpression: in.ConditionExpression,
		ExpressionAttributeNames: in.ExpressionAttributeNames, ExpressionAttributeValues: in.ExpressionAttributeValues,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}}
}

// TransactWrite does all operations or none. They may be on several tables, of
// both modes, that client reaches; one item may occur once. All attempts share one
// token, under which DynamoDB does them once within ten minutes. The SDK
// repeats a call whose answer is lost; a transaction cancelled for conflicts or
// throttling alone runs again, up to eight times.
//
// Errors: [*TransactionError], which says that nothing was done, also after a
// lost answer; [ErrUncertain], around the SDK's error, if all operations may
// have been done; the errors of Put and Update, before the call; the SDK's, when
// nothing was done.
func TransactWrite(ctx context.Context, client Client, ops ...WriteOp) error {
	return transactWrite(ctx, client, newToken(), ops)
}

// maxTokenLength is DynamoDB's limit.
const maxTokenLength = 36

// TransactWriteOnce is [TransactWrite] under a token of the application, from 1 to
// 36 characters, such as the id of a message that may come twice. Within ten
// minutes DynamoDB does a transaction once for each token, whichever process asks.
//
// If the same operations come again under the token, the result is nil without a
// second write, as long as no table is in client-side mode and no operation
// depends on what it reads. Otherwise the repetition is another request, since
// each item is sealed under a key of its own, and the error is [ErrTokenUsed].
func TransactWriteOnce(ctx context.Context, client Client, token string, ops ...WriteOp) error {
	if token == "" || len(token) > maxTokenLength {
		return fmt.Errorf("%w: a token of %d bytes, from 1 to %d", ErrConfiguration, len(token), maxTokenLength)
	}
	err := transactWrite(ctx, client, &token, ops)
	var mismatch *types.IdempotentParameterMismatchException
	if errors.As(err, &mismatch) && !errors.Is(err, ErrUncertain) {
		return fmt.Errorf("%w: %w", ErrTokenUsed, err)
	}
	return err
}

func transactWrite(ctx context.Context, client Client, token *string, ops []WriteOp) error {
	if err := countOperations(len(ops)); err != nil {
		return err
	}
	in := &dynamodb.TransactWriteItemsInput{TransactItems: make([]types.TransactWriteItem, len(ops))}
	for i, op := range ops {
		if op.build == nil {
			return fmt.Errorf("%w: operation %d is empty", ErrConfiguration, i)
		}
		var err error
		if in.TransactItems[i], err = op.build(ctx); err != nil {
			return fmt.Errorf("operation %d of the transaction: %w", i, err)
		}
	}
	// One token for all calls, whatever client repeats them: DynamoDB does the
	// transaction once, and a cancellation holds for every attempt.
	in.ClientRequestToken = token
	tables := func(i int) *core { return ops[i].core }
	err := pace.Transaction(ctx, metAnother(len(ops), tables), func() error {
		var seen attempts.Observer
		_, err := client.TransactWriteItems(ctx, in, seen.Observe)
		var cancelled *types.TransactionCanceledException
		var running *types.TransactionInProgressException
		if err != nil && !errors.As(err, &cancelled) && (seen.Unclear() || errors.As(err, &running)) {
			return seen.Uncertain(err)
		}
		return err
	})
	if err != nil {
		err = transactionError(ctx, err, len(ops), tables)
		explainReasons(err, ops, in.TransactItems)
		return err
	}
	return nil
}

// ReadOp is one operation of [TransactGet] or [BatchGet]: what [Table.GetOp]
// returns.
type ReadOp interface {
	request() (*core, types.TransactGetItem, error)
	// take opens what was read, nothing if no item has the key.
	take(ctx context.Context, stored envelope.Item)
	// receive is take of an item that was opened, unless that failed.
	receive(stored, plain envelope.Item, err error)
	fail(err error)
	failure() error
}

// Read is the operation that reads one item of a [Table] in a transaction or a
// batch, and then its result. It may be used by one call at a time.
type Read[T any] struct {
	table *Table[T]
	key   Key
	value T
	err   error
}

// GetOp is [Table.Get] in a transaction or a batch.
func (t *Table[T]) GetOp(k Key) *Read[T] { return &Read[T]{table: t, key: k, err: errNotRead} }

// Result returns the item after [TransactGet] succeeded, or after [BatchGet]; the
// errors are those of [Table.Get], and after a failed BatchGet that of the call.
func (r *Read[T]) Result() (T, error) { return r.value, r.err }

func (r *Read[T]) request() (*core, types.TransactGetItem, error) {
	key, err := r.table.key(r.key)
	return &r.table.core, types.TransactGetItem{Get: &types.Get{TableName: &r.table.name, Key: key}}, err
}

func (r *Read[T]) take(ctx context.Context, stored envelope.Item) {
	if len(stored) == 0 {
		r.err = fmt.Errorf("get of %s: %w", r.table.name, ErrNotFound)
		return
	}
	r.value, r.err = decodeItem[T](ctx, &r.table.core, stored)
}

func (r *Read[T]) receive(stored, plain envelope.Item, err error) {
	r.err = decodeOpened(&r.table.core, searching.Found{Stored: stored, Plain: plain, Err: err}, view{}, &r.value)
}

func (r *Read[T]) fail(err error) {
	var zero T
	r.value, r.err = zero, err
}

func (r *Read[T]) failure() error { return r.err }

// TransactGet reads all items as they are at one moment. Each operation then has its
// own result: if an item does not open, only its operation has an error. Errors:
// [*TransactionError]; the SDK's.
func TransactGet(ctx context.Context, client Client, ops ...ReadOp) error {
	if err := countOperations(len(ops)); err != nil {
		return err
	}
	in := &dynamodb.TransactGetItemsInput{TransactItems: make([]types.TransactGetItem, len(ops))}
	cores := make([]*core, len(ops))
	for i, op := range ops {
		var err error
		if cores[i], in.TransactItems[i], err = op.request(); err != nil {
			return fmt.Errorf("operation %d of the transaction: %w", i, err)
		}
	}
	var out *dynamodb.TransactGetItemsOutput
	tables := func(i int) *core { return cores[i] }
	err := pace.Transaction(ctx, metAnother(len(ops), tables), func() (err error) {
		out, err = client.TransactGetItems(ctx, in)
		return err
	})
	if err != nil {
		return transactionError(ctx, err, len(ops), tables)
	}
	if len(out.Responses) != len(ops) {
		return fmt.Errorf("transaction: %d responses to %d operations", len(out.Responses), len(ops))
	}
	for i, op := range ops {
		op.take(ctx, out.Responses[i].Item)
	}
	return nil
}

func countOperations(n int) error {
	if n == 0 || n > maxOperations {
		return fmt.Errorf("%w: a transaction of %d operations, from 1 to %d", ErrConfiguration, n, maxOperations)
	}
	return nil
}

func transactionError(ctx context.Context, err error, n int, tables func(int) *core) error {
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return fmt.Errorf("transaction: %w", redaction.Answer(err))
	}
	out := &TransactionError{Err: err}
	for i, r := range cancelled.CancellationReasons {
		if i >= n {
			break
		}
		c := tables(i)
		reason := Reason{Table: c.name, Code: "None"}
		if r.Code != nil {
			reason.Code = *r.Code
		}
		reason.Item, reason.ItemErr = c.decryptExtra(ctx, r.Item)
		out.Reasons = append(out.Reasons, reason)
	}
	return out
}

// newToken returns a ClientRequestToken that no other transaction has.
func newToken() *string { return new(rand.Text()) }
