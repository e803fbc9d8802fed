package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// writeCall is a write that stands alone.
type writeCall struct {
	input.WriteItem
	change change
}

func (in *writeCall) find(s *Service, c *request.Call) {
	in.change.Write = in.Prepared
	trail(c, in.change.At)
	in.change.on = s.lookup(in.change.At)
}

func (in *writeCall) renew() { in.change.on = in.change.on.renewed() }

func (in *writeCall) authorize(ctx context.Context, s *Service, c *request.Call) error {
	w := in.Prepared
	returnValues := "NONE"
	if w.ReturnValues != "" {
		returnValues = w.ReturnValues
	}
	return s.allowAccess(ctx, c, access{action: w.Kind.Action(), at: w.At, keys: []schema.Item{w.KeyItem()},
		attributes: w.Attributes(w.KeyItem()), returnValues: returnValues}, in.change.on)
}

func (in *writeCall) answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error) {
	ch := &in.change
	if err := s.ready(ch.on); err != nil {
		return nil, err
	}
	if err := ch.Bind(ch.on.def); err != nil {
		return nil, err
	}
	if err := s.enter(ctx, c, ch.on); err != nil {
		return nil, err
	}
	if err := ch.run(); err != nil {
		return nil, err
	}
	returned := ch.returned()
	r := newResponse(64 + len(returned)*32)
	if returned != nil {
		r.member("Attributes").item(returned)
	}
	if in.Consumed.Wanted() {
		used := capacity{name: in.TableName()}
		used.addWrite(ch, 1)
		r.capacity(&used, in.Consumed)
	}
	if in.Collections.Wanted() && ch.on.hasLocal() {
		partition := ch.KeyItem()[ch.Def.Key.Partition.Name]
		r.member("ItemCollectionMetrics").write(func(b []byte) []byte { return ch.on.appendCollection(b, partition) })
	}
	return r.bytes(), nil
}
