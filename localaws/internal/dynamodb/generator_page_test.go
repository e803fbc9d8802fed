// SPDX-License-Identifier: Apache-2.0

package dynamodb

// indexKeys are the key attributes of every index.
var indexKeys = map[string][2]string{"": {"pk", "sk"}, "lAll": {"pk", "l"}, "lKeys": {"pk", "h"}, "gAll": {"g", "h"},
	"gKeys": {"g", ""}, "gInclude": {"h", "b"}}

func (g *generator) keyValue(attribute string) members {
	switch attribute {
	case "sk", "h":
		return members{"N": pick(g, "1", "2", "3", "-1", "1.5", "100")}
	case "b":
		return members{"B": pick(g, "AA==", "AQI=", "YWI=")}
	}
	return members{"S": pick(g, "a", "b", "abc", "c")}
}

func (g *generator) query(table string, in members) {
	index := ""
	if table == diffRange && g.odds(2) {
		index = pick(g, "lAll", "lKeys", "gAll", "gKeys", "gInclude")
		in["IndexName"] = index
	}
	if g.odds(80) {
		in["IndexName"] = "missing"
	}
	keys := indexKeys[index]
	if table == diffHash {
		keys[1] = ""
	}
	expression := g.name(keys[0]) + " = " + g.placeholder(g.keyValue(keys[0]))
	if keys[1] != "" && g.odds(2) {
		sort := g.name(keys[1])
		value := func() string { return g.placeholder(g.keyValue(keys[1])) }
		expression += " AND " + pick(g,
			func() string { return sort + pick(g, " = ", " < ", " <= ", " > ", " >= ") + value() },
			func() string { return sort + " BETWEEN " + value() + " AND " + value() },
			func() string { return "begins_with(" + sort + ", " + value() + ")" })()
	}
	if g.odds(60) {
		expression = pick(g, "pk > :v0", "pk = :v0 OR pk = :v0", "v = :v0", "pk = :v0 AND v = :v0", "pk <> :v0", "")
	}
	in["KeyConditionExpression"] = expression
	if g.odds(5) {
		delete(in, "KeyConditionExpression")
		g.begin()
		in["KeyConditions"] = g.keyConditions(keys)
	}
	if g.odds(2) {
		in["ScanIndexForward"] = g.odds(2)
	}
	if index == "" && g.odds(4) {
		in["Limit"] = 1 + g.IntN(4)
	}
	g.shape(in, index)
}

func (g *generator) scan(table string, in members) {
	index := ""
	if table == diffRange && g.odds(3) {
		index = pick(g, "lAll", "lKeys", "gAll", "gKeys", "gInclude")
		in["IndexName"] = index
	}
	if g.odds(5) {
		total := 1 + g.IntN(4)
		in["TotalSegments"], in["Segment"] = 1, 0
		if g.odds(20) {
			in["TotalSegments"], in["Segment"] = total, total
		}
		if g.odds(20) {
			delete(in, pick(g, "TotalSegments", "Segment"))
		}
	}
	g.shape(in, index)
}

// shape adds filter, projection and Select.
func (g *generator) shape(in members, index string) {
	switch {
	case g.odds(3):
		in["FilterExpression"] = g.condition(1)
	case g.odds(6):
		filter := "ScanFilter"
		if in["KeyConditions"] != nil {
			filter = "QueryFilter"
		}
		conditions := members{}
		for range 1 + g.IntN(2) {
			conditions[g.attribute()] = g.legacyCondition()
		}
		if filter == "QueryFilter" || in["KeyConditionExpression"] == nil {
			in[filter] = conditions
		}
	}
	g.projected(in, 4)
	if g.odds(12) {
		in["ExclusiveStartKey"] = g.startKey(in["TableName"].(string), index)
	}
	if g.odds(5) {
		in["Select"] = pick(g, "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT",
			"NONSENSE")
	}
	if g.odds(5) {
		in["ConsistentRead"] = g.odds(2)
	}
	if g.odds(100) {
		in["Limit"] = 0
	}
}

// projected adds a projection, once in n, in the newer or the older words.
func (g *generator) projected(in members, n int) {
	switch {
	case g.odds(n):
		in["ProjectionExpression"] = g.projection()
	case g.odds(2 * n):
		in["AttributesToGet"] = g.attributesToGet()
	}
}

// startKey is where an item of the table or index may lie, seldom a wrong one.
func (g *generator) startKey(table, index string) members {
	key := g.key(table)
	for _, name := range indexKeys[index] {
		if name != "" && (name != "sk" || table == diffRange) {
			key[name] = g.keyValue(name)
		}
	}
	if g.odds(10) {
		delete(key, pick(g, "pk", "sk", "g", "h"))
	}
	return key
}
