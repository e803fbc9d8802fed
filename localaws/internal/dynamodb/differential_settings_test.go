// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const settled = "moto-settings"

// TestDifferentialMotoSettings compares what is set for whole tables: tags,
// time to live, point-in-time recovery, throughput, indexes, protection.
func TestDifferentialMotoSettings(t *testing.T) {
	r := newMotoRun(t, 4, []members{{"TableName": settled,
		"ProvisionedThroughput": members{"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
		"AttributeDefinitions":  []members{{"AttributeName": "pk", "AttributeType": "S"}},
		"KeySchema":             []members{{"AttributeName": "pk", "KeyType": "HASH"}}}}, motoSettings)
	for range 1200 {
		pick(r.generator, r.tag, r.expiry, r.recovery, r.update, r.update)()
	}
	r.done([]string{"ValidationException", "ResourceNotFoundException", "TableNotFoundException"}, "TagResource",
		"UntagResource", "ListTagsOfResource",
		"UpdateTimeToLive", "DescribeTimeToLive", "UpdateContinuousBackups", "DescribeContinuousBackups", "UpdateTable",
		"DescribeTable", "DeleteTable")
}

// target is the table, seldom one that is not there.
func (r *motoRun) target() string {
	if r.odds(20) {
		return "missing-table"
	}
	return settled
}

func whole(answer members) any { return answer }

// nothing compares only the codes.
func nothing(members) any { return nil }

func (r *motoRun) tag() {
	arn := members{"ResourceArn": "arn:aws:dynamodb:us-east-1:" + testAccount + ":table/" + r.target()}
	with := func(name string, v any) members { return members{"ResourceArn": arn["ResourceArn"], name: v} }
	keys := r.subset("team", "cost", "x", "Stage", "ü", "k:1")
	var tags []members
	for _, k := range keys {
		tags = append(tags, members{"Key": k, "Value": pick(r.generator, "", "1", "a b", "ö")})
	}
	if r.odds(15) {
		tags = append(tags, pick(r.generator, members{"Key": "aws:own", "Value": "1"}, members{"Key": "", "Value": "1"},
			members{"Key": strings.Repeat("k", 129), "Value": ""},
			members{"Key": "long", "Value": strings.Repeat("v", 257)}, members{"Key": keys[0], "Value": "again"}))
	}
	if r.odds(30) {
		for i := range 51 {
			tags = append(tags, members{"Key": fmt.Sprint("many-", i), "Value": "1"})
		}
	}
	if !r.odds(20) { // see the difference about tags that are there already
		r.both("UntagResource", with("TagKeys", keys), nothing)
	}
	r.both("TagResource", with("Tags", tags), nothing)
	r.both("ListTagsOfResource", arn, func(answer members) any {
		sortList(answer["Tags"])
		return answer["Tags"]
	})
	if r.odds(3) {
		r.both("UntagResource", with("TagKeys", r.subset("team", "cost", "never")), nothing)
	}
}

func (r *motoRun) expiry() {
	if !r.odds(3) { // see the difference about the pause
		r.w.advance(2 * time.Hour)
	}
	name := r.target()
	setting := members{"Enabled": r.odds(2), "AttributeName": pick(r.generator, "a", "a", "b")}
	if r.odds(30) {
		delete(setting, pick(r.generator, "Enabled", "AttributeName"))
	}
	r.both("UpdateTimeToLive", members{"TableName": name, "TimeToLiveSpecification": setting}, whole)
	r.both("DescribeTimeToLive", members{"TableName": name}, func(answer members) any {
		d, _ := answer["TimeToLiveDescription"].(map[string]any)
		if d["TimeToLiveStatus"] != "ENABLED" {
			delete(d, "AttributeName")
		}
		return d
	})
}

func (r *motoRun) recovery() {
	name := r.target()
	setting := members{"PointInTimeRecoveryEnabled": r.odds(2)}
	if r.odds(3) {
		setting["RecoveryPeriodInDays"] = pick(r.generator, 1, 7, 35, 7, 35, 0, 36)
	}
	withoutTimes := func(answer members) any {
		d, _ := answer["ContinuousBackupsDescription"].(map[string]any)
		recovery, _ := d["PointInTimeRecoveryDescription"].(map[string]any)
		delete(recovery, "EarliestRestorableDateTime")
		delete(recovery, "LatestRestorableDateTime")
		return d
	}
	r.both("UpdateContinuousBackups", members{"TableName": name, "PointInTimeRecoverySpecification": setting},
		withoutTimes)
	r.both("DescribeContinuousBackups", members{"TableName": name}, withoutTimes)
}

func (r *motoRun) update() {
	in := members{"TableName": r.target()}
	through := func() members {
		return members{"ReadCapacityUnits": pick(r.generator, 1, 5, 7, 0),
			"WriteCapacityUnits": pick(r.generator, 1, 5, 7)}
	}
	attributes := []members{{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "N"}}
	switch r.IntN(9) {
	case 0:
		in["BillingMode"] = "PAY_PER_REQUEST"
		if r.odds(10) {
			in["ProvisionedThroughput"] = through()
		}
	case 1:
		in["BillingMode"] = "PROVISIONED"
		if !r.odds(5) {
			in["ProvisionedThroughput"] = through()
		}
		if r.odds(2) { // without it the switch is refused for the indexes
			in["GlobalSecondaryIndexUpdates"] = []members{{"Update": members{"IndexName": "by-g",
				"ProvisionedThroughput": through()}}}
		}
	case 2:
		in["ProvisionedThroughput"] = through()
	case 3:
		in["DeletionProtectionEnabled"] = r.odds(2)
	case 4, 5:
		in["AttributeDefinitions"] = attributes
		create := members{"IndexName": pick(r.generator, "by-g", "by-g-2"),
			"KeySchema":  []members{{"AttributeName": "g", "KeyType": "HASH"}},
			"Projection": members{"ProjectionType": pick(r.generator, "ALL", "KEYS_ONLY")}}
		if r.odds(2) {
			create["ProvisionedThroughput"] = members{"ReadCapacityUnits": 2, "WriteCapacityUnits": 2}
		}
		in["GlobalSecondaryIndexUpdates"] = []members{{"Create": create}}
	case 6:
		in["GlobalSecondaryIndexUpdates"] = []members{{"Delete": members{"IndexName": pick(r.generator, "by-g",
			"by-g-2")}}}
	case 7:
		in["GlobalSecondaryIndexUpdates"] = []members{{"Update": members{"IndexName": pick(r.generator, "by-g",
			"by-g-2"), "ProvisionedThroughput": through()}}}
	case 8:
		if in["TableName"] == settled {
			r.protected()
		}
		return
	}
	r.both("UpdateTable", in, nothing)
	r.both("DescribeTable", members{"TableName": in["TableName"]}, settingsOf)
}

// protected deletes the table, which only protection prevents.
func (r *motoRun) protected() {
	in := members{"TableName": settled}
	r.both("DeleteTable", in, nothing)
	if _, code, _ := r.w.send("DescribeTable", in); code != "" {
		r.both("DescribeTable", in, nothing)
		r.tables()
	}
}

// settingsOf is what both say of a table. Definitions of attributes that no key
// uses any more are left out: moto keeps them, AWS does not.
func settingsOf(answer members) any {
	t, _ := answer["Table"].(map[string]any)
	if t == nil {
		return nil
	}
	out := members{"protected": t["DeletionProtectionEnabled"] == true, "status": t["TableStatus"]}
	summary, _ := t["BillingModeSummary"].(map[string]any)
	if out["onDemand"] = summary["BillingMode"] == "PAY_PER_REQUEST"; out["onDemand"] == false {
		throughput, _ := t["ProvisionedThroughput"].(map[string]any)
		out["throughput"] = []any{throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]}
	}
	indexes, _ := t["GlobalSecondaryIndexes"].([]any)
	var list []any
	for _, x := range indexes {
		i := x.(map[string]any)
		list = append(list, []any{i["IndexName"], i["KeySchema"], i["Projection"], i["IndexStatus"]})
	}
	sortList(list)
	out["indexes"] = list
	return out
}

// TestDifferentialMotoTokens keeps by name what moto does with idempotency
// tokens: nothing.
func TestDifferentialMotoTokens(t *testing.T) {
	r := newMotoRun(t, 5, diffTables(), []motoDifference{
		{"it ignores tokens and does the transaction again", func(d *difference) bool { return d.operation == "GetItem" }},
		{"it ignores tokens and takes another transaction under the same", func(d *difference) bool {
			return d.code == "IdempotentParameterMismatchException" && d.wantCode == ""
		}},
	})
	add := func(n string) members {
		return members{"ClientRequestToken": "token-1",
			"TransactItems": []members{{"Update": members{"TableName": diffHash, "Key": members{"pk": members{"S": "a"}},
				"UpdateExpression": "ADD v :n", "ExpressionAttributeValues": members{":n": members{"N": n}}}}}}
	}
	get := members{"TableName": diffHash, "Key": members{"pk": members{"S": "a"}}}
	r.both("TransactWriteItems", add("1"), cancellation)
	r.both("TransactWriteItems", add("1"), cancellation)
	if got := r.w.do("GetItem", get); jsonText(got) != `{"Item":{"pk":{"S":"a"},"v":{"N":"1"}}}` {
		t.Errorf("done twice: %s", jsonText(got))
	}
	r.both("GetItem", get, whole)
	r.both("TransactWriteItems", add("2"), cancellation)
	r.done([]string{"IdempotentParameterMismatchException"}, "TransactWriteItems", "GetItem")
}

// motoSettings: what AWS documents of these operations decides.
var motoSettings = []motoDifference{
	{"it enables and disables time to live again, changes its attribute without disabling it, and knows no pause " +
		"between changes", func(d *difference) bool {
		return d.operation == "UpdateTimeToLive" && d.code == "ValidationException" && d.wantCode == ""
	}},
	{"it has codes of its own for requests about time to live", func(d *difference) bool {
		return d.code == "ResourceNotFoundException" && d.wantCode == "ResourceNotFound" ||
			d.code == "ValidationException" && d.wantCode == "InvalidParameterValue"
	}},
	{"it keeps a tag's old value beside the new one", func(d *difference) bool {
		tags, _ := d.want["Tags"].([]any)
		seen := map[any]bool{}
		for _, x := range tags {
			seen[x.(map[string]any)["Key"]] = true
		}
		return d.operation == "ListTagsOfResource" && len(seen) < len(tags)
	}},
	{"it checks neither tags nor their number", func(d *difference) bool {
		return d.operation == "TagResource" && d.code == "ValidationException" && d.wantCode == ""
	}},
	{"it tags what is not there", func(d *difference) bool {
		return (d.operation == "TagResource" || d.operation == "UntagResource") &&
			d.code == "ResourceNotFoundException" && d.wantCode == ""
	}},
	{"it takes any number of days, and takes one when recovery ends", func(d *difference) bool {
		return d.operation == "UpdateContinuousBackups" && d.code == "ValidationException" && d.wantCode == ""
	}},
	{"it keeps the days that were set before; AWS documents 35 when none are given", func(d *difference) bool {
		return strings.HasSuffix(d.operation, "ContinuousBackups") && d.code == "" && d.wantCode == ""
	}},
	{"it checks neither throughput nor the lack of it", func(d *difference) bool {
		return d.operation == "UpdateTable" && d.refusedAlone() &&
			(d.in["ProvisionedThroughput"] != nil || d.in["BillingMode"] != nil ||
				d.in["OnDemandThroughput"] != nil || d.in["GlobalSecondaryIndexUpdates"] != nil)
	}},
	{"it crashes on indexes that are not there, or there already", func(d *difference) bool {
		return d.operation == "UpdateTable" && d.wantCode == "crash" &&
			(d.code == "ResourceNotFoundException" || d.code == "ValidationException")
	}},
}
