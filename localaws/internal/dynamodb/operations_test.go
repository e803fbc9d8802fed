// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"maps"
	"reflect"
	"strings"
	"testing"
)

// TestEveryOperationAsks sends one good request of every operation as a user who
// may do nothing: each is denied, and nothing has changed.
func TestEveryOperationAsks(t *testing.T) {
	w := newWorld(t)
	w.table("secret", "", customKey(w.keys.newKey("one")))
	w.do("PutItem", members{"TableName": "secret", "Item": members{"pk": str("a"), "v": num(1)}})
	before, _ := w.all("Scan", members{"TableName": "secret"})
	description := w.do("DescribeTable", members{"TableName": "secret"})

	arn := "arn:aws:dynamodb:" + testRegion + ":" + testAccount + ":table/secret"
	named := members{"TableName": "secret"}
	requests := maps.Clone(dataCalls)
	maps.Copy(requests, map[string]members{
		"CreateTable": {"TableName": "another", "BillingMode": "PAY_PER_REQUEST",
			"AttributeDefinitions": []members{{"AttributeName": "pk", "AttributeType": "S"}},
			"KeySchema":            []members{{"AttributeName": "pk", "KeyType": "HASH"}}},
		"UpdateTable":   {"TableName": "secret", "DeletionProtectionEnabled": true},
		"DescribeTable": named, "DeleteTable": named, "ListTables": {}, "DescribeLimits": {}, "DescribeEndpoints": {},
		"TagResource":   {"ResourceArn": arn, "Tags": []members{{"Key": "a", "Value": "b"}}},
		"UntagResource": {"ResourceArn": arn, "TagKeys": []string{"a"}}, "ListTagsOfResource": {"ResourceArn": arn},
		"UpdateTimeToLive": {"TableName": "secret",
			"TimeToLiveSpecification": members{"Enabled": true, "AttributeName": "t"}},
		"PutResourcePolicy": {"ResourceArn": arn, "Policy": tablePolicy("alice", "GetItem")},
		"GetResourcePolicy": {"ResourceArn": arn}, "DeleteResourcePolicy": {"ResourceArn": arn},
		"CreateBackup": {"TableName": "secret", "BackupName": "nightly"}, "ListBackups": {},
		"DescribeBackup": {"BackupArn": arn + "/backup/01700000000000-0123abcd"},
		"DeleteBackup":   {"BackupArn": arn + "/backup/01700000000000-0123abcd"},
		"RestoreTableFromBackup": {"BackupArn": arn + "/backup/01700000000000-0123abcd",
			"TargetTableName": "another"},
		"DescribeTimeToLive": named, "DescribeContinuousBackups": named,
		"UpdateContinuousBackups": {"TableName": "secret",
			"PointInTimeRecoverySpecification": members{"PointInTimeRecoveryEnabled": true}},
	})
	w.deny = func(_, who string) bool { return who == "stranger" }
	for _, operation := range operations.Names() {
		in, ok := requests[operation]
		if !ok {
			t.Errorf("%s: there is no request for it in the test", operation)
			continue
		}
		if _, err := w.try("stranger", operation, in); !strings.HasPrefix(errorText(err), "AccessDeniedException") {
			t.Errorf("%s by a stranger: %v", operation, err)
		}
	}
	if after, _ := w.all("Scan", named); !reflect.DeepEqual(after, before) {
		t.Errorf("the items are %v, before %v", after, before)
	}
	if now := w.do("DescribeTable", named); !reflect.DeepEqual(now, description) {
		t.Errorf("the table is %v, before %v", now, description)
	}
}
