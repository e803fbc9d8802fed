// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// grantAnswer is how one grant bears on a request. It allows when classes is
// not empty and every element is true.
type grantAnswer struct {
	classes                    class // by which the caller is grantee, or may retire
	operation, context, source bool
}

func (a *grantAnswer) allows() bool {
	return a.classes != 0 && a.operation && a.context && a.source
}

// grant decides one grant.
func (e *evaluation) grant(g *Grant) grantAnswer {
	r := e.request
	operation, isKMS := cutFold(r.Action, "kms:")
	if !isKMS {
		return grantAnswer{}
	}
	a := grantAnswer{classes: r.Principal.name(g.Grantee), context: true, source: true}
	a.operation = slices.ContainsFunc(g.Operations, func(o string) bool { return strings.EqualFold(o, operation) })
	if strings.EqualFold(operation, "RetireGrant") {
		retire := r.Principal.name(g.RetiringPrincipal) | r.Principal.name(g.IssuingAccount)
		if retire != 0 {
			if !a.operation {
				a.classes = 0 // the grantee may not
			}
			a.classes |= retire
			a.operation = true
		}
		return a
	}
	if takesContext(operation) {
		a.context = containsPairs(r.EncryptionContext, g.EncryptionContextSubset) &&
			(len(g.EncryptionContextEquals) == 0 ||
				len(r.EncryptionContext) == len(g.EncryptionContextEquals) &&
					containsPairs(r.EncryptionContext, g.EncryptionContextEquals))
	}
	if g.SourceARN != "" {
		v := e.lookup("aws:SourceArn", "aws:sourcearn")
		a.source = v.len() == 1 && v.at(0) == g.SourceARN
	}
	return a
}

// takesContext reports whether an operation has an encryption context, which a
// grant's constraint is about. Constraints leave the others, such as
// DescribeKey, alone.
func takesContext(operation string) bool {
	for _, o := range [...]string{"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
		"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"} {
		if strings.EqualFold(o, operation) {
			return true
		}
	}
	return false
}

// containsPairs reports whether all has every pair of some, letter by letter.
func containsPairs(all, some map[string]string) bool {
	for k, v := range some {
		if got, ok := all[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
