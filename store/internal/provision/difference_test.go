// SPDX-License-Identifier: Apache-2.0

package provision_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/store/internal/provision"
)

// TestDifferences: each one is named, with what there is and what is declared.
func TestDifferences(t *testing.T) {
	arn := "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	ward := provision.Index{Name: "byWard", Key: provision.Key{Partition: "ward", Sort: "id"}, Projection: "ALL"}
	local := provision.Index{Name: "byDay", Local: true, Key: provision.Key{Partition: "id", Sort: "day"},
		Projection: "INCLUDE", Attributes: []string{"name"}}
	define := func(change func(*provision.Definition)) *provision.Definition {
		d := &provision.Definition{Name: "wards", Key: provision.Key{Partition: "id", Sort: "day"},
			Indexes: []provision.Index{ward, local}, Types: map[string]string{"id": "S", "day": "N", "ward": "S"}}
		change(d)
		return d
	}
	describe := func(change func(*types.TableDescription)) *types.TableDescription {
		element := func(name string, kind types.KeyType) types.KeySchemaElement {
			return types.KeySchemaElement{AttributeName: &name, KeyType: kind}
		}
		attribute := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
			return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
		}
		t := &types.TableDescription{
			KeySchema: []types.KeySchemaElement{element("id", "HASH"), element("day", "RANGE")},
			AttributeDefinitions: []types.AttributeDefinition{attribute("id", "S"), attribute("day", "N"),
				attribute("ward", "S")},
			BillingModeSummary: &types.BillingModeSummary{BillingMode: types.BillingModePayPerRequest},
			GlobalSecondaryIndexes: []types.GlobalSecondaryIndexDescription{{IndexName: aws.String("byWard"),
				KeySchema:  []types.KeySchemaElement{element("ward", "HASH"), element("id", "RANGE")},
				Projection: &types.Projection{ProjectionType: "ALL"}}},
			LocalSecondaryIndexes: []types.LocalSecondaryIndexDescription{{IndexName: aws.String("byDay"),
				KeySchema:  []types.KeySchemaElement{element("id", "HASH"), element("day", "RANGE")},
				Projection: &types.Projection{ProjectionType: "INCLUDE", NonKeyAttributes: []string{"name", "more"}}}},
		}
		change(t)
		return t
	}
	same := func(*provision.Definition) {}
	asDeclared := func(*types.TableDescription) {}
	for _, c := range []struct {
		name     string
		declared func(*provision.Definition)
		is       func(*types.TableDescription)
		want     []string
	}{
		{"none", same, asDeclared, nil},
		{"key", same, func(t *types.TableDescription) { t.KeySchema = t.KeySchema[:1] },
			[]string{`the key is partition key "id", declared partition key "id" and sort key "day"`}},
		{"type", func(d *provision.Definition) { d.Types["day"] = "S" }, asDeclared,
			[]string{`key attribute "day" is of type N, declared S`}},
		{"no index", same, func(t *types.TableDescription) { t.GlobalSecondaryIndexes = nil },
			[]string{`index byWard does not exist, declared as global with partition key "ward" and sort key "id"`}},
		{"local", func(d *provision.Definition) { d.Indexes[0].Local = true }, asDeclared,
			[]string{`index byWard is global with partition key "ward" and sort key "id", declared as local with partition key ` +
				`"ward" and sort key "id"`}},
		{"several attributes", same, func(t *types.TableDescription) {
			t.GlobalSecondaryIndexes[0].KeySchema[1].KeyType = "HASH"
		}, []string{`index byWard is global with partition key "ward", "id", declared as global with partition key "ward" and ` +
			`sort key "id"`}},
		{"projects less", same, func(t *types.TableDescription) {
			t.GlobalSecondaryIndexes[0].Projection = &types.Projection{ProjectionType: "KEYS_ONLY"}
			t.LocalSecondaryIndexes[0].Projection.NonKeyAttributes = []string{"more"}
		}, []string{"index byWard has projection KEYS_ONLY, declared ALL",
			"index byDay has projection INCLUDE more, declared INCLUDE name"}},
		{"projects more", func(d *provision.Definition) { d.Indexes[0].Projection = "KEYS_ONLY" }, asDeclared, nil},
		{"provisioned", func(d *provision.Definition) { d.Read, d.Write = 5, 6 }, asDeclared,
			[]string{"the billing mode is PAY_PER_REQUEST, declared PROVISIONED"}},
		{"on demand", same, func(t *types.TableDescription) { t.BillingModeSummary = nil },
			[]string{"the billing mode is PROVISIONED, declared PAY_PER_REQUEST"}},
		{"units", func(d *provision.Definition) { d.Read, d.Write = 5, 6 }, func(t *types.TableDescription) {
			t.BillingModeSummary = nil
			t.ProvisionedThroughput = &types.ProvisionedThroughputDescription{ReadCapacityUnits: aws.Int64(5),
				WriteCapacityUnits: aws.Int64(7)}
		}, []string{"5 read and 7 write units are provisioned, declared 5 and 6"}},
		{"a key", same, func(t *types.TableDescription) { t.SSEDescription = &types.SSEDescription{KMSMasterKeyArn: &arn} },
			[]string{"the table is encrypted under " + arn + ", declared under a key that AWS owns"}},
		{"no key", func(d *provision.Definition) { d.KMSKey = "alias/wards" }, asDeclared,
			[]string{"the table is encrypted under a key that AWS owns, declared under alias/wards"}},
		{"some key", func(d *provision.Definition) { d.KMSKey = "alias/wards" }, func(t *types.TableDescription) {
			t.SSEDescription = &types.SSEDescription{KMSMasterKeyArn: &arn}
		}, nil},
		{"another key", func(d *provision.Definition) { d.KMSKey = arn + "f" }, func(t *types.TableDescription) {
			t.SSEDescription = &types.SSEDescription{KMSMasterKeyArn: &arn}
		}, []string{"the table is encrypted under " + arn + ", declared under " + arn + "f"}},
		{"protection", func(d *provision.Definition) { d.DeletionProtection = true }, asDeclared,
			[]string{"deletion protection is off, declared on"}},
		{"more than declared", func(d *provision.Definition) { d.Indexes = nil }, func(t *types.TableDescription) {
			t.DeletionProtectionEnabled = aws.Bool(true)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := define(c.declared).Differences(describe(c.is)); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
