// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// operandKind is what an operand is.
type operandKind uint8

const (
	operandInvalid  operandKind = iota
	operandPath                 // a document path
	operandValue                // a value placeholder
	operandFunction             // a function of operands
)

// operand is a leaf of a condition or of an update, or a function of leaves.
type operand struct {
	kind  operandKind
	path  Path
	value types.AttributeValue // nil when the placeholder is not defined
	text  string               // placeholder or name of the function
	args  []operand
	paren bool // stands in parentheses
}

// literalType returns the type of a value that is known while parsing, or "".
func (o *operand) literalType() string {
	switch {
	case o.kind == operandValue && o.value != nil:
		return ddbjson.TypeName(o.value)
	case o.kind == operandFunction && o.text == "size":
		return "N"
	}
	return ""
}

// value reads a value placeholder.
func (p *parser) value() operand {
	t := p.cur
	p.next()
	v, ok := p.scope.value(t.text)
	if !ok {
		p.report(rankOperand, "An expression attribute value used in expression is not defined; attribute value: "+
			t.text)
	}
	return operand{kind: operandValue, value: v, text: t.text}
}

// arguments reads the operands of a function behind its opening parenthesis.
func (p *parser) arguments(read func() (operand, error)) ([]operand, error) {
	var args []operand
	for {
		arg, err := read()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if p.accept(")") {
			return args, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}

// readOperand reads a path, a value, a function call whose arguments argument
// reads and which check judges, or what inner reads in parentheses.
func (p *parser) readOperand(inner, argument func() (operand, error), check func(*operand)) (operand, error) {
	switch p.cur.kind {
	case tokenValue:
		return p.value(), nil
	case tokenWord:
		if next := scan(p.src, p.cur.end); next.text == "(" && !p.isKeyword() {
			return p.call(argument, check)
		}
		fallthrough
	case tokenName:
		path, err := p.path()
		return operand{kind: operandPath, path: path}, err
	}
	if !p.accept("(") {
		return operand{}, p.syntax()
	}
	o, err := inner()
	if err != nil {
		return o, err
	}
	if o.paren {
		p.redundant()
	}
	o.paren = true
	return o, p.expect(")")
}

// call reads a function with its arguments.
func (p *parser) call(argument func() (operand, error), check func(*operand)) (operand, error) {
	name := p.cur.text
	p.next()
	p.next()
	p.operators++
	args, err := p.arguments(argument)
	if err != nil {
		return operand{}, err
	}
	o := operand{kind: operandFunction, text: name, args: args}
	check(&o)
	return o, nil
}

func (p *parser) wrongCount(function string, n int) {
	r := rankWord
	if p.kind == KindUpdate {
		r = rankOperand
	}
	p.report(r, "Incorrect number of operands for operator or function; operator or function: "+function+
		", number of operands: "+strconv.Itoa(n))
}

func (p *parser) needsPath(function string) {
	p.report(rankOperand, "Operator or function requires a document path; operator or function: "+function)
}

func (p *parser) wrongType(operator, typ string) {
	p.report(rankOperand, "Incorrect operand type for operator or function; operator or function: "+operator+
		", operand type: "+typ)
}
