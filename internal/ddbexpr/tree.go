// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Node is a node of a condition's parse tree. OR and AND have two nodes below
// them and NOT has one; every other operator has operands. A Node is never
// changed: to rewrite a condition, build a new tree of [Join], [Negate] and
// [Term], which may share nodes with the old one, and print it with a [Writer].
// The zero Node is not a condition.
type Node struct{ n *node }

// Root returns the condition's parse tree.
func (c *Condition) Root() Node { return Node{c.root} }

// Root returns the key condition's parse tree: one comparison, or comparisons
// joined by AND.
func (k *KeyCondition) Root() Node { return Node{k.root} }

// IsZero reports whether n is the zero Node.
func (n Node) IsZero() bool { return n.n == nil }

// Operator returns what the node does, OpInvalid for the zero Node.
func (n Node) Operator() Operator {
	if n.n == nil {
		return OpInvalid
	}
	return n.n.op
}

// Nodes returns the sides of OR and AND and the condition under NOT, and nil for
// every other operator.
func (n Node) Nodes() []Node {
	switch n.Operator() {
	case OpOr, OpAnd:
		return []Node{{n.n.left}, {n.n.right}}
	case OpNot:
		return []Node{{n.n.left}}
	}
	return nil
}

// Operands returns the operands of a comparison or function in the order of the
// text: for BETWEEN the bounds follow the first operand, for IN the list.
func (n Node) Operands() []Operand {
	if n.n == nil {
		return nil
	}
	out := make([]Operand, len(n.n.args))
	for i, o := range n.n.args {
		out[i] = Operand{o}
	}
	return out
}

// Operators returns the number of operators and functions in the tree, which
// DynamoDB limits to [MaxOperators].
func (n Node) Operators() int {
	count := 0
	n.n.walk(func(n *node) {
		count++
		for i := range n.args {
			for o := &n.args[i]; o.kind == operandFunction; o = &o.args[0] {
				count++
			}
		}
	})
	return count
}

// Evaluate reports whether item meets the condition, as [Condition.Evaluate]
// does.
func (n Node) Evaluate(item map[string]types.AttributeValue) bool { return n.n.eval(item) }

// Equal reports whether two trees are the same: the same operators over the
// same paths and over equal values in the same order. The names of placeholders
// and parentheses around operands do not count.
func (n Node) Equal(o Node) bool { return n.n.equal(o.n) }

func (n *node) equal(o *node) bool {
	if n == nil || o == nil {
		return n == o
	}
	same := func(a, b operand) bool { return a.equal(&b) }
	return n.op == o.op && n.left.equal(o.left) && n.right.equal(o.right) && slices.EqualFunc(n.args, o.args, same)
}

func (o *operand) equal(p *operand) bool {
	if o.kind != p.kind {
		return false
	}
	switch o.kind {
	case operandPath:
		return o.path.compare(p.path) == 0
	case operandValue:
		return equalValues(o.value, p.value)
	}
	same := func(a, b operand) bool { return a.equal(&b) }
	return o.text == p.text && slices.EqualFunc(o.args, p.args, same)
}

// Join joins at least one condition by OpAnd or OpOr, from the left.
func Join(op Operator, first Node, others ...Node) Node {
	for _, n := range others {
		first = Node{&node{op: op, left: first.n, right: n.n}}
	}
	return first
}

// Negate returns the condition that n does not hold.
func Negate(n Node) Node { return Node{&node{op: OpNot, left: n.n}} }

// Term returns a comparison or function of operands. It does not check that the
// operands fit the operator: parse the printed text for that.
func Term(op Operator, operands ...Operand) Node {
	args := make([]operand, len(operands))
	for i, o := range operands {
		args[i] = o.operand
	}
	return Node{&node{op: op, args: args}}
}

// Operand is an operand of a comparison or function: a document path, a value,
// or the size of an operand. The zero Operand is invalid.
type Operand struct{ operand }

// Attribute returns an operand that is a whole attribute.
func Attribute(name string) Operand {
	return Operand{operand{kind: operandPath, path: Path{{Name: name}}}}
}

// Literal returns an operand that is a value without a placeholder. A [Writer]
// gives it one.
func Literal(v types.AttributeValue) Operand { return Operand{operand{kind: operandValue, value: v}} }

// Path returns the document path, nil for values and sizes.
func (o Operand) Path() Path { return slices.Clone(o.path) }

// Value returns the value, nil for paths and sizes.
func (o Operand) Value() types.AttributeValue { return o.value }

// Placeholder returns the placeholder of a value, "" for one made by [Literal].
func (o Operand) Placeholder() string {
	if o.kind != operandValue {
		return ""
	}
	return o.text
}

// SizeOf returns the operand whose size this is; ok is false for paths and
// values.
func (o Operand) SizeOf() (of Operand, ok bool) {
	if o.kind != operandFunction {
		return Operand{}, false
	}
	return Operand{o.args[0]}, true
}
