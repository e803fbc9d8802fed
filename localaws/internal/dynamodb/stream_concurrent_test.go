// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestStreamUnderWriters follows a stream while items are counted up by several
// writers and shards split: every step of every counter comes once and in order.
func TestStreamUnderWriters(t *testing.T) {
	const writers, steps, keys = 4, 150, 5
	w := newWorld(t, func(c *Config) {
		c.Clock = time.Now
		c.Faults.Split = func(string) bool { return rand.IntN(40) == 0 }
	})
	arn := w.streamed("one", "NEW_AND_OLD_IMAGES", nil)
	var wg sync.WaitGroup
	var finished atomic.Bool
	for writer := range writers {
		wg.Go(func() {
			for i := range steps {
				key := members{"pk": str(fmt.Sprint((writer + i) % keys))}
				update := members{"TableName": "one", "Key": key, "UpdateExpression": "ADD n :one",
					"ExpressionAttributeValues": members{":one": num(1)}}
				operation, in := "UpdateItem", update
				if i%3 == 0 {
					operation, in = "TransactWriteItems", members{"TransactItems": []members{{"Update": update}}}
				}
				if _, err := w.try("admin", operation, in); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { wg.Wait(); finished.Store(true) }()
	counters, total := map[string]int{}, 0
	drained := map[string]bool{}
	next := map[string]any{}
	for last := false; !last; {
		last = finished.Load() // one more round after the last write
		for _, shard := range w.shards(arn) {
			id := shard["ShardId"].(string)
			if parent, ok := shard["ParentShardId"].(string); drained[id] || ok && !drained[parent] {
				continue
			}
			if next[id] == nil {
				next[id] = w.iterator(arn, id, "TRIM_HORIZON", nil)
			}
			got := w.do("GetRecords", members{"ShardIterator": next[id]})
			for _, r := range got["Records"].([]any) {
				data := r.(members)["dynamodb"].(members)
				key := data["Keys"].(members)["pk"].(members)["S"].(string)
				n, err := strconv.Atoi(data["NewImage"].(members)["n"].(members)["N"].(string))
				if counters[key]++; err != nil || n != counters[key] {
					t.Fatalf("key %s counts %d after %d", key, n, counters[key]-1)
				}
				total++
			}
			if next[id] = got["NextShardIterator"]; next[id] == nil {
				drained[id] = true
				last = false // its children are next
			}
		}
	}
	if total != writers*steps || len(drained) == 0 {
		t.Errorf("%d changes of %d, %d shards split", total, writers*steps, len(drained))
	}
}
