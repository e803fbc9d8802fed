package policy

import "errors"

// Document is a parsed policy.
type Document struct {
	Version, ID string
	Statements  []Statement
}

// Statement is one statement of a Document.
type Statement struct {
	Sid    string
	Effect Effect
}

// ParseError says why a document is refused.
type ParseError struct {
	Reason string // AWS's message of MalformedPolicyDocument
	Detail string // where and what
}

func (e *ParseError) Error() string { return e.Reason + " " + e.Detail }

// Parse reads a document.
func Parse(text []byte, kind Kind) (*Document, error) { return nil, errors.New("not yet") }

// Text returns the document as it was given.
func (d *Document) Text() string { return "" }

// PrincipalKind is the member name in a Principal element.
type PrincipalKind uint8

// PrincipalEntry is one principal in a document.
type PrincipalEntry struct {
	Kind     PrincipalKind
	Value    string
	UniqueID string
}

// PrincipalARNs lists AWS principals of the document.
func (d *Document) PrincipalARNs() []string { return nil }

// Map rewrites principals.
func (d *Document) Map(f func(PrincipalEntry) PrincipalEntry) *Document { return d }

// Evaluate decides.
func Evaluate(r Request, p Policies) Decision { return Decision{} }

// Reason tells about one statement or grant.
type Reason struct{}

// Reasons explains.
func (d Decision) Reasons() []Reason { return nil }
