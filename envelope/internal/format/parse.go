// SPDX-License-Identifier: Apache-2.0

package format

import (
	"bytes"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ParseValue reads the serialization of one value, as it comes out of an
// encrypted attribute. Nothing of the result aliases b. It is more lenient
// than [AppendValue] where authentic items of other writers are: sets and maps
// in any order, any text as a number. Errors, all [ErrMalformed]: fields that
// do not fill their place exactly, duplicates, bad UTF-8, a BOOL that is
// neither 0 nor 1, a NULL with content, an empty map key, nesting beyond
// [MaxDepth].
// (Specification: [ddb-attribute-serialization], "Attribute Value Serialization".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#attribute-value-serialization
func ParseValue(id TypeID, b []byte) (types.AttributeValue, error) {
	return parseValue(id, b, 1)
}

func parseValue(id TypeID, b []byte, depth int) (types.AttributeValue, error) {
	if depth > MaxDepth {
		return nil, malformed("nested deeper than %d levels", MaxDepth)
	}
	switch id {
	case TypeString, TypeNumber:
		if !utf8.Valid(b) {
			return nil, malformed("text is not UTF-8")
		}
		if id == TypeNumber {
			return &types.AttributeValueMemberN{Value: string(b)}, nil
		}
		return &types.AttributeValueMemberS{Value: string(b)}, nil
	case TypeBinary:
		return &types.AttributeValueMemberB{Value: copyOf(b)}, nil
	case TypeBool:
		if len(b) != 1 || b[0] > 1 {
			return nil, malformed("BOOL is neither 0 nor 1")
		}
		return &types.AttributeValueMemberBOOL{Value: b[0] == 1}, nil
	case TypeNull:
		if len(b) != 0 {
			return nil, malformed("NULL with content")
		}
		return &types.AttributeValueMemberNULL{Value: true}, nil
	case TypeStringSet, TypeNumberSet:
		texts, err := parseTexts(b)
		if err != nil {
			return nil, err
		}
		if id == TypeNumberSet {
			return &types.AttributeValueMemberNS{Value: texts}, nil
		}
		return &types.AttributeValueMemberSS{Value: texts}, nil
	case TypeBinarySet:
		return parseBinaries(b)
	case TypeMap:
		return parseMap(b, depth)
	case TypeList:
		return parseList(b, depth)
	}
	return nil, malformed("unknown type id %#04x", uint16(id))
}

// copyOf returns an independent copy that is never nil.
func copyOf(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }

// end reports a cursor that did not read its input exactly.
func end(c *cursor, what string) error {
	switch {
	case !c.ok:
		return malformed("%s ends early", what)
	case len(c.b) != 0:
		return malformed("%d bytes after the %s", len(c.b), what)
	}
	return nil
}

// Minimum encoded sizes of an entry. They bound how much an untrusted count can
// preallocate.
const (
	minSetEntry  = 4
	minListEntry = 6
	minMapEntry  = 13
)

// parseTexts reads a string or number set.
// (Specification: [ddb-attribute-serialization], "Set Entries".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#set-entries
func parseTexts(b []byte) ([]string, error) {
	c := newCursor(b)
	n := c.uint32()
	texts := make([]string, 0, min(n, len(c.b)/minSetEntry))
	ascending := true
	for range n {
		s := c.long()
		if !c.ok {
			break
		}
		if !utf8.Valid(s) {
			return nil, malformed("text is not UTF-8")
		}
		texts = append(texts, string(s))
		if k := len(texts); k > 1 && CompareUTF16(texts[k-2], texts[k-1]) >= 0 {
			ascending = false
		}
	}
	if err := end(&c, "set"); err != nil {
		return nil, err
	}
	if !ascending && hasDuplicate(texts) {
		return nil, malformed("set holds a duplicate")
	}
	return texts, nil
}

func hasDuplicate(texts []string) bool {
	seen := make(map[string]struct{}, len(texts))
	for _, s := range texts {
		if _, has := seen[s]; has {
			return true
		}
		seen[s] = struct{}{}
	}
	return false
}

// parseBinaries reads a binary set.
// (Specification: [ddb-attribute-serialization], "Set Entries".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#set-entries
func parseBinaries(b []byte) (types.AttributeValue, error) {
	c := newCursor(b)
	n := c.uint32()
	entries := make([][]byte, 0, min(n, len(c.b)/minSetEntry))
	ascending := true
	for range n {
		e := c.long()
		if !c.ok {
			break
		}
		entries = append(entries, copyOf(e))
		if k := len(entries); k > 1 && bytes.Compare(entries[k-2], entries[k-1]) >= 0 {
			ascending = false
		}
	}
	if err := end(&c, "set"); err != nil {
		return nil, err
	}
	if !ascending {
		texts := make([]string, len(entries))
		for i, e := range entries {
			texts[i] = string(e)
		}
		if hasDuplicate(texts) {
			return nil, malformed("set holds a duplicate")
		}
	}
	return &types.AttributeValueMemberBS{Value: entries}, nil
}

// parseMap reads a map.
// (Specification: [ddb-attribute-serialization], "Key Value Pair Entries".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#key-value-pair-entries
func parseMap(b []byte, depth int) (types.AttributeValue, error) {
	c := newCursor(b)
	n := c.uint32()
	m := make(map[string]types.AttributeValue, min(n, len(c.b)/minMapEntry))
	for range n {
		keyType, key := TypeID(c.uint16()), c.long()
		id, value := TypeID(c.uint16()), c.long()
		if !c.ok {
			break
		}
		switch {
		case keyType != TypeString:
			return nil, malformed("map key of type id %#04x", uint16(keyType))
		case !utf8.Valid(key):
			return nil, malformed("map key is not UTF-8")
		}
		if _, has := m[string(key)]; has {
			return nil, malformed("map holds a duplicate key")
		}
		v, err := parseValue(id, value, depth+1)
		if err != nil {
			return nil, err
		}
		m[string(key)] = v
	}
	if err := end(&c, "map"); err != nil {
		return nil, err
	}
	return &types.AttributeValueMemberM{Value: m}, nil
}

// parseList reads a list.
// (Specification: [ddb-attribute-serialization], "List Entries".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#list-entries
func parseList(b []byte, depth int) (types.AttributeValue, error) {
	c := newCursor(b)
	n := c.uint32()
	list := make([]types.AttributeValue, 0, min(n, len(c.b)/minListEntry))
	for range n {
		id, value := TypeID(c.uint16()), c.long()
		if !c.ok {
			break
		}
		v, err := parseValue(id, value, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if err := end(&c, "list"); err != nil {
		return nil, err
	}
	return &types.AttributeValueMemberL{Value: list}, nil
}
