// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// transactGetCall is a TransactGetItems request on the tables that it found.
type transactGetCall struct {
	input.TransactGet
	lookUps []*lookUp
}

func (in *transactGetCall) find(s *Service, c *request.Call) {
	for i, r := range in.Reads {
		if i == 0 || in.Reads[i-1].At != r.At {
			trail(c, r.At)
		}
		in.lookUps = append(in.lookUps, &lookUp{Read: r, on: s.lookup(r.At)})
	}
}

func (in *transactGetCall) renew() {
	for _, r := range in.lookUps {
		r.on = r.on.renewed()
	}
}

func (in *transactGetCall) authorize(ctx context.Context, s *Service, c *request.Call) error {
	for _, r := range in.lookUps {
		if err := s.allowAccess(ctx, c, r.access("TransactGetItems"), r.on); err != nil {
			return err
		}
	}
	return nil
}

func (in *transactGetCall) answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error) {
	reads := in.lookUps
	tables, err := s.prepareReads(ctx, c, reads)
	if err != nil {
		return nil, err
	}
	size, err := s.readLocked(c, tables, reads)
	if err != nil {
		return nil, err
	}
	if err := s.settled(); err != nil {
		return nil, err
	}
	if size > input.MaxTransactionBytes {
		return nil, refusal.Validation("Aggregated size of all items in the transaction exceeds the limit of 4 MB")
	}
	return in.response(reads, size), nil
}

func (s *Service) readLocked(c *request.Call, tables []bound, reads []*lookUp) (size int, err error) {
	defer table.Lock(tablesOf(tables), false)()
	if err := checkAll(tables); err != nil {
		return 0, err
	}
	reasons := make([]reason, len(reads))
	failed := false
	for i, r := range reads {
		err := r.run()
		if err == nil && s.cfg.Faults.conflicts(r.At.Name, c.Operation, r.Key) {
			err = errConflict()
		}
		if err != nil {
			reasons[i], failed = reasonOf(err), true
		}
		size += r.size()
	}
	if failed {
		return 0, errCancelled(reasons)
	}
	return size, nil
}

func (s *Service) prepareReads(ctx context.Context, c *request.Call, reads []*lookUp) ([]bound, error) {
	var tables []bound
	seen := map[string]bool{}
	asked := map[*table.Table]bool{}
	reasons := make([]reason, len(reads))
	failed := false
	for i, r := range reads {
		if err := s.ready(r.on); err != nil {
			return nil, err
		}
		if err := r.on.def.Key.CheckEmpty(r.Key); err != nil {
			return nil, err
		}
		if err := r.CheckSchema(r.on.def); err != nil {
			if !failed {
				reasons[i], failed = reasonOf(err), true
			}
			continue
		}
		id := r.on.def.ID + r.Primary
		if seen[id] {
			return nil, refusal.Validation("Transaction request cannot include multiple operations on one item")
		}
		seen[id] = true
		tables = append(tables, r.on)
	}
	if failed {
		return nil, errCancelled(reasons)
	}
	for _, t := range tables {
		if asked[t.Table] {
			continue
		}
		asked[t.Table] = true
		if err := s.enter(ctx, c, t); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

func (in *transactGetCall) response(reads []*lookUp, size int) []byte {
	out := newResponse(256 + size*5/4)
	out.member("Responses")
	out.b = append(out.b, '[')
	var used []*capacity
	byTable := map[string]*capacity{}
	for i, r := range reads {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		if r.found == nil {
			out.b = append(out.b, "{}"...)
		} else {
			out.b = append(out.b, `{"Item":`...)
			out.item(r.Project(r.found.Item))
			out.b = append(out.b, '}')
		}
		name := in.TableName(i)
		price := byTable[name]
		if price == nil {
			price = &capacity{name: name, transaction: "ReadCapacityUnits"}
			byTable[name] = price
			used = append(used, price)
		}
		price.table += 2 * readUnits(r.size(), true)
	}
	out.b = append(out.b, ']')
	out.capacities(used, in.Consumed)
	return out.bytes()
}
