// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
)

func (c *Client) transactGet(ctx context.Context, in dynamodb.TransactGetItemsInput, o *call) (any, error) {
	type sent struct {
		*table
		projection
	}
	encrypted := make([]sent, len(in.TransactItems))
	requests := make([]types.TransactGetItem, len(in.TransactItems))
	for i, r := range in.TransactItems {
		requests[i] = r
		if r.Get == nil {
			continue
		}
		t, err := c.table("TransactGetItems", r.Get.TableName)
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		p, err := t.soleProjection(r.Get.ProjectionExpression, r.Get.ExpressionAttributeNames)
		if err != nil {
			return nil, err
		}
		if err := t.key("Key", r.Get.Key); err != nil {
			return nil, err
		}
		get := *r.Get
		get.ProjectionExpression, get.ExpressionAttributeNames = p.expression, p.names
		requests[i].Get, encrypted[i] = &get, sent{t, p}
	}
	if in.TransactItems != nil {
		in.TransactItems = requests
	}
	result, err := o.send(&in)
	if err != nil {
		return nil, err
	}
	out := result.(*dynamodb.TransactGetItemsOutput)
	if len(out.Responses) != len(encrypted) {
		return nil, &Error{Operation: "TransactGetItems",
			Err: fmt.Errorf("%d responses to %d operations", len(out.Responses), len(encrypted))}
	}
	for i, s := range encrypted { // by position: a response names no table
		if s.table == nil || len(out.Responses[i].Item) == 0 {
			continue
		}
		plain, err := s.open(ctx, out.Responses[i].Item)
		if err != nil {
			return nil, err
		}
		out.Responses[i].Item = s.apply(plain)
	}
	return out, nil
}

// transactOp is what is known of one operation of a transaction when its
// answer comes.
type transactOp struct {
	*table              // nil: not encrypted
	guarded, asked bool // an update under our condition; the caller wants the item of a failed one
}

func (c *Client) transactWrite(ctx context.Context, in dynamodb.TransactWriteItemsInput, o *call) (any, error) {
	ops := make([]transactOp, len(in.TransactItems))
	requests := make([]types.TransactWriteItem, len(in.TransactItems))
	fresh := false // whether sealing makes it another request each time
	for i, given := range in.TransactItems {
		var err error
		if requests[i], ops[i], err = c.transactItem(given); err != nil {
			return nil, inOperation(i, err)
		}
		fresh = fresh || ops[i].table != nil && given.Put != nil
	}
	seal := func() ([]envelope.Item, error) {
		items := make([]envelope.Item, len(requests))
		for i, r := range requests {
			if ops[i].table == nil || r.Put == nil {
				continue
			}
			var err error
			if items[i], err = ops[i].seal(ctx, r.Put.Item); err != nil {
				return nil, err
			}
		}
		return items, nil
	}
	var sealed []envelope.Item
	var err error
	ended := outcomeUnclear
	if in.ClientRequestToken != nil && fresh {
		var done func(outcome)
		if sealed, done, err = c.tokens.sealed(*in.ClientRequestToken, in.TransactItems, seal); err != nil {
			return nil, err
		}
		defer func() { done(ended) }()
	} else if sealed, err = seal(); err != nil {
		return nil, err
	}
	for i, item := range sealed {
		if item != nil {
			put := *requests[i].Put
			put.Item = item
			requests[i].Put = &put
		}
	}
	if in.TransactItems != nil {
		in.TransactItems = requests
	}
	result, err := o.send(&in)
	if err != nil {
		ended, err = o.transactionFailed(ctx, err, ops)
		return nil, err
	}
	ended = outcomeDone
	return result, nil
}

// transactionFailed tells what a failed transaction may have done. All attempts
// have one token, so a cancellation is definite even after lost answers.
func (o *call) transactionFailed(ctx context.Context, err error, ops []transactOp) (outcome, error) {
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		return outcomeCancelled, cancelled(ctx, err, canceled, ops)
	}
	encrypted := slices.IndexFunc(ops, func(op transactOp) bool { return op.table != nil })
	if encrypted < 0 {
		return outcomeNothing, err
	}
	var mismatch *types.IdempotentParameterMismatchException
	if errors.As(err, &mismatch) {
		return outcomeNothing, &Error{Operation: o.operation, Err: fmt.Errorf("%w: %w", ErrTokenMismatch, err)}
	}
	var running *types.TransactionInProgressException
	if o.Open() || errors.As(err, &running) {
		return outcomeUnclear, &Error{Operation: o.operation, Err: fmt.Errorf("%w: %w", store.ErrUncertain, err)}
	}
	return outcomeNothing, err
}

// transactItem checks one operation and prepares all of it but the sealing.
func (c *Client) transactItem(given types.TransactWriteItem) (out types.TransactWriteItem, op transactOp, err error) {
	members := 0
	for _, set := range []bool{given.Put != nil, given.Delete != nil, given.ConditionCheck != nil,
		given.Update != nil} {
		if set {
			members++
		}
	}
	if members != 1 { // a second one would not be sealed
		return out, op, fmt.Errorf("%w: it has %d of Put, Delete, ConditionCheck and Update, and must have one",
			ErrRefused, members)
	}
	out = given
	find := func(name *string) bool {
		op.table, err = c.table("TransactWriteItems", name)
		return op.table != nil
	}
	switch {
	case given.Put != nil:
		if find(given.Put.TableName) {
			op.asked = true
			p := given.Put
			err = op.oneCondition(p.ConditionExpression, p.ExpressionAttributeNames, p.ExpressionAttributeValues)
		}
	case given.Delete != nil:
		if find(given.Delete.TableName) {
			op.asked = true
			d := given.Delete
			err = op.keyed(d.Key, d.ConditionExpression, d.ExpressionAttributeNames, d.ExpressionAttributeValues)
		}
	case given.ConditionCheck != nil:
		if find(given.ConditionCheck.TableName) {
			op.asked = true
			c := given.ConditionCheck
			err = op.keyed(c.Key, c.ConditionExpression, c.ExpressionAttributeNames, c.ExpressionAttributeValues)
		}
	default: // Update
		if find(given.Update.TableName) {
			out.Update, err = op.update(*given.Update)
		}
	}
	return out, op, err
}

// inOperation says which operation of a transaction an error is about.
func inOperation(i int, err error) error {
	var own *Error
	if !errors.As(err, &own) {
		own = &Error{Operation: "TransactWriteItems", Err: err}
	}
	own.Err = fmt.Errorf("operation %d: %w", i, own.Err)
	return own
}

// keyed checks an operation that has a key and a condition.
func (op *transactOp) keyed(key envelope.Item, condition *string, names map[string]string, values envelope.Item) error {
	if err := op.key("Key", key); err != nil {
		return err
	}
	return op.oneCondition(condition, names, values)
}

// update checks an update and returns it under the condition that the item is
// there.
func (op *transactOp) update(u types.Update) (*types.Update, error) {
	if err := op.key("Key", u.Key); err != nil {
		return nil, err
	}
	g, err := op.guard(u.UpdateExpression, u.ConditionExpression, u.ExpressionAttributeNames,
		u.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	op.guarded = !g.free
	op.asked = u.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld
	u.ConditionExpression, u.ExpressionAttributeNames = g.expression, g.names
	if op.guarded {
		u.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	return &u, nil
}

// cancelled decrypts, in place, the items in the reasons of a cancelled
// transaction, and names updates that met no item.
func cancelled(ctx context.Context, err error, c *types.TransactionCanceledException, ops []transactOp) error {
	for i := range c.CancellationReasons {
		if i >= len(ops) || ops[i].table == nil {
			continue
		}
		r, op := &c.CancellationReasons[i], ops[i]
		if op.guarded && r.Code != nil && *r.Code == "ConditionalCheckFailed" && op.missed(r.Item) {
			target := updateTarget(r.Item)
			r.Item = nil
			err = fmt.Errorf("%w: %w", op.fail(fmt.Errorf("operation %d: %w", i, target)), err)
			continue
		}
		if !op.asked {
			r.Item = nil
		}
		var item envelope.Item
		var bad error
		if item, bad = op.open(ctx, r.Item); bad != nil {
			err = fmt.Errorf("%w; item of operation %d: %w", err, i, bad)
		}
		r.Item = item
	}
	return err
}
