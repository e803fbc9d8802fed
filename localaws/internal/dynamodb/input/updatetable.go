// SPDX-License-Identifier: Apache-2.0

package input

import (
	"fmt"
	"slices"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// UpdateTable is an UpdateTable request.
type UpdateTable struct {
	Table
	AttributeDefinitions        []attributeDefinition
	BillingMode                 *string
	ProvisionedThroughput       *throughputInput
	OnDemandThroughput          *schema.OnDemandLimit
	GlobalSecondaryIndexUpdates []indexUpdate
	SSESpecification            *SSE
	DeletionProtectionEnabled   *bool
	TableClass                  *string
	StreamSpecification         *streamSpecification

	VectorIndexUpdates, WarmThroughput, ReplicaUpdates, MultiRegionConsistency                     wire.Unsupported
	GlobalTableWitnessUpdates, GlobalTableSettingsReplicationMode, DisassociationProtectionEnabled wire.Unsupported
}

// Prepare refuses what AWS wants in requests of their own.
func (in *UpdateTable) Prepare(c *request.Call) error {
	if err := in.combined(); err != nil {
		return err
	}
	return in.Table.Prepare(c)
}

// Check implements [wire.Checker].
func (in *UpdateTable) Check(c *wire.Checks) {
	in.Table.Check(c)
	checkAttributes(c, in.AttributeDefinitions)
	c.Enum(in.BillingMode, "billingMode", "PROVISIONED", "PAY_PER_REQUEST")
	c.Enum(in.TableClass, "tableClass", "STANDARD", "STANDARD_INFREQUENT_ACCESS")
	checkThroughput(c, in.ProvisionedThroughput, "provisionedThroughput")
	checkStream(c, in.StreamSpecification)
	checkSSE(c, in.SSESpecification, "sSESpecification")
	for i, u := range in.GlobalSecondaryIndexUpdates {
		at := fmt.Sprintf("globalSecondaryIndexUpdates.%d.member.", i+1)
		switch {
		case u.Create != nil:
			checkIndex(c, u.Create, at+"create.", 0)
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
func (in *UpdateTable) combined() error {
	kinds := 0
	for _, given := range []bool{
		in.SSESpecification.Given(), in.DeletionProtectionEnabled != nil, in.TableClass != nil,
		in.OnDemandThroughput.Given(), in.BillingMode != nil || in.ProvisionedThroughput != nil,
		len(in.GlobalSecondaryIndexUpdates) > 0, in.StreamSpecification != nil,
	} {
		if given {
			kinds++
		}
	}
	const alone = "modification must be the only operation in the request"
	switch {
	case kinds == 0:
		return refusal.Validation("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, " +
			"GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, " +
			"ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, " +
			"WarmThroughput or TableClass is required")
	case in.GlobalSecondaryIndexUpdates != nil && len(in.GlobalSecondaryIndexUpdates) == 0:
		return refusal.Parameter("List of GlobalSecondaryIndexUpdates is empty")
	case kinds == 1:
		return in.StreamSpecification.check()
	case in.SSESpecification.Given():
		return refusal.Parameter("Server-Side Encryption %s", alone)
	case in.TableClass != nil:
		return refusal.Parameter("TableClass %s", alone)
	case in.DeletionProtectionEnabled != nil:
		return refusal.Parameter("DeletionProtection %s", alone)
	case in.OnDemandThroughput.Given() && (kinds > 2 || in.BillingMode == nil || in.ProvisionedThroughput != nil):
		return refusal.Parameter("OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
	case in.ProvisionedThroughput != nil && slices.ContainsFunc(in.GlobalSecondaryIndexUpdates,
		func(u indexUpdate) bool { return u.Update == nil }):
		return refusal.Parameter("You cannot create or delete index while updating table IOPS")
	}
	return in.StreamSpecification.check()
}

// Creates reports whether the request creates an index.
func (in *UpdateTable) Creates() bool {
	return slices.ContainsFunc(in.GlobalSecondaryIndexUpdates, func(u indexUpdate) bool { return u.Create != nil })
}

// Apply makes the changes that the request wants in next, all but the change of
// the encryption. What takes time on AWS stays CREATING or UPDATING for delay.
func (in *UpdateTable) Apply(next *schema.Definition, now time.Time, delay time.Duration) error {
	if err := next.Busy(now); err != nil {
		return err
	}
	if err := in.applyBilling(next, now); err != nil {
		return err
	}
	if err := in.applyIndexes(next, now, delay); err != nil {
		return err
	}
	if err := in.StreamSpecification.apply(next, now, delay); err != nil {
		return err
	}
	if in.DeletionProtectionEnabled != nil {
		next.DeletionProtection = *in.DeletionProtectionEnabled
	}
	if in.TableClass != nil && *in.TableClass != next.Class() {
		next.TableClass, next.ClassChanged = *in.TableClass, now
	}
	if delay > 0 {
		next.Creating, next.ActiveAt = false, now.Add(delay)
	}
	return nil
}
