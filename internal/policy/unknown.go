// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"maps"
	"slices"
	"strings"
)

// tri is a truth value of which some condition keys are unknown.
type tri uint8

const (
	no tri = iota
	maybe
	yes
)

func known(b bool) tri {
	if b {
		return yes
	}
	return no
}

func (t tri) not() tri { return yes - t }

// partial evaluates with some condition keys unknown. Evaluate has a path of its
// own, so that a request whose keys are all known does not pay for this one.
type partial struct {
	evaluation
	policies *Policies
	unknowns *Unknowns
	// chosen are the unknown keys, in lower case, to which the request's context
	// gives a value now, or which are absent for now.
	chosen map[string]bool
	// pairs are the names of the encryption context's pairs that can be chosen.
	pairs map[string]bool
	// noting says to keep in notes each condition on an unknown key.
	noting bool
	notes  []note
}

// note is a condition on an unknown key, or what else depends on one.
type note struct {
	place
	condition *Condition // nil for the constraint of a grant and a Resource element
	elems     []elem     // that have the key as a variable, if it is not the condition's key
	fold      bool
	key       string // as written
	lower     string
}

// place is where in the policies a condition stands.
type place struct {
	attached  *Attached // nil for a grant
	source    Source
	statement int
	sid       string
	effect    Effect
	grant     *Grant
}

const encryptionContextKeys = "kms:encryptioncontextkeys"

// open reports whether a key is unknown.
func (p *partial) open(lower string) bool {
	if p.chosen[lower] || len(p.request.Context[lower]) > 0 {
		return false
	}
	if lower == encryptionContextKeys {
		return p.openPairs()
	}
	if name, ok := strings.CutPrefix(lower, encryptionContextPrefix); ok && name != "" {
		if !p.unknowns.EncryptionContext {
			return false
		}
		v := p.lookup(lower, lower)
		return v.len() == 0
	}
	if p.unknowns.Key == nil {
		return false
	}
	_, ok := p.unknowns.Key(lower)
	return ok
}

// openPairs reports whether pairs of the encryption context are unknown.
func (p *partial) openPairs() bool {
	if !p.unknowns.EncryptionContext {
		return false
	}
	if p.pairs == nil {
		return true
	}
	for name := range p.pairs {
		if !p.chosen[encryptionContextPrefix+name] {
			return true
		}
	}
	return false
}

// variables reports whether elems have a variable of an unknown key.
func (p *partial) variables(at *place, c *Condition, all []elem, fold bool) (found bool) {
	for i := range all {
		if x := &all[i]; x.kind == elemVariable && p.open(x.lower) {
			found = true
			if p.noting {
				p.notes = append(p.notes, note{*at, c, all, fold, x.text, x.lower})
			}
		}
	}
	return found
}

func (p *partial) condition(at *place, c *Condition) tri {
	unknown := p.open(c.lower)
	if unknown && p.noting {
		p.notes = append(p.notes, note{*at, c, nil, false, c.Key, c.lower})
	}
	for i := range c.operands {
		o := &c.operands[i]
		unknown = p.variables(at, c, o.pattern.elems, o.pattern.fold) || unknown
		if o.arn.variable {
			for _, segment := range o.arn.segments {
				unknown = p.variables(at, c, segment, false) || unknown
			}
		}
	}
	if unknown {
		return maybe
	}
	return known(c.holds(&p.evaluation))
}

func (p *partial) resource(at *place, s *Statement) tri {
	if s.trust {
		return yes
	}
	if len(s.resources) == 0 {
		return no
	}
	found := no
	for i := range s.resources {
		x := &s.resources[i]
		if x.kind == patternTemplate && p.variables(at, nil, x.elems, x.fold) {
			found = max(found, maybe)
		} else if x.match(&p.evaluation, p.request.Resource) {
			found = yes
			break
		}
	}
	if s.NotResource {
		return found.not()
	}
	return found
}

// statement decides a statement as far as it is known: the classes by which it
// can apply, and whether it does. What it notes of a statement that does not
// apply is forgotten.
func (p *partial) statement(at *place, s *Statement, kind Kind) (class, tri) {
	n := len(p.notes)
	found, applies := p.applies(at, s, kind)
	if applies == no {
		p.notes = p.notes[:n]
	}
	return found, applies
}

func (p *partial) applies(at *place, s *Statement, kind Kind) (class, tri) {
	found := classSelf
	if kind.resourceBased() {
		if found = s.principal(&p.evaluation); found == 0 {
			return 0, no
		}
	}
	if !s.action(&p.evaluation) {
		return 0, no
	}
	applies := p.resource(at, s)
	for i := range s.Conditions {
		if applies == no {
			return 0, no
		}
		applies = min(applies, p.condition(at, &s.Conditions[i]))
	}
	if applies == no {
		return 0, no
	}
	return found, applies
}

// bounds are what a layer of policies allows and denies: at least, whatever the
// unknown keys are, and at most.
type bounds struct {
	allow, mayAllow class
	denied          tri
}

func (p *partial) document(a *Attached, source Source, to *bounds) {
	if a == nil || a.Document == nil {
		return
	}
	d := a.Document
	at := place{attached: a, source: source}
	for i := range d.Statements {
		s := &d.Statements[i]
		at.statement, at.sid, at.effect = i+1, s.Sid, s.Effect
		found, applies := p.statement(&at, s, d.kind)
		switch {
		case applies == no:
		case s.Effect == Deny:
			to.denied = max(to.denied, applies)
		default:
			to.mayAllow |= found
			if applies == yes {
				to.allow |= found
			}
		}
	}
}

// grantee decides a grant as far as it is known.
func (p *partial) grantee(g *Grant) (class, tri) {
	n := len(p.notes)
	found, applies := p.granted(g)
	if applies == no {
		p.notes = p.notes[:n]
	}
	return found, applies
}

func (p *partial) granted(g *Grant) (class, tri) {
	a := p.grant(g)
	if a.classes == 0 || !a.operation {
		return 0, no
	}
	applies := yes
	if !a.source {
		applies = no
	}
	at := place{source: SourceGrant, effect: Allow, grant: g}
	if g.SourceARN != "" && p.open("aws:sourcearn") {
		p.noteGrant(&at, "aws:SourceArn")
		applies = maybe
	}
	if p.unknowns.EncryptionContext && applies != no {
		if context := p.grantContext(&at, g); context != yes || !a.context {
			applies = min(applies, context)
		}
	} else if !a.context {
		applies = no
	}
	if applies == no {
		return 0, no
	}
	return a.classes, applies
}

func (p *partial) noteGrant(at *place, key string) {
	if p.noting {
		p.notes = append(p.notes, note{place: *at, key: key, lower: strings.ToLower(key)})
	}
}

// grantContext compares an encryption context that may have more pairs with the
// constraints of a grant.
func (p *partial) grantContext(at *place, g *Grant) tri {
	operation, _ := cutFold(p.request.Action, "kms:")
	if !takesContext(operation) {
		return yes
	}
	holds := yes
	pair := func(name, want string) {
		got, ok := p.request.EncryptionContext[name]
		lower := encryptionContextPrefix + strings.ToLower(name)
		switch {
		case ok && got == want:
		case ok || !p.open(lower):
			holds = no
		default:
			p.noteGrant(at, "kms:EncryptionContext:"+name)
			holds = min(holds, maybe)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.EncryptionContextSubset)) {
		pair(name, g.EncryptionContextSubset[name])
	}
	if len(g.EncryptionContextEquals) == 0 {
		return holds
	}
	for _, name := range slices.Sorted(maps.Keys(g.EncryptionContextEquals)) {
		pair(name, g.EncryptionContextEquals[name])
	}
	for name := range p.request.EncryptionContext {
		if _, ok := g.EncryptionContextEquals[name]; !ok {
			return no
		}
	}
	if p.openPairs() {
		p.noteGrant(at, "kms:EncryptionContextKeys")
		holds = min(holds, maybe)
	}
	return holds
}

// decide answers as far as the chosen keys tell.
func (p *partial) decide() tri {
	var identity, boundary, session, resource bounds
	for i := range p.policies.Identity {
		p.document(&p.policies.Identity[i], p.policies.Identity[i].Source, &identity)
	}
	p.document(p.policies.Boundary, SourceBoundary, &boundary)
	for i := range p.policies.Session {
		p.document(&p.policies.Session[i], SourceSession, &session)
	}
	if d := p.policies.Resource; d != nil {
		p.document(&Attached{Document: d}, SourceResource, &resource)
	}
	denied := max(identity.denied, boundary.denied, session.denied, resource.denied)
	if denied == yes {
		return no
	}
	if p.noting {
		for i := range p.policies.Grants {
			p.grantee(&p.policies.Grants[i])
		}
		return maybe
	}
	who, owner := &p.request.Principal, p.request.ResourceAccountID
	w := weighing{
		layer:    LayerResource,
		cross:    owner != "" && who.AccountID != "" && owner != who.AccountID,
		ordinary: p.policies.ResourceMode == ModeOrdinary,
		hasIAM:   who.Type == Root || who.Type == User || who.Type == AssumedRole,
	}
	weigh := func(identity, boundary, session, resource class, least tri) bool {
		w.identity = identity != 0 || who.Type == Root
		w.boundary = p.policies.Boundary == nil || who.Type == Root || boundary != 0
		w.session = len(p.policies.Session) == 0 || session != 0
		if w.weigh(resource) == LayerNone {
			return true
		}
		if p.policies.ResourceMode != ModeKeyPolicy {
			return false
		}
		for i := range p.policies.Grants {
			if classes, applies := p.grantee(&p.policies.Grants[i]); applies >= least && classes != 0 &&
				w.weigh(classes) == LayerNone {
				return true
			}
		}
		return false
	}
	if !weigh(identity.mayAllow, boundary.mayAllow, session.mayAllow, resource.mayAllow, maybe) {
		return no
	}
	if denied != no || !weigh(identity.allow, boundary.allow, session.allow, resource.allow, yes) {
		return min(maybe, denied.not())
	}
	return yes
}
