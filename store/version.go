package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
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
	_, err = t.delete(ctx, k, types.ReturnValueNone, append([]Condition{t.plan.counter().Is(n)}, conditions...))
	return t.explain("delete", err, e)
}

// DeleteVersionOp is [Table.DeleteVersion] in a transaction.
func (t *Table[T]) DeleteVersionOp(v T, conditions ...Condition) WriteOp {
	k, n, err := t.versioned(&v)
	if err != nil {
		return WriteOp{core: &t.core,
			build: func(context.Context) (types.TransactWriteItem, error) { return types.TransactWriteItem{}, err }}
	}
	op := t.DeleteOp(k, append([]Condition{t.plan.counter().Is(n)}, conditions...)...)
	op.expected = expecting(conditions)
	op.expected.version = n
	return op
}

// versioned returns the key and the version of a value that was read.
func (c *core) versioned(v any) (Key, int64, error) {
	if c.plan.version == nil {
		return Key{}, 0, fmt.Errorf("%w: %s has no version attribute: use Delete", ErrConfiguration, c.plan.typeName)
	}
	item, err := c.marshal(v)
	if err != nil {
		return Key{}, 0, err
	}
	n, err := c.plan.counter().Of(item)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: the %s to delete has version 0: it was never written", ErrConfiguration, c.plan.typeName)
	}
	return c.plan.keyOf(item), n, err
}

// advance counts the version of an item up and returns the condition that
// no other writer did.
func (p *plan) advance(item envelope.Item) (Condition, error) {
	n, err := p.counter().Of(item)
	if err != nil {
		return Condition{}, err
	}
	next, err := p.counter().Next(n)
	if err != nil {
		return Condition{}, err
	}
	item[p.version.name] = p.counter().Value(next)
	if n == 0 {
		return name(p.partition.name).AttributeNotExists(), nil
	}
	return p.counter().Is(n), nil
}

// counter returns the version attribute, which the type must have.
func (p *plan) counter() precondition.Version {
	return precondition.Version{Name: p.version.name, Type: p.version.typ}
}

// explainCount names the version if it is what canCount refused.
func (c *core) explainCount(err error) error {
	var refused *ConditionError
	if !errors.As(err, &refused) {
		return err
	}
	stored := refusedItem(refused)
	n, bad := c.plan.counter().Of(stored)
	if stored == nil || bad == nil && n < c.plan.counter().Last() {
		return err
	}
	if bad == nil {
		bad = c.plan.counter().Outgrown()
	}
	return fmt.Errorf("update of %s: %w: %w", c.name, bad, refused.Err)
}
