// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
	"github.com/ddbseal/ddbseal/store"
	"github.com/ddbseal/ddbseal/store/migrate"
)

// TestMigratePage takes the steps of docs/migrating.md, with a program of the step
// before still running, and goes back.
func TestMigratePage(t *testing.T) {
	ctx, db := t.Context(), dynamodb.NewFromConfig(localawstest.New(t).Root())
	key, err := keyring.NewRawAES(keyring.RawAESConfig{Namespace: "clinic", Name: "2026",
		Key: bytes.Repeat([]byte{1}, 32)})
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(err)
	table := func(m store.Mode) *store.Table[Patient] {
		t.Helper()
		patients, err := store.New[Patient](db, "patients", m)
		ok(err)
		return patients
	}
	encrypted := func(id string) bool {
		t.Helper()
		out, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("patients"),
			Key: envelope.Item{"id": &types.AttributeValueMemberS{Value: id}}})
		ok(err)
		_, binary := out.Item["diagnosis"].(*types.AttributeValueMemberB)
		return binary
	}
	patient := func(id string) Patient { return Patient{id, "north", "hay fever"} }
	reads := func(step string, patients *store.Table[Patient], ids string) {
		t.Helper()
		for id := range strings.SplitSeq(ids, "") {
			if got, err := patients.Get(ctx, store.Key{Partition: id}); err != nil || got != patient(id) {
				t.Errorf("%s: item %s: %v, %v", step, id, got, err)
			}
		}
	}
	before := table(store.ServerSide{})
	first := table(store.ClientSide{Keyring: key, PlaintextPolicy: envelope.ForcePlaintextWriteAllowPlaintextRead})
	second := table(store.ClientSide{Keyring: key, PlaintextPolicy: envelope.ForbidPlaintextWriteAllowPlaintextRead})
	last := table(store.ClientSide{Keyring: key})

	ok(store.Create(ctx, store.CreateOptions{}, before))
	ok(before.Put(ctx, patient("1")))
	ok(first.Check(ctx))
	ok(first.Put(ctx, patient("2")))
	reads("program from before", before, "12")
	filter := expression.Name("diagnosis").Equal(first.Value("hay fever"))
	if _, err := first.ScanPage(ctx, store.Scan{Filter: filter}, ""); !errors.Is(err, store.ErrEncryptedAttribute) {
		t.Errorf("a filter on an attribute to encrypt, in step 1: %v", err)
	}

	ok(second.Put(ctx, patient("3")))
	reads("step 1", first, "123")
	reads("step 2", second, "123")
	ok(first.Put(ctx, patient("4"))) // still running
	if encrypted("1") || encrypted("2") || !encrypted("3") || encrypted("4") {
		t.Error("before the migration, item 3 alone must be encrypted")
	}
	if _, err := last.Get(ctx, store.Key{Partition: "1"}); !errors.Is(err, envelope.ErrNotEncrypted) {
		t.Errorf("plaintext in step 4: %v", err)
	}

	ok(migrate.CreateCheckpointTable(ctx, db, "migrations"))
	convert := func(c migrate.Config) migrate.Report {
		t.Helper()
		c.Client, c.Table, c.CheckpointTable = db, "patients", "migrations"
		m, err := migrate.New(c)
		ok(err)
		_, err = m.DryRun(ctx)
		ok(err)
		report, err := m.Run(ctx)
		ok(err)
		return report
	}
	c := convert(migrate.Config{ID: "encrypt-2026", To: last.Encryptor()}).Counts
	if c.Migrated != 3 || c.Current != 1 {
		t.Errorf("forth: %+v", c)
	}
	reads("step 2", second, "1234")
	reads("step 4", last, "1234")

	if c := convert(migrate.Config{ID: "back", From: last.Encryptor()}).Counts; c.Migrated != 4 {
		t.Errorf("back: %+v", c)
	}
	reads("step 1 again", first, "1234")
	reads("program from before", before, "1234")
}
