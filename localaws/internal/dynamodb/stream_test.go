package dynamodb

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
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
	for _, shard := range w.do("DescribeStream", members{"StreamArn": arn})["StreamDescription"].(members)["Shards"].([]any) {
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

// streamRecords returns all records of a stream, those of a parent before those of
// its children.
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
		w.do("UpdateItem", members{"TableName": "one", "Key": members{"pk": str("Fred")}, "UpdateExpression": "SET #n = :n",
			"ExpressionAttributeNames": members{"#n": "name"}, "ExpressionAttributeValues": members{":n": str("Bill")}})
		w.advance(1500 * time.Millisecond)
		w.do("DeleteItem", members{"TableName": "one", "Key": members{"pk": str("Fred")}})
		records := w.streamRecords(arn)
		compare(t, view, brief(records), want)
		last := records[2]
		data := last["dynamodb"].(members)
		if last["eventVersion"] != "1.1" || last["eventSource"] != "aws:dynamodb" || last["awsRegion"] != testRegion ||
			len(last["eventID"].(string)) != 32 || data["StreamViewType"] != view ||
			data["ApproximateCreationDateTime"] != float64(1_700_000_001) || len(data["SequenceNumber"].(string)) != 21 {
			t.Errorf("record %v", last)
		}
		if last["eventID"] == records[1]["eventID"] || last["eventID"] != w.streamRecords(arn)[2]["eventID"] {
			t.Error("an event ID is not that of one record alone, always")
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
	w.do("TransactWriteItems", members{"TransactItems": []members{{"Put": members{"TableName": "one", "Item": put("a", 60)}},
		{"Put": members{"TableName": "one", "Item": put("b", 600)}}}})
	w.do("BatchWriteItem", members{"RequestItems": members{"one": []members{
		{"PutRequest": members{"Item": put("c", 600)}}, {"DeleteRequest": members{"Key": members{"pk": str("b")}}}}}})
	w.advance(2 * time.Minute)
	compare(t, "records", brief(w.streamRecords(arn)), "INSERT [pk:[S:a]] 3\nINSERT [pk:[S:b]] 3\n"+
		"INSERT [pk:[S:c]] 3\nREMOVE [pk:[S:b]] 3\n"+
		"REMOVE [pk:[S:a]] 3 by [PrincipalId:dynamodb.amazonaws.com Type:Service]")
}

// TestStreamLife walks a stream from CreateTable over UpdateTable and DeleteTable to
// its disappearance.
func TestStreamLife(t *testing.T) {
	store := storagetest.NewRecorder()
	w := newWorld(t, func(c *Config) { c.Store = store })
	first := w.streamed("one", "NEW_IMAGE", nil)
	compare(t, "ARN", first, "arn:aws:dynamodb:us-east-1:111122223333:table/one/stream/2023-11-14T22:13:20.000")
	w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str("a")}})
	for _, view := range []string{"NEW_IMAGE", "KEYS_ONLY"} {
		in := streamOn(view)
		in["TableName"] = "one"
		w.fails("UpdateTable", in, "ValidationException", "Table already has an enabled stream: TableName: one")
	}
	d := w.do("DescribeStream", members{"StreamArn": first})["StreamDescription"].(members)
	if d["StreamStatus"] != "ENABLED" || d["TableName"] != "one" || d["StreamLabel"] != "2023-11-14T22:13:20.000" ||
		d["StreamViewType"] != "NEW_IMAGE" || d["CreationRequestDateTime"] != 1.7e9 ||
		fmt.Sprint(d["KeySchema"]) != "[map[AttributeName:pk KeyType:HASH]]" || d["LastEvaluatedShardId"] != nil {
		t.Errorf("described %v", d)
	}
	w.do("UpdateTable", streamOff("one"))
	w.fails("UpdateTable", streamOff("one"), "ValidationException", "Table has no stream to disable: TableName: one")
	table := w.described("one")
	if table["StreamSpecification"] != nil || table["LatestStreamArn"] != first || table["LatestStreamLabel"] == nil {
		t.Errorf("described %v", table)
	}
	w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str("b")}})
	again := streamOn("KEYS_ONLY")
	again["TableName"] = "one"
	second := w.do("UpdateTable", again)["TableDescription"].(members)["LatestStreamArn"].(string)
	if second == first {
		t.Error("a second stream has the ARN of the first")
	}
	w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str("c")}})
	w.restart()
	w.do("DeleteTable", members{"TableName": "one"})
	w.table("one", "", nil)
	w.table("other", "", streamOn("KEYS_ONLY"))
	w.restart()
	list := func(more members) string {
		var out []string
		got := w.do("ListStreams", more)
		for _, s := range got["Streams"].([]any) {
			out = append(out, s.(members)["StreamArn"].(string))
		}
		return fmt.Sprint(out, got["LastEvaluatedStreamArn"])
	}
	compare(t, "list", list(members{"TableName": "one"}), fmt.Sprint([]string{first, second}, nil))
	compare(t, "page", list(members{"Limit": 1}), fmt.Sprint([]string{first}, first))
	compare(t, "next page", list(members{"Limit": 1, "ExclusiveStartStreamArn": first}), fmt.Sprint([]string{second}, second))
	compare(t, "unknown table", list(members{"TableName": "none"}), "[] <nil>")
	for arn, want := range map[string]string{first: "INSERT [pk:[S:a]] 6 New[pk:[S:a]]", second: "INSERT [pk:[S:c]] 3"} {
		d := w.do("DescribeStream", members{"StreamArn": arn})["StreamDescription"].(members)
		for _, shard := range d["Shards"].([]any) {
			if d["StreamStatus"] != "DISABLED" ||
				shard.(members)["SequenceNumberRange"].(members)["EndingSequenceNumber"] == nil {
				t.Errorf("described %v", d)
			}
		}
		compare(t, arn, brief(w.streamRecords(arn)), want)
	}
	w.advance(stream.Retention)
	compare(t, "list", list(members{"TableName": "one"}), "[] <nil>")
	w.fails("DescribeStream", members{"StreamArn": first}, "ResourceNotFoundException",
		"Requested resource not found: Stream: "+first+" not found")
	w.restart()
	compare(t, "list", list(members{"TableName": "one"}), "[] <nil>")
	for _, arn := range []string{first, second} {
		if n := len(storedRecords(t, store, arn)); n > 0 {
			t.Errorf("%d records are left of %s", n, arn)
		}
	}
}

// TestStreamActivation: with a delay, a stream is first ENABLING and DISABLING, and
// its table can be deleted after that only.
func TestStreamActivation(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Faults.Activation = 5 * time.Second })
	status := func(arn string) any {
		return w.do("DescribeStream", members{"StreamArn": arn})["StreamDescription"].(members)["StreamStatus"]
	}
	arn := w.streamed("one", "NEW_IMAGE", nil)
	for _, want := range []struct{ during, after string }{{"ENABLING", "ENABLED"}, {"DISABLING", "DISABLED"}} {
		if got := status(arn); got != want.during {
			t.Errorf("%v, want %s", got, want.during)
		}
		if want.during == "DISABLING" {
			w.fails("DeleteTable", members{"TableName": "one"}, "ResourceInUseException",
				"Cannot delete table while stream is being enabled/disabled.")
		}
		w.advance(5 * time.Second)
		if got := status(arn); got != want.after {
			t.Errorf("%v, want %s", got, want.after)
		}
		if want.after == "ENABLED" {
			w.do("UpdateTable", streamOff("one"))
		}
	}
	w.do("DeleteTable", members{"TableName": "one"})
}

// TestStreamSpecification refuses what AWS refuses.
func TestStreamSpecification(t *testing.T) {
	w := newWorld(t)
	w.table("one", "", nil)
	for _, c := range []struct {
		spec    members
		message string
	}{
		{members{"StreamViewType": "KEYS_ONLY"}, "1 validation error detected: Value null at " +
			"'streamSpecification.streamEnabled' failed to satisfy constraint: Member must not be null"},
		{members{"StreamEnabled": true, "StreamViewType": "ALL"}, "1 validation error detected: Value 'ALL' at " +
			"'streamSpecification.streamViewType' failed to satisfy constraint: Member must satisfy enum value set: " +
			"[OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]"},
		{members{"StreamEnabled": true}, "If stream is being enabled then UpdateViewType is required"},
		{members{"StreamEnabled": false, "StreamViewType": "KEYS_ONLY"},
			"If stream is being disabled, then UpdateViewType must not be specified"},
		{members{"StreamEnabled": false}, "Table has no stream to disable: TableName: one"},
	} {
		w.fails("UpdateTable", members{"TableName": "one", "StreamSpecification": c.spec}, "ValidationException", c.message)
	}
	w.fails("DescribeStream", members{"StreamArn": policyTable + "/stream/2023-11-14T22:13:20.000"},
		"ResourceNotFoundException", "")
}

// TestStreamRequests refuses requests that are wrong in themselves, or for the
// stream.
func TestStreamRequests(t *testing.T) {
	w := newWorld(t)
	arn := w.streamed("one", "KEYS_ONLY", nil)
	shard := w.shards(arn)[0]["ShardId"].(string)
	w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str("a")}})
	missing := strings.Replace(arn, "table/one", "table/two", 1)
	of := func(kind string, more members) members {
		in := members{"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind}
		maps.Copy(in, more)
		return in
	}
	const number = "100000000000000000001"
	good := w.iterator(arn, shard, "TRIM_HORIZON", nil)
	for _, c := range []struct {
		operation string
		in        members
		code      string
		message   string
	}{
		{"ListStreams", members{"Limit": 0}, "ValidationException", "1 validation error detected: Value '0' at 'limit'…"},
		{"ListStreams", members{"Limit": 101}, "ValidationException", "1 validation error detected: Value '101' at 'limit'…"},
		{"ListStreams", members{"ExclusiveStartStreamArn": strings.Repeat("x", 40)}, "ValidationException", "Invalid StreamArn…"},
		{"ListStreams", members{"TableName": "x y"}, "ValidationException", ""},
		{"DescribeStream", members{}, "ValidationException", "1 validation error detected: Value null at 'streamArn'…"},
		{"DescribeStream", members{"StreamArn": policyTable}, "ValidationException", "Invalid StreamArn…"},
		{"DescribeStream", members{"StreamArn": arn, "Limit": -1}, "ValidationException", ""},
		{"DescribeStream", members{"StreamArn": arn, "ShardFilter": members{"Type": "CHILD_SHARDS"}}, "ValidationException", "ShardFilter must have…"},
		{"DescribeStream", members{"StreamArn": missing}, "ResourceNotFoundException", "Requested resource not found: Stream: " + missing + " not found"},
		{"DescribeStream", members{"StreamArn": strings.Replace(arn, "us-east-1", "eu-west-1", 1)}, "ResourceNotFoundException", ""},
		{"GetShardIterator", of("NEWEST", nil), "ValidationException", "1 validation error detected: Value 'NEWEST' at 'shardIteratorType'…"},
		{"GetShardIterator", of("AT_SEQUENCE_NUMBER", nil), "ValidationException", "SequenceNumber is required…"},
		{"GetShardIterator", of("AFTER_SEQUENCE_NUMBER", nil), "ValidationException", "SequenceNumber is required…"},
		{"GetShardIterator", of("LATEST", members{"SequenceNumber": number}), "ValidationException", "SequenceNumber must not…"},
		{"GetShardIterator", of("TRIM_HORIZON", members{"SequenceNumber": number}), "ValidationException", "SequenceNumber must not…"},
		{"GetShardIterator", of("AT_SEQUENCE_NUMBER", members{"SequenceNumber": "1"}), "ValidationException", ""},
		{"GetShardIterator", of("AT_SEQUENCE_NUMBER", members{"SequenceNumber": strings.Repeat("9", 21)}), "ValidationException", "Invalid SequenceNumber…"},
		{"GetShardIterator", of("AT_SEQUENCE_NUMBER", members{"SequenceNumber": number}), "ValidationException", "Invalid SequenceNumber…"},
		{"GetShardIterator", of("AT_TIMESTAMP", nil), "ValidationException", "Timestamp is required…"},
		{"GetShardIterator", of("LATEST", members{"Timestamp": 1}), "ValidationException", "Timestamp must not be specified…"},
		{"GetShardIterator", of("AT_TIMESTAMP", members{"Timestamp": 1_700_000_001}), "ValidationException", "Timestamp must not be in the future"},
		{"GetShardIterator", of("AT_TIMESTAMP", members{"Timestamp": 1e300}), "ValidationException", "Timestamp must not be in the future"},
		{"GetShardIterator", of("LATEST", members{"ShardId": "shardId-00000000000000000000-00000000"}), "ResourceNotFoundException", ""},
		{"GetShardIterator", of("LATEST", members{"StreamArn": missing}), "ResourceNotFoundException", ""},
		{"GetRecords", members{}, "ValidationException", ""},
		{"GetRecords", members{"ShardIterator": "garbage"}, "ValidationException", "Invalid ShardIterator"},
		{"GetRecords", members{"ShardIterator": good[:len(good)-1]}, "ValidationException", "Invalid ShardIterator"},
		{"GetRecords", members{"ShardIterator": strings.Replace(good, "table/one", "table/two", 1)}, "ValidationException", "Invalid ShardIterator"},
		{"GetRecords", members{"ShardIterator": good, "Limit": 0}, "ValidationException", ""},
		{"GetRecords", members{"ShardIterator": good, "Limit": 1001}, "ValidationException", ""},
		{"GetRecords", members{"ShardIterator": stream.Iterator{Stream: missing, Shard: shard, Issued: w.clock()}.String()}, "ResourceNotFoundException", ""},
		{"GetRecords", members{"ShardIterator": stream.Iterator{Stream: arn, Shard: "x", Issued: w.clock()}.String()}, "TrimmedDataAccessException", ""},
	} {
		w.fails(c.operation, c.in, c.code, c.message)
	}
	if got := w.do("DescribeStream", members{"StreamArn": arn, "ExclusiveStartShardId": strings.Repeat("x", 30)}); fmt.Sprint(
		got["StreamDescription"].(members)["Shards"]) != "[]" {
		t.Errorf("after an unknown shard: %v", got)
	}
	w.advance(15 * time.Minute)
	w.do("GetRecords", members{"ShardIterator": good})
	w.advance(time.Second)
	w.fails("GetRecords", members{"ShardIterator": good}, "ExpiredIteratorException", "Iterator expired. The iterator was created…")
}

// TestStreamPages: an answer has at most 1,000 records and 1 MB of them, and at least
// one.
func TestStreamPages(t *testing.T) {
	w := newWorld(t)
	arn := w.streamed("one", "NEW_AND_OLD_IMAGES", nil)
	put := func(pk string, size int, text string) {
		w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str(pk), "v": str(strings.Repeat(text, size))}})
	}
	for range 2 {
		put("a", 390_000, "x")
		put("a", 390_000, "y")
	}
	for i := range 1200 {
		put("b", 1, fmt.Sprint(i))
	}
	var sizes []int
	next := any(w.iterator(arn, w.shards(arn)[0]["ShardId"], "TRIM_HORIZON", nil))
	for {
		got := w.do("GetRecords", members{"ShardIterator": next})
		n := len(got["Records"].([]any))
		if next = got["NextShardIterator"]; n == 0 {
			break
		}
		sizes = append(sizes, n)
	}
	compare(t, "records per answer", fmt.Sprint(sizes), "[1 1 1 1000 201]")
	limited := w.do("GetRecords", members{"Limit": 7,
		"ShardIterator": w.iterator(arn, w.shards(arn)[0]["ShardId"], "AFTER_SEQUENCE_NUMBER",
			members{"SequenceNumber": w.streamRecords(arn)[3]["dynamodb"].(members)["SequenceNumber"]})})
	if n := len(limited["Records"].([]any)); n != 7 {
		t.Errorf("%d records under a limit of 7", n)
	}
}

// TestStreamKey: whoever reads records must be able to use the table's key, whatever
// has happened to the table.
func TestStreamKey(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Store = storagetest.NewRecorder() })
	one, two := w.keys.newKey("one"), w.keys.newKey("two")
	arn := w.streamed("one", "KEYS_ONLY", customKey(one))
	put := func(pk string) { w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str(pk)}}) }
	put("a")
	shard := w.shards(arn)[0]["ShardId"]
	read := func(user string) error {
		_, err := w.try(user, "GetRecords", members{"ShardIterator": w.iterator(arn, shard, "TRIM_HORIZON", nil)})
		return err
	}
	refused := func(why string) {
		t.Helper()
		w.keys.denied["bob"] = true
		if _, err := w.try("bob", "GetShardIterator", members{"StreamArn": arn, "ShardId": shard,
			"ShardIteratorType": "LATEST"}); err != nil {
			t.Errorf("%s: an iterator needs no key: %v", why, err)
		}
		checkError(t, why, read("bob"), "AccessDeniedException", "KMS key access denied error…")
	}
	refused("a user without the key")
	w.restart()
	refused("after a restart")
	compare(t, "after a restart", brief(w.streamRecords(arn)), "INSERT [pk:[S:a]] 3")

	w.keys.set(one, "Disabled")
	checkError(t, "disabled", read("admin"), "ValidationException", "KMS key disabled error…")
	w.do("DescribeStream", members{"StreamArn": arn})
	w.do("UpdateTable", streamOff("one"))
	on := streamOn("KEYS_ONLY")
	on["TableName"] = "one"
	w.advance(time.Second)
	second := w.do("UpdateTable", on)["TableDescription"].(members)["LatestStreamArn"].(string)
	w.keys.set(one, "Enabled")
	compare(t, "the first stream", brief(w.streamRecords(arn)), "INSERT [pk:[S:a]] 3")

	put("b")
	w.do("UpdateTable", members{"TableName": "one", "SSESpecification": customKey(two)["SSESpecification"]})
	put("c")
	w.restart()
	w.keys.set(one, "Disabled")
	compare(t, "under the new key", brief(w.streamRecords(second)), "INSERT [pk:[S:b]] 3\nINSERT [pk:[S:c]] 3")
	checkError(t, "the first stream keeps its key", read("admin"), "ValidationException", "KMS key disabled error…")

	w.do("UpdateTable", members{"TableName": "one", "SSESpecification": members{"Enabled": false}})
	w.keys.set(two, "Disabled")
	w.restart()
	compare(t, "without a key of KMS", brief(w.streamRecords(second)), "INSERT [pk:[S:b]] 3\nINSERT [pk:[S:c]] 3")
	w.do("UpdateTable", members{"TableName": "one", "SSESpecification": customKey(w.keys.newKey("three"))["SSESpecification"]})
	w.do("DeleteTable", members{"TableName": "one"})
	w.restart()
	arn, shard = second, w.shards(second)[0]["ShardId"]
	refused("of a deleted table")
	compare(t, "of a deleted table", brief(w.streamRecords(arn)), "INSERT [pk:[S:b]] 3\nINSERT [pk:[S:c]] 3")
}

// recordBucket holds the records of a stream under the first key of its table.
func recordBucket(arn string) storage.Bucket {
	return storage.Bucket{Name: "dynamodb/streamrecords/" + arn + "/1", PlainValues: true}
}

type storedRecord struct{ key, value []byte }

func storedRecords(t *testing.T, store storage.Store, arn string) (all []storedRecord) {
	t.Helper()
	if err := store.Range(recordBucket(arn), func(key, value []byte) error {
		all = append(all, storedRecord{slices.Clone(key), slices.Clone(value)})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestStreamFileHoldsNothingInTheClear searches the data file for what the records
// of a stream hold, after the table is gone.
func TestStreamFileHoldsNothingInTheClear(t *testing.T) {
	dir := t.TempDir()
	keys := newLastingKeys()
	w := &world{t: t, now: time.Now(), keys: keys.fakeKeys, cfg: Config{Store: mustOpen(t, dir), Keys: keys}}
	w.cfg.Authorizer, w.cfg.Principals, w.cfg.Clock = w, w, w.clock
	w.restart()
	arn := w.streamed("crash", "NEW_AND_OLD_IMAGES", customKey(lastingKey))
	owned := w.streamed("owned", "NEW_AND_OLD_IMAGES", nil)
	for _, table := range []string{"crash", "owned"} {
		w.do("PutItem", members{"TableName": table, "Item": members{"pk": str(clearKey), "v": str(clearValue)}})
		w.do("DeleteItem", members{"TableName": table, "Key": members{"pk": str(clearKey)}})
		w.do("DeleteTable", members{"TableName": table})
	}
	if err := w.cfg.Store.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, needle := range []string{clearValue, clearKey} {
			if bytes.Contains(raw, []byte(needle)) {
				t.Errorf("%s holds %s", filepath.Base(file), needle)
			}
		}
	}
	w.cfg.Store = mustOpen(t, dir)
	defer w.cfg.Store.Close()
	w.restart()
	for _, arn := range []string{arn, owned} {
		if text := brief(w.streamRecords(arn)); strings.Count(text, clearValue) != 2 {
			t.Errorf("%s: %s", arn, text)
		}
	}
}

// TestMovedStreamRecordsAreRefused: a sealed record opens in its place only.
func TestMovedStreamRecordsAreRefused(t *testing.T) {
	store := storagetest.NewRecorder()
	w := newWorld(t, func(c *Config) { c.Store = store })
	arn := w.streamed("one", "KEYS_ONLY", nil)
	for _, pk := range []string{"a", "b"} {
		w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str(pk)}})
	}
	records := storedRecords(t, store, arn)
	if len(records) != 2 {
		t.Fatalf("%d records are stored", len(records))
	}
	tx := new(storage.Tx)
	tx.Put(recordBucket(arn), records[0].key, records[1].value)
	if err := store.Submit(tx).Wait(); err != nil {
		t.Fatal(err)
	}
	w.restart()
	shard := w.shards(arn)[0]["ShardId"]
	_, err := w.try("admin", "GetRecords", members{"ShardIterator": w.iterator(arn, shard, "TRIM_HORIZON", nil)})
	checkError(t, "moved record", err, "InternalServerError", "")
}

// TestRecordsRestOnDurableChanges: a record is not shown before its change is
// durable.
func TestRecordsRestOnDurableChanges(t *testing.T) {
	store := storagetest.NewHolder(storagetest.NewRecorder())
	w := newWorld(t, func(cfg *Config) { cfg.Store = store })
	arn := w.streamed("one", "KEYS_ONLY", nil)
	from := w.iterator(arn, w.shards(arn)[0]["ShardId"], "TRIM_HORIZON", nil)
	waiting, release := store.Hold()
	put, read := make(chan error, 1), make(chan int, 1)
	go func() {
		_, err := w.try("admin", "PutItem", members{"TableName": "one", "Item": members{"pk": str("a")}})
		put <- err
	}()
	<-waiting
	go func() {
		got, err := w.try("admin", "GetRecords", members{"ShardIterator": from})
		if err != nil {
			t.Error(err)
			read <- -1
			return
		}
		read <- len(got["Records"].([]any))
	}()
	select {
	case <-waiting:
	case n := <-read:
		t.Fatalf("answered %d records before the change was durable", n)
	}
	release()
	if err := <-put; err != nil {
		t.Error(err)
	}
	if n := <-read; n != 1 {
		t.Errorf("%d records", n)
	}
}

// TestStreamPolicies: a stream has a policy of its own, with actions of its own.
func TestStreamPolicies(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Store = storagetest.NewRecorder() })
	arn := w.streamed("orders", "KEYS_ONLY", nil)
	text := strings.Replace(tablePolicy("alice", "GetRecords"), policyTable, arn, 1)
	on := func(more members) members {
		in := members{"ResourceArn": arn}
		maps.Copy(in, more)
		return in
	}
	const none = "Resource-based policy not found for the provided ResourceArn: "
	w.fails("GetResourcePolicy", on(nil), "PolicyNotFoundException", none+arn)
	w.fails("PutResourcePolicy", on(members{"Policy": tablePolicy("alice", "GetItem")}), "ValidationException",
		"One or more parameter values were invalid: Invalid policy document: The following action names are invalid: "+
			`"dynamodb:GetItem"`)
	w.fails("PutResourcePolicy", onTable(members{"Policy": text}), "ValidationException",
		"One or more parameter values were invalid: Invalid policy document: The following action names are invalid: "+
			`"dynamodb:GetRecords"`)
	w.fails("DeleteResourcePolicy", on(members{"ExpectedRevisionId": "1"}), "PolicyNotFoundException", none+arn+
		": Requested update for policy with revision id 1, but stream "+arn+" has no associated policy")
	revision := w.do("PutResourcePolicy", on(members{"Policy": text}))["RevisionId"]
	w.fails("GetResourcePolicy", onTable(nil), "PolicyNotFoundException", none+policyTable)
	w.do("PutItem", members{"TableName": "orders", "Item": members{"pk": str("a")}})
	w.do("UpdateTable", streamOff("orders"))
	w.restart()
	if got := w.do("GetResourcePolicy", on(nil)); got["RevisionId"] != revision ||
		!strings.Contains(got["Policy"].(string), "GetRecords") {
		t.Errorf("policy %v", got)
	}
	asked := func(operation string, in members) request.Check {
		w.mu.Lock()
		w.checks = nil
		w.mu.Unlock()
		w.do(operation, in)
		return w.checks[0]
	}
	c := asked("DescribeStream", members{"StreamArn": arn})
	if c.Action != "dynamodb:DescribeStream" || c.Resource != arn || c.ResourceAccountID != testAccount ||
		c.ResourcePolicy == nil {
		t.Errorf("check %+v", c)
	}
	if c := asked("ListStreams", members{}); c.Action != "dynamodb:ListStreams" || c.Resource != "*" {
		t.Errorf("check %+v", c)
	}
	w.do("DeleteResourcePolicy", on(nil))
	if c := asked("DescribeStream", members{"StreamArn": arn}); c.ResourcePolicy != nil {
		t.Errorf("a deleted policy is asked: %+v", c)
	}
	w.do("DeleteTable", members{"TableName": "orders"})
	w.do("PutResourcePolicy", on(members{"Policy": text}))
	w.restart()
	if got := w.do("GetResourcePolicy", on(nil)); got["RevisionId"] == revision {
		t.Errorf("policy %v", got)
	}
}
