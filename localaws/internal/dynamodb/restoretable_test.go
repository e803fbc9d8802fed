// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

// TestBackupAndRestore: a backup holds the items of its moment, outlives the table,
// and is restored with the indexes, the billing mode and the key of the table, and
// without the rest of its settings.
func TestBackupAndRestore(t *testing.T) {
	for _, store := range []storage.Store{storage.Memory{}, storagetest.NewRecorder()} {
		w := newWorld(t, func(c *Config) { c.Store = store })
		key := w.keys.newKey("one")
		w.source(members{"SSESpecification": customKey(key)["SSESpecification"], "DeletionProtectionEnabled": true,
			"TableClass": "STANDARD_INFREQUENT_ACCESS", "Tags": []members{{"Key": "a", "Value": "b"}},
			"OnDemandThroughput": members{"MaxReadRequestUnits": 7}})
		w.do("UpdateTimeToLive", members{"TableName": "source",
			"TimeToLiveSpecification": members{"Enabled": true, "AttributeName": "until"}})
		w.do("UpdateContinuousBackups", members{"TableName": "source",
			"PointInTimeRecoverySpecification": members{"PointInTimeRecoveryEnabled": true}})
		w.do("PutResourcePolicy", members{"ResourceArn": backupSource, "Policy": tablePolicy("alice", "GetItem")})
		table := w.described("source")
		wanted, _ := w.all("Scan", members{"TableName": "source"})
		made := w.do("CreateBackup", members{"TableName": "source", "BackupName": "nightly"})["BackupDetails"].(members)
		arn := made["BackupArn"].(string)
		if !strings.HasPrefix(arn, backupSource+"/backup/01700000000000-") || len(arn) != len(noBackup) {
			t.Errorf("the backup is %s", arn)
		}
		details := members{"BackupArn": arn, "BackupName": "nightly", "BackupStatus": "CREATING", "BackupType": "USER",
			"BackupCreationDateTime": 1.7e9, "BackupSizeBytes": table["TableSizeBytes"]}
		if fmt.Sprint(made) != fmt.Sprint(details) {
			t.Errorf("CreateBackup answers %v, want %v", made, details)
		}
		w.do("DeleteItem", members{"TableName": "source", "Key": members{"pk": str("a"), "sk": str("1")}})
		w.do("UpdateTable", members{"TableName": "source", "DeletionProtectionEnabled": false})
		w.do("DeleteTable", members{"TableName": "source"})
		if store.Durable() {
			w.restart()
		}

		details["BackupStatus"] = "AVAILABLE"
		description := members{"BackupDetails": details,
			"SourceTableDetails": members{"TableName": "source", "TableId": table["TableId"], "TableArn": backupSource,
				"TableSizeBytes": table["TableSizeBytes"], "KeySchema": table["KeySchema"], "ItemCount": 3.0,
				"TableCreationDateTime": table["CreationDateTime"], "BillingMode": "PAY_PER_REQUEST",
				"OnDemandThroughput":    members{"MaxReadRequestUnits": 7.0},
				"ProvisionedThroughput": members{"ReadCapacityUnits": 0.0, "WriteCapacityUnits": 0.0}},
			"SourceTableFeatureDetails": members{
				"GlobalSecondaryIndexes": []any{members{"IndexName": "byG",
					"Projection":            members{"ProjectionType": "ALL"},
					"KeySchema":             []any{members{"AttributeName": "g", "KeyType": "HASH"}},
					"ProvisionedThroughput": members{"ReadCapacityUnits": 0.0, "WriteCapacityUnits": 0.0}}},
				"LocalSecondaryIndexes": []any{members{"IndexName": "byL",
					"Projection": members{"ProjectionType": "KEYS_ONLY"},
					"KeySchema": []any{members{"AttributeName": "pk", "KeyType": "HASH"},
						members{"AttributeName": "l", "KeyType": "RANGE"}}}},
				"TimeToLiveDescription": members{"TimeToLiveStatus": "ENABLED", "AttributeName": "until"},
				"SSEDescription":        members{"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}}}
		got := w.do("DescribeBackup", members{"BackupArn": arn})["BackupDescription"]
		if fmt.Sprint(got) != fmt.Sprint(description) {
			t.Errorf("DescribeBackup answers\n%v, want\n%v", got, description)
		}

		w.advance(time.Minute)
		restored := w.do("RestoreTableFromBackup", restoreOf(arn, "target", nil))["TableDescription"].(members)
		summary := members{"SourceBackupArn": arn, "SourceTableArn": backupSource, "RestoreDateTime": 1.70000006e9,
			"RestoreInProgress": true}
		if restored["TableStatus"] != "CREATING" || fmt.Sprint(restored["RestoreSummary"]) != fmt.Sprint(summary) ||
			restored["ItemCount"] != 3.0 || restored["TableId"] == table["TableId"] {
			t.Errorf("restored as %v", restored)
		}
		if store.Durable() {
			w.restart()
		}
		if items, _ := w.all("Scan", members{"TableName": "target"}); fmt.Sprint(items) != fmt.Sprint(wanted) {
			t.Errorf("restored %v, want %v", items, wanted)
		}
		for _, index := range []string{"byG", "byL"} {
			if n := w.do("Scan", members{"TableName": "target", "IndexName": index})["Count"]; n != 3.0 {
				t.Errorf("%s has %v items", index, n)
			}
		}
		after := w.described("target")
		for _, name := range []string{"KeySchema", "AttributeDefinitions", "SSEDescription", "OnDemandThroughput",
			"ItemCount", "TableSizeBytes"} {
			if fmt.Sprint(after[name]) != fmt.Sprint(table[name]) {
				t.Errorf("%s is %v, was %v", name, after[name], table[name])
			}
		}
		if after["TableStatus"] != "ACTIVE" || after["DeletionProtectionEnabled"] != false ||
			after["TableClassSummary"] != nil || after["RestoreSummary"] != nil ||
			after["BillingModeSummary"].(members)["BillingMode"] != "PAY_PER_REQUEST" {
			t.Errorf("restored with %v", after)
		}
		target := members{"ResourceArn": strings.Replace(backupSource, "source", "target", 1)}
		if tags := w.do("ListTagsOfResource", target)["Tags"].([]any); len(tags) != 0 {
			t.Errorf("restored with the tags %v", tags)
		}
		w.fails("GetResourcePolicy", target, "PolicyNotFoundException", "")
		if got := fmt.Sprint(w.do("DescribeTimeToLive",
			members{"TableName": "target"})); strings.Contains(got, "until") {
			t.Errorf("restored with %s", got)
		}
		if got := fmt.Sprint(w.do("DescribeContinuousBackups",
			members{"TableName": "target"})); !strings.Contains(got, "PointInTimeRecoveryStatus:DISABLED") {
			t.Errorf("restored with %s", got)
		}
		w.fails("RestoreTableFromBackup", restoreOf(arn, "target", nil), "TableAlreadyExistsException",
			"Table already exists: target")

		details["BackupStatus"] = "DELETED"
		got = w.do("DeleteBackup", members{"BackupArn": arn})["BackupDescription"]
		if fmt.Sprint(got) != fmt.Sprint(description) {
			t.Errorf("DeleteBackup answers\n%v, want\n%v", got, description)
		}
		for _, operation := range []string{"DescribeBackup", "DeleteBackup", "RestoreTableFromBackup"} {
			in := members{"BackupArn": arn}
			if operation == "RestoreTableFromBackup" {
				in = restoreOf(arn, "again", nil)
			}
			w.fails(operation, in, "BackupNotFoundException", "Backup not found: "+arn)
		}
	}
}

// TestRestoreAuthorization: the restore on the backup, and reading and writing on
// the table that it makes.
func TestRestoreAuthorization(t *testing.T) {
	w := newWorld(t)
	w.source(nil)
	arn := w.backup("source")
	target := strings.Replace(backupSource, "source", "target", 1)
	want := []string{"dynamodb:RestoreTableFromBackup " + arn}
	for _, action := range []string{"BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan",
		"UpdateItem"} {
		want = append(want, "dynamodb:"+action+" "+target)
	}
	for _, denied := range want {
		action, _, _ := strings.Cut(denied, " ")
		w.deny = func(asked, _ string) bool { return asked == action }
		w.fails("RestoreTableFromBackup", restoreOf(arn, "target", nil), "AccessDeniedException", "")
	}
	w.deny, w.checks = nil, nil
	w.do("RestoreTableFromBackup", restoreOf(arn, "target", nil))
	var asked []string
	for _, k := range w.checks {
		asked = append(asked, k.Action+" "+k.Resource)
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
}

// TestRestoreOverrides: what a restore may change, and what it must not.
func TestRestoreOverrides(t *testing.T) {
	w := newWorld(t)
	w.source(nil)
	w.table("provisioned", "", members{"BillingMode": "PROVISIONED",
		"ProvisionedThroughput": members{"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}})
	demand, fixed := w.backup("source"), w.backup("provisioned")
	all := members{"ProjectionType": "ALL"}
	units := members{"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
	global := func(more members) []members {
		in := members{"IndexName": "byG", "Projection": all,
			"KeySchema": []members{{"AttributeName": "g", "KeyType": "HASH"}}}
		maps.Copy(in, more)
		return []members{in}
	}
	const stranger = "Index %s does not match a secondary index that existed in the source table and cannot be " +
		"created during the restore operation"
	for name, c := range map[string]struct {
		from          string
		in            members
		code, message string
	}{
		"throughput on demand": {demand, members{"ProvisionedThroughputOverride": units}, "ValidationException",
			"Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED"},
		"provisioned without throughput": {demand, members{"BillingModeOverride": "PROVISIONED"}, "ValidationException",
			"Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED"},
		"an index without throughput": {demand, members{"BillingModeOverride": "PROVISIONED",
			"ProvisionedThroughputOverride": units}, "ValidationException",
			"One or more parameter values were invalid: ProvisionedThroughput must be specified for index: byG"},
		"another index": {demand, members{"GlobalSecondaryIndexOverride": global(members{"IndexName": "byX"})},
			"ValidationException", fmt.Sprintf(stranger, "byX")},
		"another projection": {demand, members{"GlobalSecondaryIndexOverride": global(members{
			"Projection": members{"ProjectionType": "KEYS_ONLY"}})}, "ValidationException",
			fmt.Sprintf(stranger, "byG")},
		"an attribute without a definition": {demand, members{"GlobalSecondaryIndexOverride": global(members{
			"KeySchema": []members{{"AttributeName": "x", "KeyType": "HASH"}}})}, "ValidationException",
			fmt.Sprintf(stranger, "byG")},
		"an index twice": {demand, members{"GlobalSecondaryIndexOverride": append(global(nil), global(nil)...)},
			"ValidationException", "One or more parameter values were invalid: Duplicate index name: byG"},
		"a billing mode": {demand, members{"BillingModeOverride": "FREE"}, "ValidationException",
			"1 validation error detected: Value 'FREE' at 'billingModeOverride' failed to satisfy constraint: Member " +
				"must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"},
		"an encryption": {demand, members{"SSESpecificationOverride": members{"Enabled": false, "SSEType": "KMS"}},
			"ValidationException",
			"One or more parameter values were invalid: SSEType can not be specified if Enabled is false"},
		"a limit of a provisioned table": {fixed, members{"OnDemandThroughputOverride": members{
			"MaxReadRequestUnits": 1}}, "ValidationException", "One or more parameter values were invalid: …"},
	} {
		w.t = t
		_, err := w.try("admin", "RestoreTableFromBackup", restoreOf(c.from, "target", c.in))
		checkError(t, name, err, c.code, c.message)
	}
	indexes := func(d members) string {
		var names []string
		for _, kind := range []string{"GlobalSecondaryIndexes", "LocalSecondaryIndexes"} {
			list, _ := d[kind].([]any)
			for _, i := range list {
				names = append(names, i.(members)["IndexName"].(string))
			}
		}
		return strings.Join(names, " ")
	}
	units2 := func(d any) string {
		t := d.(members)["ProvisionedThroughput"].(members)
		return fmt.Sprint(t["ReadCapacityUnits"], "/", t["WriteCapacityUnits"])
	}
	for n, c := range []struct {
		from              string
		in                members
		indexes, capacity string
	}{
		{demand, nil, "byG byL", "0/0"},
		{demand, members{"GlobalSecondaryIndexOverride": []members{}}, "byL", "0/0"},
		{demand, members{"GlobalSecondaryIndexOverride": []members{}, "LocalSecondaryIndexOverride": []members{}}, "", "0/0"},
		{demand, members{"GlobalSecondaryIndexOverride": global(nil), "LocalSecondaryIndexOverride": []members{}}, "byG", "0/0"},
		{demand, members{"BillingModeOverride": "PROVISIONED", "ProvisionedThroughputOverride": units,
			"GlobalSecondaryIndexOverride": global(members{"ProvisionedThroughput": units})}, "byG byL", "5/6"},
		{fixed, nil, "", "3/4"},
		{fixed, members{"ProvisionedThroughputOverride": units}, "", "5/6"},
		{fixed, members{"BillingModeOverride": "PAY_PER_REQUEST",
			"OnDemandThroughputOverride": members{"MaxReadRequestUnits": 9}}, "", "0/0"},
	} {
		name := fmt.Sprintf("target-%d", n)
		w.do("RestoreTableFromBackup", restoreOf(c.from, name, c.in))
		d := w.described(name)
		if indexes(d) != c.indexes || units2(d) != c.capacity {
			t.Errorf("%v: restored with the indexes %q and %s units", c.in, indexes(d), units2(d))
		}
		wanted := 1
		for _, key := range []string{"g", "l"} {
			if strings.Contains(c.indexes, "by"+strings.ToUpper(key)) {
				wanted++
			}
		}
		if c.from == demand {
			wanted++ // the sort key
		}
		if got := len(d["AttributeDefinitions"].([]any)); got != wanted {
			t.Errorf("%v: %d attributes are defined, want %d", c.in, got, wanted)
		}
	}
}
