// SPDX-License-Identifier: Apache-2.0

package precondition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
)

// Rewrite replaces an item by UpdateItem. It serves where the absence of all
// names that matter does not fit into the condition of a put: an attribute that
// another writer adds in between stays in the item, the answer to the update
// shows it, and the item is sealed a second time with it.
//
// Between the two updates the item does not verify. A process that ends there
// leaves it so.
type Rewrite struct {
	Table string
	Key   envelope.Item
	// Stored is the item as it was read, Next what it becomes.
	Stored, Next envelope.Item
	// Loose reports the names that Stored, if it is sealed, can hold unsigned.
	// Nil: Stored is taken as plaintext.
	Loose func(string) bool
	// Unsigned reports the names that Next, if it is sealed, can hold unsigned.
	// Nil: Next is taken as plaintext.
	Unsigned func(string) bool
}

// sealed reports whether Stored is sealed.
func (r *Rewrite) sealed() bool { return r.Loose != nil && Seal(r.Stored) != "" }

// sealing reports whether Next is sealed.
func (r *Rewrite) sealing() bool { return r.Unsigned != nil && r.Next[envelope.FooterAttribute] != nil }

// Writer makes the calls of a Rewrite.
type Writer interface {
	// Update sends the update and returns all attributes as they are after it.
	// If the condition failed it returns a *Refused.
	Update(ctx context.Context, in *dynamodb.UpdateItemInput) (envelope.Item, error)
	// Seal returns the next form of the item with the added attributes, which
	// are plaintext.
	Seal(ctx context.Context, added envelope.Item) (envelope.Item, error)
}

// Refused is an update whose condition failed.
type Refused struct {
	Item envelope.Item // as it is stored; empty if there is none
	Err  error         // the client's
}

// Error returns the client's text.
func (e *Refused) Error() string { return e.Err.Error() }

// Unwrap gives the client's error.
func (e *Refused) Unwrap() error { return e.Err }

// ErrUnsealed means that another writer added an attribute while its item was rewritten,
// and the update that signs the attribute failed, so that the item does not
// verify.
var ErrUnsealed = errors.New("item was written, but an attribute that another writer added meanwhile is not signed yet")

// errMoving: each attempt met another attribute.
var errMoving = errors.New("others add attributes all the time")

// Attempts to seal an item again, and the time that they have, which goes on
// when the caller's context ends: the item does not verify until one succeeds.
const (
	sealAttempts = 20
	sealTime     = 10 * time.Second
	firstPause   = 2 * time.Millisecond
	longestPause = 250 * time.Millisecond
)

// Input returns the update: its condition is that every attribute of Stored
// that a write by others could have changed is what it was, and that those that
// Next adds are absent. It is nil if there is nothing to change. Errors:
// ErrTooWide.
func (r *Rewrite) Input() (*dynamodb.UpdateItemInput, error) {
	t := newText()
	sealed, seal := r.sealed(), Seal(r.Stored)
	for _, n := range slices.Sorted(maps.Keys(r.Stored)) {
		if !sealed || n == seal || r.Loose(n) {
			t.equal(n, r.Stored[n])
		}
	}
	if r.sealing() && !sealed {
		t.absent(envelope.FooterAttribute)
	}
	for _, n := range slices.Sorted(maps.Keys(r.Next)) {
		if _, had := r.Stored[n]; !had && n != envelope.HeaderAttribute && n != envelope.FooterAttribute {
			t.absent(n)
		}
	}
	t.replace(r.Stored, r.Next, func(string) bool { return false })
	return t.input(r.Table, r.Key)
}

// Do sends the update and seals the item again as long as there are attributes
// of others that must be signed. It returns all attributes that came in between,
// as plaintext. If they cannot be sealed, it restores what was read beside them
// and returns the error of Seal. A *Refused means that nothing was written,
// ErrUnsealed that the item does not verify.
func (r *Rewrite) Do(ctx context.Context, w Writer) (envelope.Item, error) {
	in, err := r.Input()
	if in == nil {
		return nil, err
	}
	now, err := w.Update(ctx, in)
	var refused *Refused
	if errors.As(err, &refused) && r.sealing() && SameFooter(refused.Item, r.Next) {
		now, err = refused.Item, nil // by an attempt whose answer was lost
	}
	if err != nil {
		return nil, err
	}
	return r.Finish(ctx, w, now)
}

// Finish does what Do does after its first update, for an item that this update
// is known to have written. now is the item as it is.
func (r *Rewrite) Finish(ctx context.Context, w Writer, now envelope.Item) (envelope.Item, error) {
	added, sealed := envelope.Item{}, r.Next
	if r.settled(now, sealed, added) {
		return added, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sealTime)
	defer cancel()
	pause := firstPause
	forms := []envelope.Item{sealed} // that the item can have by now, unless another writer replaced it
	last, unable := errMoving, error(nil)
	for range sealAttempts {
		next, bad := w.Seal(ctx, added)
		var in *dynamodb.UpdateItemInput
		var err error
		if bad == nil {
			in, err = r.again(now, sealed, next)
			forms = append(forms, next)
		} else {
			in, err = r.restore(now, sealed, added)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%w: %w", ErrUnsealed, err), bad)
		}
		after, err := w.Update(ctx, in)
		var refused *Refused
		if errors.As(err, &refused) {
			after, err = refused.Item, nil
		}
		if err != nil {
			if last, unable = err, bad; wait(ctx, pause) != nil {
				return nil, errors.Join(fmt.Errorf("%w: %w", ErrUnsealed, err), bad)
			}
			pause = min(2*pause, longestPause)
			continue
		}
		at := slices.IndexFunc(forms, func(form envelope.Item) bool { return SameFooter(after, form) })
		if at < 0 { // restored, or another writer replaced or deleted the item
			return added, bad
		}
		sealed = forms[at]
		if now = after; r.settled(now, sealed, added) {
			return added, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%w: %d attempts: %w", ErrUnsealed, sealAttempts, last), unable)
}

// wait pauses for a random time, or returns the context's error.
func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(rand.N(pause))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settled collects the attributes of now that Next lacks into added, and
// reports whether sealed covers all of them that need a signature.
func (r *Rewrite) settled(now, sealed, added envelope.Item) bool {
	settled := true
	sealing := r.sealing()
	for n, v := range now {
		if _, own := r.Next[n]; own {
			continue
		}
		_, covered := sealed[n]
		unsigned := sealing && r.Unsigned(n)
		if !covered || unsigned {
			added[n] = v // otherwise ciphertext, and added has its plaintext
		}
		if sealing && !covered && !unsigned {
			settled = false
		}
	}
	return settled
}

// again is the update that seals an item a second time. Unsigned attributes are
// left as they are.
func (r *Rewrite) again(now, sealed, next envelope.Item) (*dynamodb.UpdateItemInput, error) {
	t := newText()
	t.equal(envelope.FooterAttribute, sealed[envelope.FooterAttribute])
	for _, n := range slices.Sorted(maps.Keys(now)) {
		if _, covered := sealed[n]; !covered && !r.Unsigned(n) {
			t.equal(n, now[n])
		}
	}
	t.replace(now, next, r.Unsigned)
	return t.input(r.Table, r.Key)
}

// restore is the update that puts back what the rewrite has changed, and keeps
// what others added.
func (r *Rewrite) restore(now, sealed, added envelope.Item) (*dynamodb.UpdateItemInput, error) {
	t := newText()
	t.equal(envelope.FooterAttribute, sealed[envelope.FooterAttribute])
	before := maps.Clone(now)
	for n, v := range r.Next {
		if old, had := r.Stored[n]; !had {
			delete(before, n)
		} else if !reflect.DeepEqual(old, v) {
			before[n] = old
		}
	}
	for n, v := range r.Stored {
		if _, kept := r.Next[n]; !kept {
			before[n] = v
		}
	}
	for n, v := range added {
		if _, covered := sealed[n]; covered && !r.Unsigned(n) {
			before[n] = v
		}
	}
	t.replace(now, before, func(string) bool { return false })
	return t.input(r.Table, r.Key)
}

// SameFooter reports whether both items are sealed by the same operation: no two
// share a footer.
func SameFooter(a, b envelope.Item) bool {
	x, ok := a[envelope.FooterAttribute].(*types.AttributeValueMemberB)
	y, ok2 := b[envelope.FooterAttribute].(*types.AttributeValueMemberB)
	return ok && ok2 && slices.Equal(x.Value, y.Value)
}
