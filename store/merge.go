package store

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// merging is how Update carries over what T does not have. New finds it once.
type merging struct {
	// nested are the fields of T that can lack members.
	nested []nestedField
	// remarshal is set if T marshals itself, so that only its marshaler tells
	// which attributes T has.
	remarshal bool
}

func mergingOf(t reflect.Type) merging {
	if marshalsWhole(t) {
		return merging{remarshal: reflect.PointerTo(t).Implements(marshalerType)}
	}
	var m merging
	if s := (nestings{}).of(t); s != nil {
		for _, f := range s.fields {
			if f.nesting != nil {
				m.nested = append(m.nested, f)
			}
		}
	}
	return m
}

// merge makes the next plaintext item: the attributes of *v, the attributes of
// the item old that T does not have, and the next version, which *v gets too.
// If T marshals itself, had is what its marshaler returns for the old item.
func (c *core) merge(old, had, key envelope.Item, v any) (envelope.Item, error) {
	p := c.plan
	next, err := c.marshal(v)
	if err != nil {
		return nil, err
	}
	if p.keyText(next) != p.keyText(key) {
		return nil, fmt.Errorf("%w: update of %s changed the item's key: delete and put instead", ErrConfiguration, c.name)
	}
	if c.merging.remarshal {
		next = maps.Clone(next) // the map may be a part of *v
	}
	if p.version != nil {
		n, err := p.versionOf(old)
		if err != nil {
			return nil, err
		}
		if n, err = p.nextVersion(n); err != nil {
			return nil, err
		}
		next[p.version.name] = versionValue(n)
		setInt(reflect.ValueOf(v).Elem(), p.version, n)
	}
	for name, av := range old {
		if next[name] != nil || had[name] != nil || p.field(name) != nil || c.encryptor != nil && isReserved(name) {
			continue
		}
		next[name] = av
	}
	for _, f := range c.merging.nested {
		if lost := f.nesting.merge(old[f.name], next[f.name], c.options.dropMembers); lost != "" {
			return nil, fmt.Errorf("update of %s: %w: %s has no place for %s%s: declare the member, or pass DropUnknownMembers",
				c.name, ErrUnknownMembers, p.typeName, f.name, lost)
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

// merge adds to next, which the encoder made, the members of old that the type
// lacks. Where it cannot, it returns the path of a member that would be lost,
// unless drop is set.
func (s *nesting) merge(old, next types.AttributeValue, drop bool) (lost string) {
	if s == nil || old == nil || next == nil {
		return ""
	}
	if s.fields == nil {
		if drop || countElements(next) == 0 {
			return ""
		}
		return s.lacks(old)
	}
	from, ok := old.(*types.AttributeValueMemberM)
	to, stays := next.(*types.AttributeValueMemberM)
	if !ok || !stays {
		return "" // the struct was not there, or is gone with its members
	}
	filled := make([]bool, len(s.fields))
	for _, name := range slices.Sorted(maps.Keys(from.Value)) {
		i := s.find(name)
		if i < 0 {
			to.Value[name] = from.Value[name]
			continue
		}
		field := s.fields[i]
		if filled[i] && !drop {
			return "." + field.name
		}
		filled[i] = true
		if lost := field.nesting.merge(from.Value[name], to.Value[field.name], drop); lost != "" {
			return "." + field.name + lost
		}
	}
	return ""
}

// lacks returns the path of a member of a stored value for which the type has
// no place, "" if there is none. Two members that fill one field count too:
// the field holds one of them. A path shows no map key, which is data.
func (s *nesting) lacks(av types.AttributeValue) (lost string) {
	if s == nil {
		return ""
	}
	if s.length >= 0 && countElements(av) > s.length {
		return fmt.Sprintf("[%d]", s.length)
	}
	switch v := av.(type) {
	case *types.AttributeValueMemberL:
		for i := range v.Value {
			if lost := s.elem.lacks(v.Value[i]); lost != "" {
				return fmt.Sprintf("[%d]%s", i, lost)
			}
		}
	case *types.AttributeValueMemberM:
		if s.fields == nil {
			for _, key := range slices.Sorted(maps.Keys(v.Value)) {
				if lost := s.elem.lacks(v.Value[key]); lost != "" {
					return "[*]" + lost
				}
			}
			return ""
		}
		filled := make([]bool, len(s.fields))
		for _, name := range slices.Sorted(maps.Keys(v.Value)) {
			i := s.find(name)
			if i < 0 {
				return "." + name
			}
			field := s.fields[i]
			if filled[i] {
				return "." + field.name
			}
			filled[i] = true
			if lost := field.nesting.lacks(v.Value[name]); lost != "" {
				return "." + field.name + lost
			}
		}
	}
	return ""
}

// countElements returns the number of elements of a list, a map or a set.
func countElements(av types.AttributeValue) int {
	switch v := av.(type) {
	case *types.AttributeValueMemberL:
		return len(v.Value)
	case *types.AttributeValueMemberM:
		return len(v.Value)
	case *types.AttributeValueMemberSS:
		return len(v.Value)
	case *types.AttributeValueMemberNS:
		return len(v.Value)
	case *types.AttributeValueMemberBS:
		return len(v.Value)
	}
	return 0
}
