// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"strings"

	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// plain is a scalar that is always valid: dynalite does not check the values of
// legacy conditions and crashes on some.
func (g *generator) plain() members {
	for {
		v := g.scalar()
		if n, ok := v["N"].(string); !ok || ddbnumber.Validate(n) == nil && !strings.HasPrefix(n, "+") {
			return v
		}
	}
}

func (g *generator) legacyCondition() members {
	operator := pick(g, "EQ", "NE", "LT", "LE", "GT", "GE", "NULL", "NOT_NULL", "CONTAINS", "NOT_CONTAINS",
		"BEGINS_WITH", "IN", "BETWEEN")
	c := members{"ComparisonOperator": operator}
	n := map[string]int{"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2, "IN": 2}
	count, ok := n[operator]
	if !ok {
		count = 1
	}
	if g.odds(30) {
		count = g.IntN(3)
	}
	if count > 0 {
		var list []members
		for range count {
			list = append(list, g.plain())
		}
		c["AttributeValueList"] = list
	}
	return c
}

func (g *generator) legacyExpected(in members) {
	expected := members{}
	for range 1 + g.IntN(2) {
		expected[g.attribute()] = pick(g, members{"Exists": false}, members{"Value": g.plain()}, g.legacyCondition())
	}
	in["Expected"] = expected
	if g.odds(4) {
		in["ConditionalOperator"] = pick(g, "AND", "OR")
	}
}

func (g *generator) legacyUpdates() members {
	updates := members{}
	for range 1 + g.IntN(3) {
		u := members{"Action": pick(g, "PUT", "ADD", "DELETE")}
		if u["Action"] != "DELETE" || g.odds(3) {
			u["Value"] = g.value(1)
		}
		if u["Action"] == "PUT" && g.odds(2) {
			delete(u, "Action")
		}
		updates[g.attribute()] = u
	}
	return updates
}

func (g *generator) attributesToGet() []string {
	names := g.subset("pk", "v", "w", "m", "g")
	if g.odds(40) {
		names = append(names, names[0])
	}
	return names
}

// keyConditions are the older words for a condition on keys.
func (g *generator) keyConditions(keys [2]string) members {
	condition := func(operator string, values ...members) members {
		return members{"ComparisonOperator": operator, "AttributeValueList": values}
	}
	out := members{keys[0]: condition("EQ", g.keyValue(keys[0]))}
	if keys[1] != "" && g.odds(2) {
		out[keys[1]] = condition(pick(g, "EQ", "LT", "LE", "GT", "GE"), g.keyValue(keys[1]))
		if g.odds(3) {
			out[keys[1]] = condition("BETWEEN", g.keyValue(keys[1]), g.keyValue(keys[1]))
		}
	}
	if g.odds(40) {
		out[keys[0]] = condition(pick(g, "GT", "NE", "BETWEEN", "NULL"), g.keyValue(keys[0]))
	}
	return out
}
