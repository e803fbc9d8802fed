// SPDX-License-Identifier: Apache-2.0

package keypolicy

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/internal/jsontree"
)

// splice replaces the bytes from start to end of a text.
type splice struct {
	start, end int
	with       string
}

// edit applies splices that do not overlap.
func (p *Policy) edit(splices ...splice) error {
	slices.SortFunc(splices, func(a, b splice) int { return a.start - b.start })
	var out strings.Builder
	from := 0
	for _, s := range splices {
		out.WriteString(p.text[from:s.start])
		out.WriteString(s.with)
		from = s.end
	}
	out.WriteString(p.text[from:])
	return p.read(out.String())
}

// Add names the principal, an ARN or account ID, in the first Allow statement
// with the Sid, and reports whether that changed the policy: it does not if one
// of the Sid's Allow statements names the principal already.
//
// The error matches [ErrNoStatement] if no statement has the Sid, [ErrForm] if
// none of them can take the principal, and [ErrTooLarge].
func (p *Policy) Add(sid, principal string) (changed bool, err error) {
	if err := checkPrincipal(principal); err != nil {
		return false, err
	}
	if !p.Has(sid) {
		return false, noStatement(sid)
	}
	var into *statement
	for i := range p.statements {
		s := &p.statements[i]
		if s.sid != sid || !s.allow || s.names == nil {
			continue
		}
		if s.has(principal) {
			return false, nil
		}
		if into == nil && !s.has("*") {
			into = s
		}
	}
	if into == nil {
		return false, badForm("statement %.100q does not allow a list of AWS principals", sid)
	}
	return true, p.edit(p.insert(into.names, quote(principal)))
}

// checkPrincipal refuses a text that names no principal or many.
func checkPrincipal(principal string) error {
	if principal == "" || strings.ContainsAny(principal, "*?") || !utf8.ValidString(principal) {
		return badForm("%.100q does not name one principal", principal)
	}
	return nil
}

// Remove removes the principal from the Allow statements with the Sids and
// reports whether that changed the policy. It removes a statement that would
// name no principal. The error matches [ErrForm] if one of the statements names
// its principals in another form than a list under AWS.
func (p *Policy) Remove(principal string, sids ...string) (changed bool, err error) {
	for i := range p.statements {
		if s := &p.statements[i]; s.names == nil && s.allow && slices.Contains(sids, s.sid) {
			return false, badForm("statement %.100q does not allow a list of AWS principals", s.sid)
		}
	}
	return p.remove(func(s *statement, name string) bool {
		return name == principal && s.allow && slices.Contains(sids, s.sid)
	})
}

// RemoveDeleted removes the principals that [Policy.Deleted] returns, and the
// statements that name no one else, and reports whether that changed the policy.
// It takes no permission away: a unique ID is never assigned a second time.
func (p *Policy) RemoveDeleted() (changed bool, err error) {
	return p.remove(func(_ *statement, name string) bool { return IsUniqueID(name) })
}

// remove removes the principals for which drop returns true.
func (p *Policy) remove(drop func(s *statement, name string) bool) (changed bool, err error) {
	var splices []splice
	empty := make([]bool, len(p.statements))
	for i := range p.statements {
		s := &p.statements[i]
		if s.names == nil {
			continue
		}
		names := elements(s.names)
		gone := make([]bool, len(names))
		left := -1
		n := 0
		for j := range names {
			if gone[j] = drop(s, names[j].Text); !gone[j] {
				left = j
				n++
			}
		}
		switch {
		case n == len(names):
			continue
		case n == 0:
			empty[i] = true
		case n == 1: // as KMS returns it
			splices = append(splices, splice{s.names.Start, s.names.End, p.source(&names[left])})
		default:
			splices = append(splices, cut(s.names, gone)...)
		}
		changed = true
	}
	if !changed {
		return false, nil
	}
	if p.list.Kind != jsontree.Array && empty[0] {
		return false, badForm("its only statement would name no principal")
	}
	return true, p.edit(append(splices, cut(p.list, empty)...)...)
}

// cut removes elements of an array with one comma each.
func cut(array *jsontree.Node, gone []bool) []splice {
	var out []splice
	first := slices.Index(gone, false)
	switch {
	case first < 0 && array.Kind == jsontree.Array:
		return []splice{{array.Start + 1, array.End - 1, ""}}
	case first > 0:
		out = append(out, splice{array.Items[0].Start, array.Items[first].Start, ""})
	}
	for i := first + 1; i < len(gone); i++ {
		if gone[i] {
			out = append(out, splice{array.Items[i-1].End, array.Items[i].End, ""})
		}
	}
	return out
}

// insert adds a value at the end of an array, or makes an array of a single
// value and the new one.
func (p *Policy) insert(list *jsontree.Node, value string) splice {
	comma := ","
	if strings.ContainsAny(p.text, " \n") {
		comma = ", "
	}
	switch {
	case list.Kind != jsontree.Array:
		return splice{list.Start, list.End, "[" + p.source(list) + comma + value + "]"}
	case len(list.Items) == 0:
		return splice{list.Start + 1, list.End - 1, value}
	case len(list.Items) == 1:
		comma = "," + p.text[list.Start+1:list.Items[0].Start]
	default:
		comma = p.text[list.Items[len(list.Items)-2].End:list.Items[len(list.Items)-1].Start]
	}
	end := list.Items[len(list.Items)-1].End
	return splice{end, end, comma + value}
}

// Append adds a statement at the end, laid out as the last one is. The error
// matches [ErrTooLarge].
func (p *Policy) Append(s Statement) error {
	text := marshal(s, "", "")
	if n := len(p.statements); n > 0 {
		if prefix, indent, ok := layoutOf(p.source(p.statements[n-1].node)); ok {
			text = marshal(s, prefix, indent)
		}
	}
	return p.edit(p.insert(p.list, text))
}

// layoutOf returns the indentation of an object's last line and what its members
// have beyond that. It returns false for an object on one line.
func layoutOf(object string) (prefix, indent string, ok bool) {
	_, member, several := strings.Cut(object, "\n")
	if !several {
		return "", "", false
	}
	prefix = blanks(object[strings.LastIndexByte(object, '\n')+1:])
	indent, deeper := strings.CutPrefix(blanks(member), prefix)
	if !deeper || indent == "" {
		indent = "  "
	}
	return prefix, indent, true
}

// blanks returns the spaces and tabs at the beginning of a text.
func blanks(s string) string { return s[:len(s)-len(strings.TrimLeft(s, " \t"))] }

func (p *Policy) source(n *jsontree.Node) string { return p.text[n.Start:n.End] }

func quote(s string) string { return marshal(s, "", "") }

// marshal writes v, which holds only strings, lists and maps of strings, without
// escaping <, > and &.
func marshal(v any, prefix, indent string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, indent)
	if err := e.Encode(v); err != nil {
		panic("keypolicy: a policy does not marshal: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}
