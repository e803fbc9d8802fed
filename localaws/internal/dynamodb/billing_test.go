// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"fmt"
	"testing"
	"time"
)

func provisioned(read, write int) members {
	return members{"ReadCapacityUnits": read, "WriteCapacityUnits": write}
}

// billed is a provisioned table of 5 and 5 with an index of 3 and 3.
func (w *world) billed() (update func(members) members, refused func(members, string)) {
	w.table("billed", "", members{"BillingMode": "PROVISIONED", "ProvisionedThroughput": provisioned(5, 5),
		"AttributeDefinitions": []members{{"AttributeName": "g", "AttributeType": "S"}},
		"GlobalSecondaryIndexes": []members{{"IndexName": "byG",
			"KeySchema":  []members{{"AttributeName": "g", "KeyType": "HASH"}},
			"Projection": members{"ProjectionType": "ALL"}, "ProvisionedThroughput": provisioned(3, 3)}}})
	with := func(in members) members { in["TableName"] = "billed"; return in }
	return func(in members) members { return w.do("UpdateTable", with(in))["TableDescription"].(members) },
		func(in members, message string) {
			w.t.Helper()
			w.fails("UpdateTable", with(in), "ValidationException", message)
		}
}

func (w *world) described(name string) members {
	return w.do("DescribeTable", members{"TableName": name})["Table"].(members)
}

const badParam = "One or more parameter values were invalid: "

func indexChange(action string, more members) []members {
	in := members{"IndexName": "byG"}
	for k, v := range more {
		in[k] = v
	}
	return []members{{action: in}}
}

func TestBillingSwitch(t *testing.T) {
	w := newWorld(t)
	update, refused := w.billed()
	both := func() string {
		d := w.described("billed")
		i := d["GlobalSecondaryIndexes"].([]any)[0].(members)
		text := ""
		for _, x := range []members{d, i} {
			p, warm := x["ProvisionedThroughput"].(members), x["WarmThroughput"].(members)
			text += fmt.Sprint(p["ReadCapacityUnits"], " ", p["WriteCapacityUnits"], " warm ",
				warm["ReadUnitsPerSecond"], " ", warm["WriteUnitsPerSecond"], "; ")
		}
		return text
	}
	if got := both(); got != "5 5 warm 5 5; 3 3 warm 3 3; " {
		t.Error(got)
	}
	refused(members{"OnDemandThroughput": members{"MaxWriteRequestUnits": 5}},
		badParam+
			"MaxWriteRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED")
	refused(members{"BillingMode": "PAY_PER_REQUEST", "ProvisionedThroughput": provisioned(1, 1)},
		badParam+
			"Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	update(members{"BillingMode": "PAY_PER_REQUEST"})
	if got := both(); got != "0 0 warm 12000 4000; 0 0 warm 12000 4000; " {
		t.Error(got)
	}
	refused(members{"GlobalSecondaryIndexUpdates": indexChange("Update",
		members{"ProvisionedThroughput": provisioned(1, 1)})},
		badParam+
			"The only Updates for index: byG when TableThroughputMode is PAY_PER_REQUEST can be to "+
			"OnDemandThroughput, WarmThroughput")
	refused(members{"BillingMode": "PROVISIONED"},
		badParam+"ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	refused(members{"BillingMode": "PROVISIONED", "ProvisionedThroughput": provisioned(7, 8)},
		badParam+"ProvisionedThroughput must be specified for index: byG")
	update(members{"BillingMode": "PROVISIONED", "ProvisionedThroughput": provisioned(7, 8),
		"GlobalSecondaryIndexUpdates": indexChange("Update", members{"ProvisionedThroughput": provisioned(1, 2)})})
	if got := both(); got != "7 8 warm 12000 4000; 1 2 warm 12000 4000; " {
		t.Error(got)
	}
	refused(members{"GlobalSecondaryIndexUpdates": indexChange("Update",
		members{"ProvisionedThroughput": provisioned(1, 2)})},
		"The provisioned throughput for the index byG will not change. …")
}

func TestOnDemandLimits(t *testing.T) {
	w := newWorld(t)
	const p = badParam
	create := members{"TableName": "limited",
		"AttributeDefinitions": []members{{"AttributeName": "pk", "AttributeType": "S"}}, "KeySchema": []members{{"AttributeName": "pk", "KeyType": "HASH"}},
		"ProvisionedThroughput": provisioned(1, 1), "OnDemandThroughput": members{"MaxReadRequestUnits": 0}}
	w.fails("CreateTable", create, "ValidationException",
		p+"MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.")
	delete(create, "ProvisionedThroughput")
	create["BillingMode"] = "PAY_PER_REQUEST"
	w.fails("CreateTable", create, "ValidationException",
		p+"Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range")
	create["OnDemandThroughput"] = members{"MaxReadRequestUnits": 20, "MaxWriteRequestUnits": 15}
	w.do("CreateTable", create)
	update := func(in members) {
		t.Helper()
		in["TableName"] = "limited"
		w.do("UpdateTable", in)
	}
	limits := func() string { return fmt.Sprint(w.described("limited")["OnDemandThroughput"]) }
	update(members{"OnDemandThroughput": members{"MaxReadRequestUnits": 40}})
	if got := limits(); got != "map[MaxReadRequestUnits:40 MaxWriteRequestUnits:15]" {
		t.Error("the other limit is kept:", got)
	}
	update(members{"OnDemandThroughput": members{"MaxReadRequestUnits": -1}})
	if got := limits(); got != "map[MaxWriteRequestUnits:15]" {
		t.Error("-1 removes a limit:", got)
	}
	update(members{"BillingMode": "PROVISIONED", "ProvisionedThroughput": provisioned(1, 1)})
	update(members{"BillingMode": "PAY_PER_REQUEST"})
	if got := limits(); got != "<nil>" {
		t.Error("limits outlive a time as provisioned table:", got)
	}
	w.fails("UpdateTable", members{"TableName": "limited", "OnDemandThroughput": members{}}, "ValidationException",
		"At least one of …")
	w.fails("UpdateTable", members{"TableName": "limited", "OnDemandThroughput": members{"MaxReadRequestUnits": 40},
		"BillingMode": "PAY_PER_REQUEST", "DeletionProtectionEnabled": true},
		"ValidationException", p+"DeletionProtection modification must be the only operation in the request")
}

func TestThroughputHistory(t *testing.T) {
	w := newWorld(t)
	update, _ := w.billed()
	history := func() string {
		p := w.described("billed")["ProvisionedThroughput"].(members)
		return fmt.Sprint(p["NumberOfDecreasesToday"], " ", p["LastIncreaseDateTime"] != nil, " ",
			p["LastDecreaseDateTime"] != nil)
	}
	if got := history(); got != "0 false false" {
		t.Error(got)
	}
	update(members{"ProvisionedThroughput": provisioned(6, 5)})
	update(members{"ProvisionedThroughput": provisioned(4, 7)})
	update(members{"ProvisionedThroughput": provisioned(4, 6)})
	if got := history(); got != "2 true true" {
		t.Error(got)
	}
	w.advance(24 * time.Hour)
	if got := history(); got != "0 true true" {
		t.Error("a new day:", got)
	}
}

// TestUpdatesAlone: AWS wants these changes in requests of their own.
func TestUpdatesAlone(t *testing.T) {
	w := newWorld(t)
	update, refused := w.billed()
	const only = " modification must be the only operation in the request"
	refused(members{"SSESpecification": members{"Enabled": true}, "DeletionProtectionEnabled": true},
		badParam+"Server-Side Encryption"+only)
	refused(members{"TableClass": "STANDARD_INFREQUENT_ACCESS", "DeletionProtectionEnabled": true},
		badParam+"TableClass"+only)
	refused(members{"TableClass": "STANDARD_INFREQUENT_ACCESS", "ProvisionedThroughput": provisioned(1, 1)},
		badParam+"TableClass"+only)
	refused(members{"ProvisionedThroughput": provisioned(9, 9),
		"GlobalSecondaryIndexUpdates": indexChange("Delete", nil)},
		badParam+"You cannot create or delete index while updating table IOPS")
	refused(members{"DeletionProtectionEnabled": true, "GlobalSecondaryIndexUpdates": []members{}},
		badParam+"List of GlobalSecondaryIndexUpdates is empty")
	refused(members{"GlobalSecondaryIndexUpdates": []members{{}}},
		badParam+
			"One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "+
			"GlobalSecondaryIndexUpdate.Delete must not be null")
	d := update(members{"TableClass": "STANDARD_INFREQUENT_ACCESS"})
	if got := d["TableClassSummary"].(members); got["TableClass"] != "STANDARD_INFREQUENT_ACCESS" ||
		got["LastUpdateDateTime"] == nil {
		t.Error(got)
	}
	// Definitions of attributes that no new index uses are read past.
	d = update(members{"DeletionProtectionEnabled": true,
		"AttributeDefinitions": []members{{"AttributeName": "pk", "AttributeType": "N"},
			{"AttributeName": "unused", "AttributeType": "N"}}})
	if n := len(d["AttributeDefinitions"].([]any)); n != 2 {
		t.Error(d["AttributeDefinitions"])
	}
}

// TestItemsBesideUpdates is for the race detector: what calls on items use
// without the table's lock must not change.
func TestItemsBesideUpdates(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Faults.Throttle = func(string, string) bool { return false } })
	update, _ := w.billed()
	w.table("other", "", nil)
	w.do("PutItem", members{"TableName": "billed", "Item": members{"pk": str("a"), "g": str("x")}})
	put := func(table string) members {
		return members{"Put": members{"TableName": table, "Item": members{"pk": str("b")}}}
	}
	get := members{"Get": members{"TableName": "billed", "Key": members{"pk": str("b")}}}
	done := make(chan error)
	go func() {
		for range 100 {
			for _, call := range []struct {
				operation string
				in        members
			}{
				{"Scan", members{"TableName": "billed", "IndexName": "byG"}},
				{"Query", members{"TableName": "billed", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": members{":p": str("a")}}},
				{"PutItem", members{"TableName": "billed", "Item": members{"pk": str("a"), "g": str("x")}, "ReturnConsumedCapacity": "INDEXES"}},
				{"GetItem", get["Get"].(members)},
				{"BatchGetItem", members{"RequestItems": members{"billed": members{"Keys": []members{{"pk": str("a")}}}}}},
				{"BatchWriteItem", members{"RequestItems": members{"billed": []members{{"PutRequest": members{"Item": members{"pk": str("a")}}}}}}},
				{"TransactGetItems", members{"TransactItems": []members{get}}},
				{"TransactWriteItems", members{"TransactItems": []members{put("billed"), put("other")}}},
			} {
				if _, err := w.try("admin", call.operation, call.in); err != nil {
					done <- fmt.Errorf("%s: %w", call.operation, err)
					return
				}
			}
		}
		done <- nil
	}()
	for i := range 50 {
		update(members{"GlobalSecondaryIndexUpdates": indexChange("Update",
			members{"ProvisionedThroughput": provisioned(10+i, 1)})})
		if i%10 == 0 {
			update(customKey(w.keys.newKey(fmt.Sprint(i))))
			w.advance(24 * time.Hour)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
