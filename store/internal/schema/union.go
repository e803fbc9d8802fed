// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// Union returns the plan of a table whose items are of several types, told apart
// by one attribute. It refuses types that contradict each other. The error is an
// envelope.ErrConfiguration that names both types.
func Union(plans []*Plan) (*Plan, error) {
	first := plans[0]
	u := &Plan{Table: first.Table, Codec: first.Codec, Inspection: first.Inspection,
		Entity: Entity{Attribute: first.Entity.Attribute}}
	var names []string
	from := map[string]*Plan{} // the type that declared a field first
	for _, p := range plans {
		for _, other := range plans[:len(names)] {
			if other.Entity.Name == p.Entity.Name {
				return nil, fmt.Errorf("%w: %s and %s have the same name %q", envelope.ErrConfiguration, other.TypeName,
					p.TypeName, p.Entity.Name)
			}
		}
		names = append(names, p.TypeName)
		if p.TableKey() != first.TableKey() {
			return nil, fmt.Errorf("%w: %s has %s and %s has %s: the types of a table have the same key attributes",
				envelope.ErrConfiguration, first.TypeName, first.TableKey(), p.TypeName, p.TableKey())
		}
		for _, f := range p.Fields {
			i := slices.IndexFunc(u.Fields, func(has Field) bool { return has.Name == f.Name })
			if i < 0 {
				f.Index, f.composed = nil, nil
				u.Fields, from[f.Name] = append(u.Fields, f), p
				continue
			}
			if err := u.Fields[i].unite(&f); err != nil {
				return nil, fmt.Errorf("%w: attribute %q of %s and of %s: %w", envelope.ErrConfiguration, f.Name,
					from[f.Name].TypeName, p.TypeName, err)
			}
		}
	}
	u.TypeName = strings.Join(names, ", ")
	for i := range u.Fields {
		// A version is one of its own type, whose number another type's item has not.
		if u.Fields[i].role == version {
			u.Fields[i].role = plain
		}
	}
	u.link()
	return u, u.uniteTTL(plans)
}

// unite adds what another type declares of the attribute. The error is the
// difference.
func (f *Field) unite(other *Field) error {
	switch {
	case f.action != other.action:
		return fmt.Errorf("it is %v in one and %v in the other: an attribute has one action per table", f.action,
			other.action)
	case f.isKey() && f.keyType() != other.keyType() && f.keyType() != "" && other.keyType() != "":
		return fmt.Errorf("the key is of type %v in one and of type %v in the other", f.Type, other.Type)
	case f.role == ttl || other.role == ttl:
		f.role = ttl
	}
	if !slices.Equal(f.kinds, other.kinds) {
		f.kinds = nil // each type has its own
	}
	return nil
}

func (f *Field) isKey() bool { return f.role == partition || f.role == sortKey }

// uniteTTL refuses two attributes by which items expire.
func (u *Plan) uniteTTL(plans []*Plan) error {
	for _, p := range plans {
		if p.TTL != nil && p.TTL.Name != u.TTL.Name {
			return fmt.Errorf("%w: items expire by %q or, in %s, by %q: a table has one such attribute",
				envelope.ErrConfiguration, u.TTL.Name, p.TypeName, p.TTL.Name)
		}
	}
	return nil
}

// UniteIndexes adds the indexes of the types, whose keys are the attributes that
// items store. It refuses an index that two types declare differently.
func (u *Plan) UniteIndexes(plans []*Plan) error {
	for _, p := range plans {
		for _, x := range p.Indexes {
			i := slices.IndexFunc(u.Indexes, func(y provision.Index) bool { return y.Name == x.Name })
			if i < 0 {
				u.Indexes = append(u.Indexes, x)
			} else if y := u.Indexes[i]; y.Local != x.Local || y.Key != x.Key || !y.Same(x) {
				return fmt.Errorf("%w: index %s is declared as %s and, in %s, as %s", envelope.ErrConfiguration,
					x.Name, y, p.TypeName, x)
			}
		}
	}
	return nil
}

// Others returns the actions and beacons of the types besides plans[i], as the
// encryption of its items needs them.
func Others(plans []*Plan, i int) (map[string]envelope.Action, []beacon.Standard) {
	actions := map[string]envelope.Action{}
	var beacons []beacon.Standard
	for j, p := range plans {
		if j == i {
			continue
		}
		beacons = append(beacons, p.Beacons...)
		for _, f := range p.Fields {
			if plans[i].Field(f.Name) != nil {
				continue
			}
			actions[f.Name] = f.action
			if f.action == envelope.SignAndIncludeInEncryptionContext {
				// An item needs every attribute of the context, and these do not have it.
				actions[f.Name] = envelope.SignOnly
			}
		}
	}
	return actions, beacons
}
