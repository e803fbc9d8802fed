// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

// SortRange returns the condition on a sort key. high is for the operator between
// only.
func (f *Field) SortRange(operator string, low, high any) (expression.KeyConditionBuilder, error) {
	from, err := f.KeyValue(low)
	if err != nil {
		return expression.KeyConditionBuilder{}, err
	}
	k, v := expression.Key(f.Name), precondition.Value(from)
	switch operator {
	case "=":
		return k.Equal(v), nil
	case "<":
		return k.LessThan(v), nil
	case "<=":
		return k.LessThanEqual(v), nil
	case ">":
		return k.GreaterThan(v), nil
	case ">=":
		return k.GreaterThanEqual(v), nil
	case "begins_with":
		prefix, is := from.(*types.AttributeValueMemberS)
		if !is {
			return expression.KeyConditionBuilder{},
				fmt.Errorf("%w: a prefix of key attribute %q, which is not a string", envelope.ErrConfiguration, f.Name)
		}
		return k.BeginsWith(prefix.Value), nil
	}
	to, err := f.KeyValue(high)
	if err != nil {
		return expression.KeyConditionBuilder{}, err
	}
	// DynamoDB refuses it too, and repeats both values in its message.
	if c, ok := ddbexpr.Compare(from, to); ok && c > 0 {
		return expression.KeyConditionBuilder{},
			fmt.Errorf("%w: SortBetween of key attribute %q: low is above high", envelope.ErrConfiguration, f.Name)
	}
	return k.Between(v, precondition.Value(to)), nil
}
