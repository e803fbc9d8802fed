// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/projection"
	"github.com/ddbseal/ddbseal/store/internal/request"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// Page is one page of a query or scan.
type Page[T any] struct {
	Items []T
	// Failed has an [*ItemError] for each item that could not be read; all
	// other items of the page are in Items.
	Failed []error
	// Next is where the next page begins; empty at the end.
	Next Cursor
	// Previous is where the page of a query in front of this one is read from; empty
	// for the first page, and for pages of a scan. That page can turn out empty if
	// its items were deleted or do not match.
	Previous Cursor
	// Scanned is how many items DynamoDB looked at.
	Scanned int
}

// Cursor is a position in the result of a query or scan. It is text of URL-safe
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

// opened is a list of items that were decrypted. errs has an entry for each item,
// which comes with plaintext unless that is an error.
type opened struct {
	stored, plain []envelope.Item
	errs          []error
}

// add adds an item.
func (o *opened) add(f searching.Found) {
	o.stored, o.plain, o.errs = append(o.stored, f.Stored), append(o.plain, f.Plain), append(o.errs, f.Err)
}

// openPage decrypts the items of one answer, or those that they stand for.
func (c *core) openPage(ctx context.Context, items []envelope.Item, v view) (opened, error) {
	if v.Whole != nil {
		return c.readWhole(ctx, items, v)
	}
	plain, errs := c.decryptAll(ctx, items)
	return opened{items, plain, errs}, nil
}

// pageRead is a page before its items are values.
type pageRead struct {
	opened
	next, previous Cursor
	scanned        int32
}

// turn sets the cursors of a page: of the page where reading goes on, and of the
// other one. Items that were read backwards are put into the order of the query.
func (r *pageRead) turn(back bool, on, turned string) {
	if back {
		r.stored, r.plain = reversed(r.stored), reversed(r.plain) // they may be one list
		slices.Reverse(r.errs)
		on, turned = turned, on
	}
	r.next, r.previous = Cursor(on), Cursor(turned)
}

func reversed(items []envelope.Item) []envelope.Item {
	out := slices.Clone(items)
	slices.Reverse(out)
	return out
}

// decodeRead makes values of the items of a page.
func decodeRead[T any](c *core, r *pageRead, v view) Page[T] {
	page := Page[T]{Next: r.next, Previous: r.previous, Scanned: int(r.scanned)}
	items, errs := decodeAll[T](c, r.opened, v)
	for i := range items {
		page.add(items[i], errs[i])
	}
	return page
}

// decodePage opens and unmarshals items; errs has an [*ItemError] at each failed
// index.
func decodePage[T any](ctx context.Context, c *core, stored []envelope.Item, v view) ([]T, []error) {
	plain, errs := c.decryptAll(ctx, stored)
	return decodeAll[T](c, opened{stored, plain, errs}, v)
}

// decodeAll unmarshals the items of a page; errs has an [*ItemError] at each
// failed index.
func decodeAll[T any](c *core, page opened, v view) ([]T, []error) {
	out := make([]T, len(page.stored))
	for i, stored := range page.stored {
		found := searching.Found{Stored: stored, Plain: page.plain[i], Err: page.errs[i]}
		page.errs[i] = decodeOpened(c, found, v, &out[i])
	}
	return out, page.errs
}

// decodeOpened unmarshals an item that was opened, unless that failed, to a zero
// T; every error is an [*ItemError], and leaves it zero.
func decodeOpened[T any](c *core, found searching.Found, v view, to *T) error {
	stored, err := found.Stored, found.Err
	if err != nil && v.Partial && c.encryptor != nil && projection.Incomplete(c.encryptor, stored) {
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
	if v.Attributes == nil {
		return c.unmarshal(plain, to)
	}
	if err := c.plan.CheckEntity(plain); err != nil {
		return err
	}
	return c.unmarshal(c.plan.Some(plain, v.Attributes), to)
}

// partialError says why a stored item came incomplete, and what helps. It keeps
// err unless err only says that something is missing: the item in the table is
// neither plaintext nor changed.
func (c *core) partialError(stored envelope.Item, v view, err error) error {
	reason := "the attributes that were asked for leave out signed attributes that " + c.plan.TypeName +
		" does not have: ask for all, or read the item by its key"
	whole := stored[envelope.HeaderAttribute] != nil && stored[envelope.FooterAttribute] != nil
	if v.Index != "" && (v.Attributes == nil || !whole) {
		reason = fmt.Sprintf("index %s has projection %s: create an index with projection ALL, or read the item by "+
			"its key",
			v.Index, projection.Kind(stored, c.plan.Keys(), v.IndexKeys))
	}
	if errors.Is(err, envelope.ErrNotEncrypted) || errors.Is(err, envelope.ErrTampered) {
		return fmt.Errorf("%w: %s", ErrPartialItem, reason)
	}
	return fmt.Errorf("%w: %s: %w", ErrPartialItem, reason, err)
}

// view is the part of an item that a read asked for.
type view = request.View
