// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

func (s *Service) deleteTable(ctx context.Context, c *request.Call, in *input.Table) ([]byte, error) {
	t, err := s.existing(in.Target(), refusal.NoTableNamed)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	def, left, pending, err := s.remove(t, now)
	if err != nil {
		return nil, err
	}
	if err := table.Wait(pending); err != nil {
		return nil, err
	}
	s.custodian.Retire(ctx, c, def.Target(), def.Encryption)
	left.Status = "DELETING"
	return json.Marshal(jsonObject{"TableDescription": describeDeleted(def, left, now)})
}

// describeDeleted makes the TableDescription of a table that is being deleted,
// of which AWS says less than of any other.
func describeDeleted(d *schema.Definition, left table.Counts, now time.Time) jsonObject {
	whole, out := describe(d, left, now), jsonObject{}
	for _, name := range []string{"TableName", "TableStatus", "TableArn", "TableId", "ItemCount", "TableSizeBytes",
		"ProvisionedThroughput", "DeletionProtectionEnabled", "SSEDescription"} {
		if value, ok := whole[name]; ok {
			out[name] = value
		}
	}
	return out
}

// remove takes a table and its items away, and returns what was left of it.
func (s *Service) remove(t *table.Table, now time.Time) (*schema.Definition, table.Counts, storage.Pending, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	def, left, pending, err := t.Remove(now, func(d *schema.Definition) error {
		if d.DeletionProtection {
			return refusal.Validation("Resource cannot be deleted as it is currently protected against deletion. " +
				"Disable deletion protection first.")
		}
		if d.Stream != nil && now.Before(d.Stream.Settles) && !d.Creating {
			return refusal.InUse("Cannot delete table while stream is being enabled/disabled.")
		}
		return d.Busy(now)
	})
	if err == nil {
		delete(s.tables[def.Target().Place], def.Name)
	}
	return def, left, pending, err
}
