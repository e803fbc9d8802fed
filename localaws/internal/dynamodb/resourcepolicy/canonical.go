// SPDX-License-Identifier: Apache-2.0

package resourcepolicy

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/jsontree"
)

// canonical returns a checked document in the form in which DynamoDB keeps it and
// compares it: without white space, with the members in a fixed order, a list of
// one text as the text, an account as the ARN of its root user, and a Version.
func canonical(root *jsontree.Node) string {
	w := &writer{}
	version := "2008-10-17"
	if v := root.Member("Version"); v != nil {
		version = v.Text
	}
	w.open('{')
	w.name("Version").text(version)
	if id := root.Member("Id"); id != nil {
		w.name("Id").text(id.Text)
	}
	w.name("Statement").open('[')
	for _, s := range elements(root.Member("Statement")) {
		w.element().statement(&s)
	}
	w.close(']')
	w.close('}')
	return w.b.String()
}

// elements returns the elements of a list, or the one value that stands for it.
func elements(n *jsontree.Node) []jsontree.Node {
	if n.Kind == jsontree.Array {
		return n.Items
	}
	return []jsontree.Node{*n}
}

// writer writes JSON without white space.
type writer struct{ b bytes.Buffer }

func (w *writer) open(bracket byte) { w.b.WriteByte(bracket) }

func (w *writer) close(bracket byte) { w.b.WriteByte(bracket) }

// element begins the next element of an array, or member of an object.
func (w *writer) element() *writer {
	if before := w.b.Bytes(); !bytes.ContainsAny(before[len(before)-1:], "[{") {
		w.b.WriteByte(',')
	}
	return w
}

// name begins the next member of an object.
func (w *writer) name(name string) *writer {
	w.element().text(name)
	w.b.WriteByte(':')
	return w
}

func (w *writer) text(s string) {
	e := json.NewEncoder(&w.b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string, into memory
	w.b.Truncate(w.b.Len() - 1)
}

// texts writes a list of texts, or of what conditions take for texts.
func (w *writer) texts(n *jsontree.Node, spell func(string) string) {
	list := elements(n)
	if len(list) == 1 {
		w.text(spell(list[0].Text))
		return
	}
	w.open('[')
	for _, v := range list {
		w.element().text(spell(v.Text))
	}
	w.close(']')
}

func asIs(s string) string { return s }

// principal spells an account as the ARN of its root user.
func principal(s string) string {
	if len(s) == 12 && strings.Trim(s, "0123456789") == "" {
		return "arn:aws:iam::" + s + ":root"
	}
	return s
}

func (w *writer) statement(s *jsontree.Node) {
	w.open('{')
	for _, name := range []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
		"NotResource", "Condition"} {
		v := s.Member(name)
		if v == nil {
			continue
		}
		w.name(name)
		switch {
		case v.Kind != jsontree.Object:
			w.texts(v, asIs)
		case name == "Condition":
			w.object(v, func(operator *jsontree.Node) {
				w.object(operator, func(values *jsontree.Node) { w.texts(values, asIs) })
			})
		default:
			w.object(v, func(list *jsontree.Node) { w.texts(list, principal) })
		}
	}
	w.close('}')
}

// object writes an object with its members in order of their names.
func (w *writer) object(n *jsontree.Node, value func(*jsontree.Node)) {
	w.open('{')
	names := slices.Clone(n.Names)
	slices.Sort(names)
	for _, name := range names {
		w.name(name)
		value(n.Member(name))
	}
	w.close('}')
}
