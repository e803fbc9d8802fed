// SPDX-License-Identifier: Apache-2.0

package format

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// TypeID is the two-byte name of a DynamoDB type.
type TypeID uint16

// The ten types.
const (
	TypeNull      TypeID = 0x0000
	TypeString    TypeID = 0x0001
	TypeNumber    TypeID = 0x0002
	TypeBinary    TypeID = 0xFFFF
	TypeBool      TypeID = 0x0004
	TypeStringSet TypeID = 0x0101
	TypeNumberSet TypeID = 0x0102
	TypeBinarySet TypeID = 0x01FF
	TypeMap       TypeID = 0x0200
	TypeList      TypeID = 0x0300
)

// String returns DynamoDB's own name of the type, or "unknown".
func (t TypeID) String() string {
	switch t {
	case TypeNull:
		return "NULL"
	case TypeString:
		return "S"
	case TypeNumber:
		return "N"
	case TypeBinary:
		return "B"
	case TypeBool:
		return "BOOL"
	case TypeStringSet:
		return "SS"
	case TypeNumberSet:
		return "NS"
	case TypeBinarySet:
		return "BS"
	case TypeMap:
		return "M"
	case TypeList:
		return "L"
	}
	return "unknown"
}

// Limits of a value.
const (
	// MaxDepth is the nesting that DynamoDB accepts, the leaf included.
	MaxDepth = 32
	// MaxValueSize bounds the serialization of one value, far above what a
	// DynamoDB item holds (400 KB), so that a value built from shared parts
	// cannot unfold without end.
	MaxValueSize = 64 << 20
	// TypeIDLength is in front of every encrypted value.
	TypeIDLength = 2
)

// TypeOf returns the type of a value. A nil value or one that is none of the
// ten types fails with [ErrInvalid].
// (Specification: [ddb-attribute-serialization], "Type ID".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#type-id
func TypeOf(v types.AttributeValue) (TypeID, error) {
	var id TypeID
	absent := false
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		id, absent = TypeString, v == nil
	case *types.AttributeValueMemberN:
		id, absent = TypeNumber, v == nil
	case *types.AttributeValueMemberB:
		id, absent = TypeBinary, v == nil
	case *types.AttributeValueMemberBOOL:
		id, absent = TypeBool, v == nil
	case *types.AttributeValueMemberNULL:
		id, absent = TypeNull, v == nil
	case *types.AttributeValueMemberSS:
		id, absent = TypeStringSet, v == nil
	case *types.AttributeValueMemberNS:
		id, absent = TypeNumberSet, v == nil
	case *types.AttributeValueMemberBS:
		id, absent = TypeBinarySet, v == nil
	case *types.AttributeValueMemberM:
		id, absent = TypeMap, v == nil
	case *types.AttributeValueMemberL:
		id, absent = TypeList, v == nil
	default:
		return 0, invalid("attribute value of type %T", v)
	}
	if absent {
		return 0, invalid("nil attribute value")
	}
	return id, nil
}

// AppendValue appends the canonical serialization of a value without its type
// id: numbers normalized, sets and maps sorted. Errors, all [ErrInvalid]: bad
// UTF-8, numbers that DynamoDB does not hold, duplicates in a set, an empty map
// key ([ErrEmptyKey]), nesting beyond [MaxDepth]. Values that an application may
// have built from shared parts go through [SizeBound] first.
// (Specification: [ddb-attribute-serialization], "Attribute Value Serialization".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#attribute-value-serialization
func AppendValue(dst []byte, v types.AttributeValue) ([]byte, error) {
	return Append(dst, v, RefuseEmptyKeys)
}

// EmptyKeys says whether a map may have an empty key. Version 3.9.0 of the
// official Java library writes such maps, so reading takes them. Writing refuses
// them, because the official libraries for Rust and Java from 4.1.0 cannot read
// such an item.
type EmptyKeys bool

const (
	RefuseEmptyKeys EmptyKeys = false // for writing
	TakeEmptyKeys   EmptyKeys = true  // for reading and describing
)

// Append is [AppendValue] with the choice whether a map may have an empty key.
func Append(dst []byte, v types.AttributeValue, empty EmptyKeys) ([]byte, error) {
	if _, err := TypeOf(v); err != nil {
		return nil, err
	}
	return appendValue(dst, v, 1, empty)
}

// appendValue expects a value that TypeOf has accepted.
func appendValue(dst []byte, v types.AttributeValue, depth int, empty EmptyKeys) ([]byte, error) {
	if depth > MaxDepth {
		return nil, invalid("nested deeper than %d levels", MaxDepth)
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		if !utf8.ValidString(v.Value) {
			return nil, invalid("string is not UTF-8")
		}
		return append(dst, v.Value...), nil
	case *types.AttributeValueMemberN:
		n, err := normalize(v.Value)
		if err != nil {
			return nil, err
		}
		return append(dst, n...), nil
	case *types.AttributeValueMemberB:
		return append(dst, v.Value...), nil
	case *types.AttributeValueMemberBOOL:
		if v.Value {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case *types.AttributeValueMemberNULL:
		return dst, nil
	case *types.AttributeValueMemberSS:
		for _, s := range v.Value {
			if !utf8.ValidString(s) {
				return nil, invalid("string is not UTF-8")
			}
		}
		return appendTexts(dst, v.Value)
	case *types.AttributeValueMemberNS:
		numbers := make([]string, len(v.Value))
		for i, s := range v.Value {
			n, err := normalize(s)
			if err != nil {
				return nil, err
			}
			numbers[i] = n
		}
		return appendTexts(dst, numbers)
	case *types.AttributeValueMemberBS:
		return appendBinaries(dst, v.Value)
	case *types.AttributeValueMemberM:
		return appendMap(dst, v.Value, depth, empty)
	case *types.AttributeValueMemberL:
		dst, err := appendCount(dst, len(v.Value))
		for _, e := range v.Value {
			if err != nil {
				return nil, err
			}
			dst, err = appendNested(dst, e, depth+1, empty)
		}
		return dst, err
	}
	return nil, invalid("attribute value of type %T", v)
}

// NormalizeNumber returns the normalized form of a number, as [AppendValue]
// serializes it. Errors: [ErrInvalid].
// (Specification: [ddb-attribute-serialization], "Number".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#number
func NormalizeNumber(s string) (string, error) { return normalize(s) }

// normalize wraps the reason for a refused number, never the number.
func normalize(s string) (string, error) {
	n, err := ddbnumber.Normalize(s)
	if err != nil {
		return "", invalid("%w", err)
	}
	return n, nil
}

func appendCount(dst []byte, n int) ([]byte, error) {
	if int64(n) > math.MaxUint32 {
		return nil, invalid("%d entries", n)
	}
	return binary.BigEndian.AppendUint32(dst, uint32(n)), nil
}

// appendNested appends type id, length and value of a list or map entry.
// (Specification: [ddb-attribute-serialization], "List Entries".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#list-entries
func appendNested(dst []byte, v types.AttributeValue, depth int, empty EmptyKeys) ([]byte, error) {
	id, err := TypeOf(v)
	if err != nil {
		return nil, err
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(id))
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst, err = appendValue(dst, v, depth, empty)
	if err != nil {
		return nil, err
	}
	n := len(dst) - at - 4
	if n > MaxValueSize {
		return nil, invalid("value over %d bytes", MaxValueSize)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(n))
	return dst, nil
}

// appendTexts appends a string or number set.
// (Specification: [ddb-attribute-serialization], "Set".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#set
func appendTexts(dst []byte, texts []string) ([]byte, error) {
	if !slices.IsSortedFunc(texts, CompareUTF16) {
		texts = slices.Clone(texts)
		slices.SortFunc(texts, CompareUTF16)
	}
	dst, err := appendCount(dst, len(texts))
	for i, s := range texts {
		if err != nil {
			return nil, err
		}
		if i > 0 && s == texts[i-1] {
			return nil, invalid("set holds a duplicate")
		}
		if dst, err = appendCount(dst, len(s)); err == nil {
			dst = append(dst, s...)
		}
	}
	return dst, err
}

// appendBinaries appends a binary set.
// (Specification: [ddb-attribute-serialization], "Set".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#set
func appendBinaries(dst []byte, entries [][]byte) ([]byte, error) {
	if !slices.IsSortedFunc(entries, bytes.Compare) {
		entries = slices.Clone(entries)
		slices.SortFunc(entries, bytes.Compare)
	}
	dst, err := appendCount(dst, len(entries))
	for i, b := range entries {
		if err != nil {
			return nil, err
		}
		if i > 0 && bytes.Equal(b, entries[i-1]) {
			return nil, invalid("set holds a duplicate")
		}
		if dst, err = appendCount(dst, len(b)); err == nil {
			dst = append(dst, b...)
		}
	}
	return dst, err
}

// appendMap appends a map, its keys in the order of their UTF-16 code units.
// (Specification: [ddb-attribute-serialization], "Map Attribute".)
//
// [ddb-attribute-serialization]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-attribute-serialization.md#map-attribute
func appendMap(dst []byte, m map[string]types.AttributeValue, depth int, empty EmptyKeys) ([]byte, error) {
	keys := make([]string, 0, len(m))
	for k := range m {
		if k == "" && empty == RefuseEmptyKeys {
			return nil, ErrEmptyKey
		}
		if !utf8.ValidString(k) {
			return nil, invalid("map key is not UTF-8")
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, CompareUTF16)
	dst, err := appendCount(dst, len(keys))
	for _, k := range keys {
		if err != nil {
			return nil, err
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(TypeString))
		if dst, err = appendCount(dst, len(k)); err != nil {
			return nil, err
		}
		dst = append(dst, k...)
		dst, err = appendNested(dst, m[k], depth+1, empty)
	}
	return dst, err
}
