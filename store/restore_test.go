// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ddbseal/ddbseal/store"
)

// TestRestoredTable: an encrypted table that was restored from a backup under
// another name opens by its logical name, and by no other.
func TestRestoredTable(t *testing.T) {
	t.Parallel()
	type note struct {
		ID   string `dynamodbav:"id" seal:"partition"`
		Text string `dynamodbav:"text"`
	}
	w := newWorld(t)
	w.onlyLocal(t, "backups")
	name := w.table(t, "id:S")
	mode := clientSide(t)
	want := note{"1", "kept"}
	ok(t, open[note](t, w.client, name, mode).Put(t.Context(), want))
	made, err := w.client.CreateBackup(t.Context(),
		&dynamodb.CreateBackupInput{TableName: &name, BackupName: aws.String("nightly")})
	ok(t, err)
	_, err = w.client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &name})
	ok(t, err)
	_, err = w.client.RestoreTableFromBackup(t.Context(), &dynamodb.RestoreTableFromBackupInput{
		BackupArn: made.BackupDetails.BackupArn, TargetTableName: aws.String("restored")})
	ok(t, err)

	got, err := open[note](t, w.client, "restored", mode).Get(t.Context(), store.Key{Partition: "1"})
	if err != nil || got != want {
		t.Errorf("by the logical name: %v, %v", got, err)
	}
	mode.LogicalTableName = ""
	if _, err := open[note](t, w.client, "restored", mode).Get(t.Context(), store.Key{Partition: "1"}); err == nil ||
		errors.Is(err, store.ErrNotFound) {
		t.Errorf("by the name of the restored table: %v", err)
	}
}
