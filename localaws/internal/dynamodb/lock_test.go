package dynamodb

import "testing"

// TestPanicFreesLocks: the front door answers a panic with an internal error
// and goes on, so the tables of that request must not stay locked.
func TestPanicFreesLocks(t *testing.T) {
	armed := false
	boom := func() {
		if armed {
			panic("boom")
		}
	}
	w := newWorld(t, func(c *Config) {
		c.Faults.Conflict = func(string, Item) bool { boom(); return false }
		c.Faults.Unprocessed = func(string, string, int) bool { boom(); return false }
	})
	w.table("one", "", nil)
	item := members{"pk": str("1")}
	calls := map[string]members{
		"TransactWriteItems": {"ClientRequestToken": "token", "TransactItems": []members{{"Put": members{"TableName": "one", "Item": item}}}},
		"TransactGetItems":   {"TransactItems": []members{{"Get": members{"TableName": "one", "Key": item}}}},
		"BatchWriteItem":     {"RequestItems": members{"one": []members{{"PutRequest": members{"Item": item}}}}},
		"BatchGetItem":       {"RequestItems": members{"one": members{"Keys": []members{item}}}},
	}
	for operation, in := range calls {
		armed = true
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", operation)
				}
			}()
			_, _ = w.try("admin", operation, in)
		}()
		armed = false
		table := w.s.lookup(target{place: place{testAccount, testRegion}, name: "one"})
		if !table.mu.TryLock() {
			t.Fatalf("%s leaves the table locked", operation)
		}
		table.mu.Unlock()
		w.do(operation, in) // a token is free again
	}
}
