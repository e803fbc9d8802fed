// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// Scope holds the placeholders of one request and remembers which of them its
// expressions use. It serves one goroutine; what it parses may be shared.
type Scope struct {
	names      map[string]string
	values     map[string]types.AttributeValue
	usedNames  map[string]struct{}
	usedValues map[string]struct{}
	unlimited  bool
	reserved   bool // reserved words may be names
}

// NewScope checks ExpressionAttributeNames and ExpressionAttributeValues and
// keeps both. Nil means that the request has none; a map without entries is
// refused, as DynamoDB does. The error is an *Error.
func NewScope(names map[string]string, values map[string]types.AttributeValue) (*Scope, error) {
	s, err := NewUnlimitedScope(names, values)
	if err != nil {
		return nil, err
	}
	s.unlimited = false
	size := 0
	for _, name := range names {
		size += len(name)
	}
	for _, v := range values {
		size += ddbjson.ValueSize(v)
	}
	if size > maxSubstitution {
		return nil,
			&Error{Message: "The substitution variables of the expressions have exceeded the maximum allowed size; " +
				"size: " + strconv.Itoa(size)}
	}
	return s, nil
}

// NewUnlimitedScope is [NewScope] for expressions that were generated from
// parameters without the limits that expressions have: on their length, their
// operators, the operands of IN, and the size of what placeholders stand for.
func NewUnlimitedScope(names map[string]string, values map[string]types.AttributeValue) (*Scope, error) {
	if names != nil && len(names) == 0 {
		return nil, &Error{Message: "ExpressionAttributeNames must not be empty"}
	}
	if values != nil && len(values) == 0 {
		return nil, &Error{Message: "ExpressionAttributeValues must not be empty"}
	}
	for key, name := range names {
		if len(key) > maxPlaceholder {
			return nil, &Error{Message: "ExpressionAttributeNames contains invalid key: " + keyTooLong +
				" size of key: " + strconv.Itoa(len(key))}
		}
		if !isPlaceholder(key, '#') {
			return nil, &Error{Message: `ExpressionAttributeNames contains invalid key: Syntax error; key: "` + key +
				`"`}
		}
		if name == "" {
			return nil,
				&Error{Message: "ExpressionAttributeNames contains invalid value: Empty attribute name for key " + key}
		}
		if len(name) > maxNameLength {
			return nil,
				&Error{Message: "ExpressionAttributeNames contains invalid value: Member must have length less than " +
					"or equal to 65535 for key " + key}
		}
	}
	for key, v := range values {
		if len(key) > maxPlaceholder {
			return nil, &Error{Message: "ExpressionAttributeValues contains invalid key: " + keyTooLong}
		}
		if !isPlaceholder(key, ':') {
			return nil, &Error{Message: `ExpressionAttributeValues contains invalid key: Syntax error; key: "` + key +
				`"`}
		}
		if err := ddbjson.Validate(v); err != nil {
			e := &Error{Message: "ExpressionAttributeValues contains invalid value",
				reason: "ExpressionAttributeValues contains invalid value for key " + key}
			var invalid *ddbjson.ValidationError
			if errors.As(err, &invalid) {
				e.Message += ": " + invalid.Message
			}
			e.Message += " for key " + key
			return nil, e
		}
	}
	return &Scope{names: names, values: values, unlimited: true}, nil
}

// AcceptReserved accepts reserved words as names in the expressions that are
// parsed from now on, except the keywords of the grammar. It is for expressions
// that are not sent: a [Writer] replaces such names by placeholders.
func (s *Scope) AcceptReserved() { s.reserved = true }

// maxNameLength is the longest attribute name in bytes.
const maxNameLength = 65535

// maxSubstitution is how many bytes all names and values of a request may have
// together.
const maxSubstitution = 2 << 20

// maxPlaceholder is the longest placeholder in bytes with its first character.
const maxPlaceholder = 255

const keyTooLong = "The expression attribute map contains a key that is too long;"

func isPlaceholder(key string, mark byte) bool {
	return len(key) > 1 && key[0] == mark && wordEnd(key, 1) == len(key)
}

// name resolves #key and marks it as used.
func (s *Scope) name(key string) (string, bool) {
	name, ok := s.names[key]
	if ok {
		if s.usedNames == nil {
			s.usedNames = make(map[string]struct{}, len(s.names))
		}
		s.usedNames[key] = struct{}{}
	}
	return name, ok
}

// value resolves :key and marks it as used.
func (s *Scope) value(key string) (types.AttributeValue, bool) {
	v, ok := s.values[key]
	if ok {
		if s.usedValues == nil {
			s.usedValues = make(map[string]struct{}, len(s.values))
		}
		s.usedValues[key] = struct{}{}
	}
	return v, ok
}

// Unused returns an *Error that lists placeholders no expression parsed so far
// used, names before values, and nil if there are none. Call it when all
// expressions of the request are parsed.
func (s *Scope) Unused() error {
	if len(s.usedNames) != len(s.names) {
		return unused("ExpressionAttributeNames", s.names, s.usedNames)
	}
	if len(s.usedValues) != len(s.values) {
		return unused("ExpressionAttributeValues", s.values, s.usedValues)
	}
	return nil
}

func unused[V any](parameter string, all map[string]V, used map[string]struct{}) error {
	var keys []string
	for key := range all {
		if _, ok := used[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return &Error{Message: "Value provided in " + parameter + " unused in expressions: keys: {" +
		strings.Join(keys, ", ") + "}"}
}

// ParseCondition parses a condition or filter expression that is alone in its
// request: [NewScope], [Scope.Condition] and [Scope.Unused] in one.
func ParseCondition(kind Kind, expression string, names map[string]string,
	values map[string]types.AttributeValue) (*Condition, error) {
	return alone(names, values, func(s *Scope) (*Condition, error) { return s.Condition(kind, expression) })
}

// ParseProjection parses a projection expression that is alone in its request.
func ParseProjection(expression string, names map[string]string) (*Projection, error) {
	return alone(names, nil, func(s *Scope) (*Projection, error) { return s.Projection(expression) })
}

// ParseKeyCondition parses a key condition expression that is alone in its
// request.
func ParseKeyCondition(expression string, names map[string]string,
	values map[string]types.AttributeValue) (*KeyCondition, error) {
	return alone(names, values, func(s *Scope) (*KeyCondition, error) { return s.KeyCondition(expression) })
}

// ParseUpdate parses an update expression that is alone in its request.
func ParseUpdate(expression string, names map[string]string, values map[string]types.AttributeValue) (*Update, error) {
	return alone(names, values, func(s *Scope) (*Update, error) { return s.Update(expression) })
}

func alone[T any](names map[string]string, values map[string]types.AttributeValue,
	parse func(*Scope) (*T, error)) (*T, error) {
	s, err := NewScope(names, values)
	if err != nil {
		return nil, err
	}
	parsed, err := parse(s)
	if err != nil {
		return nil, err
	}
	if err := s.Unused(); err != nil {
		return nil, err
	}
	return parsed, nil
}
