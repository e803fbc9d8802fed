package ddbjson

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// ItemSize returns the size of an item in bytes as DynamoDB counts it for the
// limit of 400 KB, for pages of 1 MB and for capacity: the UTF-8 length of
// every attribute name plus [ValueSize] of its value. Index overhead is not
// part of it.
func ItemSize(item map[string]types.AttributeValue) int {
	n := 0
	for name, v := range item {
		n += len(name) + ValueSize(v)
	}
	return n
}

// ValueSize returns the size of one value in bytes: text in UTF-8 and binaries
// by their length, numbers as [ddbnumber.Size] has it, NULL and BOOL one, sets
// the sum of their elements, lists and maps three plus one for every element
// beyond its own size. Nil counts nothing.
func ValueSize(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return ddbnumber.Size(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
		return 1
	case *types.AttributeValueMemberSS:
		n := 0
		for _, s := range v.Value {
			n += len(s)
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
		return 3 + len(v.Value) + ItemSize(v.Value)
	case *types.AttributeValueMemberL:
		n := 3 + len(v.Value)
		for _, e := range v.Value {
			n += ValueSize(e)
		}
		return n
	}
	return 0
}
