// SPDX-License-Identifier: Apache-2.0

package input

import (
	"sort"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// legacy are the parameters that expressions replaced. Each is turned into the
// expression of the same meaning.
type legacy struct {
	attributesToGet     []string
	expected            map[string]legacyCondition
	keyConditions       map[string]legacyCondition
	queryFilter         map[string]legacyCondition
	scanFilter          map[string]legacyCondition
	conditionalOperator *string
	attributeUpdates    map[string]legacyUpdate
	// ofIndex is whether the request reads an index, whose key may have more than
	// two attributes. It is set before parse.
	ofIndex bool
}

type legacyCondition struct {
	operator *string
	values   []types.AttributeValue
	list     bool // AttributeValueList is there
	value    types.AttributeValue
	exists   *bool
}

type legacyUpdate struct {
	action *string
	value  types.AttributeValue
}

func (l *legacy) readMember(d *wire.Decoder, name []byte) (bool, error) {
	switch string(name) {
	case "AttributesToGet":
		return true, d.Texts(&l.attributesToGet)
	case "Expected":
		return true, readConditions(d, &l.expected)
	case "KeyConditions":
		return true, readConditions(d, &l.keyConditions)
	case "QueryFilter":
		return true, readConditions(d, &l.queryFilter)
	case "ScanFilter":
		return true, readConditions(d, &l.scanFilter)
	case "ConditionalOperator":
		return true, d.Text(&l.conditionalOperator)
	case "AttributeUpdates":
		return true, readUpdates(d, &l.attributeUpdates)
	}
	return false, nil
}

func readConditions(d *wire.Decoder, dst *map[string]legacyCondition) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	*dst = map[string]legacyCondition{}
	return d.Members(func(attribute []byte) error {
		name := string(attribute)
		var c legacyCondition
		err := d.Members(func(name []byte) error {
			switch string(name) {
			case "ComparisonOperator":
				return d.Text(&c.operator)
			case "Exists":
				return d.Boolean(&c.exists)
			case "Value":
				return readValue(d, &c.value)
			case "AttributeValueList":
				if null, err := d.Null(); null || err != nil {
					return err
				}
				c.list = true
				return d.Elements(func() error {
					var v types.AttributeValue
					err := readValue(d, &v)
					if v != nil {
						c.values = append(c.values, v)
					}
					return err
				})
			}
			return d.Skip()
		})
		(*dst)[name] = c
		return err
	})
}

func readUpdates(d *wire.Decoder, dst *map[string]legacyUpdate) error {
	if null, err := d.Null(); null || err != nil {
		return err
	}
	*dst = map[string]legacyUpdate{}
	return d.Members(func(attribute []byte) error {
		name := string(attribute)
		var u legacyUpdate
		err := d.Members(func(name []byte) error {
			switch string(name) {
			case "Action":
				return d.Text(&u.action)
			case "Value":
				return readValue(d, &u.value)
			}
			return d.Skip()
		})
		(*dst)[name] = u
		return err
	})
}

func (l *legacy) check(layer refusal.Layer, c *wire.Checks) {
	if o := l.conditionalOperator; layer.Is2026() && o != nil && *o != "OR" && *o != "AND" {
		c.Alone(layer.Word(refusal.Validation(wire.Unnamed(wire.OneOf("ALL", "OR")))))
	} else {
		c.Enum(o, "conditionalOperator", "OR", "AND")
	}
	operators := []string{"IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE",
		"BEGINS_WITH", "GE", "CONTAINS"}
	for _, set := range []struct {
		path string
		m    map[string]legacyCondition
	}{{"expected", l.expected}, {"keyConditions", l.keyConditions}, {"queryFilter", l.queryFilter},
		{"scanFilter", l.scanFilter}} {
		for _, name := range sortedNames(set.m) {
			at := set.path + "." + name + ".member.comparisonOperator"
			if o := set.m[name].operator; o != nil {
				c.Enum(o, at, operators...)
			} else if set.path != "expected" {
				c.Required(true, at)
			}
		}
	}
	for _, name := range sortedNames(l.attributeUpdates) {
		c.Enum(l.attributeUpdates[name].action, "attributeUpdates."+name+".member.action", "ADD", "DELETE", "PUT")
	}
	if l.attributesToGet != nil && len(l.attributesToGet) == 0 {
		c.Violate("'[]'", "attributesToGet", wire.MinLength(1))
	}
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// given names the legacy parameters of the request.
func (l *legacy) given() []string {
	var names []string
	add := func(there bool, name string) {
		if there {
			names = append(names, name)
		}
	}
	add(l.attributeUpdates != nil, "AttributeUpdates")
	add(l.attributesToGet != nil, "AttributesToGet")
	add(l.conditionalOperator != nil, "ConditionalOperator")
	add(l.expected != nil, "Expected")
	add(l.keyConditions != nil, "KeyConditions")
	add(l.queryFilter != nil, "QueryFilter")
	add(l.scanFilter != nil, "ScanFilter")
	return names
}
