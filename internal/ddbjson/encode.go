// SPDX-License-Identifier: Apache-2.0

package ddbjson

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Marshal writes an item in one line, with the names of the item and of every
// map inside in ascending byte order, so that equal items give equal text. Sets
// keep the order they have. The errors are as for [AppendValue].
func Marshal(item map[string]types.AttributeValue) ([]byte, error) {
	return AppendItemSorted(make([]byte, 0, 64*(len(item)+1)), item)
}

// AppendItem appends an item with its names in no particular order: the fast
// form for the wire. After an error dst is returned as it came.
func AppendItem(dst []byte, item map[string]types.AttributeValue) ([]byte, error) {
	return appended(dst)(appendMap(dst, item, false, 1))
}

// AppendItemSorted is [AppendItem] with names in ascending byte order.
func AppendItemSorted(dst []byte, item map[string]types.AttributeValue) ([]byte, error) {
	return appended(dst)(appendMap(dst, item, true, 1))
}

// AppendValue appends one attribute value. Refused are nil values, types that
// are none of the ten of package types, text that is not UTF-8 and more than 32
// levels. After an error dst is returned as it came.
func AppendValue(dst []byte, v types.AttributeValue) ([]byte, error) {
	return appended(dst)(appendValue(dst, v, false, 1))
}

// appended gives dst back where writing failed midway.
func appended(dst []byte) func([]byte, error) ([]byte, error) {
	return func(out []byte, err error) ([]byte, error) {
		if err != nil {
			return dst, err
		}
		return out, nil
	}
}

func appendMap(dst []byte, m map[string]types.AttributeValue, sorted bool, level int) ([]byte, error) {
	var err error
	dst = append(dst, '{')
	if sorted {
		for i, name := range slices.Sorted(maps.Keys(m)) {
			if dst, err = appendMember(dst, i == 0, name, m[name], sorted, level); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	first := true
	for name, v := range m {
		if dst, err = appendMember(dst, first, name, v, sorted, level); err != nil {
			return nil, err
		}
		first = false
	}
	return append(dst, '}'), nil
}

func appendMember(dst []byte, first bool, name string, v types.AttributeValue, sorted bool, level int) ([]byte, error) {
	if !first {
		dst = append(dst, ',')
	}
	dst, err := AppendString(dst, name)
	if err != nil {
		return nil, err
	}
	return appendValue(append(dst, ':'), v, sorted, level)
}

func appendValue(dst []byte, v types.AttributeValue, sorted bool, level int) (_ []byte, err error) {
	if level > MaxDepth {
		return nil, errTooDeep
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		dst, err = AppendString(append(dst, `{"S":`...), v.Value)
	case *types.AttributeValueMemberN:
		dst, err = AppendString(append(dst, `{"N":`...), v.Value)
	case *types.AttributeValueMemberB:
		dst = appendBytes(append(dst, `{"B":`...), v.Value)
	case *types.AttributeValueMemberBOOL:
		dst = appendBool(append(dst, `{"BOOL":`...), v.Value)
	case *types.AttributeValueMemberNULL:
		dst = appendBool(append(dst, `{"NULL":`...), v.Value)
	case *types.AttributeValueMemberSS:
		dst, err = appendStrings(append(dst, `{"SS":[`...), v.Value)
	case *types.AttributeValueMemberNS:
		dst, err = appendStrings(append(dst, `{"NS":[`...), v.Value)
	case *types.AttributeValueMemberBS:
		dst = append(dst, `{"BS":[`...)
		for i, b := range v.Value {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendBytes(dst, b)
		}
		dst = append(dst, ']')
	case *types.AttributeValueMemberM:
		dst, err = appendMap(append(dst, `{"M":`...), v.Value, sorted, level+1)
	case *types.AttributeValueMemberL:
		dst = append(dst, `{"L":[`...)
		for i, e := range v.Value {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendValue(dst, e, sorted, level+1); err != nil {
				return nil, err
			}
		}
		dst = append(dst, ']')
	case nil:
		return nil, errEmptyValue
	default:
		return nil, &ValidationError{Message: errEmptyValue.Message, reason: fmt.Sprintf("unknown type %T", v)}
	}
	if err != nil {
		return nil, err
	}
	return append(dst, '}'), nil
}

func appendStrings(dst []byte, list []string) ([]byte, error) {
	var err error
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = AppendString(dst, s); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func appendBytes(dst, b []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, b)
	return append(dst, '"')
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "true"...)
	}
	return append(dst, "false"...)
}

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string, with escapes for the quotation mark,
// the backslash and control characters only. Text that is not UTF-8 is a
// *ValidationError: JSON cannot hold it, and replacing it would change it.
func AppendString(dst []byte, s string) ([]byte, error) {
	dst = append(dst, '"')
	start, ascii := 0, true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			ascii = false
		}
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	if !ascii && !utf8.ValidString(s) {
		return nil, &ValidationError{Message: "One or more parameter values were invalid: text is not valid UTF-8"}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"'), nil
}
