package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
)

// DeleteVersion removes the item with the key of v if its version is still
// that of v and all conditions hold. [Table.Delete] does not look at versions.
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
	_, err = t.delete(ctx, k, types.ReturnValueNone, append([]Condition{t.plan.isVersion(n)}, conditions...))
	return t.explain("delete", err, e)
}

// DeleteVersionOp is [Table.DeleteVersion] in a transaction.
func (t *Table[T]) DeleteVersionOp(v T, conditions ...Condition) WriteOp {
	k, n, err := t.versioned(&v)
	if err != nil {
		return WriteOp{core: &t.core,
			build: func(context.Context) (types.TransactWriteItem, error) { return types.TransactWriteItem{}, err }}
	}
	op := t.DeleteOp(k, append([]Condition{t.plan.isVersion(n)}, conditions...)...)
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
	n, err := c.plan.versionOf(item)
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: the %s to delete has version 0: it was never written", ErrConfiguration, c.plan.typeName)
	}
	return c.plan.keyOf(item), n, err
}

// advance counts the version of an item up and returns the condition that
// no other writer did.
func (p *plan) advance(item envelope.Item) (Condition, error) {
	n, err := p.versionOf(item)
	if err != nil {
		return Condition{}, err
	}
	next, err := p.nextVersion(n)
	if err != nil {
		return Condition{}, err
	}
	item[p.version.name] = versionValue(next)
	if n == 0 {
		return name(p.partition.name).AttributeNotExists(), nil
	}
	return p.isVersion(n), nil
}

// isVersion is the condition that the item has version n.
func (p *plan) isVersion(n int64) Condition { return name(p.version.name).Equal(expression.Value(n)) }

func versionValue(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// versionOf reads an item's version; absent is 0.
func (p *plan) versionOf(item envelope.Item) (int64, error) {
	n, ok := item[p.version.name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, nil
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%w: version attribute %q is not a count from 0 to 2^63-1", envelope.ErrInvalidItem,
			p.version.name)
	}
	return v, nil
}

// nextVersion returns the version after n, or an error if the field does not
// hold it: an item with that version could not be read.
func (p *plan) nextVersion(n int64) (int64, error) {
	if n >= p.lastVersion() {
		return 0, p.outgrown()
	}
	return n + 1, nil
}

// lastVersion returns the largest version that the field holds.
func (p *plan) lastVersion() int64 {
	t := gotype.Indirect(p.version.typ)
	if reflect.Zero(t).CanInt() {
		return math.MaxInt64 >> (64 - t.Bits())
	}
	return math.MaxInt64 >> (63 - min(t.Bits(), 63))
}

func (p *plan) outgrown() error {
	return fmt.Errorf("%w: version attribute %q has the largest value of its type %v: declare a wider type",
		envelope.ErrInvalidItem, p.version.name, p.version.typ)
}

// canCount is the condition that the field holds the next version.
func (p *plan) canCount() Condition {
	attribute := name(p.version.name)
	return expression.Or(attribute.AttributeNotExists(), attribute.LessThan(expression.Value(p.lastVersion())))
}

// explainCount names the version if it is what canCount refused.
func (c *core) explainCount(err error) error {
	var refused *ConditionError
	if !errors.As(err, &refused) {
		return err
	}
	stored := refusedItem(refused)
	n, bad := c.plan.versionOf(stored)
	if stored == nil || bad == nil && n < c.plan.lastVersion() {
		return err
	}
	if bad == nil {
		bad = c.plan.outgrown()
	}
	return fmt.Errorf("update of %s: %w: %w", c.name, bad, refused.Err)
}
