// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// failedItems is what Config.Failed gets, by key.
type failedItems map[string]int

func (f failedItems) add(e *store.ItemError) error {
	f[e.Key.Partition.(*types.AttributeValueMemberS).Value]++
	return nil
}

// TestFailedHook: Failed gets every item that failed, more than the report keeps,
// and what it got before a migration was killed is not missing after the next run.
func TestFailedHook(t *testing.T) {
	const wrong = 130
	w := newWorld(t)
	table := w.table(t, 0, nil)
	lost := encryptor(t, aes(t, 9)) // under a lost key
	for i := range wrong {
		w.put(t, table, item(i), lost)
	}
	config := w.config(table, nil, encryptor(t, aes(t, 1)))
	config.Segments, config.PageSize, config.SkipDryRun = 2, 10, true
	found := failedItems{}
	config.Failed = found.add
	client := &mortal{Client: w.client, calls: 9, after: true}
	config.Client = client
	m, err := migrate.New(config)
	ok(t, err)
	if _, err := m.Run(t.Context()); !errors.Is(err, errDead) {
		t.Fatal(err)
	}
	config.Client = w.client
	m, err = migrate.New(config)
	ok(t, err)
	report, err := m.Run(t.Context())
	if !errors.Is(err, migrate.ErrFailedItems) || report.Counts.Failed != wrong || len(report.Failures) > 100 {
		t.Fatalf("%v, %+v", err, report.Counts)
	}
	for i := range wrong {
		if id := fmt.Sprint("item-", i); found[id] == 0 {
			t.Errorf("%s is missing", id)
		}
	}
	// Its error ends the migration.
	full := errors.New("disk full")
	calls := 0
	config.Failed = func(*store.ItemError) error { calls++; return full }
	config.ID += " again"
	config.Segments = 1
	m, err = migrate.New(config)
	ok(t, err)
	if _, err := m.Run(t.Context()); !errors.Is(err, full) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// TestFinalErrorNamesItem: a key that is denied ends the migration with an error
// that says at which item.
func TestFinalErrorNamesItem(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, 1, nil)
	config := w.config(table, nil, encryptor(t, deniedKey{aes(t, 1)}))
	m, err := migrate.New(config)
	ok(t, err)
	_, err = m.DryRun(t.Context())
	failed, named := errors.AsType[*store.ItemError](err)
	if !errors.Is(err, envelope.ErrKeyDenied) || !named {
		t.Fatal(err)
	}
	if id, is := failed.Key.Partition.(*types.AttributeValueMemberS); !is || id.Value != "item-0" {
		t.Errorf("key %v", failed.Key.Partition)
	}
}

// deniedKey is a keyring that the caller must not encrypt with.
type deniedKey struct{ materials.Keyring }

func (deniedKey) OnEncrypt(context.Context, *materials.Encryption) error {
	return envelope.ErrKeyDenied
}
