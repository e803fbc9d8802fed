// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store/migrate"
)

func TestCheckpoints(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, count, nil)
	config := w.config(table, nil, encryptor(t, aes(t, 1)))
	migrated(t, config)
	w.put(t, table, item(0), nil)
	m, err := migrate.New(config)
	ok(t, err)
	report, err := m.Run(t.Context()) // a complete migration is not repeated
	ok(t, err)
	if report.Counts.Migrated != count {
		t.Errorf("%+v", report.Counts)
	}
	w.opensFails(t, table, config.To)
	dry, real := migrated(t, config) // unless a dry run finds more to do
	if dry.Plaintext != 1 || real.Migrated < 1 || real.Total() != count {
		t.Errorf("dry run %+v, run %+v", dry, real)
	}
	w.opens(t, table, config.To, count)
	config.SkipDryRun = true
	config.Segments = 5
	m, err = migrate.New(config)
	ok(t, err)
	if _, err := m.Run(t.Context()); !errors.Is(err, migrate.ErrCheckpoint) {
		t.Errorf("other segments: %v", err)
	}
	config.Segments, config.To = 3, encryptor(t, aes(t, 1), func(c *envelope.Config) { c.LogicalTableName = "other" })
	m, err = migrate.New(config)
	ok(t, err)
	if _, err := m.Run(t.Context()); !errors.Is(err, migrate.ErrCheckpoint) {
		t.Errorf("other configuration: %v", err)
	}
	config.Table = "no-such-table"
	m, err = migrate.New(config)
	ok(t, err)
	var missing *types.ResourceNotFoundException
	if _, err := m.Run(t.Context()); !errors.As(err, &missing) {
		t.Errorf("missing table: %v", err)
	}
}
