// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// keySchema writes a KeySchema: attributes of the partition key, a vertical bar,
// attributes of the sort key.
func keySchema(text string) (list []members) {
	partition, sort, _ := strings.Cut(text, "|")
	for _, name := range strings.Fields(partition) {
		list = append(list, members{"AttributeName": name, "KeyType": "HASH"})
	}
	for _, name := range strings.Fields(sort) {
		list = append(list, members{"AttributeName": name, "KeyType": "RANGE"})
	}
	return list
}

// severalIndex is an index whose key is written as for [keySchema].
func severalIndex(name, key string) members {
	return members{"IndexName": name, "KeySchema": keySchema(key), "Projection": members{"ProjectionType": "ALL"}}
}

// severalTable makes the table "tab" with one index "gsi" of strings.
func (w *world) severalTable(key string) {
	w.t.Helper()
	var attributes []members
	for _, e := range keySchema(key) {
		attributes = append(attributes, defined(e["AttributeName"].(string), "S")...)
	}
	w.table("tab", "", members{"AttributeDefinitions": attributes,
		"GlobalSecondaryIndexes": []members{severalIndex("gsi", key)}})
}

// put stores items of strings, each written as "pk=a h=b".
func (w *world) put(items ...string) {
	w.t.Helper()
	for _, text := range items {
		w.do("PutItem", members{"TableName": "tab", "Item": stringItem(text)})
	}
}

func stringItem(text string) members {
	it := members{}
	for _, part := range strings.Fields(text) {
		name, value, _ := strings.Cut(part, "=")
		it[name] = str(value)
	}
	return it
}

// queryGSI is a Query of the index "gsi" with the values of the test.
func queryGSI(condition, values string, more members) members {
	in := members{"TableName": "tab", "IndexName": "gsi", "KeyConditionExpression": condition}
	bound := members{}
	for _, part := range strings.Fields(values) {
		name, value, _ := strings.Cut(part, "=")
		if strings.Contains(condition+" ", ":"+name+" ") || strings.Contains(condition, ":"+name+")") {
			bound[":"+name] = str(value)
		}
	}
	in["ExpressionAttributeValues"] = bound
	maps.Copy(in, more)
	return in
}

// keysOf lists the primary keys of an answer in its order.
func keysOf(answer members) string {
	var keys []string
	for _, it := range answer["Items"].([]any) {
		keys = append(keys, it.(members)["pk"].(members)["S"].(string))
	}
	return strings.Join(keys, " ")
}

// sortedKeys is keysOf for items that DynamoDB may return in any order.
func sortedKeys(answer members) string {
	keys := strings.Fields(keysOf(answer))
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// TestIndexOfSeveralSortAttributes repeats what was recorded on AWS in October
// 2026 of an index with one HASH and four RANGE attributes.
func TestIndexOfSeveralSortAttributes(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Store = mustOpen(t, t.TempDir()) })
	w.severalTable("h | a b c d")
	w.put("pk=p1 h=o a=T b=live c=b d=r1", "pk=p2 h=o a=T b=live c=a d=r2", "pk=p3 h=o a=T b=live c=a d=r1",
		"pk=p4 h=o a=T b=draft c=c d=r1", "pk=p5 h=o a=F b=live c=a d=r0", "pk=p6 h=o a=T b=live d=r1")
	const values = "h=o a=T b=live c=a d=r x=r1 y=r1"
	gap := func(open, named string) string {
		return "RANGE key attributes " + open + " must have equality conditions specified in the query because a " +
			"condition is present on key attribute " + named
	}
	for range 2 {
		for _, c := range []struct {
			condition, want string
			more            members
		}{
			{"h = :h", "p5 p4 p3 p2 p1", nil},
			{"h = :h AND a = :a", "p4 p3 p2 p1", nil},
			{"h = :h AND a = :a", "p1 p2 p3 p4", members{"ScanIndexForward": false}},
			{"h = :h AND a = :a AND b = :b", "p3 p2 p1", nil},
			{"h = :h AND a = :a AND b = :b AND c = :c", "p3 p2", nil},
			{"h = :h AND a = :a AND b = :b AND c > :c", "p1", nil},
			{"h = :h AND a = :a AND b = :b AND c = :c AND begins_with(d, :d)", "p3 p2", nil},
			{"h = :h AND a = :a AND b = :b AND c = :c AND d BETWEEN :x AND :y", "p3", nil},
			{"h = :h AND a = :a AND b < :b", "p4", nil},
			{"b = :b AND h = :h AND a = :a", "p3 p2 p1", nil},
		} {
			if got := keysOf(w.do("Query", queryGSI(c.condition, values, c.more))); got != c.want {
				t.Errorf("%s: %s, want %s", c.condition, got, c.want)
			}
		}
		page := w.do("Query", queryGSI("h = :h AND a = :a", values, members{"Limit": 2}))
		last := page["LastEvaluatedKey"].(members)
		if got := fmt.Sprint(keysOf(page), " ", slices.Sorted(maps.Keys(last))); got != "p4 p3 [a b c d h pk]" {
			t.Error(got)
		}
		rest := w.do("Query", queryGSI("h = :h AND a = :a", values, members{"ExclusiveStartKey": last}))
		if got := keysOf(rest); got != "p2 p1" {
			t.Errorf("the second page has %s", got)
		}
		w.fails("Query", queryGSI("h = :h AND a = :a AND c = :c", values, nil), "ValidationException", gap("b", "c"))
		w.fails("Query", queryGSI("h = :h AND a = :a AND b > :b AND c = :c", values, nil), "ValidationException",
			gap("b", "c"))
		w.fails("Query", queryGSI("h = :h AND b = :b", values, nil), "ValidationException", gap("a", "b"))
		w.restart()
	}
	if err := w.cfg.Store.Close(); err != nil {
		t.Error(err)
	}
}

// TestIndexOfSeveralAttributes: the largest key, its description, its start keys,
// filters and refusals of conditions.
func TestIndexOfSeveralAttributes(t *testing.T) {
	w := newWorld(t)
	w.severalTable("h i j k | a b c d")
	schema := w.described("tab")["GlobalSecondaryIndexes"].([]any)[0].(members)["KeySchema"]
	if got, want := fmt.Sprint(schema), fmt.Sprint(keySchema("h i j k | a b c d")); got != want {
		t.Errorf("KeySchema %s, want %s", got, want)
	}
	const rest = " h=h i=i j=j k=k a=a b=b c=c d=d"
	w.put("pk=1"+rest, "pk=2"+rest, "pk=3"+strings.Replace(rest, "k=k", "k=other", 1),
		"pk=4 h=h i=i j=j a=a b=b c=c d=d")
	const all = "h = :h AND i = :i AND j = :j AND k = :k"
	for condition, want := range map[string]string{
		all: "1 2", all + " AND a = :a AND b = :b AND c = :c AND d = :d": "1 2", all + " AND a > :a": "",
	} {
		if got := sortedKeys(w.do("Query", queryGSI(condition, rest, nil))); got != want {
			t.Errorf("%s: %s, want %s", condition, got, want)
		}
	}
	for _, c := range []struct{ condition, message string }{
		{"h = :h", "HASH key attributes i, j, k must have equality conditions specified in the query"},
		{"h = :h AND i = :i AND k = :k AND a = :a",
			"HASH key attributes j must have equality conditions specified in the query"},
		{"h = :h AND i = :i AND j = :j AND k > :k",
			"HASH key attributes k must have equality conditions specified in the query"},
		{all + " AND x = :a", "Query condition missed key schema element: a"},
	} {
		w.fails("Query", queryGSI(c.condition, rest, nil), "ValidationException", c.message)
	}

	legacy := func(conditions members) members {
		return members{"TableName": "tab", "IndexName": "gsi", "KeyConditions": conditions}
	}
	equal := func(v string) members {
		return members{"ComparisonOperator": "EQ", "AttributeValueList": []members{str(v)}}
	}
	conditions := members{"h": equal("h"), "i": equal("i"), "j": equal("j"), "k": equal("k"), "a": equal("a"),
		"b": members{"ComparisonOperator": "GE", "AttributeValueList": []members{str("b")}}}
	if got := sortedKeys(w.do("Query", legacy(conditions))); got != "1 2" {
		t.Errorf("by KeyConditions: %s", got)
	}
	delete(conditions, "a")
	w.fails("Query", legacy(conditions), "ValidationException", "RANGE key attributes a must have equality …")
	tooMany := members{"TableName": "tab", "KeyConditions": members{"pk": equal("1"), "a": equal("a"), "b": equal("b")}}
	w.fails("Query", tooMany, "ValidationException", "Conditions can be of length 1 or 2 only")
	for i := range 9 {
		conditions[fmt.Sprint("x", i)] = equal("x")
	}
	w.fails("Query", legacy(conditions), "ValidationException", "Conditions can be of length 1 or 2 only")

	for _, name := range []string{"h", "k", "a", "d"} {
		in := queryGSI(all, rest, members{"FilterExpression": name + " = :h"})
		w.fails("Query", in, "ValidationException",
			"Filter Expression can only contain non-primary key attributes: Primary key attribute: "+name)
		w.fails("Query", queryGSI(all, rest, members{"FilterExpression": name + ".x = :h"}), "ValidationException",
			"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "+
				"IndexKey: "+name)
	}
	start := func(text string) members {
		return queryGSI(all+" AND a = :a AND b > :e", "e=a"+rest, members{"ExclusiveStartKey": stringItem(text)})
	}
	first, second, _ := strings.Cut(keysOf(w.do("Query", queryGSI(all, rest, nil))), " ")
	if got := keysOf(w.do("Query", start("pk="+first+rest))); got != second {
		t.Errorf("behind %s comes %s, want %s", first, got, second)
	}
	const invalid = "The provided starting key is invalid"
	w.fails("Query", start("pk=1"+strings.Replace(rest, " c=c", "", 1)), "ValidationException", invalid)
	w.fails("Query", start("pk=1 x=x"+rest), "ValidationException", invalid)
	w.fails("Query", start("pk=1"+strings.Replace(rest, "b=b", "b=a", 1)), "ValidationException",
		"The provided starting key does not match the range key predicate")
	w.fails("Query", start("pk=1"+strings.Replace(rest, "k=k", "k=l", 1)), "ValidationException",
		"The provided starting key is outside query boundaries based on provided conditions")
	w.fails("Query", queryGSI(strings.Replace(all, ":k", ":e", 1), rest+" e=", nil), "ValidationException",
		badParam+"One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "+
			"an empty string value. Key: k")
}

// TestWritesToIndexOfSeveralAttributes: what a write must look like for the key of
// the index, and when an item is in it.
func TestWritesToIndexOfSeveralAttributes(t *testing.T) {
	w := newWorld(t)
	w.severalTable("h i | a b")
	count := func() any { return w.do("Scan", members{"TableName": "tab", "IndexName": "gsi"})["Count"] }
	w.put("pk=1 h=h i=i a=a b=b", "pk=2 h=h i=i a=a", "pk=3 h=h a=a b=b", "pk=4 i=i a=a b=b", "pk=5")
	if got := count(); got != 1.0 {
		t.Errorf("the index has %v items", got)
	}
	item := func(name string, value members) members {
		it := stringItem("pk=1 h=h i=i a=a b=b")
		it[name] = value
		return members{"TableName": "tab", "Item": it}
	}
	for _, name := range []string{"h", "i", "a", "b"} {
		w.fails("PutItem", item(name, num(1)), "ValidationException",
			badParam+"Type mismatch for Index Key "+name+" Expected: S Actual: N IndexName: gsi")
		w.fails("PutItem", item(name, str("")), "ValidationException", "One or more parameter values are not valid. "+
			"…")
		w.fails("UpdateItem", members{"TableName": "tab", "Key": members{"pk": str("1")},
			"UpdateExpression":          "SET " + name + " = :v",
			"ExpressionAttributeValues": members{":v": num(1)}}, "ValidationException", "")
	}
	// The attributes of each part of the key count together.
	const long = "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
	w.fails("PutItem", item("b", str(strings.Repeat("x", 1024))), "ValidationException", badParam+long)
	w.do("PutItem", item("b", str(strings.Repeat("x", 1023))))
	w.fails("PutItem", item("i", str(strings.Repeat("x", 2048))), "ValidationException",
		badParam+"Size of hashkey has exceeded the maximum size limit of2048 bytes")
	w.do("PutItem", item("i", str(strings.Repeat("x", 2047))))
	if got := count(); got != 1.0 {
		t.Errorf("the index has %v items", got)
	}

	// An index on such items leaves out what it could not hold.
	w.put("pk=6 x=x y=y", "pk=7 x=x", "pk=8 x=x y="+strings.Repeat("y", 1024), "pk=9 x=x y="+strings.Repeat("y", 1023))
	w.do("PutItem", members{"TableName": "tab", "Item": members{"pk": str("10"), "x": str("x"), "y": num(1)}})
	w.do("PutItem", members{"TableName": "tab", "Item": members{"pk": str("11"), "x": str("x"), "y": str("")}})
	in := createIndex("second", defined("pk", "S", "x", "S", "y", "S"), "x")
	in["GlobalSecondaryIndexUpdates"] = []members{{"Create": severalIndex("second", "pk | x y")}}
	w.do("UpdateTable", in)
	if got := sortedKeys(w.do("Scan", members{"TableName": "tab", "IndexName": "second"})); got != "6 9" {
		t.Errorf("the second index has %s", got)
	}
	if got := fmt.Sprint(w.described("tab")["AttributeDefinitions"]); strings.Count(got, "AttributeName") != 7 {
		t.Errorf("attributes: %s", got)
	}
	w.do("UpdateTable", members{"TableName": "tab",
		"GlobalSecondaryIndexUpdates": []members{{"Delete": members{"IndexName": "gsi"}}}})
	if got := fmt.Sprint(w.described("tab")["AttributeDefinitions"]); strings.Count(got, "AttributeName") != 3 {
		t.Errorf("attributes: %s", got)
	}
}

// TestProjectionOfSeveralAttributes: an index of keys only has the attributes of
// both keys, and a change of any of them is a write of the index.
func TestProjectionOfSeveralAttributes(t *testing.T) {
	w := newWorld(t)
	gsi := severalIndex("gsi", "h i | a b")
	gsi["Projection"] = members{"ProjectionType": "KEYS_ONLY"}
	w.table("tab", "", members{"AttributeDefinitions": defined("h", "S", "i", "S", "a", "S", "b", "S"),
		"GlobalSecondaryIndexes": []members{gsi}})
	w.put("pk=1 h=h i=i a=a b=b more=x")
	got := w.do("Query", queryGSI("h = :h AND i = :i", "h=h i=i", nil))["Items"].([]any)[0].(members)
	if want := "[a b h i pk]"; fmt.Sprint(slices.Sorted(maps.Keys(got))) != want {
		t.Errorf("%v, want %s", got, want)
	}
	w.fails("Query", queryGSI("h = :h AND i = :i", "h=h i=i", members{"ProjectionExpression": "more"}),
		"ValidationException", badParam+"Global secondary index gsi does not project [more]")
	for name, want := range map[string]any{"more": nil, "b": 2.0, "i": 2.0} {
		used := w.do("UpdateItem", members{"TableName": "tab", "Key": members{"pk": str("1")},
			"UpdateExpression": "SET " + name + " = :v", "ExpressionAttributeValues": members{":v": str("new")},
			"ReturnConsumedCapacity": "INDEXES", "ReturnItemCollectionMetrics": "SIZE"})
		var units any
		if of, ok := used["ConsumedCapacity"].(members)["GlobalSecondaryIndexes"].(members); ok {
			units = of["gsi"].(members)["CapacityUnits"]
		}
		if units != want {
			t.Errorf("a change of %s costs %v in the index, want %v", name, units, want)
		}
		if m := used["ItemCollectionMetrics"]; m != nil {
			t.Errorf("a table without local indexes has the metrics %v", m)
		}
	}
}

// TestRefusedIndexKeys: keys of indexes that AWS does not create.
func TestRefusedIndexKeys(t *testing.T) {
	const (
		most  = badParam + "The KeySchema exceeds the maximum allowed number of %s key attributes"
		order = badParam + "All HASH key attributes must precede RANGE key attributes in the KeySchema"
		twice = "The KeySchema contains multiple key attributes with the same name"
	)
	hash := func(name string) members { return members{"AttributeName": name, "KeyType": "HASH"} }
	for _, c := range []struct {
		key     []members
		message string
	}{
		{keySchema("a b c d e"), fmt.Sprintf(most, "HASH")},
		{keySchema("a | b c d e f"), fmt.Sprintf(most, "RANGE")},
		{keySchema("| a"), "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
		{append(keySchema("a | b"), hash("c")), order},
		{append(keySchema("a b | c d"), hash("e")), order},
		{keySchema("a b a"), twice},
		{keySchema("a b | c a"), twice},
		{keySchema("a | a"), "Both the Hash Key and the Range Key element in the KeySchema have the same name"},
		{keySchema("a a"), "Both the Hash Key and the Range Key element in the KeySchema have the same name"},
		{keySchema("a b | x"), badParam + "Some index key attributes are not defined in AttributeDefinitions. " +
			"Keys: [a, b, x], AttributeDefinitions: [a, b, c, d, e, f, pk]"},
		{keySchema("a b c d | e f g h i"), "Invalid KeySchema: Some index key attribute have no definition"},
	} {
		w := newWorld(t)
		attributes := defined("a", "S", "b", "N", "c", "B", "d", "S", "e", "S", "f", "S", "pk", "S")
		gsi := members{"IndexName": "gsi", "KeySchema": c.key, "Projection": members{"ProjectionType": "ALL"}}
		table := members{"TableName": "tab", "BillingMode": "PAY_PER_REQUEST", "KeySchema": keySchema("pk"),
			"AttributeDefinitions": attributes, "GlobalSecondaryIndexes": []members{gsi}}
		w.fails("CreateTable", table, "ValidationException", c.message)
		w.table("tab", "", nil)
		w.fails("UpdateTable", members{"TableName": "tab", "AttributeDefinitions": attributes,
			"GlobalSecondaryIndexUpdates": []members{{"Create": gsi}}}, "ValidationException", c.message)
	}

	// Tables and local indexes have one attribute of each kind.
	w := newWorld(t)
	base := members{"TableName": "tab", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": defined("a", "S", "b", "N", "c", "B")}
	with := func(key string, more members) members {
		in := maps.Clone(base)
		in["KeySchema"] = keySchema(key)
		maps.Copy(in, more)
		return in
	}
	local := func(key string) members {
		return members{"LocalSecondaryIndexes": []members{severalIndex("lsi", key)}}
	}
	const second = "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"
	w.fails("CreateTable", with("a b", nil), "ValidationException", second)
	w.fails("CreateTable", with("a | b", local("a c")), "ValidationException", second)
	w.fails("CreateTable", with("a | b c", nil), "ValidationException",
		"1 validation error detected: Value '[KeySchemaElement(…")
	w.fails("CreateTable", with("a | b", local("a | b c")), "ValidationException",
		"1 validation error detected: Value '[KeySchemaElement(attributeName=a, keyType=HASH), "+
			"KeySchemaElement(attributeName=b, keyType=RANGE), KeySchemaElement(attributeName=c, keyType=RANGE)]' at "+
			"'localSecondaryIndexes.1.member.keySchema' failed to satisfy constraint: "+
			"Member must have length less than or equal to 2")
	w.do("CreateTable", with("a", members{"GlobalSecondaryIndexes": []members{severalIndex("gsi", "a b | c")}}))
	in := createIndex("other", defined("b", "S", "d", "S"), "b")
	in["GlobalSecondaryIndexUpdates"] = []members{{"Create": severalIndex("other", "d | b")}}
	w.fails("UpdateTable", in, "ValidationException", badParam+"Attributes cannot be redefined. Please check that "+
		"your attribute has the same type as previously defined. Existing schema: Schema:[SchemaElement: "+
		"key{a:S:HASH}, SchemaElement: key{b:N:HASH}, SchemaElement: key{c:B:RANGE}] New schema: "+
		"Schema:[SchemaElement: key{d:S:HASH}, SchemaElement: key{b:S:RANGE}]")
}

// TestConditionKeysOfSeveralAttributes: policies see each attribute of a partition
// key under a condition key of its own.
func TestConditionKeysOfSeveralAttributes(t *testing.T) {
	w := newWorld(t)
	w.severalTable("h i j k | a")
	w.checks = nil
	w.do("Query", queryGSI("h = :h AND i = :i AND j = :j AND k = :k AND a = :a", "h=1 i=2 j=3 k=4 a=5", nil))
	got := fmt.Sprint(w.checks[0].Resource, " ", map[string][]string(w.checks[0].Context))
	want := "arn:aws:dynamodb:us-east-1:111122223333:table/tab/index/gsi map[dynamodb:attributes:[a h i j k] " +
		"dynamodb:firstpartitionkeyvalues:[1] dynamodb:fourthpartitionkeyvalues:[4] dynamodb:leadingkeys:[1] " +
		"dynamodb:secondpartitionkeyvalues:[2] dynamodb:select:[ALL_PROJECTED_ATTRIBUTES] " +
		"dynamodb:thirdpartitionkeyvalues:[3]]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestRestoreOfSeveralAttributes: a restored table has the index, whether the
// request names it or not, and no index with the same attributes in another order.
func TestRestoreOfSeveralAttributes(t *testing.T) {
	w := newWorld(t)
	w.severalTable("h i | a b")
	w.put("pk=1 h=h i=i a=a b=2", "pk=2 h=h i=i a=a b=1", "pk=3 h=h i=i a=a", "pk=4 h=h i=j a=a b=1")
	backup := w.backup("tab")
	w.put("pk=5 h=h i=i a=a b=0")
	override := func(key string) members {
		return members{"GlobalSecondaryIndexOverride": []members{severalIndex("gsi", key)}}
	}
	for name, more := range map[string]members{"whole": nil, "named": override("h i | a b")} {
		w.do("RestoreTableFromBackup", restoreOf(backup, name, more))
		in := queryGSI("h = :h AND i = :i AND a = :a", "h=h i=i a=a", members{"TableName": name})
		if got := keysOf(w.do("Query", in)); got != "2 1" {
			t.Errorf("%s: the index has %s", name, got)
		}
	}
	for _, key := range []string{"h i | b a", "i h | a b", "h i | a", "h | i a b"} {
		w.fails("RestoreTableFromBackup", restoreOf(backup, "other", override(key)), "ValidationException", "")
	}
	hmac := members{"SSESpecificationOverride": customKey(w.keys.newKey("hmac"))["SSESpecification"]}
	w.fails("RestoreTableFromBackup", restoreOf(backup, "other", hmac), "InternalServerError", "KMS internal error: …")
	w.fails("DescribeTable", members{"TableName": "other"}, "ResourceNotFoundException", "")
}
