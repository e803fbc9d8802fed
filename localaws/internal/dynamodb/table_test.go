// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCreateTableValidation(t *testing.T) {
	hash := []members{{"AttributeName": "a", "KeyType": "HASH"}}
	defs := []members{{"AttributeName": "a", "AttributeType": "S"}}
	two := append(slices.Clone(defs), members{"AttributeName": "b", "AttributeType": "N"})
	ok := members{"TableName": "abc", "AttributeDefinitions": defs, "KeySchema": hash, "BillingMode": "PAY_PER_REQUEST"}
	with := func(m members) members {
		out := members{}
		for k, v := range ok {
			out[k] = v
		}
		for k, v := range m {
			out[k] = v
			if v == nil {
				delete(out, k)
			}
		}
		return out
	}
	index := func(m members) []members {
		out := members{"IndexName": "idx", "KeySchema": []members{{"AttributeName": "b", "KeyType": "HASH"}},
			"Projection": members{"ProjectionType": "ALL"}}
		for k, v := range m {
			out[k] = v
		}
		return []members{out}
	}
	const p = "One or more parameter values were invalid: "
	for name, c := range map[string]struct {
		in            any
		code, message string
	}{
		"no JSON":         {"{", "SerializationException", ""},
		"a list":          {"[]", "SerializationException", ""},
		"number for text": {`{"TableName": 1}`, "SerializationException", "NUMBER_VALUE cannot be converted to String"},
		"nothing":         {"{}", "ValidationException", "3 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null; Value null at 'attributeDefinitions' failed to satisfy constraint: Member must not be null; Value null at 'keySchema' failed to satisfy constraint: Member must not be null"},
		"only a name": {`{"TableName": "abc"}`, "ValidationException",
			"2 validation errors detected: Value null at 'attributeDefinitions' failed to satisfy constraint: " +
				"Member must not be null; " +
				"Value null at 'keySchema' failed to satisfy constraint: Member must not be null"},
		"bad name":            {with(members{"TableName": "a;b"}), "ValidationException", "1 validation error detected: Value 'a;b' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"},
		"short name":          {with(members{"TableName": "ab"}), "ValidationException", "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		"bad billing":         {with(members{"BillingMode": "FREE"}), "ValidationException", "1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"},
		"no throughput":       {with(members{"BillingMode": nil}), "ValidationException", p + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"},
		"both billings":       {with(members{"ProvisionedThroughput": members{"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}), "ValidationException", p + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"},
		"undefined key":       {with(members{"KeySchema": []members{{"AttributeName": "z", "KeyType": "HASH"}}}), "ValidationException", p + "Some index key attributes are not defined in AttributeDefinitions. Keys: [z], AttributeDefinitions: [a]"},
		"unused attribute":    {with(members{"AttributeDefinitions": two}), "ValidationException", p + "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"},
		"range first":         {with(members{"KeySchema": []members{{"AttributeName": "a", "KeyType": "RANGE"}}}), "ValidationException", "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
		"same key twice":      {with(members{"AttributeDefinitions": two, "KeySchema": append(slices.Clone(hash), members{"AttributeName": "a", "KeyType": "RANGE"})}), "ValidationException", "Both the Hash Key and the Range Key element in the KeySchema have the same name"},
		"empty index list":    {with(members{"GlobalSecondaryIndexes": []members{}}), "ValidationException", p + "List of GlobalSecondaryIndexes is empty"},
		"local without range": {with(members{"AttributeDefinitions": two, "LocalSecondaryIndexes": index(nil)}), "ValidationException", p + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"},
		"include nothing":     {with(members{"AttributeDefinitions": two, "GlobalSecondaryIndexes": index(members{"Projection": members{"ProjectionType": "INCLUDE"}})}), "ValidationException", p + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified"},
		"key without type":    {with(members{"SSESpecification": members{"Enabled": true, "KMSMasterKeyId": "x"}}), "ValidationException", p + "SSEType KMS is required if KMSMasterKeyId is specified"},
		"empty key":           {with(members{"SSESpecification": members{"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": ""}}), "ValidationException", "1 validation error detected: Value '' at 'sSESpecification.kMSMasterKeyId' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"key but off":         {with(members{"SSESpecification": members{"Enabled": false, "KMSMasterKeyId": "x"}}), "ValidationException", p + "KMSMasterKeyId can not be specified if Enabled is false"},
		"other type":          {with(members{"SSESpecification": members{"Enabled": true, "SSEType": "AES256"}}), "ValidationException", p + "SSEType AES256 is not supported"},
		"type but off":        {with(members{"SSESpecification": members{"Enabled": false, "SSEType": "KMS"}}), "ValidationException", p + "SSEType can not be specified if Enabled is false"},
		"stream":              {with(members{"StreamSpecification": members{"StreamEnabled": true}}), "ValidationException", p + "Table is being created with a stream enabled, UpdateViewType is required"},
		"stream without flag": {with(members{"StreamSpecification": members{"StreamViewType": "KEYS_ONLY"}}), "ValidationException", "1 validation error detected: Value null at 'streamSpecification.streamEnabled' failed to satisfy constraint: Member must not be null"},
		"view of no stream":   {with(members{"StreamSpecification": members{"StreamEnabled": false, "StreamViewType": "KEYS_ONLY"}}), "ValidationException", p + "Table is being created with a stream disabled, UpdateViewType should not be specified"},
		"resource policy":     {with(members{"ResourcePolicy": "{}"}), "ValidationException", p + "Invalid policy document: Could not parse the policy: Statement is empty!"},
		"aws tag":             {with(members{"Tags": []members{{"Key": "aws:x", "Value": "1"}}}), "ValidationException", ""},
	} {
		t.Run(name, func(t *testing.T) { newWorld(t).fails("CreateTable", c.in, c.code, c.message) })
	}
	w := newWorld(t)
	w.do("CreateTable", ok)
	w.fails("CreateTable", ok, "ResourceInUseException", "Table already exists: abc")
	w.fails("PutItemm", ok, "UnknownOperationException", "")
	w.fails("ExecuteStatement", ok, "UnknownOperationException",
		"ExecuteStatement is not supported by this server: it does not have PartiQL.")
}

func TestDescribeListDelete(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.table(fmt.Sprintf("table%d", i), "N",
			members{"DeletionProtectionEnabled": i == 0, "Tags": []members{{"Key": "k", "Value": "v"}}})
	}
	page := w.do("ListTables", members{"Limit": 3})
	if got := fmt.Sprintf("%v %v", page["TableNames"],
		page["LastEvaluatedTableName"]); got != "[table0 table1 table2] table2" {
		t.Error(got)
	}
	page = w.do("ListTables", members{"ExclusiveStartTableName": "table2"})
	if got := fmt.Sprintf("%v %v", page["TableNames"], page["LastEvaluatedTableName"]); got != "[table3 table4] <nil>" {
		t.Error(got)
	}
	d := w.do("DescribeTable", members{"TableName": "table1"})["Table"].(members)
	if d["TableStatus"] != "ACTIVE" || d["TableArn"] != "arn:aws:dynamodb:us-east-1:111122223333:table/table1" ||
		d["SSEDescription"] != nil {
		t.Errorf("%v", d)
	}
	if got := w.do("DescribeTable",
		members{"TableName": d["TableArn"]})["Table"].(members)["TableId"]; got != d["TableId"] {
		t.Error("a table is not found by its ARN")
	}
	w.fails("DeleteTable", members{"TableName": "table0"}, "ValidationException",
		"Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	w.do("UpdateTable", members{"TableName": "table0", "DeletionProtectionEnabled": false})
	if got := w.do("DeleteTable",
		members{"TableName": "table0"})["TableDescription"].(members)["TableStatus"]; got != "DELETING" {
		t.Error(got)
	}
	w.fails("DescribeTable", members{"TableName": "table0"}, "ResourceNotFoundException",
		"Requested resource not found: Table: table0 not found")
	w.fails("GetItem", members{"TableName": "table0", "Key": members{"pk": str("a"), "sk": num(1)}},
		"ResourceNotFoundException", "Requested resource not found")
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	w.table("tagged", "", members{"Tags": []members{{"Key": "b", "Value": "1"}}})
	arn := "arn:aws:dynamodb:us-east-1:111122223333:table/tagged"
	w.do("TagResource", members{"ResourceArn": arn,
		"Tags": []members{{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}}})
	if got := fmt.Sprint(w.do("ListTagsOfResource",
		members{"ResourceArn": arn})["Tags"]); got != "[map[Key:a Value:2] map[Key:b Value:3]]" {
		t.Error(got)
	}
	w.do("UntagResource", members{"ResourceArn": arn, "TagKeys": []string{"a", "z"}})
	if got := fmt.Sprint(w.do("ListTagsOfResource",
		members{"ResourceArn": arn})["Tags"]); got != "[map[Key:b Value:3]]" {
		t.Error(got)
	}
	for _, c := range []struct {
		key, value string
		bad        bool
	}{{strings.Repeat("ü", 128), strings.Repeat("ö", 256), false}, {strings.Repeat("ü", 129), "", true},
		{"long", strings.Repeat("ö", 257), true}, {"AWS:own", "", true}, {"", "", true}} {
		_, err := w.try("admin", "TagResource",
			members{"ResourceArn": arn, "Tags": []members{{"Key": c.key, "Value": c.value}}})
		if (err != nil) != c.bad {
			t.Errorf("tag %q: %v", c.key, err)
		}
	}
	w.fails("ListTagsOfResource", members{"ResourceArn": arn, "NextToken": "x"}, "ValidationException", "")
	w.fails("TagResource", members{"ResourceArn": "nonsense", "Tags": []members{}}, "ValidationException",
		"One or more parameter values were invalid: ARNs must start with 'arn:': nonsense")
	tag := func(more ...members) members {
		return members{"ResourceArn": arn, "Tags": append([]members{}, more...)}
	}
	ok := members{"Key": "ok", "Value": "1"}
	for _, c := range []struct {
		operation string
		in        members
		message   string
	}{
		{"TagResource", tag(), "Atleast one Tag needs to be provided as Input."},
		{"TagResource", tag(ok, members{"Value": "1"}), "The Tag Key provided is invalid, Key: null"},
		{"TagResource", tag(ok, members{"Key": "a#b", "Value": "1"}), "The Tag Key provided is invalid, Key: a#b"},
		{"TagResource", tag(ok, members{"Key": "a"}), "The Tag Value provided is invalid, Value: null"},
		{"TagResource", tag(ok, ok), "Duplicate Tag Keys provided as input: Duplicate Tag Key found ok"},
		{"UntagResource", members{"ResourceArn": arn, "TagKeys": []string{}}, "Atleast one Tag Key needs to be provided as Input."},
		{"UntagResource", members{"ResourceArn": arn, "TagKeys": []string{"aws:x"}}, "Tag Key cannot be prefixed with aws:, Key: aws:x"},
		{"ListTagsOfResource", members{"ResourceArn": "arn:aws:s3:::x"}, "One or more parameter values were invalid: Provided Arn is not a DynamoDB resource arn: arn:aws:s3:::x"},
		{"ListTagsOfResource", members{"ResourceArn": strings.Replace(arn, "us-east-1", "eu-west-1", 1)}, "Invalid TableArn: Invalid ResourceArn provided as input arn:aws:dynamodb:eu-west-1:111122223333:table/tagged"},
	} {
		w.fails(c.operation, c.in, "ValidationException", c.message)
	}
	var many []members
	for i := range 50 {
		many = append(many, members{"Key": fmt.Sprint("many-", i), "Value": ""})
	}
	// with what is there
	w.fails("TagResource", tag(many...), "ValidationException",
		"Number of Tags exceed the current limit for the provided ResourceArn")
	w.fails("TagResource", members{"ResourceArn": arn + "x", "Tags": []members{{"Key": "a", "Value": "2"}}},
		"ResourceNotFoundException", "")
	w.checks = nil
	w.do("PutItem", members{"TableName": "tagged", "Item": members{"pk": str("x")}})
	if got := w.checks[0].Context.Get("aws:ResourceTag/b"); len(got) != 1 || got[0] != "3" {
		t.Errorf("aws:ResourceTag/b = %v", got)
	}
}

func TestTimeToLive(t *testing.T) {
	w := newWorld(t)
	w.table("mortal", "", nil)
	put := func(key string, at time.Time) {
		w.do("PutItem", members{"TableName": "mortal", "Item": members{"pk": str(key), "until": num(at.Unix())}})
	}
	put("past", w.now.Add(-time.Hour))
	put("ancient", w.now.Add(-6*365*24*time.Hour))
	put("soon", w.now.Add(2*time.Minute))
	put("later", w.now.Add(2*time.Hour))
	keys := func() string {
		var keys []string
		for _, it := range w.do("Scan", members{"TableName": "mortal"})["Items"].([]any) {
			keys = append(keys, it.(members)["pk"].(members)["S"].(string))
		}
		slices.Sort(keys)
		return strings.Join(keys, " ")
	}
	if got := keys(); got != "ancient later past soon" {
		t.Fatal(got)
	}
	spec := func(on bool, name string) members {
		return members{"TableName": "mortal", "TimeToLiveSpecification": members{"Enabled": on, "AttributeName": name}}
	}
	w.fails("UpdateTimeToLive", spec(false, "until"), "ValidationException", "TimeToLive is already disabled")
	w.do("UpdateTimeToLive", spec(true, "until"))
	w.fails("UpdateTimeToLive", spec(true, "until"), "ValidationException", "TimeToLive is already enabled")
	if got := fmt.Sprint(w.do("DescribeTimeToLive",
		members{"TableName": "mortal"})["TimeToLiveDescription"]); got != "map[AttributeName:until "+
		"TimeToLiveStatus:ENABLED]" {
		t.Error(got)
	}
	if got := keys(); got != "ancient later soon" {
		t.Error(got)
	}
	put("soon", w.now.Add(3*time.Hour)) // its time moves
	w.advance(2*time.Hour + time.Minute)
	if got := keys(); got != "ancient soon" {
		t.Error(got)
	}
	w.do("UpdateTimeToLive", spec(false, "until"))
	w.advance(24 * time.Hour)
	if got := keys(); got != "ancient soon" {
		t.Error(got)
	}
}

func TestContinuousBackupsAndLimits(t *testing.T) {
	w := newWorld(t)
	w.table("kept", "", nil)
	status := func(m members) any {
		d := m["ContinuousBackupsDescription"].(members)
		return d["PointInTimeRecoveryDescription"].(members)["PointInTimeRecoveryStatus"]
	}
	if got := status(w.do("DescribeContinuousBackups", members{"TableName": "kept"})); got != "DISABLED" {
		t.Error(got)
	}
	w.do("UpdateContinuousBackups",
		members{"TableName": "kept", "PointInTimeRecoverySpecification": members{"PointInTimeRecoveryEnabled": true}})
	if got := status(w.do("DescribeContinuousBackups", members{"TableName": "kept"})); got != "ENABLED" {
		t.Error(got)
	}
	w.fails("DescribeContinuousBackups", members{"TableName": "gone"}, "TableNotFoundException",
		"Table not found: gone")
	w.fails("UpdateContinuousBackups",
		members{"TableName": "kept",
			"PointInTimeRecoverySpecification": members{"PointInTimeRecoveryEnabled": false, "RecoveryPeriodInDays": 7}},
		"ValidationException",
		"Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.")
	if w.do("DescribeLimits", "{}")["TableMaxReadCapacityUnits"] == nil {
		t.Error("no limits")
	}
}

func TestActivationFault(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Faults.Activation = 10 * time.Second })
	w.table("slow", "", nil)
	status := func() any {
		return w.do("DescribeTable", members{"TableName": "slow"})["Table"].(members)["TableStatus"]
	}
	get := members{"TableName": "slow", "Key": members{"pk": str("a")}}
	if status() != "CREATING" {
		t.Error(status())
	}
	w.fails("GetItem", get, "ResourceNotFoundException", "Requested resource not found")
	w.fails("DeleteTable", members{"TableName": "slow"}, "ResourceInUseException",
		"Attempt to change a resource which is still in use: Table is being created: slow")
	w.fails("DescribeTimeToLive", members{"TableName": "slow"}, "ValidationException",
		"Cannot describe time to live while table is in CREATING state: Current table state is CREATING")
	w.advance(10 * time.Second)
	if status() != "ACTIVE" {
		t.Error(status())
	}
	w.do("GetItem", get)
	w.do("UpdateTable", members{"TableName": "slow",
		"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"}},
		"GlobalSecondaryIndexUpdates": indexChange("Create",
			members{"KeySchema": []members{{"AttributeName": "g", "KeyType": "HASH"}},
				"Projection": members{"ProjectionType": "ALL"}})})
	index := func() string {
		i := w.described("slow")["GlobalSecondaryIndexes"].([]any)[0].(members)
		return fmt.Sprint(i["IndexStatus"], " ", i["Backfilling"])
	}
	if got := index(); got != "CREATING true" {
		t.Error(got)
	}
	w.fails("Scan", members{"TableName": "slow", "IndexName": "byG"}, "ValidationException",
		"Cannot read from backfilling global secondary index: byG")
	w.fails("DeleteTable", members{"TableName": "slow"}, "ResourceInUseException",
		"Attempt to change a resource which is still in use: Table: slow is in the process of being updated.")
	w.advance(10 * time.Second)
	if got := index(); got != "ACTIVE <nil>" {
		t.Error(got)
	}
	w.do("Scan", members{"TableName": "slow", "IndexName": "byG"})
	w.do("UpdateTable", members{"TableName": "slow", "TableClass": "STANDARD_INFREQUENT_ACCESS"})
	if status() != "UPDATING" {
		t.Error(status())
	}
	w.do("GetItem", get)
}

func TestUpdateTableIndexes(t *testing.T) {
	w := newWorld(t)
	w.table("grown", "", nil)
	for i := range 10 {
		w.do("PutItem", members{"TableName": "grown",
			"Item": members{"pk": str(fmt.Sprint(i)), "g": str(fmt.Sprint(i % 2))}})
	}
	w.do("PutItem", members{"TableName": "grown", "Item": members{"pk": str("odd"), "g": num(1)}})
	create := members{"TableName": "grown",
		"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"}},
		"GlobalSecondaryIndexUpdates": []members{{"Create": members{"IndexName": "byG",
			"KeySchema":  []members{{"AttributeName": "g", "KeyType": "HASH"}},
			"Projection": members{"ProjectionType": "KEYS_ONLY"}}}}}
	w.fails("UpdateTable", members{"TableName": "grown",
		"GlobalSecondaryIndexUpdates": create["GlobalSecondaryIndexUpdates"]}, "ValidationException",
		"One or more parameter values were invalid: AttributeDefinitions is not specified for index: byG")
	w.do("UpdateTable", create)
	w.fails("UpdateTable", create, "ValidationException", "Attempting to create an index which already exists")
	query := members{"TableName": "grown", "IndexName": "byG", "KeyConditionExpression": "g = :g",
		"ExpressionAttributeValues": members{":g": str("1")}}
	if got := w.do("Query", query)["Count"]; got != 5.0 {
		t.Errorf("the new index has %v items", got)
	}
	w.fails("PutItem", members{"TableName": "grown", "Item": members{"pk": str("x"), "g": num(1)}},
		"ValidationException",
		"One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: byG")
	w.do("UpdateTable", members{"TableName": "grown",
		"GlobalSecondaryIndexUpdates": []members{{"Delete": members{"IndexName": "byG"}}}})
	w.fails("Query", query, "ValidationException", "The table does not have the specified index: byG")
	d := w.do("DescribeTable", members{"TableName": "grown"})["Table"].(members)
	if n := len(d["AttributeDefinitions"].([]any)); n != 1 || d["GlobalSecondaryIndexes"] != nil {
		t.Errorf("%v", d)
	}
	w.fails("UpdateTable", members{"TableName": "grown"}, "ValidationException",
		"At least one of ProvisionedThroughput, BillingMode, …")
	w.do("UpdateTable", members{"TableName": "grown", "BillingMode": "PROVISIONED",
		"ProvisionedThroughput": members{"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}})
	d = w.do("DescribeTable", members{"TableName": "grown"})["Table"].(members)
	if got := fmt.Sprintf("%v %v", d["BillingModeSummary"].(members)["BillingMode"],
		d["ProvisionedThroughput"].(members)["WriteCapacityUnits"]); got != "PROVISIONED 4" {
		t.Error(got)
	}
}
