// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// KeyOperator is how a key attribute is compared.
type KeyOperator uint8

// The operators of key conditions. The zero KeyOperator is invalid.
const (
	KeyInvalid KeyOperator = iota
	KeyEqual
	KeyLess
	KeyLessEqual
	KeyGreater
	KeyGreaterEqual
	KeyBetween
	KeyBeginsWith
)

// String returns the operator as expressions write it.
func (o KeyOperator) String() string { return keyOperators[o].String() }

var keyOperators = [...]Operator{
	KeyInvalid: OpInvalid,
	KeyEqual:   OpEqual, KeyLess: OpLess, KeyLessEqual: OpLessEqual, KeyGreater: OpGreater,
	KeyGreaterEqual: OpGreaterEqual,
	KeyBetween:      OpBetween, KeyBeginsWith: OpBeginsWith,
}

// KeyTerm is a condition on one key attribute.
type KeyTerm struct {
	Name     string
	Operator KeyOperator
	// Value is what the attribute is compared with; the lower bound of BETWEEN.
	Value types.AttributeValue
	// High is the upper bound of BETWEEN, and nil otherwise.
	High types.AttributeValue
}

// Matches tells whether a value of the attribute meets the condition. Nil and
// values of another type do not.
func (t KeyTerm) Matches(v types.AttributeValue) bool {
	switch t.Operator {
	case KeyBeginsWith:
		return beginsWith(v, t.Value)
	case KeyBetween:
		low, okLow := compareValues(v, t.Value)
		high, okHigh := compareValues(v, t.High)
		return okLow && okHigh && low >= 0 && high <= 0
	}
	c, ok := compareValues(v, t.Value)
	return ok && keyOperators[t.Operator].holds(c)
}

// KeyCondition is a parsed key condition expression: terms on different
// attributes. [KeyCondition.Bind] fits it to a key.
type KeyCondition struct {
	root  *node
	terms []KeyTerm
	paths []Path
}

// Terms returns the conditions in the order of the text.
func (k *KeyCondition) Terms() []KeyTerm { return slices.Clone(k.terms) }

// Paths returns the document paths, all of one element, in the order of the
// text.
func (k *KeyCondition) Paths() []Path { return slices.Clone(k.paths) }

// TopLevelNames returns the names of the attributes in ascending order.
func (k *KeyCondition) TopLevelNames() []string { return attributes(k.paths) }

// KeyCondition parses a key condition expression. The error is an *Error.
func (s *Scope) KeyCondition(expression string) (*KeyCondition, error) {
	p, err := newParser(s, KindKeyCondition, expression)
	if err != nil {
		return nil, err
	}
	root, err := p.condition()
	if err != nil {
		return nil, err
	}
	k := &KeyCondition{root: root, paths: p.paths}
	if message := k.collect(root); message != "" {
		return nil, p.error(message)
	}
	return k, nil
}

// collect turns the condition into terms; it returns the message of a refusal.
func (k *KeyCondition) collect(n *node) string {
	switch n.op {
	case OpAnd:
		if message := k.collect(n.left); message != "" {
			return message
		}
		return k.collect(n.right)
	case OpOr, OpNot, OpNotEqual, OpIn, OpExists, OpNotExists, OpType, OpContains:
		return "Invalid operator used in KeyConditionExpression: " + n.op.String()
	}
	var path Path
	for i := range n.args {
		switch o := &n.args[i]; o.kind {
		case operandFunction:
			return "KeyConditionExpressions cannot contain nested operations"
		case operandPath:
			if path != nil {
				return "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
			}
			path = o.path
		}
	}
	switch {
	case path == nil:
		return "Invalid condition in KeyConditionExpression: No key attribute specified"
	case len(path) > 1:
		return "KeyConditionExpressions cannot have conditions on nested attributes"
	}
	term, ok := keyTerm(n, path.Attribute())
	if !ok {
		return "Invalid condition in KeyConditionExpression: " + n.op.String() +
			" operator must have the key attribute as its first operand"
	}
	for _, t := range k.terms {
		if t.Name == term.Name {
			return "KeyConditionExpressions must only contain one condition per key"
		}
	}
	k.terms = append(k.terms, term)
	return ""
}

// keyTerm makes a term of a comparison of one attribute; ok is false when the
// attribute stands in the wrong place.
func keyTerm(n *node, name string) (t KeyTerm, ok bool) {
	t.Name = name
	op := n.op
	first, second := &n.args[0], &n.args[1]
	if first.kind != operandPath {
		// :v < a says the same as a > :v.
		first, second = second, first
		switch op {
		case OpLess:
			op = OpGreater
		case OpLessEqual:
			op = OpGreaterEqual
		case OpGreater:
			op = OpLess
		case OpGreaterEqual:
			op = OpLessEqual
		case OpEqual:
		default:
			return t, false
		}
	}
	t.Operator = KeyOperator(slices.Index(keyOperators[:], op))
	t.Value = second.value
	if op == OpBetween {
		t.High = n.args[2].value
	}
	return t, true
}
