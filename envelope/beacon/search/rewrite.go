// SPDX-License-Identifier: Apache-2.0

package search

import (
	"context"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// Request returns request number partition, 0 to [Plan.Queries]-1. Errors match
// [ErrUnsearchable] for a value without a beacon, or are those of
// Search.Keys of package beacon.
func (p *Plan) Request(ctx context.Context, partition int) (Rewritten, error) {
	t, err := p.translate(ctx, partition)
	if err != nil {
		return Rewritten{}, err
	}
	out := Rewritten{Select: p.request.Select, Widened: t.widened}
	w := p.writer()
	stored := attributes(t.key)
	if !t.key.IsZero() {
		text := w.Condition(t.key)
		out.KeyCondition = &text
	}
	if !t.filter.IsZero() {
		text := w.Condition(t.filter)
		out.Filter = &text
		if p.queries > 1 { // for First
			stored = append(stored, attributes(t.filter)...)
		}
	}
	p.project(&out, w, stored)
	out.Names, out.Values = w.Names(), w.Values()
	return out, nil
}

// First reports whether request number partition is the first that finds an
// item, which is given as it is stored. The beacons of an item may be those of
// its value in another partition, and then more than one request finds it. Leave
// the item out of the results of all requests but the first. Errors are those of
// [Plan.Request].
func (p *Plan) First(ctx context.Context, partition int, stored Item) (bool, error) {
	for earlier := range partition {
		t, err := p.translate(ctx, earlier)
		if err != nil {
			return false, err
		}
		if t.accepts(stored) {
			return false, nil
		}
	}
	return true, nil
}

// translated has the expressions of one request. A zero Node is one that is not
// sent.
type translated struct {
	key, filter ddbexpr.Node
	widened     bool
}

func (t translated) accepts(stored Item) bool {
	return (t.key.IsZero() || t.key.Evaluate(stored)) && (t.filter.IsZero() || t.filter.Evaluate(stored))
}

// translate returns the translation for a request, and keeps it.
func (p *Plan) translate(ctx context.Context, partition int) (t translated, err error) {
	if partition < 0 || partition >= p.queries {
		return t, misused("partition", "", "%d is not 0 to %d", partition, p.queries-1)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t, known := p.translations[partition]; known {
		return t, nil
	}
	h := p.hasher(ctx, partition)
	defer h.release()
	w := p.writer()
	if p.key != nil {
		b, err := p.key.bound(h, true)
		if err != nil {
			return t, err
		}
		t.key = b.node // every term of a key condition has an upper translation
		w.Condition(t.key)
	}
	if p.filter != nil {
		if t.filter, t.widened, err = p.fit(h, w); err != nil {
			return t, err
		}
	}
	if p.translations == nil {
		p.translations = map[int]translated{}
	}
	p.translations[partition] = t
	return t, nil
}

func (p *Plan) writer() *ddbexpr.Writer { return ddbexpr.NewWriter(p.request.Names, p.request.Values) }

// attributes returns the names of the attributes that a tree names, perhaps
// several times.
func attributes(n ddbexpr.Node) []string {
	var names []string
	for _, side := range n.Nodes() {
		names = append(names, attributes(side)...)
	}
	for _, o := range n.Operands() {
		for of, ok := o.SizeOf(); ok; of, ok = o.SizeOf() {
			o = of
		}
		if path := o.Path(); path != nil {
			names = append(names, path.Attribute())
		}
	}
	return names
}
