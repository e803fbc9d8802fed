package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
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
	a := access{action: "Scan", at: in.At, index: in.IndexName(), attributes: in.Parsed.Attributes(), selects: in.Select()}
	if in.Query {
		a.action = "Query"
		a.keys = []schema.Item{in.KeyTerms()}
	}
	return a
}
