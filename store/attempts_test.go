package store_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
)

// lossy is a transport that loses answers: the call was done, and the client
// sees a broken connection. After a loss it lets interfere run once.
type lossy struct {
	aws.HTTPClient
	operation string
	lose      atomic.Int32
	interfere func()
}

func (l *lossy) Do(r *http.Request) (*http.Response, error) {
	resp, err := l.HTTPClient.Do(r)
	if err == nil && strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+l.operation) && l.lose.Add(-1) >= 0 {
		_ = resp.Body.Close()
		if l.interfere != nil {
			l.interfere()
		}
		return nil, errors.New("connection reset")
	}
	return resp, err
}

// lossy returns a client that can lose the answers of an operation.
func (w *world) lossy(operation string) (*dynamodb.Client, *lossy) {
	l := &lossy{HTTPClient: w.config.HTTPClient, operation: operation}
	config := w.config.Copy()
	config.HTTPClient = l
	return dynamodb.NewFromConfig(config), l
}

// TestLostAnswers: a write whose answer is lost is repeated by the SDK and its
// condition then fails because of itself. It must not be applied twice.
func TestLostAnswers(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "returned items of failed conditions")
		ctx := t.Context()
		table := w.table(t, "id:S")
		client, l := w.lossy("PutItem")
		counters := open[counter](t, client, table, m)
		calm := open[counter](t, w.client, table, m)
		k := store.Key{Partition: "c"}
		add := func(c *counter) error { c.Count++; return nil }
		ok(t, calm.Put(ctx, counter{ID: "c"}))

		l.lose.Store(1)
		_, err := counters.Update(ctx, k, add)
		if m.String() == "client" {
			ok(t, err) // the footer tells that the first attempt wrote
		} else if !errors.Is(err, store.ErrUncertain) {
			t.Fatalf("server mode: %v", err)
		}
		if got := must(calm.Get(ctx, k))(t); got.Count != 1 {
			t.Fatalf("count %d after one update", got.Count)
		}

		// Another writer hides the outcome: then nobody can know.
		l.interfere = func() { _, err := calm.Update(ctx, k, add); ok(t, err) }
		l.lose.Store(1)
		if _, err := counters.Update(ctx, k, add); !errors.Is(err, store.ErrUncertain) {
			t.Fatalf("hidden outcome: %v", err)
		}
		if got := must(calm.Get(ctx, k))(t); got.Count != 3 {
			t.Fatalf("count %d after three updates", got.Count)
		}

		// A refusal is a clear answer: the update goes on.
		ok(t, w.server.SetFaults(localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultThrottle, Operation: "PutItem", Count: 1}}}))
		l.interfere = nil
		ok(t, ignore(counters.Update(ctx, k, add)))
		if got := must(calm.Get(ctx, k))(t); got.Count != 4 {
			t.Fatalf("count %d after four updates", got.Count)
		}
	})
}

// TestLostAnswersOfUpdates: an update in place whose condition then fails
// because of itself was not refused.
func TestLostAnswersOfUpdates(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "conditions that lose their answer")
		ctx := t.Context()
		table := w.table(t, "id:S")
		client, l := w.lossy("UpdateItem")
		counters := open[counter](t, client, table, m)
		k := store.Key{Partition: "c"}
		ok(t, counters.Put(ctx, counter{ID: "c"}))
		l.lose.Store(1)
		err := counters.UpdateAttributes(ctx, k, expression.Set(expression.Name("hits"), expression.Value(1)), expression.Name("hits").Equal(expression.Value(0)))
		if !errors.Is(err, store.ErrUncertain) || errors.Is(err, store.ErrConditionFailed) {
			t.Fatal(err)
		}
		if got := must(counters.Get(ctx, k))(t); got.Hits != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// TestLostOldItems: what a repeated write replaced or removed may be its own
// doing, and must not be taken for the old item.
func TestLostOldItems(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		w.onlyLocal(t, "answers to lose")
		ctx := t.Context()
		table := w.table(t, orderKeys)
		client, l := w.lossy("")
		orders := open[order](t, client, table, m)
		first, next := sample("ann", 1), sample("ann", 1)
		next.Secret = "next"
		ok(t, orders.Put(ctx, first))
		l.operation = "PutItem"
		l.lose.Store(1)
		if old, err := orders.PutOld(ctx, next); !errors.Is(err, store.ErrUncertain) {
			t.Errorf("replaced %+v, %v", old, err)
		}
		l.operation = "DeleteItem"
		l.lose.Store(1)
		if old, err := orders.DeleteOld(ctx, next.key()); !errors.Is(err, store.ErrUncertain) {
			t.Errorf("removed %+v, %v", old, err)
		}
	})
}

// busy is a client whose writes meet a transaction, some times.
type busy struct {
	*dynamodb.Client
	left atomic.Int32
}

func (b *busy) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if b.left.Add(-1) >= 0 {
		return nil, &types.TransactionConflictException{Message: aws.String("Transaction is ongoing for the item")}
	}
	return b.Client.PutItem(ctx, in, o...)
}

// TestUpdateMeetsTransactions: DynamoDB refuses a write of an item that is in a
// transaction, and the SDK does not repeat it.
func TestUpdateMeetsTransactions(t *testing.T) {
	bothModes(t, func(t *testing.T, w *world, m store.Mode) {
		ctx := t.Context()
		b := &busy{Client: w.client}
		counters := open[counter](t, b, w.table(t, "id:S"), m)
		k := store.Key{Partition: "c"}
		ok(t, counters.Put(ctx, counter{ID: "c"}))
		add := func(c *counter) error { c.Count++; return nil }
		b.left.Store(2)
		if got := must(counters.Update(ctx, k, add))(t); got.Count != 1 {
			t.Errorf("%+v", got)
		}
		b.left.Store(1000)
		var conflict *types.TransactionConflictException
		if _, err := counters.Update(ctx, k, add); !errors.Is(err, store.ErrConflict) || !errors.As(err, &conflict) {
			t.Errorf("endless transactions: %v", err)
		}
		b.left.Store(1)
		if err := counters.Put(ctx, counter{ID: "d"}); !errors.Is(err, store.ErrConflict) || !errors.As(err, &conflict) {
			t.Errorf("put: %v", err)
		}
	})
}
