package iam

import (
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// bindTrust ties a trust policy that is being stored to the principals that
// exist now, and refuses one that names others; the caller holds the lock. As
// on AWS it means these users and roles and no later ones of the same name.
func (s *Service) bindTrust(d *document) (*document, error) {
	bound := &document{Text: d.Text, parsed: d.parsed, Bound: map[string]string{}}
	for _, arn := range d.parsed.PrincipalARNs() {
		id, ok := s.uniqueID(arn)
		if !ok {
			return nil, call400("MalformedPolicyDocument", `Invalid principal in policy: "AWS":"`+arn+`"`)
		}
		if strings.HasPrefix(id, userKind.idPrefix) || strings.HasPrefix(id, roleKind.idPrefix) {
			bound.Bound[arn] = id
		}
	}
	bound.bind()
	return bound, nil
}

// bind gives the principals of the parsed form their unique ids.
func (d *document) bind() {
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

// showTrust returns the text with the ARNs that the principals have now; one
// who was deleted appears as a unique id. The caller holds the lock.
func (s *Service) showTrust(d *document) string {
	if len(d.Bound) == 0 {
		return d.Text
	}
	return d.parsed.Map(func(e policy.PrincipalEntry) policy.PrincipalEntry {
		if e.UniqueID == "" {
			return e
		}
		e.Value = e.UniqueID
		if arn, ok := s.arnOf(e.UniqueID); ok {
			e.Value = arn
		}
		return e
	}).Text()
}
