// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/internal/witness"
	"github.com/ddbseal/ddbseal/store"
)

// TestObservers: the SDK's log, tracer, meters and middleware keep working, and
// see ciphertext only.
// guarantees: O12
func TestObservers(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "returned items")
		ctx := t.Context()
		var seen witness.Witness
		client := dynamodb.NewFromConfig(w.config, seen.Install)
		orders := open[order](t, client, w.table(t, orderKeys), m)
		secrets := []string{"first-secret-text", "second-secret-text", "third-secret-text", "fourth-secret-text"}
		value := func(i int) order { return order{Customer: "ann", Number: i, Ward: "north", Secret: secrets[i]} }
		never := expression.Name("ward").Equal(expression.Value("south"))
		ok(t, orders.Put(ctx, value(0)))
		if err := orders.Put(ctx, value(0), never); err == nil {
			t.Error("no error")
		}
		ok(t, ignore(store.BatchWrite(ctx, client, orders.PutOp(value(1)))))
		ok(t, store.TransactWrite(ctx, client, orders.PutOp(value(2))))
		ok(t, ignore(orders.Update(ctx, value(0).key(), func(o *order) error { o.Secret = secrets[3]; return nil })))
		ok(t, ignore(orders.DeleteOld(ctx, value(2).key())))
		read := orders.GetOp(value(1).key())
		ok(t, store.BatchGet(ctx, client, read))
		ok(t, store.TransactGet(ctx, client, read))
		ok(t, ignore(read.Result()))
		for _, err := range orders.Query(ctx, store.Query{Partition: "ann"}) {
			ok(t, err)
		}
		for _, err := range orders.Scan(ctx, store.Scan{}) {
			ok(t, err)
		}
		for _, kind := range witness.Kinds {
			if seen.Seen(kind) == "" {
				t.Errorf("nothing of kind %s was observed", kind)
			}
			found := seen.Found(kind, secrets...)
			shown := m.String() == "server" && (kind == witness.Log || kind == witness.Middleware)
			if shown != (len(found) == len(secrets)) || !shown && found != nil {
				t.Errorf("%s saw %q", kind, found)
			}
		}
	})
}
