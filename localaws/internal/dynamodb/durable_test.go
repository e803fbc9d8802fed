// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// TestAnswersRestOnDurableChanges: while a change of one caller is on its way
// to disk, no other caller is told what only holds with it.
func TestAnswersRestOnDurableChanges(t *testing.T) {
	key, other := members{"pk": str("1")}, members{"pk": str("2")}
	put := members{"TableName": "one", "Item": key}
	remove := members{"TableName": "one", "Key": key}
	transact := func(items ...members) members { return members{"TransactItems": items, "ClientRequestToken": "token"} }
	onlyNew := members{"TableName": "one", "Item": key, "ConditionExpression": "attribute_not_exists(pk)"}
	for _, c := range []struct {
		name         string
		first        string // the change that is on its way
		firstInput   members
		second       string
		secondInput  members
		secondAnswer string // error code
	}{
		{"delete of what is being deleted", "DeleteItem", remove, "DeleteItem", remove, ""},
		{"batch of such a delete", "DeleteItem", remove, "BatchWriteItem", members{"RequestItems": members{"one": []members{{"DeleteRequest": members{"Key": key}}}}}, ""},
		{"transaction of such a delete", "DeleteItem", remove, "TransactWriteItems", transact(members{"Delete": remove}), ""},
		{"failed condition", "PutItem", put, "PutItem", onlyNew, "ConditionalCheckFailedException"},
		{"failed condition in a transaction", "PutItem", put, "TransactWriteItems", transact(members{"Put": onlyNew}), "TransactionCanceledException"},
		{"consistent get", "PutItem", put, "GetItem", members{"TableName": "one", "Key": key, "ConsistentRead": true}, ""},
		{"consistent scan", "PutItem", put, "Scan", members{"TableName": "one", "ConsistentRead": true}, ""},
		{"consistent batch", "PutItem", put, "BatchGetItem", members{"RequestItems": members{"one": members{"Keys": []members{key}, "ConsistentRead": true}}}, ""},
		{"reading transaction", "PutItem", put, "TransactGetItems", members{"TransactItems": []members{{"Get": remove}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := storagetest.NewHolder(storagetest.NewRecorder())
			w := newWorld(t, func(cfg *Config) { cfg.Store = store })
			w.table("one", "", nil)
			w.do("PutItem", members{"TableName": "one", "Item": other})
			if c.first == "DeleteItem" {
				w.do("PutItem", put)
			}
			waiting, release := store.Hold()
			first, second := make(chan error, 1), make(chan error, 1)
			go func() { _, err := w.try("admin", c.first, c.firstInput); first <- err }()
			<-waiting
			go func() { _, err := w.try("admin", c.second, c.secondInput); second <- err }()
			select {
			case <-waiting:
			case err := <-second:
				t.Fatalf("answered (%v) before the change that it rests on was durable", err)
			}
			release()
			if err := <-first; err != nil {
				t.Error(err)
			}
			if err := <-second; c.secondAnswer != "" {
				checkError(t, c.second, err, c.secondAnswer, "")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTokenOfUndurableTransaction: the retry of a transaction that is on its
// way to disk is not told that it has succeeded.
func TestTokenOfUndurableTransaction(t *testing.T) {
	store := storagetest.NewHolder(storagetest.NewRecorder())
	w := newWorld(t, func(cfg *Config) { cfg.Store = store })
	w.table("one", "", nil)
	in := members{"ClientRequestToken": "token",
		"TransactItems": []members{{"Put": members{"TableName": "one", "Item": members{"pk": str("1")}}}}}
	waiting, release := store.Hold()
	first := make(chan error, 1)
	go func() { _, err := w.try("admin", "TransactWriteItems", in); first <- err }()
	<-waiting
	w.fails("TransactWriteItems", in, "TransactionInProgressException", "")
	release()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	w.do("TransactWriteItems", in)
}

// TestMovedRecordsAreRefused: someone who can write the file cannot make one item
// out of another, nor bring back what lay there under an earlier table key.
func TestMovedRecordsAreRefused(t *testing.T) {
	type record struct {
		bucket     storage.Bucket
		key, value []byte
	}
	for name, move := range map[string]func(one, two, old []record) (target, from record){
		"to another item":  func(one, _, _ []record) (record, record) { return one[0], one[1] },
		"to another table": func(one, two, _ []record) (record, record) { return two[0], one[0] },
		"under its name in another table": func(one, two, _ []record) (record, record) {
			return record{two[0].bucket, one[0].key, nil}, one[0]
		},
		"from before a switch of keys": func(one, _, old []record) (record, record) { return one[0], old[0] },
		"under its name from before a switch": func(one, _, old []record) (record, record) {
			return record{one[0].bucket, old[0].key, nil}, old[0]
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := storagetest.NewRecorder()
			w := newWorld(t, func(c *Config) { c.Store = store })
			records := func(table string) (list []record) {
				def := w.s.lookup(schema.Target{Place: wire.Place{Account: testAccount, Region: testRegion},
					Name: table}).def
				b := storage.Bucket{
					Name:        fmt.Sprintf("dynamodb/items/%s/%d", def.ID, def.Encryption.Generation),
					PlainValues: true,
				}
				if err := store.Range(b, func(key, value []byte) error {
					list = append(list, record{b, key, value})
					return nil
				}); err != nil || len(list) != 2 {
					t.Fatalf("%s has %d records, %v", table, len(list), err)
				}
				return list
			}
			for _, table := range []string{"one", "two"} {
				w.table(table, "", nil)
				for _, key := range []string{"1", "2"} {
					w.do("PutItem", members{"TableName": table, "Item": members{"pk": str(key)}})
				}
			}
			old := records("one")
			w.do("UpdateTable", members{"TableName": "one",
				"SSESpecification": customKey(w.keys.newKey("new"))["SSESpecification"]})
			to, from := move(records("one"), records("two"), old)
			tx := new(storage.Tx)
			tx.Put(to.bucket, to.key, from.value)
			if err := store.Submit(tx).Wait(); err != nil {
				t.Fatal(err)
			}
			w.restart()
			refused := 0
			for _, table := range []string{"one", "two"} {
				if _, err := w.try("admin", "Scan", members{"TableName": table}); err != nil {
					checkError(t, "Scan", err, "InternalServerError", "")
					refused++
				}
			}
			if refused != 1 {
				t.Errorf("%d tables are refused, want the one with the moved record", refused)
			}
		})
	}
}
