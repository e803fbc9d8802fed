// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"bytes"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// Equal reports whether two values are the same to DynamoDB: numbers by value,
// sets without order. NULL(false) equals NULL(true), as the format makes it.
func Equal(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && number(a.Value) == number(b.Value)
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(a.Value, b.Value)
	case *types.AttributeValueMemberBOOL:
		b, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	case *types.AttributeValueMemberSS:
		b, ok := b.(*types.AttributeValueMemberSS)
		return ok && slices.Equal(ordered(a.Value), ordered(b.Value))
	case *types.AttributeValueMemberNS:
		b, ok := b.(*types.AttributeValueMemberNS)
		return ok && slices.Equal(numbers(a.Value), numbers(b.Value))
	case *types.AttributeValueMemberBS:
		b, ok := b.(*types.AttributeValueMemberBS)
		return ok && slices.EqualFunc(orderedBytes(a.Value), orderedBytes(b.Value), bytes.Equal)
	case *types.AttributeValueMemberL:
		b, ok := b.(*types.AttributeValueMemberL)
		return ok && slices.EqualFunc(a.Value, b.Value, Equal)
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		return ok && EqualItems(a.Value, b.Value)
	}
	return false
}

// EqualItems is Equal for whole items.
func EqualItems(a, b map[string]types.AttributeValue) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		other, ok := b[k]
		if !ok || !Equal(v, other) {
			return false
		}
	}
	return true
}

func number(s string) string {
	n, err := ddbnumber.Normalize(s)
	if err != nil {
		return "not a number: " + s
	}
	return n
}

func numbers(list []string) []string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = number(n)
	}
	return ordered(out)
}

func ordered(list []string) []string { return slices.Sorted(slices.Values(list)) }

func orderedBytes(list [][]byte) [][]byte {
	return slices.SortedFunc(slices.Values(list), bytes.Compare)
}
