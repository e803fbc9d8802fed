// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	backupSource = "arn:aws:dynamodb:us-east-1:111122223333:table/source"
	noBackup     = backupSource + "/backup/01700000000000-0123abcd"
)

// backup makes a backup of a table and returns its ARN.
func (w *world) backup(table string) string {
	w.t.Helper()
	out := w.do("CreateBackup", members{"TableName": table, "BackupName": "nightly"})
	return out["BackupDetails"].(members)["BackupArn"].(string)
}

func restoreOf(arn, table string, more members) members {
	in := members{"BackupArn": arn, "TargetTableName": table}
	maps.Copy(in, more)
	return in
}

// customKeyOverride puts a restored table under a customer managed key.
func customKeyOverride(arn string) members {
	return members{"SSESpecificationOverride": customKey(arn)["SSESpecification"]}
}

// indexed is a table with an item and an index of each kind.
func indexed(more members) members {
	all := members{"ProjectionType": "ALL"}
	in := members{"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"},
		{"AttributeName": "l", "AttributeType": "N"}},
		"GlobalSecondaryIndexes": []members{{"IndexName": "byG", "Projection": all,
			"KeySchema": []members{{"AttributeName": "g", "KeyType": "HASH"}}}},
		"LocalSecondaryIndexes": []members{{"IndexName": "byL", "Projection": members{"ProjectionType": "KEYS_ONLY"},
			"KeySchema": []members{{"AttributeName": "pk", "KeyType": "HASH"},
				{"AttributeName": "l", "KeyType": "RANGE"}}}}}
	maps.Copy(in, more)
	return in
}

func (w *world) source(more members) {
	w.t.Helper()
	w.table("source", "S", indexed(more))
	for n := range 3 {
		w.do("PutItem", members{"TableName": "source",
			"Item": members{"pk": str("a"), "sk": str(fmt.Sprint(n)), "g": str("x"), "l": num(n), "v": str("kept")}})
	}
}

// TestBackupsAskTheCaller: a caller who may not use the key that a table or a backup
// is under moves no item off it, whatever key the restored table would get. A
// refused call leaves nothing.
func TestBackupsAskTheCaller(t *testing.T) {
	w := newWorld(t)
	old, other := w.keys.newKey("old"), w.keys.newKey("other")
	w.source(customKey(old))
	arn := w.backup("source")
	override := func(spec members) members {
		return restoreOf(arn, "target", members{"SSESpecificationOverride": spec})
	}
	calls := map[string]members{"CreateBackup": {"TableName": "source", "BackupName": "hers"},
		"RestoreTableFromBackup":                    restoreOf(arn, "target", nil),
		"RestoreTableFromBackup to the owned key":   override(members{"Enabled": false}),
		"RestoreTableFromBackup to the managed key": override(members{"Enabled": true}),
		"RestoreTableFromBackup to another key":     restoreOf(arn, "target", customKeyOverride(other))}
	grants := len(w.keys.grants)
	refused := func(who, code, text string) {
		t.Helper()
		for name, in := range calls {
			operation, _, _ := strings.Cut(name, " ")
			w.keys.calls = nil
			_, err := w.try(who, operation, in)
			checkError(t, name+" by "+who, err, code, text)
			want := "Decrypt arn:aws:iam::111122223333:user/" + who + " via dynamodb.us-east-1.amazonaws.com " + old
			if !slices.Equal(w.keys.calls, []string{want}) {
				t.Errorf("%s: KMS was asked %v, want %s", name, w.keys.calls, want)
			}
		}
		w.fails("DescribeTable", members{"TableName": "target"}, "ResourceNotFoundException", "")
		if n := len(w.do("ListBackups", members{})["BackupSummaries"].([]any)); n != 1 || len(w.keys.grants) != grants {
			t.Errorf("%d backups and %d grants are left", n, len(w.keys.grants))
		}
	}
	w.keys.denied["eve"] = true
	refused("eve", "AccessDeniedException", "KMS key access denied error: "+
		"com.amazonaws.services.kms.model.AWSKMSException: User: arn:aws:iam::111122223333:user/eve is not "+
		"authorized to perform: kms:Decrypt (Service: AWSKMS; …")
	w.keys.set(old, "Disabled")
	refused("admin", "ValidationException", "KMS key disabled error: "+
		"com.amazonaws.services.kms.model.DisabledException: "+old+" is disabled. (…")
	w.keys.set(old, "Enabled")

	// A backup stays under the key of its day.
	w.do("UpdateTable", members{"TableName": "source", "SSESpecification": customKey(other)["SSESpecification"]})
	w.keys.set(other, "Disabled")
	w.do("RestoreTableFromBackup", override(members{"Enabled": false}))
	if d := w.described("target"); d["SSEDescription"] != nil || d["ItemCount"] != 3.0 {
		t.Errorf("restored as %v", d)
	}
	w.keys.set(other, "Enabled")
	w.do("RestoreTableFromBackup", restoreOf(arn, "moved", customKeyOverride(other)))
	w.do("RestoreTableFromBackup", restoreOf(arn, "same", nil))
	for table, want := range map[string]string{"moved": other, "same": old} {
		if got := w.described(table)["SSEDescription"].(members)["KMSMasterKeyArn"]; got != want {
			t.Errorf("%s is under %v", table, got)
		}
	}
	w.keys.set(old, "")
	w.fails("RestoreTableFromBackup", restoreOf(arn, "late", nil), "ValidationException",
		"KMS validation error: com.amazonaws.services.kms.model.NotFoundException: …")
}

// TestBackupOfATableThatChanges: a table that gets another key while KMS is asked for
// the first is backed up under the second, and one that is deleted is not there.
func TestBackupOfATableThatChanges(t *testing.T) {
	keys := &interruptedKeys{fakeKeys: newFakeKeys()}
	w := newWorld(t, func(c *Config) { c.Keys, c.Store = keys, storagetest.NewRecorder() })
	w.keys = keys.fakeKeys
	first, second := w.keys.newKey("first"), w.keys.newKey("second")
	w.source(customKey(first))
	in := members{"TableName": "source", "BackupName": "nightly"}
	keys.interrupt = func() {
		w.do("UpdateTable", members{"TableName": "source", "SSESpecification": customKey(second)["SSESpecification"]})
	}
	made, err := w.try("writer", "CreateBackup", in)
	if err != nil {
		t.Fatal(err)
	}
	w.keys.set(first, "")
	arn := made["BackupDetails"].(members)["BackupArn"].(string)
	w.do("RestoreTableFromBackup", restoreOf(arn, "target", nil))
	if got := w.described("target"); got["SSEDescription"].(members)["KMSMasterKeyArn"] != second ||
		got["ItemCount"] != 3.0 {
		t.Errorf("restored as %v", got)
	}
	keys.interrupt = func() { w.do("DeleteTable", members{"TableName": "source"}) }
	_, err = w.try("writer", "CreateBackup", in)
	checkError(t, "a backup of a table that is deleted", err, "TableNotFoundException", "Table not found: source")
	if n := len(w.do("ListBackups", members{})["BackupSummaries"].([]any)); n != 1 {
		t.Errorf("%d backups", n)
	}
}

// TestBackupUnderTheOwnedKeyAsksNobody: DynamoDB's own key is DynamoDB's.
func TestBackupUnderTheOwnedKeyAsksNobody(t *testing.T) {
	w := newWorld(t)
	w.source(nil)
	w.do("RestoreTableFromBackup", restoreOf(w.backup("source"), "target", nil))
	if len(w.keys.calls) != 0 {
		t.Errorf("KMS was asked %v", w.keys.calls)
	}
}

// TestBackupStates: with the activation fault a backup is CREATING for a while and a
// table that is restored from it keeps it in use.
func TestBackupStates(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Faults.Activation = 20 * time.Second })
	w.table("source", "", nil)
	w.fails("CreateBackup", members{"TableName": "source", "BackupName": "early"}, "TableNotFoundException",
		"Table not found: source")
	w.advance(20 * time.Second)
	arn := w.backup("source")
	w.fails("DeleteBackup", members{"BackupArn": arn}, "BackupInUseException", "Backup is being created: "+arn)
	w.fails("RestoreTableFromBackup", restoreOf(arn, "target", nil), "BackupInUseException", "")
	w.advance(20 * time.Second)
	w.do("RestoreTableFromBackup", restoreOf(arn, "target", nil))
	if got := w.described("target"); got["TableStatus"] != "CREATING" ||
		got["RestoreSummary"].(members)["SourceBackupArn"] != arn {
		t.Errorf("while it is restored: %v", got)
	}
	w.fails("DeleteBackup", members{"BackupArn": arn}, "BackupInUseException",
		"Backup is being used to restore table: "+arn)
	w.fails("RestoreTableFromBackup", restoreOf(arn, "other", nil), "BackupInUseException",
		"Backup is being used to restore another table: "+arn)
	w.fails("RestoreTableFromBackup", restoreOf(arn, "target", nil), "TableInUseException",
		"Table: target is already being restored from backup: "+arn)
	w.fails("CreateTable", members{"TableName": "target", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []members{{"AttributeName": "pk", "AttributeType": "S"}},
		"KeySchema":            []members{{"AttributeName": "pk", "KeyType": "HASH"}}}, "ResourceInUseException",
		"Table is being used: target")
	w.advance(20 * time.Second)
	if got := w.described("target"); got["TableStatus"] != "ACTIVE" || got["RestoreSummary"] != nil {
		t.Errorf("once it is restored: %v", got)
	}
	w.do("DeleteBackup", members{"BackupArn": arn})
}

// TestListBackups: filters, bounds and pages.
func TestListBackups(t *testing.T) {
	w := newWorld(t)
	w.table("one", "", nil)
	w.table("two", "", nil)
	var arns []string
	for range 3 {
		arns = append(arns, w.backup("one"))
		w.advance(time.Minute)
	}
	arns = append(arns, w.backup("two"))
	list := func(in members) (got []string) {
		t.Helper()
		for {
			out := w.do("ListBackups", in)
			for _, s := range out["BackupSummaries"].([]any) {
				m := s.(members)
				if m["BackupStatus"] != "AVAILABLE" || m["BackupType"] != "USER" || m["BackupName"] != "nightly" ||
					m["TableId"] == "" || m["TableArn"] != "arn:aws:dynamodb:us-east-1:111122223333:table/"+
					m["TableName"].(string) {
					t.Errorf("summary %v", m)
				}
				got = append(got, m["BackupArn"].(string))
			}
			if out["LastEvaluatedBackupArn"] == nil {
				return got
			}
			in = maps.Clone(in)
			in["ExclusiveStartBackupArn"] = out["LastEvaluatedBackupArn"]
		}
	}
	for name, c := range map[string]struct {
		in   members
		want []string
	}{
		"all":                   {members{}, arns},
		"pages":                 {members{"Limit": 1}, arns},
		"of a table":            {members{"TableName": "one"}, arns[:3]},
		"of a table by its ARN": {members{"TableName": "arn:aws:dynamodb:us-east-1:111122223333:table/two"}, arns[3:]},
		"of an unknown table":   {members{"TableName": "none"}, nil},
		"of users":              {members{"BackupType": "USER"}, arns},
		"of every type":         {members{"BackupType": "ALL"}, arns},
		"of the system":         {members{"BackupType": "SYSTEM"}, nil},
		"from the second on":    {members{"TimeRangeLowerBound": 1_700_000_060}, arns[1:]},
		"before the third":      {members{"TimeRangeUpperBound": 1_700_000_120}, arns[:2]},
		"between":               {members{"TimeRangeLowerBound": 1_700_000_060, "TimeRangeUpperBound": 1_700_000_060}, nil},
	} {
		if got := list(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	for _, c := range []struct{ operation, message string }{
		{`{"TimeRangeLowerBound":2,"TimeRangeUpperBound":1}`,
			"Time range lower bound must be less than or equal to upper bound"},
		{`{"Limit":101}`, "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member " +
			"must have value less than or equal to 100"},
		{`{"BackupType":"OLD"}`, "1 validation error detected: Value 'OLD' at 'backupType' failed to satisfy " +
			"constraint: Member must satisfy enum value set: [USER, SYSTEM, AWS_BACKUP, ALL]"},
		{`{"ExclusiveStartBackupArn":"` + strings.Repeat("x", 40) + `"}`, "Invalid Backup ARN"},
	} {
		w.fails("ListBackups", c.operation, "ValidationException", c.message)
	}
}

// TestBackupRequests: what is refused without a backup.
func TestBackupRequests(t *testing.T) {
	w := newWorld(t)
	w.table("source", "", nil)
	for _, c := range []struct {
		operation     string
		in            members
		code, message string
	}{
		{"CreateBackup", members{"TableName": "none", "BackupName": "nightly"}, "TableNotFoundException",
			"Table not found: none"},
		{"CreateBackup", members{"TableName": "source", "BackupName": "a b"}, "ValidationException",
			"1 validation error detected: Value 'a b' at 'backupName' failed to satisfy constraint: Member must " +
				"satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		{"CreateBackup", members{"TableName": "source"}, "ValidationException", "1 validation error detected: Value " +
			"null at 'backupName' failed to satisfy constraint: Member must not be null"},
		{"DescribeBackup", members{"BackupArn": strings.Repeat("x", 40)}, "ValidationException", "Invalid Backup ARN"},
		{"DescribeBackup", members{"BackupArn": backupSource}, "ValidationException", "BackupArn is not valid"},
		{"DescribeBackup", members{"BackupArn": "x"}, "ValidationException", "1 validation error detected: Value 'x' " +
			"at 'backupArn' failed to satisfy constraint: Member must have length greater than or equal to 37"},
		{"DescribeBackup", members{"BackupArn": noBackup}, "BackupNotFoundException", "Backup not found: " + noBackup},
		{"DeleteBackup", members{"BackupArn": noBackup}, "BackupNotFoundException", "Backup not found: " + noBackup},
		{"DeleteBackup", members{"BackupArn": strings.Replace(noBackup, "us-east-1", "eu-west-1", 1)},
			"BackupNotFoundException", ""},
		{"RestoreTableFromBackup", restoreOf(noBackup, "target", nil), "BackupNotFoundException", ""},
		{"RestoreTableFromBackup", restoreOf(noBackup, "t", nil), "ValidationException",
			"1 validation error detected: Value 't' at 'targetTableName' failed to satisfy constraint: Member must " +
				"have length greater than or equal to 3"},
		{"RestoreTableFromBackup", restoreOf(strings.Replace(noBackup, "us-east-1", "eu-west-1", 1), "target", nil),
			"ValidationException", "BackupArn is not supported by this embedded DynamoDB if it names a backup of " +
				"another Region"},
		{"DescribeBackup", members{"BackupArn": strings.Replace(noBackup, testAccount, "444455556666", 1)},
			"AccessDeniedException", "Access is denied"},
	} {
		w.fails(c.operation, c.in, c.code, c.message)
	}
}

// TestBackupOnDisk: on disk a backup is sealed, an entry that was moved, changed or
// taken away is noticed, and a deleted backup leaves nothing.
func TestBackupOnDisk(t *testing.T) {
	type entry struct{ key, value []byte }
	bucket := func(arn string) storage.Bucket {
		return storage.Bucket{Name: "dynamodb/backupitems/" + arn, PlainValues: true}
	}
	entries := func(store storage.Store, arn string) (list []entry) {
		if err := store.Range(bucket(arn), func(key, value []byte) error {
			list = append(list, entry{key, value})
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return list
	}
	for name, harm := range map[string]func(tx *storage.Tx, arn string, list, other []entry){
		"moved": func(tx *storage.Tx, arn string, list, _ []entry) { tx.Put(bucket(arn), list[0].key, list[1].value) },
		"of another": func(tx *storage.Tx, arn string, list, other []entry) {
			tx.Put(bucket(arn), list[0].key, other[0].value)
		},
		"taken away": func(tx *storage.Tx, arn string, list, _ []entry) { tx.Delete(bucket(arn), list[2].key) },
		"of the table": func(tx *storage.Tx, arn string, list, other []entry) {
			tx.Put(bucket(arn), list[0].key, other[3].value)
		},
		"there again": func(tx *storage.Tx, arn string, list, other []entry) {
			tx.Put(bucket(arn), other[0].key, list[0].value)
		},
		"not there yet": func(*storage.Tx, string, []entry, []entry) {},
	} {
		store := storagetest.NewRecorder()
		w := newWorld(t, func(c *Config) { c.Store = store })
		w.source(customKey(w.keys.newKey("one")))
		arn, second := w.backup("source"), w.backup("source")
		def := w.s.lookup(schema.Target{Place: wire.Place{Account: testAccount, Region: testRegion},
			Name: "source"}).def
		other := entries(store, second)
		if err := store.Range(storage.Bucket{Name: "dynamodb/items/" + def.ID + "/1", PlainValues: true},
			func(key, value []byte) error { other = append(other, entry{key, value}); return nil }); err != nil {
			t.Fatal(err)
		}
		list := entries(store, arn)
		if len(list) != 3 || len(other) != 6 || bytes.Contains(fmt.Append(nil, list), []byte("kept")) {
			t.Fatalf("%d and %d entries", len(list), len(other))
		}
		tx := new(storage.Tx)
		harm(tx, arn, list, other)
		harmed := tx.Len() > 0
		if err := store.Submit(tx).Wait(); err != nil {
			t.Fatal(err)
		}
		w.restart()
		grants := len(w.keys.grants)
		_, err := w.try("admin", "RestoreTableFromBackup", restoreOf(arn, "target", nil))
		if !harmed {
			if err != nil {
				t.Errorf("an entry %s: %v", name, err)
			}
		} else {
			checkError(t, "an entry "+name, err, "InternalServerError", "")
			if len(w.keys.grants) != grants {
				t.Errorf("an entry %s: a grant is left", name)
			}
		}
		w.do("DeleteBackup", members{"BackupArn": arn})
		w.restart()
		if left := entries(store, arn); len(left) != 0 {
			t.Errorf("a deleted backup leaves %d entries", len(left))
		}
		w.fails("DescribeBackup", members{"BackupArn": arn}, "BackupNotFoundException", "")
		w.do("DescribeBackup", members{"BackupArn": second})
	}
}

// TestBackupFileHoldsNothingInTheClear searches the data file for what a backup
// holds, after the table is gone.
func TestBackupFileHoldsNothingInTheClear(t *testing.T) {
	dir := t.TempDir()
	keys := newLastingKeys()
	w := &world{t: t, keys: keys.fakeKeys, cfg: Config{Store: mustOpen(t, dir), Keys: keys}}
	w.cfg.Authorizer, w.cfg.Principals = w, w
	w.restart()
	w.table("crash", "", customKey(lastingKey))
	w.do("PutItem", members{"TableName": "crash", "Item": members{"pk": str(clearKey), "v": str(clearValue)}})
	arn := w.backup("crash")
	w.do("DeleteTable", members{"TableName": "crash"})
	if err := w.cfg.Store.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, needle := range []string{clearValue, clearKey} {
			if bytes.Contains(raw, []byte(needle)) {
				t.Errorf("%s holds %s", filepath.Base(file), needle)
			}
		}
	}
	w.cfg.Store = mustOpen(t, dir)
	defer w.cfg.Store.Close()
	w.restart()
	w.do("RestoreTableFromBackup", restoreOf(arn, "again", nil))
	got := w.do("GetItem", members{"TableName": "again", "Key": members{"pk": str(clearKey)}})["Item"]
	if text, _ := json.Marshal(got); !strings.Contains(string(text), clearValue) {
		t.Errorf("restored %s", text)
	}
}
