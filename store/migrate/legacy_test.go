// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/legacy"
	"github.com/ddbseal/ddbseal/internal/legacywriter"
	"github.com/ddbseal/ddbseal/store/migrate"
)

var legacyKey = bytes.Repeat([]byte{8}, 16)

// oldItem is an item as the older client stored it, with "loose" unsigned.
func oldItem(plain envelope.Item) envelope.Item {
	w := legacywriter.Writer{Table: "old", ContentKey: legacyKey, MACKey: legacyKey, Encrypted: []string{"secret"},
		Unsigned: []string{"loose"}}
	return w.Encrypt(plain)
}

// readsLegacy lets a configuration read old items, and encrypt what they have
// unsigned.
func readsLegacy(t testing.TB, names ...string) change {
	t.Helper()
	mac, err := legacy.NewHMAC("HmacSHA256", legacyKey)
	ok(t, err)
	provider, err := legacy.NewStatic(legacy.StaticConfig{ContentKey: legacyKey, Verification: mac})
	ok(t, err)
	actions := map[string]envelope.Action{"id": envelope.SignOnly, "ward": envelope.SignOnly, "note": envelope.SignOnly,
		"count": envelope.SignOnly, "secret": envelope.EncryptAndSign, "loose": envelope.DoNothing}
	for _, name := range names {
		actions[name] = envelope.DoNothing
	}
	d, err := legacy.New(legacy.Config{TableName: "old", PartitionKey: "id", Actions: actions, Provider: provider})
	ok(t, err)
	return func(c *envelope.Config) {
		c.Actions["loose"] = envelope.EncryptAndSign
		c.Legacy = &envelope.LegacyOverride{Policy: envelope.ForbidLegacyEncryptAllowLegacyDecrypt, Decryptor: d}
	}
}

// legacyTable is a table of old items.
func (w *world) legacyTable(t testing.TB, count int) string {
	t.Helper()
	name := w.table(t, 0, nil)
	for i := range count {
		w.put(t, name, oldItem(item(i)), nil)
	}
	return name
}

// TestLegacy: old items are counted by a state of their own and converted, whichever
// configuration reads them; a second migration has nothing to do.
func TestLegacy(t *testing.T) {
	a := aes(t, 1)
	for name, c := range map[string]struct{ from, to *envelope.ItemEncryptor }{
		"To reads them":            {nil, encryptor(t, a, readsLegacy(t))},
		"From reads them":          {encryptor(t, a, readsLegacy(t)), encryptor(t, a)},
		"both read them":           {encryptor(t, aes(t, 2), readsLegacy(t)), encryptor(t, a, readsLegacy(t))},
		"From reads, to plaintext": {encryptor(t, a, readsLegacy(t)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			table := w.legacyTable(t, count)
			config := w.config(table, c.from, c.to)
			dry, real := migrated(t, config)
			if dry != (migrate.Counts{Legacy: count}) || real != (migrate.Counts{Migrated: count}) {
				t.Errorf("dry run %+v, run %+v", dry, real)
			}
			var without *envelope.ItemEncryptor
			if c.to != nil {
				without = encryptor(t, a, func(c *envelope.Config) { c.Actions["loose"] = envelope.EncryptAndSign })
			}
			w.opens(t, table, without, count)
			for _, stored := range w.all(t, table) {
				if envelope.IsLegacy(stored) {
					t.Error("an old item is left")
				}
			}
			config.ID += " again"
			if dry, real = migrated(t, config); dry != (migrate.Counts{Current: count}) || real != dry {
				t.Errorf("again: dry run %+v, run %+v", dry, real)
			}
		})
	}
}

// TestLegacyIsNamed: an old item that no configuration reads fails, and is never
// taken for plaintext.
// guarantees: M9
func TestLegacyIsNamed(t *testing.T) {
	for name, c := range map[string]struct{ from, to *envelope.ItemEncryptor }{
		"from plaintext": {nil, encryptor(t, aes(t, 1))},
		"to plaintext":   {encryptor(t, aes(t, 1)), nil},
		"plaintext read": {encryptor(t, aes(t, 2), func(c *envelope.Config) {
			c.PlaintextPolicy = envelope.ForbidPlaintextWriteAllowPlaintextRead
		}), encryptor(t, aes(t, 1))},
	} {
		w := newWorld(t)
		table := w.legacyTable(t, 1)
		m, err := migrate.New(w.config(table, c.from, c.to))
		ok(t, err)
		report, err := m.DryRun(t.Context())
		if !errors.Is(err, migrate.ErrFailedItems) || !errors.Is(err, envelope.ErrLegacyItem) ||
			report.Counts.Failed != 1 {
			t.Errorf("%s: %+v, %v", name, report.Counts, err)
		}
	}
}

// racing changes an item once, before the first write to it.
type racing struct {
	*dynamodb.Client
	change func()
	done   atomic.Bool
	writes atomic.Int64
}

func (r *racing) before() {
	r.writes.Add(1)
	if !r.done.Swap(true) {
		r.change()
	}
}

func (r *racing) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if *in.TableName != checkpoints {
		r.before()
	}
	return r.Client.PutItem(ctx, in, o...)
}

func (r *racing) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	r.before()
	return r.Client.UpdateItem(ctx, in, o...)
}

// TestLegacyRaces: a migration writes under the old signature and all unsigned
// attributes, by put and, where there are too many names, by update.
// guarantees: M9
func TestLegacyRaces(t *testing.T) {
	var many []string
	for i := range 200 {
		many = append(many, "loose-"+strconv.Itoa(i))
	}
	set := func(w *world, table, value string) func() {
		return func() {
			_, err := w.client.UpdateItem(context.Background(), &dynamodb.UpdateItemInput{TableName: &table,
				Key: envelope.Item{"id": s("item-0")}, UpdateExpression: aws.String("SET loose = :v"),
				ExpressionAttributeValues: envelope.Item{":v": s(value)}})
			if err != nil {
				panic(err)
			}
		}
	}
	for name, c := range map[string]struct {
		names  []string
		loose  string // before
		change func(w *world, table string) func()
		want   string
	}{
		"unsigned changed":       {nil, "before", func(w *world, table string) func() { return set(w, table, "after") }, "after"},
		"unsigned added":         {nil, "", func(w *world, table string) func() { return set(w, table, "after") }, "after"},
		"unsigned changed, wide": {many, "before", func(w *world, table string) func() { return set(w, table, "after") }, "after"},
		"written by the older client": {nil, "before", func(w *world, table string) func() {
			return func() {
				plain := item(0)
				plain["loose"], plain["ward"] = s("before"), s("changed")
				_, err := w.client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: &table,
					Item: oldItem(plain)})
				if err != nil {
					panic(err)
				}
			}
		}, "before"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			table := w.table(t, 0, nil)
			plain := item(0)
			if c.loose != "" {
				plain["loose"] = s(c.loose)
			}
			w.put(t, table, oldItem(plain), nil)
			to := encryptor(t, aes(t, 1), readsLegacy(t, c.names...))
			config := w.config(table, nil, to)
			client := &racing{Client: w.client, change: c.change(w, table)}
			config.Client, config.SkipDryRun, config.Segments = client, true, 1
			m, err := migrate.New(config)
			ok(t, err)
			report, err := m.Run(t.Context())
			ok(t, err)
			if report.Counts != (migrate.Counts{Migrated: 1}) || client.writes.Load() != 2 {
				t.Errorf("%+v in %d writes", report.Counts, client.writes.Load())
			}
			opened, err := to.DecryptItem(t.Context(), w.all(t, table)[0])
			ok(t, err)
			if v, _ := opened["loose"].(*types.AttributeValueMemberS); v == nil || v.Value != c.want {
				t.Errorf("what another writer changed is lost: %v", v)
			}
			if v := opened["ward"].(*types.AttributeValueMemberS).Value; c.want == "before" && v != "changed" {
				t.Errorf("what the older client wrote is lost: %v", v)
			}
		})
	}
}

// broken is a client whose writes to items fail without a clear answer.
type broken struct{ *dynamodb.Client }

func (b broken) PutItem(ctx context.Context, in *dynamodb.PutItemInput,
	o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if *in.TableName != checkpoints {
		return nil, errDead
	}
	return b.Client.PutItem(ctx, in, o...)
}

// TestLegacyLostWrites: an old item without encrypted attributes has the values of
// its plaintext. After a write without an answer it does not count as plaintext.
func TestLegacyLostWrites(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, 0, nil)
	plain := item(0)
	delete(plain, "secret")
	w.put(t, table, oldItem(plain), nil)
	config := w.config(table, encryptor(t, aes(t, 1), readsLegacy(t)), nil)
	config.Client, config.SkipDryRun, config.Segments = broken{w.client}, true, 1
	m, err := migrate.New(config)
	ok(t, err)
	report, err := m.Run(t.Context())
	if !errors.Is(err, errDead) || report.Counts.Migrated > 0 {
		t.Errorf("%+v, %v", report.Counts, err)
	}
}

// TestLegacyCheckpoints: a checkpoint of a version without the count still counts.
func TestLegacyCheckpoints(t *testing.T) {
	w := newWorld(t)
	to := encryptor(t, aes(t, 1), readsLegacy(t))
	table := w.legacyTable(t, 3)
	config := w.config(table, nil, to)
	config.Segments = 1
	m, err := migrate.New(config)
	ok(t, err)
	_, err = m.DryRun(t.Context())
	ok(t, err)
	for _, stored := range w.all(t, checkpoints) {
		if stored["legacy"].(*types.AttributeValueMemberN).Value != "3" {
			t.Errorf("the dry run kept %v", stored["legacy"])
		}
		older := maps.Clone(stored)
		delete(older, "legacy")
		w.put(t, checkpoints, older, nil)
	}
	report, err := m.Run(t.Context())
	ok(t, err)
	if report.Counts != (migrate.Counts{Migrated: 3}) {
		t.Errorf("%+v", report.Counts)
	}
}
