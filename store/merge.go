// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"maps"
	"reflect"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
)

// merge returns the next plaintext item: the attributes of *v, the attributes of
// the item old that T does not have, and the next version, which *v gets too.
// If T marshals itself, had is what its marshaler returns for the old item.
func (c *core) merge(old, had, key envelope.Item, v any) (envelope.Item, error) {
	p := c.plan
	next, err := c.marshal(v)
	if err == nil {
		err = c.valid(next, v)
	}
	if err != nil {
		return nil, err
	}
	if p.KeyText(next) != p.KeyText(key) {
		return nil, fmt.Errorf("%w: update of %s changed the item's key: delete and put instead", ErrConfiguration,
			c.name)
	}
	if c.merging.Remarshal {
		next = maps.Clone(next) // the map may be a part of *v
	}
	if p.Version != nil {
		n, err := p.Counter().Of(old)
		if err != nil {
			return nil, err
		}
		if n, err = p.Counter().Next(n); err != nil {
			return nil, err
		}
		next[p.Version.Name] = p.Counter().Value(n)
		gotype.SetInteger(reflect.ValueOf(v).Elem(), p.Version.Index, n)
	}
	for name, av := range old {
		if next[name] != nil || had[name] != nil || p.Field(name) != nil || c.encryptor != nil && isReserved(name) {
			continue
		}
		next[name] = av
	}
	for _, f := range c.merging.Nested {
		if lost := f.Nesting.Merge(old[f.Name], next[f.Name], c.options.dropMembers); lost != "" {
			return nil,
				fmt.Errorf("update of %s: %w: %s has no place for %s%s: declare the member, or pass DropUnknownMembers",
					c.name, ErrUnknownMembers, p.TypeName, f.Name, lost)
		}
	}
	return next, nil
}

// actionsOfKept returns the actions of an opened item for the attributes that
// next has with the same value. A value that the marshaler of T changed gets no
// action from the header: the item may be an older one that an attacker put
// back, written when the attribute was still in the clear.
func actionsOfKept(opened envelope.Opened, next envelope.Item) map[string]envelope.Action {
	kept := maps.Clone(opened.Actions)
	maps.DeleteFunc(kept, func(n string, _ envelope.Action) bool {
		return next[n] == nil || !ddbexpr.EqualItems(envelope.Item{n: opened.Item[n]}, envelope.Item{n: next[n]})
	})
	return kept
}
