// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"pgregory.net/rapid"
)

// model is a table as a plain map from key to counters.
type model map[string]map[string]int

func (m model) clone() model {
	out := model{}
	for k, v := range m {
		out[k] = maps.Clone(v)
	}
	return out
}

// modelWrite is one random write with a condition, in terms of the model.
type modelWrite struct {
	kind      string // Put, Update, Delete, ConditionCheck
	key       string
	attribute string
	n         int
	condition string // "", exists, missing, equals
	limit     int
}

func drawWrite(t *rapid.T, kinds ...string) modelWrite {
	return modelWrite{
		kind:      rapid.SampledFrom(kinds).Draw(t, "kind"),
		key:       rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key"),
		attribute: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "attribute"), n: rapid.IntRange(-2, 2).Draw(t, "n"),
		condition: rapid.SampledFrom([]string{"", "", "exists", "missing", "equals"}).Draw(t, "condition"),
		limit:     rapid.IntRange(-2, 2).Draw(t, "limit"),
	}
}

// holds is the condition on the model.
func (w modelWrite) holds(m model) bool {
	switch w.condition {
	case "exists":
		return m[w.key] != nil
	case "missing":
		return m[w.key] == nil
	case "equals":
		v, ok := m[w.key][w.attribute]
		return ok && v == w.limit
	}
	return true
}

// apply is the write on the model.
func (w modelWrite) apply(m model) {
	switch w.kind {
	case "Put":
		m[w.key] = map[string]int{w.attribute: w.n}
	case "Update":
		if m[w.key] == nil {
			m[w.key] = map[string]int{}
		}
		m[w.key][w.attribute] += w.n
	case "Delete":
		delete(m, w.key)
	}
}

// request is the write as a member of a transaction, or as the body of an
// operation of its own.
func (w modelWrite) request() members {
	out := members{"TableName": "model"}
	values := members{}
	switch w.kind {
	case "Put":
		out["Item"] = members{"pk": str(w.key), w.attribute: num(w.n)}
	case "Update":
		out["UpdateExpression"] = "ADD " + w.attribute + " :n"
		values[":n"] = num(w.n)
		fallthrough
	default:
		out["Key"] = members{"pk": str(w.key)}
	}
	switch w.condition {
	case "exists":
		out["ConditionExpression"] = "attribute_exists(pk)"
	case "missing":
		out["ConditionExpression"] = "attribute_not_exists(pk)"
	case "equals":
		out["ConditionExpression"] = w.attribute + " = :l"
		values[":l"] = num(w.limit)
	}
	if w.kind == "ConditionCheck" && w.condition == "" {
		out["ConditionExpression"] = "attribute_exists(pk) OR attribute_not_exists(pk)"
	}
	if len(values) > 0 {
		out["ExpressionAttributeValues"] = values
	}
	return out
}

// numbersOf reads the attributes of an answered item but its key.
func numbersOf(it map[string]any) (map[string]int, error) {
	v := map[string]int{}
	for name, value := range it {
		if name == "pk" {
			continue
		}
		var n int
		if _, err := fmt.Sscan(value.(map[string]any)["N"].(string), &n); err != nil {
			return nil, err
		}
		v[name] = n
	}
	return v, nil
}

// contents reads the whole table into a model, by Scan and again by index.
func (w *world) contents(t interface{ Fatalf(string, ...any) }) model {
	got := model{}
	items, _ := w.all("Scan", members{"TableName": "model"})
	inIndex := 0
	for _, it := range items {
		v, err := numbersOf(it)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if _, ok := v["x"]; ok {
			inIndex++
		}
		got[it["pk"].(map[string]any)["S"].(string)] = v
	}
	indexed, _ := w.all("Scan", members{"TableName": "model", "IndexName": "byX"})
	if len(indexed) != inIndex {
		t.Fatalf("the index has %d items, the table %d that belong there", len(indexed), inIndex)
	}
	for _, it := range indexed {
		key := it["pk"].(map[string]any)["S"].(string)
		if got := fmt.Sprint(it["x"].(map[string]any)["N"]); got != fmt.Sprint(wantX(w, t, key, items)) {
			t.Fatalf("the index has x = %s for %s", got, key)
		}
	}
	return got
}

func wantX(_ *world, t interface{ Fatalf(string, ...any) }, key string, items []members) any {
	for _, it := range items {
		if it["pk"].(map[string]any)["S"] == key {
			return it["x"].(map[string]any)["N"]
		}
	}
	t.Fatalf("the index has %s, the table has not", key)
	return nil
}

func (w *world) modelTable() {
	w.table("model", "", members{"AttributeDefinitions": []members{{"AttributeName": "x", "AttributeType": "N"}},
		"GlobalSecondaryIndexes": []members{{"IndexName": "byX",
			"KeySchema":  []members{{"AttributeName": "x", "KeyType": "HASH"}},
			"Projection": members{"ProjectionType": "ALL"}}}})
}

// TestModel runs random writes, alone, in transactions and in batches, against
// table and model, over restarts when the store is durable.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		durable := rapid.IntRange(0, 3).Draw(rt, "durable") == 0
		dir := t.TempDir()
		w := newWorld(t, func(c *Config) {
			if durable {
				c.Store = mustOpen(t, dir)
			}
		})
		key := w.keys.newKey("one")
		w.modelTable()
		if rapid.Bool().Draw(rt, "under a key") {
			w.do("UpdateTable", members{"TableName": "model", "SSESpecification": customKey(key)["SSESpecification"]})
		}
		m := model{}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"write", "write", "transaction", "batch", "restart"}).Draw(rt, "step") {
			case "write":
				x := drawWrite(rt, "Put", "Update", "Delete")
				_, err := w.try("admin", x.kind+"Item", x.request())
				checkOutcome(rt, err, x.holds(m), "ConditionalCheckFailedException")
				if err == nil {
					x.apply(m)
				}
			case "transaction":
				stepTransaction(rt, w, m)
			case "batch":
				stepBatch(rt, w, m)
			case "restart":
				if durable {
					if err := w.s.cfg.Store.Close(); err != nil {
						rt.Fatal(err)
					}
					w.cfg.Store = mustOpen(t, dir)
					w.restart()
				}
			}
		}
		if got := w.contents(rt); fmt.Sprint(got) != fmt.Sprint(m) {
			rt.Fatalf("table %v, model %v", got, m)
		}
		if err := w.s.cfg.Store.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

func mustOpen(t testing.TB, dir string) storage.Store {
	t.Helper()
	f, err := storage.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func checkOutcome(t *rapid.T, err error, want bool, code string) {
	if want {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	var e *request.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("%v, want %s", err, code)
	}
}

func stepTransaction(rt *rapid.T, w *world, m model) {
	var list []members
	ok := true
	next := m.clone()
	seen := map[string]bool{}
	var codes []string
	for range rapid.IntRange(1, 4).Draw(rt, "items") {
		x := drawWrite(rt, "Put", "Update", "Delete", "ConditionCheck")
		if seen[x.key] {
			continue
		}
		seen[x.key] = true
		code := "None"
		if !x.holds(m) {
			ok, code = false, "ConditionalCheckFailed"
		}
		codes = append(codes, code)
		x.apply(next)
		list = append(list, members{x.kind: x.request()})
	}
	_, err := w.try("admin", "TransactWriteItems", members{"TransactItems": list})
	checkOutcome(rt, err, ok, "TransactionCanceledException")
	if ok {
		maps.Copy(m, next)
		maps.DeleteFunc(m, func(k string, _ map[string]int) bool { return next[k] == nil })
		return
	}
	var e *request.Error
	errors.As(err, &e)
	var reasons []reason
	if err := json.Unmarshal(e.Members["CancellationReasons"], &reasons); err != nil {
		rt.Fatal(err)
	}
	var got []string
	for _, r := range reasons {
		got = append(got, r.Code)
	}
	if !slices.Equal(got, codes) {
		rt.Fatalf("reasons %v, want %v", got, codes)
	}
}

func stepBatch(rt *rapid.T, w *world, m model) {
	var list []members
	seen := map[string]bool{}
	for range rapid.IntRange(1, 4).Draw(rt, "requests") {
		x := drawWrite(rt, "Put", "Delete")
		if seen[x.key] {
			continue
		}
		seen[x.key] = true
		if x.kind == "Put" {
			list = append(list, members{"PutRequest": members{"Item": x.request()["Item"]}})
		} else {
			list = append(list, members{"DeleteRequest": members{"Key": x.request()["Key"]}})
		}
		x.apply(m)
	}
	w.do("BatchWriteItem", members{"RequestItems": members{"model": list}})
}

// TestConcurrentConditions: of many writers that each expect the value they
// read, exactly one wins per value; nothing is lost or counted twice.
func TestConcurrentConditions(t *testing.T) {
	w := newWorld(t)
	w.modelTable()
	w.do("PutItem", members{"TableName": "model", "Item": members{"pk": str("a"), "x": num(0)}})
	var won atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				x, err := w.get("a", "x")
				if err != nil {
					t.Error(err)
					return
				}
				_, err = w.try("admin", "UpdateItem",
					members{"TableName": "model", "Key": members{"pk": str("a")},
						"UpdateExpression":          "SET x = x + :one",
						"ConditionExpression":       "x = :x",
						"ExpressionAttributeValues": members{":one": num(1), ":x": num(x)}})
				var e *request.Error
				switch {
				case err == nil:
					won.Add(1)
				case errors.As(err, &e) && e.Code == "ConditionalCheckFailedException":
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if x, _ := w.get("a", "x"); int64(x) != won.Load() || x == 0 {
		t.Errorf("x = %d after %d successes", x, won.Load())
	}
}

func (w *world) get(key, attribute string) (int, error) {
	out, err := w.s.Serve(context.Background(),
		userCall("admin", "GetItem", []byte(`{"TableName":"model","Key":{"pk":{"S":"`+key+`"}}}`)))
	if err != nil {
		return 0, err
	}
	var got struct{ Item map[string]struct{ N string } }
	if err := json.Unmarshal(out, &got); err != nil {
		return 0, err
	}
	var n int
	_, err = fmt.Sscan(got.Item[attribute].N, &n)
	return n, err
}

// TestConcurrentTransfers: transactions move amounts between accounts of two
// tables while others read all accounts at once: the sum never changes and no
// account falls below zero.
func TestConcurrentTransfers(t *testing.T) {
	w := newWorld(t)
	w.modelTable()
	w.table("other", "", nil)
	const accounts, start = 6, 100
	table := func(i int) string { return []string{"model", "other"}[i%2] }
	key := func(i int) members { return members{"pk": str(fmt.Sprint(i))} }
	for i := range accounts {
		w.do("PutItem", members{"TableName": table(i), "Item": members{"pk": str(fmt.Sprint(i)), "x": num(start)}})
	}
	var gets []members
	for i := range accounts {
		gets = append(gets, members{"Get": members{"TableName": table(i), "Key": key(i)}})
	}
	check := func() {
		out, err := w.try("admin", "TransactGetItems", members{"TransactItems": gets})
		if err != nil {
			t.Error(err)
			return
		}
		sum := 0
		for _, r := range out["Responses"].([]any) {
			var n int
			if _, err := fmt.Sscan(r.(map[string]any)["Item"].(map[string]any)["x"].(map[string]any)["N"].(string),
				&n); err != nil || n < 0 {
				t.Errorf("%v: %v", r, err)
			}
			sum += n
		}
		if sum != accounts*start {
			t.Errorf("the sum is %d", sum)
		}
	}
	var wg sync.WaitGroup
	var moved atomic.Int64
	for range 4 {
		wg.Go(func() {
			for range 60 {
				from, to, n := rand.IntN(accounts), rand.IntN(accounts), rand.IntN(80)
				if from == to {
					check()
					continue
				}
				move := func(i, n int, condition string, values members) members {
					values[":n"] = num(n)
					m := members{"TableName": table(i), "Key": key(i), "UpdateExpression": "SET x = x + :n",
						"ExpressionAttributeValues": values}
					if condition != "" {
						m["ConditionExpression"] = condition
					}
					return members{"Update": m}
				}
				_, err := w.try("admin", "TransactWriteItems", members{"TransactItems": []members{
					move(from, -n, "x >= :min", members{":min": num(n)}), move(to, n, "", members{})}})
				var e *request.Error
				switch {
				case err == nil:
					moved.Add(1)
				case errors.As(err, &e) && e.Code == "TransactionCanceledException":
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	check()
	if moved.Load() == 0 {
		t.Error("nothing was moved")
	}
}
