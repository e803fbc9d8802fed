package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/call"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

type updateTableInput struct {
	name               *string
	attributes         []attributeDefinition
	attributesSet      bool
	billing            *string
	throughput         *throughputInput
	limit              *onDemandLimit
	indexes            []indexUpdate
	indexesSet         bool
	sse                *sseSpecification
	deletionProtection *bool
	class              *string
}

// indexUpdate is one element of GlobalSecondaryIndexUpdates.
type indexUpdate struct {
	create, update *indexInput
	remove         *string
	removes        bool
}

func (in *updateTableInput) field(d *decoder, name string) error {
	switch name {
	case "TableName":
		return d.text(&in.name)
	case "AttributeDefinitions":
		return d.attributeDefinitions(&in.attributes, &in.attributesSet)
	case "BillingMode":
		return d.text(&in.billing)
	case "ProvisionedThroughput":
		return d.throughput(&in.throughput)
	case "OnDemandThroughput":
		return d.onDemand(&in.limit)
	case "SSESpecification":
		return d.sse(&in.sse)
	case "DeletionProtectionEnabled":
		return d.boolean(&in.deletionProtection)
	case "TableClass":
		return d.text(&in.class)
	case "StreamSpecification", "VectorIndexUpdates", "WarmThroughput", "ReplicaUpdates", "MultiRegionConsistency",
		"GlobalTableWitnessUpdates", "GlobalTableSettingsReplicationMode", "DisassociationProtectionEnabled":
		return d.refuse(name)
	case "GlobalSecondaryIndexUpdates":
		if null, err := d.null(); null || err != nil {
			return err
		}
		in.indexesSet = true
		return d.array(func() error {
			var u indexUpdate
			err := u.decode(d)
			in.indexes = append(in.indexes, u)
			return err
		})
	}
	return d.Skip()
}

func (u *indexUpdate) decode(d *decoder) error {
	return d.object(func(name string) error {
		if null, err := d.null(); null || err != nil {
			return err
		}
		switch name {
		case "Create":
			u.create = new(indexInput)
			return d.index(u.create)
		case "Update":
			u.update = new(indexInput)
			return d.index(u.update)
		case "Delete":
			u.removes = true
			return d.object(func(name string) error {
				if name == "IndexName" {
					return d.text(&u.remove)
				}
				return d.Skip()
			})
		}
		return d.Skip()
	})
}

func (in *updateTableInput) check(c *constraints) {
	c.table(in.name, "tableName")
	c.attributes(in.attributes)
	c.enum(in.billing, "billingMode", "PROVISIONED", "PAY_PER_REQUEST")
	c.enum(in.class, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
	c.throughput(in.throughput, "provisionedThroughput")
	if in.sse != nil {
		c.enum(in.sse.sseType, "sSESpecification.sSEType", "AES256", "KMS")
	}
	for i, u := range in.indexes {
		at := fmt.Sprintf("globalSecondaryIndexUpdates.%d.member.", i+1)
		switch {
		case u.create != nil:
			c.index(u.create, at+"create.")
		case u.update != nil:
			if c.required(u.update.name == nil, at+"update.indexName") {
				c.resourceName(u.update.name, at+"update.indexName")
			}
			c.throughput(u.update.throughput, at+"update.provisionedThroughput")
		case u.removes:
			if c.required(u.remove == nil, at+"delete.indexName") {
				c.resourceName(u.remove, at+"delete.indexName")
			}
		}
	}
}

// others reports whether the request changes anything but the encryption.
func (in *updateTableInput) others() bool {
	return in.billing != nil || in.throughput != nil || in.limit != nil || in.indexesSet || in.deletionProtection != nil || in.class != nil
}

func (s *Service) updateTable(ctx context.Context, c *call.Call) ([]byte, error) {
	in := new(updateTableInput)
	if err := decodeRequest(c, in.field, in.check); err != nil {
		return nil, err
	}
	switch {
	case in.sse == nil && !in.others():
		return nil, errValidation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	case in.sse != nil && in.others():
		return nil, errParam("SSESpecification update must be the only operation in an UpdateTable request")
	}
	at, err := locate(c, *in.name)
	if err != nil {
		return nil, err
	}
	trail(c, at)
	if err := s.allowTable(ctx, c, "UpdateTable", at); err != nil {
		return nil, err
	}
	t := s.lookup(at)
	if t == nil {
		return nil, errNoTableNamed(at.name)
	}
	if in.sse != nil {
		return s.switchKey(ctx, c, t, in.sse)
	}
	if len(in.indexes) > 0 {
		// A new index reads every item, so they have to be there. That needs
		// the table's key, as on AWS.
		if err := s.unlock(ctx, c, t); err != nil {
			return nil, err
		}
	}
	description, pending, err := in.apply(t, s.cfg.Clock())
	if err != nil {
		return nil, err
	}
	if err := waitFor(pending); err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"TableDescription": description})
}

// apply changes everything but the encryption.
func (in *updateTableInput) apply(t *table, now time.Time) (jsonObject, storage.Pending, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.deleted:
		return nil, nil, errNoTableNamed(t.def.Name)
	case t.status(now) == "CREATING" || t.status(now) == "UPDATING":
		return nil, nil, errInUse("Attempt to change a resource which is still in use: Table is being %s: %s",
			map[string]string{"CREATING": "created", "UPDATING": "updated"}[t.status(now)], t.def.Name)
	}
	next := *t.def
	if err := in.applyBilling(&next, now); err != nil {
		return nil, nil, err
	}
	global, err := in.applyIndexes(t, &next, now)
	if err != nil {
		return nil, nil, err
	}
	if in.deletionProtection != nil {
		next.DeletionProtection = *in.deletionProtection
	}
	if in.class != nil {
		next.TableClass = *in.class
	}
	if in.limit != nil {
		next.OnDemandLimit = in.limit
	}
	if delay := t.service.cfg.Faults.Activation; delay > 0 {
		next.Creating, next.ActiveAt = false, now.Add(delay)
	}
	t.def.settings = next.settings
	t.global = global
	tx := new(storage.Tx)
	t.save(tx)
	return t.describe(now), t.service.cfg.Store.Submit(tx), nil
}

func (in *updateTableInput) applyBilling(next *definition, now time.Time) error {
	if in.billing != nil {
		switch onDemand := *in.billing == "PAY_PER_REQUEST"; {
		case onDemand && in.throughput != nil:
			return errParam("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		case !onDemand && next.OnDemand && in.throughput == nil:
			return errParam("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
		case onDemand && !next.OnDemand:
			next.OnDemand, next.BillingChanged, next.Throughput = true, now, throughput{}
			next.Global = slices.Clone(next.Global)
			for n, i := range next.Global {
				copied := *i
				copied.Throughput = throughput{}
				next.Global[n] = &copied
			}
		case !onDemand:
			next.OnDemand = false
		}
	}
	if in.throughput == nil {
		return nil
	}
	if next.OnDemand {
		return errParam("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	}
	want := throughput{*in.throughput.read, *in.throughput.write}
	if want == next.Throughput && in.billing == nil {
		return errValidationf("The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: %d. Requested ReadCapacityUnits: %d. Current WriteCapacityUnits provisioned for the table: %d. Requested WriteCapacityUnits: %d. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
			next.Throughput.Read, want.Read, next.Throughput.Write, want.Write)
	}
	next.Throughput = want
	return nil
}

// applyIndexes creates, changes and deletes global indexes.
func (in *updateTableInput) applyIndexes(t *table, next *definition, now time.Time) ([]*index, error) {
	if in.indexesSet && len(in.indexes) == 0 && in.throughput == nil && in.billing == nil {
		return nil, errValidation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	kinds, err := attributeTypes(in.attributes)
	if err != nil {
		return nil, err
	}
	for _, a := range next.Attributes {
		if kind := kinds[a.Name]; kind != "" && kind != a.Type {
			return nil, errParam("Attribute %s has already the type %s", a.Name, a.Type)
		}
		kinds[a.Name] = a.Type
	}
	// The indexes of definition and table stay parallel.
	global := slices.Clone(t.global)
	changes := 0
	seen := map[string]bool{}
	for _, u := range in.indexes {
		var name string
		actions := 0
		if u.create != nil {
			name, actions = *u.create.name, actions+1
		}
		if u.update != nil {
			name, actions = *u.update.name, actions+1
		}
		if u.removes {
			name, actions = *u.remove, actions+1
		}
		if actions != 1 {
			return nil, errParam("One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must be specified")
		}
		if seen[name] {
			return nil, errParam("Only one global secondary index update per index is allowed simultaneously. Index: %s", name)
		}
		seen[name] = true
		at := slices.IndexFunc(global, func(i *index) bool { return i.def.Name == name })
		if u.update == nil {
			if changes++; changes > 1 {
				return nil, call.Errorf("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
			}
		}
		switch {
		case u.create != nil:
			if t.indexNamed(name) != nil {
				return nil, errParam("Attempting to create an index which already exists")
			}
			if len(global) >= maxGlobalIndexes {
				return nil, call.Errorf("LimitExceededException", "Subscriber limit exceeded: GlobalSecondaryIndex count exceeds the per-table limit of %d", maxGlobalIndexes)
			}
			d, err := indexOf(u.create, kinds, next.Key, false, next.OnDemand)
			if err != nil {
				return nil, err
			}
			i := &index{def: d, table: next.Key}
			t.backfill(i)
			if delay := t.service.cfg.Faults.Activation; delay > 0 {
				d.Creating, d.ActiveAt = true, now.Add(delay)
			}
			global = append(global, i)
		case at < 0:
			return nil, call.Errorf("ResourceNotFoundException", "Requested resource not found")
		case u.removes:
			global = slices.Delete(global, at, at+1)
		default:
			if u.update.throughput == nil && u.update.limit == nil {
				return nil, errParam("ProvisionedThroughput is not specified for index: %s", name)
			}
			if next.OnDemand && u.update.throughput != nil {
				return nil, errParam("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", name)
			}
			d := *global[at].def
			if u.update.throughput != nil {
				d.Throughput = throughput{*u.update.throughput.read, *u.update.throughput.write}
			}
			if u.update.limit != nil {
				d.Limit = u.update.limit
			}
			changed := *global[at]
			changed.def = &d
			global[at] = &changed
		}
	}
	if in.billing != nil {
		for n, i := range global {
			if d := next.global(i.def.Name); d != nil && d != i.def && !seen[i.def.Name] {
				changed := *i
				changed.def = d
				global[n] = &changed
			}
		}
	}
	next.Global = nil
	for _, i := range global {
		next.Global = append(next.Global, i.def)
	}
	if in.attributesSet || len(in.indexes) > 0 {
		next.Attributes = usedAttributes(next, kinds)
		for name := range kinds {
			if in.attributesSet && !slices.ContainsFunc(next.Attributes, func(a keyAttribute) bool { return a.Name == name }) &&
				slices.ContainsFunc(in.attributes, func(a attributeDefinition) bool { return *a.name == name }) {
				return nil, errParam("Some AttributeDefinitions are not used. AttributeDefinitions: [%s], keys used: %s",
					strings.Join(sortedNames(kinds), ", "), listOf(next.Attributes, nil))
			}
		}
	}
	return global, nil
}

// usedAttributes lists the key attributes of table and indexes.
func usedAttributes(d *definition, kinds map[string]string) []keyAttribute {
	var out []keyAttribute
	seen := map[string]bool{"": true}
	add := func(k keySchema) {
		for _, a := range []keyAttribute{k.Partition, k.Sort} {
			if !seen[a.Name] {
				seen[a.Name] = true
				out = append(out, keyAttribute{a.Name, kinds[a.Name]})
			}
		}
	}
	add(d.Key)
	for _, i := range d.Local {
		add(i.Key)
	}
	for _, i := range d.Global {
		add(i.Key)
	}
	return out
}

// backfill fills a new index; items with key attributes of other types stay
// out, as on AWS.
func (t *table) backfill(i *index) {
	t.items.Scan(func(_ string, e *entry) bool {
		i.place(nil, e)
		return true
	})
}
