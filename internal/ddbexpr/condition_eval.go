// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// eval tells whether the node holds for item. A comparison with a value that is
// missing or of another type does not hold, except <>, which always does then.
func (n *node) eval(item map[string]types.AttributeValue) bool {
	switch n.op {
	case OpOr:
		return n.left.eval(item) || n.right.eval(item)
	case OpAnd:
		return n.left.eval(item) && n.right.eval(item)
	case OpNot:
		return !n.left.eval(item)
	}
	v := n.args[0].resolve(item)
	switch n.op {
	case OpExists:
		return v != nil
	case OpNotExists:
		return v == nil
	case OpNotEqual:
		return !equalValues(v, n.args[1].resolve(item))
	}
	if v == nil {
		return false
	}
	switch n.op {
	case OpEqual:
		return equalValues(v, n.args[1].resolve(item))
	case OpBetween:
		low, okLow := compareValues(v, n.args[1].resolve(item))
		high, okHigh := compareValues(v, n.args[2].resolve(item))
		return okLow && okHigh && low >= 0 && high <= 0
	case OpIn:
		for i := range n.args[1:] {
			if equalValues(v, n.args[i+1].resolve(item)) {
				return true
			}
		}
		return false
	case OpType:
		return ddbjson.TypeName(v) == stringOf(n.args[1].resolve(item))
	case OpBeginsWith:
		return beginsWith(v, n.args[1].resolve(item))
	case OpContains:
		return contains(v, n.args[1].resolve(item))
	}
	c, ok := compareValues(v, n.args[1].resolve(item))
	return ok && n.op.holds(c)
}

// holds tells whether an ordering comparison holds for the outcome c.
func (o Operator) holds(c int) bool {
	switch o {
	case OpEqual:
		return c == 0
	case OpLess:
		return c < 0
	case OpLessEqual:
		return c <= 0
	case OpGreater:
		return c > 0
	case OpGreaterEqual:
		return c >= 0
	}
	return false
}
