// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/internal/jsontree"
)

// principals reads Principal and NotPrincipal: "*", or an object of lists.
func (p *parser) principals(s *Statement, name string, v *jsontree.Node) error {
	if !p.kind.resourceBased() {
		return p.fail(reasonPrincipal, "%s", name)
	}
	if p.kind == Trust && name == "NotPrincipal" {
		return p.fail("Has prohibited field NotPrincipal", "%s", name)
	}
	if v.Kind == jsontree.String {
		if v.Text != "*" {
			return p.invalidPrincipal("AWS", v.Text)
		}
		s.Principals = []PrincipalEntry{{Kind: PrincipalAny, Value: "*", start: v.Start, end: v.End}}
		return nil
	}
	if v.Kind != jsontree.Object {
		return p.fail(reasonSyntax, "%s is neither \"*\" nor an object", name)
	}
	for i, member := range v.Names {
		var kind PrincipalKind
		switch member {
		case "AWS":
			kind = PrincipalAWS
		case "Service":
			kind = PrincipalService
		case "Federated":
			kind = PrincipalFederated
		case "CanonicalUser":
			kind = PrincipalCanonicalUser
		default:
			return p.invalidPrincipal(member, "")
		}
		list := v.Items[i : i+1]
		if list[0].Kind == jsontree.Array {
			list = list[0].Items
		}
		for j := range list {
			n := &list[j]
			if n.Kind != jsontree.String {
				return p.fail(reasonSyntax, "%s has a value that is not a string", name)
			}
			if !validPrincipal(kind, n.Text) {
				return p.invalidPrincipal(member, n.Text)
			}
			s.Principals = append(s.Principals, PrincipalEntry{Kind: kind, Value: n.Text, start: n.Start, end: n.End})
		}
	}
	return nil
}

func (p *parser) invalidPrincipal(member, value string) error {
	if p.kind == KeyPolicy {
		return p.fail(reasonKMS, "%.16q: %.128q", member, value)
	}
	return &ParseError{Reason: fmt.Sprintf("Invalid principal in policy: %.16q:%.128q", member, value),
		Detail: p.where + ": Principal", Principal: true}
}

// validPrincipal checks the form only: whether an identity exists is for the
// services to say.
func validPrincipal(kind PrincipalKind, value string) bool {
	switch kind {
	case PrincipalAWS:
		return value == "*" || isAccountID(value) || isUniqueID(value) || isPrincipalARN(value)
	case PrincipalService:
		host, _ := strings.CutSuffix(value, ".cn")
		name, ok := strings.CutSuffix(host, ".amazonaws.com")
		return ok && name != "" && !strings.ContainsAny(name, "*?/: ")
	}
	return value != ""
}

func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// isUniqueID accepts "AIDA…", "AROA…" and "AROA…:session".
func isUniqueID(s string) bool {
	id, session, cut := strings.Cut(s, ":")
	if cut && (session == "" || !strings.HasPrefix(id, "AROA")) {
		return false
	}
	if len(id) < 16 || len(id) > 128 || !strings.HasPrefix(id, "AIDA") && !strings.HasPrefix(id, "AROA") {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !alphanumeric(c) {
			return false
		}
	}
	return true
}

// isPrincipalARN accepts the ARNs of an account root, user, role, role session
// and federated user, none with wildcards.
func isPrincipalARN(s string) bool {
	if strings.ContainsAny(s, "*?") {
		return false
	}
	part := strings.SplitN(s, ":", 7)
	if len(part) != 6 || part[0] != "arn" || part[3] != "" || !isAccountID(part[4]) {
		return false
	}
	if part[1] != "aws" && part[1] != "aws-cn" && part[1] != "aws-us-gov" {
		return false
	}
	kind, name, _ := strings.Cut(part[5], "/")
	switch part[2] {
	case "iam":
		return part[5] == "root" || (kind == "user" || kind == "role") && name != "" && !strings.HasSuffix(name, "/")
	case "sts":
		if kind == "assumed-role" {
			role, session, _ := strings.Cut(name, "/")
			return role != "" && session != ""
		}
		return kind == "federated-user" && name != ""
	}
	return false
}

// accountOfRoot returns the account of an account principal: an account id, or
// the ARN of a root user.
func accountOfRoot(s string) (account string, ok bool) {
	if isAccountID(s) {
		return s, true
	}
	const suffix = ":root"
	if !strings.HasPrefix(s, "arn:") || !strings.HasSuffix(s, suffix) {
		return "", false
	}
	s = s[:len(s)-len(suffix)]
	if len(s) < 12 || !strings.HasSuffix(s[:len(s)-12], ":iam::") {
		return "", false
	}
	account = s[len(s)-12:]
	return account, isAccountID(account)
}
