// SPDX-License-Identifier: Apache-2.0

package format

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// longestNumber is an upper bound of a normalized number: sign, "0.", 129
// zeros, 38 digits.
const longestNumber = 172

// SizeBound returns an upper bound, usually exact, of the serialized length of
// a value, so that its place can be set aside before it is serialized. It
// fails with [ErrInvalid] when a value exceeds [MaxValueSize] or [MaxDepth].
func SizeBound(v types.AttributeValue) (int, error) {
	n := sizeBound(0, v, 1)
	if n > MaxValueSize {
		return 0, invalid("value over %d bytes or nested deeper than %d levels", MaxValueSize, MaxDepth)
	}
	return n, nil
}

// sizeBound adds the size of v to n. It stops early once n is too large.
func sizeBound(n int, v types.AttributeValue, depth int) int {
	if depth > MaxDepth {
		return MaxValueSize + 1
	}
	if _, err := TypeOf(v); err != nil {
		return n // refused by AppendValue
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		n += len(v.Value)
	case *types.AttributeValueMemberN:
		n += numberBound(v.Value)
	case *types.AttributeValueMemberB:
		n += len(v.Value)
	case *types.AttributeValueMemberBOOL:
		n++
	case *types.AttributeValueMemberSS:
		n += 4
		for _, s := range v.Value {
			n += 4 + len(s)
		}
	case *types.AttributeValueMemberNS:
		n += 4
		for _, s := range v.Value {
			n += 4 + numberBound(s)
		}
	case *types.AttributeValueMemberBS:
		n += 4
		for _, b := range v.Value {
			n += 4 + len(b)
		}
	case *types.AttributeValueMemberM:
		n += 4
		for k, e := range v.Value {
			if n = sizeBound(n+12+len(k), e, depth+1); n > MaxValueSize {
				return n
			}
		}
	case *types.AttributeValueMemberL:
		n += 4
		for _, e := range v.Value {
			if n = sizeBound(n+6, e, depth+1); n > MaxValueSize {
				return n
			}
		}
	}
	return n
}

// numberBound: without an exponent normalizing only drops characters, but for
// one zero in front of a bare point.
func numberBound(s string) int {
	if strings.ContainsAny(s, "eE") {
		return longestNumber
	}
	return len(s) + 1
}
