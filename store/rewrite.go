// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
	"github.com/ddbseal/ddbseal/store/internal/schema"
)

// rewrite is Update's write of an item for which the absence of all names that
// T and the mode know does not fit into the condition of a put: an UpdateItem,
// which keeps what another writer adds in between.
type rewrite struct {
	core *core
	precondition.Rewrite
	plain   envelope.Item              // of Next
	actions map[string]envelope.Action // that Stored was sealed with
}

// newRewrite returns the write of a put by UpdateItem. Errors: [ErrTooWide].
func (c *core) newRewrite(
	stored, key envelope.Item, opened envelope.Opened, plain envelope.Item, in *dynamodb.PutItemInput,
) (*rewrite, error) {
	r := &rewrite{core: c, plain: plain, actions: opened.Actions}
	r.Rewrite = precondition.Rewrite{Table: c.name, Key: key, Stored: stored, Next: in.Item}
	if c.encryptor != nil {
		r.Loose, r.Unsigned = precondition.Loose(stored, c.encryptor), c.encryptor.AllowedUnsigned
	}
	_, err := r.Input()
	return r, err
}

// send does the calls. If another writer added attributes, *v, which is a
// pointer to a T, is filled with them too.
func (r *rewrite) send(ctx context.Context, v any) error {
	w := &rewriter{rewrite: r}
	added, err := r.Do(ctx, w)
	var refused *precondition.Refused
	switch {
	case errors.Is(err, precondition.ErrUnsealed):
		return fmt.Errorf("update of %s: %w: %w", r.core.name, ErrUncertain, err)
	case errors.As(err, &refused):
		return r.core.writeError(ctx, "update", refused.Err, &w.seen)
	case w.failed:
		return r.core.writeError(ctx, "update", err, &w.seen)
	case err != nil:
		return fmt.Errorf("update of %s: %w", r.core.name, err)
	}
	if len(added) == 0 {
		return nil
	}
	if err := r.core.unmarshal(with(r.plain, added), v); err != nil {
		return fmt.Errorf("update of %s: %w: the item was written, but what another writer added does not fit: %w",
			r.core.name, ErrUncertain, err)
	}
	return nil
}

// rewriter makes the calls of one rewrite.
type rewriter struct {
	*rewrite
	seen   attempts.Observer
	calls  int
	failed bool // the first call failed, without an answer about its condition
}

var _ precondition.Writer = (*rewriter)(nil)

// Update sends an update.
func (w *rewriter) Update(ctx context.Context, in *dynamodb.UpdateItemInput) (envelope.Item, error) {
	w.calls++
	out, err := w.core.client.UpdateItem(ctx, in, w.seen.Observe)
	var failed *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return out.Attributes, nil
	case !errors.As(err, &failed):
		w.failed = w.calls == 1
		return nil, err
	case len(failed.Item) > 0:
		return nil, &precondition.Refused{Item: failed.Item, Err: err}
	}
	now, bad := w.core.read(ctx, in.Key) // a server that does not return the item
	if bad != nil && !errors.Is(bad, ErrNotFound) {
		w.failed = w.calls == 1
		return nil, bad
	}
	return nil, &precondition.Refused{Item: now, Err: err}
}

// Seal returns the next item with attributes that came in between. A signed item
// accepts unsigned ones only.
func (w *rewriter) Seal(ctx context.Context, added envelope.Item) (envelope.Item, error) {
	for n := range added {
		if precondition.Seal(w.Stored) != "" && !w.Loose(n) {
			return nil, fmt.Errorf("%w: another writer added attribute %q to the encrypted item", envelope.ErrTampered,
				n)
		}
	}
	return w.core.encryptAs(ctx, with(w.plain, added), w.actions)
}

func with(item, added envelope.Item) envelope.Item {
	out := maps.Clone(item)
	maps.Copy(out, added)
	return out
}

// merge returns the next plaintext item: the attributes of *v, the attributes of
// the item old that T does not have, and the next version, which *v gets too.
// If T marshals itself, had is what its marshaler returns for the old item.
func (c *core) merge(old, had, key envelope.Item, v any) (envelope.Item, error) {
	next, err := c.marshal(v)
	if err == nil {
		err = c.valid(next, v)
	}
	if err != nil {
		return nil, err
	}
	m := schema.Merge{Old: old, Had: had, Key: key, Next: next, Sealed: c.encryptor != nil,
		DropMembers: c.options.dropMembers}
	if next, err = c.plan.Merge(c.merging, m, v); errors.Is(err, ErrUnknownMembers) {
		err = fmt.Errorf("update of %s: %w", c.name, err)
	}
	return next, err
}
