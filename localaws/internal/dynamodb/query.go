// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/table"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// pageCall is a Query or Scan on the table that it found.
type pageCall struct {
	input.Page
	on bound
}

func (in *pageCall) find(s *Service, c *request.Call) {
	trail(c, in.At)
	in.on = s.lookup(in.At)
}

func (in *pageCall) renew() { in.on = in.on.renewed() }

func (in *pageCall) authorize(ctx context.Context, s *Service, c *request.Call) error {
	return s.allowAccess(ctx, c, in.access(), in.on)
}

func (in *pageCall) answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error) {
	if err := s.ready(in.on); err != nil {
		return nil, err
	}
	v, order, fetch, err := in.Plan(in.on.def, s.cfg.Clock())
	if err != nil {
		return nil, err
	}
	if err := s.enter(ctx, c, in.on); err != nil {
		return nil, err
	}
	return in.read(s, v, order, fetch)
}

func (in *pageCall) access() access {
	a := access{action: "Scan", at: in.At, index: in.IndexName(), attributes: in.Parsed.Attributes(),
		selects: in.Select()}
	if in.Query {
		a.action = "Query"
		a.keys = []schema.Item{in.KeyTerms()}
	}
	return a
}

// read reads the planned page and writes the response.
func (in *pageCall) read(s *Service, v schema.View, order schema.Span, fetch bool) ([]byte, error) {
	p := in.Parsed
	var got table.Page
	err := in.on.View(v.Def, func() error {
		got = in.on.Page(v, order, in.Limit())
		return nil
	})
	if err != nil {
		return nil, err
	}
	if in.Consistent() {
		if err := s.settled(); err != nil {
			return nil, err
		}
	}
	count := 0
	out := newResponse(128 + got.Size + got.Size/4)
	list := in.Select() != "COUNT"
	if list {
		out.member("Items")
		out.b = append(out.b, '[')
	}
	for _, e := range got.Entries {
		if p.Filters() {
			seen := e.Item
			if !fetch {
				seen = v.Project(seen)
			}
			ok, err := p.Passes(seen)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		if list {
			if count > 0 {
				out.b = append(out.b, ',')
			}
			out.item(in.shape(v, e, p, fetch))
		}
		count++
	}
	if list {
		out.b = append(out.b, ']')
	}
	out.member("Count").integer(count)
	out.member("ScannedCount").integer(len(got.Entries))
	if got.Last != nil {
		out.member("LastEvaluatedKey").item(got.Last)
	}
	if in.Consumed.Wanted() {
		out.capacity(in.price(v, got, fetch), in.Consumed)
	}
	return out.bytes(), nil
}

// shape is what is returned of one entry.
func (in *pageCall) shape(v schema.View, e *table.Entry, p *input.Parsed, fetch bool) schema.Item {
	switch {
	case p.Projects():
		return p.Project(e.Item)
	case fetch:
		return e.Item
	}
	return v.Project(e.Item)
}

func (in *pageCall) price(v schema.View, got table.Page, fetch bool) *capacity {
	used := &capacity{name: in.TableName()}
	u := readUnits(got.Size, in.Consistent())
	if v.Index == nil && in.Whole() && got.Last == nil {
		u = max(u, scanPartitions*readUnits(0, in.Consistent()))
	}
	if v.Index == nil {
		used.table = u
		return used
	}
	used.addIndex(v.Index.Name, v.Local, u)
	if fetch {
		for _, e := range got.Entries {
			used.table += readUnits(ddbjson.ItemSize(e.Item), in.Consistent())
		}
	}
	return used
}
