// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

func userItem(t testing.TB, text string) schema.Item {
	t.Helper()
	it, err := ddbjson.Unmarshal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// largestItem is the largest size of an item in bytes that AWS documents.
const largestItem = 400 * 1024

func TestItemValidation(t *testing.T) {
	w := newWorld(t)
	w.table("items", "N", members{"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"}},
		"GlobalSecondaryIndexes": []members{{"IndexName": "byG",
			"KeySchema":  []members{{"AttributeName": "g", "KeyType": "HASH"}},
			"Projection": members{"ProjectionType": "ALL"}}}})
	const (
		p   = "One or more parameter values were invalid: "
		one = "1 validation error detected: "
	)
	put := func(item string) string { return `{"TableName": "items", "Item": ` + item + `}` }
	get := func(key string) string { return `{"TableName": "items", "Key": ` + key + `}` }
	update := func(rest string) string {
		return `{"TableName": "items", "Key": {"pk": {"S": "a"}, "sk": {"N": "1"}}, ` + rest + `}`
	}
	long := strings.Repeat("x", 2049)
	for name, c := range map[string]struct{ operation, in, code, message string }{
		"no table":             {"PutItem", `{"TableName": "none", "Item": {"pk": {"S": "a"}}}`, "ResourceNotFoundException", "Requested resource not found"},
		"no members":           {"PutItem", `{}`, "ValidationException", "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null; Value null at 'item' failed to satisfy constraint: Member must not be null"},
		"missing key":          {"PutItem", put(`{"pk": {"S": "a"}}`), "ValidationException", p + "Missing the key sk in the item"},
		"key of wrong type":    {"PutItem", put(`{"pk": {"N": "1"}, "sk": {"N": "1"}}`), "ValidationException", p + "Type mismatch for key pk expected: S actual: N"},
		"empty key":            {"PutItem", put(`{"pk": {"S": ""}, "sk": {"N": "1"}}`), "ValidationException", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		"long key":             {"PutItem", put(`{"pk": {"S": "` + long + `"}, "sk": {"N": "1"}}`), "ValidationException", p + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		"index key type":       {"PutItem", put(`{"pk": {"S": "a"}, "sk": {"N": "1"}, "g": {"N": "1"}}`), "ValidationException", p + "Type mismatch for Index Key g Expected: S Actual: N IndexName: byG"},
		"empty index key":      {"PutItem", put(`{"pk": {"S": "a"}, "sk": {"N": "1"}, "g": {"S": ""}}`), "ValidationException", "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: byG, IndexKey: g"},
		"empty value":          {"PutItem", put(`{"pk": {}}`), "ValidationException", "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		"two types":            {"PutItem", put(`{"pk": {"S": "a", "N": "1"}}`), "ValidationException", "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
		"bad number":           {"PutItem", put(`{"pk": {"N": "one"}}`), "ValidationException", one + "The parameter cannot be converted to a numeric value: one"},
		"long number":          {"PutItem", put(`{"pk": {"N": "123456789012345678901234567890123456789"}}`), "ValidationException", one + "Attempting to store more than 38 significant digits in a Number"},
		"large number":         {"PutItem", put(`{"pk": {"N": "1e126"}}`), "ValidationException", one + "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		"false null":           {"PutItem", put(`{"pk": {"NULL": false}}`), "ValidationException", one + p + "Null attribute value types must have the value of true"},
		"empty set":            {"PutItem", put(`{"pk": {"SS": []}}`), "ValidationException", one + p + "An string set  may not be empty"},
		"doubled set":          {"PutItem", put(`{"pk": {"SS": ["a", "a"]}}`), "ValidationException", one + p + `Input collection ["a", "a"] contains duplicates.`},
		"doubled number set":   {"PutItem", put(`{"pk": {"NS": ["1", "1.0"]}}`), "ValidationException", one + p + "Input collection contains duplicates."},
		"empty name to get":    {"GetItem", `{"TableName": "items", "Key": {"pk": {"S": "a"}, "sk": {"N": "1"}}, "AttributesToGet": [""]}`, "ValidationException", "Empty attribute name"},
		"empty name updated":   {"UpdateItem", update(`"AttributeUpdates": {"": {"Value": {"N": "1"}}}`), "ValidationException", one + "Empty attribute name"},
		"empty name expected":  {"UpdateItem", update(`"Expected": {"": {"Exists": false}}`), "ValidationException", one + "Empty attribute name"},
		"no object":            {"PutItem", "null", "SerializationException", ""},
		"number as number":     {"PutItem", put(`{"pk": {"N": 1}}`), "SerializationException", "NUMBER_VALUE cannot be converted to String"},
		"bad base64":           {"PutItem", put(`{"pk": {"B": "a"}}`), "SerializationException", ""},
		"bad return values":    {"PutItem", `{"TableName": "items", "Item": {}, "ReturnValues": "ALL_NEW"}`, "ValidationException", one + "ReturnValues can only be ALL_OLD or NONE"},
		"unknown return":       {"PutItem", `{"TableName": "items", "Item": {}, "ReturnValues": "SOME"}`, "ValidationException", one + "Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"},
		"names without use":    {"PutItem", `{"TableName": "items", "Item": {}, "ExpressionAttributeNames": {"#a": "a"}}`, "ValidationException", one + "ExpressionAttributeNames can only be specified when using expressions"},
		"both kinds":           {"PutItem", `{"TableName": "items", "Item": {}, "Expected": {"a": {"Exists": false}}, "ConditionExpression": "attribute_exists(a)"}`, "ValidationException", one + "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}"},
		"values without use":   {"PutItem", `{"TableName": "items", "Item": {}, "ExpressionAttributeValues": {":a": {"S": "a"}}}`, "ValidationException", one + "ExpressionAttributeValues can only be specified when using expressions"},
		"values of no update":  {"UpdateItem", update(`"Expected": {}, "ExpressionAttributeValues": {":a": {"S": "a"}}`), "ValidationException", one + "ExpressionAttributeValues can only be specified when using expressions"},
		"values of no filter":  {"Scan", `{"TableName": "items", "ProjectionExpression": "a", "ExpressionAttributeValues": {":a": {"S": "a"}}}`, "ValidationException", "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"},
		"names, older words":   {"UpdateItem", update(`"Expected": {}, "ExpressionAttributeNames": {"#a": "a"}`), "ValidationException", one + "ExpressionAttributeNames can only be specified when using expressions"},
		"reversed bounds":      {"Scan", `{"TableName": "items", "ScanFilter": {"a": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "10"}, {"N": "9"}]}}}`, "ValidationException", "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"},
		"older filter of key":  {"Query", `{"TableName": "items", "KeyConditions": {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}}, "QueryFilter": {"sk": {"ComparisonOperator": "NOT_NULL"}}}`, "ValidationException", "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk"},
		"empty name":           {"PutItem", put(`{"pk": {"S": "a"}, "sk": {"N": "1"}, "": {"N": "1"}}`), "ValidationException", one + "Empty attribute name"},
		"long name":            {"PutItem", put(`{"pk": {"S": "a"}, "sk": {"N": "1"}, "` + strings.Repeat("n", 65536) + `": {"N": "1"}}`), "ValidationException", one + p + "Attribute name is too large, must be less than 65536 bytes"},
		"short key":            {"GetItem", get(`{"pk": {"S": "a"}}`), "ValidationException", "The provided key element does not match the schema"},
		"key type":             {"GetItem", get(`{"pk": {"S": "a"}, "sk": {"S": "1"}}`), "ValidationException", "The provided key element does not match the schema"},
		"extra key":            {"GetItem", get(`{"pk": {"S": "a"}, "sk": {"N": "1"}, "x": {"N": "1"}}`), "ValidationException", "The provided key element does not match the schema"},
		"update of a key":      {"UpdateItem", update(`"UpdateExpression": "SET sk = :a", "ExpressionAttributeValues": {":a": {"N": "1"}}`), "ValidationException", p + "Cannot update attribute sk. This attribute is part of the key"},
		"update to wrong type": {"UpdateItem", update(`"UpdateExpression": "SET g = :a", "ExpressionAttributeValues": {":a": {"N": "1"}}`), "ValidationException", p + "Type mismatch for Index Key g Expected: S Actual: N IndexName: byG"},
		"unused value":         {"UpdateItem", update(`"UpdateExpression": "REMOVE v", "ExpressionAttributeValues": {":a": {"N": "1"}}`), "ValidationException", one + "Value provided in ExpressionAttributeValues unused in expressions: keys: {:a}"},
		"large item":           {"PutItem", put(`{"pk": {"S": "a"}, "sk": {"N": "1"}, "v": {"S": "` + strings.Repeat("x", largestItem) + `"}}`), "ValidationException", "Item size has exceeded the maximum allowed size"},
		"large update":         {"UpdateItem", update(`"UpdateExpression": "SET v = :a", "ExpressionAttributeValues": {":a": {"S": "` + strings.Repeat("x", largestItem) + `"}}`), "ValidationException", "Item size to update has exceeded the maximum allowed size"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.fails(c.operation, c.in, c.code, c.message)
		})
	}
	if n := w.do("Scan", members{"TableName": "items"})["Count"]; n != 0.0 {
		t.Errorf("refused requests left %v items", n)
	}
}

func TestPutGetUpdateDelete(t *testing.T) {
	w := newWorld(t)
	w.table("items", "", nil)
	key := members{"pk": str("a")}
	item := func() string {
		return fmt.Sprint(w.do("GetItem", members{"TableName": "items", "Key": key})["Item"])
	}
	if got := item(); got != "<nil>" {
		t.Error(got)
	}
	w.do("PutItem",
		`{"TableName": "items", "Item": {"pk": {"S": "a"}, "n": {"N": "1.50"}, "m": {"M": {"x": {"L": [{"N": "1"}, {"S": "\u00e9\"\n"}]}}}, "b": {"B": "AAE="}, "t": {"BOOL": true}, "z": {"NULL": true}, "ss": {"SS": ["x", "y"]}}}`)
	if got, want := item(),
		"map[b:map[B:AAE=] m:map[M:map[x:map[L:[map[N:1] map[S:é\"\n]]]]] n:map[N:1.5] pk:map[S:a] ss:map[SS:[x y]] "+
			"t:map[BOOL:true] z:map[NULL:true]]"; got != want {
		t.Errorf("got %s", got)
	}
	got := w.do("GetItem", members{"TableName": "items", "Key": key, "ProjectionExpression": "m.x[1], #n",
		"ExpressionAttributeNames": members{"#n": "n"}})["Item"]
	if fmt.Sprint(got) != "map[m:map[M:map[x:map[L:[map[S:é\"\n]]]]] n:map[N:1.5]]" {
		t.Error(got)
	}
	old := w.do("PutItem", members{"TableName": "items", "Item": members{"pk": str("a"), "n": num(7)},
		"ReturnValues": "ALL_OLD"})["Attributes"].(members)
	if fmt.Sprint(old["n"]) != "map[N:1.5]" {
		t.Error(old)
	}
	update := func(expression, returns string, values members) any {
		in := members{"TableName": "items", "Key": key, "UpdateExpression": expression, "ReturnValues": returns}
		if values != nil {
			in["ExpressionAttributeValues"] = values
		}
		return w.do("UpdateItem", in)["Attributes"]
	}
	for _, c := range []struct {
		expression, returns string
		values              members
		want                string
	}{
		{"SET n = n + :one, v = :v", "ALL_NEW", members{":one": num(1), ":v": str("x")}, "map[n:map[N:8] pk:map[S:a] v:map[S:x]]"},
		{"SET v = :v REMOVE n", "UPDATED_OLD", members{":v": str("y")}, "map[n:map[N:8] v:map[S:x]]"},
		{"ADD c :one, s :s", "UPDATED_NEW", members{":one": num(1), ":s": members{"NS": []string{"1", "2"}}}, "map[c:map[N:1] s:map[NS:[1 2]]]"},
		{"DELETE s :s", "ALL_OLD", members{":s": members{"NS": []string{"1", "2"}}}, "map[c:map[N:1] pk:map[S:a] s:map[NS:[1 2]] v:map[S:y]]"},
		{"REMOVE c", "NONE", nil, "<nil>"},
		{"REMOVE nothing", "UPDATED_OLD", nil, "<nil>"},
		{"REMOVE v", "UPDATED_NEW", nil, "<nil>"},
		{"SET v = :v", "UPDATED_OLD", members{":v": str("y")}, "<nil>"},
	} {
		if got := fmt.Sprint(update(c.expression, c.returns, c.values)); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.expression, c.returns, got, c.want)
		}
	}
	if got := item(); got != "map[pk:map[S:a] v:map[S:y]]" {
		t.Error(got)
	}
	if got := w.do("DeleteItem",
		members{"TableName": "items", "Key": key,
			"ReturnValues": "ALL_OLD"})["Attributes"]; fmt.Sprint(got) != "map[pk:map[S:a] v:map[S:y]]" {
		t.Error(got)
	}
	if got := w.do("DeleteItem",
		members{"TableName": "items", "Key": key, "ReturnValues": "ALL_OLD"})["Attributes"]; got != nil {
		t.Error(got)
	}
	w.do("UpdateItem", members{"TableName": "items", "Key": key})
	if got := item(); got != "map[pk:map[S:a]]" {
		t.Errorf("an update without expression makes the item: %s", got)
	}
}

// An update that only removes makes no item, and where there is none its paths
// lead nowhere without being wrong.
func TestRemovalMakesNoItem(t *testing.T) {
	w := newWorld(t)
	w.table("items", "", nil)
	set := members{":s": members{"SS": []string{"a"}}}
	for _, in := range []members{
		{"UpdateExpression": "REMOVE v"}, {"UpdateExpression": "REMOVE v.x, l[0]"},
		{"UpdateExpression": "DELETE v :s", "ExpressionAttributeValues": set},
		{"UpdateExpression": "REMOVE v DELETE w :s", "ExpressionAttributeValues": set},
		{"AttributeUpdates": members{"v": members{"Action": "DELETE"}}},
	} {
		in["TableName"], in["Key"], in["ReturnValues"] = "items", members{"pk": str("a")}, "ALL_NEW"
		if got := w.do("UpdateItem", in)["Attributes"]; got != nil {
			t.Errorf("%v returned %v", in, got)
		}
		if n := w.do("Scan", members{"TableName": "items"})["Count"]; n != 0.0 {
			t.Fatalf("%v made an item", in)
		}
	}
	w.do("PutItem", members{"TableName": "items", "Item": members{"pk": str("a")}})
	w.fails("UpdateItem", members{"TableName": "items", "Key": members{"pk": str("a")},
		"UpdateExpression": "REMOVE v.x"}, "ValidationException",
		"The document path provided in the update expression is invalid for update")
}

func TestConditions(t *testing.T) {
	w := newWorld(t)
	w.table("items", "", nil)
	put := members{"TableName": "items", "Item": members{"pk": str("a"), "n": num(1)},
		"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
	w.do("PutItem", put)
	e := w.fails("PutItem", put, "ConditionalCheckFailedException", "The conditional request failed")
	if got := string(e.Members["Item"]); !strings.Contains(got, `"n":{"N":"1"}`) {
		t.Errorf("the old item is %s", got)
	}
	delete(put, "ReturnValuesOnConditionCheckFailure")
	if e := w.fails("PutItem", put, "ConditionalCheckFailedException", ""); e.Members != nil {
		t.Error("an old item that was not asked for")
	}
	w.fails("DeleteItem", members{"TableName": "items", "Key": members{"pk": str("a")}, "ConditionExpression": "n > :n",
		"ExpressionAttributeValues": members{":n": num(1)}}, "ConditionalCheckFailedException", "")
	w.do("DeleteItem", members{"TableName": "items", "Key": members{"pk": str("a")}, "ConditionExpression": "n >= :n",
		"ExpressionAttributeValues": members{":n": num(1)}})
}

func TestLegacyParameters(t *testing.T) {
	w := newWorld(t)
	w.table("items", "N", nil)
	for i := range 5 {
		w.do("PutItem", members{"TableName": "items",
			"Item":     members{"pk": str("a"), "sk": num(i), "v": str(fmt.Sprint("v", i))},
			"Expected": members{"pk": members{"Exists": false}}})
	}
	w.fails("PutItem", members{"TableName": "items", "Item": members{"pk": str("a"), "sk": num(1)},
		"Expected": members{"pk": members{"Exists": false}}}, "ConditionalCheckFailedException", "")
	w.do("PutItem", members{"TableName": "items", "Item": members{"pk": str("a"), "sk": num(1), "v": str("v1")},
		"Expected": members{"v": members{"Value": str("v1")}}})
	count := func(operation string, more members) any {
		more["TableName"] = "items"
		return w.do(operation, more)["Count"]
	}
	eq := func(v members) members {
		return members{"ComparisonOperator": "EQ", "AttributeValueList": []members{v}}
	}
	for name, c := range map[string]struct {
		operation string
		more      members
		want      float64
	}{
		"key":                     {"Query", members{"KeyConditions": members{"pk": eq(str("a"))}}, 5},
		"between":                 {"Query", members{"KeyConditions": members{"pk": eq(str("a")), "sk": members{"ComparisonOperator": "BETWEEN", "AttributeValueList": []members{num(1), num(3)}}}}, 3},
		"filter":                  {"Query", members{"KeyConditions": members{"pk": eq(str("a"))}, "QueryFilter": members{"v": eq(str("v2"))}}, 1},
		"or":                      {"Scan", members{"ConditionalOperator": "OR", "ScanFilter": members{"v": eq(str("v2")), "sk": members{"ComparisonOperator": "GT", "AttributeValueList": []members{num(3)}}}}, 2},
		"in":                      {"Scan", members{"ScanFilter": members{"v": members{"ComparisonOperator": "IN", "AttributeValueList": []members{str("v0"), str("v4"), str("x")}}}}, 2},
		"null":                    {"Scan", members{"ScanFilter": members{"v": members{"ComparisonOperator": "NULL"}}}, 0},
		"not contains":            {"Scan", members{"ScanFilter": members{"v": members{"ComparisonOperator": "NOT_CONTAINS", "AttributeValueList": []members{str("1")}}}}, 4},
		"not contains in nothing": {"Scan", members{"ScanFilter": members{"none": members{"ComparisonOperator": "NOT_CONTAINS", "AttributeValueList": []members{str("1")}}}}, 0},
		"or not contains":         {"Scan", members{"ConditionalOperator": "OR", "ScanFilter": members{"none": members{"ComparisonOperator": "NOT_CONTAINS", "AttributeValueList": []members{str("1")}}, "v": eq(str("v2"))}}, 1},
	} {
		if got := count(c.operation, c.more); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	key := members{"pk": str("a"), "sk": num(0)}
	w.do("UpdateItem", members{"TableName": "items", "Key": key, "AttributeUpdates": members{
		"v": members{"Action": "DELETE"}, "n": members{"Action": "ADD", "Value": num(3)},
		"l": members{"Action": "ADD", "Value": members{"L": []members{num(1)}}}, "p": members{"Value": str("put")}}})
	if got := fmt.Sprint(w.do("GetItem",
		members{"TableName": "items", "Key": key,
			"AttributesToGet": []string{"n", "l", "p",
				"v"}})["Item"]); got != "map[l:map[L:[map[N:1]]] n:map[N:3] p:map[S:put]]" {
		t.Error(got)
	}
	w.do("UpdateItem", members{"TableName": "items", "Key": members{"pk": str("new"), "sk": num(0)},
		"AttributeUpdates": members{"v": members{"Action": "DELETE"}}})
	if got := w.do("GetItem",
		members{"TableName": "items", "Key": members{"pk": str("new"), "sk": num(0)}})["Item"]; got != nil {
		t.Errorf("a legacy DELETE made %v", got)
	}
	for name, c := range map[string]struct {
		operation, message string
		more               members
	}{
		"operator alone": {"Scan", "One or more parameter values were invalid: ConditionalOperator cannot be used without Filter or Expected", members{"ConditionalOperator": "OR"}},
		"arguments":      {"Scan", "One or more parameter values were invalid: Invalid number of argument(s) for the EQ ComparisonOperator", members{"ScanFilter": members{"v": members{"ComparisonOperator": "EQ"}}}},
		"set to LT":      {"Scan", "One or more parameter values were invalid: ComparisonOperator LT is not valid for SS AttributeValue type", members{"ScanFilter": members{"v": members{"ComparisonOperator": "LT", "AttributeValueList": []members{{"SS": []string{"a"}}}}}}},
		"other type":     {"UpdateItem", "Type mismatch for attribute to update", members{"Key": key, "AttributeUpdates": members{"p": members{"Action": "ADD", "Value": num(1)}}}},
		"not indexable":  {"Query", "Attempted conditional constraint is not an indexable operation", members{"KeyConditions": members{"pk": members{"ComparisonOperator": "NE", "AttributeValueList": []members{str("a")}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			c.more["TableName"] = "items"
			w.fails(c.operation, c.more, "ValidationException", c.message)
		})
	}
}

func TestConsumedCapacity(t *testing.T) {
	w := newWorld(t)
	w.table("items", "N", members{"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"},
		{"AttributeName": "l", "AttributeType": "S"}},
		"GlobalSecondaryIndexes": []members{{"IndexName": "byG", "KeySchema": []members{{"AttributeName": "g", "KeyType": "HASH"}}, "Projection": members{"ProjectionType": "KEYS_ONLY"}}},
		"LocalSecondaryIndexes": []members{{"IndexName": "byL",
			"KeySchema": []members{{"AttributeName": "pk", "KeyType": "HASH"},
				{"AttributeName": "l", "KeyType": "RANGE"}}, "Projection": members{"ProjectionType": "ALL"}}}})
	item := members{"pk": str("a"), "sk": num(1), "v": str(strings.Repeat("x", 1500)), "g": str("g"), "l": str("l")}
	put := func(mode string) string {
		return fmt.Sprint(w.do("PutItem",
			members{"TableName": "items", "Item": item, "ReturnConsumedCapacity": mode})["ConsumedCapacity"])
	}
	if got := put("INDEXES"); got != "map[CapacityUnits:5 GlobalSecondaryIndexes:map[byG:map[CapacityUnits:1]] "+
		"LocalSecondaryIndexes:map[byL:map[CapacityUnits:2]] Table:map[CapacityUnits:2] TableName:items]" {
		t.Error(got)
	}
	if got := put("TOTAL"); got != "map[CapacityUnits:2 TableName:items]" {
		t.Errorf("rewriting the same item touches no index: %s", got)
	}
	item["g"] = str("other")
	if got := put("TOTAL"); got != "map[CapacityUnits:6 TableName:items]" {
		t.Errorf("a changed index key is two writes: %s", got)
	}
	if got := put("NONE"); got != "<nil>" {
		t.Error(got)
	}
	key := members{"pk": str("a"), "sk": num(1)}
	for consistent, want := range map[bool]string{false: "0.5", true: "1"} {
		if got := fmt.Sprint(w.do("GetItem",
			members{"TableName": "items", "Key": key, "ConsistentRead": consistent,
				"ReturnConsumedCapacity": "TOTAL"})["ConsumedCapacity"].(members)["CapacityUnits"]); got != want {
			t.Errorf("consistent %t: %s", consistent, got)
		}
	}
	got := w.do("PutItem", members{"TableName": "items", "Item": item,
		"ReturnItemCollectionMetrics": "SIZE"})["ItemCollectionMetrics"]
	if fmt.Sprint(got) != "map[ItemCollectionKey:map[pk:map[S:a]] SizeEstimateRangeGB:[0 1]]" {
		t.Error(got)
	}
}

func TestAuthorizationOfItemCalls(t *testing.T) {
	w := newWorld(t)
	w.table("items", "N", nil)
	w.checks = nil
	w.do("PutItem", members{"TableName": "items", "Item": members{"pk": str("a"), "sk": num(1), "v": str("x")},
		"ConditionExpression": "attribute_not_exists(c)"})
	w.do("Query", members{"TableName": "items", "KeyConditionExpression": "pk = :p", "FilterExpression": "f = :p",
		"ProjectionExpression": "v", "ExpressionAttributeValues": members{":p": str("a")}})
	w.do("TransactWriteItems",
		members{"TransactItems": []members{{"ConditionCheck": members{"TableName": "items",
			"Key": members{"pk": str("b"), "sk": num(1)}, "ConditionExpression": "attribute_not_exists(pk)"}}}})
	want := []string{
		"dynamodb:PutItem arn:aws:dynamodb:us-east-1:111122223333:table/items map[dynamodb:attributes:[c pk sk v] " +
			"dynamodb:firstpartitionkeyvalues:[a] dynamodb:leadingkeys:[a] dynamodb:returnvalues:[NONE]]",
		"dynamodb:Query arn:aws:dynamodb:us-east-1:111122223333:table/items map[dynamodb:attributes:[f pk v] " +
			"dynamodb:firstpartitionkeyvalues:[a] dynamodb:leadingkeys:[a] dynamodb:select:[SPECIFIC_ATTRIBUTES]]",
		"dynamodb:ConditionCheckItem arn:aws:dynamodb:us-east-1:111122223333:table/items " +
			"map[dynamodb:attributes:[pk sk] dynamodb:enclosingoperation:[TransactWriteItems] " +
			"dynamodb:firstpartitionkeyvalues:[b] dynamodb:leadingkeys:[b] dynamodb:returnvalues:[NONE]]",
	}
	for i, k := range w.checks {
		if got := fmt.Sprint(k.Action, " ", k.Resource, " ", map[string][]string(k.Context)); got != want[i] {
			t.Errorf("check %d:\n got %s\nwant %s", i, got, want[i])
		}
	}
	if len(w.checks) != len(want) {
		t.Errorf("%d checks", len(w.checks))
	}
	w.deny = func(action, who string) bool { return who == "bob" }
	_, err := w.try("bob", "GetItem", members{"TableName": "none", "Key": members{"pk": str("a")}})
	checkError(t, "GetItem of a missing table without permission", err, "AccessDeniedException",
		"User: arn:aws:iam::111122223333:user/bob is not authorized to perform: dynamodb:GetItem on resource: "+
			"arn:aws:dynamodb:us-east-1:111122223333:table/none because no identity-based policy allows the "+
			"dynamodb:GetItem action")
}

func userValue(t interface{ Fatalf(string, ...any) }, m members) types.AttributeValue {
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatalf("%v", err)
	}
	v, err := ddbjson.DecodeValue(b)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if err := schema.NormalizeValue(v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return v
}

// The older parameters have none of the limits of the expressions that they are
// turned into.
func TestLegacyWithoutLimits(t *testing.T) {
	w := newWorld(t)
	w.table("items", "", nil)
	const n = 400
	updates, filter, numbers := members{}, members{}, []members{}
	for i := range n {
		numbers = append(numbers, num(i))
	}
	for i := range n {
		name := fmt.Sprint("a", i)
		updates[name] = members{"Value": num(i)}
		filter[name] = members{"ComparisonOperator": "IN", "AttributeValueList": numbers}
	}
	w.do("UpdateItem", members{"TableName": "items", "Key": members{"pk": str("a")}, "AttributeUpdates": updates})
	if got := w.do("Scan", members{"TableName": "items", "ScanFilter": filter})["Count"]; got != 1.0 {
		t.Errorf("%v items", got)
	}
}
