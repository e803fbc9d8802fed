// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"

	"github.com/ddbseal/ddbseal/store/internal/gotype"
)

// Merging is how Update carries over what T does not have. New finds it once.
type Merging struct {
	// Nested are the fields of T that can lack members.
	Nested []gotype.NestedField
	// Remarshal is set if T marshals itself, so that only its marshaler tells
	// which attributes T has.
	Remarshal bool
}

// MergingOf returns how Update merges values of t, the type of the plan.
func (p *Plan) MergingOf(t reflect.Type) Merging {
	return Merging{Nested: p.Codec.Nested(t), Remarshal: p.convertsItself}
}

// ErrUnknownMembers: an update would drop a member of a nested value.
var ErrUnknownMembers = errors.New("item has members that the Go type lacks")

// Merge is an update of an item. Old is the plaintext item that was read, and Next
// the item that the changed value makes. If the type marshals itself, Had is what
// its marshaler returns for the old item.
type Merge struct {
	Old, Had, Key, Next envelope.Item
	Sealed              bool // the item is encrypted on the client
	DropMembers         bool // members that the type lacks may be dropped
}

// Merge returns the item to write: Next, the attributes of the old item that the
// type does not have, and the next version, which *v gets too. Errors:
// envelope.ErrConfiguration for another key; [ErrUnknownMembers].
func (p *Plan) Merge(how Merging, m Merge, v any) (envelope.Item, error) {
	next := m.Next
	if p.KeyText(next) != p.KeyText(m.Key) {
		return nil, fmt.Errorf("%w: update of %s changed the item's key: delete and put instead",
			envelope.ErrConfiguration, p.Table)
	}
	if how.Remarshal {
		next = maps.Clone(next) // the map may be a part of *v
	}
	if p.Version != nil {
		n, err := p.Counter().Of(m.Old)
		if err != nil {
			return nil, err
		}
		if n, err = p.Counter().Next(n); err != nil {
			return nil, err
		}
		next[p.Version.Name] = p.Counter().Value(n)
		gotype.SetInteger(reflect.ValueOf(v).Elem(), p.Version.Index, n)
	}
	for name, av := range m.Old {
		reserved := m.Sealed && strings.HasPrefix(name, envelope.ReservedPrefix)
		if next[name] != nil || m.Had[name] != nil || p.Field(name) != nil || reserved {
			continue
		}
		next[name] = av
	}
	for _, f := range how.Nested {
		if lost := f.Nesting.Merge(m.Old[f.Name], next[f.Name], m.DropMembers); lost != "" {
			return nil, fmt.Errorf("%w: %s has no place for %s%s: declare the member, or pass DropUnknownMembers",
				ErrUnknownMembers, p.TypeName, f.Name, lost)
		}
	}
	return next, nil
}

// ActionsOfKept returns the actions of an opened item for the attributes that
// next has with the same value. A value that the marshaler of T changed gets no
// action from the header: the item may be an older one that an attacker put
// back, written when the attribute was still in the clear.
func ActionsOfKept(opened envelope.Opened, next envelope.Item) map[string]envelope.Action {
	kept := maps.Clone(opened.Actions)
	maps.DeleteFunc(kept, func(n string, _ envelope.Action) bool {
		return next[n] == nil || !ddbexpr.EqualItems(envelope.Item{n: opened.Item[n]}, envelope.Item{n: next[n]})
	})
	return kept
}
