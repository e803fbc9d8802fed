// SPDX-License-Identifier: Apache-2.0

package input

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// parse turns the legacy parameters into expressions.
func (l *legacy) parse() (*Parsed, error) {
	p := new(Parsed)
	if len(l.attributesToGet) > 0 {
		seen := map[string]bool{}
		for _, n := range l.attributesToGet {
			if err := schema.CheckName(n); err != nil {
				return nil, badValue(err, "")
			}
			if seen[n] {
				return nil, refusal.Parameter("Duplicate value in attribute name: %s", n)
			}
			seen[n] = true
		}
		p.projection = ddbexpr.NewProjection(l.attributesToGet...)
	}
	join := " AND "
	if l.conditionalOperator != nil {
		if len(l.expected)+len(l.queryFilter)+len(l.scanFilter) == 0 {
			return nil, refusal.Parameter("ConditionalOperator cannot be used without Filter or Expected")
		}
		join = " " + *l.conditionalOperator + " "
	}
	var err error
	if len(l.expected) > 0 {
		if p.condition, err = l.conditionOf(l.expected, ddbexpr.KindCondition, join); err != nil {
			return nil, err
		}
	}
	for _, filter := range []map[string]legacyCondition{l.queryFilter, l.scanFilter} {
		if len(filter) > 0 {
			if p.filter, err = l.conditionOf(filter, ddbexpr.KindFilter, join); err != nil {
				return nil, err
			}
		}
	}
	if l.keyConditions != nil {
		if p.keyCondition, err = l.keyCondition(); err != nil {
			return nil, err
		}
	}
	if l.attributeUpdates != nil {
		if p.update, err = l.update(); err != nil {
			return nil, err
		}
		p.added = map[string]string{}
		for name, u := range l.attributeUpdates {
			p.added[name] = ddbjson.TypeName(u.value)
		}
	}
	return p, nil
}

// placeholders collects the names and values of a generated expression.
type placeholders struct {
	names  map[string]string
	values schema.Item
}

func (h *placeholders) name(attribute string) string {
	p := fmt.Sprintf("#n%d", len(h.names))
	h.names[p] = attribute
	return p
}

func (h *placeholders) value(v types.AttributeValue) string {
	p := fmt.Sprintf(":v%d", len(h.values))
	h.values[p] = v
	return p
}

func newPlaceholders() *placeholders {
	return &placeholders{names: map[string]string{}, values: schema.Item{}}
}

func (h *placeholders) scope() (*ddbexpr.Scope, error) {
	values := h.values
	if len(values) == 0 {
		values = nil
	}
	names := h.names
	if len(names) == 0 {
		names = nil
	}
	s, err := ddbexpr.NewUnlimitedScope(names, values)
	if err != nil {
		return nil, errExpression(err)
	}
	return s, nil
}

func (l *legacy) conditionOf(m map[string]legacyCondition, kind ddbexpr.Kind, join string) (*ddbexpr.Condition, error) {
	h := newPlaceholders()
	var parts []string
	for _, name := range sortedNames(m) {
		if err := schema.CheckName(name); err != nil {
			return nil, badValue(err, "")
		}
		c := m[name]
		if kind == ddbexpr.KindCondition {
			var err error
			if c, err = expectedCondition(name, c); err != nil {
				return nil, err
			}
		}
		text, err := h.comparison(h.name(name), c)
		if err != nil {
			return nil, err
		}
		parts = append(parts, text)
	}
	scope, err := h.scope()
	if err != nil {
		return nil, err
	}
	out, err := scope.Condition(kind, strings.Join(parts, join))
	if err != nil {
		return nil, errExpression(err)
	}
	return out, nil
}

// expectedCondition brings the oldest form, Value and Exists, into that with
// an operator.
func expectedCondition(name string, c legacyCondition) (legacyCondition, error) {
	text := func(s string) *string { return &s }
	if c.operator != nil {
		switch {
		case c.exists != nil:
			return c, refusal.Parameter("Exists and ComparisonOperator cannot be used together for Attribute: %s", name)
		case c.value != nil && c.list:
			return c, refusal.Parameter("Value and AttributeValueList cannot be used together for Attribute: %s", name)
		case c.value != nil:
			c.values, c.list = []types.AttributeValue{c.value}, true
		case !c.list && *c.operator != "NULL" && *c.operator != "NOT_NULL":
			return c, refusal.Parameter("Value or AttributeValueList must be used with ComparisonOperator: %s for "+
				"Attribute: %s", *c.operator, name)
		}
		return c, nil
	}
	switch {
	case c.list:
		return c, refusal.Parameter("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s",
			name)
	case c.exists != nil && !*c.exists && c.value != nil:
		return c, refusal.Parameter("Value cannot be used when Exists is false for Attribute: %s", name)
	case c.exists != nil && !*c.exists:
		return legacyCondition{operator: text("NULL")}, nil
	case c.value == nil && c.exists != nil:
		return c, refusal.Parameter("Value must be provided when Exists is true for Attribute: %s", name)
	case c.value == nil:
		return c, refusal.Parameter("Value must be provided when Exists is null for Attribute: %s", name)
	}
	return legacyCondition{operator: text("EQ"), values: []types.AttributeValue{c.value}}, nil
}

// comparison writes one condition on an attribute as an expression.
func (h *placeholders) comparison(name string, c legacyCondition) (string, error) {
	low, high := 1, 1
	switch *c.operator {
	case "NULL", "NOT_NULL":
		low, high = 0, 0
	case "BETWEEN":
		low, high = 2, 2
	case "IN":
		high = len(c.values) // without the limit that expressions have
	}
	if n := len(c.values); n < low || n > high {
		return "", refusal.Parameter("Invalid number of argument(s) for the %s ComparisonOperator", *c.operator)
	}
	var v []string
	for _, value := range c.values {
		if ddbjson.TypeName(value) != ddbjson.TypeName(c.values[0]) {
			return "", refusal.Parameter("AttributeValues inside AttributeValueList must be of same type")
		}
		switch kind := ddbjson.TypeName(value); *c.operator {
		case "LT", "LE", "GT", "GE", "BETWEEN", "IN":
			if kind != "S" && kind != "N" && kind != "B" {
				return "", refusal.Parameter("ComparisonOperator %s is not valid for %s AttributeValue type",
					*c.operator, kind)
			}
		case "BEGINS_WITH":
			if kind != "S" && kind != "B" {
				return "", refusal.Parameter("ComparisonOperator %s is not valid for %s AttributeValue type",
					*c.operator, kind)
			}
		case "CONTAINS", "NOT_CONTAINS":
			if kind == "SS" || kind == "NS" || kind == "BS" || kind == "L" || kind == "M" {
				return "", refusal.Parameter("ComparisonOperator %s is not valid for %s AttributeValue type",
					*c.operator, kind)
			}
		}
		v = append(v, h.value(value))
	}
	above := func(a, b types.AttributeValue) bool {
		return ddbexpr.KeyTerm{Operator: ddbexpr.KeyGreater, Value: b}.Matches(a)
	}
	if *c.operator == "BETWEEN" && above(c.values[0], c.values[1]) {
		return "", refusal.Validation("The BETWEEN condition was provided a range where the lower bound is greater " +
			"than the upper bound")
	}
	switch *c.operator {
	case "NULL":
		return "attribute_not_exists(" + name + ")", nil
	case "NOT_NULL":
		return "attribute_exists(" + name + ")", nil
	case "BETWEEN":
		return name + " BETWEEN " + v[0] + " AND " + v[1], nil
	case "IN":
		return name + " IN (" + strings.Join(v, ", ") + ")", nil
	case "BEGINS_WITH":
		return "begins_with(" + name + ", " + v[0] + ")", nil
	case "CONTAINS":
		return "contains(" + name + ", " + v[0] + ")", nil
	case "NOT_CONTAINS":
		// Unlike NE, it does not hold for an attribute that is not there.
		return "attribute_exists(" + name + ") AND NOT contains(" + name + ", " + v[0] + ")", nil
	}
	symbol := map[string]string{"EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}[*c.operator]
	return name + " " + symbol + " " + v[0], nil
}

func (l *legacy) keyCondition() (*ddbexpr.KeyCondition, error) {
	most := 2
	if l.ofIndex {
		most = 2 * schema.MaxParts
	}
	if n := len(l.keyConditions); n == 0 || n > most {
		return nil, errKeyConditions()
	}
	h := newPlaceholders()
	var parts []string
	for _, name := range sortedNames(l.keyConditions) {
		c := l.keyConditions[name]
		switch *c.operator {
		case "EQ", "LT", "LE", "GT", "GE", "BETWEEN", "BEGINS_WITH":
		default:
			return nil, refusal.Validation("Attempted conditional constraint is not an indexable operation")
		}
		text, err := h.comparison(h.name(name), c)
		if err != nil {
			return nil, err
		}
		parts = append(parts, text)
	}
	scope, err := h.scope()
	if err != nil {
		return nil, err
	}
	k, err := scope.KeyCondition(strings.Join(parts, " AND "))
	if err != nil {
		return nil, errExpression(err)
	}
	return k, nil
}

// checkKeyConditions refuses more KeyConditions than a key of one or two attributes
// can meet. A key of several takes one on each, which [schema.Key.Bind] checks.
func (l *legacy) checkKeyConditions(key *schema.Key) error {
	if len(l.keyConditions) > 2 && !key.Several() {
		return errKeyConditions()
	}
	return nil
}

func errKeyConditions() error { return refusal.Validation("Conditions can be of length 1 or 2 only") }

// update writes AttributeUpdates as an update expression.
func (l *legacy) update() (*ddbexpr.Update, error) {
	h := newPlaceholders()
	sections := map[string][]string{}
	for _, name := range sortedNames(l.attributeUpdates) {
		if err := schema.CheckName(name); err != nil {
			return nil, badValue(err, "")
		}
		a := l.attributeUpdates[name]
		action := "PUT"
		if a.action != nil {
			action = *a.action
		}
		kind := ddbjson.TypeName(a.value)
		switch {
		case action != "DELETE" && a.value == nil:
			return nil, refusal.Parameter("Only DELETE action is allowed when no attribute value is specified")
		case action == "DELETE" && a.value == nil:
			sections["REMOVE"] = append(sections["REMOVE"], h.name(name))
		case action == "DELETE" && kind != "SS" && kind != "NS" && kind != "BS":
			return nil, refusal.Parameter("DELETE action with value is not supported for the type %s", kind)
		case action == "DELETE":
			sections["DELETE"] = append(sections["DELETE"], h.name(name)+" "+h.value(a.value))
		case action == "PUT":
			sections["SET"] = append(sections["SET"], h.name(name)+" = "+h.value(a.value))
		case kind == "L":
			n := h.name(name)
			empty := &types.AttributeValueMemberL{Value: []types.AttributeValue{}}
			sections["SET"] = append(sections["SET"],
				n+" = list_append(if_not_exists("+n+", "+h.value(empty)+"), "+h.value(a.value)+")")
		case kind != "N" && kind != "SS" && kind != "NS" && kind != "BS":
			return nil, refusal.Parameter("ADD action is not supported for the type %s", kind)
		default:
			sections["ADD"] = append(sections["ADD"], h.name(name)+" "+h.value(a.value))
		}
	}
	var parts []string
	for _, s := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if len(sections[s]) > 0 {
			parts = append(parts, s+" "+strings.Join(sections[s], ", "))
		}
	}
	if parts == nil {
		return nil, nil
	}
	scope, err := h.scope()
	if err != nil {
		return nil, err
	}
	u, err := scope.Update(strings.Join(parts, " "))
	if err != nil {
		return nil, errExpression(err)
	}
	return u, nil
}
