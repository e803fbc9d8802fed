// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/projection"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

var stringType = reflect.TypeFor[string]()

// Page is one page of a query.
type Page[T any] struct {
	Items []T
	// Failed has an [*ItemError] for each item that could not be read; all
	// other items of the page are in Items.
	Failed []error
	// Next is where the next page begins; empty at the end.
	Next Cursor
	// Scanned is how many items DynamoDB looked at.
	Scanned int
}

// Cursor is a position in the result of a query. It is text of URL-safe
// letters, and holds the key of an item, unencrypted and unsigned: do not hand
// it to those who must not see or choose keys.
type Cursor string

// add puts one item into the page.
func (p *Page[T]) add(item T, err error) {
	if err != nil {
		p.Failed = append(p.Failed, err)
		return
	}
	p.Items = append(p.Items, item)
}

// decodePage opens and unmarshals the items of a page; errs has an
// [*ItemError] at each failed index.
func decodePage[T any](ctx context.Context, c *core, stored []envelope.Item, v view) ([]T, []error) {
	plain, errs := c.decryptAll(ctx, stored)
	out := make([]T, len(stored))
	for i := range stored {
		errs[i] = decodeOpened(c, searching.Found{Stored: stored[i], Plain: plain[i], Err: errs[i]}, v, &out[i])
	}
	return out, errs
}

// decodeOpened unmarshals an item that was opened, unless that failed, to a zero
// T; every error is an [*ItemError], and leaves it zero.
func decodeOpened[T any](c *core, found searching.Found, v view, to *T) error {
	stored, err := found.Stored, found.Err
	if err != nil && v.partial && c.encryptor != nil && projection.Incomplete(c.encryptor, stored) {
		err = c.partialError(stored, v, err)
	}
	if err == nil {
		err = c.unmarshalView(found.Plain, v, to)
	}
	if err != nil {
		var zero T
		*to = zero
		return c.unreadable(stored, err)
	}
	return nil
}

// unmarshalView fills *v with the attributes that were asked for.
func (c *core) unmarshalView(plain envelope.Item, v view, to any) error {
	if c.types != nil {
		return c.unmarshalOne(plain, v, to.(*any))
	}
	if v.attributes == nil {
		return c.unmarshal(plain, to)
	}
	if err := c.plan.CheckEntity(plain); err != nil {
		return err
	}
	return c.unmarshal(c.plan.Some(plain, v.attributes), to)
}

// partialError says why a stored item came incomplete, and what helps. It keeps
// err unless err only says that something is missing: the item in the table is
// neither plaintext nor changed.
func (c *core) partialError(stored envelope.Item, v view, err error) error {
	reason := "the attributes that were asked for leave out signed attributes that " + c.plan.TypeName +
		" does not have: ask for all, or read the item by its key"
	whole := stored[envelope.HeaderAttribute] != nil && stored[envelope.FooterAttribute] != nil
	if v.index != "" && (v.attributes == nil || !whole) {
		reason = fmt.Sprintf("index %s has projection %s: create an index with projection ALL, or read the item by "+
			"its key",
			v.index, projection.Kind(stored, c.plan.Keys(), v.indexKeys))
	}
	if errors.Is(err, envelope.ErrNotEncrypted) || errors.Is(err, envelope.ErrTampered) {
		return fmt.Errorf("%w: %s", ErrPartialItem, reason)
	}
	return fmt.Errorf("%w: %s: %w", ErrPartialItem, reason, err)
}
