// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// FuzzServe sends any body to every operation: the answer is JSON or one of
// AWS's errors, never an internal one and never a panic, and what was stored
// can be read again.
func FuzzServe(f *testing.F) {
	for operation, in := range dataCalls {
		b, err := json.Marshal(in)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(operation, b)
	}
	for _, seed := range []struct{ operation, body string }{
		{"CreateTable", `{"TableName":"abc","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],"KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"GlobalSecondaryIndexes":[{"IndexName":"idx","KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}`},
		{"UpdateTable", `{"TableName":"secret","SSESpecification":{"Enabled":true}}`},
		{"UpdateTable", `{"TableName":"secret","AttributeDefinitions":[{"AttributeName":"g","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"idx","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}},{"Delete":{"IndexName":"x"}}]}`},
		{"CreateTable", `{"TableName":"abc","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"},{"AttributeName":"b","AttributeType":"N"},{"AttributeName":"c","AttributeType":"B"}],"KeySchema":[{"AttributeName":"a","KeyType":"HASH"}],"GlobalSecondaryIndexes":[{"IndexName":"idx","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"HASH"},{"AttributeName":"c","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]}`},
		{"PutItem", `{"TableName":"secret","Item":{"pk":{"S":"a"},"l":{"L":[{"M":{"x":{"NS":["1","2e3"]}}},{"NULL":true}]}},"Expected":{"pk":{"Exists":false}},"ReturnValues":"ALL_OLD"}`},
		{"UpdateItem", `{"TableName":"secret","Key":{"pk":{"S":"a"}},"AttributeUpdates":{"a":{"Action":"ADD","Value":{"L":[{"S":""}]}},"b":{"Action":"DELETE"}}}`},
		{"Query", `{"TableName":"secret","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}},"QueryFilter":{"x":{"ComparisonOperator":"IN","AttributeValueList":[{"N":"1"}]}},"ExclusiveStartKey":{"pk":{"S":"a"}}}`},
		{"Scan", `{"TableName":"secret","Segment":1,"TotalSegments":3,"Limit":2,"ScanFilter":{"a":{"ComparisonOperator":"NULL"}},"ConditionalOperator":"OR","ReturnConsumedCapacity":"INDEXES"}`},
		{"UpdateTimeToLive", `{"TableName":"secret","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"a"}}`},
		{"TagResource", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:111122223333:table/secret","Tags":[{"Key":"a","Value":"b"}]}`},
		{"UpdateContinuousBackups", `{"TableName":"secret","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true,"RecoveryPeriodInDays":3}}`},
		{"PutResourcePolicy", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:111122223333:table/secret","ExpectedRevisionId":"NO_POLICY","Policy":"{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"dynamodb:*\",\"Resource\":\"*\"}}"}`},
		{"DeleteResourcePolicy", `{"ResourceArn":"arn:aws:dynamodb:us-east-1:111122223333:table/secret"}`},
		{"CreateBackup", `{"TableName":"secret","BackupName":"nightly"}`},
		{"ListBackups", `{"TableName":"secret","Limit":1,"TimeRangeLowerBound":1.5e9,"TimeRangeUpperBound":2e9,"BackupType":"ALL"}`},
		{"RestoreTableFromBackup", `{"BackupArn":"` + noBackup + `","TargetTableName":"target","BillingModeOverride":"PROVISIONED","ProvisionedThroughputOverride":{"ReadCapacityUnits":1,"WriteCapacityUnits":1},"GlobalSecondaryIndexOverride":[],"SSESpecificationOverride":{"Enabled":false}}`},
		{"ListTables", `{"Limit":1,"ExclusiveStartTableName":"aaa"}`},
	} {
		f.Add(seed.operation, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, operation string, body []byte) {
		if _, ok := operations.Describe(operation); !ok || len(body) > 1<<16 {
			return
		}
		w := newWorld(t)
		w.table("secret", "", customKey(w.keys.newKey("one")))
		w.do("PutItem", members{"TableName": "secret", "Item": members{"pk": str("a"), "v": num(1)}})
		if operation == "RestoreTableFromBackup" { // of a backup that there is
			body = bytes.ReplaceAll(body, []byte(noBackup), []byte(w.backup("secret")))
		}
		out, err := w.s.Serve(context.Background(), userCall("admin", operation, body))
		var e *request.Error
		switch {
		case err == nil && len(out) > 0 && !json.Valid(out):
			t.Fatalf("no JSON: %q", out)
		case err != nil && !errors.As(err, &e):
			t.Fatalf("an error that is not an answer: %v", err)
		case err != nil && e.HTTPStatus() != 400:
			t.Fatalf("internal: %v", err)
		}
		if operation == "DeleteTable" {
			return
		}
		items, _ := w.all("Scan", members{"TableName": "secret"})
		for _, it := range items {
			if it["pk"] == nil {
				t.Fatalf("an item without key: %v", it)
			}
		}
	})
}
