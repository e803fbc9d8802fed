// SPDX-License-Identifier: Apache-2.0

package input

import (
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

const (
	maxLocalIndexes  = 5
	maxGlobalIndexes = 20
)

func attributeTypes(list []attributeDefinition) (map[string]string, error) {
	kinds := map[string]string{}
	for _, a := range list {
		if _, dup := kinds[*a.AttributeName]; dup {
			return nil, refusal.Validation("Attribute Name is duplicated: " + *a.AttributeName)
		}
		kinds[*a.AttributeName] = *a.AttributeType
	}
	return kinds, nil
}

// schemaOf checks the KeySchema of a table or a local index, or of a global one.
func schemaOf(keys []keyElement, kinds map[string]string, global bool) (schema.Key, error) {
	var k schema.Key
	if len(keys) > len(kinds) {
		return k, refusal.Validation("Invalid KeySchema: Some index key attribute have no definition")
	}
	var names []string
	undefined := false
	for _, e := range keys {
		names = append(names, *e.AttributeName)
		undefined = undefined || kinds[*e.AttributeName] == ""
	}
	switch {
	case undefined:
		return k, refusal.Parameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], "+
			"AttributeDefinitions: [%s]",
			strings.Join(names, ", "), strings.Join(sortedNames(kinds), ", "))
	case len(keys) == 2 && names[0] == names[1]:
		return k, refusal.Validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	case *keys[0].KeyType != "HASH":
		return k, refusal.Validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case !global && len(keys) == 2 && *keys[1].KeyType != "RANGE":
		return k, refusal.Validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	}
	var partition, sort []schema.Attribute
	for i, e := range keys {
		if slices.Contains(names[:i], names[i]) {
			return k, refusal.Validation("The KeySchema contains multiple key attributes with the same name")
		}
		list := &partition
		if *e.KeyType == "RANGE" {
			list = &sort
		} else if sort != nil {
			return k, refusal.Parameter("All HASH key attributes must precede RANGE key attributes in the KeySchema")
		}
		if len(*list) == schema.MaxParts {
			return k, refusal.Parameter("The KeySchema exceeds the maximum allowed number of %s key attributes",
				*e.KeyType)
		}
		*list = append(*list, schema.Attribute{Name: names[i], Type: kinds[names[i]]})
	}
	return schema.NewKey(partition, sort), nil
}

// indexOf checks one index of CreateTable or UpdateTable, except what it may
// use.
func indexOf(in *indexInput, kinds map[string]string, table *schema.Key, local bool) (*schema.Index, error) {
	k, err := schemaOf(in.KeySchema, kinds, !local)
	if err != nil {
		return nil, err
	}
	d := &schema.Index{Name: *in.IndexName, Key: k, NonKey: in.Projection.NonKeyAttributes}
	if local {
		switch {
		case !table.HasSort():
			return nil, refusal.Parameter("Table KeySchema does not have a range key, which is required when " +
				"specifying a LocalSecondaryIndex")
		case !k.HasSort():
			return nil, refusal.Parameter("Index KeySchema does not have a range key for index: %s", *in.IndexName)
		case k.Partition.Name != table.Partition.Name:
			return nil, refusal.Parameter("Index KeySchema does not have the same leading hash key as table "+
				"KeySchema for index: %s. index hash key: %s, table hash key: %s",
				*in.IndexName, k.Partition.Name, table.Partition.Name)
		}
	}
	switch {
	case in.Projection.ProjectionType == nil:
		return nil, refusal.Parameter("Unknown ProjectionType: null")
	case *in.Projection.ProjectionType == schema.ProjectInclude && len(in.Projection.NonKeyAttributes) == 0:
		return nil, refusal.Parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	case *in.Projection.ProjectionType != schema.ProjectInclude && in.Projection.NonKeyAttributes != nil:
		return nil, refusal.Parameter("ProjectionType is %s, but NonKeyAttributes is specified",
			*in.Projection.ProjectionType)
	}
	for n, name := range in.Projection.NonKeyAttributes {
		if slices.Contains(in.Projection.NonKeyAttributes[:n], name) {
			return nil, refusal.Parameter("Duplicate element in NonKeyAttributes: %s", name)
		}
	}
	d.Projection = *in.Projection.ProjectionType
	return d, nil
}

// define checks the request beyond its constraints.
func (in *CreateTable) define() (*schema.Definition, error) {
	if in.StreamSpecification != nil {
		switch enabled := *in.StreamSpecification.StreamEnabled; {
		case enabled && in.StreamSpecification.StreamViewType == nil:
			return nil, refusal.Parameter("Table is being created with a stream enabled, UpdateViewType is required")
		case !enabled && in.StreamSpecification.StreamViewType != nil:
			return nil, refusal.Parameter("Table is being created with a stream disabled, UpdateViewType should not " +
				"be specified")
		}
	}
	onDemand := in.BillingMode != nil && *in.BillingMode == "PAY_PER_REQUEST"
	switch {
	case onDemand && in.ProvisionedThroughput != nil:
		return nil, refusal.Parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when " +
			"BillingMode is PAY_PER_REQUEST")
	case !onDemand && in.ProvisionedThroughput == nil:
		return nil, refusal.Parameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when " +
			"BillingMode is PROVISIONED")
	}
	kinds, err := attributeTypes(in.AttributeDefinitions)
	if err != nil {
		return nil, err
	}
	d := &schema.Definition{Name: *in.TableName, OnDemand: onDemand, Stream: in.StreamSpecification.stream()}
	if d.OnDemandLimit, err = (limitChange{onDemand: onDemand}).apply(nil, in.OnDemandThroughput); err != nil {
		return nil, err
	}
	if strings.HasPrefix(*in.TableName, "arn:") {
		d.Name = arnRule.FindStringSubmatch(*in.TableName)[3]
	}
	if in.ProvisionedThroughput != nil {
		d.Throughput = in.ProvisionedThroughput.throughput()
	}
	if d.Key, err = schemaOf(in.KeySchema, kinds, false); err != nil {
		return nil, err
	}
	for _, a := range in.AttributeDefinitions {
		d.Attributes = append(d.Attributes, schema.Attribute{Name: *a.AttributeName, Type: *a.AttributeType})
	}
	if in.LocalSecondaryIndexes == nil && in.GlobalSecondaryIndexes == nil &&
		len(in.KeySchema) != len(in.AttributeDefinitions) {
		return nil, refusal.Parameter("Number of attributes in KeySchema does not exactly match number of " +
			"attributes defined in AttributeDefinitions")
	}
	used := map[string]bool{}
	use := func(k *schema.Key) {
		for a := range k.All() {
			used[a.Name] = true
		}
	}
	use(&d.Key)
	names := map[string]bool{}
	for _, set := range []struct {
		list  []indexInput
		local bool
		given bool
		limit int
		dst   *[]*schema.Index
		what  string
	}{
		{in.LocalSecondaryIndexes, true, in.LocalSecondaryIndexes != nil, maxLocalIndexes, &d.Local,
			"LocalSecondaryIndexes"},
		{in.GlobalSecondaryIndexes, false, in.GlobalSecondaryIndexes != nil, maxGlobalIndexes, &d.Global,
			"GlobalSecondaryIndexes"},
	} {
		if set.given && len(set.list) == 0 {
			return nil, refusal.Parameter("List of %s is empty", set.what)
		}
		for i := range set.list {
			x, err := indexOf(&set.list[i], kinds, &d.Key, set.local)
			if err != nil {
				return nil, err
			}
			if !set.local {
				if err := set.list[i].provision(x, onDemand, false); err != nil {
					return nil, err
				}
			}
			if names[x.Name] {
				return nil, refusal.Parameter("Duplicate index name: %s", x.Name)
			}
			names[x.Name] = true
			use(&x.Key)
			*set.dst = append(*set.dst, x)
		}
		if len(set.list) > set.limit {
			if set.local {
				return nil, refusal.Parameter("Number of LocalSecondaryIndexes exceeds per-table limit of %d",
					set.limit)
			}
			return nil, refusal.Parameter("GlobalSecondaryIndex count exceeds the per-table limit of %d", set.limit)
		}
	}
	if err := d.CheckProjected(); err != nil {
		return nil, err
	}
	for _, a := range d.Attributes {
		if !used[a.Name] {
			return nil, refusal.Parameter("Some AttributeDefinitions are not used. AttributeDefinitions: %s, keys "+
				"used: %s",
				listOf(d.Attributes, nil), listOf(d.Attributes, used))
		}
	}
	if in.TableClass != nil {
		d.TableClass = *in.TableClass
	}
	d.DeletionProtection = in.DeletionProtectionEnabled != nil && *in.DeletionProtectionEnabled
	return d, nil
}

// listOf writes attribute names for a message, all or those in used.
func listOf(list []schema.Attribute, used map[string]bool) string {
	var names []string
	for _, a := range list {
		if used == nil || used[a.Name] {
			names = append(names, a.Name)
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}
