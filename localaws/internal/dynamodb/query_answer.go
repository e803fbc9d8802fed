package dynamodb

import (
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// answer reads the page and writes the response.
func (in *pageInput) answer(t *table, p *parsed) ([]byte, error) {
	limit := 0
	if in.limit != nil {
		limit = int(min(*in.limit, 1<<30))
	}
	var (
		v     view
		fetch bool
		got   page
	)
	err := t.reading(func() (err error) {
		if t.deleted {
			return errNoTable()
		}
		var s span
		if v, s, fetch, err = in.plan(t, p); err == nil {
			got = v.read(s, limit)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if in.consistent != nil && *in.consistent {
		if err := t.service.settled(); err != nil {
			return nil, err
		}
	}
	count := 0
	out := newResponse(128 + got.size + got.size/4)
	list := in.selects == nil || *in.selects != "COUNT"
	if list {
		out.member("Items")
		out.b = append(out.b, '[')
	}
	for _, e := range got.entries {
		if p.filter != nil {
			seen := e.item
			if v.index != nil && !fetch {
				seen = v.index.project(seen)
			}
			ok, err := p.filter.Evaluate(seen)
			if err != nil {
				return nil, errExpression(err)
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
	out.member("ScannedCount").integer(len(got.entries))
	if got.last != nil {
		out.member("LastEvaluatedKey").item(got.last)
	}
	if in.consumed.wanted() {
		out.capacity(in.price(v, got, fetch), in.consumed)
	}
	return out.bytes(), nil
}

// shape is what is returned of one entry.
func (in *pageInput) shape(v view, e *entry, p *parsed, fetch bool) Item {
	switch {
	case p.projection != nil:
		return p.projection.Apply(e.item)
	case v.index == nil || fetch:
		return e.item
	}
	return v.index.project(e.item)
}

func (in *pageInput) price(v view, got page, fetch bool) *capacity {
	used := &capacity{name: *in.name}
	consistent := in.consistent != nil && *in.consistent
	u := readUnits(got.size, consistent)
	if v.index == nil {
		used.table = u
		return used
	}
	used.addIndex(v.index, u)
	if fetch {
		for _, e := range got.entries {
			used.table += readUnits(ddbjson.ItemSize(e.item), consistent)
		}
	}
	return used
}
