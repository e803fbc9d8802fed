// SPDX-License-Identifier: Apache-2.0

package request

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/internal/precondition"
)

// severalCondition returns the condition on the keys of an index that has several
// attributes in a role. DynamoDB wants all attributes of the partition key, and those
// of the sort key from the first on without a gap, all but the last by equality:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
func (t Table) severalCondition(q Read) (key expression.KeyConditionBuilder, err error) {
	partitions, sorts := q.key.Partitions(), q.key.Sorts()
	values := q.Partitions
	if values == nil {
		values = []any{q.Partition}
	}
	if len(values) != len(partitions) {
		return key, fmt.Errorf("%w: the partition key of index %s has the attributes %q: the query has %d of %d values",
			envelope.ErrConfiguration, q.Index.Name, partitions, len(values), len(partitions))
	}
	given := len(q.After)
	if q.Operator != "" {
		given++
	}
	if given > len(sorts) {
		return key, fmt.Errorf("%w: the sort key of index %s has the attributes %q: the query has %d values",
			envelope.ErrConfiguration, q.Index.Name, sorts, given)
	}
	var all []expression.KeyConditionBuilder
	for i, name := range append(partitions, sorts[:len(q.After)]...) {
		f, err := t.indexKey(name)
		if err != nil {
			return key, err
		}
		var value any
		if i < len(values) {
			value = values[i]
		} else {
			value = q.After[i-len(values)]
		}
		av, err := f.FullKey(value)
		if err != nil {
			return key, err
		}
		all = append(all, expression.Key(f.Name).Equal(precondition.Value(av)))
	}
	if q.Operator != "" {
		f, err := t.indexKey(sorts[len(q.After)])
		if err != nil {
			return key, err
		}
		last, err := f.SortRange(q.Operator, q.Low, q.High)
		if err != nil {
			return key, err
		}
		all = append(all, last)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return expression.KeyAnd(all...), nil
}
