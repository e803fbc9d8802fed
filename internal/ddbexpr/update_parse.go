// SPDX-License-Identifier: Apache-2.0

package ddbexpr

import "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

// sections reads a whole update expression; what it finds wrong beyond the
// syntax is only reported.
func (p *parser) sections(u *Update) error {
	var seen [SectionDelete + 1]bool
	for {
		section := p.section()
		if section == SectionInvalid {
			return p.syntax()
		}
		p.next()
		if seen[section] {
			p.report(rankWord, `The "`+section.String()+`" section can only be used once in an update expression;`)
		}
		seen[section] = true
		for {
			a, err := p.action(section)
			if err != nil {
				return err
			}
			u.actions = append(u.actions, a)
			if !p.accept(",") {
				break
			}
		}
		if p.cur.kind == tokenEnd {
			return nil
		}
	}
}

func (p *parser) section() Section {
	for _, s := range [...]Section{SectionSet, SectionRemove, SectionAdd, SectionDelete} {
		if p.isWord(s.String()) {
			return s
		}
	}
	return SectionInvalid
}

func (p *parser) action(section Section) (action, error) {
	a := action{section: section}
	p.actions++
	p.target = true
	path, err := p.path()
	if err != nil {
		return a, err
	}
	a.path, p.target = path, false
	switch section {
	case SectionSet:
		if err := p.expect("="); err != nil {
			return a, err
		}
		a.value, err = p.sum()
		return a, err
	case SectionAdd, SectionDelete:
		if p.cur.kind != tokenValue {
			return a, p.syntax()
		}
		a.value = p.value()
		p.checkSectionType(section, a.value.value)
	}
	return a, nil
}

// checkSectionType checks the value of ADD and DELETE.
func (p *parser) checkSectionType(section Section, v types.AttributeValue) {
	name := ""
	switch v.(type) {
	case *types.AttributeValueMemberS:
		name = "STRING"
	case *types.AttributeValueMemberN:
		if section == SectionDelete {
			name = "NUMBER"
		}
	case *types.AttributeValueMemberB:
		name = "BINARY"
	case *types.AttributeValueMemberL:
		name = "LIST"
	case *types.AttributeValueMemberM:
		name = "MAP"
	case *types.AttributeValueMemberNULL:
		name = "NULL"
	case *types.AttributeValueMemberBOOL:
		name = "BOOLEAN"
	}
	if name != "" {
		p.report(rankOperand, "Incorrect operand type for operator or function; operator: "+section.String()+
			", operand type: "+name+", typeSet: ALLOWED_FOR_"+section.String()+"_OPERAND")
	}
}

// sum reads the right side of SET: an operand, or two with + or - between.
func (p *parser) sum() (operand, error) {
	left, err := p.updateOperand()
	if err != nil {
		return left, err
	}
	op := p.cur.text
	if !p.isSymbol("+") && !p.isSymbol("-") {
		return left, nil
	}
	p.next()
	p.operators++
	right, err := p.updateOperand()
	if err != nil {
		return right, err
	}
	sum := operand{kind: operandFunction, text: op, args: []operand{left, right}}
	for i := range sum.args {
		if t := sum.args[i].literalType(); t != "" && t != "N" {
			p.wrongType(op, t)
		}
	}
	return sum, nil
}

// updateOperand reads a path, a value, a function or a sum in parentheses.
// The operands of a function are no sums.
func (p *parser) updateOperand() (operand, error) {
	return p.readOperand(p.sum, p.updateOperand, p.checkUpdateCall)
}

func (p *parser) checkUpdateCall(o *operand) {
	name, args := o.text, o.args
	switch name {
	case "if_not_exists":
		if len(args) != 2 {
			p.wrongCount(name, len(args))
		} else if args[0].kind != operandPath {
			p.needsPath(name)
		} else {
			p.distinct(name, args)
		}
	case "list_append":
		if len(args) != 2 {
			p.wrongCount(name, len(args))
			break
		}
		for i := range args {
			if args[i].text == name {
				p.report(rankWord, "The function is not allowed to be used this way in an expression; function: "+name)
			}
			if t := args[i].literalType(); t != "" && t != "L" {
				p.wrongType(name, t)
			}
		}
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size":
		p.report(rankWord, "The function is not allowed in an update expression; function: "+name)
	default:
		p.report(rankWord, "Invalid function name; function: "+name)
	}
}
