// SPDX-License-Identifier: Apache-2.0

package search

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// condition is an application's condition with the translations of its terms.
type condition struct {
	op    ddbexpr.Operator // OpAnd, OpOr, OpNot, and OpInvalid for a term
	sides []*condition
	term  term
}

// term is a comparison or function.
type term struct {
	// upper holds for a stored item whenever the term holds for its plaintext,
	// and lower holds only if the term does.
	upper, lower translation
	// branchKeys are those that the term restricts items to.
	branchKeys []string
}

// translation translates a term for the items of the hasher's partition.
type translation func(h *hasher) (bound, error)

// bound is a condition over stored items. Without a node it is always true if
// holds is set, and always false otherwise.
type bound struct {
	node  ddbexpr.Node
	holds bool
}

func (b bound) fixed() bool { return b.node.IsZero() }

// always and never are the translations of a term that is left out.
func always(*hasher) (bound, error) { return bound{holds: true}, nil }
func never(*hasher) (bound, error)  { return bound{}, nil }

// exactly is the term whose translation is the node.
func exactly(n ddbexpr.Node) term {
	same := func(*hasher) (bound, error) { return bound{node: n}, nil }
	return term{upper: same, lower: same}
}

// bound returns the upper or the lower translation of a condition.
func (c *condition) bound(h *hasher, upper bool) (bound, error) {
	switch c.op {
	case ddbexpr.OpInvalid:
		if upper {
			return c.term.upper(h)
		}
		return c.term.lower(h)
	case ddbexpr.OpNot:
		b, err := c.sides[0].bound(h, !upper)
		if err != nil || b.fixed() {
			return bound{holds: !b.holds}, err
		}
		return bound{node: ddbexpr.Negate(b.node)}, nil
	}
	// The constant that decides AND and OR alone; the other one is left out.
	decides := c.op == ddbexpr.OpOr
	out := bound{holds: !decides}
	for _, side := range c.sides {
		b, err := side.bound(h, upper)
		switch {
		case err != nil:
			return b, err
		case b.fixed() && b.holds == decides:
			return b, nil
		case b.fixed():
		case out.fixed():
			out = b
		default:
			out.node = ddbexpr.Join(c.op, out.node, b.node)
		}
	}
	return out, nil
}

// conjuncts returns the conditions that all hold if c does.
func (c *condition) conjuncts() []*condition {
	if c.op != ddbexpr.OpAnd {
		return []*condition{c}
	}
	var out []*condition
	for _, side := range c.sides {
		out = append(out, side.conjuncts()...)
	}
	return out
}

// branchKeys returns the branch keys that every item that meets the condition
// has.
func (c *condition) branchKeys() map[string]bool {
	out := map[string]bool{}
	switch c.op {
	case ddbexpr.OpInvalid:
		for _, id := range c.term.branchKeys {
			out[id] = true
		}
	case ddbexpr.OpAnd:
		for _, side := range c.sides {
			for id := range side.branchKeys() {
				out[id] = true
			}
		}
	case ddbexpr.OpOr:
		right := c.sides[1].branchKeys()
		for id := range c.sides[0].branchKeys() {
			if right[id] {
				out[id] = true
			}
		}
	}
	return out
}

// comparison returns a comparison of an attribute with values. swapped says that
// the attribute is the second operand.
func comparison(op ddbexpr.Operator, attribute string, swapped bool, values ...types.AttributeValue) ddbexpr.Node {
	operands := []ddbexpr.Operand{ddbexpr.Attribute(attribute)}
	for _, v := range values {
		operands = append(operands, ddbexpr.Literal(v))
	}
	if swapped {
		operands[0], operands[1] = operands[1], operands[0]
		op = mirrored(op)
	}
	return ddbexpr.Term(op, operands...)
}

// mirrored returns the operator for the operands in the other order.
func mirrored(op ddbexpr.Operator) ddbexpr.Operator {
	switch op {
	case ddbexpr.OpLess:
		return ddbexpr.OpGreater
	case ddbexpr.OpLessEqual:
		return ddbexpr.OpGreaterEqual
	case ddbexpr.OpGreater:
		return ddbexpr.OpLess
	case ddbexpr.OpGreaterEqual:
		return ddbexpr.OpLessEqual
	}
	return op
}
