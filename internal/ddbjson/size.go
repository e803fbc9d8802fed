// SPDX-License-Identifier: Apache-2.0

package ddbjson

import (
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// ItemSize returns the size of an item in bytes as DynamoDB counts it for the
// limit of 400 KB, for pages of 1 MB and for capacity: the UTF-8 length of
// every attribute name plus [ValueSize] of its value. Index overhead is not
// part of it.
func ItemSize(item map[string]types.AttributeValue) int { return itemSize(item, nil) }

// ValueSize returns the size of one value in bytes: text in UTF-8 and binaries
// by their length, numbers as [ddbnumber.Size] has it, NULL and BOOL one, sets
// the sum of their elements, lists and maps three plus one for every element
// beyond its own size. Nil counts nothing.
func ValueSize(v types.AttributeValue) int { return valueSize(v, nil) }

// TextSize is [ValueSize], and reports whether all text of the value, names of
// members included, is valid UTF-8.
func TextSize(v types.AttributeValue) (size int, valid bool) {
	invalid := false
	size = valueSize(v, &invalid)
	return size, !invalid
}

// itemSize and valueSize set *invalid, if it is not nil, for text that is not
// valid UTF-8.
func itemSize(item map[string]types.AttributeValue, invalid *bool) int {
	n := 0
	for name, v := range item {
		n += textSize(name, invalid) + valueSize(v, invalid)
	}
	return n
}

func textSize(s string, invalid *bool) int {
	if invalid != nil && !utf8.ValidString(s) {
		*invalid = true
	}
	return len(s)
}

func valueSize(v types.AttributeValue, invalid *bool) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return textSize(v.Value, invalid)
	case *types.AttributeValueMemberN:
		return ddbnumber.Size(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
		return 1
	case *types.AttributeValueMemberSS:
		n := 0
		for _, s := range v.Value {
			n += textSize(s, invalid)
		}
		return n
	case *types.AttributeValueMemberNS:
		n := 0
		for _, s := range v.Value {
			n += ddbnumber.Size(s)
		}
		return n
	case *types.AttributeValueMemberBS:
		n := 0
		for _, b := range v.Value {
			n += len(b)
		}
		return n
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + itemSize(v.Value, invalid)
	case *types.AttributeValueMemberL:
		n := 3 + len(v.Value)
		for _, e := range v.Value {
			n += valueSize(e, invalid)
		}
		return n
	}
	return 0
}
