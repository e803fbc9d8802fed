// SPDX-License-Identifier: Apache-2.0

package input

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// limitChange is where an OnDemandThroughput was asked for.
type limitChange struct {
	onDemand bool
	update   bool   // UpdateTable, which has words of its own and knows -1
	index    string // empty: the table
}

// apply returns old with the members that in has; nil means no limit.
func (c limitChange) apply(old, in *schema.OnDemandLimit) (*schema.OnDemandLimit, error) {
	if in == nil {
		return old, nil
	}
	var out schema.OnDemandLimit
	if old != nil {
		out = *old
	}
	gated, ranged, closing := "", " for table", " table BillingMode is PROVISIONED."
	if c.update {
		closing = " the table BillingMode is PROVISIONED"
	}
	if c.index != "" {
		gated, ranged = " for index: "+c.index, " for index : "+c.index
	}
	for _, m := range []struct {
		name string
		in   *int64
		out  **int64
	}{{"MaxReadRequestUnits", in.Read, &out.Read}, {"MaxWriteRequestUnits", in.Write, &out.Write}} {
		switch {
		case m.in == nil:
		case !c.onDemand:
			return nil, refusal.Parameter("%s for OnDemandThroughput%s cannot be specified when%s", m.name, gated,
				closing)
		case c.update && *m.in == -1:
			*m.out = nil
		case *m.in < 1:
			return nil, refusal.Parameter("Requested %s for OnDemandThroughput%s is outside of valid range", m.name,
				ranged)
		default:
			*m.out = m.in
		}
	}
	if !out.Given() {
		return nil, nil
	}
	return &out, nil
}

// provision sets what a new index may use. CreateTable and UpdateTable refuse
// in different words.
func (in *indexInput) provision(d *schema.Index, onDemand, update bool) (err error) {
	switch {
	case onDemand && in.ProvisionedThroughput != nil && update:
		return refusal.Parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: %s "+
			"when BillingMode is PAY_PER_REQUEST", d.Name)
	case onDemand && in.ProvisionedThroughput != nil:
		return refusal.Parameter("ProvisionedThroughput should not be specified for index: %s when BillingMode is "+
			"PAY_PER_REQUEST", d.Name)
	case !onDemand && in.ProvisionedThroughput == nil && update:
		return refusal.Parameter("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s",
			d.Name)
	case !onDemand && in.ProvisionedThroughput == nil:
		return refusal.Parameter("ProvisionedThroughput is not specified for index: %s", d.Name)
	case in.ProvisionedThroughput != nil:
		d.Throughput = in.ProvisionedThroughput.throughput()
	}
	d.Limit, err = limitChange{onDemand, update, d.Name}.apply(nil, in.OnDemandThroughput)
	return err
}

// reprovision changes what an index may use.
func (in *indexInput) reprovision(d *schema.Index, onDemand, switched bool, now time.Time) (err error) {
	switch {
	case onDemand && (in.ProvisionedThroughput != nil || !in.OnDemandThroughput.Given()):
		return refusal.Parameter("The only Updates for index: %s when TableThroughputMode is PAY_PER_REQUEST can be "+
			"to OnDemandThroughput, WarmThroughput", d.Name)
	case in.ProvisionedThroughput == nil && !in.OnDemandThroughput.Given():
		return refusal.Parameter("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s",
			d.Name)
	}
	if d.Limit, err = (limitChange{onDemand, true, d.Name}).apply(d.Limit, in.OnDemandThroughput); err != nil ||
		in.ProvisionedThroughput == nil {
		return err
	}
	read, write := in.ProvisionedThroughput.units()
	if !switched {
		if err := d.Throughput.Unchanged(read, write, "index "+d.Name, "index"); err != nil {
			return err
		}
	}
	d.Warm = d.Warm.Grown(d.Throughput, onDemand)
	d.Throughput.Set(read, write, now)
	return nil
}

// applyBilling changes billing mode and throughput of the table, and what the
// switch means for its indexes.
func (in *UpdateTable) applyBilling(next *schema.Definition, now time.Time) (err error) {
	was := next.OnDemand
	if in.BillingMode != nil {
		next.OnDemand = *in.BillingMode == "PAY_PER_REQUEST"
	}
	if next.OnDemand && in.ProvisionedThroughput != nil {
		return refusal.Parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when " +
			"BillingMode is PAY_PER_REQUEST")
	}
	next.Warm = next.Warm.Grown(next.Throughput, was)
	switch {
	case was && !next.OnDemand:
		if err := in.leaveOnDemand(next); err != nil {
			return err
		}
	case !was && next.OnDemand:
		next.BillingChanged = now
		next.Throughput.Set(0, 0, now)
		for _, i := range next.Global {
			i.Warm = i.Warm.Grown(i.Throughput, was)
			i.Throughput.Set(0, 0, now)
		}
	case in.ProvisionedThroughput != nil && !was:
		read, write := in.ProvisionedThroughput.units()
		if err := next.Throughput.Unchanged(read, write, "table", "table"); err != nil {
			return err
		}
	}
	if in.ProvisionedThroughput != nil {
		read, write := in.ProvisionedThroughput.units()
		next.Throughput.Set(read, write, now)
	}
	next.OnDemandLimit, err = limitChange{next.OnDemand, true, ""}.apply(next.OnDemandLimit, in.OnDemandThroughput)
	return err
}

// leaveOnDemand wants a throughput for the table and every index, and takes
// the limits that only mean something on demand.
func (in *UpdateTable) leaveOnDemand(next *schema.Definition) error {
	if in.ProvisionedThroughput == nil {
		return refusal.Parameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	}
	provided := map[string]bool{}
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if u.Update != nil && u.Update.ProvisionedThroughput != nil {
			provided[*u.Update.IndexName] = true
		}
	}
	next.OnDemandLimit = nil
	for _, i := range next.Global {
		if !provided[i.Name] {
			return refusal.Parameter("ProvisionedThroughput must be specified for index: %s", i.Name)
		}
		i.Warm, i.Limit = i.Warm.Grown(i.Throughput, true), nil
	}
	return nil
}
