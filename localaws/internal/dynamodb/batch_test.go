// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

func TestBatches(t *testing.T) {
	w := newWorld(t)
	w.table("one", "", nil)
	w.table("two", "N", nil)
	var puts []members
	for i := range 20 {
		puts = append(puts, members{"PutRequest": members{"Item": members{"pk": str(fmt.Sprint(i)), "v": num(i)}}})
	}
	out := w.do("BatchWriteItem",
		members{"ReturnConsumedCapacity": "TOTAL",
			"RequestItems": members{"one": puts,
				"two": []members{{"PutRequest": members{"Item": members{"pk": str("x"), "sk": num(1)}}}}}})
	if fmt.Sprint(out["UnprocessedItems"]) != "map[]" || len(out["ConsumedCapacity"].([]any)) != 2 {
		t.Errorf("%v", out)
	}
	got := w.do("BatchGetItem",
		members{"RequestItems": members{"one": members{"Keys": []members{{"pk": str("3")}, {"pk": str("none")}},
			"ProjectionExpression": "v"}, "two": members{"Keys": []members{{"pk": str("x"), "sk": num("1.0")}}}}})
	if fmt.Sprint(got["Responses"]) != "map[one:[map[v:map[N:3]]] two:[map[pk:map[S:x] sk:map[N:1]]]]" {
		t.Errorf("%v", got)
	}
	w.do("BatchWriteItem",
		members{"RequestItems": members{"one": []members{{"DeleteRequest": members{"Key": members{"pk": str("3")}}}}}})
	if n := w.do("Scan", members{"TableName": "one"})["Count"]; n != 19.0 {
		t.Error(n)
	}
	many := func(n int, element func(int) members) (list []members) {
		for i := range n {
			list = append(list, element(i))
		}
		return list
	}
	key := func(i int) members { return members{"pk": str(fmt.Sprint(i))} }
	put := func(i int) members { return members{"PutRequest": members{"Item": key(i)}} }
	for name, c := range map[string]struct {
		operation string
		in        any
		code      string
		message   string
	}{
		"nothing":         {"BatchGetItem", members{}, "ValidationException", "1 validation error detected: Value null at 'requestItems' failed to satisfy constraint: Member must not be null"},
		"no tables":       {"BatchWriteItem", members{"RequestItems": members{}}, "ValidationException", "The requestItems parameter is required for BatchWriteItem"},
		"26 writes":       {"BatchWriteItem", members{"RequestItems": members{"one": many(26, put)}}, "ValidationException", ""},
		"26 in two":       {"BatchWriteItem", members{"RequestItems": members{"one": many(20, put), "two": many(6, put)}}, "ValidationException", "Too many items requested for the BatchWriteItem call"},
		"101 keys":        {"BatchGetItem", members{"RequestItems": members{"one": members{"Keys": many(101, key)}}}, "ValidationException", ""},
		"same key twice":  {"BatchGetItem", members{"RequestItems": members{"one": members{"Keys": []members{key(1), key(1)}}}}, "ValidationException", "Provided list of item keys contains duplicates"},
		"put and delete":  {"BatchWriteItem", members{"RequestItems": members{"one": []members{put(1), {"DeleteRequest": members{"Key": key(1)}}}}}, "ValidationException", "Provided list of item keys contains duplicates"},
		"neither":         {"BatchWriteItem", members{"RequestItems": members{"one": []members{{}}}}, "ValidationException", "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		"missing table":   {"BatchWriteItem", members{"RequestItems": members{"none": []members{put(1)}}}, "ResourceNotFoundException", "Requested resource not found"},
		"key not fitting": {"BatchGetItem", members{"RequestItems": members{"two": members{"Keys": []members{key(1)}}}}, "ValidationException", "The provided key element does not match the schema"},
		"bad put":         {"BatchWriteItem", members{"RequestItems": members{"two": []members{put(1)}}}, "ValidationException", "The provided key element does not match the schema"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.fails(c.operation, c.in, c.code, c.message)
		})
	}
}

func TestBatchGetStopsAt16MB(t *testing.T) {
	w := newWorld(t)
	w.table("big", "", nil)
	var keys []members
	for i := range 50 {
		w.do("PutItem", members{"TableName": "big",
			"Item": members{"pk": str(fmt.Sprint(i)), "v": str(strings.Repeat("x", 390_000))}})
		keys = append(keys, members{"pk": str(fmt.Sprint(i))})
	}
	request := any(members{"big": members{"Keys": keys, "ConsistentRead": true}})
	got, calls := 0, 0
	for len(request.(members)) > 0 {
		out := w.do("BatchGetItem", members{"RequestItems": request})
		got += len(out["Responses"].(members)["big"].([]any))
		request = out["UnprocessedKeys"]
		if calls++; calls > 5 {
			t.Fatal("never done")
		}
	}
	if got != 50 || calls != 2 {
		t.Errorf("%d items in %d calls", got, calls)
	}
}

func TestFaults(t *testing.T) {
	throttle, unprocessed, conflict := map[string]bool{}, -1, ""
	w := newWorld(t, func(c *Config) {
		c.Faults = Faults{
			Throttle:    func(table, _ string) bool { return throttle[table] },
			Unprocessed: func(_, _ string, index int) bool { return index == unprocessed },
			Conflict: func(_, _ string, key schema.Item) bool {
				return strings.Contains(fmt.Sprint(text0(key)), conflict) && conflict != ""
			},
		}
	})
	w.table("one", "", nil)
	w.table("two", "", members{"BillingMode": "PROVISIONED",
		"ProvisionedThroughput": members{"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}})
	put := func(key string) members { return members{"PutRequest": members{"Item": members{"pk": str(key)}}} }

	throttle["one"], throttle["two"] = true, true
	w.fails("PutItem", members{"TableName": "one", "Item": members{"pk": str("a")}}, "ThrottlingException", "")
	w.fails("PutItem", members{"TableName": "two", "Item": members{"pk": str("a")}},
		"ProvisionedThroughputExceededException", "")
	w.fails("BatchWriteItem", members{"RequestItems": members{"one": []members{put("a")}}}, "ThrottlingException", "")
	throttle["two"] = false
	out := w.do("BatchWriteItem",
		members{"RequestItems": members{"one": []members{put("a")}, "two": []members{put("a")}}})
	if got := fmt.Sprint(out["UnprocessedItems"]); got != "map[one:[map[PutRequest:map[Item:map[pk:map[S:a]]]]]]" {
		t.Error(got)
	}
	throttle["one"] = false
	unprocessed = 1
	out = w.do("BatchWriteItem", members{"RequestItems": members{"one": []members{put("a"), put("b"), put("c")}}})
	if got := fmt.Sprint(out["UnprocessedItems"]); got != "map[one:[map[PutRequest:map[Item:map[pk:map[S:b]]]]]]" {
		t.Error(got)
	}
	out = w.do("BatchGetItem",
		members{"RequestItems": members{"one": members{"Keys": []members{{"pk": str("a")}, {"pk": str("c")}},
			"ProjectionExpression": "#p", "ExpressionAttributeNames": members{"#p": "pk"}}}})
	if got := fmt.Sprint(out["UnprocessedKeys"]); got != "map[one:map[ExpressionAttributeNames:map[#p:pk] "+
		"Keys:[map[pk:map[S:c]]] ProjectionExpression:#p]]" {
		t.Error(got)
	}
	unprocessed, conflict = -1, "c"
	e := w.fails("TransactWriteItems", members{"TransactItems": []members{
		{"Put": members{"TableName": "one", "Item": members{"pk": str("new")}}}, {"Delete": members{"TableName": "one", "Key": members{"pk": str("c")}}}}},
		"TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [None, TransactionConflict]")
	if got := string(e.Members["CancellationReasons"]); got != `[{"Code":"None"},{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"}]` {
		t.Error(got)
	}
	if w.do("GetItem", members{"TableName": "one", "Key": members{"pk": str("new")}})["Item"] != nil {
		t.Error("a cancelled transaction left something")
	}
}

func text0(it schema.Item) string { return string(schema.AppendItem(nil, it)) }

func TestTransactions(t *testing.T) {
	w := newWorld(t)
	w.table("one", "", nil)
	w.table("two", "N", nil)
	w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str("a"), "n": num(1)}})
	op := func(kind, table string, rest members) members {
		rest["TableName"] = table
		return members{kind: rest}
	}
	transact := func(list ...members) members {
		return members{"TransactItems": list, "ReturnConsumedCapacity": "TOTAL"}
	}
	ka, kb := members{"pk": str("a")}, members{"pk": str("b"), "sk": num(1)}
	inc := func() members {
		return op("Update", "one",
			members{"Key": ka, "UpdateExpression": "SET n = n + :i",
				"ExpressionAttributeValues": members{":i": num(1)}})
	}
	out := w.do("TransactWriteItems",
		transact(inc(), op("Put", "two", members{"Item": kb}),
			op("ConditionCheck", "one",
				members{"Key": members{"pk": str("x")}, "ConditionExpression": "attribute_not_exists(pk)"})))
	if got := fmt.Sprint(out["ConsumedCapacity"]); got != "[map[CapacityUnits:4 TableName:one WriteCapacityUnits:4] "+
		"map[CapacityUnits:2 TableName:two WriteCapacityUnits:2]]" {
		t.Error(got)
	}
	get := w.do("TransactGetItems",
		members{"TransactItems": []members{op("Get", "one", members{"Key": ka, "ProjectionExpression": "n"}),
			op("Get", "one", members{"Key": members{"pk": str("no")}}), op("Get", "two", members{"Key": kb})}})
	if got := fmt.Sprint(get["Responses"]); got != "[map[Item:map[n:map[N:2]]] map[] map[Item:map[pk:map[S:b] "+
		"sk:map[N:1]]]]" {
		t.Error(got)
	}
	e := w.fails("TransactWriteItems", transact(op("Delete", "two", members{"Key": kb}),
		op("Put", "one", members{"Item": ka, "ConditionExpression": "n = :n",
			"ExpressionAttributeValues": members{":n": num(7)}, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})),
		"TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]")
	if got := string(e.Members["CancellationReasons"]); !strings.Contains(got,
		`{"Code":"None"},{"Code":"ConditionalCheckFailed","Message":"The conditional request failed","Item":{`) {
		t.Error(got)
	}
	if w.do("GetItem", members{"TableName": "two", "Key": kb})["Item"] == nil {
		t.Error("a cancelled transaction deleted an item")
	}
	w.fails("TransactWriteItems",
		transact(op("Update", "one",
			members{"Key": ka, "UpdateExpression": "SET n = pk + :i",
				"ExpressionAttributeValues": members{":i": num(1)}})),
		"TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]")
	w.fails("TransactWriteItems", transact(inc(), op("Delete", "one", members{"Key": ka})), "ValidationException",
		"Transaction request cannot include multiple operations on one item")
	w.fails("TransactWriteItems", transact(members{}), "ValidationException",
		"TransactItems can only contain one of Check, Put, Update or Delete")
	w.fails("TransactWriteItems", transact(op("Update", "one", members{"Key": ka})), "ValidationException",
		"1 validation error detected: Value null at 'transactItems.1.member.update.updateExpression' failed to "+
			"satisfy constraint: Member must not be null")
	w.fails("TransactWriteItems", transact(op("Put", "none", members{"Item": ka})), "ResourceNotFoundException",
		"Requested resource not found")
	w.fails("TransactWriteItems", transact(), "ValidationException", "")
}

// What the request alone shows answers the request; what depends on the schema
// is the reason of the first item, and conditions are not looked at then.
func TestTransactionValidation(t *testing.T) {
	w := newWorld(t)
	w.table("one", "", members{"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"}},
		"GlobalSecondaryIndexes": []members{{"IndexName": "byG",
			"KeySchema":  []members{{"AttributeName": "g", "KeyType": "HASH"}},
			"Projection": members{"ProjectionType": "ALL"}}}})
	write := func(list ...members) members {
		for _, kinds := range list {
			for _, rest := range kinds {
				rest.(members)["TableName"] = "one"
			}
		}
		return members{"TransactItems": list}
	}
	put := func(item members) members { return members{"Put": members{"Item": item}} }
	set := func(v members) members {
		return members{"Update": members{"Key": members{"pk": str("a")}, "UpdateExpression": "SET g = :v",
			"ExpressionAttributeValues": members{":v": v}}}
	}
	failing := members{"ConditionCheck": members{"Key": members{"pk": str("c")},
		"ConditionExpression": "attribute_exists(pk)"}}
	const empty = "One or more parameter values are not valid. "
	for name, c := range map[string]struct {
		in            members
		code, message string
	}{
		"first type of two": {write(failing, put(members{"pk": num(1)}), put(members{"pk": num(2)})),
			"TransactionCanceledException",
			"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ValidationError, None]"},
		"type of an index key": {write(set(num(1))), "TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]"},
		"empty key":            {write(put(members{"pk": num(1)}), put(members{"pk": str("")})), "ValidationException", empty + "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		"empty key to delete":  {write(members{"Delete": members{"Key": members{"pk": str("")}}}), "ValidationException", empty + "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		"empty index key":      {write(put(members{"pk": str("a"), "g": str("")})), "ValidationException", empty + "A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: byG, IndexKey: g"},
		"empty index key set":  {write(set(str(""))), "ValidationException", empty + "The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value."},
		"large item":           {write(put(members{"pk": str("a"), "v": str(strings.Repeat("x", largestItem))})), "ValidationException", "Item size has exceeded the maximum allowed size"},
		"large update":         {write(set(str(strings.Repeat("x", largestItem)))), "TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.fails("TransactWriteItems", c.in, c.code, c.message)
		})
	}
	w.t = t
	w.fails("TransactGetItems",
		members{"TransactItems": []members{{"Get": members{"TableName": "one", "Key": members{"pk": str("")}}}}},
		"ValidationException", empty+
			"The AttributeValue for a key attribute cannot contain an empty string value. Key: pk")
	var large []members
	for i := range 12 { // the values of updates count too
		large = append(large, members{"Update": members{"Key": members{"pk": num(i)}, "UpdateExpression": "SET v = :v",
			"ExpressionAttributeValues": members{":v": str(strings.Repeat("x", 350_000))}}})
	}
	w.fails("TransactWriteItems", write(large...), "ValidationException", "Transaction size cannot exceed 4 MB")
}

func TestTransactionToken(t *testing.T) {
	w := newWorld(t)
	w.table("one", "", nil)
	with := func(token string, by int) members {
		return members{"ClientRequestToken": token, "ReturnConsumedCapacity": "TOTAL", "TransactItems": []members{
			{"Update": members{"TableName": "one", "Key": members{"pk": str("a")}, "UpdateExpression": "ADD n :i",
				"ExpressionAttributeValues": members{":i": num(by)}}}}}
	}
	value := func() string {
		return fmt.Sprint(w.do("GetItem",
			members{"TableName": "one", "Key": members{"pk": str("a")}})["Item"].(members)["n"])
	}
	w.do("TransactWriteItems", with("t1", 1))
	again := w.do("TransactWriteItems", with("t1", 1))
	if got := fmt.Sprint(again["ConsumedCapacity"]); value() != "map[N:1]" ||
		got != "[map[CapacityUnits:2 ReadCapacityUnits:2 TableName:one]]" {
		t.Errorf("repeated: %s, %s", value(), got)
	}
	w.fails("TransactWriteItems", with("t1", 2), "IdempotentParameterMismatchException", "")
	w.do("TransactWriteItems", with("t2", 1))
	w.advance(11 * time.Minute)
	w.do("TransactWriteItems", with("t1", 5))
	if value() != "map[N:7]" {
		t.Error(value())
	}
	failing := with("t3", 1)
	failing["TransactItems"].([]members)[0]["Update"].(members)["ConditionExpression"] = "attribute_not_exists(pk)"
	for range 2 { // a failed transaction leaves its token free
		w.fails("TransactWriteItems", failing, "TransactionCanceledException", "")
	}
}
