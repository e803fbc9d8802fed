package dynamodb

import "github.com/tidwall/btree"

// maxPage is how many bytes of items a page reads before it ends: the item that
// reaches it is the last.
const maxPage = 1 << 20

// page is what was read.
type page struct {
	entries []*entry // that passed the match, in order
	size    int      // bytes of the view's items
	last    Item     // LastEvaluatedKey, nil at the end
}

// page collects the entries of v in s, at most limit of them unless limit is
// zero. The caller holds the table's lock, under which the table allowed v.def.
func (t *table) page(v view, s span, limit int) page {
	var p page
	entries := &t.items
	if v.index != nil {
		entries = &t.indexNamed(v.index.Name).entries
	}
	visit := func(key string, e *entry) bool {
		if s.started && key == s.start {
			return true
		}
		if s.match != nil && !s.match(e.item) {
			return true
		}
		p.entries = append(p.entries, e)
		p.size += v.size(e.item, e.size)
		if limit > 0 && len(p.entries) == limit || p.size >= maxPage {
			p.last = v.lastKey(e.item)
			return false
		}
		return true
	}
	if s.backward {
		descend(entries, s, visit)
		return p
	}
	from := s.low
	if s.started && s.start > from {
		from = s.start
	}
	entries.Ascend(from, func(key string, e *entry) bool {
		if s.high != "" && key >= s.high {
			return false
		}
		return visit(key, e)
	})
	return p
}

func descend(entries *btree.Map[string, *entry], s span, visit func(string, *entry) bool) {
	each := func(key string, e *entry) bool {
		switch {
		case s.high != "" && key >= s.high:
			return true
		case key < s.low:
			return false
		}
		return visit(key, e)
	}
	from := s.high
	if s.started && (from == "" || s.start < from) {
		from = s.start
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
