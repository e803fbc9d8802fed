// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// expression is what a parenthesis may hold: a condition or an operand.
type expression struct {
	node *node // nil for an operand
	operand
}

// condition reads a whole condition.
func (p *parser) condition() (*node, error) {
	e, err := p.or(false)
	if err != nil {
		return nil, err
	}
	return e.node, p.finish()
}

// or reads conditions joined by OR. With bare set a lone operand will do, as
// the parenthesis around it may turn out to be the side of a comparison.
func (p *parser) or(bare bool) (expression, error) {
	return p.joined(bare, "OR", OpOr, p.and)
}

func (p *parser) and(bare bool) (expression, error) {
	return p.joined(bare, "AND", OpAnd, p.not)
}

func (p *parser) joined(bare bool, word string, op Operator, side func(bool) (expression, error)) (expression, error) {
	left, err := side(bare)
	if err != nil {
		return left, err
	}
	for left.node != nil && p.acceptWord(word) {
		p.operators++
		right, err := side(false)
		if err != nil {
			return right, err
		}
		left = expression{node: &node{op: op, left: left.node, right: right.node}}
	}
	return left, nil
}

func (p *parser) not(bare bool) (expression, error) {
	if !p.isWord("NOT") {
		return p.primary(bare)
	}
	p.next()
	p.operators++
	e, err := p.not(false)
	if err != nil {
		return e, err
	}
	return expression{node: &node{op: OpNot, left: e.node}}, nil
}

// primary reads a condition in parentheses, a function or a comparison.
func (p *parser) primary(bare bool) (expression, error) {
	var (
		e   expression
		err error
	)
	if p.accept("(") {
		if e, err = p.or(true); err != nil {
			return e, err
		}
		if err := p.expect(")"); err != nil {
			return e, err
		}
		if e.node != nil {
			if e.node.paren {
				p.redundant()
			}
			e.node.paren = true
			return e, nil
		}
		if e.paren {
			p.redundant()
		}
		e.paren = true
	} else if e.operand, err = p.operand(); err != nil {
		return e, err
	}
	if n, err := p.comparison(e.operand); n != nil || err != nil {
		return expression{node: n}, err
	}
	if op := functionOperator(e.text); e.kind == operandFunction && op != OpInvalid {
		return expression{node: &node{op: op, args: e.args, paren: e.paren}}, nil
	}
	if bare && p.isSymbol(")") {
		return e, nil
	}
	if e.kind != operandFunction {
		return e, p.syntax()
	}
	p.notHere(&e.operand)
	return expression{node: &node{args: e.args}}, nil
}

func (p *parser) redundant() {
	p.report(rankParens, "The expression has redundant parentheses;")
}

// operand reads a path, a value, a function call or one of them in parentheses.
// Whether a function may be an operand is up to the caller.
func (p *parser) operand() (operand, error) {
	return p.readOperand(p.operand, p.operand, p.checkCall)
}

// functionOperator returns the operator of a function that is a condition.
func functionOperator(name string) Operator {
	switch name {
	case "attribute_exists":
		return OpExists
	case "attribute_not_exists":
		return OpNotExists
	case "attribute_type":
		return OpType
	case "begins_with":
		return OpBeginsWith
	case "contains":
		return OpContains
	}
	return OpInvalid
}

func isUpdateFunction(name string) bool { return name == "if_not_exists" || name == "list_append" }

func isUnknownFunction(name string) bool {
	return name != "size" && functionOperator(name) == OpInvalid
}

// notHere refuses a function in a place where it makes no sense.
func (p *parser) notHere(o *operand) {
	if !isUnknownFunction(o.text) {
		p.report(rankWord, "The function is not allowed to be used this way in an expression; function: "+o.text)
	}
}

// checkCall applies the rules for the operands of functions.
func (p *parser) checkCall(o *operand) {
	if isUpdateFunction(o.text) {
		p.report(rankWord, "The function is not allowed in a condition expression; function: "+o.text)
		return
	}
	if isUnknownFunction(o.text) {
		p.report(rankWord, "Invalid function name; function: "+o.text)
		return
	}
	for i := range o.args {
		if a := &o.args[i]; a.kind == operandFunction && functionOperator(a.text) != OpInvalid {
			p.notHere(a)
		}
	}
	want := 2
	switch o.text {
	case "attribute_exists", "attribute_not_exists", "size":
		want = 1
	}
	if len(o.args) != want {
		p.wrongCount(o.text, len(o.args))
		return
	}
	first := &o.args[0]
	switch o.text {
	case "attribute_exists", "attribute_not_exists":
		if first.kind != operandPath {
			p.needsPath(o.text)
		}
	case "size":
		switch t := first.literalType(); t {
		case "N", "BOOL", "NULL":
			p.wrongType("size", t)
		}
	case "attribute_type":
		p.checkTypeName(&o.args[1])
	case "begins_with":
		p.distinct(o.text, o.args)
		for i := range o.args {
			if t := o.args[i].literalType(); t != "" && t != "S" && t != "B" {
				p.wrongType("begins_with", t)
			}
		}
	case "contains":
		p.distinct(o.text, o.args)
	}
}

// checkTypeName checks the second operand of attribute_type.
func (p *parser) checkTypeName(o *operand) {
	if o.kind == operandPath || o.kind == operandFunction && o.text != "size" {
		p.wrongType("attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
		return
	}
	switch t := o.literalType(); t {
	case "":
	case "S":
		if name := stringOf(o.value); !isTypeCode(name) {
			const text, valid = "Invalid attribute type name found;", " valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
			p.reportValue(rankOperand, text+" type: "+name+","+valid, text+valid)
		}
	default:
		p.wrongType("attribute_type", t)
	}
}

// distinct refuses a comparison of a path with itself.
func (p *parser) distinct(operator string, args []operand) {
	first := &args[0]
	if first.kind != operandPath {
		return
	}
	for i := range args[1:] {
		if o := &args[i+1]; o.kind == operandPath && o.path.compare(first.path) == 0 {
			p.report(rankOperand,
				"The first operand must be distinct from the remaining operands for this operator or function; "+
					"operator: "+
					operator+", first operand: "+first.path.String())
			return
		}
	}
}

func comparator(text string) Operator {
	switch text {
	case "=":
		return OpEqual
	case "<>":
		return OpNotEqual
	case "<":
		return OpLess
	case "<=":
		return OpLessEqual
	case ">":
		return OpGreater
	case ">=":
		return OpGreaterEqual
	}
	return OpInvalid
}

// comparison reads an operator and what stands behind it. Without an operator
// it returns nil.
func (p *parser) comparison(left operand) (*node, error) {
	op := OpInvalid
	switch p.cur.kind {
	case tokenSymbol:
		op = comparator(p.cur.text)
	case tokenWord:
		if p.isWord("BETWEEN") {
			op = OpBetween
		} else if p.isWord("IN") {
			op = OpIn
		}
	}
	if op == OpInvalid {
		return nil, nil
	}
	p.next()
	p.operators++
	args := make([]operand, 1, 2)
	args[0] = left
	switch op {
	case OpIn:
		if err := p.expect("("); err != nil {
			return nil, err
		}
		list, err := p.arguments(p.operand)
		if err != nil {
			return nil, err
		}
		args = append(args, list...)
	case OpBetween:
		low, err := p.operand()
		if err != nil {
			return nil, err
		}
		if !p.acceptWord("AND") {
			return nil, p.syntax()
		}
		high, err := p.operand()
		if err != nil {
			return nil, err
		}
		args = append(args, low, high)
	default:
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		args = append(args, right)
	}
	p.checkComparison(op, args)
	return &node{op: op, args: args}, nil
}

// checkComparison applies the rules for operands of comparisons.
func (p *parser) checkComparison(op Operator, args []operand) {
	for i := range args {
		if a := &args[i]; a.kind == operandFunction && a.text != "size" {
			p.notHere(a)
		}
	}
	if op == OpIn && len(args)-1 > MaxInOperands && !p.scope.unlimited {
		p.report(rankOperand, "The IN operator is provided with too many operands; number of operands: "+
			strconv.Itoa(len(args)-1))
	}
	p.distinct(op.String(), args)
	switch op {
	case OpLess, OpLessEqual, OpGreater, OpGreaterEqual:
		p.checkOrdered(op, args)
	case OpBetween:
		p.checkOrdered(op, args)
		p.checkBounds(&args[1], &args[2])
	}
}

// checkOrdered refuses literals of types that have no order.
func (p *parser) checkOrdered(op Operator, args []operand) {
	for i := range args {
		switch t := args[i].literalType(); t {
		case "", "S", "N", "B":
		default:
			p.wrongType(op.String(), t)
		}
	}
}

// checkBounds checks the bounds of BETWEEN when both are values.
func (p *parser) checkBounds(low, high *operand) {
	if low.kind != operandValue || high.kind != operandValue || low.value == nil || high.value == nil {
		return
	}
	bounds := "; lower bound operand: " + DescribeValue(low.value) + ", upper bound operand: " +
		DescribeValue(high.value)
	c, ok := compareValues(low.value, high.value)
	switch {
	case ddbjson.TypeName(low.value) != ddbjson.TypeName(high.value):
		const text = "The BETWEEN operator requires same data type for lower and upper bounds"
		p.reportValue(rankOperand, text+bounds, text)
	case ok && c > 0:
		const text = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
		p.reportValue(rankOperand, text+bounds, text)
	}
}

// DescribeValue returns a scalar value as DynamoDB's messages repeat it. Put it
// into the answer to the caller who sent the value, not into logs.
func DescribeValue(v types.AttributeValue) string {
	return "AttributeValue: {" + ddbjson.TypeName(v) + ":" + scalarText(v) + "}"
}
