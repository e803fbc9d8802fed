// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"sync"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

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
		c.Faults.Conflict = func(string, string, schema.Item) bool { boom(); return false }
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
		one := w.s.lookup(schema.Target{Place: wire.Place{Account: testAccount, Region: testRegion}, Name: "one"})
		free := make(chan struct{})
		go func() {
			table.Lock(tablesOf([]bound{one}), true)()
			close(free)
		}()
		select {
		case <-free:
		case <-time.After(time.Minute):
			t.Fatalf("%s leaves the table locked", operation)
		}
		w.do(operation, in) // a token is free again
	}
}

// TestSettingsChangeUnderTraffic: what names a table is read without its lock,
// so a change of its settings must leave that alone. The race detector sees
// when it does not.
func TestSettingsChangeUnderTraffic(t *testing.T) {
	w := newWorld(t)
	w.table("one", "", nil)
	w.table("two", "", nil)
	item := members{"pk": str("1")}
	calls := map[string]func(i int) members{
		"UpdateTable": func(i int) members {
			return members{"TableName": "one", "TableClass": []string{"STANDARD", "STANDARD_INFREQUENT_ACCESS"}[i%2]}
		},
		"PutItem": func(int) members { return members{"TableName": "one", "Item": item} },
		"GetItem": func(int) members { return members{"TableName": "one", "Key": item} },
		"Scan":    func(int) members { return members{"TableName": "one"} },
		"BatchWriteItem": func(int) members {
			return members{"RequestItems": members{"one": []members{{"PutRequest": members{"Item": item}}}}}
		},
		"TransactWriteItems": func(int) members {
			return members{"TransactItems": []members{{"Put": members{"TableName": "one", "Item": item}},
				{"Put": members{"TableName": "two", "Item": item}}}}
		},
	}
	var wg sync.WaitGroup
	for operation, in := range calls {
		wg.Go(func() {
			for i := range 100 {
				if _, err := w.try("admin", operation, in(i)); err != nil {
					t.Errorf("%s: %v", operation, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
