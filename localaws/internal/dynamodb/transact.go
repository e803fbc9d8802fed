// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"
	"crypto/sha256"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// transactWriteCall is a TransactWriteItems request on the tables that it
// found.
type transactWriteCall struct {
	input.TransactWrite
	changes []*change
}

func (in *transactWriteCall) find(s *Service, c *request.Call) {
	for i, w := range in.Writes {
		if i == 0 || in.Writes[i-1].At != w.At {
			trail(c, w.At)
		}
		in.changes = append(in.changes, &change{Write: w, on: s.lookup(w.At)})
	}
}

func (in *transactWriteCall) renew() {
	for _, w := range in.changes {
		w.on = w.on.renewed()
	}
}

// authorize asks for every item as for the operation of its kind.
func (in *transactWriteCall) authorize(ctx context.Context, s *Service, c *request.Call) error {
	for _, w := range in.changes {
		if err := s.allowAccess(ctx, c, access{action: w.Kind.Action(), at: w.At, keys: []schema.Item{w.KeyItem()},
			attributes: w.Attributes(w.KeyItem()), returnValues: "NONE", enclosing: "TransactWriteItems"},
			w.on); err != nil {
			return err
		}
	}
	return nil
}

// tablesOf returns the tables alone.
func tablesOf(list []bound) []*table.Table {
	tables := make([]*table.Table, len(list))
	for i, b := range list {
		tables[i] = b.Table
	}
	return tables
}

// checkAll is check for several tables, which are locked.
func checkAll(list []bound) error {
	for _, b := range list {
		if err := b.Check(b.def); err != nil {
			return err
		}
	}
	return nil
}

func (in *transactWriteCall) answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error) {
	writes := in.changes
	tables, err := s.prepareWrites(ctx, c, writes)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock()
	if in.Token == nil {
		return s.commit(c, in, writes, tables, nil)
	}
	id, request := tokenID(c, *in.Token), requestHash(c.Body)
	done, err := s.tokens.begin(id, request, now)
	if err != nil {
		return nil, err
	}
	if done {
		return in.response(writes, "ReadCapacityUnits"), nil
	}
	defer s.tokens.end(id) // after a panic too
	return s.commit(c, in, writes, tables, &id)
}

// prepareWrites finds tables, checks keys and asks for the tables' keys.
func (s *Service) prepareWrites(ctx context.Context, c *request.Call, writes []*change) ([]bound, error) {
	var tables []bound
	seen := map[string]bool{}
	reasons := make([]reason, len(writes))
	failed := false
	for i, w := range writes {
		if err := s.ready(w.on); err != nil {
			return nil, err
		}
		if err := w.CheckRequest(w.on.def); err != nil {
			return nil, err
		}
		if err := w.CheckSchema(w.on.def); err != nil {
			if !failed { // the first is the only reason that AWS names
				reasons[i], failed = reasonOf(err), true
			}
			continue
		}
		id := w.on.def.ID + w.Primary
		if seen[id] {
			return nil, refusal.Validation("Transaction request cannot include multiple operations on one item")
		}
		seen[id] = true
		tables = append(tables, w.on)
	}
	if failed {
		return nil, errCancelled(reasons)
	}
	asked := map[*table.Table]bool{}
	for _, t := range tables {
		if asked[t.Table] {
			continue
		}
		asked[t.Table] = true
		if err := s.unlock(ctx, c, t); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// commit evaluates all writes under the locks of all tables and applies them
// if none has a reason against it.
func (s *Service) commit(c *request.Call, in *transactWriteCall, writes []*change, tables []bound,
	token *[sha256.Size]byte) ([]byte, error) {
	out, pending, err := s.commitLocked(c, in, writes, tables, token)
	if failed := table.Wait(pending); failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	// The metrics look at tables again, so they come after the locks.
	return in.withCollections(out, writes), nil
}

func (s *Service) commitLocked(c *request.Call, in *transactWriteCall, writes []*change, tables []bound,
	token *[sha256.Size]byte) ([]byte, storage.Pending, error) {
	defer table.Lock(tablesOf(tables), true)()
	if err := checkAll(tables); err != nil {
		return nil, s.cfg.Store.Submit(new(storage.Tx)), err
	}
	reasons := make([]reason, len(writes))
	failed := false
	for i, w := range writes {
		var err error
		switch {
		case s.cfg.Faults.throttled(w.At.Name, c.Operation):
			err = &request.Error{Code: "ThrottlingException", Message: "Throughput exceeds the current capacity for " +
				"one or more table(s)"}
		case s.cfg.Faults.conflicts(w.At.Name, c.Operation, w.Def.Key.Of(w.KeyItem())):
			err = errConflict()
		default:
			err = w.evaluate()
		}
		if err != nil {
			reasons[i], failed = reasonOf(err), true
		}
	}
	if failed {
		return nil, s.cfg.Store.Submit(new(storage.Tx)), errCancelled(reasons)
	}
	tx := new(storage.Tx)
	for _, w := range writes {
		w.apply(tx)
	}
	if token != nil {
		s.tokens.finish(tx, *token, s.cfg.Clock())
	}
	pending := s.cfg.Store.Submit(tx)
	return in.response(writes, "WriteCapacityUnits"), pending, nil
}

// response writes the response without metrics, not yet closed. A repeated
// request is billed as a read of what its writes touched.
func (in *transactWriteCall) response(writes []*change, kind string) []byte {
	out := newResponse(64)
	if !in.Consumed.Wanted() {
		return out.bytes()
	}
	var used []*capacity
	byTable := map[string]*capacity{}
	for i, w := range writes {
		name := in.TableName(i)
		price := byTable[name]
		if price == nil {
			price = &capacity{name: name, transaction: kind}
			byTable[name] = price
			used = append(used, price)
		}
		if kind == "ReadCapacityUnits" {
			price.table += 2 * readUnits(ddbjson.ItemSize(w.KeyItem()), true)
			continue
		}
		price.addWrite(w, 2)
	}
	out.capacities(used, in.Consumed)
	return out.bytes()
}

// withCollections adds ItemCollectionMetrics to a finished response.
func (in *transactWriteCall) withCollections(body []byte, writes []*change) []byte {
	if !in.Collections.Wanted() {
		return body
	}
	byName := map[string][]*change{}
	var names []string
	for i, w := range writes {
		if !w.on.hasLocal() || w.Kind == input.ConditionCheck {
			continue
		}
		name := in.TableName(i)
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], w)
	}
	if names == nil {
		return body
	}
	out := &response{b: body[:len(body)-1], first: len(body) == 2}
	out.member("ItemCollectionMetrics")
	out.b = append(out.b, '{')
	for i, name := range names {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		out.b = append(schema.AppendText(out.b, name), ':')
		out.b = byName[name][0].on.appendCollections(out.b, byName[name])
	}
	out.b = append(out.b, '}')
	return out.bytes()
}
