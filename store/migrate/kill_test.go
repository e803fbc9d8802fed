// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// record is what the concurrent writers work on.
type record struct {
	ID     string `dynamodbav:"id" seal:"partition"`
	Ward   string `dynamodbav:"ward" seal:"sign"`
	Secret string `dynamodbav:"secret"`
	Count  int    `dynamodbav:"count"`
	Note   string `dynamodbav:"note" seal:"none"`
}

// TestKilledAndResumed: migrations killed at fifty random points, before or
// after a call took effect, while writers update, create and delete items.
// In the end every item is there once, in the new state, with every update.
// guarantees: M4
func TestKilledAndResumed(t *testing.T) {
	const wanted, items, writers, updates = 50, 24, 3, 8
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(t)
	kills := 0
	for round := 0; kills < wanted; round++ {
		ctx := t.Context()
		// In every other pair of rounds there are too many names for a put.
		loose := names(round/2%2*200, envelope.DoNothing)
		from := []*envelope.ItemEncryptor{nil, encryptor(t, aes(t, 2), loose)}[round%2]
		// Programs and the migration read both keys and write under the first.
		to := encryptor(t, multi(t, 1, 2), loose)
		table := w.table(t, items, from)
		mode := store.ClientSide{Keyring: multi(t, 1, 2), LogicalTableName: "table",
			AlgorithmSuite:  envelope.SuiteSymmetricSignature,
			PlaintextPolicy: envelope.ForbidPlaintextWriteAllowPlaintextRead, AllowedUnsigned: to.UnsignedNames()}
		records, err := store.New[record](w.client, table, mode)
		ok(t, err)
		done := make([]int, items)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for writer := range writers {
			wg.Go(func() {
				for i := range updates {
					n := (writer*5 + i*7) % items
					_, err := records.Update(ctx, store.Key{Partition: fmt.Sprint("item-", n)},
						func(r *record) error { r.Count++; return nil })
					if err != nil {
						t.Errorf("update: %v", err)
						continue
					}
					mu.Lock()
					done[n]++
					mu.Unlock()
				}
				id := fmt.Sprint("item-", 100+writer)
				if err := records.Put(ctx, record{ID: id, Secret: fmt.Sprint("secret ", 100+writer)}); err != nil {
					t.Error(err)
				}
			})
		}
		config := w.config(table, from, to)
		config.Segments, config.PageSize, config.SkipDryRun = 2, 4, true
		for lives := 3; ; lives-- {
			client := &mortal{Client: w.client, calls: 1 << 30}
			if lives > 0 {
				client.calls, client.after = 1+random.IntN(40), random.IntN(2) == 0
			} else {
				wg.Wait() // the last run comes after the writers
			}
			config.Client = client
			m, err := migrate.New(config)
			ok(t, err)
			_, err = m.Run(ctx)
			if err == nil {
				break
			}
			if !errors.Is(err, errDead) {
				t.Fatal(err)
			}
			kills++
		}
		wg.Wait()
		check(t, w, table, to, records, done, writers)
	}
}

// check reads everything by a configuration that takes no plaintext.
func check(t *testing.T, w *world, table string, to *envelope.ItemEncryptor, records *store.Table[record], done []int,
	created int) {
	t.Helper()
	w.opens(t, table, to, len(done)+created)
	config := w.config(table, nil, to)
	config.ID += " check"
	config.SkipDryRun = true
	m, err := migrate.New(config)
	ok(t, err)
	report, err := m.DryRun(context.Background())
	ok(t, err)
	if want := (migrate.Counts{Current: int64(len(done) + created)}); report.Counts != want {
		t.Errorf("states at the end: %+v", report.Counts)
	}
	for n, updates := range done {
		r, err := records.Get(t.Context(), store.Key{Partition: fmt.Sprint("item-", n)})
		if err != nil || r.Count != updates {
			t.Errorf("item %d: count %d after %d updates, %v", n, r.Count, updates, err)
		}
	}
}
