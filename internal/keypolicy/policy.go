// SPDX-License-Identifier: Apache-2.0

package keypolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/jsontree"
)

// MaxSize is the maximum size of a key policy that KMS accepts, in bytes.
const MaxSize = 32_768

var (
	// ErrForm means that the policy or one of its statements has a form that
	// this package does not edit.
	ErrForm = errors.New("the key policy cannot be edited in this form")
	// ErrNoStatement means that no statement has the Sid. It matches ErrForm too.
	ErrNoStatement = fmt.Errorf("%w: a statement is missing", ErrForm)
	// ErrTooLarge means that the policy is larger than MaxSize, or would be.
	ErrTooLarge = fmt.Errorf("a key policy holds at most %d bytes", MaxSize)
)

func badForm(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrForm, fmt.Errorf(format, args...))
}

// Policy is a key policy that is being edited. A method that returns an error
// leaves it unchanged. It is not safe for concurrent use.
type Policy struct {
	text       string
	list       *jsontree.Node // Statement: an array or a single object
	statements []statement
}

// statement is what edits need to know of a statement.
type statement struct {
	node  *jsontree.Node
	sid   string
	allow bool
	// names is the value of the member AWS, a string or an array of strings. It
	// is nil if the statement names its principals in another form.
	names *jsontree.Node
}

// Parse reads a policy. The error matches [ErrTooLarge] if text is larger than
// [MaxSize] and [ErrForm] if text is not JSON, names a member twice or has no
// Statement. Parse does not check what KMS checks, such as whether a principal
// exists.
func Parse(text string) (*Policy, error) {
	p := &Policy{}
	if err := p.read(text); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Policy) read(text string) error {
	if len(text) > MaxSize {
		return fmt.Errorf("%w, this one has %d", ErrTooLarge, len(text))
	}
	root, err := jsontree.Parse([]byte(text))
	if err != nil {
		return badForm("%w", err)
	}
	list := root.Member("Statement")
	if list == nil {
		return badForm("it has no Statement")
	}
	nodes := elements(list)
	read := make([]statement, len(nodes))
	for i := range nodes {
		if nodes[i].Kind != jsontree.Object {
			return badForm("statement %d is not an object", i+1)
		}
		read[i] = newStatement(&nodes[i])
	}
	*p = Policy{text: text, list: list, statements: read}
	return nil
}

func newStatement(n *jsontree.Node) statement {
	s := statement{node: n}
	if sid := n.Member("Sid"); sid != nil && sid.Kind == jsontree.String {
		s.sid = sid.Text
	}
	if effect := n.Member("Effect"); effect != nil && effect.Kind == jsontree.String {
		s.allow = effect.Text == "Allow"
	}
	// A second member, such as Service, is left to its author.
	principal := n.Member("Principal")
	if principal == nil || len(principal.Names) != 1 || n.Member("NotPrincipal") != nil {
		return s
	}
	names := principal.Member("AWS")
	if names == nil || names.Kind != jsontree.Array && names.Kind != jsontree.String {
		return s
	}
	for _, name := range elements(names) {
		if name.Kind != jsontree.String {
			return s
		}
	}
	s.names = names
	return s
}

// elements returns the elements of an array, or n itself: a policy may say the
// one thing without the array.
func elements(n *jsontree.Node) []jsontree.Node {
	if n.Kind == jsontree.Array {
		return n.Items
	}
	return []jsontree.Node{*n}
}

// Text returns the policy with the edits made so far.
func (p *Policy) Text() string { return p.text }

// Has reports whether a statement with the Sid exists, whatever it does.
func (p *Policy) Has(sid string) bool {
	return slices.ContainsFunc(p.statements, func(s statement) bool { return s.sid == sid })
}

// Principals returns the principals that the Allow statements with the Sid name
// under AWS, in the order of the text and without repetition. Statements that
// name their principals in another form are skipped.
func (p *Policy) Principals(sid string) []string {
	var all []string
	for i := range p.statements {
		if s := &p.statements[i]; s.sid == sid && s.allow {
			all = s.appendNames(all)
		}
	}
	return all
}

// Deleted returns the unique IDs, such as AIDA…, that Allow and Deny statements
// name under AWS. KMS shows one in place of the ARN of a user or role that was
// deleted, and accepts no policy that holds one.
func (p *Policy) Deleted() []string {
	var all []string
	for i := range p.statements {
		all = p.statements[i].appendNames(all)
	}
	return slices.DeleteFunc(all, func(name string) bool { return !IsUniqueID(name) })
}

// appendNames appends those principals of s that are not in all yet.
func (s *statement) appendNames(all []string) []string {
	if s.names == nil {
		return all
	}
	seen := make(map[string]bool, len(all))
	for _, name := range all {
		seen[name] = true
	}
	for _, n := range elements(s.names) {
		if !seen[n.Text] {
			seen[n.Text] = true
			all = append(all, n.Text)
		}
	}
	return all
}

func (s *statement) has(principal string) bool {
	return s.names != nil && slices.ContainsFunc(elements(s.names),
		func(n jsontree.Node) bool { return n.Text == principal })
}

// IsUniqueID reports whether a principal is the unique ID of a user or role.
func IsUniqueID(principal string) bool {
	return strings.HasPrefix(principal, "AIDA") || strings.HasPrefix(principal, "AROA")
}
