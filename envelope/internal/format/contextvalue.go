// SPDX-License-Identifier: Apache-2.0

package format

import (
	"encoding/base64"
	"encoding/binary"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Letters of the pair aws-crypto-legend, which tells a reader of the context,
// such as a branch key supplier, how to read an attribute's value.
const (
	ContextString  = 'S' // the text itself
	ContextNumber  = 'N' // the normalized number
	ContextLiteral = 'L' // null, true or false
	ContextBinary  = 'B' // base64 of type id and serialized value
)

// ContextValueV1 is an attribute's value in the encryption context of a
// version 1 item: base64 of type id and serialized value, whatever the type.
// Errors: [ErrInvalid], as [AppendValue].
// (Specification: [encrypt-item], "Base Context Value Version 1".)
//
// [encrypt-item]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/encrypt-item.md#base-context-value-version-1
func ContextValueV1(v types.AttributeValue) (string, error) {
	return contextValue(v, RefuseEmptyKeys)
}

func contextValue(v types.AttributeValue, empty EmptyKeys) (string, error) {
	id, err := TypeOf(v)
	if err != nil {
		return "", err
	}
	if _, err := SizeBound(v); err != nil {
		return "", err
	}
	var short [96]byte
	b := binary.BigEndian.AppendUint16(short[:0], uint16(id))
	if b, err = Append(b, v, empty); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// ContextValueV2 is an attribute's value in the encryption context of a
// version 2 item, and its letter in the context's legend. Errors:
// [ErrInvalid], as [Append].
// (Specification: [encrypt-item], "Base Context Value Version 2".)
//
// [encrypt-item]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/encrypt-item.md#base-context-value-version-2
func ContextValueV2(v types.AttributeValue, empty EmptyKeys) (value string, legend byte, err error) {
	if _, err := TypeOf(v); err != nil {
		return "", 0, err
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		if !utf8.ValidString(v.Value) {
			return "", 0, invalid("string is not UTF-8")
		}
		return v.Value, ContextString, nil
	case *types.AttributeValueMemberN:
		n, err := normalize(v.Value)
		return n, ContextNumber, err
	case *types.AttributeValueMemberNULL:
		return "null", ContextLiteral, nil
	case *types.AttributeValueMemberBOOL:
		if v.Value {
			return "true", ContextLiteral, nil
		}
		return "false", ContextLiteral, nil
	}
	value, err = contextValue(v, empty)
	return value, ContextBinary, err
}
