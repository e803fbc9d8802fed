// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/pace"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
	"github.com/ddbseal/ddbseal/store/internal/schema"
)

// updateAttempts bounds how often Update runs for one change.
const updateAttempts = 20

// Update reads the item with the key, calls change on it, and writes the result on
// condition that no other writer changed the item in between. If one did, Update begins
// again. So change may run several times, and should do nothing but change its
// argument. An error of change ends the update and is wrapped.
//
// Attributes that T does not have are kept, in client-side mode with the action
// that the item's header has for them if the table declares none. So are members
// that nested structs do not have, also behind pointers, where the struct stays:
// a pointer set to nil removes them. Names match as package attributevalue
// matches them. Values of interface types and of types that marshal themselves
// are taken whole. The elements of slices, arrays and maps have no identity: if
// one of them has a member that its type lacks, Update fails with
// [ErrUnknownMembers], unless no element is left or [DropUnknownMembers] is set.
// For a type T with a marshaler of its own, Update keeps what the marshaler does
// not return for the unchanged value, and refuses a changed value of an attribute
// that the table declares no action for. The beacons of
// the table's configuration are written again, from the new values. An item that
// bears others is refused with [ErrBeacons], unless [DropBeacons] is set.
//
// An item of the older DynamoDB Encryption Client, which [ClientSide].Legacy
// reads, is written in the current format.
//
// The condition is, in client-side mode, the item's signature and every unsigned
// attribute, known by name, that was read or was absent; a new attribute under AllowedUnsignedPrefix is not
// noticed. In server-side mode it is the version attribute, or without one the
// equality of all attributes that were read: then an attribute unknown to T
// that another writer adds in between is lost.
//
// The absent names count only where they fit into the condition, which holds
// about 120 of them. Otherwise Update writes by UpdateItem, for which the caller
// needs dynamodb:UpdateItem: an attribute that another writer adds in between
// stays in the item, and on a plaintext item that Update encrypts a second
// UpdateItem signs it. The item does not verify until then; if the second call
// fails, the error matches [ErrUncertain].
//
// Update returns what it wrote. Errors: [ErrUncertain] if the change may have
// been written; if not, [ErrNotFound], [ErrConflict] after 20 attempts,
// [ErrTooWide], [ErrUnknownMembers], [ErrBeacons], and the errors of [Table.Get] and
// [Table.Put].
func (t *Table[T]) Update(ctx context.Context, k Key, change func(*T) error) (T, error) {
	return update(ctx, t, k, change, false)
}

// UpdateOrCreate is [Table.Update], but if no item has the key, it calls change on a
// value that has only the key set, and creates the item.
func (t *Table[T]) UpdateOrCreate(ctx context.Context, k Key, change func(*T) error) (T, error) {
	return update(ctx, t, k, change, true)
}

func update[T any](ctx context.Context, t *Table[T], k Key, change func(*T) error, create bool) (T, error) {
	var zero T
	key, err := t.key(k)
	if err != nil {
		return zero, err
	}
	var conflict pace.Conflict
	for range updateAttempts {
		var in *dynamodb.PutItemInput
		var wide *rewrite
		var v T
		if in, wide, v, err = prepare(ctx, t, key, change, create); err != nil {
			return zero, err
		}
		if wide != nil {
			err = wide.send(ctx, &v)
		} else {
			_, err = t.put(ctx, in)
		}
		if err == nil {
			return v, nil
		}
		err = t.explain("update", err, t.expects(in, nil))
		if !errors.Is(err, ErrConditionFailed) && !errors.Is(err, ErrConflict) {
			return zero, err
		}
		if errors.Is(err, ErrConditionFailed) && !errors.Is(err, ErrStaleVersion) { // explain counts those
			t.counts.conflicts.Add(1)
		}
		if err := conflict.Wait(ctx); err != nil {
			return zero, fmt.Errorf("update of %s: %w", t.name, err)
		}
	}
	return zero, fmt.Errorf("update of %s: %w: %d attempts: %w", t.name, ErrConflict, updateAttempts, err)
}

// prepare reads, changes and seals, and returns the conditional put, or the
// rewrite that replaces a put whose condition would be too wide.
func prepare[T any](ctx context.Context, t *Table[T], key envelope.Item, change func(*T) error,
	create bool) (*dynamodb.PutItemInput, *rewrite, T, error) {
	var v, zero T
	stored, err := t.read(ctx, key)
	absent := create && errors.Is(err, ErrNotFound)
	if err != nil && !absent {
		return nil, nil, zero, err
	}
	opened := envelope.Opened{Item: key}
	var had envelope.Item
	if !absent {
		if opened, err = t.open(ctx, stored); err == nil {
			err = t.unmarshal(opened.Item, &v)
		}
		if err != nil {
			return nil, nil, zero, t.unreadable(stored, err)
		}
		if err := t.checkBeacons(opened.Beacons); err != nil {
			return nil, nil, zero, err
		}
		if t.merging.Remarshal {
			var before T // v itself may share memory with what the marshaler returns
			if err := t.unmarshal(opened.Item, &before); err != nil {
				return nil, nil, zero, t.itemError(stored, err)
			}
			if had, err = t.marshal(&before); err != nil {
				return nil, nil, zero, err
			}
		}
	} else if err := t.plan.Codec.Decode(t.plan.Known(key), &v); err != nil {
		return nil, nil, zero, t.plan.DecodeError(key, reflect.TypeFor[T](), err)
	} else if t.plan.Composed {
		if err := t.plan.TakeApart(key, &v); err != nil {
			return nil, nil, zero, fmt.Errorf("%w: %w", ErrConfiguration, err)
		}
	}
	if err := change(&v); err != nil {
		return nil, nil, zero, fmt.Errorf("update of %s: %w", t.name, err)
	}
	next, err := t.merge(opened.Item, had, key, &v)
	if err != nil {
		return nil, nil, zero, err
	}
	if t.merging.Remarshal {
		opened.Actions = schema.ActionsOfKept(opened, next)
	}
	unchanged := name(t.plan.Partition.Name).AttributeNotExists()
	tooWide := false
	if !absent {
		if unchanged, err = t.unchanged(stored); err != nil && !errors.Is(err, ErrTooWide) {
			return nil, nil, zero, err
		}
		tooWide = err != nil
	}
	condition, err := t.build([]Condition{unchanged}, nil)
	if err != nil {
		return nil, nil, zero, err
	}
	in, err := t.sealedPut(ctx, next, opened.Actions, condition)
	if err != nil || !tooWide {
		return in, nil, v, err
	}
	wide, err := t.newRewrite(stored, key, opened, next, in)
	return in, wide, v, err
}

// open decrypts a stored item for a writer.
func (c *core) open(ctx context.Context, stored envelope.Item) (envelope.Opened, error) {
	if c.encryptor == nil {
		plain, err := c.decrypt(ctx, stored)
		return envelope.Opened{Item: plain}, err
	}
	return c.encryptor.OpenItem(ctx, stored)
}

// checkBeacons refuses to drop the beacons of an item.
func (c *core) checkBeacons(beacons []string) error {
	if len(beacons) == 0 || c.options.dropBeacons {
		return nil
	}
	return fmt.Errorf("update of %s: %w: %q: without them the item is missing from searches of its writer; configure "+
		"them in ClientSide.Search, or pass DropBeacons to drop them", c.name, ErrBeacons, beacons)
}

// unchanged is the condition that the item is still what was read.
func (c *core) unchanged(stored envelope.Item) (Condition, error) {
	p := c.plan
	if c.encryptor != nil && precondition.Seal(stored) != "" {
		if !envelope.IsLegacy(stored) {
			return precondition.Sealed(stored, c.encryptor.AllowedUnsigned, c.unsigned)
		}
		names := slices.Concat(c.unsigned, c.unsignedLegacy)
		slices.Sort(names)
		return precondition.Sealed(stored, precondition.Loose(stored, c.encryptor), slices.Compact(names))
	}
	if p.Version != nil && c.encryptor == nil && stored[p.Version.Name] != nil {
		all, _ := join(c.guard([]Condition{name(p.Version.Name).Equal(value(stored[p.Version.Name]))}))
		return all, nil
	}
	known := make([]string, 0, len(p.Fields)+len(c.unsigned)+1)
	if c.encryptor == nil {
		for _, f := range p.Fields {
			known = append(known, f.Name)
		}
		return precondition.Plain(stored, known)
	}
	// Plaintext, read under a policy that allows it.
	known = append(known, envelope.FooterAttribute)
	actions := c.encryptor.Actions()
	for n := range actions {
		known = append(known, n)
	}
	for _, n := range c.unsigned {
		if _, has := actions[n]; !has {
			known = append(known, n)
		}
	}
	return precondition.Plain(stored, known)
}
