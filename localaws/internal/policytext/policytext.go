// SPDX-License-Identifier: Apache-2.0

// Package policytext reads the policies that requests of IAM and STS carry, and
// keeps the text of a policy beside its parsed form.
package policytext

import (
	"errors"
	"net/http"
	"unicode"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Document is a policy's text with its parsed form beside it. It does not
// change once it is in use: evaluations in progress use it.
type Document struct {
	Text string
	// Bound has the unique ids of the users and roles that a trust policy names.
	// A principal that is created later under the same name is another one.
	Bound map[string]string `json:",omitempty"`

	parsed *policy.Document
}

// Parsed returns the parsed form.
func (d *Document) Parsed() *policy.Document { return d.parsed }

// Read parses a policy of a request. IAM counts the size of a policy, of which
// limit is the maximum, without white space. Errors: AWS's.
func Read(p wire.LongText, kind policy.Kind, limit int) (*Document, error) {
	text := string(p)
	if text == "" {
		return nil, wire.Violated("null", "policyDocument", wire.NotNull)
	}
	if n := Size(text); n > limit {
		e := request.Errorf("LimitExceeded", "Cannot exceed quota for PolicySize: %d", limit)
		e.Status = http.StatusConflict
		return nil, e
	}
	parsed, err := policy.Parse([]byte(text), kind)
	if err != nil {
		return nil, malformed(err)
	}
	return &Document{Text: text, parsed: parsed}, nil
}

// malformed returns AWS's refusal of a policy. Where the policy is wrong, which
// AWS does not say, is its hint.
func malformed(err error) error {
	e := request.Errorf("MalformedPolicyDocument", "%s", err.Error())
	var parse *policy.ParseError
	if errors.As(err, &parse) {
		e.Message, e.Hint = parse.Reason, parse.Detail
	}
	return e
}

// maxBlank is how many times its quota a policy may be long with its white
// space, which IAM does not count: it is kept too, and bounded for that.
const maxBlank = 8

// Size returns what a policy counts for its quota.
func Size(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return max(n, len(text)/maxBlank)
}

// Restore parses a document that was read from a file, which has the text only.
// Errors: as policy.Parse.
func (d *Document) Restore(kind policy.Kind) error {
	parsed, err := policy.Parse([]byte(d.Text), kind)
	if err != nil {
		return err
	}
	d.parsed = parsed
	d.bind()
	return nil
}

// Bind returns the document with the principals of its parsed form tied to the
// unique ids in bound.
func (d *Document) Bind(bound map[string]string) *Document {
	out := &Document{Text: d.Text, Bound: bound, parsed: d.parsed}
	out.bind()
	return out
}

// bind gives the principals of the parsed form their unique ids.
func (d *Document) bind() {
	if len(d.Bound) == 0 {
		return
	}
	d.parsed = d.parsed.Map(func(e policy.PrincipalEntry) policy.PrincipalEntry {
		if e.Kind == policy.PrincipalAWS {
			e.UniqueID = d.Bound[e.Value]
		}
		return e
	})
}
