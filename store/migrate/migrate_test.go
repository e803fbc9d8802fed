// SPDX-License-Identifier: Apache-2.0

package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

const count = 40

// TestDirections: every change of state, each followed by a second migration
// that finds nothing to do.
func TestDirections(t *testing.T) {
	a, b := aes(t, 1), aes(t, 2)
	one := materials.NewBranchKey("tenant", "11111111-1111-4111-8111-111111111111", [32]byte{1})
	two := materials.NewBranchKey("tenant", "22222222-2222-4222-8222-222222222222", [32]byte{2})
	branch := func(keys ...*materials.BranchKey) materials.Keyring {
		source, err := keyring.NewMemorySource(keys...)
		ok(t, err)
		k, err := keyring.NewHierarchical(keyring.HierarchicalConfig{Source: source, BranchKeyID: "tenant"})
		ok(t, err)
		return k
	}
	both, err := keyring.NewMulti(b, a)
	ok(t, err)
	action := func(name string, action envelope.Action) change {
		return func(c *envelope.Config) {
			c.Actions[name] = action
			c.AllowedUnsigned = nil
			for n, action := range c.Actions {
				if action == envelope.DoNothing {
					c.AllowedUnsigned = append(c.AllowedUnsigned, n)
				}
			}
		}
	}
	for name, c := range map[string]struct{ from, to *envelope.ItemEncryptor }{
		"plaintext to encrypted":      {nil, encryptor(t, a)},
		"encrypted to plaintext":      {encryptor(t, a), nil},
		"key to key":                  {encryptor(t, a), encryptor(t, b)},
		"key to two keys":             {encryptor(t, a), encryptor(t, both)},
		"key to branch key":           {encryptor(t, a), encryptor(t, branch(one))},
		"version of a branch key":     {encryptor(t, branch(one)), encryptor(t, branch(one, two))},
		"sign to encrypt":             {encryptor(t, a), encryptor(t, a, action("ward", envelope.EncryptAndSign))},
		"signed to unsigned":          {encryptor(t, a), encryptor(t, a, action("ward", envelope.DoNothing))},
		"unsigned to encrypted":       {encryptor(t, a), encryptor(t, a, action("note", envelope.EncryptAndSign))},
		"suite":                       {encryptor(t, a), encryptor(t, a, func(c *envelope.Config) { c.AlgorithmSuite = envelope.SuiteDigitalSignature })},
		"logical table name":          {encryptor(t, a), encryptor(t, a, func(c *envelope.Config) { c.LogicalTableName = "other" })},
		"attributes into the context": {encryptor(t, a), encryptor(t, a, action("id", envelope.SignAndIncludeInEncryptionContext), action("ward", envelope.SignAndIncludeInEncryptionContext))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			table := w.table(t, count, c.from)
			before := len(w.all(t, table))
			config := w.config(table, c.from, c.to)
			m, err := migrate.New(config)
			ok(t, err)
			if _, err := m.Run(t.Context()); !errors.Is(err, migrate.ErrNoDryRun) {
				t.Fatalf("without a dry run: %v", err)
			}
			dry, real := migrated(t, config)
			want := migrate.Counts{Outdated: count}
			if c.from == nil {
				want = migrate.Counts{Plaintext: count}
			}
			if dry != want || real != (migrate.Counts{Migrated: count}) {
				t.Errorf("dry run %+v, run %+v", dry, real)
			}
			w.opens(t, table, c.to, before)
			config.ID += " again"
			dry, real = migrated(t, config)
			if want := (migrate.Counts{Current: count}); dry != want || real != want {
				t.Errorf("again: dry run %+v, run %+v", dry, real)
			}
		})
	}
}

// guarantees: M1
func TestDryRunWritesNothing(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, count, nil)
	m, err := migrate.New(w.config(table, nil, encryptor(t, aes(t, 1))))
	ok(t, err)
	report, err := m.DryRun(t.Context())
	ok(t, err)
	if report.Counts.Plaintext != count {
		t.Errorf("%+v", report.Counts)
	}
	w.opens(t, table, nil, count)
}

// guarantees: M3
func TestFailedItems(t *testing.T) {
	w := newWorld(t)
	to := encryptor(t, aes(t, 1))
	table := w.table(t, count, nil)
	odd := item(1)
	odd["undeclared"] = s("sensitive")
	w.put(t, table, odd, nil)
	big := item(2)
	big["secret"] = s(strings.Repeat("x", 400<<10-100))
	w.put(t, table, big, nil)
	w.put(t, table, item(3), encryptor(t, aes(t, 9))) // under a lost key
	w.put(t, table, item(4), to)
	_, err := w.client.UpdateItem(t.Context(),
		&dynamodb.UpdateItemInput{TableName: &table, Key: envelope.Item{"id": s("item-4")},
			UpdateExpression: aws.String("SET ward = :w"), ExpressionAttributeValues: envelope.Item{":w": s("forged")}})
	ok(t, err)
	config := w.config(table, nil, to)
	config.SkipDryRun = true
	m, err := migrate.New(config)
	ok(t, err)
	for _, phase := range []struct {
		do   func() (migrate.Report, error)
		want migrate.Counts
	}{
		{func() (migrate.Report, error) { return m.DryRun(t.Context()) }, migrate.Counts{Plaintext: count - 4, Failed: 4}},
		{func() (migrate.Report, error) { return m.Run(t.Context()) }, migrate.Counts{Migrated: count - 4, Failed: 4}},
	} {
		report, err := phase.do()
		if !errors.Is(err, migrate.ErrFailedItems) || report.Counts != phase.want || len(report.Failures) != 4 {
			t.Fatalf("%v, %+v", err, report)
		}
		found := map[string]error{}
		for _, f := range report.Failures {
			var item *store.ItemError
			if !errors.As(f, &item) || strings.Contains(f.Error(), "sensitive") ||
				strings.Contains(f.Error(), "forged") {
				t.Errorf("%v", f)
				continue
			}
			found[item.Key.Partition.(*types.AttributeValueMemberS).Value] = f
		}
		for id, is := range map[string]error{"item-1": envelope.ErrInvalidItem, "item-2": store.ErrItemTooLarge,
			"item-3": envelope.ErrMaterials, "item-4": envelope.ErrTampered} {
			if !errors.Is(found[id], is) {
				t.Errorf("%s: %v", id, found[id])
			}
		}
	}
	// Once they are repaired, the same migration does the rest.
	for i := range 4 {
		w.put(t, table, item(i+1), nil)
	}
	report, err := m.Run(t.Context())
	ok(t, err)
	if report.Counts.Failed != 0 || report.Counts.Migrated < 4 || report.Counts.Total() != count {
		t.Errorf("%+v", report.Counts)
	}
	w.opens(t, table, to, count)
}

func TestThrottled(t *testing.T) {
	w := newWorld(t)
	to := encryptor(t, aes(t, 1))
	table := w.table(t, count, nil)
	ok(t, w.server.SetFaults(localaws.Faults{Seed: 4,
		Rules: []localaws.Fault{{Kind: localaws.FaultThrottle, Service: "dynamodb", Rate: 0.05}}}))
	_, real := migrated(t, w.config(table, nil, to))
	if real.Migrated != count {
		t.Errorf("%+v", real)
	}
	ok(t, w.server.SetFaults(localaws.Faults{}))
	w.opens(t, table, to, count)
}

func TestShares(t *testing.T) {
	w := newWorld(t)
	to := encryptor(t, aes(t, 1))
	table := w.table(t, count, nil)
	total := migrate.Counts{}
	for index := range 3 {
		config := w.config(table, nil, to)
		config.Segments, config.Share = 7, migrate.Share{Index: index, Total: 3}
		_, real := migrated(t, config)
		total.Migrated += real.Migrated
		total.Current += real.Current
	}
	if total != (migrate.Counts{Migrated: count}) {
		t.Errorf("%+v", total)
	}
	w.opens(t, table, to, count)
}

func TestShareFromEnvironment(t *testing.T) {
	for _, c := range []struct {
		env   string
		total int
		want  migrate.Share
		bad   bool
	}{
		{"", 0, migrate.Share{Total: 1}, false},
		{"AWS_BATCH_JOB_ARRAY_INDEX=2 AWS_BATCH_JOB_ARRAY_SIZE=5", 0, migrate.Share{Index: 2, Total: 5}, false},
		{"AWS_BATCH_JOB_ARRAY_INDEX=2", 4, migrate.Share{Index: 2, Total: 4}, false},
		{"JOB_COMPLETION_INDEX=3", 8, migrate.Share{Index: 3, Total: 8}, false},
		{"JOB_COMPLETION_INDEX=3", 0, migrate.Share{}, true},
		{"JOB_COMPLETION_INDEX=8", 8, migrate.Share{}, true},
		{"JOB_COMPLETION_INDEX=x", 8, migrate.Share{}, true},
		{"AWS_BATCH_JOB_ARRAY_INDEX=0", 0, migrate.Share{}, true},
	} {
		lookup := func(name string) (string, bool) {
			for v := range strings.FieldsSeq(c.env) {
				if k, value, _ := strings.Cut(v, "="); k == name {
					return value, true
				}
			}
			return "", false
		}
		got, err := migrate.ShareFromEnvironment(lookup, c.total)
		if (err != nil) != c.bad || !c.bad && got != c.want || c.bad && !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%s of %d: %+v, %v", c.env, c.total, got, err)
		}
	}
}

func TestProgressAndLimits(t *testing.T) {
	w := newWorld(t)
	table := w.table(t, 30, nil)
	config := w.config(table, nil, encryptor(t, aes(t, 1)))
	config.SkipDryRun, config.WriteUnits, config.ReadUnits = true, 40, 1000
	var last migrate.Progress
	calls := 0
	config.Progress = func(p migrate.Progress) {
		if p.Counts.Total() < last.Counts.Total() || p.SegmentsDone < last.SegmentsDone {
			t.Error("progress went back")
		}
		last = p
		calls++
	}
	m, err := migrate.New(config)
	ok(t, err)
	_, err = m.Run(t.Context()) // 30 units are within the first second's budget
	ok(t, err)
	if last.Counts.Migrated != 30 || last.SegmentsDone != 3 || last.Segments != 3 || last.ItemsPerSecond <= 0 ||
		calls < 6 {
		t.Errorf("%d calls, %+v", calls, last)
	}
	again := w.config(w.table(t, 30, nil), nil, config.To)
	again.SkipDryRun, again.WriteUnits = true, 20
	if m, err = migrate.New(again); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err = m.Run(t.Context())
	ok(t, err)
	// 30 units at 20 a second with 20 at the beginning: half a second.
	if took := time.Since(begin); took < 450*time.Millisecond {
		t.Errorf("30 units took %v", took)
	}
}

// TestTooWide: a plaintext item that one condition cannot compare is left and
// named.
func TestTooWide(t *testing.T) {
	w := newWorld(t)
	wide := item(0)
	to := encryptor(t, aes(t, 1), func(c *envelope.Config) {
		for i := range 160 {
			n := fmt.Sprint("attribute-", i)
			wide[n], c.Actions[n] = s("x"), envelope.EncryptAndSign
		}
	})
	table := w.table(t, 0, nil)
	w.put(t, table, wide, nil)
	config := w.config(table, nil, to)
	config.SkipDryRun = true
	m, err := migrate.New(config)
	ok(t, err)
	for phase, do := range map[string]func(context.Context) (migrate.Report, error){"dry run": m.DryRun, "run": m.Run} {
		r, err := do(t.Context())
		if !errors.Is(err, store.ErrTooWide) || !errors.Is(err, migrate.ErrFailedItems) ||
			r.Counts != (migrate.Counts{Failed: 1}) {
			t.Errorf("%s: %+v, %v", phase, r.Counts, err)
		}
	}
}
