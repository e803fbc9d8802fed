// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// createIndex is the request for a global index of the table "tab".
func createIndex(name string, attributes []members, keys ...string) members {
	schema := []members{{"AttributeName": keys[0], "KeyType": "HASH"}}
	if len(keys) > 1 {
		schema = append(schema, members{"AttributeName": keys[1], "KeyType": "RANGE"})
	}
	in := members{"TableName": "tab",
		"GlobalSecondaryIndexUpdates": []members{{"Create": members{"IndexName": name, "KeySchema": schema,
			"Projection": members{"ProjectionType": "ALL"}}}}}
	if attributes != nil {
		in["AttributeDefinitions"] = attributes
	}
	return in
}

func defined(nameAndType ...string) (list []members) {
	for i := 0; i < len(nameAndType); i += 2 {
		list = append(list, members{"AttributeName": nameAndType[i], "AttributeType": nameAndType[i+1]})
	}
	return list
}

// TestBackfillLeavesOut: items from before an index that could not be written
// any more are not in it, before and after a restart.
func TestBackfillLeavesOut(t *testing.T) {
	for _, durable := range []bool{false, true} {
		w := newWorld(t, func(c *Config) {
			if durable {
				c.Store = mustOpen(t, t.TempDir())
			}
		})
		w.table("tab", "", nil)
		for name, x := range map[string]members{"fits": str("x"), "longest": str(strings.Repeat("x", 2048)),
			"empty": str(""),
			"long":  str(strings.Repeat("x", 2049)), "longer than any key": str(strings.Repeat("x", 70_000)),
			"number": num(1), "list": {"L": []members{}}} {
			w.do("PutItem", members{"TableName": "tab", "Item": members{"pk": str(name), "x": x, "h": str("h")}})
		}
		w.do("PutItem", members{"TableName": "tab", "Item": members{"pk": str("nothing")}})
		w.do("PutItem", members{"TableName": "tab",
			"Item": members{"pk": str("short enough to sort"), "x": str(strings.Repeat("x", 1024)), "h": str("h")}})
		w.do("PutItem", members{"TableName": "tab",
			"Item": members{"pk": str("too long to sort"), "x": str(strings.Repeat("x", 1025)), "h": str("h")}})
		w.do("UpdateTable", createIndex("hash", defined("x", "S"), "x"))
		w.do("UpdateTable", createIndex("range", defined("x", "S", "h", "S"), "h", "x"))
		names := func(index string) string {
			var found []string
			for _, it := range w.do("Scan", members{"TableName": "tab", "IndexName": index})["Items"].([]any) {
				found = append(found, it.(members)["pk"].(members)["S"].(string))
			}
			slices.Sort(found)
			return strings.Join(found, ", ")
		}
		for range 2 {
			if got := names("hash"); got != "fits, longest, short enough to sort, too long to sort" {
				t.Errorf("the index by hash has %s", got)
			}
			if got := names("range"); got != "fits, short enough to sort" {
				t.Errorf("the index by range has %s", got)
			}
			if n := w.do("Scan", members{"TableName": "tab"})["Count"]; n != 10.0 {
				t.Errorf("the table has %v items", n)
			}
			if !durable {
				break
			}
			w.restart()
		}
		if durable {
			if err := w.cfg.Store.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		// Deleting what an index left out disturbs nothing.
		w.do("DeleteItem", members{"TableName": "tab", "Key": members{"pk": str("longer than any key")}})
		w.fails("Scan", members{"TableName": "tab", "IndexName": "hash", "ExclusiveStartKey": members{"pk": str("a"),
			"x": str(strings.Repeat("x", 2049))}}, "ValidationException", "The provided starting key is invalid")
	}
}

// TestNewIndexes: what a request for an index must say, and in which order AWS
// finds what is wrong.
func TestNewIndexes(t *testing.T) {
	w := newWorld(t)
	w.table("tab", "", members{"AttributeDefinitions": defined("xyz", "S"),
		"GlobalSecondaryIndexes": []members{{"IndexName": "first",
			"KeySchema":  []members{{"AttributeName": "xyz", "KeyType": "HASH"}},
			"Projection": members{"ProjectionType": "ALL"}}}})
	const again = "Attributes cannot be redefined. Please check that your attribute has the same type as previously " +
		"defined. Existing schema: "
	w.fails("UpdateTable", createIndex("second", nil, "xyz"), "ValidationException",
		badParam+"AttributeDefinitions is not specified for index: second")
	w.fails("UpdateTable", createIndex("second", defined("pk", "S"), "xyz"), "ValidationException",
		badParam+
			"Some index key attributes are not defined in AttributeDefinitions. Keys: [xyz], AttributeDefinitions: "+
			"[pk]")
	w.fails("UpdateTable", createIndex("second", defined("xyz", "N"), "xyz"), "ValidationException",
		badParam+again+"Schema:[SchemaElement: key{xyz:S:HASH}] New schema: Schema:[SchemaElement: key{xyz:N:HASH}]")
	w.fails("UpdateTable", createIndex("second", defined("n", "N", "pk", "B"), "n", "pk"), "ValidationException",
		badParam+again+
			"Schema:[SchemaElement: key{pk:S:HASH}] New schema: Schema:[SchemaElement: key{n:N:HASH}, "+
			"SchemaElement: key{pk:B:RANGE}]")
	w.fails("UpdateTable", createIndex("first", defined("n", "N"), "n"), "ValidationException",
		"Attempting to create an index which already exists")
	// One index at a time, whether they are there or not.
	remove := func(name string) members { return members{"Delete": members{"IndexName": name}} }
	two := createIndex("second", defined("n", "N"), "n")
	for _, updates := range [][]members{
		{remove("first"), remove("missing")}, {remove("missing"), remove("none")}, {remove("missing"), two["GlobalSecondaryIndexUpdates"].([]members)[0]},
	} {
		in := maps.Clone(two)
		in["GlobalSecondaryIndexUpdates"] = updates
		w.fails("UpdateTable", in, "LimitExceededException",
			"Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	}
	w.do("UpdateTable", two)
	if got := fmt.Sprint(w.described("tab")["AttributeDefinitions"]); !strings.Contains(got, "AttributeName:n") {
		t.Errorf("attributes: %s", got)
	}
}

// TestProjectedNames: the names that an index projects have 1 to 255 bytes.
func TestProjectedNames(t *testing.T) {
	w := newWorld(t)
	w.table("tab", "", nil)
	project := func(names ...string) members {
		in := createIndex("byX", defined("x", "S"), "x")
		in["GlobalSecondaryIndexUpdates"].([]members)[0]["Create"].(members)["Projection"] = members{
			"ProjectionType": "INCLUDE", "NonKeyAttributes": names}
		return in
	}
	longest := strings.Repeat("n", 255)
	for _, name := range []string{"", longest + "n"} {
		w.fails("UpdateTable", project("a", name), "ValidationException",
			"1 validation error detected: Value '[a, "+name+
				"]' at 'globalSecondaryIndexUpdates.1.member.create.projection.nonKeyAttributes' failed to satisfy "+
				"constraint: Member must "+
				"satisfy constraint: [Member must have length less than or equal to 255, Member must have length "+
				"greater than or equal to 1]")
	}
	w.do("UpdateTable", project("a", longest))
}

// TestSameThroughput: asking for what a table or an index has is refused, with
// and without the billing mode that it has.
func TestSameThroughput(t *testing.T) {
	w := newWorld(t)
	units := func(read, write int) members { return members{"ReadCapacityUnits": read, "WriteCapacityUnits": write} }
	w.table("tab", "", members{"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(3, 4)})
	const text = "The provisioned throughput for the table will not change. The requested value equals the current " +
		"value. " +
		"Current ReadCapacityUnits provisioned for the table: 3. Requested ReadCapacityUnits: 3. " +
		"Current WriteCapacityUnits provisioned for the table: 4. Requested WriteCapacityUnits: 4. …"
	same := members{"TableName": "tab", "ProvisionedThroughput": units(3, 4)}
	w.fails("UpdateTable", same, "ValidationException", text)
	same["BillingMode"] = "PROVISIONED"
	w.fails("UpdateTable", same, "ValidationException", text)
	w.do("UpdateTable", members{"TableName": "tab", "BillingMode": "PAY_PER_REQUEST"})
	w.do("UpdateTable", same) // back from on demand, which is a change
}

// TestStartKeyWithoutSortKey: a partition of a table without a sort key has one
// item, so only that item can be where a page ended.
func TestStartKeyWithoutSortKey(t *testing.T) {
	w := newWorld(t)
	w.table("tab", "", nil)
	w.do("PutItem", members{"TableName": "tab", "Item": members{"pk": str("a")}})
	query := func(start string) members {
		return members{"TableName": "tab", "KeyConditionExpression": "pk = :p",
			"ExpressionAttributeValues": members{":p": str("a")},
			"ExclusiveStartKey":         members{"pk": str(start)}}
	}
	w.fails("Query", query("z"), "ValidationException",
		"The provided exclusive start key is invalid: ExclusiveStartKey: {pk=AttributeValue: {S:z}}")
	if n := w.do("Query", query("a"))["Count"]; n != 0.0 {
		t.Errorf("%v items behind the last", n)
	}
	w.do("Scan", members{"TableName": "tab", "ExclusiveStartKey": members{"pk": str("z")}})
}

// TestDeleteTableAnswer: the description of a deleted table has nine members
// at most.
func TestDeleteTableAnswer(t *testing.T) {
	w := newWorld(t)
	want := []string{"DeletionProtectionEnabled", "ItemCount", "ProvisionedThroughput", "TableArn", "TableId",
		"TableName", "TableSizeBytes", "TableStatus"}
	key := w.keys.newKey("one")
	for _, more := range []members{nil, customKey(key)} {
		w.table("tab", "", more)
		d := w.do("DeleteTable", members{"TableName": "tab"})["TableDescription"].(members)
		got := slices.Sorted(maps.Keys(d))
		if more != nil {
			want = append(slices.Clone(want), "SSEDescription")
			slices.Sort(want)
		}
		if !slices.Equal(got, want) || d["TableStatus"] != "DELETING" {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestScanCost: a Scan of a whole table costs at least a unit for each of the
// partitions that a new table has; pages, segments and indexes do not.
func TestScanCost(t *testing.T) {
	w := newWorld(t)
	w.table("tab", "", nil)
	w.do("UpdateTable", createIndex("byX", defined("x", "S"), "x"))
	for i := range 5 {
		w.do("PutItem", members{"TableName": "tab", "Item": members{"pk": str(fmt.Sprint(i)), "x": str("x")}})
	}
	cost := func(more members) string {
		in := members{"TableName": "tab", "ReturnConsumedCapacity": "TOTAL"}
		maps.Copy(in, more)
		return fmt.Sprint(w.do("Scan", in)["ConsumedCapacity"].(members)["CapacityUnits"])
	}
	for _, c := range []struct {
		more members
		want string
	}{
		{nil, "2"}, {members{"ConsistentRead": true}, "4"}, {members{"Segment": 0, "TotalSegments": 1}, "2"}, {members{"Select": "COUNT"}, "2"},
		{members{"Limit": 2}, "0.5"}, {members{"Segment": 0, "TotalSegments": 2}, "0.5"}, {members{"IndexName": "byX"}, "0.5"},
	} {
		if got := cost(c.more); got != c.want {
			t.Errorf("%v costs %s, want %s", c.more, got, c.want)
		}
	}
	for i := range 10 {
		w.do("PutItem", members{"TableName": "tab",
			"Item": members{"pk": str(fmt.Sprint("large-", i)), "v": str(strings.Repeat("v", 4096))}})
	}
	if got := cost(nil); got != "5.5" {
		t.Errorf("40 KB cost %s", got)
	}
}
