// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
)

var _ sts.Identities = (*Service)(nil)

// UniqueID gives the unique id of the principal that an ARN, or an account id,
// names: the account id for root, AIDA… for a user, AROA… for a role,
// AROA…:session for a role session. ok is false when there is no such
// principal.
func (s *Service) UniqueID(arn string) (id string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.uniqueID(arn)
}

func (s *Service) uniqueID(arn string) (id string, ok bool) {
	if accountIDPattern.MatchString(arn) {
		_, ok := s.accounts[arn]
		return arn, ok
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[3] != "" {
		return "", false
	}
	a := s.accounts[parts[4]]
	if a == nil {
		return "", false
	}
	what, name, _ := strings.Cut(parts[5], "/")
	last := name[strings.LastIndexByte(name, '/')+1:]
	switch {
	case parts[2] == "iam" && parts[5] == "root":
		return a.ID, true
	case parts[2] == "iam" && what == "user":
		if u := a.Users[last]; u != nil && u.ARN == arn {
			return u.ID, true
		}
	case parts[2] == "iam" && what == "role":
		if r := a.Roles[last]; r != nil && r.ARN == arn {
			return r.ID, true
		}
	case parts[2] == "sts" && what == "assumed-role":
		roleName, session, found := strings.Cut(name, "/")
		if r := a.Roles[roleName]; r != nil && found {
			return r.ID + ":" + session, true
		}
	}
	return "", false
}

// ARN gives the ARN of the principal with a unique id as UniqueID returns it;
// ok is false once it is deleted.
func (s *Service) ARN(uniqueID string) (arn string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.arnOf(uniqueID)
}

func (s *Service) arnOf(uniqueID string) (arn string, ok bool) {
	if _, ok := s.accounts[uniqueID]; ok {
		return "arn:aws:iam::" + uniqueID + ":root", true
	}
	id, session, isSession := strings.Cut(uniqueID, ":")
	o, ok := s.owners[id]
	switch {
	case !ok:
		return "", false
	case isSession:
		return sts.SessionARN(o.accountID, o.Name, session), true
	}
	return o.ARN, true
}

// AccountExists reports whether the account is one of this server's.
func (s *Service) AccountExists(accountID string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.accounts[accountID] != nil
}

// RoleByARN implements sts.Identities. It copies what STS needs, so that no lock
// is held while a trust policy is evaluated.
func (s *Service) RoleByARN(arn string) (sts.Role, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, a := range s.accounts {
		if r := a.Roles[lastPart(arn)]; r != nil && r.ARN == arn {
			return sts.Role{AccountID: id, Name: r.Name, ARN: r.ARN, ID: r.ID, Trust: r.Trust,
				MaxSession: r.MaxSessionDuration}, true
		}
	}
	return sts.Role{}, false
}

// ManagedPolicy implements sts.Identities.
func (s *Service) ManagedPolicy(accountID, arn string) (name string, d *policy.Document, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.accounts[accountID]
	if a == nil {
		return "", nil, false
	}
	return a.policyDocument(arn)
}

// KeyAccount implements sts.Identities.
func (s *Service) KeyAccount(accessKeyID string) (accountID string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[accessKeyID]
	if k == nil {
		return "", false
	}
	return k.AccountID, true
}
