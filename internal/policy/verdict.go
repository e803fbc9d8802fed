// SPDX-License-Identifier: Apache-2.0

package policy

// Verdict is the answer to a request of which some condition keys are unknown.
// The zero Verdict is invalid.
type Verdict uint8

const (
	// Never: the request is denied, whatever the unknown keys are.
	Never Verdict = iota + 1
	// OnlyIf: the unknown keys decide.
	OnlyIf
	// Always: the request is allowed, whatever the unknown keys are.
	Always
)

func (v Verdict) String() string {
	switch v {
	case Never:
		return "never"
	case OnlyIf:
		return "only if"
	case Always:
		return "always"
	}
	return "invalid verdict"
}

// Domain says what values an unknown condition key can have. The zero Domain
// allows the key to be absent and to have any value.
type Domain struct {
	// Present says that every request has the key.
	Present bool
	// Prefix begins each value.
	Prefix string
	// Possible reports whether the key can have a value; nil: it can have every
	// one that begins with Prefix.
	Possible func(value string) bool
}

func (d *Domain) has(value string) bool {
	return len(value) >= len(d.Prefix) && value[:len(d.Prefix)] == d.Prefix && (d.Possible == nil || d.Possible(value))
}

// Unknowns says which condition keys a request leaves open. The zero Unknowns
// leaves none open.
type Unknowns struct {
	// Key reports whether a condition key, in lower case, is unknown, and what it
	// can be. A key with a value in Request.Context is known and Key is not asked
	// about it; other keys that Key does not call unknown are as in Evaluate: those
	// of the principal follow from the request, the rest are absent. Key is not
	// asked about kms:EncryptionContext:<key> and kms:EncryptionContextKeys. Nil:
	// no key is unknown.
	Key func(lower string) (Domain, bool)
	// EncryptionContext says that the request's encryption context can have more
	// pairs than Request.EncryptionContext.
	EncryptionContext bool
}

// Deciding is a condition, or the encryption context of a grant, on whose
// unknown key a verdict depends.
type Deciding struct {
	Source            Source
	Policy, PolicyARN string
	Statement         int // from 1; 0 for a grant
	Sid               string
	GrantID           string
	Effect            Effect
	// Operator, Key and Wanted are the condition. Operator is empty for the
	// constraint of a grant, and for a policy variable in a Resource element. Wanted
	// is empty for keys that hold the contents of items.
	Operator, Key string
	Wanted        []string
}

// Answer is what Decide finds. Its zero value is invalid.
type Answer struct {
	Verdict Verdict
	// Deciding are the conditions on which an OnlyIf depends; otherwise nil.
	Deciding []Deciding
	// Example is one choice of the unknown keys for which the request is allowed,
	// under Always and OnlyIf; nil if none needs a value.
	Example Context
	// Decision is the decision under Example, or for Never under the first choice
	// that was tried. Its Reasons explain the verdict.
	Decision Decision
	// Exact says that every combination of values was considered. If there are too
	// many, the verdict is OnlyIf and Deciding has every condition on an unknown key.
	Exact bool
}
