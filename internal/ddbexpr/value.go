// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

func isTypeCode(s string) bool {
	switch s {
	case "S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL":
		return true
	}
	return false
}

func stringOf(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// scalarText writes the content of a string, number or binary for a message.
func scalarText(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		n := strconv.Itoa(len(v.Value))
		return "java.nio.HeapByteBuffer[pos=0 lim=" + n + " cap=" + n + "]"
	}
	return "..."
}

// Compare orders two values as DynamoDB orders the keys of a partition. ok is
// false unless both are of the same type S, N or B.
func Compare(a, b types.AttributeValue) (c int, ok bool) { return compareValues(a, b) }

// compareValues orders two values of the same type S, N or B; ok is false for
// all others.
func compareValues(a, b types.AttributeValue) (c int, ok bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		if b, ok := b.(*types.AttributeValueMemberS); ok {
			return strings.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberN:
		if b, ok := b.(*types.AttributeValueMemberN); ok {
			return ddbnumber.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberB:
		if b, ok := b.(*types.AttributeValueMemberB); ok {
			return bytes.Compare(a.Value, b.Value), true
		}
	}
	return 0, false
}

// equalValues compares two values in depth: numbers by value, sets without
// order. Values of different types differ, and nil equals nothing.
func equalValues(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && ddbnumber.Compare(a.Value, b.Value) == 0
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(a.Value, b.Value)
	case *types.AttributeValueMemberBOOL:
		b, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	case *types.AttributeValueMemberSS, *types.AttributeValueMemberNS, *types.AttributeValueMemberBS:
		x, y := newSet(a), newSet(b)
		return x.kind == y.kind && len(x.keys) == len(y.keys) && x.containsAll(y)
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		if !ok || len(a.Value) != len(b.Value) {
			return false
		}
		for name, v := range a.Value {
			if !equalValues(v, b.Value[name]) {
				return false
			}
		}
		return true
	case *types.AttributeValueMemberL:
		b, ok := b.(*types.AttributeValueMemberL)
		if !ok || len(a.Value) != len(b.Value) {
			return false
		}
		for i, v := range a.Value {
			if !equalValues(v, b.Value[i]) {
				return false
			}
		}
		return true
	}
	return false
}

// set is the content of SS, NS or BS under keys that are equal exactly for
// equal elements.
type set struct {
	kind string
	keys map[string]struct{}
}

// newSet returns a set without a kind for every other value.
func newSet(v types.AttributeValue) set {
	s := set{}
	switch v := v.(type) {
	case *types.AttributeValueMemberSS:
		s = set{"SS", make(map[string]struct{}, len(v.Value))}
		for _, e := range v.Value {
			s.keys[e] = struct{}{}
		}
	case *types.AttributeValueMemberNS:
		s = set{"NS", make(map[string]struct{}, len(v.Value))}
		for _, e := range v.Value {
			s.keys[numberKey(e)] = struct{}{}
		}
	case *types.AttributeValueMemberBS:
		s = set{"BS", make(map[string]struct{}, len(v.Value))}
		for _, e := range v.Value {
			s.keys[string(e)] = struct{}{}
		}
	}
	return s
}

func (s set) has(key string) bool {
	_, ok := s.keys[key]
	return ok
}

func (s set) containsAll(o set) bool {
	for key := range o.keys {
		if !s.has(key) {
			return false
		}
	}
	return true
}

// numberKey is the normal form of a number, or the text of what is none.
func numberKey(s string) string {
	if n, err := ddbnumber.Normalize(s); err == nil {
		return n
	}
	return s
}

// sizeOf is the function size: UTF-16 units of a string, bytes of a binary,
// elements of everything else that has elements; ok is false without a size.
func sizeOf(v types.AttributeValue) (n int, ok bool) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		for _, r := range v.Value {
			n += utf16.RuneLen(r)
		}
		return n, true
	case *types.AttributeValueMemberB:
		return len(v.Value), true
	case *types.AttributeValueMemberSS:
		return len(v.Value), true
	case *types.AttributeValueMemberNS:
		return len(v.Value), true
	case *types.AttributeValueMemberBS:
		return len(v.Value), true
	case *types.AttributeValueMemberM:
		return len(v.Value), true
	case *types.AttributeValueMemberL:
		return len(v.Value), true
	}
	return 0, false
}

// contains is the function of that name: part of a string or binary, or element
// of a set or list.
func contains(v, part types.AttributeValue) bool {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		part, ok := part.(*types.AttributeValueMemberS)
		return ok && strings.Contains(v.Value, part.Value)
	case *types.AttributeValueMemberB:
		part, ok := part.(*types.AttributeValueMemberB)
		return ok && bytes.Contains(v.Value, part.Value)
	case *types.AttributeValueMemberSS:
		if part, ok := part.(*types.AttributeValueMemberS); ok {
			for _, e := range v.Value {
				if e == part.Value {
					return true
				}
			}
		}
	case *types.AttributeValueMemberNS:
		if part, ok := part.(*types.AttributeValueMemberN); ok {
			for _, e := range v.Value {
				if ddbnumber.Compare(e, part.Value) == 0 {
					return true
				}
			}
		}
	case *types.AttributeValueMemberBS:
		if part, ok := part.(*types.AttributeValueMemberB); ok {
			for _, e := range v.Value {
				if bytes.Equal(e, part.Value) {
					return true
				}
			}
		}
	case *types.AttributeValueMemberL:
		for _, e := range v.Value {
			if equalValues(e, part) {
				return true
			}
		}
	}
	return false
}

// beginsWith is the function begins_with.
func beginsWith(v, prefix types.AttributeValue) bool {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		prefix, ok := prefix.(*types.AttributeValueMemberS)
		return ok && strings.HasPrefix(v.Value, prefix.Value)
	case *types.AttributeValueMemberB:
		prefix, ok := prefix.(*types.AttributeValueMemberB)
		return ok && bytes.HasPrefix(v.Value, prefix.Value)
	}
	return false
}

// resolve returns the value of an operand for an item, nil where there is none.
func (o *operand) resolve(item map[string]types.AttributeValue) types.AttributeValue {
	switch o.kind {
	case operandPath:
		return o.path.Find(item)
	case operandValue:
		return o.value
	case operandFunction: // size, as others are refused
		if n, ok := sizeOf(o.args[0].resolve(item)); ok {
			return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
		}
	}
	return nil
}
