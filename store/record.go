package store

import (
	"context"
	"fmt"

	"github.com/ddbseal/ddbseal/envelope"
)

// DecodeItem opens one stored item that did not come through the table's own
// calls, such as an image of a stream record or a line of an export. It returns
// the value and the plaintext item, which may have attributes that T lacks.
// Package store/change reads whole records by it. It makes no call to DynamoDB.
//
// Every error is an [*ItemError], around the errors of the envelope package if
// the item does not open. If the item verifies and is of another entity type,
// the error matches [ErrOtherEntity], and the plaintext item is returned too.
func (t *Table[T]) DecodeItem(ctx context.Context, stored envelope.Item) (v T, plain envelope.Item, err error) {
	defer func() {
		if err != nil {
			var zero T
			v, err = zero, t.itemError(stored, err)
		}
	}()
	opened, err := t.decrypt(ctx, stored)
	if err != nil {
		return v, nil, err
	}
	if err := t.plan.checkEntity(opened); err != nil {
		return v, opened, err
	}
	if err := t.unmarshal(opened, &v); err != nil {
		return v, nil, err
	}
	return v, opened, nil
}

// KeyOf takes the key out of an item or out of its key attributes alone. The
// values of the result are of type types.AttributeValue, as in [ItemError.Key].
// The error matches [ErrConfiguration] if the item lacks a key attribute of T,
// or has one of another type: it is not an item of this table.
func (t *Table[T]) KeyOf(item envelope.Item) (Key, error) {
	k := t.plan.keyOf(item)
	if _, err := t.plan.key(k); err != nil {
		return Key{}, fmt.Errorf("key of an item of table %s: %w", t.name, err)
	}
	return k, nil
}

// Entity returns how the table tells its items from those of other types; zero
// for a table of one type.
func (t *Table[T]) Entity() Entity { return t.plan.entity }
