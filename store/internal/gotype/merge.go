// SPDX-License-Identifier: Apache-2.0

package gotype

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Merge adds to next, which the encoder made, the members of old that the type
// lacks. Where it cannot, it returns the path of a member that would be lost,
// unless drop is set.
func (s *Nesting) Merge(old, next types.AttributeValue, drop bool) (lost string) {
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
			return "." + field.Name
		}
		filled[i] = true
		if lost := field.Nesting.Merge(from.Value[name], to.Value[field.Name], drop); lost != "" {
			return "." + field.Name + lost
		}
	}
	return ""
}

// lacks returns the path of a member of a stored value for which the type has
// no place, "" if there is none. Two members that fill one field count too:
// the field holds one of them. A path shows no map key, which is data.
func (s *Nesting) lacks(av types.AttributeValue) (lost string) {
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
				return "." + field.Name
			}
			filled[i] = true
			if lost := field.Nesting.lacks(v.Value[name]); lost != "" {
				return "." + field.Name + lost
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
