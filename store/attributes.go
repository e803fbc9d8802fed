// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
	"github.com/ddbseal/ddbseal/store/internal/visibility"
)

// UpdateAttributes changes attributes in place, without reading the item, with
// an update of the SDK's expression package. In client-side mode it reaches
// unsigned attributes only, [ErrEncryptedAttribute] otherwise: a signed one
// changes by [Table.Update]. If [ClientSide].Legacy reads older items, it changes
// items of the current format only: another item fails with
// envelope.ErrLegacyItem or envelope.ErrNotEncrypted, and Update writes it in the
// current format. The item must exist: [ErrNotFound], also when a
// condition failed for that reason. In server-side mode it counts the version
// attribute up, and fails with envelope.ErrInvalidItem where the version has the
// largest value of its Go type. An item of another entity is left as it is:
// [ErrOtherEntity].
//
// The SDK repeats a call whose answer is lost only if the update does the same
// when it is done twice. If not, it ends with [ErrUncertain]: an update that
// reads the item, such as Add of a number or list_append, and one that sets or
// removes an element of a list. The version attribute does not matter for that,
// so it may count twice. Other errors say that nothing changed:
// [*ConditionError], [ErrConflict], [ErrConfiguration]; the SDK's.
func (t *Table[T]) UpdateAttributes(ctx context.Context, k Key, u expression.UpdateBuilder,
	conditions ...Condition) error {
	_, err := t.updateAttributes(ctx, k, u, "", conditions)
	return err
}

// UpdateAttributesNew is [Table.UpdateAttributes] and returns the item as it is
// after the update. An [*ItemError] says that the update was done but the item
// does not open. If the SDK repeated the call, the item may have changes that
// another writer made in between.
func (t *Table[T]) UpdateAttributesNew(ctx context.Context, k Key, u expression.UpdateBuilder,
	conditions ...Condition) (T, error) {
	return returned[T](ctx, &t.core, k, u, types.ReturnValueAllNew, conditions)
}

// UpdateAttributesOld is [Table.UpdateAttributes] and returns the item as it was before
// the update. An [*ItemError] means that the update was done but the old item does not
// open. [ErrUncertain] can also mean that the update was done but the answer with the
// old item was lost. If the SDK repeated the call, the old item can be the one that
// another writer changed in between.
func (t *Table[T]) UpdateAttributesOld(ctx context.Context, k Key, u expression.UpdateBuilder,
	conditions ...Condition) (T, error) {
	return returned[T](ctx, &t.core, k, u, types.ReturnValueAllOld, conditions)
}

// returned updates attributes and decodes the item that comes back.
func returned[T any](ctx context.Context, c *core, k Key, u expression.UpdateBuilder, which types.ReturnValue,
	conditions []Condition) (T, error) {
	var zero T
	stored, err := c.updateAttributes(ctx, k, u, which, conditions)
	if err != nil {
		return zero, err
	}
	return decodeItem[T](ctx, c, stored)
}

// updateAttributes returns the item as which says.
func (c *core) updateAttributes(ctx context.Context, k Key, u expression.UpdateBuilder, which types.ReturnValue,
	conditions []Condition) (envelope.Item, error) {
	key, err := c.key(k)
	if err != nil {
		return nil, err
	}
	required := []Condition{name(c.plan.Partition.Name).AttributeExists()}
	if c.readsLegacy() {
		// The signature of an older item can cover a name that is unsigned now.
		required = append(required, name(envelope.HeaderAttribute).AttributeExists())
	}
	counts := c.plan.Version != nil && c.encryptor == nil
	if counts {
		required = append(required, c.plan.Counter().CanCount())
	}
	all, _ := join(c.guard(append(required, conditions...)))
	e, err := visibility.Build(expression.NewBuilder().WithUpdate(u).WithCondition(all))
	if err != nil {
		return nil, fmt.Errorf("%w: update: %w", ErrConfiguration, err)
	}
	requests := c.requests()
	if err := requests.CheckConditions(ddbexpr.KindCondition, conditions, e.Condition(), e); err != nil {
		return nil, err
	}
	parsed, err := requests.CheckUpdate(e)
	if err != nil {
		return nil, err
	}
	in := &dynamodb.UpdateItemInput{
		TableName: &c.name, Key: key, UpdateExpression: e.Update(), ConditionExpression: e.Condition(),
		ExpressionAttributeNames: e.Names(), ExpressionAttributeValues: e.Values(),
		ReturnValues: which, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if counts {
		precondition.CountUp(in, c.plan.Version.Name)
	}
	seen := attempts.Observer{Once: !attempts.Repeatable(parsed)}
	out, err := c.client.UpdateItem(ctx, in, seen.Observe)
	if err != nil {
		var failed *types.ConditionalCheckFailedException
		if errors.As(err, &failed) && len(failed.Item) == 0 && !seen.Unclear() {
			// No item, or a server that does not return it.
			sole := !counts && c.plan.Entity.Name == "" && !c.readsLegacy()
			if _, gone := c.read(ctx, key); sole && len(conditions) == 0 || errors.Is(gone, ErrNotFound) {
				return nil, fmt.Errorf("update of %s: %w: %w", c.name, ErrNotFound, err)
			}
		}
		if failed != nil && len(failed.Item) > 0 && c.readsLegacy() && failed.Item[envelope.HeaderAttribute] == nil &&
			!seen.Unclear() {
			return nil, c.notSealed(ctx, failed, &seen)
		}
		err = c.explain("update", c.writeError(ctx, "update", err, &seen), expectation{version: noVersion})
		if counts {
			err = c.explainCount(err)
		}
		return nil, err
	}
	if which == types.ReturnValueAllOld && seen.Repeated() && mayFollow(out.Attributes, parsed) {
		return nil, fmt.Errorf("update of %s: %w: the update was done, but the answer with the old item may be lost",
			c.name, ErrUncertain)
	}
	return out.Attributes, nil
}

// mayFollow reports whether an item may be the result of an update, which then
// changes nothing in it.
func mayFollow(item envelope.Item, u *ddbexpr.Update) bool {
	if !attempts.Repeatable(u) {
		return true
	}
	after, err := u.Apply(item)
	return err != nil || ddbexpr.EqualItems(item, after)
}

// readsLegacy reports whether items of the older client are read.
func (c *core) readsLegacy() bool { return c.encryptor != nil && c.encryptor.LegacyDecryptor() != nil }

// notSealed is the error of an update in place that met an item which is not in
// the current format, while items of the older client are read.
func (c *core) notSealed(ctx context.Context, failed *types.ConditionalCheckFailedException,
	seen *attempts.Observer) error {
	class := envelope.ErrNotEncrypted
	if envelope.IsLegacy(failed.Item) {
		class = envelope.ErrLegacyItem
	}
	return fmt.Errorf("update of %s: %w: while older items are read, UpdateAttributes changes items of the current "+
		"format only; use Update, which writes the item in it: %w", c.name, class,
		c.writeError(ctx, "update", failed, seen))
}
