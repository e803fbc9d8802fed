package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

func (in *updateTableInput) check(c *constraints) {
	c.table(in.name, "tableName")
	c.attributes(in.attributes)
	c.enum(in.billing, "billingMode", "PROVISIONED", "PAY_PER_REQUEST")
	c.enum(in.class, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
	c.throughput(in.throughput, "provisionedThroughput")
	c.sse(in.sse)
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

// combined refuses kinds of change that AWS wants in requests of their own.
func (in *updateTableInput) combined() error {
	kinds := 0
	for _, given := range []bool{in.sse != nil, in.deletionProtection != nil, in.class != nil, in.limit.given(), in.billing != nil || in.throughput != nil, len(in.indexes) > 0} {
		if given {
			kinds++
		}
	}
	const alone = "modification must be the only operation in the request"
	switch {
	case kinds == 0:
		return errValidation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required")
	case in.indexesSet && len(in.indexes) == 0:
		return errParam("List of GlobalSecondaryIndexUpdates is empty")
	case kinds == 1:
		return nil
	case in.sse != nil:
		return errParam("Server-Side Encryption %s", alone)
	case in.deletionProtection != nil:
		return errParam("DeletionProtection %s", alone)
	case in.class != nil:
		return errParam("TableClass %s", alone)
	case in.limit.given() && (kinds > 2 || in.billing == nil || in.throughput != nil):
		return errParam("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
	case in.throughput != nil && slices.ContainsFunc(in.indexes, func(u indexUpdate) bool { return u.update == nil }):
		return errParam("You cannot create or delete index while updating table IOPS")
	}
	return nil
}

func (s *Service) updateTable(ctx context.Context, c *call.Call) ([]byte, error) {
	in := new(updateTableInput)
	if err := decodeRequest(c, in.field, in.check); err != nil {
		return nil, err
	}
	if err := in.combined(); err != nil {
		return nil, err
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
	if slices.ContainsFunc(in.indexes, func(u indexUpdate) bool { return u.create != nil }) {
		// DynamoDB fills a new index by itself, under its own grant: whoever
		// administers tables need not be able to read them.
		if err := s.openOwn(ctx, c, t); err != nil {
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
	if t.deleted {
		return nil, nil, errNoTableNamed(t.def.Name)
	}
	if err := t.busy(now); err != nil {
		return nil, nil, err
	}
	next := t.def.clone()
	if err := in.applyBilling(next, now); err != nil {
		return nil, nil, err
	}
	created, err := in.applyIndexes(t, next, now)
	if err != nil {
		return nil, nil, err
	}
	if in.deletionProtection != nil {
		next.DeletionProtection = *in.deletionProtection
	}
	if in.class != nil && *in.class != next.class() {
		next.TableClass, next.ClassChanged = *in.class, now
	}
	if delay := t.service.cfg.Faults.Activation; delay > 0 {
		next.Creating, next.ActiveAt = false, now.Add(delay)
	}
	t.def.settings = next.settings
	t.redefine(created)
	tx := new(storage.Tx)
	t.save(tx)
	return t.describe(now), t.service.cfg.Store.Submit(tx), nil
}
