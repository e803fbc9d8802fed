// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Condition is a parsed condition or filter expression.
type Condition struct {
	root      *node
	kind      Kind
	operators int
	paths     []Path
}

// Operator is what a node of a condition does.
type Operator uint8

// The operators and functions of conditions. The zero Operator is invalid.
const (
	OpInvalid Operator = iota
	OpOr
	OpAnd
	OpNot
	OpEqual
	OpNotEqual
	OpLess
	OpLessEqual
	OpGreater
	OpGreaterEqual
	OpBetween
	OpIn
	OpExists
	OpNotExists
	OpType
	OpBeginsWith
	OpContains
)

var operatorText = [...]string{
	OpOr: "OR", OpAnd: "AND", OpNot: "NOT",
	OpEqual: "=", OpNotEqual: "<>", OpLess: "<", OpLessEqual: "<=", OpGreater: ">", OpGreaterEqual: ">=",
	OpBetween: "BETWEEN", OpIn: "IN",
	OpExists: "attribute_exists", OpNotExists: "attribute_not_exists", OpType: "attribute_type",
	OpBeginsWith: "begins_with", OpContains: "contains",
}

// String returns the operator as expressions write it.
func (o Operator) String() string { return operatorText[o] }

// node is part of a condition: OR, AND and NOT have nodes below, everything
// else has operands.
type node struct {
	op          Operator
	left, right *node
	args        []operand
	paren       bool
}

// Condition parses a condition or filter expression; kind is KindCondition or
// KindFilter and names it in errors. The error is an *Error.
func (s *Scope) Condition(kind Kind, expression string) (*Condition, error) {
	p, err := newParser(s, kind, expression)
	if err != nil {
		return nil, err
	}
	root, err := p.condition()
	if err != nil {
		return nil, err
	}
	return &Condition{root: root, kind: kind, operators: p.operators, paths: p.paths}, nil
}

// NeedsParens reports whether the condition's text must be put into parentheses
// to become a side of AND. Only an OR that is not in parentheses needs them, and
// DynamoDB refuses redundant ones.
func (c *Condition) NeedsParens() bool { return c.root.op == OpOr && !c.root.paren }

// Operators returns the number of operators and functions, which DynamoDB limits
// to [MaxOperators].
func (c *Condition) Operators() int { return c.operators }

// Paths returns every document path of the condition in the order of the text.
func (c *Condition) Paths() []Path { return slices.Clone(c.paths) }

// TopLevelNames returns the names of all attributes that the condition looks
// at, without duplicates, in ascending order.
func (c *Condition) TopLevelNames() []string { return attributes(c.paths) }

// ValueNames returns the names of the attributes whose value decides; those
// that appear in attribute_exists and attribute_not_exists only as a whole are
// left out. With values that the service cannot read, a condition keeps its
// meaning exactly if none of these is affected.
func (c *Condition) ValueNames() []string {
	var paths []Path
	c.root.walk(func(n *node) {
		for i := range n.args {
			n.args[i].walk(func(path Path) {
				if (n.op == OpExists || n.op == OpNotExists) && len(path) == 1 {
					return
				}
				paths = append(paths, path)
			})
		}
	})
	return attributes(paths)
}

func (n *node) walk(visit func(*node)) {
	if n == nil {
		return
	}
	visit(n)
	n.left.walk(visit)
	n.right.walk(visit)
}

func (o *operand) walk(visit func(Path)) {
	if o.kind == operandPath {
		visit(o.path)
	}
	for i := range o.args {
		o.args[i].walk(visit)
	}
}

// Evaluate tells whether item meets the condition; a nil item is one without
// attributes. It changes nothing. The error is always nil for values of the
// types of package types; it stands for values that it does not know.
func (c *Condition) Evaluate(item map[string]types.AttributeValue) (bool, error) {
	return c.root.eval(item), nil
}
