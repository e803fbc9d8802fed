package dynamodb

import (
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// heldStore takes changes and, while it is held, makes none of them durable.
type heldStore struct {
	*storage.Recorder
	held    chan struct{} // nil: nothing is held
	waiting chan struct{}
}

func (s *heldStore) Submit(tx *storage.Tx) storage.Pending {
	s.Recorder.Submit(tx)
	return heldPending{s.held, s.waiting}
}

type heldPending struct{ held, waiting chan struct{} }

func (p heldPending) Wait() error {
	if p.held != nil {
		p.waiting <- struct{}{}
		<-p.held
	}
	return nil
}

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
			store := &heldStore{Recorder: storage.NewRecorder()}
			w := newWorld(t, func(cfg *Config) { cfg.Store = store })
			w.table("one", "", nil)
			w.do("PutItem", members{"TableName": "one", "Item": other})
			if c.first == "DeleteItem" {
				w.do("PutItem", put)
			}
			store.held, store.waiting = make(chan struct{}), make(chan struct{})
			first, second := make(chan error, 1), make(chan error, 1)
			go func() { _, err := w.try("admin", c.first, c.firstInput); first <- err }()
			<-store.waiting
			go func() { _, err := w.try("admin", c.second, c.secondInput); second <- err }()
			select {
			case <-store.waiting:
			case err := <-second:
				t.Fatalf("answered (%v) before the change that it rests on was durable", err)
			}
			close(store.held)
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
	store := &heldStore{Recorder: storage.NewRecorder()}
	w := newWorld(t, func(cfg *Config) { cfg.Store = store })
	w.table("one", "", nil)
	in := members{"ClientRequestToken": "token", "TransactItems": []members{{"Put": members{"TableName": "one", "Item": members{"pk": str("1")}}}}}
	store.held, store.waiting = make(chan struct{}), make(chan struct{})
	first := make(chan error, 1)
	go func() { _, err := w.try("admin", "TransactWriteItems", in); first <- err }()
	<-store.waiting
	w.fails("TransactWriteItems", in, "TransactionInProgressException", "")
	close(store.held)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	store.held = nil
	w.do("TransactWriteItems", in)
}
