package dynamodb

import (
	"sort"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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

func (l *legacy) field(d *decoder, name string) (bool, error) {
	switch name {
	case "AttributesToGet":
		return true, d.texts(&l.attributesToGet)
	case "Expected":
		return true, d.conditions(&l.expected)
	case "KeyConditions":
		return true, d.conditions(&l.keyConditions)
	case "QueryFilter":
		return true, d.conditions(&l.queryFilter)
	case "ScanFilter":
		return true, d.conditions(&l.scanFilter)
	case "ConditionalOperator":
		return true, d.text(&l.conditionalOperator)
	case "AttributeUpdates":
		return true, d.updates(&l.attributeUpdates)
	}
	return false, nil
}

// single reads one attribute value and applies the rules on values.
func (d *decoder) single(dst *types.AttributeValue) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	v, err := d.ReadValue()
	if err != nil || v == nil {
		return err
	}
	*dst = v
	if d.invalid == nil {
		if err := normalizeValue(v); err != nil {
			d.invalid = invalidValue(err)
		}
	}
	return nil
}

func (d *decoder) conditions(dst *map[string]legacyCondition) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	*dst = map[string]legacyCondition{}
	return d.object(func(attribute string) error {
		var c legacyCondition
		err := d.object(func(name string) error {
			switch name {
			case "ComparisonOperator":
				return d.text(&c.operator)
			case "Exists":
				return d.boolean(&c.exists)
			case "Value":
				return d.single(&c.value)
			case "AttributeValueList":
				if null, err := d.null(); null || err != nil {
					return err
				}
				c.list = true
				return d.array(func() error {
					var v types.AttributeValue
					err := d.single(&v)
					if v != nil {
						c.values = append(c.values, v)
					}
					return err
				})
			}
			return d.Skip()
		})
		(*dst)[attribute] = c
		return err
	})
}

func (d *decoder) updates(dst *map[string]legacyUpdate) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	*dst = map[string]legacyUpdate{}
	return d.object(func(attribute string) error {
		var u legacyUpdate
		err := d.object(func(name string) error {
			switch name {
			case "Action":
				return d.text(&u.action)
			case "Value":
				return d.single(&u.value)
			}
			return d.Skip()
		})
		(*dst)[attribute] = u
		return err
	})
}

func (l *legacy) check(c *constraints) {
	c.enum(l.conditionalOperator, "conditionalOperator", "OR", "AND")
	operators := []string{"IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE", "BEGINS_WITH", "GE", "CONTAINS"}
	for _, set := range []struct {
		path string
		m    map[string]legacyCondition
	}{{"expected", l.expected}, {"keyConditions", l.keyConditions}, {"queryFilter", l.queryFilter}, {"scanFilter", l.scanFilter}} {
		for _, name := range sortedNames(set.m) {
			at := set.path + "." + name + ".member.comparisonOperator"
			if o := set.m[name].operator; o != nil {
				c.enum(o, at, operators...)
			} else if set.path != "expected" {
				c.required(true, at)
			}
		}
	}
	for _, name := range sortedNames(l.attributeUpdates) {
		c.enum(l.attributeUpdates[name].action, "attributeUpdates."+name+".member.action", "ADD", "DELETE", "PUT")
	}
	if l.attributesToGet != nil && len(l.attributesToGet) == 0 {
		c.add("'[]'", "attributesToGet", "Member must have length greater than or equal to 1")
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
