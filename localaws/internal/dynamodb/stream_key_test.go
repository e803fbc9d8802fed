// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

// TestStreamKey: a caller who reads records must be able to use the table's key, even
// after the table is gone.
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
	w.do("UpdateTable", members{"TableName": "one",
		"SSESpecification": customKey(w.keys.newKey("three"))["SSESpecification"]})
	w.restart() // the items and the records are sealed when the table goes
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
