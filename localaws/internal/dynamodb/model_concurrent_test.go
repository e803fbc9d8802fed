// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// numberedTransaction is one that was tried by a client at the moment in which
// the counter of successful transactions stood at n.
type numberedTransaction struct {
	n      int
	writes []modelWrite
	codes  []string  // of the cancellation reasons; nil: it succeeded
	items  []members // of the reasons of failed conditions
}

// TestConcurrentModel: clients send random transactions at once, each of which
// expects and raises a counter, so that the successful ones have one order. In
// this order a plain map must do what the table did: the same transactions
// succeed, others have the same reasons and old items, every snapshot by
// TransactGetItems is one of its states, and the last is the table's.
func TestConcurrentModel(t *testing.T) {
	w := newWorld(t)
	w.modelTable()
	w.table("counter", "", nil)
	w.do("PutItem", members{"TableName": "counter", "Item": members{"pk": str("c"), "n": num(0)}})
	const clients, each = 4, 120
	var mu sync.Mutex
	var tried []numberedTransaction
	snapshots := map[int]model{}
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			n := 0
			for range each {
				if rand.IntN(4) == 0 {
					at, m, err := w.snapshot()
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if before, ok := snapshots[at]; ok && fmt.Sprint(before) != fmt.Sprint(m) {
						t.Errorf("two snapshots at %d: %v and %v", at, before, m)
					}
					snapshots[at], n = m, at
					mu.Unlock()
					continue
				}
				x, now, err := w.tryNumbered(n)
				if err != nil {
					t.Error(err)
					return
				}
				if x != nil {
					mu.Lock()
					tried = append(tried, *x)
					mu.Unlock()
				}
				n = now
			}
		})
	}
	wg.Wait()
	states, succeeded := replay(t, tried)
	for at, got := range snapshots {
		if at >= len(states) || fmt.Sprint(got) != fmt.Sprint(states[at]) {
			t.Errorf("snapshot at %d: %v", at, got)
		}
	}
	if got, want := w.contents(t), states[len(states)-1]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("table %v, model %v", got, want)
	}
	if succeeded == 0 || succeeded == len(tried) || len(snapshots) < 2 {
		t.Errorf("%d of %d succeeded, %d snapshots", succeeded, len(tried), len(snapshots))
	}
}

// replay does on a map what the table did, compares, and returns the states
// after 0, 1, … successful transactions.
func replay(t *testing.T, tried []numberedTransaction) (states []model, succeeded int) {
	// Of those at one number the failed ones saw the state before the one that
	// succeeded.
	slices.SortStableFunc(tried, func(a, b numberedTransaction) int {
		if a.n != b.n {
			return a.n - b.n
		}
		return len(b.codes) - len(a.codes)
	})
	states = []model{{}}
	for _, x := range tried {
		if x.n != len(states)-1 {
			t.Fatalf("a transaction at %d after %d successes", x.n, len(states)-1)
		}
		before := states[x.n]
		next := before.clone()
		var codes []string
		failed := false
		for i, write := range x.writes {
			code := "None"
			if !write.holds(before) {
				code, failed = "ConditionalCheckFailed", true
				if x.codes != nil && before[write.key] != nil &&
					modelItem(x.items[i]) != fmt.Sprint(before[write.key]) {
					t.Errorf("at %d: old item %v, model %v", x.n, x.items[i], before[write.key])
				}
			}
			codes = append(codes, code)
			write.apply(next)
		}
		switch {
		case failed != (x.codes != nil) || failed && !slices.Equal(codes, x.codes):
			t.Errorf("at %d: %+v answered %v, model %v", x.n, x.writes, x.codes, codes)
		case !failed:
			states = append(states, next)
			succeeded++
		}
	}
	return states, succeeded
}

func modelItem(it members) string {
	out := map[string]int{}
	for name, v := range it {
		if name != "pk" {
			var n int
			fmt.Sscan(v.(map[string]any)["N"].(string), &n)
			out[name] = n
		}
	}
	return fmt.Sprint(out)
}

// tryNumbered sends a transaction that expects the counter at n. Without a
// result the counter stood at now.
func (w *world) tryNumbered(n int) (x *numberedTransaction, now int, err error) {
	x = &numberedTransaction{n: n}
	list := []members{{"Update": members{"TableName": "counter", "Key": members{"pk": str("c")},
		"UpdateExpression": "SET n = n + :one", "ConditionExpression": "n = :n",
		"ExpressionAttributeValues":           members{":n": num(n), ":one": num(1)},
		"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}}
	seen := map[string]bool{}
	for range 1 + rand.IntN(3) {
		write := randomWrite()
		if seen[write.key] {
			continue
		}
		seen[write.key] = true
		x.writes = append(x.writes, write)
		request := write.request()
		request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
		list = append(list, members{write.kind: request})
	}
	_, err = w.try("admin", "TransactWriteItems", members{"TransactItems": list})
	if err == nil {
		return x, n + 1, nil
	}
	var e *request.Error
	if !errors.As(err, &e) || e.Code != "TransactionCanceledException" {
		return nil, 0, err
	}
	var reasons []struct {
		Code string
		Item members
	}
	if err := json.Unmarshal(e.Members["CancellationReasons"], &reasons); err != nil {
		return nil, 0, err
	}
	if reasons[0].Code != "None" {
		_, err := fmt.Sscan(reasons[0].Item["n"].(map[string]any)["N"].(string), &now)
		return nil, now, err
	}
	for _, r := range reasons[1:] {
		x.codes, x.items = append(x.codes, r.Code), append(x.items, r.Item)
	}
	return x, n, nil
}

var modelKeys = []string{"a", "b", "c", "d"}

func randomWrite() modelWrite {
	one := func(list ...string) string { return list[rand.IntN(len(list))] }
	return modelWrite{kind: one("Put", "Update", "Update", "Delete", "ConditionCheck"), key: one(modelKeys...),
		attribute: one("x", "y"), n: rand.IntN(5) - 2,
		condition: one("", "", "", "exists", "missing", "equals"), limit: rand.IntN(5) - 2}
}

// snapshot reads the counter and all items of the model at once.
func (w *world) snapshot() (at int, m model, err error) {
	list := []members{{"Get": members{"TableName": "counter", "Key": members{"pk": str("c")}}}}
	for _, key := range modelKeys {
		list = append(list, members{"Get": members{"TableName": "model", "Key": members{"pk": str(key)}}})
	}
	out, err := w.try("admin", "TransactGetItems", members{"TransactItems": list})
	if err != nil {
		return 0, nil, err
	}
	m = model{}
	for i, r := range out["Responses"].([]any) {
		it, ok := r.(map[string]any)["Item"].(map[string]any)
		if !ok {
			continue
		}
		v, err := numbersOf(it)
		if err != nil {
			return 0, nil, err
		}
		if i == 0 {
			at = v["n"]
			continue
		}
		m[modelKeys[i-1]] = v
	}
	return at, m, nil
}
