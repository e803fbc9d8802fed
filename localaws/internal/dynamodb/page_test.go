// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
	"pgregory.net/rapid"
)

// indexed makes a table with every kind of index, keyed pk (S) and sk (N).
func (w *world) indexed(name string) {
	w.table(name, "N", members{
		"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"}, {"AttributeName": "h", "AttributeType": "N"}, {"AttributeName": "l", "AttributeType": "S"}, {"AttributeName": "b", "AttributeType": "B"}},
		"GlobalSecondaryIndexes": []members{
			{"IndexName": "gAll", "KeySchema": []members{{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "h", "KeyType": "RANGE"}}, "Projection": members{"ProjectionType": "ALL"}},
			{"IndexName": "gKeys", "KeySchema": []members{{"AttributeName": "g", "KeyType": "HASH"}}, "Projection": members{"ProjectionType": "KEYS_ONLY"}},
			{"IndexName": "gInclude", "KeySchema": []members{{"AttributeName": "h", "KeyType": "HASH"}, {"AttributeName": "b", "KeyType": "RANGE"}}, "Projection": members{"ProjectionType": "INCLUDE", "NonKeyAttributes": []string{"v"}}}},
		"LocalSecondaryIndexes": []members{
			{"IndexName": "lAll", "KeySchema": []members{{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}}, "Projection": members{"ProjectionType": "ALL"}},
			{"IndexName": "lKeys", "KeySchema": []members{{"AttributeName": "pk", "KeyType": "HASH"},
				{"AttributeName": "h", "KeyType": "RANGE"}}, "Projection": members{"ProjectionType": "KEYS_ONLY"}}}})
}

// all reads every page of a Query or Scan.
func (w *world) all(operation string, in members) (items []members, pages int) {
	w.t.Helper()
	for {
		out := w.do(operation, in)
		pages++
		for _, it := range out["Items"].([]any) {
			items = append(items, it.(members))
		}
		last, more := out["LastEvaluatedKey"]
		if !more {
			return items, pages
		}
		if pages > 10_000 {
			w.t.Fatal("pages without end")
		}
		in["ExclusiveStartKey"] = last
	}
}

// text is a canonical form of items: JSON with sorted names.
func text(items ...members) string {
	b, err := json.Marshal(items)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func sorted(items []members) []string {
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = text(it)
	}
	slices.Sort(out)
	return out
}

// TestPagesAreComplete: whatever the limit, direction, index and segment, the
// pages hold every item once and queries are in order.
func TestPagesAreComplete(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.indexed("paged")
		want := map[string]members{}
		for range rapid.IntRange(0, 40).Draw(rt, "items") {
			it := members{"pk": str(rapid.SampledFrom([]string{"a", "b", "\x00", "ab", "é"}).Draw(rt, "pk")),
				"sk": num(rapid.SampledFrom([]string{"0", "1", "-1", "10", "9", "1e20", "-0.5", "0.25"}).Draw(rt,
					"sk"))}
			if rapid.Bool().Draw(rt, "g?") {
				it["g"] = str(rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "g"))
			}
			if rapid.Bool().Draw(rt, "h?") {
				it["h"] = num(rapid.IntRange(-3, 3).Draw(rt, "h"))
			}
			if rapid.Bool().Draw(rt, "l?") {
				it["l"] = str(rapid.SampledFrom([]string{"a", "a\x00", "a\x00b", "b", "aa"}).Draw(rt, "l"))
			}
			if rapid.Bool().Draw(rt, "b?") {
				it["b"] = members{"B": rapid.SampledFrom([]string{"AA==", "AAA=", "/w==", "//8=", "AQ=="}).Draw(rt,
					"b")}
			}
			it["v"] = num(len(want))
			w.do("PutItem", members{"TableName": "paged", "Item": it})
			want[text(members{"pk": it["pk"], "sk": it["sk"]})] = it
		}
		limit := rapid.IntRange(1, 7).Draw(rt, "limit")
		forward := rapid.Bool().Draw(rt, "forward")
		for _, index := range []string{"", "gAll", "gKeys", "gInclude", "lAll", "lKeys"} {
			in := func() members {
				m := members{"TableName": "paged", "Limit": limit}
				if index != "" {
					m["IndexName"] = index
				}
				return m
			}
			whole := in()
			delete(whole, "Limit")
			once, pages := w.all("Scan", whole)
			if pages != 1 {
				rt.Fatalf("%s: %d pages without limit", index, pages)
			}
			if index == "" && len(once) != len(want) {
				rt.Fatalf("%d items of %d", len(once), len(want))
			}
			paged, _ := w.all("Scan", in())
			if !slices.Equal(sorted(paged), sorted(once)) {
				rt.Fatalf("%s: pages of %d differ from one page:\n%s\n%s", index, limit, text(paged...), text(once...))
			}
			total := rapid.IntRange(1, 5).Draw(rt, "segments")
			var split []members
			for s := range total {
				m := in()
				m["Segment"], m["TotalSegments"] = s, total
				part, _ := w.all("Scan", m)
				split = append(split, part...)
			}
			if !slices.Equal(sorted(split), sorted(once)) {
				rt.Fatalf("%s: %d segments differ from one scan", index, total)
			}
			checkQueries(rt, w, index, in, forward, once)
		}
	})
}

// checkQueries queries every partition that a scan found.
func checkQueries(rt *rapid.T, w *world, index string, in func() members, forward bool, once []members) {
	partition, sort := "pk", "sk"
	switch index {
	case "gAll":
		partition, sort = "g", "h"
	case "gKeys":
		partition, sort = "g", ""
	case "gInclude":
		partition, sort = "h", "b"
	case "lAll":
		sort = "l"
	case "lKeys":
		sort = "h"
	}
	byPartition := map[string][]members{}
	for _, it := range once {
		byPartition[text(it[partition].(members))] = append(byPartition[text(it[partition].(members))], it)
	}
	for _, want := range byPartition {
		m := in()
		m["KeyConditionExpression"], m["ExpressionAttributeValues"] = partition+" = :p",
			members{":p": want[0][partition]}
		m["ScanIndexForward"] = forward
		got, _ := w.all("Query", m)
		if !slices.Equal(sorted(got), sorted(want)) {
			rt.Fatalf("%s: query differs from scan:\n%s\n%s", index, text(got...), text(want...))
		}
		if sort == "" {
			continue
		}
		last := ""
		for i, it := range got {
			v := userValue(rt, it[sort].(members))
			b, _ := sortKeyBytes(v)
			if key := string(b); i > 0 && (forward && key < last || !forward && key > last) {
				rt.Fatalf("%s: not in order: %s", index, text(got...))
			} else {
				last = key
			}
		}
		checkSortConditions(rt, w, index, in, partition, sort, want)
	}
}

// checkSortConditions compares every operator on the sort key with a filter
// over the whole partition in terms of the same operator.
func checkSortConditions(rt *rapid.T, w *world, index string, in func() members, partition, sort string,
	want []members) {
	pivot := want[rapid.IntRange(0, len(want)-1).Draw(rt, "pivot")][sort]
	other := want[rapid.IntRange(0, len(want)-1).Draw(rt, "other")][sort]
	values := members{":p": want[0][partition], ":v": pivot}
	for _, op := range []string{"#s = :v", "#s < :v", "#s <= :v", "#s > :v", "#s >= :v", "begins_with(#s, :v)",
		"#s BETWEEN :v AND :w"} {
		vals := members{":p": values[":p"], ":v": pivot}
		if strings.Contains(op, ":w") {
			a, b := sortBytes(rt, pivot), sortBytes(rt, other)
			vals[":w"] = other
			if a > b {
				vals[":v"], vals[":w"] = other, pivot
			}
		}
		if _, number := pivot.(members)["N"]; number && strings.HasPrefix(op, "begins") {
			continue
		}
		m := in()
		m["KeyConditionExpression"] = partition + " = :p AND " + op
		m["ExpressionAttributeNames"], m["ExpressionAttributeValues"] = members{"#s": sort}, vals
		got, _ := w.all("Query", m)

		term := parseTerm(rt, op, sort, vals)
		var filtered []members
		for _, it := range want {
			if term(it) {
				filtered = append(filtered, it)
			}
		}
		if !slices.Equal(sorted(got), sorted(filtered)) {
			rt.Fatalf("%s: %s with %v:\n got %s\nwant %s", index, op, vals, text(got...), text(filtered...))
		}
	}
}

// parseTerm is the operator by comparing key bytes, without the engine.
func parseTerm(rt *rapid.T, op, sort string, vals members) func(members) bool {
	v := sortBytes(rt, vals[":v"])
	return func(it members) bool {
		k := sortBytes(rt, it[sort])
		switch op {
		case "#s = :v":
			return k == v
		case "#s < :v":
			return k < v
		case "#s <= :v":
			return k <= v
		case "#s > :v":
			return k > v
		case "#s >= :v":
			return k >= v
		case "begins_with(#s, :v)":
			return strings.HasPrefix(k, v)
		}
		return k >= v && k <= sortBytes(rt, vals[":w"])
	}
}

func sortBytes(rt *rapid.T, v any) string {
	av := userValue(rt, v.(members))
	b, ok := sortKeyBytes(av)
	if !ok {
		rt.Fatalf("no key value: %v", v)
	}
	return string(b)
}

// sortKeyBytes returns bytes that sort as DynamoDB orders a key value.
func sortKeyBytes(v types.AttributeValue) (b []byte, ok bool) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return []byte(v.Value), true
	case *types.AttributeValueMemberB:
		return v.Value, true
	case *types.AttributeValueMemberN:
		b, err := ddbnumber.AppendSortKey(nil, v.Value)
		return b, err == nil
	}
	return nil, false
}

func TestPageOfOneMegabyte(t *testing.T) {
	w := newWorld(t)
	w.table("big", "N", nil)
	const n, size = 40, 100_000
	for i := range n {
		w.do("PutItem", members{"TableName": "big",
			"Item": members{"pk": str("a"), "sk": num(i), "v": str(strings.Repeat("x", size))}})
	}
	// The eleventh item passes the limit, and still belongs to the page.
	first := w.do("Scan", members{"TableName": "big"})
	if got := first["Count"]; got != 11.0 {
		t.Errorf("a page holds %v items of %d bytes", got, size)
	}
	none := w.do("Scan", members{"TableName": "big", "FilterExpression": "v = :n",
		"ExpressionAttributeValues": members{":n": num(1)}})
	if none["Count"] != 0.0 || none["ScannedCount"] != 11.0 || none["LastEvaluatedKey"] == nil {
		t.Errorf("filtered page: %v %v", none["Count"], none["ScannedCount"])
	}
	items, pages := w.all("Query",
		members{"TableName": "big", "KeyConditionExpression": "pk = :p",
			"ExpressionAttributeValues": members{":p": str("a")}, "ScanIndexForward": false})
	if len(items) != n || pages != 4 {
		t.Errorf("%d items on %d pages", len(items), pages)
	}
}

func TestPageParameters(t *testing.T) {
	w := newWorld(t)
	w.indexed("paged")
	it := members{"pk": str("a"), "sk": num(1), "g": str("x"), "h": num(2), "l": str("l"), "b": members{"B": "AA=="},
		"v": str("v"), "w": str("w")}
	w.do("PutItem", members{"TableName": "paged", "Item": it})
	p := members{":p": str("a")}
	query := members{"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": p}
	with := func(base members, more members) members {
		out := members{"TableName": "paged"}
		for k, v := range base {
			out[k] = v
		}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	for name, c := range map[string]struct {
		operation string
		in        members
		message   string
	}{
		"no key condition":        {"Query", with(nil, nil), "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		"limit zero":              {"Scan", with(nil, members{"Limit": 0}), "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"segment alone":           {"Scan", with(nil, members{"Segment": 0}), "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"},
		"total alone":             {"Scan", with(nil, members{"TotalSegments": 2}), "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"},
		"segment too large":       {"Scan", with(nil, members{"Segment": 2, "TotalSegments": 2}), "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2"},
		"no such index":           {"Scan", with(nil, members{"IndexName": "none"}), "The table does not have the specified index: none"},
		"consistent global":       {"Scan", with(nil, members{"IndexName": "gAll", "ConsistentRead": true}), "Consistent reads are not supported on global secondary indexes"},
		"all of a sparse index":   {"Scan", with(nil, members{"IndexName": "gKeys", "Select": "ALL_ATTRIBUTES"}), "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index gKeys because its projection type is not ALL"},
		"not projected":           {"Scan", with(nil, members{"IndexName": "gKeys", "ProjectionExpression": "w"}), "One or more parameter values were invalid: Global secondary index gKeys does not project [w]"},
		"projected without index": {"Scan", with(nil, members{"Select": "ALL_PROJECTED_ATTRIBUTES"}), "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
		"count and projection":    {"Scan", with(nil, members{"Select": "COUNT", "ProjectionExpression": "w"}), "Cannot specify the ProjectionExpression when choosing to get only the Count"},
		"specific of what":        {"Scan", with(nil, members{"Select": "SPECIFIC_ATTRIBUTES"}), "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"},
		"filter on key":           {"Query", with(query, members{"FilterExpression": "sk = :p"}), "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		"start of other shape":    {"Query", with(query, members{"ExclusiveStartKey": members{"pk": str("a")}}), "The provided starting key is invalid: The provided key element does not match the schema"},
		"start elsewhere":         {"Query", with(query, members{"ExclusiveStartKey": members{"pk": str("b"), "sk": num(1)}}), "The provided starting key is outside query boundaries based on provided conditions"},
		"start not matching":      {"Query", with(members{"KeyConditionExpression": "pk = :p AND sk > :s", "ExpressionAttributeValues": members{":p": str("a"), ":s": num(5)}}, members{"ExclusiveStartKey": members{"pk": str("a"), "sk": num(1)}}), "The provided starting key does not match the range key predicate"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.fails(c.operation, c.in, "ValidationException", c.message)
		})
	}
	w.t = t
	for name, c := range map[string]struct {
		in   members
		want string
	}{
		"keys only":         {with(nil, members{"IndexName": "gKeys"}), `[{"g":{"S":"x"},"pk":{"S":"a"},"sk":{"N":"1"}}]`},
		"include":           {with(nil, members{"IndexName": "gInclude"}), `[{"b":{"B":"AA=="},"h":{"N":"2"},"pk":{"S":"a"},"sk":{"N":"1"},"v":{"S":"v"}}]`},
		"local fetches":     {with(nil, members{"IndexName": "lKeys", "ProjectionExpression": "w"}), `[{"w":{"S":"w"}}]`},
		"local fetches all": {with(nil, members{"IndexName": "lKeys", "Select": "ALL_ATTRIBUTES"}), text(it)},
		"all":               {with(nil, members{"IndexName": "gAll"}), text(it)},
	} {
		items, _ := w.all("Scan", c.in)
		if got := text(items...); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := w.do("Scan", with(nil, members{"Select": "COUNT"})); got["Items"] != nil || got["Count"] != 1.0 {
		t.Errorf("count: %v", got)
	}
	used := fmt.Sprint(w.do("Scan",
		with(nil, members{"IndexName": "lKeys", "ProjectionExpression": "w",
			"ReturnConsumedCapacity": "INDEXES"}))["ConsumedCapacity"])
	if used != "map[CapacityUnits:1 LocalSecondaryIndexes:map[lKeys:map[CapacityUnits:0.5]] "+
		"Table:map[CapacityUnits:0.5] TableName:paged]" {
		t.Error(used)
	}
}
