// SPDX-License-Identifier: Apache-2.0

package search

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// legacyOperators has the operators of the legacy parameter KeyConditions, and
// how many values each needs.
var legacyOperators = map[types.ComparisonOperator]struct {
	op     ddbexpr.Operator
	values int
}{
	types.ComparisonOperatorEq: {ddbexpr.OpEqual, 1}, types.ComparisonOperatorLt: {ddbexpr.OpLess, 1},
	types.ComparisonOperatorLe: {ddbexpr.OpLessEqual, 1}, types.ComparisonOperatorGt: {ddbexpr.OpGreater, 1},
	types.ComparisonOperatorGe:         {ddbexpr.OpGreaterEqual, 1},
	types.ComparisonOperatorBeginsWith: {ddbexpr.OpBeginsWith, 1},
	types.ComparisonOperatorBetween:    {ddbexpr.OpBetween, 2},
}

const keyConditionsParameter = "KeyConditions"

// legacyKeyCondition translates KeyConditions. The values of root have no
// placeholders.
func legacyKeyCondition(conditions map[string]types.Condition) (root ddbexpr.Node, err error) {
	fail := func(name, text string, args ...any) (ddbexpr.Node, error) {
		return ddbexpr.Node{}, misused(keyConditionsParameter, name, text, args...)
	}
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		if name == "" {
			return fail("", "an attribute name is empty")
		}
		c := conditions[name]
		known, ok := legacyOperators[c.ComparisonOperator]
		if !ok {
			return fail(name, "%.40q is not an operator of key conditions",
				string(c.ComparisonOperator))
		}
		if len(c.AttributeValueList) != known.values {
			return fail(name, "%v needs %d values, not %d", known.op, known.values,
				len(c.AttributeValueList))
		}
		if slices.Contains(c.AttributeValueList, nil) {
			return fail(name, "a value is nil")
		}
		n := comparison(known.op, name, false, c.AttributeValueList...)
		if root.IsZero() {
			root = n
		} else {
			root = ddbexpr.Join(ddbexpr.OpAnd, root, n)
		}
	}
	if root.IsZero() {
		return fail("", "it has no condition")
	}
	// Parsing applies the rules for operands.
	w := ddbexpr.NewWriter(nil, nil)
	text := w.Condition(root)
	scope, err := ddbexpr.NewScope(w.Names(), w.Values())
	if err != nil {
		return fail("", "%w", err)
	}
	if _, err := scope.KeyCondition(text); err != nil {
		return fail("", "%w", err)
	}
	return root, nil
}
