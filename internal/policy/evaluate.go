// SPDX-License-Identifier: Apache-2.0

package policy

// evaluation is what matching needs to know of one request.
type evaluation struct {
	request *Request
	bounded bool // the caller has a permissions boundary
}

// answer is what one layer of policies says.
type answer struct {
	allow  class     // classes by which Allow statements apply
	denied bool      // a Deny statement applies
	by     *Attached // whose; nil for the resource's policy
}

func (e *evaluation) document(d *Document, a *answer) (denied bool) {
	if d == nil {
		return false
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect == Deny && a.denied {
			continue
		}
		// A class already found is not looked for again in identity-based
		// documents; in resource policies a further one may lift a limit.
		if s.Effect == Allow && a.allow&classSelf != 0 {
			continue
		}
		found := s.applies(e, d.kind)
		if found == 0 {
			continue
		}
		if s.Effect == Deny {
			a.denied, denied = true, true
		} else {
			a.allow |= found
		}
	}
	return denied
}

func (e *evaluation) attached(list []Attached) (a answer) {
	for i := range list {
		if e.document(list[i].Document, &a) {
			a.by = &list[i]
		}
	}
	return a
}

// Evaluate decides a request. It reads its arguments only and answers the same
// whatever the order of policies and statements; the Decision refers to them
// for Reasons, so they must not change while it is in use.
func Evaluate(r Request, p Policies) Decision {
	d := Decision{request: r, policies: p}
	e := evaluation{request: &r, bounded: p.Boundary != nil}
	who := &r.Principal
	d.CrossAccount = r.ResourceAccountID != "" && who.AccountID != "" && r.ResourceAccountID != who.AccountID

	identity := e.attached(p.Identity)
	var boundary, resource answer
	if p.Boundary != nil && e.document(p.Boundary.Document, &boundary) {
		boundary.by = p.Boundary
	}
	session := e.attached(p.Session)
	e.document(p.Resource, &resource)

	resourceLayer := LayerResource
	if p.ResourceMode == ModeTrustPolicy {
		resourceLayer = LayerTrust
	}
	switch {
	case identity.denied:
		return d.explicit(LayerIdentity, identity.by)
	case boundary.denied:
		return d.explicit(LayerBoundary, boundary.by)
	case session.denied:
		return d.explicit(LayerSession, session.by)
	case resource.denied:
		return d.explicit(resourceLayer, nil)
	}

	w := weighing{
		identity: identity.allow != 0 || who.Type == Root,
		boundary: p.Boundary == nil || who.Type == Root || boundary.allow != 0,
		session:  len(p.Session) == 0 || session.allow != 0,
		layer:    resourceLayer,
		cross:    d.CrossAccount,
		ordinary: p.ResourceMode == ModeOrdinary,
		hasIAM:   who.Type == Root || who.Type == User || who.Type == AssumedRole,
	}
	cause := w.weigh(resource.allow)
	if cause != LayerNone && p.ResourceMode == ModeKeyPolicy {
		granted := resource.allow
		for i := range p.Grants {
			g := &p.Grants[i]
			a := e.grant(g)
			if !a.allows() {
				continue
			}
			if w.weigh(a.classes) == LayerNone {
				d.GrantID = g.ID
				cause = LayerNone
				break
			}
			granted |= a.classes
		}
		if cause != LayerNone {
			cause = w.weigh(granted)
		}
	}
	d.Cause = cause
	d.Allowed = cause == LayerNone
	d.Outcome = ImplicitDeny
	if d.Allowed {
		d.Outcome = Allowed
	}
	return d
}

func (d Decision) explicit(layer Layer, by *Attached) Decision {
	d.Outcome, d.Cause = ExplicitDeny, layer
	if by != nil {
		d.PolicyName, d.PolicyARN = by.Name, by.ARN
	}
	return d
}

// weighing combines what the layers allow, once nothing denies.
type weighing struct {
	identity, boundary, session bool // the layer allows, or does not limit
	layer                       Layer
	cross, ordinary             bool
	hasIAM                      bool // the caller can have identity policies
}

// limits returns the first layer that withholds what identity policies or a
// role's permission need.
func (w *weighing) limits() Layer {
	switch {
	case !w.boundary:
		return LayerBoundary
	case !w.session:
		return LayerSession
	}
	return LayerNone
}

// weigh returns the layer that fails to allow, LayerNone when the request is
// allowed, given the classes by which the resource's side allows.
func (w *weighing) weigh(resource class) Layer {
	if w.cross {
		switch {
		case resource == 0:
			return w.layer
		case !w.identity:
			return LayerIdentity
		}
		return w.limits()
	}
	// What no limit touches comes first: then what only session policies
	// limit, then the rest.
	if resource&(classRoot|classSession|classService|classEveryone) != 0 {
		return LayerNone
	}
	if resource&classUser != 0 && w.session {
		return LayerNone
	}
	byIdentity := w.identity && w.hasIAM && (w.ordinary || resource&classAccount != 0)
	switch {
	case byIdentity, resource&classRole != 0:
		return w.limits()
	case resource&classUser != 0:
		return LayerSession
	}
	if w.ordinary && w.hasIAM || resource&classAccount != 0 {
		return LayerIdentity
	}
	return w.layer
}
