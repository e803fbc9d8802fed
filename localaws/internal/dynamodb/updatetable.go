// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"encoding/json"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func (s *Service) updateTable(ctx context.Context, c *request.Call, in *input.UpdateTable) ([]byte, error) {
	t, err := s.existing(in.Target(), refusal.NoTableNamed)
	if err != nil {
		return nil, err
	}
	if in.SSESpecification.Given() {
		return s.switchKey(ctx, c, t, in.SSESpecification)
	}
	if in.Creates() {
		// DynamoDB fills a new index by itself, under its own grant: a caller
		// who administers tables need not be able to read them.
		if err := s.custodian.OpenOwn(ctx, c, t.Definition(), t); err != nil {
			return nil, err
		}
	}
	now := s.cfg.Clock()
	def, n, pending, err := t.Redefine(now, func(next *schema.Definition) error {
		return in.Apply(next, now, s.cfg.Faults.Activation)
	})
	if err != nil {
		return nil, err
	}
	if err := table.Wait(pending); err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"TableDescription": describe(def, n, now)})
}

// switchKey is UpdateTable with an SSESpecification: the table gets a new key
// under the wanted KMS key, and every item is sealed again in the transaction
// that files the new key.
func (s *Service) switchKey(ctx context.Context, c *request.Call, t *table.Table, spec *input.SSE) ([]byte, error) {
	want, err := spec.Wish()
	if err != nil {
		return nil, err
	}
	before, now := t.Definition(), s.cfg.Clock()
	if err := before.Busy(now); err != nil {
		return nil, err
	}
	enc, key, err := s.custodian.Switch(ctx, c, before, t, want, s.cfg.Faults.Activation)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	def, n, pending, err := t.Reseal(enc, key, before.Encryption.Generation, now)
	if err != nil {
		s.custodian.Retire(ctx, c, before.Target(), enc)
		return nil, err
	}
	if err := table.Wait(pending); err != nil {
		return nil, err
	}
	s.custodian.Retire(ctx, c, before.Target(), before.Encryption)
	return json.Marshal(jsonObject{"TableDescription": describe(def, n, now)})
}
