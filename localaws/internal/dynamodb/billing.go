package dynamodb

import (
	"time"
)

// throughput is a provisioned throughput and what was changed of it; zero while
// the table is on demand.
type throughput struct {
	Read, Write int64
	Increased   time.Time `json:",omitzero"`
	Decreased   time.Time `json:",omitzero"`
	Decreases   int       `json:",omitempty"` // on the day of Decreased
}

// set changes the units.
func (t *throughput) set(read, write int64, now time.Time) {
	if read > t.Read || write > t.Write {
		t.Increased = now
	}
	if read < t.Read || write < t.Write {
		t.Decreases = t.decreases(now) + 1
		t.Decreased = now
	}
	t.Read, t.Write = read, write
}

// decreases is NumberOfDecreasesToday; AWS's day is UTC's.
func (t throughput) decreases(now time.Time) int {
	if y, m, d := now.UTC().Date(); t.Decreased.UTC().Before(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) {
		return 0
	}
	return t.Decreases
}

// unchanged refuses a request that asks for what is there already.
func (t throughput) unchanged(in *throughputInput, ofWhat, atWhat string) error {
	if *in.ReadCapacityUnits != t.Read || *in.WriteCapacityUnits != t.Write {
		return nil
	}
	return errValidationf("The provisioned throughput for the %s will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the %s: %d. Requested ReadCapacityUnits: %d. Current WriteCapacityUnits provisioned for the %s: %d. Requested WriteCapacityUnits: %d. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
		ofWhat, atWhat, t.Read, *in.ReadCapacityUnits, atWhat, t.Write, *in.WriteCapacityUnits)
}

// warmth is the throughput for which a table or index is prepared. It never
// shrinks.
type warmth struct{ Read, Write int64 }

// initialWarmth is that of everything on demand.
var initialWarmth = warmth{12_000, 4_000}

// grown is what w becomes by a throughput.
func (w warmth) grown(t throughput, onDemand bool) warmth {
	least := warmth{t.Read, t.Write}
	if onDemand {
		least = initialWarmth
	}
	return warmth{max(w.Read, least.Read), max(w.Write, least.Write)}
}

// onDemandLimit is the most that a table or index on demand may use; a nil
// member is no limit.
type onDemandLimit struct {
	Read  *int64 `wire:"MaxReadRequestUnits"`
	Write *int64 `wire:"MaxWriteRequestUnits"`
}

func (l *onDemandLimit) given() bool { return l != nil && *l != onDemandLimit{} }

// limitChange is where an OnDemandThroughput was asked for.
type limitChange struct {
	onDemand bool
	update   bool   // UpdateTable, which has words of its own and knows -1
	index    string // empty: the table
}

// apply returns old with the members that in has; nil is no limit at all.
func (c limitChange) apply(old, in *onDemandLimit) (*onDemandLimit, error) {
	if in == nil {
		return old, nil
	}
	var out onDemandLimit
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
			return nil, errParam("%s for OnDemandThroughput%s cannot be specified when%s", m.name, gated, closing)
		case c.update && *m.in == -1:
			*m.out = nil
		case *m.in < 1:
			return nil, errParam("Requested %s for OnDemandThroughput%s is outside of valid range", m.name, ranged)
		default:
			*m.out = m.in
		}
	}
	if !out.given() {
		return nil, nil
	}
	return &out, nil
}

// provision sets what a new index may use. CreateTable and UpdateTable refuse
// in different words.
func (d *indexDefinition) provision(in *indexInput, onDemand, update bool) (err error) {
	switch {
	case onDemand && in.ProvisionedThroughput != nil && update:
		return errParam("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: %s when BillingMode is PAY_PER_REQUEST", d.Name)
	case onDemand && in.ProvisionedThroughput != nil:
		return errParam("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", d.Name)
	case !onDemand && in.ProvisionedThroughput == nil && update:
		return errParam("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s", d.Name)
	case !onDemand && in.ProvisionedThroughput == nil:
		return errParam("ProvisionedThroughput is not specified for index: %s", d.Name)
	case in.ProvisionedThroughput != nil:
		d.Throughput = throughput{Read: *in.ProvisionedThroughput.ReadCapacityUnits, Write: *in.ProvisionedThroughput.WriteCapacityUnits}
	}
	d.Limit, err = limitChange{onDemand, update, d.Name}.apply(nil, in.OnDemandThroughput)
	return err
}

// reprovision changes what an index may use.
func (d *indexDefinition) reprovision(in *indexInput, onDemand, switched bool, now time.Time) (err error) {
	switch {
	case onDemand && (in.ProvisionedThroughput != nil || !in.OnDemandThroughput.given()):
		return errParam("The only Updates for index: %s when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput", d.Name)
	case in.ProvisionedThroughput == nil && !in.OnDemandThroughput.given():
		return errParam("Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: %s", d.Name)
	}
	if d.Limit, err = (limitChange{onDemand, true, d.Name}).apply(d.Limit, in.OnDemandThroughput); err != nil || in.ProvisionedThroughput == nil {
		return err
	}
	if !switched {
		if err := d.Throughput.unchanged(in.ProvisionedThroughput, "index "+d.Name, "index"); err != nil {
			return err
		}
	}
	d.Warm = d.Warm.grown(d.Throughput, onDemand)
	d.Throughput.set(*in.ProvisionedThroughput.ReadCapacityUnits, *in.ProvisionedThroughput.WriteCapacityUnits, now)
	return nil
}

// applyBilling changes billing mode and throughput of the table, and what the
// switch means for its indexes.
func (in *updateTableInput) applyBilling(next *definition, now time.Time) (err error) {
	was := next.OnDemand
	if in.BillingMode != nil {
		next.OnDemand = *in.BillingMode == "PAY_PER_REQUEST"
	}
	if next.OnDemand && in.ProvisionedThroughput != nil {
		return errParam("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	}
	next.Warm = next.Warm.grown(next.Throughput, was)
	switch {
	case was && !next.OnDemand:
		if err := in.leaveOnDemand(next); err != nil {
			return err
		}
	case !was && next.OnDemand:
		next.BillingChanged = now
		next.Throughput.set(0, 0, now)
		for _, i := range next.Global {
			i.Warm = i.Warm.grown(i.Throughput, was)
			i.Throughput.set(0, 0, now)
		}
	case in.ProvisionedThroughput != nil && in.BillingMode == nil:
		if err := next.Throughput.unchanged(in.ProvisionedThroughput, "table", "table"); err != nil {
			return err
		}
	}
	if in.ProvisionedThroughput != nil {
		next.Throughput.set(*in.ProvisionedThroughput.ReadCapacityUnits, *in.ProvisionedThroughput.WriteCapacityUnits, now)
	}
	next.OnDemandLimit, err = limitChange{next.OnDemand, true, ""}.apply(next.OnDemandLimit, in.OnDemandThroughput)
	return err
}

// leaveOnDemand wants a throughput for the table and every index, and takes
// the limits that only mean something on demand.
func (in *updateTableInput) leaveOnDemand(next *definition) error {
	if in.ProvisionedThroughput == nil {
		return errParam("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
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
			return errParam("ProvisionedThroughput must be specified for index: %s", i.Name)
		}
		i.Warm, i.Limit = i.Warm.grown(i.Throughput, true), nil
	}
	return nil
}
