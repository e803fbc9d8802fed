// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// dataCalls is one call of every item operation on table secret.
var dataCalls = map[string]members{
	"GetItem":            {"TableName": "secret", "Key": members{"pk": str("a")}},
	"PutItem":            {"TableName": "secret", "Item": members{"pk": str("a")}},
	"UpdateItem":         {"TableName": "secret", "Key": members{"pk": str("a")}, "UpdateExpression": "SET v = :v", "ExpressionAttributeValues": members{":v": num(1)}},
	"DeleteItem":         {"TableName": "secret", "Key": members{"pk": str("a")}},
	"Scan":               {"TableName": "secret"},
	"Query":              {"TableName": "secret", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": members{":p": str("a")}},
	"BatchGetItem":       {"RequestItems": members{"secret": members{"Keys": []members{{"pk": str("a")}}}}},
	"BatchWriteItem":     {"RequestItems": members{"secret": []members{{"PutRequest": members{"Item": members{"pk": str("a")}}}}}},
	"TransactGetItems":   {"TransactItems": []members{{"Get": members{"TableName": "secret", "Key": members{"pk": str("a")}}}}},
	"TransactWriteItems": {"TransactItems": []members{{"Put": members{"TableName": "secret", "Item": members{"pk": str("a")}}}}},
}

func TestEveryDataCallAsksKMSAsTheCaller(t *testing.T) {
	w := newWorld(t)
	key := w.keys.newKey("one")
	w.table("secret", "", customKey(key))
	for operation, in := range dataCalls {
		t.Run(operation, func(t *testing.T) {
			w.t = t
			w.keys.calls, w.keys.denied = nil, map[string]bool{"eve": true}
			if _, err := w.try("bob", operation, in); err != nil {
				t.Fatal(err)
			}
			want := "Decrypt arn:aws:iam::111122223333:user/bob via dynamodb.us-east-1.amazonaws.com " + key
			if len(w.keys.calls) != 1 || w.keys.calls[0] != want {
				t.Errorf("KMS was asked %v, want %v", w.keys.calls, want)
			}
			_, err := w.try("eve", operation, in)
			checkError(t, operation, err, "AccessDeniedException",
				"KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: "+
					"User: arn:aws:iam::111122223333:user/eve is not authorized to perform: kms:Decrypt (Service: "+
					"AWSKMS; Status Code: 400; "+
					"Error Code: AccessDeniedException; Request ID: c0ffee00-0000-4000-8000-000000000001; Proxy: null)")
			for state, message := range map[string]string{
				"Disabled": "KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: " +
					key + " is disabled. (…",
				"PendingDeletion": "KMS validation error: com.amazonaws.services.kms.model.KMSInvalidStateException: " +
					key + " is pending deletion. (…",
				"": "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Key '" + key +
					"' does not exist (…",
			} {
				w.keys.set(key, state)
				_, err := w.try("bob", operation, in)
				checkError(t, operation+" "+state, err, "ValidationException", message)
			}
			w.keys.set(key, "Enabled")
		})
	}
}

// TestRefusedCallChangesNothing: the check comes before the change.
func TestRefusedCallChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.table("secret", "", customKey(w.keys.newKey("one")))
	w.keys.denied["eve"] = true
	for operation, in := range dataCalls {
		if _, err := w.try("eve", operation, in); err == nil {
			t.Errorf("%s was allowed", operation)
		}
	}
	if n := w.do("Scan", members{"TableName": "secret"})["Count"]; n != 0.0 {
		t.Errorf("refused calls left %v items", n)
	}
}

func TestOwnedKeyAsksNobody(t *testing.T) {
	w := newWorld(t)
	w.table("secret", "", nil)
	for operation, in := range dataCalls {
		w.do(operation, in)
	}
	if len(w.keys.calls) != 0 {
		t.Errorf("KMS was asked: %v", w.keys.calls)
	}
}

func TestTableGrant(t *testing.T) {
	w := newWorld(t)
	key := w.keys.newKey("one")
	w.table("secret", "", customKey(key))
	want := atrest.TableGrant{GranteePrincipal: "dynamodb.us-east-1.amazonaws.com",
		RetiringPrincipal: "dynamodb.us-east-1.amazonaws.com",
		Operations: []string{"Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo",
			"RetireGrant", "DescribeKey"},
		ContextSubset: map[string]string{"aws:dynamodb:tableName": "secret", "aws:dynamodb:subscriberId": testAccount}}
	if got := fmt.Sprint(w.keys.grants); got != fmt.Sprint(map[string]atrest.TableGrant{"grant-1": want}) {
		t.Errorf("grants: %v", got)
	}
	if got := strings.Join(w.keys.calls,
		"\n"); got != "CreateGrant arn:aws:iam::111122223333:user/admin via dynamodb.us-east-1.amazonaws.com "+key+
		"\nGenerateDataKey dynamodb.us-east-1.amazonaws.com via  "+key {
		t.Errorf("KMS calls:\n%s", got)
	}
	w.keys.set(key, "Disabled") // DeleteTable works all the same
	w.do("DeleteTable", members{"TableName": "secret"})
	w.keys.set(key, "Enabled")
	w.table("secret", "", customKey(key))
	w.do("DeleteTable", members{"TableName": "secret"})
	if _, left := w.keys.grants["grant-2"]; left {
		t.Error("the grant outlived its table")
	}
	w.keys.denied["admin"] = true
	_, err := w.try("admin", "CreateTable",
		members{"TableName": "other", "BillingMode": "PAY_PER_REQUEST",
			"SSESpecification":     customKey(key)["SSESpecification"],
			"AttributeDefinitions": []members{{"AttributeName": "pk", "AttributeType": "S"}},
			"KeySchema":            []members{{"AttributeName": "pk", "KeyType": "HASH"}}})
	checkError(t, "CreateTable without kms:CreateGrant", err, "AccessDeniedException", "KMS key access denied error: …")
	w.fails("DescribeTable", members{"TableName": "other"}, "ResourceNotFoundException", "")
}

func TestKeySwitch(t *testing.T) {
	w := newWorld(t)
	one, two := w.keys.newKey("one"), w.keys.newKey("two")
	w.table("secret", "", nil)
	w.do("PutItem", members{"TableName": "secret", "Item": members{"pk": str("a"), "v": str("kept")}})
	sse := func(spec members) members { return members{"TableName": "secret", "SSESpecification": spec} }
	custom := func(arn string) members {
		return sse(customKey(arn)["SSESpecification"].(members))
	}
	described := func() string {
		d := w.do("DescribeTable", members{"TableName": "secret"})["Table"].(members)
		if d["TableStatus"] != "ACTIVE" {
			t.Errorf("status %v", d["TableStatus"])
		}
		s, _ := d["SSEDescription"].(members)
		return fmt.Sprintf("%v %v %v", s["Status"], s["SSEType"], s["KMSMasterKeyArn"])
	}
	const p = "One or more parameter values were invalid: "
	w.fails("UpdateTable", sse(members{"Enabled": false}), "ValidationException",
		p+"Table is already encrypted by default")
	w.fails("UpdateTable", members{"TableName": "secret", "BillingMode": "PAY_PER_REQUEST",
		"SSESpecification": members{"Enabled": true}}, "ValidationException", "")
	w.do("UpdateTable", custom(one))
	if got := described(); got != "ENABLED KMS "+one {
		t.Error(got)
	}
	w.fails("UpdateTable", custom(one), "ValidationException",
		p+"Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change "+
			"Master Key")
	w.keys.set(one, "Disabled")
	w.fails("UpdateTable", custom(two), "ValidationException", "KMS key disabled error: …")
	w.keys.set(one, "Enabled")
	w.do("UpdateTable", custom(two))
	if got := described(); got != "ENABLED KMS "+two {
		t.Error(got)
	}
	w.keys.set(one, "") // the old key is not needed any more
	w.do("UpdateTable", sse(members{"Enabled": true}))
	if got := described(); !strings.HasSuffix(got, "key/aws-managed") {
		t.Error(got)
	}
	w.do("UpdateTable", sse(members{"Enabled": false}))
	if got := described(); got != "<nil> <nil> <nil>" {
		t.Error(got)
	}
	w.fails("UpdateTable", custom("arn:aws:kms:us-east-1:111122223333:key/none"), "LimitExceededException",
		"Subscriber limit exceeded: Encryption mode changes are limited in the 24h window ending at "+
			"2023-11-15T22:13:20.000Z. "+
			"After the first 4 change, each subsequent change in the same window can be performed at most once "+
			"every 21600 seconds. Number of updates today: 4. Last change at 2023-11-14T22:13:20.000Z. Next changes "+
			"can be made at 2023-11-15T04:13:20.000Z.")
	w.advance(6 * time.Hour)
	w.do("UpdateTable", custom(two))
	w.fails("UpdateTable", sse(members{"Enabled": true}), "LimitExceededException", "")
	w.advance(18 * time.Hour)
	for range 2 { // Enabled alone is never "already encrypted"
		w.do("UpdateTable", sse(members{"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/aws/dynamodb"}))
		if got := described(); !strings.HasSuffix(got, "key/aws-managed") {
			t.Error(got)
		}
	}
	w.do("UpdateTable", custom(two))
	if len(w.keys.grants) != 1 {
		t.Errorf("grants left: %v", w.keys.grants)
	}
	if got := w.do("GetItem",
		members{"TableName": "secret",
			"Key": members{"pk": str("a")}})["Item"].(members)["v"]; fmt.Sprint(got) != "map[S:kept]" {
		t.Error(got)
	}
	// AWS answers an HMAC key as its own failure, and changes nothing.
	hmac := w.keys.newKey("hmac")
	const internal = "KMS internal error: com.amazonaws.services.kms.model.AWSKMSException: " + onlySymmetric +
		" (Service: AWSKMS; Status Code: 400; Error Code: ValidationException; Request ID: …"
	before := fmt.Sprint(w.described("secret")["SSEDescription"])
	e := w.fails("UpdateTable", custom(hmac), "InternalServerError", internal)
	if e.HTTPStatus() != 500 || e.Hint == "" {
		t.Errorf("status %d, hint %q", e.HTTPStatus(), e.Hint)
	}
	if after := fmt.Sprint(w.described("secret")["SSEDescription"]); after != before {
		t.Errorf("the table is under %s, want %s", after, before)
	}
	other := customKey(hmac)
	maps.Copy(other, members{"TableName": "other", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": defined("pk", "S"), "KeySchema": keySchema("pk")})
	w.fails("CreateTable", other, "InternalServerError", internal)
	w.fails("DescribeTable", members{"TableName": "other"}, "ResourceNotFoundException", "")
	w.fails("UpdateTable", custom("arn:aws:kms:us-east-1:111122223333:key/none"), "ValidationException",
		"KMS validation error: com.amazonaws.services.kms.model.NotFoundException: …")
}

// TestIndexesNeedNoRightToTheKey: DynamoDB fills an index by itself; no caller
// else has to read the items, and taking one away reads none.
func TestIndexesNeedNoRightToTheKey(t *testing.T) {
	w := newWorld(t)
	key := w.keys.newKey("one")
	w.table("secret", "", customKey(key))
	w.do("PutItem", members{"TableName": "secret", "Item": members{"pk": str("a"), "g": str("x")}})
	w.keys.denied["eve"], w.keys.calls = true, nil
	create := members{"TableName": "secret",
		"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"}},
		"GlobalSecondaryIndexUpdates": indexChange("Create",
			members{"KeySchema": []members{{"AttributeName": "g", "KeyType": "HASH"}},
				"Projection": members{"ProjectionType": "ALL"}})}
	if _, err := w.try("eve", "UpdateTable", create); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.keys.calls, "\n"); got != "Decrypt dynamodb.us-east-1.amazonaws.com via  "+key {
		t.Errorf("KMS calls:\n%s", got)
	}
	if n := w.do("Scan", members{"TableName": "secret", "IndexName": "byG"})["Count"]; n != 1.0 {
		t.Errorf("the index has %v items", n)
	}
	w.keys.set(key, "Disabled")
	if _, err := w.try("eve", "UpdateTable",
		members{"TableName": "secret", "GlobalSecondaryIndexUpdates": indexChange("Delete", nil)}); err != nil {
		t.Error(err)
	}
	w.fails("UpdateTable", create, "ValidationException", "KMS key disabled error: …")
}

// TestKeySwitchTakesTime: with the activation fault the description tells of
// the switch for a while, and the table stays ACTIVE.
func TestKeySwitchTakesTime(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Faults.Activation = 20 * time.Second })
	one, two := w.keys.newKey("one"), w.keys.newKey("two")
	w.table("secret", "", nil)
	w.advance(20 * time.Second)
	state := func(d any) string {
		table := d.(members)
		s, _ := table["SSEDescription"].(members)
		return fmt.Sprint(table["TableStatus"], " ", s["Status"], " ", s["KMSMasterKeyArn"])
	}
	for _, step := range []struct {
		spec          members
		during, after string
	}{
		{customKey(one), "ACTIVE UPDATING <nil>", "ACTIVE ENABLED " + one},
		{customKey(two), "ACTIVE UPDATING " + one, "ACTIVE ENABLED " + two},
		{members{"SSESpecification": members{"Enabled": false}}, "ACTIVE UPDATING " + two, "ACTIVE <nil> <nil>"},
	} {
		step.spec["TableName"] = "secret"
		if got := state(w.do("UpdateTable", step.spec)["TableDescription"]); got != step.during {
			t.Errorf("answered %s, want %s", got, step.during)
		}
		w.do("Scan", members{"TableName": "secret"})
		w.advance(20 * time.Second)
		if got := state(w.described("secret")); got != step.after {
			t.Errorf("described %s, want %s", got, step.after)
		}
	}
}

func TestKeyCacheImitatesAWS(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.KeyCacheTTL = 5 * time.Minute })
	key := w.keys.newKey("one")
	w.table("secret", "", customKey(key))
	scan := members{"TableName": "secret"}
	w.keys.denied["bob"] = true
	if _, err := w.try("bob", "Scan", scan); err == nil {
		t.Fatal("bob was allowed")
	}
	w.keys.denied["bob"] = false // permission given works at once: denials are not cached
	if _, err := w.try("bob", "Scan", scan); err != nil {
		t.Fatal(err)
	}
	w.keys.denied["bob"] = true
	w.advance(4 * time.Minute)
	if _, err := w.try("bob", "Scan", scan); err != nil {
		t.Fatal("withdrawn permission shows before the cache ends:", err)
	}
	w.keys.denied["ann"] = true
	if _, err := w.try("ann", "Scan", scan); err == nil {
		t.Fatal("another caller profits from bob's cache")
	}
	session := userCall("bob", "Scan", []byte(`{"TableName":"secret"}`))
	session.Caller.AccessKeyID = "ASIAbob"
	if _, err := w.s.Serve(context.Background(), session); err == nil {
		t.Fatal("another session of bob, which may have another policy, profits from his cache")
	}
	w.advance(2 * time.Minute)
	if _, err := w.try("bob", "Scan", scan); err == nil {
		t.Fatal("withdrawn permission never shows")
	}
}

func TestInaccessibleStatusComesLate(t *testing.T) {
	w := newWorld(t)
	key := w.keys.newKey("one")
	w.table("secret", "", customKey(key))
	describe := func() members { return w.do("DescribeTable", members{"TableName": "secret"})["Table"].(members) }
	w.keys.set(key, "Disabled")
	w.fails("Scan", members{"TableName": "secret"}, "ValidationException", "")
	if got := describe()["TableStatus"]; got != "ACTIVE" {
		t.Error(got)
	}
	w.advance(time.Hour)
	d := describe()
	sse := d["SSEDescription"].(members)
	if d["TableStatus"] != "INACCESSIBLE_ENCRYPTION_CREDENTIALS" || sse["Status"] != "ENABLED" ||
		sse["InaccessibleEncryptionDateTime"] != float64(w.now.Unix()) {
		t.Errorf("%v", d)
	}
	// What touches no item goes on.
	w.do("TagResource", members{"ResourceArn": d["TableArn"], "Tags": []members{{"Key": "k", "Value": "v"}}})
	w.do("UpdateContinuousBackups",
		members{"TableName": "secret", "PointInTimeRecoverySpecification": members{"PointInTimeRecoveryEnabled": true}})
	w.do("UpdateTable", members{"TableName": "secret", "TableClass": "STANDARD_INFREQUENT_ACCESS"})
	for operation, in := range map[string]members{
		"UpdateTimeToLive": {"TableName": "secret", "TimeToLiveSpecification": members{"Enabled": true, "AttributeName": "v"}},
		"UpdateTable":      {"TableName": "secret", "SSESpecification": members{"Enabled": false}},
		"GetItem":          {"TableName": "secret", "Key": members{"pk": str("a")}},
	} {
		w.fails(operation, in, "ValidationException", "KMS key disabled error: …")
	}
	w.keys.set(key, "Enabled")
	w.do("Scan", members{"TableName": "secret"})
	if got := describe()["TableStatus"]; got != "ACTIVE" {
		t.Error(got)
	}
}

func TestKMSFailures(t *testing.T) {
	w := newWorld(t)
	w.table("secret", "", customKey(w.keys.newKey("one")))
	w.keys.fail = errors.New("out of order")
	e := w.fails("Scan", members{"TableName": "secret"}, "InternalServerError", "")
	if e.HTTPStatus() != 500 {
		t.Error(e.HTTPStatus())
	}
	w.keys.fail = &request.Error{Code: "KMSInternalException", Status: 500}
	w.fails("Scan", members{"TableName": "secret"}, "InternalServerError", "")
	w.keys.fail = request.Errorf("ThrottlingException", "Rate exceeded")
	w.fails("Scan", members{"TableName": "secret"}, "ThrottlingException", "")
}

func TestDiskViewInMemory(t *testing.T) {
	w := newWorld(t)
	w.table("secret", "", customKey(w.keys.newKey("one")))
	w.do("PutItem", members{"TableName": "secret", "Item": members{"pk": str("the key"), "v": str("the value")}})
	key := userItem(t, `{"pk": {"S": "the key"}}`)
	a, err := w.s.DiskView(t.Context(), testAccount, testRegion, "secret", key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.s.DiskView(t.Context(), testAccount, testRegion, "secret", key)
	if err != nil {
		t.Fatal(err)
	}
	if a.Stored || a.Key != b.Key || len(a.Key) != 64 || slices.Equal(a.Sealed, b.Sealed) {
		t.Errorf("views: %+v %+v", a, b)
	}
	if strings.Contains(string(a.Sealed), "the value") || strings.Contains(string(a.Sealed), "the key") {
		t.Error("the view shows plaintext")
	}
	if _, err := w.s.DiskView(t.Context(), testAccount, testRegion, "secret",
		userItem(t, `{"pk": {"S": "other"}}`)); err == nil {
		t.Error("a missing item has a view")
	}
	if _, err := w.s.DiskView(t.Context(), testAccount, testRegion, "none", key); err == nil {
		t.Error("a missing table has a view")
	}
}
