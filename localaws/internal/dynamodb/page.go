package dynamodb

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/tidwall/btree"
)

// maxPage is how many bytes of items a page reads before it ends: the item that
// reaches it is the last.
const maxPage = 1 << 20

// page is what was read.
type page struct {
	entries []*entry    // that passed the match, in order
	size    int         // bytes of the view's items
	last    schema.Item // LastEvaluatedKey, nil at the end
}

// page collects the entries of v in s, at most limit of them unless limit is
// zero. The caller holds the table's lock, under which the table allowed v.def.
func (t *table) page(v schema.View, s schema.Span, limit int) page {
	var p page
	entries := &t.items
	if v.Index != nil {
		entries = &t.indexNamed(v.Index.Name).entries
	}
	visit := func(key string, e *entry) bool {
		if s.Started && key == s.Start {
			return true
		}
		if s.Match != nil && !s.Match(e.item) {
			return true
		}
		p.entries = append(p.entries, e)
		p.size += v.Size(e.item, e.size)
		if limit > 0 && len(p.entries) == limit || p.size >= maxPage {
			p.last = v.LastKey(e.item)
			return false
		}
		return true
	}
	if s.Backward {
		descend(entries, s, visit)
		return p
	}
	from := s.Low
	if s.Started && s.Start > from {
		from = s.Start
	}
	entries.Ascend(from, func(key string, e *entry) bool {
		if s.High != "" && key >= s.High {
			return false
		}
		return visit(key, e)
	})
	return p
}

func descend(entries *btree.Map[string, *entry], s schema.Span, visit func(string, *entry) bool) {
	each := func(key string, e *entry) bool {
		switch {
		case s.High != "" && key >= s.High:
			return true
		case key < s.Low:
			return false
		}
		return visit(key, e)
	}
	from := s.High
	if s.Started && (from == "" || s.Start < from) {
		from = s.Start
	}
	if from == "" {
		entries.Reverse(each)
		return
	}
	entries.Descend(from, each)
}

// indexNamed returns an index, or nil; the caller holds the lock.
func (t *table) indexNamed(name string) *index {
	for _, set := range [][]*index{t.local, t.global} {
		for _, i := range set {
			if i.def.Name == name {
				return i
			}
		}
	}
	return nil
}
