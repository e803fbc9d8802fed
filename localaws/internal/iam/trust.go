// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
)

// bindTrust ties a trust policy that is being stored to the principals that
// exist now, and refuses one that names others; the caller holds the lock. As
// on AWS it means these users and roles and no later ones of the same name.
func (s *Service) bindTrust(d *policytext.Document) (*policytext.Document, error) {
	bound := map[string]string{}
	for _, arn := range d.Parsed().PrincipalARNs() {
		id, ok := s.uniqueID(arn)
		if !ok {
			return nil, call400("MalformedPolicyDocument", `Invalid principal in policy: "AWS":"`+arn+`"`)
		}
		if strings.HasPrefix(id, userKind.idPrefix) || strings.HasPrefix(id, roleKind.idPrefix) {
			bound[arn] = id
		}
	}
	return d.Bind(bound), nil
}

// showTrust returns the text with the ARNs that the principals have now; one
// who was deleted appears as a unique id. The caller holds the lock.
func (s *Service) showTrust(d *policytext.Document) string {
	if len(d.Bound) == 0 {
		return d.Text
	}
	return d.Parsed().Map(func(e policy.PrincipalEntry) policy.PrincipalEntry {
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
