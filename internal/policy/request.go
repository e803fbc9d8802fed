// SPDX-License-Identifier: Apache-2.0

package policy

import "strings"

// Context has the condition keys of one request and their values. Names are
// stored in lower case: use Set and Add. A name with no values counts as
// absent.
type Context map[string][]string

// Set stores the values of a condition key, whose name may be in any case.
func (c Context) Set(key string, values ...string) { c[strings.ToLower(key)] = values }

// Add appends to the values of a condition key.
func (c Context) Add(key string, values ...string) {
	key = strings.ToLower(key)
	c[key] = append(c[key], values...)
}

// Get returns the values of a condition key, nil when it is absent.
func (c Context) Get(key string) []string { return c[strings.ToLower(key)] }

// Request is the question. It must not change while a Decision made from it
// is in use.
type Request struct {
	Principal Principal
	Action    string // "kms:Decrypt"
	// Resource is an ARN, "*" for an action on no resource in particular, or
	// empty, which is "*" and leaves the resource out of the message.
	Resource string
	// ResourceAccountID is the account that owns the resource; empty means the
	// principal's own.
	ResourceAccountID string
	Context           Context
	// EncryptionContext is KMS's, with keys and values as sent: both are
	// case-sensitive for grants, while the condition keys
	// kms:EncryptionContext:<key> made from it are not case-sensitive in their
	// names.
	EncryptionContext map[string]string
}

// Attached is a policy and where it comes from.
type Attached struct {
	Name   string
	ARN    string // empty for an inline policy
	Source Source
	// Document must not be nil: an Attached without one is treated as a policy
	// without statements.
	Document *Document
}

// ResourceMode says how a resource's policy and the caller's identity policies
// combine. The zero value is Ordinary.
type ResourceMode uint8

const (
	// ModeOrdinary is for services and operations that identity policies alone
	// can allow: DynamoDB, IAM, kms:CreateKey. A resource policy may allow too.
	ModeOrdinary ResourceMode = iota
	// ModeKeyPolicy is for an operation on a KMS key: without its key policy or
	// a grant no principal may do anything.
	ModeKeyPolicy
	// ModeTrustPolicy is for assuming a role.
	ModeTrustPolicy
)

// Policies are all that bear on one request.
type Policies struct {
	// Identity has the policies of the principal and of its groups; for
	// a role session, of the role. Root needs none.
	Identity []Attached
	Boundary *Attached  // nil: none
	Session  []Attached // empty: none, so no limit
	// Resource is the policy of the key, role or table; nil: none.
	Resource     *Document
	ResourceMode ResourceMode
	// Grants are those on the key whose grantee or retiring principal may be
	// the caller. Others do no harm: they are compared and reported.
	Grants []Grant
}

// Grant is what matters of a KMS grant to a decision.
type Grant struct {
	ID, Name string
	// Grantee is an ARN of an account root, user, role or role session, a
	// unique id ("AIDA…", "AROA…", "AROA…:session"), or a service principal.
	// With a unique id a recreated user of the same name gets nothing.
	Grantee string
	// RetiringPrincipal is of the same forms; empty: none. It may do
	// kms:RetireGrant and nothing else.
	RetiringPrincipal string
	// Operations are names without prefix: "Decrypt", "ReEncryptFrom".
	Operations []string
	// EncryptionContextEquals and EncryptionContextSubset bind cryptographic
	// operations; empty: no constraint.
	EncryptionContextEquals map[string]string
	EncryptionContextSubset map[string]string
	// SourceARN, when set, must equal condition key aws:SourceArn.
	SourceARN string
	// IssuingAccount is the account in which the grant was made; it may retire
	// the grant.
	IssuingAccount string
}
