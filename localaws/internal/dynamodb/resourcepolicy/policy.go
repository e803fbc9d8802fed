// SPDX-License-Identifier: Apache-2.0

package resourcepolicy

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"github.com/ddbseal/ddbseal/internal/jsontree"
	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// maxSize is the maximum size of a document in bytes. White space counts.
const maxSize = 20_480

// Principals knows the identities that a policy can name.
type Principals interface {
	// UniqueID returns the unique id of the user, role, role session or account
	// that arn names, and false if there is none.
	UniqueID(arn string) (id string, ok bool)
	// ARN returns the ARN of the user or role with a unique id, and false if it was
	// deleted.
	ARN(uniqueID string) (arn string, ok bool)
}

// Policy is the policy of a table or a stream. It does not change.
type Policy struct {
	// Document is the policy in the form in which DynamoDB keeps it.
	policytext.Document
	// Revision is the RevisionId.
	Revision string
}

// Read reads the document of a request for a table and binds it to the principals
// that it names. The policy has no revision yet. Errors: AWS's.
func Read(text string, who Principals) (*Policy, error) { return read(text, who, tableActions) }

// ReadStream is [Read] for a stream, which has other actions.
func ReadStream(text string, who Principals) (*Policy, error) { return read(text, who, streamActions) }

func read(text string, who Principals, actions []string) (*Policy, error) {
	if len(text) > maxSize {
		return nil, refusal.Parameter("Maximum policy size of %d bytes exceeded", maxSize)
	}
	d, err := policy.Parse([]byte(text), policy.Resource)
	if err != nil {
		return nil, malformed(err)
	}
	if err := check(d, actions); err != nil {
		return nil, err
	}
	root, _ := jsontree.Parse([]byte(text)) // which policy.Parse has read already
	kept := policytext.Document{Text: canonical(&root)}
	if err := kept.Restore(policy.Resource); err != nil {
		return nil, malformed(err)
	}
	bound := map[string]string{}
	for _, arn := range kept.Parsed().PrincipalARNs() {
		id, ok := who.UniqueID(arn)
		if !ok {
			return nil, invalidPrincipal()
		}
		if strings.HasPrefix(id, "AIDA") || strings.HasPrefix(id, "AROA") {
			bound[arn] = id
		}
	}
	return &Policy{Document: *kept.Bind(bound)}, nil
}

func invalidPrincipal() *request.Error {
	return refusal.Validation(refusal.ParameterPrefix + "Invalid principal in policy document.")
}

// malformed returns AWS's refusal of a document. Where the document is wrong,
// which AWS does not say, is its hint.
func malformed(err error) error {
	var parse *policy.ParseError
	if !errors.As(err, &parse) {
		return invalidDocument(err.Error())
	}
	e := invalidDocument(parse.Reason)
	if parse.Principal {
		e = invalidPrincipal()
	}
	e.Hint = parse.Detail
	return e
}

func invalidDocument(reason string) *request.Error {
	return refusal.Validation(refusal.ParameterPrefix + "Invalid policy document: " + reason)
}

// UnmarshalJSON reads a stored policy. It fails for a document that is not a
// policy.
func (p *Policy) UnmarshalJSON(text []byte) error {
	type stored Policy // without this method
	if err := json.Unmarshal(text, (*stored)(p)); err != nil {
		return err
	}
	return p.Restore(policy.Resource)
}

// WithRevision returns the policy under a revision.
func (p *Policy) WithRevision(revision string) *Policy {
	out := *p
	out.Revision = revision
	return &out
}

// Evaluated returns the policy as package policy evaluates it. A nil Policy is
// the missing policy of a table without one.
func (p *Policy) Evaluated() *policy.Document {
	if p == nil {
		return nil
	}
	return p.Parsed()
}

// Same reports whether two policies are one: they have the same document, which
// is bound to the same users and roles. Either may be nil.
func (p *Policy) Same(other *Policy) bool {
	if p == nil || other == nil {
		return p == other
	}
	return p.Text == other.Text && maps.Equal(p.Bound, other.Bound)
}

// Show returns the document as GetResourcePolicy answers it: a user or role that
// was deleted appears as its unique id.
func (p *Policy) Show(who Principals) string {
	return p.Parsed().Map(func(e policy.PrincipalEntry) policy.PrincipalEntry {
		if e.UniqueID == "" {
			return e
		}
		if arn, ok := who.ARN(e.UniqueID); ok {
			e.Value = arn
		} else {
			e.Value = e.UniqueID
		}
		return e
	}).Text()
}
