// SPDX-License-Identifier: Apache-2.0

package precondition

import (
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/gotype"
)

// Version is the attribute that counts the writes of an item.
type Version struct {
	Name string
	Type reflect.Type // of the field
}

// Value returns a version as it is stored.
func (v Version) Value(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// Of reads an item's version; absent is 0. Errors: envelope.ErrInvalidItem.
func (v Version) Of(item envelope.Item) (int64, error) {
	stored, ok := item[v.Name].(*types.AttributeValueMemberN)
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseInt(stored.Value, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: version attribute %q is not a count from 0 to 2^63-1", envelope.ErrInvalidItem,
			v.Name)
	}
	return n, nil
}

// Next returns the version after n, or [Version.Outgrown] if the field does not
// hold it: an item with that version could not be read.
func (v Version) Next(n int64) (int64, error) {
	if n >= v.Last() {
		return 0, v.Outgrown()
	}
	return n + 1, nil
}

// Last returns the largest version that the field holds.
func (v Version) Last() int64 {
	t := gotype.Indirect(v.Type)
	if reflect.Zero(t).CanInt() {
		return math.MaxInt64 >> (64 - t.Bits())
	}
	return math.MaxInt64 >> (63 - min(t.Bits(), 63))
}

// Outgrown is the error for a version that the field cannot count up.
func (v Version) Outgrown() error {
	return fmt.Errorf("%w: version attribute %q has the largest value of its type %v: declare a wider type",
		envelope.ErrInvalidItem, v.Name, v.Type)
}

// Is is the condition that the item has version n.
func (v Version) Is(n int64) expression.ConditionBuilder {
	return Name(v.Name).Equal(expression.Value(n))
}

// CanCount is the condition that the field holds the next version.
func (v Version) CanCount() expression.ConditionBuilder {
	attribute := Name(v.Name)
	return expression.Or(attribute.AttributeNotExists(), attribute.LessThan(expression.Value(v.Last())))
}
