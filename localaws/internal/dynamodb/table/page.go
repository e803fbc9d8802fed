// SPDX-License-Identifier: Apache-2.0

package table

import (
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/tidwall/btree"
)

// maxPage is how many bytes of items a page reads before it ends: the item that
// reaches it is the last.
const maxPage = 1 << 20

// Page is what one Query or Scan read.
type Page struct {
	Entries []*Entry    // that passed the match, in order
	Size    int         // bytes of the view's items
	Last    schema.Item // LastEvaluatedKey, nil at the end
}

// Page collects the entries of v in s, at most limit of them unless limit is
// zero. The caller holds the table's lock, under which [Table.Check] allowed
// v.Def.
func (t *Table) Page(v schema.View, s schema.Span, limit int) Page {
	var p Page
	entries := &t.items
	if v.Index != nil {
		entries = &t.indexNamed(v.Index.Name).entries
	}
	visit := func(key string, e *Entry) bool {
		if s.Started && key == s.Start {
			return true
		}
		if s.Match != nil && !s.Match(e.Item) {
			return true
		}
		p.Entries = append(p.Entries, e)
		p.Size += v.Size(e.Item, e.Size)
		if limit > 0 && len(p.Entries) == limit || p.Size >= maxPage {
			p.Last = v.LastKey(e.Item)
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
	entries.Ascend(from, func(key string, e *Entry) bool {
		if s.High != "" && key >= s.High {
			return false
		}
		return visit(key, e)
	})
	return p
}

func descend(entries *btree.Map[string, *Entry], s schema.Span, visit func(string, *Entry) bool) {
	each := func(key string, e *Entry) bool {
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
func (t *Table) indexNamed(name string) *index {
	for _, set := range [][]*index{t.local, t.global} {
		for _, i := range set {
			if i.def.Name == name {
				return i
			}
		}
	}
	return nil
}
