// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// stranger is the account of the principal that stands for everybody.
const stranger = "000000000000"

// readOthers finds the principals that are not listed: roots, services, other
// accounts, sessions that policies name, everybody.
func (w *world) readOthers() {
	w.add(w.rootOf(w.Account))
	var entries []policy.PrincipalEntry
	public := false
	note := func(d *policy.Document) {
		if d == nil {
			return
		}
		for i := range d.Statements {
			s := &d.Statements[i]
			entries = append(entries, s.Principals...)
			if s.Effect == policy.Allow {
				public = public || s.NotPrincipal || slices.ContainsFunc(s.Principals,
					func(p policy.PrincipalEntry) bool { return p.Value == "*" })
			}
		}
	}
	for i := range w.Keys {
		k := w.keys[w.Keys[i].ARN]
		note(k.policy)
		for _, g := range k.grants {
			kind := policy.PrincipalAWS
			if strings.HasSuffix(g.Grantee, ".amazonaws.com") {
				kind = policy.PrincipalService
			}
			entries = append(entries, policy.PrincipalEntry{Kind: kind, Value: g.Grantee})
		}
	}
	for _, t := range w.tables {
		note(t.policy)
		note(t.streamPolicy)
	}
	for i := range w.Roles {
		note(w.trusts[w.byARN[w.Roles[i].ARN]])
	}
	ids := map[string]bool{}
	for _, a := range w.actors {
		ids[a.UniqueID], ids[a.RoleUniqueID] = true, true
	}
	for _, e := range entries {
		w.other(e, ids)
	}
	if public {
		w.add(&actor{name: "everybody", kind: KindEverybody, policies: w.allowing(),
			Principal: policy.Principal{Type: policy.User, AccountID: stranger,
				ARN: "arn:" + w.Partition + ":iam::" + stranger + ":user/anybody", UniqueID: "AIDAANYBODYANYBODY00"}})
	}
	if gaps := w.unread("", "iam:ListUsers", "iam:ListRoles", authorizationDetails); len(gaps) > 0 {
		w.add(&actor{name: "users and roles that could not be listed", kind: KindUnlisted, unread: gaps,
			Principal: policy.Principal{Type: policy.User, AccountID: w.Account,
				ARN:      "arn:" + w.Partition + ":iam::" + w.Account + ":user/not-listed",
				UniqueID: "AIDANOTLISTEDNOTLI00"}})
	}
}

func (w *world) rootOf(account string) *actor {
	text := "arn:" + w.Partition + ":iam::" + account + ":root"
	return &actor{name: text, kind: KindRoot,
		Principal: policy.Principal{Type: policy.Root, AccountID: account, ARN: text, UniqueID: account}}
}

// allowing are the policies that principals of other accounts are taken to have.
func (w *world) allowing() policy.Policies {
	return policy.Policies{Identity: []policy.Attached{w.admin}}
}

// other adds the principal of an entry that is not listed.
func (w *world) other(e policy.PrincipalEntry, ids map[string]bool) {
	value := e.Value
	switch {
	case value == "*" || w.byARN[value] != nil || ids[value]:
		return
	case e.Kind == policy.PrincipalService:
		w.add(&actor{name: value, kind: KindService, Principal: policy.Principal{Type: policy.Service, ARN: value}})
		return
	case e.Kind != policy.PrincipalAWS:
		return // a federated principal is in a trust policy: the role lists it
	case strings.HasPrefix(value, "AIDA") || strings.HasPrefix(value, "AROA"):
		w.note("a policy names " + value + ", a principal that was deleted: it means no principal of today")
		return
	}
	account := accountOf(value)
	if account == "" {
		account = value // an account's number is a principal too
	}
	kind, name, _ := strings.Cut(value[strings.LastIndexByte(value, ':')+1:], "/")
	foreign := account != w.Account
	a := &actor{name: value, kind: KindForeign, Principal: policy.Principal{AccountID: account}}
	switch {
	case kind == "user":
		a.Principal.Type, a.ARN, a.UniqueID = policy.User, value, "AIDA?"+value
		if !foreign {
			a.kind = KindUser
		}
	case kind == "role":
		a.Principal.Type, a.RoleARN, a.RoleUniqueID = policy.AssumedRole, value, "AROA?"+value
		a.ARN = "arn:" + w.Partition + ":sts::" + account + ":assumed-role/" + lastPart(value) + "/" + anySession
		a.UniqueID = a.RoleUniqueID + ":" + anySession
		if !foreign {
			a.kind = KindRole
		}
	case kind == "assumed-role":
		a = w.session(value, account, name)
	default: // an account
		if !foreign {
			return
		}
		a = w.rootOf(account)
		a.name, a.kind = "account "+account, KindForeign
	}
	if a == nil {
		return
	}
	if foreign {
		a.policies = w.allowing()
	} else if a.kind == KindUser || a.kind == KindRole {
		// In the policy and not in the account: deleted since, or not listed.
		if a.unread = w.unread("", "iam:"); len(a.unread) == 0 {
			w.note("a policy names " + value + ", which is not in the account")
			return
		}
	}
	w.add(a)
}

func (w *world) note(text string) {
	if !slices.Contains(w.notes, text) {
		w.notes = append(w.notes, text)
	}
}

// session is a session of a role that a policy names by its own name.
func (w *world) session(value, account, name string) *actor {
	roleName, session, _ := strings.Cut(name, "/")
	p := policy.Principal{Type: policy.AssumedRole, AccountID: account, ARN: value}
	if account != w.Account {
		p.RoleARN, p.RoleUniqueID = "arn:"+w.Partition+":iam::"+account+":role/"+roleName, "AROA?"+roleName
		p.UniqueID = p.RoleUniqueID + ":" + session
		return &actor{name: value, kind: KindForeign, Principal: p}
	}
	for i := range w.Roles {
		if lastPart(w.Roles[i].ARN) != roleName {
			continue
		}
		of := w.byARN[w.Roles[i].ARN]
		a := *of
		a.name, a.kind = value, KindSession
		a.Principal.ARN, a.UniqueID = value, of.RoleUniqueID+":"+session
		return &a
	}
	w.note("a policy names " + value + ", a session of a role that is not in the account")
	return nil
}
