// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/resourcepolicy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// allowCreateTable asks for the tags and the policy of the table too, as AWS does.
func (s *Service) allowCreateTable(ctx context.Context, c *request.Call, in *input.CreateTable) error {
	at, tags := in.Target(), in.Definition().Tags
	trail(c, at)
	conditions := requestTags(tags)
	actions := []string{"CreateTable"}
	if len(tags) > 0 {
		actions = append(actions, "TagResource")
	}
	if in.ResourcePolicy != nil {
		actions = append(actions, "PutResourcePolicy")
	}
	for _, action := range actions {
		// Each check adds to its conditions.
		if err := s.allow(ctx, c, action, at.ARN, at.Account, maps.Clone(conditions)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) createTable(ctx context.Context, c *request.Call, in *input.CreateTable) ([]byte, error) {
	at, def := in.Target(), in.Definition()
	if err := s.unused(at); err != nil {
		return nil, err
	}
	var first *resourcepolicy.Policy
	if in.ResourcePolicy != nil {
		var err error
		if first, err = resourcepolicy.Read(*in.ResourcePolicy, s.cfg.Principals); err != nil {
			return nil, err
		}
		// (?) Whether AWS asks this of CreateTable too is not published.
		if err := s.keepsControl(ctx, c, at, def.Tags, first); err != nil {
			return nil, err
		}
	}
	mode, arn, err := s.custodian.Resolve(ctx, c, at.Account, in.Wish())
	if err != nil {
		return nil, err
	}
	enc, key, err := s.custodian.Adopt(ctx, c, at, mode, arn, 1)
	if err != nil {
		return nil, err
	}
	defer clear(key)

	now := s.cfg.Clock()
	s.begin(def, at, enc, now)
	if first != nil {
		setPolicy(def, first, now)
	}
	t, err := table.New(s.cfg.Store, s.streams, def, key)
	if err != nil {
		return nil, err
	}
	_, fresh := t.Describe(now)
	pending, ok := s.add(t, def, new(storage.Tx))
	if !ok {
		s.custodian.Retire(ctx, c, at, enc)
		return nil, s.unused(at)
	}
	if err := table.Wait(pending); err != nil {
		return nil, err
	}
	return json.Marshal(jsonObject{"TableDescription": describe(def, fresh, now)})
}

// unused refuses the name of a table that exists.
func (s *Service) unused(at schema.Target) error {
	switch b := s.lookup(at); {
	case b.Table == nil:
		return nil
	case b.def.Restoring(s.cfg.Clock()):
		return refusal.InUse("Table is being used: %s", at.Name)
	}
	return refusal.InUse("Table already exists: %s", at.Name)
}

// begin completes the definition of a new table.
func (s *Service) begin(def *schema.Definition, at schema.Target, enc schema.Encryption, now time.Time) {
	def.ARN, def.ID, def.AccountID, def.Region = at.ARN, newID(), at.Account, at.Region
	def.Created, def.Encryption = now, enc
	if def.OnDemand {
		def.BillingChanged = now
	}
	if s.cfg.Faults.Activation > 0 {
		def.Creating, def.ActiveAt = true, now.Add(s.cfg.Faults.Activation)
		if def.Stream != nil {
			def.Stream.Settles = def.ActiveAt
		}
		for _, i := range def.Global {
			i.Creating, i.ActiveAt = true, def.ActiveAt
		}
	}
}

// add makes a table known, unless there is one of its name, and files it after the
// changes of tx.
func (s *Service) add(t *table.Table, def *schema.Definition, tx *storage.Tx) (pending storage.Pending, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[def.Target().Place][def.Name] != nil {
		return nil, false
	}
	s.put(t)
	return t.File(tx), true
}
