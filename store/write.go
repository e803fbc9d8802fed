// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

// Put writes v, replacing an item of the same key, if all conditions hold for
// that item.
//
// If T has a version attribute, v must be a new value, of version 0, or what was read
// with your changes. With version 0, Put creates the item and fails if it exists. With
// version n, Put fails unless the item still has version n. The item gets version n+1;
// v itself, being a copy, keeps n: see [Table.Save]. In client-side mode
// UpdateAttributes does not advance the version, so Put does not notice unsigned
// attributes that changed; Update does. A version that its Go type could not hold is
// refused before the call.
//
// Put replaces the whole item: attributes and members that T lacks are gone
// after it, as are beacons that the table's configuration does not have.
// [Table.Update] keeps the former and refuses the latter.
//
// The SDK repeats a call whose answer is lost: a Put without a condition may
// then overwrite what another writer put in between. Errors: [ErrUncertain] if v
// may have been written; if not, [*ItemError] for a value that cannot be
// converted; [*ConditionError], which matches [ErrStaleVersion] if it was the
// version; [ErrOtherEntity]; [ErrConflict]; [ErrEncryptedAttribute];
// [ErrConfiguration] for a condition on an undeclared name; [ErrItemTooLarge];
// the errors of envelope.ItemEncryptor.EncryptItem; the SDK's.
func (t *Table[T]) Put(ctx context.Context, v T, conditions ...Condition) error {
	in, err := t.putInput(ctx, t.operand(v), conditions)
	if err != nil {
		return err
	}
	if _, err = t.put(ctx, in); err != nil {
		return t.explain("put", err, t.expects(in, conditions))
	}
	return nil
}

// PutOld is [Table.Put] and returns the item that v replaced, nil if there was none. An
// [*ItemError] means that v was written but the old item does not open. [ErrUncertain]
// can also mean that v was written but the answer with the old item was lost. If the
// SDK repeated the call and another writer changed the item in between, the old item is
// that writer's.
func (t *Table[T]) PutOld(ctx context.Context, v T, conditions ...Condition) (*T, error) {
	in, err := t.putInput(ctx, t.operand(v), conditions)
	if err != nil {
		return nil, err
	}
	in.ReturnValues = types.ReturnValueAllOld
	out, err := t.put(ctx, in)
	if err != nil {
		return nil, t.explain("put", err, t.expects(in, conditions))
	}
	return old[T](ctx, &t.core, out.Attributes)
}

// Insert writes v if no item has its key. If one has, whatever its entity, the
// error matches [ErrExists], and its [*ConditionError] has that item. If the
// answer to an attempt is lost and the next one finds the item that this call has
// written, Insert succeeds in client-side mode and returns [ErrUncertain] in
// server-side mode.
//
// A value with a version above 0 has been written before: [ErrConfiguration].
// The conditions, which are rarely of use here, hold for an absent item. Other
// errors are as for [Table.Put].
func (t *Table[T]) Insert(ctx context.Context, v T, conditions ...Condition) error {
	absent := name(t.plan.Partition.Name).AttributeNotExists()
	all := append([]Condition{absent}, conditions...)
	in, err := t.putInput(ctx, t.operand(v), all)
	if err != nil {
		return err
	}
	if t.plan.Version != nil {
		if n, err := t.plan.Counter().Of(in.Item); err != nil || n > 1 {
			return fmt.Errorf("%w: the %s to insert has a version, so it was written before: use Put",
				ErrConfiguration, t.plan.TypeName)
		}
	}
	if _, err = t.put(ctx, in); err == nil {
		return nil
	}
	err = t.explain("insert", err, expecting(all))
	var refused *ConditionError
	switch {
	case errors.Is(err, ErrUncertain):
	case errors.Is(err, ErrOtherEntity):
		err = fmt.Errorf("%w: %w: %w", ErrExists, ErrConditionFailed, err)
	case errors.As(err, &refused) && (len(refusedItem(refused)) > 0 || !anySet(conditions)):
		err = fmt.Errorf("insert into %s: %w: %w", t.name, ErrExists, refused)
	}
	return err
}

// Save is [Table.Put] of *v, and then sets the version of *v to the one that was
// written, so that v can be changed and saved again. For a type without a version
// it does the same as Put. If Save fails, *v is as it was.
func (t *Table[T]) Save(ctx context.Context, v *T, conditions ...Condition) error {
	if v == nil {
		return fmt.Errorf("%w: nil is not a %s", ErrConfiguration, t.plan.TypeName)
	}
	if t.plan.Version == nil {
		return t.Put(ctx, *v, conditions...)
	}
	in, err := t.putInput(ctx, t.operand(*v), conditions)
	if err != nil {
		return err
	}
	n, err := t.plan.Counter().Of(in.Item)
	if err != nil {
		return err
	}
	if _, err = t.put(ctx, in); err != nil {
		return t.explain("put", err, t.expects(in, conditions))
	}
	gotype.SetInteger(reflect.ValueOf(v).Elem(), t.plan.Version.Index, n)
	return nil
}

// Delete removes the item with the key if all conditions hold, whatever its
// version; [Table.DeleteVersion] compares versions. It is not an error if the
// item does not exist. The SDK repeats a call whose answer is lost, as for
// [Table.Put]. Errors: [ErrUncertain] if the item may have been removed; if not,
// [*ConditionError], [ErrOtherEntity], [ErrConflict], [ErrEncryptedAttribute],
// [ErrConfiguration] for a condition on an undeclared name, and the SDK's.
func (t *Table[T]) Delete(ctx context.Context, k Key, conditions ...Condition) error {
	if _, err := t.delete(ctx, k, types.ReturnValueNone, conditions); err != nil {
		return t.explain("delete", err, expecting(conditions))
	}
	return nil
}

// DeleteOld is [Table.Delete] and returns the item that it removed, nil if there was
// none. An [*ItemError] means that the item was removed but does not open.
// [ErrUncertain] can also mean that the item was removed but the answer with it was
// lost.
func (t *Table[T]) DeleteOld(ctx context.Context, k Key, conditions ...Condition) (*T, error) {
	out, err := t.delete(ctx, k, types.ReturnValueAllOld, conditions)
	if err != nil {
		return nil, t.explain("delete", err, expecting(conditions))
	}
	return old[T](ctx, &t.core, out.Attributes)
}

// putInput returns a sealed, conditional put of v, a value of T or a pointer to one.
func (c *core) putInput(ctx context.Context, v any, conditions []Condition) (*dynamodb.PutItemInput, error) {
	item, err := c.convert(v)
	if err == nil {
		err = c.valid(item, v)
	}
	if err != nil {
		return nil, err
	}
	var unchanged Condition
	if c.plan.Version != nil {
		if unchanged, err = c.plan.Advance(item); err != nil {
			return nil, err
		}
	}
	condition, err := c.condition(unchanged, conditions)
	if err != nil {
		return nil, err
	}
	return c.sealedPut(ctx, item, nil, condition)
}

// sealedPut encrypts a plaintext item into a put. Attributes without a
// configured action take it from actions.
func (c *core) sealedPut(
	ctx context.Context, plain envelope.Item, actions map[string]envelope.Action, condition writeCondition,
) (*dynamodb.PutItemInput, error) {
	stored, err := c.encryptAs(ctx, plain, actions)
	if err != nil {
		return nil, err
	}
	return &dynamodb.PutItemInput{
		TableName: &c.name, Item: stored, ConditionExpression: condition.expression,
		ExpressionAttributeNames: condition.names, ExpressionAttributeValues: condition.values,
		ReturnValuesOnConditionCheckFailure: condition.onFailure(),
	}, nil
}

// put sends a put. If its condition fails because of the item that it wrote
// itself, in an attempt whose answer was lost, the footer shows it, which no two
// puts share. In server-side mode nothing does.
func (c *core) put(ctx context.Context, in *dynamodb.PutItemInput) (*dynamodb.PutItemOutput, error) {
	var seen attempts.Observer
	out, err := c.client.PutItem(ctx, in, seen.Observe)
	asked := in.ReturnValues == types.ReturnValueAllOld
	if err != nil {
		return c.ownPut(ctx, in, err, &seen)
	}
	if asked && seen.Repeated() && own(out.Attributes, in.Item) {
		return nil, fmt.Errorf("put of %s: %w: the item was written, but the answer with the old item was lost", c.name,
			ErrUncertain)
	}
	return out, nil
}

// ownPut returns the result of a put that failed, which is a success if its
// condition failed because of the item that it wrote itself.
func (c *core) ownPut(ctx context.Context, in *dynamodb.PutItemInput, err error,
	seen *attempts.Observer) (*dynamodb.PutItemOutput, error) {
	var failed *types.ConditionalCheckFailedException
	switch {
	case !errors.As(err, &failed) || !precondition.SameFooter(failed.Item, in.Item):
		return nil, c.writeError(ctx, "put", err, seen)
	case in.ReturnValues == types.ReturnValueAllOld:
		return nil, fmt.Errorf("put of %s: %w: the item was written, but the answer with the old item was lost: %w",
			c.name, ErrUncertain, err)
	}
	return &dynamodb.PutItemOutput{}, nil
}

func (c *core) delete(ctx context.Context, k Key, returned types.ReturnValue,
	conditions []Condition) (*dynamodb.DeleteItemOutput, error) {
	key, err := c.key(k)
	if err != nil {
		return nil, err
	}
	condition, err := c.condition(Condition{}, conditions)
	if err != nil {
		return nil, err
	}
	in := &dynamodb.DeleteItemInput{
		TableName: &c.name, Key: key, ReturnValues: returned, ConditionExpression: condition.expression,
		ExpressionAttributeNames: condition.names, ExpressionAttributeValues: condition.values,
		ReturnValuesOnConditionCheckFailure: condition.onFailure(),
	}
	var seen attempts.Observer
	out, err := c.client.DeleteItem(ctx, in, seen.Observe)
	if err != nil {
		return nil, c.writeError(ctx, "delete", err, &seen)
	}
	if returned == types.ReturnValueAllOld && seen.Repeated() && len(out.Attributes) == 0 {
		return nil, fmt.Errorf("delete of %s: %w: no item has the key now, but an answer with the old item may be lost",
			c.name, ErrUncertain)
	}
	return out, nil
}

// writeError turns a failed condition into a [*ConditionError], and any failure
// of a call that may have written into [ErrUncertain].
func (c *core) writeError(ctx context.Context, call string, err error, seen *attempts.Observer) error {
	if seen.Unclear() {
		return fmt.Errorf("%s of %s: %w", call, c.name, seen.Uncertain(err))
	}
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return c.callError(call, err)
	}
	out := &ConditionError{Table: c.name, Err: err}
	out.Item, out.ItemErr = c.decryptExtra(ctx, failed.Item)
	return out
}

// old decodes an item that a write returned.
func old[T any](ctx context.Context, c *core, stored envelope.Item) (*T, error) {
	if len(stored) == 0 {
		return nil, nil
	}
	v, err := decodeItem[T](ctx, c, stored)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// own reports whether an item that DynamoDB returned may be the one that this
// call put. No two puts share a footer; items without one are compared.
func own(returned, put envelope.Item) bool {
	if put[envelope.FooterAttribute] != nil {
		return precondition.SameFooter(returned, put)
	}
	return ddbexpr.EqualItems(returned, put)
}
