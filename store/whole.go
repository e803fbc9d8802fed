// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"slices"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/searching"
)

// fetchWhole reads the items of the entries of an index. An item that is gone is
// nil.
func (c *core) fetchWhole(ctx context.Context, entries []envelope.Item, v view) ([]envelope.Item, error) {
	keys := make([]envelope.Item, len(entries))
	for i, entry := range entries {
		keys[i] = searching.PickKey(entry, c.plan.Keys())
	}
	sender, table := c.sender()
	table.Eventually = v.Whole.Eventually
	return sender.Aligned(ctx, table, keys)
}

// openWhole decrypts items. One that the query does not want has the error
// ErrUnwanted.
func (c *core) openWhole(ctx context.Context, stored []envelope.Item, v view) ([]envelope.Item, []error) {
	plain, errs := c.decryptAll(ctx, stored)
	for i := range plain {
		if errs[i] == nil && (!v.Whole.Matches(plain[i]) || c.plan.CheckEntity(plain[i]) != nil) {
			errs[i] = searching.ErrUnwanted
		}
	}
	return plain, errs
}

// readWhole opens the items of the entries of an index.
func (c *core) readWhole(ctx context.Context, entries []envelope.Item, v view) (out opened, err error) {
	all, err := c.fetchWhole(ctx, entries, v)
	if err != nil {
		return out, err
	}
	stored := slices.DeleteFunc(all, func(item envelope.Item) bool { return item == nil })
	plain, errs := c.openWhole(ctx, stored, v)
	for i := range stored {
		if errs[i] != searching.ErrUnwanted {
			out.add(searching.Found{Stored: stored[i], Plain: plain[i], Err: errs[i]})
		}
	}
	return out, nil
}
