// SPDX-License-Identifier: Apache-2.0

package policy

// Kind is what a document is used for: it decides which elements a statement
// must and must not have. The zero Kind is invalid.
type Kind uint8

const (
	// Identity is an IAM policy of a user, group or role, inline or managed.
	Identity Kind = iota + 1
	// KeyPolicy is the policy of a KMS key.
	KeyPolicy
	// Trust is a role's trust policy.
	Trust
	// Boundary is a permissions boundary.
	Boundary
	// Session is a policy passed to AssumeRole.
	Session
	// Resource is the policy of a resource other than a key or a role, such as a
	// table.
	Resource
)

func (k Kind) String() string {
	switch k {
	case Identity:
		return "identity-based policy"
	case KeyPolicy:
		return "key policy"
	case Trust:
		return "role trust policy"
	case Boundary:
		return "permissions boundary"
	case Session:
		return "session policy"
	case Resource:
		return "resource-based policy"
	}
	return "invalid kind of policy"
}

// resourceBased reports whether statements name principals.
func (k Kind) resourceBased() bool { return k == KeyPolicy || k == Trust || k == Resource }

// Effect is what a statement does when it applies. The zero Effect is invalid.
type Effect uint8

const (
	// Allow permits what nothing denies.
	Allow Effect = iota + 1
	// Deny forbids, whatever else allows.
	Deny
)

func (e Effect) String() string {
	switch e {
	case Allow:
		return "Allow"
	case Deny:
		return "Deny"
	}
	return "invalid effect"
}

// Source says where a policy is attached. The zero Source is an identity-based
// policy of unknown origin.
type Source uint8

const (
	// SourceIdentity is an identity-based policy of unknown origin.
	SourceIdentity Source = iota
	// SourceInline is a policy inside the user or role.
	SourceInline
	// SourceManaged is a managed policy attached to the user or role.
	SourceManaged
	// SourceGroupInline is a policy inside one of the user's groups.
	SourceGroupInline
	// SourceGroupManaged is a managed policy attached to one of the user's
	// groups.
	SourceGroupManaged
	// SourceBoundary is the permissions boundary.
	SourceBoundary
	// SourceSession is a session policy.
	SourceSession
	// SourceResource is the key policy, trust policy or other resource policy.
	SourceResource
	// SourceGrant is a KMS grant.
	SourceGrant
)

func (s Source) String() string {
	switch s {
	case SourceIdentity:
		return "identity-based policy"
	case SourceInline:
		return "inline policy"
	case SourceManaged:
		return "managed policy"
	case SourceGroupInline:
		return "group's inline policy"
	case SourceGroupManaged:
		return "group's managed policy"
	case SourceBoundary:
		return "permissions boundary"
	case SourceSession:
		return "session policy"
	case SourceResource:
		return "resource-based policy"
	case SourceGrant:
		return "grant"
	}
	return "invalid source"
}
