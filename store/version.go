// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// DeleteVersion removes the item with the key of v if its version is still
// the version of v and all conditions hold. [Table.Delete] does not look at versions.
//
// Errors: [ErrConfiguration] for a type without a version attribute and for a
// value of version 0, which was never written; [*ConditionError], which matches
// [ErrStaleVersion] if the item was changed or deleted since v was read; those
// of [Table.Delete].
func (t *Table[T]) DeleteVersion(ctx context.Context, v T, conditions ...Condition) error {
	k, n, err := t.versioned(&v)
	if err != nil {
		return err
	}
	e := expecting(conditions)
	e.version = n
	_, err = t.delete(ctx, k, types.ReturnValueNone, append([]Condition{t.plan.Counter().Is(n)}, conditions...))
	return t.explain("delete", err, e)
}

// DeleteVersionOp is [Table.DeleteVersion] in a transaction.
func (t *Table[T]) DeleteVersionOp(v T, conditions ...Condition) WriteOp {
	k, n, err := t.versioned(&v)
	if err != nil {
		return WriteOp{core: &t.core,
			build: func(context.Context) (types.TransactWriteItem, error) { return types.TransactWriteItem{}, err }}
	}
	op := t.DeleteOp(k, append([]Condition{t.plan.Counter().Is(n)}, conditions...)...)
	op.expected = expecting(conditions)
	op.expected.version = n
	return op
}

// versioned returns the key and the version of a value that was read.
func (c *core) versioned(v any) (Key, int64, error) {
	if c.plan.Version == nil {
		return Key{}, 0, fmt.Errorf("%w: %s has no version attribute: use Delete", ErrConfiguration, c.plan.TypeName)
	}
	item, err := c.marshal(v)
	if err != nil {
		return Key{}, 0, err
	}
	n, err := c.plan.Counter().Of(item)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: the %s to delete has version 0: it was never written", ErrConfiguration, c.plan.TypeName)
	}
	return c.keyOf(item), n, err
}

// explainCount names the version if it is what canCount refused.
func (c *core) explainCount(err error) error {
	var refused *ConditionError
	if !errors.As(err, &refused) {
		return err
	}
	stored := refusedItem(refused)
	n, bad := c.plan.Counter().Of(stored)
	if stored == nil || bad == nil && n < c.plan.Counter().Last() {
		return err
	}
	if bad == nil {
		bad = c.plan.Counter().Outgrown()
	}
	return fmt.Errorf("update of %s: %w: %w", c.name, bad, refused.Err)
}
