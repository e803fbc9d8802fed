package transparent

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

func (c *Client) transactGet(ctx context.Context, in dynamodb.TransactGetItemsInput, send sender) (any, error) {
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
		s, err := t.scope(r.Get.ExpressionAttributeNames, nil)
		if err != nil {
			return nil, err
		}
		p, err := t.project(s, r.Get.ProjectionExpression, r.Get.ExpressionAttributeNames)
		if err != nil {
			return nil, err
		}
		get := *r.Get
		get.ProjectionExpression, get.ExpressionAttributeNames = p.expression, p.names
		requests[i].Get, encrypted[i] = &get, sent{t, p}
	}
	if in.TransactItems != nil {
		in.TransactItems = requests
	}
	result, err := send(&in)
	if err != nil {
		return nil, err
	}
	out := result.(*dynamodb.TransactGetItemsOutput)
	if len(out.Responses) != len(encrypted) {
		return nil, &Error{Operation: "TransactGetItems", Err: fmt.Errorf("%d responses to %d operations", len(out.Responses), len(encrypted))}
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

func (c *Client) transactWrite(ctx context.Context, in dynamodb.TransactWriteItemsInput, send sender) (any, error) {
	ops := make([]transactOp, len(in.TransactItems))
	requests := make([]types.TransactWriteItem, len(in.TransactItems))
	fresh := false // whether sealing makes it another request each time
	for i, given := range in.TransactItems {
		var err error
		if requests[i], ops[i], err = c.transactItem(given); err != nil {
			return nil, err
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
	if in.ClientRequestToken != nil && fresh {
		var done func()
		if sealed, done, err = c.tokens.sealed(*in.ClientRequestToken, in.TransactItems, seal); err != nil {
			return nil, err
		}
		defer done()
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
	result, err := send(&in)
	if err != nil {
		return nil, cancelled(ctx, err, ops)
	}
	return result, nil
}

// transactItem checks one operation and prepares all of it but the sealing.
func (c *Client) transactItem(given types.TransactWriteItem) (out types.TransactWriteItem, op transactOp, err error) {
	out = given
	find := func(name *string) bool {
		op.table, err = c.table("TransactWriteItems", name)
		return err == nil && op.table != nil
	}
	switch {
	case given.Put != nil:
		if find(given.Put.TableName) {
			op.asked = true
			err = op.oneCondition(given.Put.ConditionExpression, given.Put.ExpressionAttributeNames, given.Put.ExpressionAttributeValues)
		}
	case given.Delete != nil:
		if find(given.Delete.TableName) {
			op.asked = true
			err = op.oneCondition(given.Delete.ConditionExpression, given.Delete.ExpressionAttributeNames, given.Delete.ExpressionAttributeValues)
		}
	case given.ConditionCheck != nil:
		if find(given.ConditionCheck.TableName) {
			op.asked = true
			err = op.oneCondition(given.ConditionCheck.ConditionExpression, given.ConditionCheck.ExpressionAttributeNames, given.ConditionCheck.ExpressionAttributeValues)
		}
	case given.Update != nil:
		if !find(given.Update.TableName) {
			break
		}
		var g guarded
		if g, err = op.guard(given.Update.UpdateExpression, given.Update.ConditionExpression, given.Update.ExpressionAttributeNames, given.Update.ExpressionAttributeValues); err != nil {
			break
		}
		update := *given.Update
		op.guarded, op.asked = !g.free, update.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld
		update.ConditionExpression, update.ExpressionAttributeNames = g.expression, g.names
		if op.guarded {
			update.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
		out.Update = &update
	}
	return out, op, err
}

// cancelled decrypts, in place, the items in the reasons of a cancelled
// transaction, and names updates that met no item.
func cancelled(ctx context.Context, err error, ops []transactOp) error {
	var c *types.TransactionCanceledException
	if !errors.As(err, &c) {
		return err
	}
	for i := range c.CancellationReasons {
		if i >= len(ops) || ops[i].table == nil {
			continue
		}
		r, op := &c.CancellationReasons[i], ops[i]
		if op.guarded && r.Code != nil && *r.Code == "ConditionalCheckFailed" && op.missed(r.Item) {
			r.Item = nil
			err = fmt.Errorf("%w: %w", op.fail(fmt.Errorf("operation %d: %w", i, ErrUpdateTarget)), err)
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
