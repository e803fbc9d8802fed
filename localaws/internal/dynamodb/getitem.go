// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// lookUp is a read on the table that it found.
type lookUp struct {
	*input.Read
	on    bound
	found *table.Entry
}

// run looks the item up. The caller holds the table's lock, under which
// table.Table.Check allowed r.Def.
func (r *lookUp) run() error {
	r.found = r.on.Get(r.Primary)
	return nil
}

// size is what the read is billed for.
func (r *lookUp) size() int {
	if r.found == nil {
		return 0
	}
	return r.found.Size
}

func (r *lookUp) access(enclosing string) access {
	return access{action: "GetItem", at: r.At, keys: []schema.Item{r.Key}, attributes: r.Attributes(r.Key),
		selects: r.Selects(), enclosing: enclosing}
}

// getItemCall is a read that stands alone.
type getItemCall struct {
	input.GetItem
	lookUp lookUp
}

func (in *getItemCall) find(s *Service, c *request.Call) {
	in.lookUp.Read = &in.Prepared
	trail(c, in.Prepared.At)
	in.lookUp.on = s.lookup(in.Prepared.At)
}

func (in *getItemCall) renew() { in.lookUp.on = in.lookUp.on.renewed() }

func (in *getItemCall) authorize(ctx context.Context, s *Service, c *request.Call) error {
	return s.allowAccess(ctx, c, in.lookUp.access(""), in.lookUp.on)
}

func (in *getItemCall) answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error) {
	r := &in.lookUp
	if err := s.ready(r.on); err != nil {
		return nil, err
	}
	if err := r.Bind(r.on.def); err != nil {
		return nil, err
	}
	if err := s.enter(ctx, c, r.on); err != nil {
		return nil, err
	}
	if err := r.on.View(r.Def, r.run); err != nil {
		return nil, err
	}
	if in.Consistent() {
		if err := s.settled(); err != nil {
			return nil, err
		}
	}
	out := newResponse(64 + r.size()*5/4)
	if r.found != nil {
		out.member("Item").item(r.Project(r.found.Item))
	}
	if in.Consumed.Wanted() {
		used := capacity{name: in.TableName(), table: readUnits(r.size(), in.Consistent())}
		out.capacity(&used, in.Consumed)
	}
	return out.bytes(), nil
}
