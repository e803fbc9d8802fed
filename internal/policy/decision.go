// SPDX-License-Identifier: Apache-2.0

package policy

// Outcome is the short answer. The zero Outcome is invalid.
type Outcome uint8

const (
	// Allowed: something allows and nothing denies.
	Allowed Outcome = iota + 1
	// ImplicitDeny: nothing allows, or a limit does not.
	ImplicitDeny
	// ExplicitDeny: a Deny statement applies.
	ExplicitDeny
)

// String returns the words of SimulatePrincipalPolicy.
func (o Outcome) String() string {
	switch o {
	case Allowed:
		return "allowed"
	case ImplicitDeny:
		return "implicitDeny"
	case ExplicitDeny:
		return "explicitDeny"
	}
	return "invalid outcome"
}

// Layer is a group of policies that can be the cause of a denial. The zero
// Layer means none.
type Layer uint8

const (
	// LayerNone is the layer of an allowed request.
	LayerNone Layer = iota
	// LayerIdentity is the identity-based policies.
	LayerIdentity
	// LayerBoundary is the permissions boundary.
	LayerBoundary
	// LayerSession is the session policies.
	LayerSession
	// LayerResource is the key policy or other resource-based policy.
	LayerResource
	// LayerTrust is the role trust policy.
	LayerTrust
)

func (l Layer) String() string {
	switch l {
	case LayerIdentity:
		return "identity-based policy"
	case LayerBoundary:
		return "permissions boundary"
	case LayerSession:
		return "session policy"
	case LayerResource:
		return "resource-based policy"
	case LayerTrust:
		return "role trust policy"
	}
	return "none"
}

// Decision is the answer to a Request. Its zero value denies.
type Decision struct {
	Allowed bool
	Outcome Outcome
	// Cause is the layer that denies explicitly, or the first one that fails to
	// allow.
	Cause Layer
	// PolicyName and PolicyARN are the policy of an explicit deny; the ARN is
	// empty for inline and resource policies.
	PolicyName, PolicyARN string
	// GrantID is the grant that allowed, when the policies alone did not.
	GrantID string
	// CrossAccount says that principal and resource are of different accounts.
	CrossAccount bool

	request  Request
	policies Policies
}

// Size tells roughly how many bytes the decision keeps in memory for itself:
// the request, and session policies, which are read for every request.
func (d Decision) Size() int {
	const parsed = 8 // times its text
	n := len(d.request.Resource)
	for key, values := range d.request.Context {
		n += len(key)
		for _, v := range values {
			n += len(v)
		}
	}
	for key, value := range d.request.EncryptionContext {
		n += len(key) + len(value)
	}
	for _, a := range d.policies.Session {
		if a.Document != nil {
			n += parsed * len(a.Document.text)
		}
	}
	return n
}

// Message returns the sentence with which AWS denies req, empty when the
// decision allows.
func (d Decision) Message(req Request) string {
	if d.Allowed {
		return ""
	}
	text := "User: " + req.Principal.label() + " is not authorized to perform: " + req.Action
	if req.Resource != "" {
		text += " on resource: " + req.Resource
	}
	if d.Outcome == ExplicitDeny {
		switch d.Cause {
		case LayerIdentity:
			text += " with an explicit deny in an identity-based policy"
		case LayerTrust:
			text += " with an explicit deny in the role trust policy"
		default:
			text += " with an explicit deny in a " + d.Cause.String()
		}
		if d.PolicyARN != "" {
			text += ": " + d.PolicyARN
		}
		return text
	}
	if d.Cause == LayerNone {
		return text
	}
	return text + " because no " + d.Cause.String() + " allows the " + req.Action + " action"
}
