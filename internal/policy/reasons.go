// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// Element is a part of a statement or grant that a request is compared with.
// The zero Element is invalid.
type Element uint8

const (
	// ElementPrincipal is Principal or NotPrincipal, or a grant's grantee.
	ElementPrincipal Element = iota + 1
	// ElementAction is Action or NotAction, or a grant's operations.
	ElementAction
	// ElementResource is Resource or NotResource.
	ElementResource
	// ElementCondition is one of the conditions.
	ElementCondition
	// ElementEncryptionContext is a grant's encryption context constraint.
	ElementEncryptionContext
	// ElementSourceARN is a grant's source ARN constraint.
	ElementSourceARN
)

func (e Element) String() string {
	switch e {
	case ElementPrincipal:
		return "principal"
	case ElementAction:
		return "action"
	case ElementResource:
		return "resource"
	case ElementCondition:
		return "condition"
	case ElementEncryptionContext:
		return "encryption context"
	case ElementSourceARN:
		return "source ARN"
	}
	return "invalid element"
}

// Reason tells how one statement or one grant bore on a request.
type Reason struct {
	Source            Source
	Policy, PolicyARN string // the policy's name; empty for the resource's
	Statement         int    // from 1; 0 for a grant
	Sid               string
	GrantID           string
	Effect            Effect
	// Applies says that every element matched.
	Applies bool
	// Delegates says that an Allow that applies names only the caller's
	// account: identity policies must allow too.
	Delegates bool
	// Missed are the elements that did not match, all of them.
	Missed []Element
	// Conditions are all conditions of the statement, held or not.
	Conditions []ConditionResult
}

// ConditionResult is how one condition came out.
type ConditionResult struct {
	Operator, Key string
	Wanted        []string // of the policy
	Got           []string // of the request; not given for keys that hold item contents
	Held          bool
	Absent        bool // condition key not supplied with this request
	// NeverSupplied says that the embedded AWS supplies the key with no request.
	NeverSupplied bool
	// Invalid are values of the policy that the operator cannot read, so that
	// they match nothing.
	Invalid []string
}

// Reasons returns every statement and grant that was compared with the request,
// in the order identity policies, boundary, session policies, resource policy,
// grants. It compares again: the arguments of Evaluate must not have changed.
func (d Decision) Reasons() []Reason {
	e := evaluation{request: &d.request, bounded: d.policies.Boundary != nil}
	var all []Reason
	add := func(a *Attached, source Source) {
		if a.Document == nil {
			return
		}
		for i := range a.Document.Statements {
			r := Reason{Source: source, Policy: a.Name, PolicyARN: a.ARN, Statement: i + 1}
			e.explain(&a.Document.Statements[i], a.Document.kind, &r)
			all = append(all, r)
		}
	}
	for i := range d.policies.Identity {
		add(&d.policies.Identity[i], d.policies.Identity[i].Source)
	}
	if d.policies.Boundary != nil {
		add(d.policies.Boundary, SourceBoundary)
	}
	for i := range d.policies.Session {
		add(&d.policies.Session[i], SourceSession)
	}
	add(&Attached{Document: d.policies.Resource}, SourceResource)
	if d.policies.ResourceMode == ModeKeyPolicy {
		for i := range d.policies.Grants {
			all = append(all, e.explainGrant(&d.policies.Grants[i]))
		}
	}
	return all
}

func (e *evaluation) explain(s *Statement, kind Kind, r *Reason) {
	r.Sid, r.Effect = s.Sid, s.Effect
	found := classSelf
	if kind.resourceBased() {
		found = s.principal(e)
	}
	miss := func(ok bool, x Element) {
		if !ok {
			r.Missed = append(r.Missed, x)
		}
	}
	miss(found != 0, ElementPrincipal)
	miss(s.action(e), ElementAction)
	miss(s.resource(e), ElementResource)
	held := true
	for i := range s.Conditions {
		c := e.explainCondition(&s.Conditions[i])
		held = held && c.Held
		r.Conditions = append(r.Conditions, c)
	}
	miss(held, ElementCondition)
	r.Applies = len(r.Missed) == 0
	r.Delegates = r.Applies && r.Effect == Allow && found == classAccount
}

func (e *evaluation) explainCondition(c *Condition) ConditionResult {
	v := e.lookup(c.Key, c.lower)
	r := ConditionResult{Operator: c.Operator, Key: c.Key, Wanted: c.Values, Held: c.holds(e), Absent: v.len() == 0}
	r.NeverSupplied = r.Absent && !Supplied(c.Key)
	if private(c.lower) {
		r.Wanted = nil
	} else {
		r.Got = v.all()
	}
	for i := range c.operands {
		if c.operands[i].invalid {
			r.Invalid = append(r.Invalid, c.Values[i])
		}
	}
	return r
}

func (e *evaluation) explainGrant(g *Grant) Reason {
	a := e.grant(g)
	r := Reason{Source: SourceGrant, Policy: g.Name, GrantID: g.ID, Effect: Allow, Applies: a.allows(),
		Delegates: a.allows() && a.classes == classAccount}
	for _, x := range []struct {
		ok      bool
		element Element
	}{{a.classes != 0, ElementPrincipal}, {a.operation, ElementAction}, {a.context, ElementEncryptionContext},
		{a.source, ElementSourceARN}} {
		if !x.ok {
			r.Missed = append(r.Missed, x.element)
		}
	}
	return r
}

// String returns the reason as one line.
func (r Reason) String() string {
	var b strings.Builder
	b.WriteString(r.Source.String())
	if r.Policy != "" {
		b.WriteString(" " + strconv.Quote(r.Policy))
	}
	if r.Source == SourceGrant {
		b.WriteString(" " + r.GrantID)
	} else {
		fmt.Fprintf(&b, ", statement %d", r.Statement)
	}
	if r.Sid != "" {
		b.WriteString(" (" + r.Sid + ")")
	}
	b.WriteString(": " + r.Effect.String())
	switch {
	case r.Delegates:
		b.WriteString(" applies to the account: identity-based policies must allow too")
	case r.Applies:
		b.WriteString(" applies")
	default:
		b.WriteString(" does not apply: ")
		for i, m := range r.Missed {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(m.String())
		}
		b.WriteString(" did not match")
	}
	for i := range r.Conditions {
		b.WriteString("; " + r.Conditions[i].String())
	}
	return b.String()
}

// String returns the result as a clause: "StringEquals kms:ViaService not held:
// condition key not supplied".
func (c ConditionResult) String() string {
	text := c.Operator + " " + c.Key
	if c.Held {
		text += " held"
	} else {
		text += " not held"
	}
	switch {
	case c.NeverSupplied:
		text += ": condition key not supplied, with this or any request"
	case c.Absent:
		text += ": condition key not supplied"
	case c.Got != nil && !c.Held:
		text += fmt.Sprintf(": wanted %q, got %q", c.Wanted, c.Got)
	}
	if len(c.Invalid) > 0 {
		text += fmt.Sprintf(" (the operator cannot read %q)", c.Invalid)
	}
	return text
}

// Explain returns the message, if denied, and every reason, one a line.
func (d Decision) Explain() string {
	var b strings.Builder
	if d.Allowed {
		b.WriteString("allowed")
		if d.GrantID != "" {
			b.WriteString(" by grant " + d.GrantID)
		}
	} else {
		b.WriteString(d.Message(d.request))
	}
	for _, r := range d.Reasons() {
		b.WriteString("\n" + r.String())
	}
	return b.String()
}
