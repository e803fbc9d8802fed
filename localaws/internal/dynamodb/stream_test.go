// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// streamOn is the StreamSpecification of a view.
func streamOn(view string) members {
	return members{"StreamSpecification": members{"StreamEnabled": true, "StreamViewType": view}}
}

// streamOff disables the stream of a table.
func streamOff(table string) members {
	return members{"TableName": table, "StreamSpecification": members{"StreamEnabled": false}}
}

// streamed makes a table with a stream of a view and returns the ARN of the stream.
func (w *world) streamed(table, view string, more members) string {
	w.t.Helper()
	in := streamOn(view)
	maps.Copy(in, more)
	w.table(table, "", in)
	return w.described(table)["LatestStreamArn"].(string)
}

func (w *world) shards(arn string) []members {
	w.t.Helper()
	var out []members
	d := w.do("DescribeStream", members{"StreamArn": arn})["StreamDescription"].(members)
	for _, shard := range d["Shards"].([]any) {
		out = append(out, shard.(members))
	}
	return out
}

// iterator gets an iterator of a type.
func (w *world) iterator(arn string, shard any, kind string, more members) string {
	w.t.Helper()
	in := members{"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind}
	maps.Copy(in, more)
	return w.do("GetShardIterator", in)["ShardIterator"].(string)
}

// streamRecords returns all records of a stream, the records of a parent before the
// records of its children.
func (w *world) streamRecords(arn string) (all []members) {
	w.t.Helper()
	for _, shard := range w.shards(arn) {
		next := any(w.iterator(arn, shard["ShardId"], "TRIM_HORIZON", nil))
		for next != nil {
			got := w.do("GetRecords", members{"ShardIterator": next})
			list := got["Records"].([]any)
			for _, r := range list {
				all = append(all, r.(members))
			}
			if next = got["NextShardIterator"]; len(list) == 0 {
				break
			}
		}
	}
	return all
}

// brief writes records as name, keys and images.
func brief(records []members) string {
	var out []string
	for _, r := range records {
		data := r["dynamodb"].(members)
		text := fmt.Sprint(r["eventName"], " ", data["Keys"], " ", data["SizeBytes"])
		for _, image := range []string{"OldImage", "NewImage"} {
			if it, ok := data[image]; ok {
				text += fmt.Sprint(" ", image[:3], it)
			}
		}
		if who, ok := r["userIdentity"]; ok {
			text += fmt.Sprint(" by ", who)
		}
		out = append(out, text)
	}
	return strings.ReplaceAll(strings.Join(out, "\n"), "map", "")
}

func compare(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// TestStreamViews: each view has what it is named for, and the size of that.
func TestStreamViews(t *testing.T) {
	for view, want := range map[string]string{
		"KEYS_ONLY": "INSERT [pk:[S:Fred]] 6\nMODIFY [pk:[S:Fred]] 6\nREMOVE [pk:[S:Fred]] 6",
		"NEW_IMAGE": "INSERT [pk:[S:Fred]] 12 New[pk:[S:Fred]]\n" +
			"MODIFY [pk:[S:Fred]] 20 New[name:[S:Bill] pk:[S:Fred]]\nREMOVE [pk:[S:Fred]] 6",
		"OLD_IMAGE": "INSERT [pk:[S:Fred]] 6\nMODIFY [pk:[S:Fred]] 12 Old[pk:[S:Fred]]\n" +
			"REMOVE [pk:[S:Fred]] 20 Old[name:[S:Bill] pk:[S:Fred]]",
		"NEW_AND_OLD_IMAGES": "INSERT [pk:[S:Fred]] 12 New[pk:[S:Fred]]\n" +
			"MODIFY [pk:[S:Fred]] 26 Old[pk:[S:Fred]] New[name:[S:Bill] pk:[S:Fred]]\n" +
			"REMOVE [pk:[S:Fred]] 20 Old[name:[S:Bill] pk:[S:Fred]]",
	} {
		w := newWorld(t)
		arn := w.streamed("one", view, nil)
		w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str("Fred")}})
		w.do("UpdateItem", members{"TableName": "one", "Key": members{"pk": str("Fred")},
			"UpdateExpression": "SET #n = :n", "ExpressionAttributeNames": members{"#n": "name"},
			"ExpressionAttributeValues": members{":n": str("Bill")}})
		w.advance(1500 * time.Millisecond)
		w.do("DeleteItem", members{"TableName": "one", "Key": members{"pk": str("Fred")}})
		records := w.streamRecords(arn)
		compare(t, view, brief(records), want)
		last := records[2]
		data := last["dynamodb"].(members)
		if last["eventVersion"] != "1.1" || last["eventSource"] != "aws:dynamodb" || last["awsRegion"] != testRegion ||
			len(last["eventID"].(string)) != 32 || data["StreamViewType"] != view ||
			data["ApproximateCreationDateTime"] != float64(1_700_000_001) ||
			len(data["SequenceNumber"].(string)) != 21 {
			t.Errorf("record %v", last)
		}
		if last["eventID"] == records[1]["eventID"] || last["eventID"] != w.streamRecords(arn)[2]["eventID"] {
			t.Error("an event ID does not identify one record")
		}
	}
}

// TestStreamOfNoChange: what leaves an item as it was has no record.
func TestStreamOfNoChange(t *testing.T) {
	w := newWorld(t)
	arn := w.streamed("one", "KEYS_ONLY", nil)
	item := members{"pk": str("a"), "n": num(1), "set": members{"SS": []string{"x", "y"}},
		"map": members{"M": members{"a": num(1), "b": num(2)}}}
	key := members{"pk": str("a")}
	w.do("PutItem", members{"TableName": "one", "Item": item})
	equal := maps.Clone(item)
	equal["set"], equal["n"] = members{"SS": []string{"y", "x"}}, num("1.0")
	w.do("PutItem", members{"TableName": "one", "Item": equal})
	update := func(key members, expression string, values members) {
		in := members{"TableName": "one", "Key": key, "UpdateExpression": expression}
		if values != nil {
			in["ExpressionAttributeValues"] = values
		}
		w.do("UpdateItem", in)
	}
	update(key, "SET n = :n", members{":n": num(1)})
	update(key, "ADD n :n", members{":n": num(0)})
	update(key, "REMOVE absent", nil)
	update(members{"pk": str("b")}, "REMOVE absent", nil)
	w.do("DeleteItem", members{"TableName": "one", "Key": members{"pk": str("c")}})
	w.do("BatchWriteItem", members{"RequestItems": members{"one": []members{{"PutRequest": members{"Item": item}},
		{"DeleteRequest": members{"Key": members{"pk": str("c")}}}}}})
	w.do("TransactWriteItems", members{"TransactItems": []members{{"Put": members{"TableName": "one", "Item": item}},
		{"ConditionCheck": members{"TableName": "one", "Key": members{"pk": str("d")},
			"ConditionExpression": "attribute_not_exists(pk)"}}}})
	w.fails("PutItem", members{"TableName": "one", "Item": key, "ConditionExpression": "attribute_not_exists(pk)"},
		"ConditionalCheckFailedException", "")
	compare(t, "records", brief(w.streamRecords(arn)), "INSERT [pk:[S:a]] 3")
	if got := w.do("Scan", members{"TableName": "one"})["Count"]; got != 1.0 {
		t.Errorf("%v items", got)
	}
}

// TestStreamOfBatchesAndExpiry: a transaction and a batch have a record for each
// item, and what DynamoDB deletes is marked.
func TestStreamOfBatchesAndExpiry(t *testing.T) {
	w := newWorld(t)
	arn := w.streamed("one", "KEYS_ONLY", nil)
	w.do("UpdateTimeToLive", members{"TableName": "one",
		"TimeToLiveSpecification": members{"Enabled": true, "AttributeName": "end"}})
	put := func(pk string, end int) members {
		return members{"pk": str(pk), "end": num(1_700_000_000 + end)}
	}
	w.do("TransactWriteItems", members{"TransactItems": []members{
		{"Put": members{"TableName": "one", "Item": put("a", 60)}},
		{"Put": members{"TableName": "one", "Item": put("b", 600)}}}})
	w.do("BatchWriteItem", members{"RequestItems": members{"one": []members{
		{"PutRequest": members{"Item": put("c", 600)}}, {"DeleteRequest": members{"Key": members{"pk": str("b")}}}}}})
	w.advance(2 * time.Minute)
	compare(t, "records", brief(w.streamRecords(arn)), "INSERT [pk:[S:a]] 3\nINSERT [pk:[S:b]] 3\n"+
		"INSERT [pk:[S:c]] 3\nREMOVE [pk:[S:b]] 3\n"+
		"REMOVE [pk:[S:a]] 3 by [PrincipalId:dynamodb.amazonaws.com Type:Service]")
}
