// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator makes random requests for the tables of the comparison: mostly
// meaningful ones over few keys, with a share of wrong ones.
type generator struct {
	*rand.Rand
	names, values members // placeholders of the request being made
}

// pick returns one of several.
func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

// odds is true once in n.
func (g *generator) odds(n int) bool { return g.IntN(n) == 0 }

var numbers = []string{"0", "1", "-1", "2", "10", "0.5", "-0.25", "1e3", "100",
	"12345678901234567890123456789012345678", "-1E-5", "+7", "00012.500", "1e125", "-9.99e-130"}

func (g *generator) number() string {
	if g.odds(60) {
		return pick(g, "x", "", "1e126", "1e-131", "123456789012345678901234567890123456789", "1.2.3", "0x10",
			"Infinity", "1e", " 1")
	}
	return pick(g, numbers...)
}

func (g *generator) textValue() string { return pick(g, "", "a", "b", "ab", "abc", "é", "z\x00", "B") }

func (g *generator) scalar() members {
	switch g.IntN(6) {
	case 0, 1:
		return members{"S": g.textValue()}
	case 2, 3:
		return members{"N": g.number()}
	case 4:
		return members{"B": pick(g, "", "AA==", "AQI=", "/w==", "YWI=")}
	}
	return pick(g, members{"BOOL": true}, members{"BOOL": false}, members{"NULL": true})
}

// value is any attribute value, seldom a wrong one.
func (g *generator) value(depth int) members {
	if g.odds(80) {
		return pick(g, members{}, members{"S": "a", "N": "1"}, members{"SS": []string{}},
			members{"NS": []string{"1", "1.0"}}, members{"SS": []string{"a", "a"}},
			members{"NULL": false}, members{"BS": []string{}}, members{"X": "a"}, members{"SS": []string{""}})
	}
	switch g.IntN(10) {
	case 0:
		return members{"SS": g.subset("a", "b", "c", "ab")}
	case 1:
		return members{"NS": g.subset("1", "2", "3.5", "-1e2")}
	case 2:
		return members{"BS": g.subset("AA==", "AQI=", "YWI=")}
	case 3, 4:
		if depth > 0 {
			list := []members{}
			for range g.IntN(4) {
				list = append(list, g.value(depth-1))
			}
			return members{"L": list}
		}
	case 5, 6:
		if depth > 0 {
			m := members{}
			for range g.IntN(4) {
				m[pick(g, "a", "b", "x", "y z")] = g.value(depth - 1)
			}
			return members{"M": m}
		}
	}
	return g.scalar()
}

func (g *generator) subset(from ...string) []string {
	g.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	return from[:1+g.IntN(len(from))]
}

func (g *generator) table() string {
	if g.odds(100) {
		return pick(g, "missing-table", "a", "bad name", "")
	}
	return pick(g, diffHash, diffRange, diffRange)
}

func (g *generator) key(table string) members {
	key := members{"pk": members{"S": pick(g, "a", "b", "c", "d")}}
	if table == diffRange {
		key["sk"] = members{"N": pick(g, "1", "2", "3", "-1", "1.50")}
	}
	if g.odds(60) {
		pick(g, func() { delete(key, "pk") }, func() { key["pk"] = g.scalar() }, func() { key["extra"] = g.scalar() },
			func() { key["sk"] = g.scalar() })()
	}
	return key
}

// attribute is a name that items of the comparison have.
func (g *generator) attribute() string {
	return pick(g, "v", "w", "m", "n", "l", "g", "h", "b", "c")
}

func (g *generator) item(table string) members {
	it := g.key(table)
	for range g.IntN(5) {
		name := g.attribute()
		switch {
		case table == diffRange && (name == "g" || name == "l") && !g.odds(20):
			it[name] = members{"S": pick(g, "a", "b", "abc")}
		case table == diffRange && name == "h" && !g.odds(20):
			it[name] = members{"N": pick(g, "1", "2", "3")}
		case table == diffRange && name == "b" && !g.odds(20):
			it[name] = members{"B": pick(g, "AA==", "AQI=", "YWI=")}
		default:
			it[name] = g.value(2)
		}
	}
	return it
}

// Expressions, with the placeholders that they use.

func (g *generator) begin() { g.names, g.values = members{}, members{} }

func (g *generator) name(n string) string {
	if g.odds(2) {
		return n
	}
	p := "#" + n
	g.names[p] = n
	return p
}

func (g *generator) placeholder(v members) string {
	p := fmt.Sprintf(":v%d", len(g.values))
	g.values[p] = v
	return p
}

func (g *generator) path() string {
	if g.odds(50) {
		return pick(g, "size", "a..b", "#undefined", "v[-1]", "v[x]", "name", "1a", "v[0", "_v")
	}
	p := g.name(g.attribute())
	for g.odds(4) {
		p += pick(g, "[0]", "[1]", "."+g.name("a"), "."+g.name("x"))
	}
	return p
}

func (g *generator) operand() string {
	switch g.IntN(5) {
	case 0:
		return g.path()
	case 1:
		return "size(" + g.path() + ")"
	}
	return g.placeholder(g.value(1))
}

// condition has a placeholder on the right of every operator: dynalite crashes
// on some operands that are missing there, and holds nothing equal to nothing.
func (g *generator) condition(depth int) string {
	if depth > 0 && g.odds(3) {
		switch g.IntN(4) {
		case 0:
			return "NOT " + g.condition(depth-1)
		case 1:
			return "(" + g.condition(depth-1) + ")"
		}
		return g.condition(depth-1) + pick(g, " AND ", " OR ", " and ") + g.condition(depth-1)
	}
	switch g.IntN(10) {
	case 0:
		return "attribute_exists(" + g.path() + ")"
	case 1:
		return "attribute_not_exists(" + g.path() + ")"
	case 2:
		return "attribute_type(" + g.path() + ", " +
			g.placeholder(members{"S": pick(g, "S", "N", "SS", "L", "M", "NULL", "BOOL", "X")}) + ")"
	case 3:
		return "begins_with(" + g.path() + ", " + g.placeholder(g.value(0)) + ")"
	case 4:
		return "contains(" + g.path() + ", " + g.placeholder(g.value(0)) + ")"
	case 5:
		low, high := g.scalar(), g.scalar()
		return g.path() + " BETWEEN " + g.placeholder(low) + " AND " + g.placeholder(high)
	case 6:
		return g.path() + " IN (" + g.placeholder(g.value(1)) + ", " + g.placeholder(g.value(1)) + ")"
	}
	return g.operand() + " " + pick(g, "=", "<>", "<", "<=", ">", ">=") + " " + g.placeholder(g.value(1))
}

func (g *generator) update() string {
	var parts []string
	if g.odds(2) {
		var list []string
		for range 1 + g.IntN(2) {
			value := pick(g,
				func() string { return g.placeholder(g.value(1)) },
				func() string { return g.path() },
				func() string { return g.path() + pick(g, " + ", " - ") + g.placeholder(members{"N": g.number()}) },
				func() string { return "if_not_exists(" + g.path() + ", " + g.operand() + ")" },
				func() string {
					return "list_append(" + g.path() + ", " + g.placeholder(members{"L": []members{g.scalar()}}) + ")"
				},
			)()
			list = append(list, g.path()+" = "+value)
		}
		parts = append(parts, "SET "+strings.Join(list, ", "))
	}
	if g.odds(3) {
		parts = append(parts, "REMOVE "+g.path())
	}
	if g.odds(4) {
		parts = append(parts, "ADD "+g.name(g.attribute())+" "+
			g.placeholder(pick(g, members{"N": g.number()}, members{"SS": g.subset("a", "b", "x")},
				members{"NS": g.subset("1", "9")}, g.value(0))))
	}
	if g.odds(5) {
		parts = append(parts, "DELETE "+g.name(g.attribute())+" "+
			g.placeholder(pick(g, members{"SS": g.subset("a", "b", "x")}, members{"NS": g.subset("1", "9")},
				g.value(0))))
	}
	if len(parts) == 0 {
		return g.update()
	}
	return strings.Join(parts, " ")
}

func (g *generator) projection() string {
	var list []string
	for range 1 + g.IntN(3) {
		list = append(list, g.path())
	}
	return strings.Join(list, ", ")
}

// finish adds the placeholders, seldom too many or too few.
func (g *generator) finish(in members) members {
	if g.odds(60) {
		g.values[":unused"] = members{"N": "1"}
	}
	if g.odds(60) {
		g.names["#unused"] = "u"
	}
	if len(g.values) > 0 {
		in["ExpressionAttributeValues"] = g.values
	}
	if len(g.names) > 0 {
		in["ExpressionAttributeNames"] = g.names
	}
	if g.odds(3) {
		in["ReturnConsumedCapacity"] = pick(g, "TOTAL", "TOTAL", "INDEXES", "NONE")
	}
	if g.odds(150) {
		in["ReturnConsumedCapacity"] = "ALL"
	}
	return in
}

// request makes one request.
func (g *generator) request() (operation string, in members) {
	g.begin()
	table := g.table()
	in = members{"TableName": table}
	switch operation = pick(g, "PutItem", "PutItem", "PutItem", "UpdateItem", "UpdateItem", "UpdateItem", "DeleteItem",
		"GetItem", "GetItem", "Query", "Query", "Query", "Scan", "BatchGetItem", "BatchWriteItem"); operation {
	case "PutItem":
		in["Item"] = g.item(table)
		g.conditional(in, "ALL_OLD", "NONE")
	case "DeleteItem":
		in["Key"] = g.key(table)
		g.conditional(in, "ALL_OLD", "NONE")
	case "UpdateItem":
		in["Key"] = g.key(table)
		if g.odds(5) {
			in["AttributeUpdates"] = g.legacyUpdates()
			g.legacyExpected(in)
			if g.odds(2) {
				in["ReturnValues"] = pick(g, "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
			}
			break
		}
		in["UpdateExpression"] = g.update()
		g.conditional(in, "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW", "NONE")
	case "GetItem":
		in["Key"] = g.key(table)
		g.projected(in, 3)
		if g.odds(3) {
			in["ConsistentRead"] = g.odds(2)
		}
	case "Query":
		g.query(table, in)
	case "Scan":
		g.scan(table, in)
	case "BatchGetItem":
		delete(in, "TableName")
		requests := members{}
		for range 1 + g.IntN(2) {
			table := g.table()
			var keys []members
			for range 1 + g.IntN(4) {
				keys = append(keys, g.key(table))
			}
			request := members{"Keys": keys}
			if g.odds(4) {
				request["AttributesToGet"] = g.attributesToGet()
			}
			requests[table] = request
		}
		in["RequestItems"] = requests
		if g.odds(3) {
			in["ReturnConsumedCapacity"] = "TOTAL"
		}
		return operation, in
	case "BatchWriteItem":
		delete(in, "TableName")
		requests := members{}
		for range 1 + g.IntN(2) {
			table := g.table()
			var list []members
			for range 1 + g.IntN(3) {
				if g.odds(3) {
					list = append(list, members{"DeleteRequest": members{"Key": g.key(table)}})
				} else {
					list = append(list, members{"PutRequest": members{"Item": g.item(table)}})
				}
			}
			requests[table] = list
		}
		in["RequestItems"] = requests
		if g.odds(3) {
			in["ReturnConsumedCapacity"] = "INDEXES"
		}
		return operation, in
	}
	return operation, g.finish(in)
}

func (g *generator) conditional(in members, returns ...string) {
	switch {
	case g.odds(3):
		in["ConditionExpression"] = g.condition(2)
	case g.odds(8) && in["UpdateExpression"] == nil:
		g.legacyExpected(in)
	}
	if g.odds(3) {
		in["ReturnValues"] = pick(g, returns...)
	}
	if g.odds(100) {
		in["ReturnValues"] = pick(g, "UPDATED_NEW", "SOMETHING")
	}
	if g.odds(6) {
		in["ReturnItemCollectionMetrics"] = pick(g, "SIZE", "NONE")
	}
}
