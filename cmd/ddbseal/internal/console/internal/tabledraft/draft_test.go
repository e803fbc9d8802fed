// SPDX-License-Identifier: Apache-2.0

package tabledraft

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const keyARN = "arn:aws:kms:us-east-1:111122223333:key/0b9c9f9e-0000-4000-8000-000000000000"

func good() Draft {
	d := New()
	d.Name, d.Partition = "my-table", "id"
	return d
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		change      func(*Draft)
		field, want string // part of the fault; empty: nothing is wrong
	}{
		{func(*Draft) {}, "name", ""},
		{func(d *Draft) { d.Name = "" }, "name", "write a name"},
		{func(d *Draft) { d.Name = "ab" }, "name", "3 to 255"},
		{func(d *Draft) { d.Name = strings.Repeat("a", 256) }, "name", "3 to 255"},
		{func(d *Draft) { d.Name = "my table" }, "name", "nothing else"},
		{func(d *Draft) { d.Name = "My_table.2-x" }, "name", ""},
		{func(d *Draft) { d.Partition = "" }, "partition", "such as id"},
		{func(d *Draft) { d.Partition = strings.Repeat("é", 128) }, "partition", "255 bytes"},
		{func(d *Draft) { d.PartitionType = "M" }, "partition-type", "choose a type"},
		{func(d *Draft) { d.Sort, d.SortType = "at", "N" }, "sort", ""},
		{func(d *Draft) { d.Sort = "id" }, "sort", "name of the partition key"},
		{func(d *Draft) { d.Sort, d.SortType = "at", "" }, "sort-type", "choose a type"},
		{func(d *Draft) { d.SortType = "" }, "sort-type", ""},
		{func(d *Draft) { d.Provisioned, d.Read = true, "none" }, "read", ""}, // the default settings hold
		{func(d *Draft) { d.Own, d.Provisioned, d.Read = true, true, "none" }, "read", "at least 1"},
		{func(d *Draft) { d.Own, d.Provisioned, d.Write = true, true, "0" }, "write", "at least 1"},
		{func(d *Draft) { d.Own, d.Provisioned = true, true }, "read", ""},
		{func(d *Draft) { d.Own, d.Kind = true, "" }, "encryption", "choose a key"},
		{func(d *Draft) { d.Own, d.Kind = true, Customer }, "key", "choose a customer managed key"},
		{func(d *Draft) { d.Own, d.Kind, d.OtherKey = true, Customer, strings.Repeat("a", 2049) }, "key", "longer"},
		{func(d *Draft) { d.Own, d.Kind, d.OtherKey = true, Customer, "alias/mine" }, "key", ""},
	} {
		d := good()
		c.change(&d)
		faults := d.Check()
		if got := faults.Of(c.field); c.want == "" && len(faults) > 0 || !strings.Contains(got, c.want) {
			t.Errorf("%s: %v, want %q", c.field, faults, c.want)
		}
	}
}

func TestForm(t *testing.T) {
	d := Form(url.Values{"name": {" my-table "}, "partition": {"id"}, "partition-type": {"S"}, "sort": {"at"},
		"sort-type": {"N"}, "settings": {"own"}, "capacity": {"provisioned"}, "read": {"3"}, "write": {"4"},
		"protection": {"yes"}, "encryption": {"customer"}, "key": {keyARN}, "other-key": {""}})
	if faults := d.Check(); len(faults) > 0 {
		t.Fatal(faults)
	}
	in := d.Input()
	if aws.ToString(in.TableName) != "my-table" || len(in.KeySchema) != 2 || len(in.AttributeDefinitions) != 2 ||
		in.AttributeDefinitions[1].AttributeType != "N" || in.KeySchema[1].KeyType != types.KeyTypeRange ||
		*in.ProvisionedThroughput.ReadCapacityUnits != 3 || *in.ProvisionedThroughput.WriteCapacityUnits != 4 ||
		!*in.DeletionProtectionEnabled || aws.ToString(in.SSESpecification.KMSMasterKeyId) != keyARN {
		t.Errorf("%+v", in)
	}
	// The default settings leave out what the form says of own ones.
	d.Own = false
	in = d.Input()
	if in.BillingMode != types.BillingModePayPerRequest || in.ProvisionedThroughput != nil ||
		in.DeletionProtectionEnabled != nil || in.SSESpecification != nil {
		t.Errorf("%+v", in)
	}
}

func TestEncryption(t *testing.T) {
	under := func(arn string) *types.TableDescription {
		return &types.TableDescription{SSEDescription: &types.SSEDescription{Status: types.SSEStatusEnabled,
			KMSMasterKeyArn: aws.String(arn)}}
	}
	owned := Current(&types.TableDescription{})
	customer := Current(under(keyARN)).AsManaged(keyARN + "2")
	managed := Current(under(keyARN)).AsManaged(keyARN)
	for kind, e := range map[string]Encryption{Owned: owned, Customer: customer, Managed: managed} {
		if e.Kind != kind || len(e.Check()) > 0 || !e.Same(e) || !strings.Contains(e.Text("alias/a"), kind+" ") {
			t.Errorf("%+v, want %s", e, kind)
		}
	}
	if owned.Same(managed) || managed.Same(customer) || customer.Same(Encryption{Kind: Customer, OtherKey: "alias/x"}) {
		t.Error("two keys are the same")
	}
	for alias, want := range map[string]string{"alias/a": "alias/a", "": keyARN} {
		if got := customer.Text(alias); got != "customer managed key "+want {
			t.Error(got)
		}
	}
	if s := owned.Specification(); *s.Enabled || s.KMSMasterKeyId != nil {
		t.Errorf("%+v", s)
	}
	if s := managed.Specification(); !*s.Enabled || s.KMSMasterKeyId != nil {
		t.Errorf("%+v", s)
	}
	typed := Encryption{Kind: Customer, Key: keyARN, OtherKey: "alias/typed"}
	if s := typed.Specification(); !*s.Enabled || aws.ToString(s.KMSMasterKeyId) != "alias/typed" {
		t.Errorf("%+v", s)
	}
}

// TestOptions: the options answer the same questions.
func TestOptions(t *testing.T) {
	options := Options()
	for _, o := range options {
		if len(o.Rows) != 6 || o.Sees == "" || len(o.Checks) == 0 || o.Screen == "" {
			t.Errorf("%+v", o)
		}
		for i, r := range o.Rows {
			if r.Question != options[0].Rows[i].Question || r.Answer == "" {
				t.Errorf("%s: %+v", o.Name, r)
			}
		}
	}
}
