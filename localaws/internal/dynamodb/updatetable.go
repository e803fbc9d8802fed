package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// updateTableInput is an UpdateTable request.
type updateTableInput struct {
	tableInput
	AttributeDefinitions        []attributeDefinition
	BillingMode                 *string
	ProvisionedThroughput       *throughputInput
	OnDemandThroughput          *onDemandLimit
	GlobalSecondaryIndexUpdates []indexUpdate
	SSESpecification            *sseSpecification
	DeletionProtectionEnabled   *bool
	TableClass                  *string

	StreamSpecification, VectorIndexUpdates, WarmThroughput, ReplicaUpdates, MultiRegionConsistency wire.Unsupported
	GlobalTableWitnessUpdates, GlobalTableSettingsReplicationMode, DisassociationProtectionEnabled  wire.Unsupported
}

// Prepare refuses what AWS wants in requests of their own.
func (in *updateTableInput) Prepare(c *request.Call) error {
	if err := in.combined(); err != nil {
		return err
	}
	return in.tableInput.Prepare(c)
}

func (in *updateTableInput) Check(c *wire.Checks) {
	in.tableInput.Check(c)
	checkAttributes(c, in.AttributeDefinitions)
	c.Enum(in.BillingMode, "billingMode", "PROVISIONED", "PAY_PER_REQUEST")
	c.Enum(in.TableClass, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
	checkThroughput(c, in.ProvisionedThroughput, "provisionedThroughput")
	checkSSE(c, in.SSESpecification)
	for i, u := range in.GlobalSecondaryIndexUpdates {
		at := fmt.Sprintf("globalSecondaryIndexUpdates.%d.member.", i+1)
		switch {
		case u.Create != nil:
			checkIndex(c, u.Create, at+"create.")
		case u.Update != nil:
			if c.Required(u.Update.IndexName == nil, at+"update.indexName") {
				checkResource(c, u.Update.IndexName, at+"update.indexName")
			}
			checkThroughput(c, u.Update.ProvisionedThroughput, at+"update.provisionedThroughput")
		case u.Delete != nil:
			if c.Required(u.Delete.IndexName == nil, at+"delete.indexName") {
				checkResource(c, u.Delete.IndexName, at+"delete.indexName")
			}
		}
	}
}

// combined refuses kinds of change that AWS wants in requests of their own.
func (in *updateTableInput) combined() error {
	kinds := 0
	for _, given := range []bool{in.SSESpecification != nil, in.DeletionProtectionEnabled != nil, in.TableClass != nil, in.OnDemandThroughput.given(), in.BillingMode != nil || in.ProvisionedThroughput != nil, len(in.GlobalSecondaryIndexUpdates) > 0} {
		if given {
			kinds++
		}
	}
	const alone = "modification must be the only operation in the request"
	switch {
	case kinds == 0:
		return errValidation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required")
	case in.GlobalSecondaryIndexUpdates != nil && len(in.GlobalSecondaryIndexUpdates) == 0:
		return errParam("List of GlobalSecondaryIndexUpdates is empty")
	case kinds == 1:
		return nil
	case in.SSESpecification != nil:
		return errParam("Server-Side Encryption %s", alone)
	case in.DeletionProtectionEnabled != nil:
		return errParam("DeletionProtection %s", alone)
	case in.TableClass != nil:
		return errParam("TableClass %s", alone)
	case in.OnDemandThroughput.given() && (kinds > 2 || in.BillingMode == nil || in.ProvisionedThroughput != nil):
		return errParam("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
	case in.ProvisionedThroughput != nil && slices.ContainsFunc(in.GlobalSecondaryIndexUpdates, func(u indexUpdate) bool { return u.Update == nil }):
		return errParam("You cannot create or delete index while updating table IOPS")
	}
	return nil
}

func (s *Service) updateTable(ctx context.Context, c *request.Call, in *updateTableInput) ([]byte, error) {
	t, err := s.existing(in.at, errNoTableNamed)
	if err != nil {
		return nil, err
	}
	if in.SSESpecification != nil {
		return s.switchKey(ctx, c, t, in.SSESpecification)
	}
	if slices.ContainsFunc(in.GlobalSecondaryIndexUpdates, func(u indexUpdate) bool { return u.Create != nil }) {
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
	if in.DeletionProtectionEnabled != nil {
		next.DeletionProtection = *in.DeletionProtectionEnabled
	}
	if in.TableClass != nil && *in.TableClass != next.class() {
		next.TableClass, next.ClassChanged = *in.TableClass, now
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
