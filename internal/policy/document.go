// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// Document is a policy, parsed and compiled. It does not change: several
// goroutines may evaluate the same one.
type Document struct {
	Version    string // "2008-10-17" when the text has none
	ID         string
	Statements []Statement

	kind    Kind
	text    string
	dynamic bool // conditions or variables: decisions depend on the context
}

// Statement is one statement of a Document.
type Statement struct {
	Sid    string
	Effect Effect
	// Principals are the entries of Principal, or of NotPrincipal when that is set.
	Principals   []PrincipalEntry
	NotPrincipal bool
	// Actions are the entries of Action, or of NotAction when that is set. A key
	// policy's statement may have none, and then has no effect.
	Actions   []string
	NotAction bool
	// Resources are the entries of Resource, or of NotResource when that is set.
	// None in a trust policy; none in a key policy means no effect.
	Resources   []string
	NotResource bool
	Conditions  []Condition

	actions, resources []pattern
	trust              bool // has no Resource, and needs none
}

// PrincipalKind is the member of a Principal element that an entry stands
// under. The zero value is invalid.
type PrincipalKind uint8

const (
	// PrincipalAny is "Principal": "*".
	PrincipalAny PrincipalKind = iota + 1
	// PrincipalAWS is an account, user, role, role session, unique id or "*".
	PrincipalAWS
	// PrincipalService is a service principal.
	PrincipalService
	// PrincipalFederated is an identity provider; no caller here is federated,
	// so it matches no principal.
	PrincipalFederated
	// PrincipalCanonicalUser is S3's form; it matches no principal.
	PrincipalCanonicalUser
)

// PrincipalEntry is one principal that a statement names.
type PrincipalEntry struct {
	Kind  PrincipalKind
	Value string
	// UniqueID, when set by Map, is what the entry is bound to ("AIDA…" or
	// "AROA…"): the entry then matches that identity only, and no later one
	// with the same ARN. Parse leaves it empty.
	UniqueID string

	start, end int // of the JSON string in the text
}

// Kind returns what the document was parsed as.
func (d *Document) Kind() Kind { return d.kind }

// Text returns the document as it was given to Parse, but for principals that
// Map has replaced.
func (d *Document) Text() string { return d.text }

// Principals lists every entry of the document, in order, repeated ones too.
func (d *Document) Principals() []PrincipalEntry {
	var all []PrincipalEntry
	for i := range d.Statements {
		all = append(all, d.Statements[i].Principals...)
	}
	return all
}

// PrincipalARNs lists the distinct values under "AWS" other than "*": ARNs,
// account ids and unique ids, in the order of the text.
func (d *Document) PrincipalARNs() []string {
	var all []string
	for _, p := range d.Principals() {
		if p.Kind == PrincipalAWS && p.Value != "*" && !slices.Contains(all, p.Value) {
			all = append(all, p.Value)
		}
	}
	return all
}

// Map returns a document in which every principal entry other than "*" is what
// f makes of it. f may change Value, which also changes the text and nothing
// else in it, and UniqueID, which only changes what the entry matches; Kind
// stays. KMS binds ARNs to unique ids with it when a policy is put, and shows
// the unique id for the ARN once the identity is deleted. d itself does not
// change.
func (d *Document) Map(f func(PrincipalEntry) PrincipalEntry) *Document {
	m := *d
	m.Statements = slices.Clone(d.Statements)
	var changes []change
	for i := range m.Statements {
		s := &m.Statements[i]
		s.Principals = slices.Clone(s.Principals)
		for j := range s.Principals {
			p := &s.Principals[j]
			if p.Kind == PrincipalAny || p.Value == "*" {
				continue
			}
			q := f(*p)
			if q.Value != p.Value {
				changes = append(changes, change{p, q.Value})
			}
			p.UniqueID = q.UniqueID
		}
	}
	if len(changes) > 0 {
		m.rewrite(changes)
	}
	return &m
}

// change gives an entry a new value.
type change struct {
	entry *PrincipalEntry
	value string
}

// rewrite puts the new values into the text and moves every offset behind
// them.
func (d *Document) rewrite(changes []change) {
	var text strings.Builder
	old, from := d.text, 0
	next := 0
	// Entries are in the order of their statements, which is the order of the text
	// but for the order of Principal's own members; sort to be sure.
	all := make([]*PrincipalEntry, 0, 8)
	for i := range d.Statements {
		for j := range d.Statements[i].Principals {
			all = append(all, &d.Statements[i].Principals[j])
		}
	}
	byStart := func(a, b *PrincipalEntry) int { return a.start - b.start }
	slices.SortFunc(all, byStart)
	slices.SortFunc(changes, func(a, b change) int { return byStart(a.entry, b.entry) })
	for _, p := range all {
		text.WriteString(old[from:p.start])
		start := text.Len()
		if next < len(changes) && changes[next].entry == p {
			p.Value = changes[next].value
			text.WriteString(quote(p.Value))
			next++
		} else {
			text.WriteString(old[p.start:p.end])
		}
		from = p.end
		p.start, p.end = start, text.Len()
	}
	text.WriteString(old[from:])
	d.text = text.String()
}

// ContextKeys lists the condition keys that conditions and policy variables of
// the document refer to, as first written, without repetition.
func (d *Document) ContextKeys() []string {
	var keys []string
	seen := map[string]bool{}
	add := func(key, lower string) {
		if !seen[lower] {
			seen[lower] = true
			keys = append(keys, key)
		}
	}
	elems := func(all []elem) {
		for _, x := range all {
			if x.kind == elemVariable {
				add(x.text, x.lower)
			}
		}
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		for j := range s.resources {
			elems(s.resources[j].elems)
		}
		for j := range s.Conditions {
			c := &s.Conditions[j]
			add(c.Key, c.lower)
			for k := range c.operands {
				elems(c.operands[k].pattern.elems)
				for _, segment := range c.operands[k].arn.segments {
					elems(segment)
				}
			}
		}
	}
	return keys
}

// Mentions reports whether a statement of the document is about an action,
// whatever its principals, resources and conditions are.
func (d *Document) Mentions(action string) bool {
	e := evaluation{request: &Request{Action: action}}
	for i := range d.Statements {
		if d.Statements[i].action(&e) {
			return true
		}
	}
	return false
}

// MayAllow reports whether an Allow statement of the document is about an action on
// a resource, whatever its principals and conditions are. It takes a resource with
// a policy variable for one that matches.
func (d *Document) MayAllow(action, resource string) bool {
	e := evaluation{request: &Request{Action: action, Resource: resource}}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != Allow || !s.action(&e) {
			continue
		}
		for j := range s.resources {
			if s.resources[j].kind == patternTemplate {
				return true
			}
		}
		if s.resource(&e) {
			return true
		}
	}
	return false
}

// UnsuppliedKeys lists the condition keys of the document that the embedded
// AWS never puts into a request: such a condition is decided as on an absent
// key, always.
func (d *Document) UnsuppliedKeys() []string {
	return slices.DeleteFunc(d.ContextKeys(), Supplied)
}
