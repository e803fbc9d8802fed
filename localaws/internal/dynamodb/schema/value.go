// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"errors"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// Item is what a table stores. Stored items and everything inside are never
// changed, only replaced, so they may be read without the table's lock.
type Item = map[string]types.AttributeValue

// maxName is the longest attribute name in bytes.
const maxName = 65535

// NormalizeItem checks an item against DynamoDB's rules on names and values and
// brings its numbers into their normal form, in place. Errors are
// *ddbjson.ValidationError.
func NormalizeItem(it Item) error {
	if err := ddbjson.ValidateItem(it); err != nil {
		return err
	}
	for name := range it {
		if err := CheckName(name); err != nil {
			return err
		}
	}
	for _, v := range it {
		if err := normalize(v); err != nil {
			return err
		}
	}
	return nil
}

// CheckName returns a *ddbjson.ValidationError for text that cannot be the name
// of an attribute.
func CheckName(name string) error {
	switch {
	case name == "":
		return &ddbjson.ValidationError{Message: "Empty attribute name"}
	case len(name) > maxName:
		return &ddbjson.ValidationError{Message: refusal.ParameterPrefix +
			"Attribute name is too large, must be less than 65536 bytes"}
	}
	return nil
}

// NormalizeValue is [NormalizeItem] for one value.
func NormalizeValue(v types.AttributeValue) error {
	if err := ddbjson.Validate(v); err != nil {
		return err
	}
	return normalize(v)
}

// normalize writes nothing where a number is normal already: the result of an
// update shares values with the stored item, which others read meanwhile.
func normalize(v types.AttributeValue) error {
	switch v := v.(type) {
	case *types.AttributeValueMemberN:
		n, err := ddbnumber.Normalize(v.Value)
		if err == nil && n != v.Value {
			v.Value = n
		}
		return err
	case *types.AttributeValueMemberNS:
		for i, s := range v.Value {
			n, err := ddbnumber.Normalize(s)
			if err != nil {
				return err
			}
			if n != s {
				v.Value[i] = n
			}
		}
	case *types.AttributeValueMemberL:
		for _, e := range v.Value {
			if err := normalize(e); err != nil {
				return err
			}
		}
	case *types.AttributeValueMemberM:
		for _, e := range v.Value {
			if err := normalize(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// AppendItem appends an item as DynamoDB's JSON. It panics for an item that did
// not pass [NormalizeItem].
func AppendItem(dst []byte, it Item) []byte {
	out, err := ddbjson.AppendItem(dst, it)
	if err != nil {
		panic(errors.Join(errors.New("dynamodb: a stored item cannot be written"), err))
	}
	return out
}

// AppendText appends text of a request as a JSON string.
func AppendText(dst []byte, s string) []byte {
	out, err := ddbjson.AppendString(dst, s)
	if err != nil {
		panic(errors.Join(errors.New("dynamodb: a stored name cannot be written"), err))
	}
	return out
}

// EqualItems reports whether two items are equal. It is fast for stored items,
// which mostly share their values.
func EqualItems(a, b Item) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		other, ok := b[name]
		if !ok || v != other && !reflect.DeepEqual(v, other) {
			return false
		}
	}
	return true
}
