package dynamodb

import (
	"context"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// writeCall is a write that stands alone.
type writeCall struct {
	writeInput
	change change
}

func (in *writeCall) find(s *Service, c *request.Call) {
	in.change.write = in.prepared
	trail(c, in.change.at)
	in.change.on = s.lookup(in.change.at)
}

func (in *writeCall) renew() { in.change.on = in.change.on.renewed() }

func (in *writeCall) authorize(ctx context.Context, s *Service, c *request.Call) error {
	w := in.prepared
	returnValues := "NONE"
	if w.returnValues != "" {
		returnValues = w.returnValues
	}
	return s.allowAccess(ctx, c, access{action: w.kind.action(), at: w.at, keys: []schema.Item{w.keyItem()},
		attributes: w.attributes(w.keyItem()), returnValues: returnValues}, in.change.on)
}

func (in *writeCall) answer(ctx context.Context, s *Service, c *request.Call) ([]byte, error) {
	ch := &in.change
	if err := s.ready(ch.on); err != nil {
		return nil, err
	}
	if err := ch.bind(ch.on.def); err != nil {
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
	if in.consumed.wanted() {
		used := capacity{name: in.TableName()}
		used.addWrite(ch, 1)
		r.capacity(&used, in.consumed)
	}
	if in.collections.wanted() && ch.on.hasLocal() {
		partition := ch.keyItem()[ch.def.Key.Partition.Name]
		r.member("ItemCollectionMetrics").write(func(b []byte) []byte { return ch.on.appendCollection(b, partition) })
	}
	return r.bytes(), nil
}
