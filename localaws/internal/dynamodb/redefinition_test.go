// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
	"pgregory.net/rapid"
)

// TestRedefinedWhileRunning is a model test: while KMS is asked for the key of
// a data call, which is after its checks and before its change, the table gets
// another key, gets or loses an index, or is deleted. The call must end as if
// it came after that: its caller may use the new key, its item fits the new
// indexes, and what it wrote is in all of them, in memory and on disk.
func TestRedefinedWhileRunning(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		keys := &interruptedKeys{fakeKeys: newFakeKeys()}
		w := newWorld(t, func(c *Config) { c.Keys, c.Store = keys, storagetest.NewRecorder() })
		w.keys = keys.fakeKeys
		m := &redefinitionModel{w: w, keys: keys, items: map[string]string{}}
		m.create()
		rt.Repeat(map[string]func(*rapid.T){
			"put":         func(rt *rapid.T) { m.put(rt, "PutItem") },
			"batch":       func(rt *rapid.T) { m.put(rt, "BatchWriteItem") },
			"transaction": func(rt *rapid.T) { m.put(rt, "TransactWriteItems") },
			"":            func(rt *rapid.T) { m.compare(rt) },
		})
		w.restart()
		m.compare(rt)
	})
}

// interruptedKeys calls interrupt, once, before it answers a Decrypt for a user.
type interruptedKeys struct {
	*fakeKeys
	interrupt func()
}

func (k *interruptedKeys) Decrypt(ctx context.Context, c *request.Call, arn string, blob []byte,
	bound map[string]string) ([]byte, error) {
	key, err := k.fakeKeys.Decrypt(ctx, c, arn, blob, bound)
	if f := k.interrupt; f != nil && c.Caller.UserName == "writer" {
		k.interrupt = nil
		f()
	}
	return key, err
}

type redefinitionModel struct {
	w       *world
	keys    *interruptedKeys
	made    int  // keys
	closed  bool // the table's key is not open to the writer
	indexed bool
	items   map[string]string // value of g by key
}

func (m *redefinitionModel) create() {
	m.made++
	m.w.table("one", "", customKey(m.w.keys.newKey(fmt.Sprint("key", m.made))))
	m.closed, m.indexed = false, false
	clear(m.items)
}

// put writes an item whose attribute g, the key of the index, is a text or a
// number, which an index on it refuses.
func (m *redefinitionModel) put(rt *rapid.T, operation string) {
	key, value := rapid.StringMatching("[a-c]").Draw(rt, "key"),
		rapid.SampledFrom([]string{"x", "y", "7"}).Draw(rt, "value")
	item := members{"pk": str(key), "g": str(value)}
	if value == "7" {
		item["g"] = num(7)
	}
	in := members{"TableName": "one", "Item": item}
	switch operation {
	case "BatchWriteItem":
		in = members{"RequestItems": members{"one": []members{{"PutRequest": members{"Item": item}}}}}
	case "TransactWriteItems":
		in = members{"TransactItems": []members{{"Put": in}}}
	}
	deleted := false
	change := rapid.SampledFrom([]string{"none", "key", "closed key", "index", "delete"}).Draw(rt, "change")
	m.keys.interrupt = func() {
		switch change {
		case "key", "closed key":
			m.made++
			arn := m.w.keys.newKey(fmt.Sprint("key", m.made))
			m.w.advance(24 * time.Hour) // as often as the test likes
			m.w.do("UpdateTable", members{"TableName": "one", "SSESpecification": customKey(arn)["SSESpecification"]})
			m.closed = change == "closed key"
			m.w.keys.denied["writer"] = m.closed
		case "index":
			update := members{"Delete": members{"IndexName": "byg"}}
			if !m.indexed {
				update = members{"Create": members{"IndexName": "byg",
					"KeySchema":  []members{{"AttributeName": "g", "KeyType": "HASH"}},
					"Projection": members{"ProjectionType": "ALL"}}}
			}
			m.w.do("UpdateTable", members{"TableName": "one",
				"AttributeDefinitions":        []members{{"AttributeName": "g", "AttributeType": "S"}},
				"GlobalSecondaryIndexUpdates": []members{update}})
			m.indexed = !m.indexed
		case "delete":
			m.w.do("DeleteTable", members{"TableName": "one"})
			deleted = true
		}
	}
	_, err := m.w.try("writer", operation, in)
	code := ""
	switch {
	case deleted:
		code = "ResourceNotFoundException"
	case m.indexed && value == "7" && operation == "TransactWriteItems":
		code = "TransactionCanceledException"
	case m.indexed && value == "7":
		code = "ValidationException"
	case m.closed:
		code = "AccessDeniedException"
	}
	switch {
	case code != "":
		checkError(m.w.t, operation+" during "+change, err, code, "")
	case err != nil:
		rt.Fatalf("%s during %s: %v", operation, change, err)
	default:
		m.items[key] = value
	}
	m.keys.interrupt = nil
	if m.closed {
		m.w.keys.denied["writer"], m.closed = false, false
	}
	if deleted {
		m.create()
	}
}

func (m *redefinitionModel) compare(rt *rapid.T) {
	read := func(index string) map[string]string {
		in := members{"TableName": "one"}
		if index != "" {
			in["IndexName"] = index
		}
		got := map[string]string{}
		items, _ := m.w.all("Scan", in)
		for _, it := range items {
			for _, v := range it["g"].(members) {
				got[it["pk"].(members)["S"].(string)] = v.(string)
			}
		}
		return got
	}
	if got := read(""); !maps.Equal(got, m.items) {
		rt.Fatalf("the table holds %v, want %v", got, m.items)
	}
	if !m.indexed {
		return
	}
	want := maps.Clone(m.items)
	maps.DeleteFunc(want, func(_, v string) bool { return v == "7" })
	if got := read("byg"); !maps.Equal(got, want) {
		rt.Fatalf("the index holds %v, want %v", got, slices.Sorted(maps.Keys(want)))
	}
}
