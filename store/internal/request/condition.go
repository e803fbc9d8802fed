// SPDX-License-Identifier: Apache-2.0

package request

import (
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/store/internal/visibility"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/operand"
)

// AnySet reports whether at least one of the conditions says something.
func AnySet(conditions []expression.ConditionBuilder) bool {
	return slices.ContainsFunc(conditions, expression.ConditionBuilder.IsSet)
}

// Join makes one condition of several, all of which must hold.
func Join(conditions []expression.ConditionBuilder) (expression.ConditionBuilder, bool) {
	set := make([]expression.ConditionBuilder, 0, len(conditions))
	for _, c := range conditions {
		if c.IsSet() {
			set = append(set, c)
		}
	}
	switch len(set) {
	case 0:
		return expression.ConditionBuilder{}, false
	case 1:
		return set[0], true
	}
	return expression.And(set[0], set[1], set[2:]...), true
}

// CheckConditions refuses the conditions of the application that DynamoDB could
// not evaluate. They are a part of text, an expression of e; its other part is
// what the table requires itself, which names readable attributes only.
func (t Table) CheckConditions(kind ddbexpr.Kind, given []expression.ConditionBuilder, text *string,
	e expression.Expression) error {
	if !AnySet(given) {
		return nil
	}
	return t.CheckCondition(kind, *text, e)
}

// localFilter parses a filter that is evaluated over plaintext items. It returns
// nil for none.
func (t Table) localFilter(filter expression.ConditionBuilder) (*ddbexpr.Condition, error) {
	if !filter.IsSet() {
		return nil, nil
	}
	e, err := visibility.Build(expression.NewBuilder().WithFilter(filter))
	if err != nil {
		return nil, fmt.Errorf("%w: expression: %w", envelope.ErrConfiguration, err)
	}
	parsed, err := ddbexpr.ParseCondition(ddbexpr.KindFilter, *e.Filter(), e.Names(), e.Values())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", envelope.ErrConfiguration, err)
	}
	for _, name := range parsed.TopLevelNames() {
		if err := t.Declared(ddbexpr.KindFilter.String(), name); err != nil {
			return nil, err
		}
	}
	return parsed, operand.CheckCondition(parsed.Root(), t.Plan.OperandField)
}

// Write is the condition of a write as a request has it. The zero Write is for a
// write without one.
type Write struct {
	Expression *string
	Names      map[string]string
	Values     map[string]types.AttributeValue
}

// Condition builds the condition that all of conditions hold, of which given are
// the application's. It refuses those that DynamoDB could not evaluate.
func (t Table) Condition(conditions, given []expression.ConditionBuilder) (Write, error) {
	joined, some := Join(conditions)
	if !some {
		return Write{}, nil
	}
	e, err := visibility.Build(expression.NewBuilder().WithCondition(joined))
	if err != nil {
		return Write{}, fmt.Errorf("%w: condition: %w", envelope.ErrConfiguration, err)
	}
	if err := t.CheckConditions(ddbexpr.KindCondition, given, e.Condition(), e); err != nil {
		return Write{}, err
	}
	return Write{e.Condition(), e.Names(), e.Values()}, nil
}
