package ddbexpr

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// eval tells whether the node holds for item. A comparison with a value that is
// missing or of another type does not hold, except <>, which always does then.
func (n *node) eval(item map[string]types.AttributeValue) bool {
	switch n.op {
	case opOr:
		return n.left.eval(item) || n.right.eval(item)
	case opAnd:
		return n.left.eval(item) && n.right.eval(item)
	case opNot:
		return !n.left.eval(item)
	}
	v := n.args[0].resolve(item)
	switch n.op {
	case opExists:
		return v != nil
	case opNotExists:
		return v == nil
	case opNotEqual:
		return !equalValues(v, n.args[1].resolve(item))
	}
	if v == nil {
		return false
	}
	switch n.op {
	case opEqual:
		return equalValues(v, n.args[1].resolve(item))
	case opBetween:
		low, okLow := compareValues(v, n.args[1].resolve(item))
		high, okHigh := compareValues(v, n.args[2].resolve(item))
		return okLow && okHigh && low >= 0 && high <= 0
	case opIn:
		for i := range n.args[1:] {
			if equalValues(v, n.args[i+1].resolve(item)) {
				return true
			}
		}
		return false
	case opType:
		return ddbjson.TypeName(v) == stringOf(n.args[1].resolve(item))
	case opBeginsWith:
		return beginsWith(v, n.args[1].resolve(item))
	case opContains:
		return contains(v, n.args[1].resolve(item))
	}
	c, ok := compareValues(v, n.args[1].resolve(item))
	return ok && n.op.holds(c)
}

// holds tells whether an ordering comparison holds for the outcome c.
func (o operator) holds(c int) bool {
	switch o {
	case opEqual:
		return c == 0
	case opLess:
		return c < 0
	case opLessEqual:
		return c <= 0
	case opGreater:
		return c > 0
	case opGreaterEqual:
		return c >= 0
	}
	return false
}
