// SPDX-License-Identifier: Apache-2.0

// Package provision makes a DynamoDB table from its declaration, or says how an
// existing one differs from it.
package provision

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// AWSManagedKey names the KMS key that AWS manages for DynamoDB in each account.
const AWSManagedKey = "alias/aws/dynamodb"

// Definition is what a table is declared to be.
type Definition struct {
	Name    string // or ARN
	Key     Key
	Indexes []Index
	// Types has the type, S, N or B, of each key attribute of the table and its
	// indexes.
	Types map[string]string
	// TTL is the attribute by which items expire; empty: none is declared.
	TTL string
	// KMSKey is an id, ARN or alias; empty: a key that AWS owns.
	KMSKey string
	// Read and Write are the provisioned units of the table and of each global
	// index; both zero: on demand.
	Read, Write        int64
	DeletionProtection bool
	Tags               map[string]string
}

// Index is a secondary index.
type Index struct {
	Name  string
	Local bool
	Key   Key
	// Projection is ALL, KEYS_ONLY, or INCLUDE of the attributes.
	Projection types.ProjectionType
	Attributes []string
}

func (i Index) projection() *types.Projection {
	return &types.Projection{ProjectionType: i.Projection, NonKeyAttributes: i.Attributes}
}

func (d *Definition) onDemand() bool { return d.Read == 0 && d.Write == 0 }

// input returns the call that creates the table.
func (d *Definition) input() *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: &d.Name, KeySchema: d.Key.schema(),
		BillingMode: types.BillingModePayPerRequest, SSESpecification: d.encryption()}
	for _, name := range slices.Sorted(maps.Keys(d.Types)) {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &name,
			AttributeType: types.ScalarAttributeType(d.Types[name])})
	}
	var throughput *types.ProvisionedThroughput
	if !d.onDemand() {
		throughput = &types.ProvisionedThroughput{ReadCapacityUnits: &d.Read, WriteCapacityUnits: &d.Write}
		in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, throughput
	}
	if d.DeletionProtection {
		in.DeletionProtectionEnabled = aws.Bool(true)
	}
	for _, key := range slices.Sorted(maps.Keys(d.Tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: &key, Value: aws.String(d.Tags[key])})
	}
	for _, i := range d.Indexes {
		if i.Local {
			in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{IndexName: &i.Name,
				KeySchema: i.Key.schema(), Projection: i.projection()})
			continue
		}
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{IndexName: &i.Name,
			KeySchema: i.Key.schema(), Projection: i.projection(), ProvisionedThroughput: throughput})
	}
	return in
}

// encryption leaves the member out for the key that AWS owns, and the key's name
// for the one that AWS manages: servers other than AWS do not know it.
func (d *Definition) encryption() *types.SSESpecification {
	if d.KMSKey == "" {
		return nil
	}
	out := &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
	if d.KMSKey != AWSManagedKey {
		out.KMSMasterKeyId = &d.KMSKey
	}
	return out
}
