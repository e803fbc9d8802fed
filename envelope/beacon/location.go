// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
)

// location is a parsed document path, a "terminal location" of the
// specification: the name of an attribute and the steps from it into maps and
// lists. Names have no escapes, so an attribute whose name contains a dot or a
// bracket is reached by a signed part without a location only. (Specification:
// [virtual], "Terminal Location".)
//
// [virtual]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/virtual.md#terminal-location
type location struct {
	attribute string
	steps     []step
	text      string // as written
}

// step leads into a map by key, or into a list by index if key is empty.
type step struct {
	key   string
	index int
}

// maxIndex is beyond any list that an item can hold.
const maxIndex = 1 << 30

// parseLocation reads a path such as a.b[3].c. The error has no class.
func parseLocation(text string) (location, error) {
	if !utf8.ValidString(text) {
		return location{}, errors.New("the location is not UTF-8")
	}
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	l := location{attribute: text[:end], text: text}
	if l.attribute == "" {
		return location{}, errors.New("the location has no attribute name")
	}
	for rest := text[end:]; rest != ""; {
		end := strings.IndexAny(rest[1:], ".[") + 1
		if end == 0 {
			end = len(rest)
		}
		s, err := parseStep(rest[:end])
		if err != nil {
			return location{}, fmt.Errorf("location %.255q: %w", text, err)
		}
		l.steps = append(l.steps, s)
		rest = rest[end:]
	}
	if len(l.steps) >= format.MaxDepth {
		return location{}, fmt.Errorf("location %.255q is deeper than the %d levels of a value", text, format.MaxDepth)
	}
	return l, nil
}

// parseStep reads .name or [index].
func parseStep(text string) (step, error) {
	if text[0] == '.' {
		if text == "." {
			return step{}, errors.New("a step has no name")
		}
		return step{key: text[1:]}, nil
	}
	digits, closed := strings.CutSuffix(text[1:], "]")
	if !closed {
		return step{}, errors.New("an index does not end with ]")
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || n > maxIndex {
		return step{}, fmt.Errorf("an index is not a decimal number up to %d", maxIndex)
	}
	return step{index: int(n)}, nil
}

// attributeLocation is the location of a whole attribute, whatever its name.
func attributeLocation(name string) location { return location{attribute: name, text: name} }

// key identifies the place: locations of the same place have the same key,
// however they are written.
func (l *location) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", l.attribute)
	for _, s := range l.steps {
		if s.key != "" {
			fmt.Fprintf(&b, ".%q", s.key)
		} else {
			fmt.Fprintf(&b, "[%d]", s.index)
		}
	}
	return b.String()
}

// find returns the value at the location, or nil if the path leads nowhere.
func (l *location) find(item Item) types.AttributeValue {
	v := item[l.attribute]
	for i := range l.steps {
		s := &l.steps[i]
		switch c := v.(type) {
		case *types.AttributeValueMemberM:
			if c == nil || s.key == "" {
				return nil
			}
			v = c.Value[s.key]
		case *types.AttributeValueMemberL:
			if c == nil || s.key != "" || s.index >= len(c.Value) {
				return nil
			}
			v = c.Value[s.index]
		default:
			return nil
		}
	}
	return v
}

// text returns the value at the location as a string: numbers normalized, since
// DynamoDB returns them so, and then the part that was written must be the part
// that is searched for. has is false if there is no value.
func (l *location) value(item Item) (text string, has bool, err error) {
	v := l.find(item)
	if v == nil {
		return "", false, nil
	}
	id, err := format.TypeOf(v)
	if err != nil {
		return "", false, itemError("%w", err)
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		if !utf8.ValidString(v.Value) {
			return "", false, itemError("string is not UTF-8")
		}
		return v.Value, true, nil
	case *types.AttributeValueMemberN:
		n, err := format.NormalizeNumber(v.Value)
		if err != nil {
			return "", false, itemError("%w", err)
		}
		return n, true, nil
	case *types.AttributeValueMemberBOOL:
		if v.Value {
			return "true", true, nil
		}
		return "false", true, nil
	case *types.AttributeValueMemberNULL:
		return "null", true, nil
	}
	return "", false, itemError("a value of type %v cannot be made a string", id)
}
