// SPDX-License-Identifier: Apache-2.0

package input

import (
	"fmt"
	"slices"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// RestoreTable is a RestoreTableFromBackup request.
type RestoreTable struct {
	Backup
	TargetTableName               *string
	BillingModeOverride           *string
	GlobalSecondaryIndexOverride  []indexInput
	LocalSecondaryIndexOverride   []indexInput
	ProvisionedThroughputOverride *throughputInput
	OnDemandThroughputOverride    *schema.OnDemandLimit
	SSESpecificationOverride      *SSE
	VectorIndexOverride           wire.Unsupported

	at   schema.Target // set by Prepare
	want schema.Wish   // set by Prepare, if the encryption is overridden
}

// Check implements [wire.Checker].
func (in *RestoreTable) Check(c *wire.Checks) {
	if c.Required(in.TargetTableName == nil, "targetTableName") {
		checkResource(c, in.TargetTableName, "targetTableName")
	}
	in.Backup.Check(c)
	c.Enum(in.BillingModeOverride, "billingModeOverride", "PROVISIONED", "PAY_PER_REQUEST")
	for i := range in.GlobalSecondaryIndexOverride {
		checkIndex(c, &in.GlobalSecondaryIndexOverride[i], fmt.Sprintf("globalSecondaryIndexOverride.%d.member.", i+1),
			0)
	}
	for i := range in.LocalSecondaryIndexOverride {
		checkIndex(c, &in.LocalSecondaryIndexOverride[i], fmt.Sprintf("localSecondaryIndexOverride.%d.member.", i+1), 2)
	}
	checkThroughput(c, in.ProvisionedThroughputOverride, "provisionedThroughputOverride")
	checkSSE(c, in.SSESpecificationOverride, "sSESpecificationOverride")
}

// Prepare checks the request beyond its constraints.
func (in *RestoreTable) Prepare(c *request.Call) (err error) {
	if err := in.Backup.Prepare(c); err != nil {
		return err
	}
	if in.Source().Region != c.Region {
		return refusal.Validation("BackupArn is not supported by this embedded DynamoDB if it names a backup of " +
			"another Region")
	}
	if in.want, err = in.SSESpecificationOverride.Wish(); err != nil {
		return err
	}
	in.at, err = Locate(c, *in.TargetTableName)
	return err
}

// Target returns the table that the prepared request makes.
func (in *RestoreTable) Target() schema.Target { return in.at }

// Wish returns the key that the restored table gets: that of the source unless the
// request names another.
func (in *RestoreTable) Wish(source *schema.Definition) schema.Wish {
	if in.SSESpecificationOverride.Given() {
		return in.want
	}
	w := schema.Wish{Mode: source.Encryption.Mode}
	if w.Mode == schema.KeyCustomer {
		w.KeyID = source.Encryption.KeyARN
	}
	return w
}

// Definition returns the definition of the restored table, without what only the
// service knows: that of the source, but for the overrides and for what AWS does not
// restore. These are time to live, point-in-time recovery, tags, the table class,
// the policy, and the protection against deletion.
func (in *RestoreTable) Definition(source *schema.Definition) (*schema.Definition, error) {
	d := &schema.Definition{Name: in.at.Name, Key: source.Key, Attributes: slices.Clone(source.Attributes),
		OnDemand: source.OnDemand}
	if in.BillingModeOverride != nil {
		d.OnDemand = *in.BillingModeOverride == "PAY_PER_REQUEST"
	}
	switch throughput := in.ProvisionedThroughputOverride; {
	case d.OnDemand && throughput != nil:
		return nil, refusal.Validation("Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED")
	case in.BillingModeOverride != nil && !d.OnDemand && throughput == nil:
		return nil, refusal.Validation("Must override ProvisionedThroughput if BillingMode is overridden to " +
			"PROVISIONED")
	case throughput != nil:
		d.Throughput = throughput.throughput()
	case !d.OnDemand:
		d.Throughput = schema.Throughput{Read: source.Throughput.Read, Write: source.Throughput.Write}
	}
	if d.OnDemand {
		d.OnDemandLimit = source.OnDemandLimit
	}
	var err error
	if d.OnDemandLimit, err = (limitChange{onDemand: d.OnDemand}).apply(d.OnDemandLimit,
		in.OnDemandThroughputOverride); err != nil {
		return nil, err
	}
	if d.Local, err = in.indexes(d, source.Local, in.LocalSecondaryIndexOverride, true); err != nil {
		return nil, err
	}
	if d.Global, err = in.indexes(d, source.Global, in.GlobalSecondaryIndexOverride, false); err != nil {
		return nil, err
	}
	d.ForgetAttributes()
	return d, nil
}

// indexes returns the indexes of the restored table d: all of the source, or those
// of an override, which is not nil then.
func (in *RestoreTable) indexes(d *schema.Definition, source []*schema.Index, override []indexInput, local bool) (
	[]*schema.Index, error) {
	var out []*schema.Index
	if override == nil {
		for _, i := range source {
			restored, err := restoredIndex(i, d.OnDemand, local)
			if err != nil {
				return nil, err
			}
			out = append(out, restored)
		}
		return out, nil
	}
	kinds := map[string]string{}
	for _, a := range d.Attributes {
		kinds[a.Name] = a.Type
	}
	for n := range override {
		wanted := &override[n]
		stranger := refusal.Validation("Index " + *wanted.IndexName + " does not match a secondary index that " +
			"existed in the source table and cannot be created during the restore operation")
		x, err := indexOf(wanted, kinds, &d.Key, local)
		if err != nil {
			return nil, stranger
		}
		at := slices.IndexFunc(source, x.Same)
		switch {
		case at < 0:
			return nil, stranger
		case slices.ContainsFunc(out, x.Same):
			return nil, refusal.Parameter("Duplicate index name: %s", x.Name)
		case local:
		case wanted.ProvisionedThroughput == nil && wanted.OnDemandThroughput == nil:
			if x, err = restoredIndex(source[at], d.OnDemand, local); err != nil {
				return nil, err
			}
		default:
			if err := wanted.provision(x, d.OnDemand, false); err != nil {
				return nil, err
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// restoredIndex returns an index of the source as the restored table has it.
func restoredIndex(i *schema.Index, onDemand, local bool) (*schema.Index, error) {
	out := &schema.Index{Name: i.Name, Key: i.Key, Projection: i.Projection, NonKey: i.NonKey}
	switch {
	case local:
	case onDemand:
		out.Limit = i.Limit
	case i.Throughput.Read == 0:
		return nil, refusal.Parameter("ProvisionedThroughput must be specified for index: %s", i.Name)
	default:
		out.Throughput = schema.Throughput{Read: i.Throughput.Read, Write: i.Throughput.Write}
	}
	return out, nil
}
