// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/stream"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

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
	backup := w.backup("one")
	described := w.do("DescribeBackup", members{"BackupArn": backup})["BackupDescription"].(members)
	compare(t, "backup", fmt.Sprint(described["SourceTableFeatureDetails"]),
		"map[StreamDescription:map[StreamEnabled:true StreamViewType:KEYS_ONLY]]")
	w.do("RestoreTableFromBackup", restoreOf(backup, "copy", nil))
	if d := w.described("copy"); d["StreamSpecification"] != nil || d["LatestStreamArn"] != nil {
		t.Errorf("a restored table has a stream: %v", d)
	}
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
	compare(t, "next page", list(members{"Limit": 1, "ExclusiveStartStreamArn": first}),
		fmt.Sprint([]string{second}, second))
	compare(t, "unknown table", list(members{"TableName": "none"}), "[] <nil>")
	for arn, want := range map[string]string{first: "INSERT [pk:[S:a]] 6 New[pk:[S:a]]",
		second: "INSERT [pk:[S:c]] 3"} {
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
		w.fails("UpdateTable", members{"TableName": "one", "StreamSpecification": c.spec}, "ValidationException",
			c.message)
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
	got := w.do("DescribeStream", members{"StreamArn": arn, "ExclusiveStartShardId": strings.Repeat("x", 30)})
	if fmt.Sprint(got["StreamDescription"].(members)["Shards"]) != "[]" {
		t.Errorf("after an unknown shard: %v", got)
	}
	w.advance(15 * time.Minute)
	w.do("GetRecords", members{"ShardIterator": good})
	w.advance(time.Second)
	w.fails("GetRecords", members{"ShardIterator": good}, "ExpiredIteratorException",
		"Iterator expired. The iterator was created…")
}

// TestStreamPages: an answer has at most 1,000 records and 1 MB of them, and at least
// one.
func TestStreamPages(t *testing.T) {
	w := newWorld(t)
	arn := w.streamed("one", "NEW_AND_OLD_IMAGES", nil)
	put := func(pk string, size int, text string) {
		w.do("PutItem", members{"TableName": "one",
			"Item": members{"pk": str(pk), "v": str(strings.Repeat(text, size))}})
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

// TestStreamTrimming: old records leave the store with the next write, and cannot be
// read before that.
func TestStreamTrimming(t *testing.T) {
	store := storagetest.NewRecorder()
	w := newWorld(t, func(c *Config) { c.Store = store })
	arn := w.streamed("one", "KEYS_ONLY", nil)
	put := func(pk string) { w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str(pk)}}) }
	for _, pk := range []string{"a", "b", "c"} {
		put(pk)
	}
	w.advance(stream.Retention)
	compare(t, "after 24 hours", brief(w.streamRecords(arn)),
		"INSERT [pk:[S:a]] 3\nINSERT [pk:[S:b]] 3\nINSERT [pk:[S:c]] 3")
	w.restart()
	w.advance(time.Millisecond)
	compare(t, "a moment later", brief(w.streamRecords(arn)), "")
	w.advance(time.Hour)
	put("d")
	compare(t, "the new record", brief(w.streamRecords(arn)), "INSERT [pk:[S:d]] 3")
	if n := len(storedRecords(t, store, arn)); n != 1 {
		t.Errorf("%d records are stored, want 1", n)
	}
}

// TestLatestAfterRestart: the newest record is known while the records are still
// sealed.
func TestLatestAfterRestart(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Store = storagetest.NewRecorder() })
	arn := w.streamed("one", "KEYS_ONLY", nil)
	put := func(pk string) { w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str(pk)}}) }
	put("a")
	put("b")
	w.restart()
	from := w.iterator(arn, w.shards(arn)[0]["ShardId"], "LATEST", nil)
	put("c")
	got := w.do("GetRecords", members{"ShardIterator": from})["Records"].([]any)
	if len(got) != 1 || fmt.Sprint(got[0].(members)["dynamodb"].(members)["Keys"]) != "map[pk:map[S:c]]" {
		t.Errorf("after the latest record: %v", got)
	}
}

// TestStreamClockPutBack: records stay in order when the clock is put back.
func TestStreamClockPutBack(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Store = storagetest.NewRecorder() })
	arn := w.streamed("one", "KEYS_ONLY", nil)
	put := func(pk string) { w.do("PutItem", members{"TableName": "one", "Item": members{"pk": str(pk)}}) }
	put("a")
	w.advance(-time.Hour)
	w.restart()
	put("b")
	w.advance(time.Hour)
	put("c")
	records := w.streamRecords(arn)
	compare(t, "records", brief(records), "INSERT [pk:[S:a]] 3\nINSERT [pk:[S:b]] 3\nINSERT [pk:[S:c]] 3")
	for _, r := range records {
		if at := r["dynamodb"].(members)["ApproximateCreationDateTime"]; at != 1.7e9 {
			t.Errorf("a record of %v", at)
		}
	}
}
