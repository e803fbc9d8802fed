package dynamodb

import (
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/input"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// read reads the planned page and writes the response.
func (in *pageCall) read(s *Service, v schema.View, order schema.Span, fetch bool) ([]byte, error) {
	p := in.Parsed
	var got page
	err := in.on.reading(v.Def, func() error {
		got = in.on.page(v, order, in.Limit())
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
	out := newResponse(128 + got.size + got.size/4)
	list := in.Select() != "COUNT"
	if list {
		out.member("Items")
		out.b = append(out.b, '[')
	}
	for _, e := range got.entries {
		if p.Filters() {
			seen := e.item
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
	out.member("ScannedCount").integer(len(got.entries))
	if got.last != nil {
		out.member("LastEvaluatedKey").item(got.last)
	}
	if in.Consumed.Wanted() {
		out.capacity(in.price(v, got, fetch), in.Consumed)
	}
	return out.bytes(), nil
}

// shape is what is returned of one entry.
func (in *pageCall) shape(v schema.View, e *entry, p *input.Parsed, fetch bool) schema.Item {
	switch {
	case p.Projects():
		return p.Project(e.item)
	case fetch:
		return e.item
	}
	return v.Project(e.item)
}

func (in *pageCall) price(v schema.View, got page, fetch bool) *capacity {
	used := &capacity{name: in.TableName()}
	u := readUnits(got.size, in.Consistent())
	if v.Index == nil {
		used.table = u
		return used
	}
	used.addIndex(v.Index.Name, v.Local, u)
	if fetch {
		for _, e := range got.entries {
			used.table += readUnits(ddbjson.ItemSize(e.item), in.Consistent())
		}
	}
	return used
}
