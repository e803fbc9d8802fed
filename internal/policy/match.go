// SPDX-License-Identifier: Apache-2.0

package policy

import "strings"

// class says how a principal was recognised, which decides what limits the
// permission. Several may be set.
type class uint8

const (
	classAccount class = 1 << iota // by its account: identity policies decide
	classRoot                      // the account's root user itself
	classUser
	classRole    // a session, by its role
	classSession // a session, by its own ARN
	classService
	classEveryone // "*", or all but those of NotPrincipal
	classSelf     // an identity-based document: there is no principal to match
)

// name compares p with one name of a principal: an ARN, an account id, a
// unique id or a service principal.
func (p *Principal) name(s string) class {
	switch p.Type {
	case Root, User, AssumedRole:
	case Service:
		if sameService(s, p.ARN) {
			return classService
		}
		return 0
	default:
		return 0
	}
	if s == "" {
		return 0
	}
	if account, ok := accountOfRoot(s); ok {
		switch {
		case account != p.AccountID:
			return 0
		case p.Type == Root:
			return classRoot
		}
		return classAccount
	}
	switch p.Type {
	case User:
		if s == p.ARN || s == p.UniqueID {
			return classUser
		}
	case AssumedRole:
		if s == p.ARN || s == p.UniqueID {
			return classSession
		}
		if s == p.RoleARN || s == p.RoleUniqueID {
			return classRole
		}
	}
	return 0
}

// sameService compares service principals; the general name of a service
// ("dynamodb.amazonaws.com") covers its regional ones
// ("dynamodb.us-east-1.amazonaws.com").
func sameService(pattern, name string) bool {
	if pattern == name {
		return pattern != ""
	}
	service, suffix, _ := strings.Cut(pattern, ".")
	if suffix != "amazonaws.com" {
		return false
	}
	rest, ok := strings.CutPrefix(name, service+".")
	if !ok {
		return false
	}
	region, ok := strings.CutSuffix(rest, ".amazonaws.com")
	return ok && region != "" && !strings.Contains(region, ".")
}

// matches compares p with one entry.
func (x *PrincipalEntry) matches(p *Principal) class {
	switch x.Kind {
	case PrincipalAny:
		return classEveryone
	case PrincipalAWS:
		if x.Value == "*" {
			return classEveryone
		}
		if p.Type == Service {
			return 0
		}
		if x.UniqueID != "" {
			return p.name(x.UniqueID)
		}
		return p.name(x.Value)
	case PrincipalService:
		if p.Type == Service {
			return p.name(x.Value)
		}
	}
	return 0
}

// principal decides the Principal or NotPrincipal of a statement.
func (s *Statement) principal(e *evaluation) class {
	var found class
	for i := range s.Principals {
		found |= s.Principals[i].matches(&e.request.Principal)
	}
	if !s.NotPrincipal {
		return found
	}
	if e.exempt(s.Effect, found) {
		return 0
	}
	return classEveryone
}

// exempt reports whether what NotPrincipal lists leaves the caller out. A Deny
// asks for every level of the caller, its account included: a listed user of an
// account that is not listed is denied with the account. A permissions boundary
// makes a Deny with NotPrincipal apply to everyone who has one.
func (e *evaluation) exempt(effect Effect, found class) bool {
	if found&classEveryone != 0 {
		return true
	}
	if effect == Allow {
		return found != 0
	}
	has := func(all class) bool { return found&all == all }
	switch e.request.Principal.Type {
	case Root:
		return has(classRoot)
	case User:
		return !e.bounded && has(classAccount|classUser)
	case AssumedRole:
		return !e.bounded && has(classAccount|classRole|classSession)
	case Service:
		return has(classService)
	}
	return false
}

func (s *Statement) action(e *evaluation) bool {
	if len(s.actions) == 0 {
		return false
	}
	return matchAny(s.actions, e, e.request.Action) != s.NotAction
}

func (s *Statement) resource(e *evaluation) bool {
	if s.trust {
		return true
	}
	if len(s.resources) == 0 {
		return false
	}
	// A pattern is "*" or an ARN, so an empty resource matches as "*" does.
	return matchAny(s.resources, e, e.request.Resource) != s.NotResource
}

func matchAny(patterns []pattern, e *evaluation, s string) bool {
	for i := range patterns {
		if patterns[i].match(e, s) {
			return true
		}
	}
	return false
}

// applies decides a statement: the classes by which it applies, none when it
// does not.
func (s *Statement) applies(e *evaluation, kind Kind) class {
	found := classSelf
	if kind.resourceBased() {
		if found = s.principal(e); found == 0 {
			return 0
		}
	}
	if !s.action(e) || !s.resource(e) {
		return 0
	}
	for i := range s.Conditions {
		if !s.Conditions[i].holds(e) {
			return 0
		}
	}
	return found
}
