// SPDX-License-Identifier: Apache-2.0

// Package markup finishes the pages of the console: no link leads to the page it
// stands on, and each cell of a table has the name of its column, which narrow
// screens show instead of a row of headings.
package markup

import (
	"bytes"
	"html"
	"slices"
	"strings"
)

// Finish returns the page with links to itself as plain text that is marked as the
// current page, and with data-label on the cells of tables. The page is the output
// of html/template, in which no attribute has a raw > or < in it; self is its path
// with its query.
func Finish(page []byte, self string) []byte {
	f := &finisher{out: make([]byte, 0, len(page)+len(page)/8), self: self}
	for len(page) > 0 {
		begin := bytes.IndexByte(page, '<')
		if begin < 0 {
			f.text(page)
			break
		}
		f.text(page[:begin])
		page = page[begin:]
		end := bytes.IndexByte(page, '>')
		if end < 0 {
			f.out = append(f.out, page...)
			break
		}
		f.tag(page[:end+1])
		page = page[end+1:]
	}
	return f.out
}

type finisher struct {
	out  []byte
	self string

	here    bool     // inside a link to the page itself
	columns []string // names of the columns of the table
	head    bool     // inside the head of a table
	naming  bool     // inside a heading of a column
	body    bool     // inside the body of a table
	cell    int      // number of the next cell of the row
}

func (f *finisher) text(text []byte) {
	if f.naming {
		f.columns[len(f.columns)-1] += string(text)
	}
	f.out = append(f.out, text...)
}

// nameOf is the name of a tag, with the slash of an end tag.
func nameOf(tag []byte) string {
	end := bytes.IndexAny(tag[1:], " \t\n>")
	return string(tag[1 : end+1])
}

func (f *finisher) tag(tag []byte) {
	switch name := nameOf(tag); name {
	case "a":
		if href, rest, ok := cutHref(tag); ok && html.UnescapeString(href) == f.self {
			f.here = true
			tag = slices.Concat([]byte("<span"), rest)
			if !bytes.Contains(rest, []byte("aria-current=")) {
				tag = slices.Concat([]byte(`<span aria-current="page"`), rest)
			}
		}
	case "/a":
		if f.here {
			f.here, tag = false, []byte("</span>")
		}
	case "table":
		f.columns, f.body = nil, false
	case "thead", "/thead":
		f.head = name == "thead"
	case "tbody", "/tbody":
		f.body = name == "tbody"
	case "tr":
		f.cell = 0
	case "th", "td":
		switch {
		case f.head:
			f.columns, f.naming = append(f.columns, ""), true
		case f.body:
			tag = f.label(tag, name)
		}
	case "/th", "/td":
		f.naming = false
	}
	f.out = append(f.out, tag...)
}

// label adds the name of the column to a cell.
func (f *finisher) label(tag []byte, name string) []byte {
	i := f.cell
	f.cell++
	if i >= len(f.columns) {
		return tag
	}
	text := strings.Join(strings.Fields(f.columns[i]), " ")
	if text == "" {
		return tag
	}
	return slices.Concat([]byte("<"+name+` data-label="`+strings.ReplaceAll(text, `"`, "&#34;")+`"`),
		tag[1+len(name):])
}

// cutHref returns the value of a link's href, and the tag without <a and without it.
func cutHref(tag []byte) (href string, rest []byte, ok bool) {
	before, after, ok := bytes.Cut(tag, []byte(` href="`))
	if !ok {
		return "", nil, false
	}
	value, after, ok := bytes.Cut(after, []byte(`"`))
	if !ok {
		return "", nil, false
	}
	return string(value), slices.Concat(before[len("<a"):], after), true
}
