// SPDX-License-Identifier: Apache-2.0

package input

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type keyElement struct{ AttributeName, KeyType *string }

type attributeDefinition struct{ AttributeName, AttributeType *string }

type throughputInput struct{ ReadCapacityUnits, WriteCapacityUnits *int64 }

// units returns the units of a throughput that passed the constraints.
func (t *throughputInput) units() (read, write int64) {
	return *t.ReadCapacityUnits, *t.WriteCapacityUnits
}

// throughput returns the units as a new table or index has them.
func (t *throughputInput) throughput() schema.Throughput {
	read, write := t.units()
	return schema.Throughput{Read: read, Write: write}
}

type projectionInput struct {
	ProjectionType   *string
	NonKeyAttributes []string
}

// indexInput is an index to be created, or the update of one.
type indexInput struct {
	IndexName             *string
	KeySchema             []keyElement
	Projection            *projectionInput
	ProvisionedThroughput *throughputInput
	OnDemandThroughput    *schema.OnDemandLimit
	WarmThroughput        wire.Unsupported
}

// CreateTable is a CreateTable request.
type CreateTable struct {
	Table
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keyElement
	LocalSecondaryIndexes     []indexInput
	GlobalSecondaryIndexes    []indexInput
	BillingMode               *string
	ProvisionedThroughput     *throughputInput
	OnDemandThroughput        *schema.OnDemandLimit
	SSESpecification          *SSE
	Tags                      []tagInput
	DeletionProtectionEnabled *bool
	TableClass                *string
	StreamSpecification       *streamSpecification
	ResourcePolicy            *string

	VectorIndexes, WarmThroughput                            wire.Unsupported
	GlobalTableSettingsReplicationMode, GlobalTableSourceArn wire.Unsupported

	// set by Prepare
	def  *schema.Definition
	want schema.Wish
}

// Prepare checks the request beyond its constraints.
func (in *CreateTable) Prepare(c *request.Call) (err error) {
	if in.def, err = in.define(); err != nil {
		return err
	}
	if in.want, err = in.SSESpecification.Wish(); err != nil {
		return err
	}
	if in.def.Tags, err = tagsOf(in.Tags); err != nil {
		return err
	}
	return in.Table.Prepare(c)
}

// Definition returns the definition of the table that the prepared request
// wants, without what only the service knows.
func (in *CreateTable) Definition() *schema.Definition { return in.def }

// Wish returns the key that the prepared request asks for.
func (in *CreateTable) Wish() schema.Wish { return in.want }

// checkKeySchema checks a KeySchema of at most so many elements, without a limit
// if it is zero.
func checkKeySchema(c *wire.Checks, keys []keyElement, path string, most int) {
	if !c.Required(keys == nil, path) {
		return
	}
	switch n := len(keys); {
	case n == 0:
		c.Violate("'[]'", path, wire.MinLength(1))
	case most > 0 && n > most:
		shown := make([]string, n)
		for i, k := range keys {
			shown[i] = "KeySchemaElement(attributeName=" + textOrNull(k.AttributeName) + ", keyType=" +
				textOrNull(k.KeyType) + ")"
		}
		c.Violate("'["+strings.Join(shown, ", ")+"]'", path, wire.MaxLength(most))
	}
	for i, k := range keys {
		at := fmt.Sprintf("%s.%d.member.", path, i+1)
		if c.Required(k.AttributeName == nil, at+"attributeName") {
			c.Length(k.AttributeName, at+"attributeName", 1, 255)
		}
		if c.Required(k.KeyType == nil, at+"keyType") {
			c.Enum(k.KeyType, at+"keyType", "HASH", "RANGE")
		}
	}
}

func textOrNull(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func checkThroughput(c *wire.Checks, t *throughputInput, path string) {
	if t == nil {
		return
	}
	if c.Required(t.WriteCapacityUnits == nil, path+".writeCapacityUnits") {
		c.Between(t.WriteCapacityUnits, path+".writeCapacityUnits", 1, -1)
	}
	if c.Required(t.ReadCapacityUnits == nil, path+".readCapacityUnits") {
		c.Between(t.ReadCapacityUnits, path+".readCapacityUnits", 1, -1)
	}
}

// checkIndex checks an index, whose key has at most so many attributes. Without
// that limit, the refusal of too many is not one of a constraint.
func checkIndex(c *wire.Checks, in *indexInput, path string, most int) {
	if c.Required(in.IndexName == nil, path+"indexName") {
		checkResource(c, in.IndexName, path+"indexName")
	}
	checkKeySchema(c, in.KeySchema, path+"keySchema", most)
	if c.Required(in.Projection == nil, path+"projection") {
		c.Enum(in.Projection.ProjectionType, path+"projection.projectionType", "ALL", "INCLUDE", "KEYS_ONLY")
		checkProjected(c, in.Projection.NonKeyAttributes, path+"projection.nonKeyAttributes")
	}
	checkThroughput(c, in.ProvisionedThroughput, path+"provisionedThroughput")
}

// maxProjectedName is the longest name of an attribute that an index projects,
// in bytes.
const maxProjectedName = 255

// checkProjected checks the names of attributes, which may be missing. An
// answer repeats them.
func checkProjected(c *wire.Checks, names []string, path string) {
	shown := "'[" + strings.Join(names, ", ") + "]'"
	switch {
	case names == nil:
	case len(names) == 0:
		c.Violate(shown, path, wire.MinLength(1))
	case len(names) > 20:
		c.Violate(shown, path, wire.MaxLength(20))
	case slices.ContainsFunc(names, func(n string) bool { return n == "" || len(n) > maxProjectedName }):
		c.Violate(shown, path, wire.All("Member", wire.MaxLength(maxProjectedName), wire.MinLength(1)))
	}
}

// Check implements [wire.Checker].
func (in *CreateTable) Check(c *wire.Checks) {
	in.Table.Check(c)
	if c.Required(in.AttributeDefinitions == nil, "attributeDefinitions") {
		checkAttributes(c, in.AttributeDefinitions)
	}
	checkKeySchema(c, in.KeySchema, "keySchema", 2)
	c.Enum(in.BillingMode, "billingMode", "PROVISIONED", "PAY_PER_REQUEST")
	c.Enum(in.TableClass, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
	checkThroughput(c, in.ProvisionedThroughput, "provisionedThroughput")
	checkStream(c, in.StreamSpecification)
	for i := range in.GlobalSecondaryIndexes {
		checkIndex(c, &in.GlobalSecondaryIndexes[i], fmt.Sprintf("globalSecondaryIndexes.%d.member.", i+1), 0)
	}
	for i := range in.LocalSecondaryIndexes {
		checkIndex(c, &in.LocalSecondaryIndexes[i], fmt.Sprintf("localSecondaryIndexes.%d.member.", i+1), 2)
	}
	checkSSE(c, in.SSESpecification, "sSESpecification")
}

func checkSSE(c *wire.Checks, s *SSE, path string) {
	if s != nil {
		c.Enum(s.SSEType, path+".sSEType", "AES256", "KMS")
		c.Length(s.KMSMasterKeyID, path+".kMSMasterKeyId", 1, 2048)
	}
}

func checkAttributes(c *wire.Checks, list []attributeDefinition) {
	for i, a := range list {
		at := fmt.Sprintf("attributeDefinitions.%d.member.", i+1)
		if c.Required(a.AttributeName == nil, at+"attributeName") {
			c.Length(a.AttributeName, at+"attributeName", 1, 255)
		}
		if c.Required(a.AttributeType == nil, at+"attributeType") {
			c.Enum(a.AttributeType, at+"attributeType", "B", "N", "S")
		}
	}
}
