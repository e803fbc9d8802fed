package search

import (
	"context"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// Request returns request number partition, 0 to [Plan.Queries]-1. Errors match
// [ErrUnsearchable] for a value without a beacon, or are those of
// [beacon.Search.Keys].
func (p *Plan) Request(ctx context.Context, partition int) (Rewritten, error) {
	if partition < 0 || partition >= p.queries {
		return Rewritten{}, misused("partition", "", "%d is not 0 to %d", partition, p.queries-1)
	}
	h := p.hasher(ctx, partition)
	defer h.release()
	w := ddbexpr.NewWriter(p.request.Names, p.request.Values)
	out := Rewritten{Select: p.request.Select}
	var stored []string
	if p.key != nil {
		b, err := p.key.bound(h, true)
		if err != nil {
			return Rewritten{}, err
		}
		if b.fixed() {
			return Rewritten{}, misused("KeyConditionExpression", "", "no term can be evaluated by DynamoDB")
		}
		text := w.Condition(b.node)
		out.KeyCondition = &text
		stored = attributes(b.node)
	}
	if p.filter != nil {
		text, with, widened, err := p.fit(h, w)
		if err != nil {
			return Rewritten{}, err
		}
		if text != "" {
			out.Filter, w = &text, with
		}
		out.Widened = widened
	}
	p.project(&out, w, stored)
	out.Names, out.Values = w.Names(), w.Values()
	return out, nil
}

// attributes returns the names of the attributes that a tree names.
func attributes(n ddbexpr.Node) []string {
	var names []string
	for _, side := range n.Nodes() {
		names = append(names, attributes(side)...)
	}
	for _, o := range n.Operands() {
		if path := o.Path(); path != nil {
			names = append(names, path.Attribute())
		}
	}
	return names
}
