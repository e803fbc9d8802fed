// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

const maxItemSize = 400 << 10

// seal encrypts an item for writing; a nil one is left to the SDK's validation.
func (t *table) seal(ctx context.Context, item envelope.Item) (envelope.Item, error) {
	if item == nil {
		return nil, nil
	}
	stored, err := t.EncryptItem(ctx, item)
	if err != nil {
		return nil, t.fail(err)
	}
	return stored, t.size(item, stored)
}

func (t *table) size(plain, stored envelope.Item) error {
	if n := ddbjson.ItemSize(stored); n > maxItemSize {
		return t.fail(&store.SizeError{Table: t.name, Plain: ddbjson.ItemSize(plain), Stored: n})
	}
	return nil
}

// open decrypts an item of a result; an absent one stays absent.
func (t *table) open(ctx context.Context, item envelope.Item) (envelope.Item, error) {
	if len(item) == 0 {
		return item, nil
	}
	plain, err := t.DecryptItem(ctx, item)
	if err != nil {
		return nil, t.fail(t.explain(item, err, false))
	}
	return plain, nil
}

// openReturned decrypts an item that a write returns. The write is done by then,
// so the error is ErrReturnedItem.
func (t *table) openReturned(ctx context.Context, item envelope.Item) (envelope.Item, error) {
	plain, err := t.open(ctx, item)
	var own *Error
	if errors.As(err, &own) {
		own.Err = fmt.Errorf("%w: %w", ErrReturnedItem, own.Err)
	}
	return plain, err
}

// explain tells an item that came incomplete from one that was changed. Only
// an index can leave header and footer out.
func (t *table) explain(item envelope.Item, err error, index bool) error {
	if errors.Is(err, envelope.ErrNotEncrypted) && !index {
		return err
	}
	incomplete := item[envelope.HeaderAttribute] == nil || item[envelope.FooterAttribute] == nil
	if envelope.IsLegacy(item) { // it counts no attributes
		incomplete = item[envelope.LegacySignatureAttribute] == nil || item[envelope.LegacyDescriptionAttribute] == nil
	}
	if m, bad := t.Inspect(item); bad == nil {
		incomplete = t.signedAttributes(item) < len(m.Legend)
	}
	if incomplete {
		return fmt.Errorf("%w: %w", store.ErrPartialItem, err)
	}
	return err
}

// openFailed decrypts, in place, the item inside of a failed condition.
func (t *table) openFailed(ctx context.Context, err error) error {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return err
	}
	plain, bad := t.open(ctx, failed.Item)
	failed.Item = plain
	if bad != nil {
		return fmt.Errorf("%w; its item: %w", err, bad)
	}
	return err
}

func (c *Client) getItem(ctx context.Context, in dynamodb.GetItemInput, o *call) (any, error) {
	t, err := c.table("GetItem", in.TableName)
	if t == nil {
		return plainly(err, &in, o)
	}
	if err := t.legacy(map[string]bool{"AttributesToGet": in.AttributesToGet != nil}); err != nil {
		return nil, err
	}
	if err := t.key("Key", in.Key); err != nil {
		return nil, err
	}
	p, err := t.soleProjection(in.ProjectionExpression, in.ExpressionAttributeNames)
	if err != nil {
		return nil, err
	}
	in.ProjectionExpression, in.ExpressionAttributeNames = p.expression, p.names
	result, err := o.send(&in)
	if err != nil {
		return nil, err
	}
	out := result.(*dynamodb.GetItemOutput)
	if len(out.Item) == 0 {
		return out, nil
	}
	if out.Item, err = t.open(ctx, out.Item); err != nil {
		return nil, err
	}
	out.Item = p.apply(out.Item)
	return out, nil
}

// plainly sends a request unchanged, unless there is an error already.
func plainly(err error, params any, o *call) (any, error) {
	if err != nil {
		return nil, err
	}
	return o.send(params)
}

func (c *Client) putItem(ctx context.Context, in dynamodb.PutItemInput, o *call) (any, error) {
	t, err := c.table("PutItem", in.TableName)
	if t == nil {
		return plainly(err, &in, o)
	}
	if err := t.legacy(map[string]bool{"Expected": in.Expected != nil,
		"ConditionalOperator": in.ConditionalOperator != ""}); err != nil {
		return nil, err
	}
	if err := t.oneCondition(in.ConditionExpression, in.ExpressionAttributeNames,
		in.ExpressionAttributeValues); err != nil {
		return nil, err
	}
	if in.Item, err = t.seal(ctx, in.Item); err != nil {
		return nil, err
	}
	asked := in.ReturnValuesOnConditionCheckFailure == types.ReturnValuesOnConditionCheckFailureAllOld
	if in.ConditionExpression != nil { // to tell the work of an earlier attempt from another writer's
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	old := in.ReturnValues == types.ReturnValueAllOld
	result, err := o.send(&in)
	if err != nil {
		var failed *types.ConditionalCheckFailedException
		if errors.As(err, &failed) {
			if precondition.SameFooter(failed.Item, in.Item) {
				if old {
					return nil, t.fail(errLostOld)
				}
				return &dynamodb.PutItemOutput{}, nil // the put of an earlier attempt failed the repetition's condition
			}
			if !asked {
				failed.Item = nil
			}
		}
		return nil, o.failed(t, t.openFailed(ctx, err))
	}
	out := result.(*dynamodb.PutItemOutput)
	if old && o.Repeated() &&
		(in.Item[envelope.FooterAttribute] == nil || precondition.SameFooter(out.Attributes, in.Item)) {
		return nil, t.fail(errLostOld)
	}
	if out.Attributes, err = t.openReturned(ctx, out.Attributes); err != nil {
		return nil, err
	}
	return out, nil
}

// errLostOld: a repetition of a put found the put's own item.
var errLostOld = fmt.Errorf("%w: the item is written, but the answer with the old item was lost", store.ErrUncertain)

func (c *Client) deleteItem(ctx context.Context, in dynamodb.DeleteItemInput, o *call) (any, error) {
	t, err := c.table("DeleteItem", in.TableName)
	if t == nil {
		return plainly(err, &in, o)
	}
	if err := t.legacy(map[string]bool{"Expected": in.Expected != nil,
		"ConditionalOperator": in.ConditionalOperator != ""}); err != nil {
		return nil, err
	}
	if err := t.key("Key", in.Key); err != nil {
		return nil, err
	}
	if err := t.oneCondition(in.ConditionExpression, in.ExpressionAttributeNames,
		in.ExpressionAttributeValues); err != nil {
		return nil, err
	}
	result, err := o.send(&in)
	if err != nil {
		return nil, o.failed(t, t.openFailed(ctx, err))
	}
	out := result.(*dynamodb.DeleteItemOutput)
	if in.ReturnValues == types.ReturnValueAllOld && o.Repeated() && len(out.Attributes) == 0 {
		return nil, t.fail(fmt.Errorf("%w: no item is there now, but an answer with the old item may be lost",
			store.ErrUncertain))
	}
	if out.Attributes, err = t.openReturned(ctx, out.Attributes); err != nil {
		return nil, err
	}
	return out, nil
}
