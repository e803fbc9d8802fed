// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// TestBeacons: an item that official clients find by its beacons keeps them, or
// loses them when told so.
// guarantees: M8
func TestBeacons(t *testing.T) {
	beacons := envelope.Item{"aws_dbe_b_secret": s("1a2b"), "aws_dbe_b_ward": s("3c4d"), "aws_dbe_v_1": s(" ")}
	a, b := encryptor(t, aes(t, 1)), encryptor(t, aes(t, 2))
	w := newWorld(t)
	for name, c := range map[string]struct {
		from, to *envelope.ItemEncryptor
		current  bool
	}{
		"key to key":             {a, b, false},
		"encrypted to plaintext": {a, nil, false},
		"plaintext to encrypted": {nil, b, false},
		"current":                {b, b, true},
	} {
		table := w.table(t, 3, c.from)
		key := envelope.Item{"id": s("item-1")}
		for n, v := range beacons {
			_, err := w.client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: &table, Key: key,
				UpdateExpression: aws.String("SET " + n + " = :v"), ExpressionAttributeValues: envelope.Item{":v": v}})
			ok(t, err)
		}
		bearing := func() (n int) {
			for _, stored := range w.all(t, table) {
				for name := range stored {
					if strings.HasPrefix(name, "aws_dbe_b_") || strings.HasPrefix(name, "aws_dbe_v_") {
						n++
					}
				}
			}
			return n
		}
		config := w.config(table, c.from, c.to)
		config.SkipDryRun = true
		m, err := migrate.New(config)
		ok(t, err)
		if c.current {
			r, err := m.Run(t.Context())
			if err != nil || r.Counts != (migrate.Counts{Current: 3}) || bearing() != 3 {
				t.Errorf("%s: %+v, %v", name, r.Counts, err)
			}
			continue
		}
		for phase, do := range map[string]func(context.Context) (migrate.Report, error){"dry run": m.DryRun,
			"run": m.Run} {
			r, err := do(t.Context())
			if !errors.Is(err, store.ErrBeacons) || !errors.Is(err, migrate.ErrFailedItems) || r.Counts.Failed != 1 ||
				r.Counts.Total() != 3 ||
				!strings.Contains(err.Error(), "aws_dbe_b_secret, aws_dbe_b_ward, aws_dbe_v_1") {
				t.Errorf("%s, %s: %+v, %v", name, phase, r.Counts, err)
			}
		}
		if bearing() != 3 {
			t.Errorf("%s: beacons were dropped", name)
		}
		config.DropBeacons = true
		m, err = migrate.New(config)
		ok(t, err)
		r, err := m.Run(t.Context())
		if err != nil || r.Counts.Failed != 0 || bearing() != 0 {
			t.Errorf("%s, dropping: %+v, %v", name, r.Counts, err)
		}
		w.opens(t, table, c.to, 3)
	}
}

// TestReservedNames: a plaintext item with another reserved name is refused,
// DropBeacons or not.
func TestReservedNames(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, 1, nil)
	odd := item(0)
	odd["aws_dbe_x"] = s("theirs")
	w.put(t, table, odd, nil)
	config := w.config(table, nil, encryptor(t, aes(t, 1)))
	config.SkipDryRun, config.DropBeacons = true, true
	m, err := migrate.New(config)
	ok(t, err)
	for phase, do := range map[string]func(context.Context) (migrate.Report, error){"dry run": m.DryRun, "run": m.Run} {
		r, err := do(t.Context())
		if !errors.Is(err, envelope.ErrInvalidItem) || !strings.Contains(err.Error(), "aws_dbe_x") ||
			r.Counts != (migrate.Counts{Failed: 1}) {
			t.Errorf("%s: %+v, %v", phase, r.Counts, err)
		}
	}
	if len(w.all(t, table)[0]) != len(odd) {
		t.Error("the item was changed")
	}
}
