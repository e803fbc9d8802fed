// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
)

var _ request.Authorizer = (*Service)(nil)

// Authorize decides one call: it gathers the caller's policies as they are now
// and, if one of them has conditions, the global condition keys, and evaluates.
func (s *Service) Authorize(_ context.Context, c *request.Call, k request.Check) policy.Decision {
	policies := s.policiesOf(c)
	policies.Resource, policies.ResourceMode, policies.Grants = k.ResourcePolicy, k.Mode, k.Grants
	if policies.ReadsContext() {
		if k.Context == nil {
			k.Context = policy.Context{}
		}
		s.globalKeys(c, k.Context)
	}
	return policy.Evaluate(policy.Request{Principal: c.Caller.Principal, Action: k.Action, Resource: k.Resource,
		ResourceAccountID: k.ResourceAccountID, Context: k.Context, EncryptionContext: k.EncryptionContext}, policies)
}

// policiesOf gathers what bears on the caller. A user or role that was deleted
// since it signed has no policies.
func (s *Service) policiesOf(c *request.Call) policy.Policies {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.principalPolicies(c.Caller.Principal)
	if session := sts.Of(c.Caller); session != nil {
		p.Session = session.Policies()
	}
	return p
}

// principalPolicies gathers the identity policies and the boundary; the caller
// holds the lock.
func (s *Service) principalPolicies(principal policy.Principal) policy.Policies {
	var p policy.Policies
	a := s.accounts[principal.AccountID]
	if a == nil {
		return p
	}
	var e *entity
	switch principal.Type {
	case policy.User:
		o, ok := s.owners[principal.UniqueID]
		if !ok || o.accountID != a.ID {
			return p
		}
		u := a.Users[o.Name]
		if u == nil {
			return p
		}
		e = &u.entity
		for _, name := range u.Groups {
			p.Identity = a.appendPolicies(p.Identity, &a.Groups[name].entity, policy.SourceGroupInline,
				policy.SourceGroupManaged)
		}
	case policy.AssumedRole:
		r := a.Roles[lastPart(principal.RoleARN)]
		if r == nil || r.ID != principal.RoleUniqueID {
			return p
		}
		e = &r.entity
	default:
		return p
	}
	p.Identity = a.appendPolicies(p.Identity, e, policy.SourceInline, policy.SourceManaged)
	if e.Boundary != "" {
		name, d, _ := a.policyDocument(e.Boundary)
		p.Boundary = &policy.Attached{Name: name, ARN: e.Boundary, Source: policy.SourceBoundary, Document: d}
	}
	return p
}

func (a *account) appendPolicies(to []policy.Attached, e *entity, inline, attached policy.Source) []policy.Attached {
	// In order of name, so that the reasons of a decision do not change between
	// two calls.
	for _, name := range slices.Sorted(maps.Keys(e.Inline)) {
		to = append(to, policy.Attached{Name: name, Source: inline, Document: e.Inline[name].Parsed()})
	}
	for _, arn := range e.Attached {
		name, d, _ := a.policyDocument(arn)
		to = append(to, policy.Attached{Name: name, ARN: arn, Source: attached, Document: d})
	}
	return to
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// globalKeys adds the condition keys that AWS supplies for every service and
// that only the call knows; those about the principal follow from the request
// itself and the evaluator makes them. Keys that depend on a fact which the
// call has not are left out, so that IfExists and Null see the difference.
//
// All single values share one slice, since a call can come here twice.
func (s *Service) globalKeys(c *request.Call, to policy.Context) {
	p := &c.Caller.Principal
	values := make([]string, 0, 10)
	one := func(v string) []string {
		values = append(values, v)
		n := len(values)
		return values[n-1 : n : n]
	}
	var clock [48]byte
	text := c.Time.UTC().AppendFormat(clock[:0], time.RFC3339)
	split := len(text)
	now := string(strconv.AppendInt(text, c.Time.Unix(), 10))
	to["aws:currenttime"] = one(now[:split])
	to["aws:epochtime"] = one(now[split:])
	to["aws:securetransport"] = one(strconv.FormatBool(c.Secure))
	to["aws:requestedregion"] = one(c.Region)
	to["aws:viaawsservice"] = one(strconv.FormatBool(c.ViaService != ""))
	if c.UserAgent != "" {
		to["aws:useragent"] = one(c.UserAgent)
	}
	if c.SourceIP != "" && c.ViaService == "" {
		to["aws:sourceip"] = one(c.SourceIP)
	}
	if c.ViaService != "" {
		to["kms:viaservice"] = one(c.ViaService)
		name, _, _ := strings.Cut(c.ViaService, ".")
		service := one(name + ".amazonaws.com")
		to["aws:calledvia"], to["aws:calledviafirst"], to["aws:calledvialast"] = service, service, service
	}
	if session := sts.Of(c.Caller); session != nil {
		to["aws:tokenissuetime"] = one(session.Issued.UTC().Format(time.RFC3339))
		to["aws:multifactorauthpresent"] = one("false")
	}
	if c.SourceARN != "" {
		to["aws:sourcearn"] = one(c.SourceARN)
		if parts := strings.SplitN(c.SourceARN, ":", 6); len(parts) == 6 && parts[4] != "" {
			to["aws:sourceaccount"] = one(parts[4])
		}
	}
	s.principalTags(p, to)
	if session := sts.Of(c.Caller); session != nil {
		for _, t := range session.Tags {
			to.Set("aws:PrincipalTag/"+t.Key, t.Value)
		}
	}
}

func (s *Service) principalTags(p *policy.Principal, to policy.Context) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id := p.UniqueID
	if p.Type == policy.AssumedRole {
		id = p.RoleUniqueID
	}
	o, ok := s.owners[id]
	if !ok {
		return
	}
	for _, t := range o.Tags {
		to.Set("aws:PrincipalTag/"+t.Key, t.Value)
	}
}

// Credentials finds the secret of an access key and who holds it. Errors:
// [ErrUnknownAccessKey], [ErrInactiveAccessKey], [ErrInvalidToken],
// [ErrExpiredToken].
func (s *Service) Credentials(accessKeyID, sessionToken string) (secret string, caller request.Caller, err error) {
	if sessionToken != "" || strings.HasPrefix(accessKeyID, "ASIA") {
		return s.sts.Credentials(accessKeyID, sessionToken)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[accessKeyID]
	if k == nil {
		return "", request.Caller{}, ErrUnknownAccessKey
	}
	if !k.Active {
		return "", request.Caller{}, ErrInactiveAccessKey
	}
	principal, ok := s.principalOf(k)
	if !ok {
		return "", request.Caller{}, ErrUnknownAccessKey
	}
	return k.Secret, request.Caller{Principal: principal, UserName: k.UserName, AccessKeyID: k.ID}, nil
}

// principalOf resolves a long-term key's holder; the caller holds the lock.
func (s *Service) principalOf(k *accessKey) (policy.Principal, bool) {
	if k.UserName == "" {
		return policy.Principal{Type: policy.Root, AccountID: k.AccountID, ARN: "arn:aws:iam::" + k.AccountID + ":root",
			UniqueID: k.AccountID}, true
	}
	a := s.accounts[k.AccountID]
	if a == nil {
		return policy.Principal{}, false
	}
	u := a.Users[k.UserName]
	if u == nil {
		return policy.Principal{}, false
	}
	return policy.Principal{Type: policy.User, AccountID: a.ID, ARN: u.ARN, UniqueID: u.ID}, true
}

// Used notes that a long-term access key signed a call, for
// GetAccessKeyLastUsed.
func (s *Service) Used(accessKeyID, service, region string) {
	s.mu.RLock()
	k := s.keys[accessKeyID]
	s.mu.RUnlock()
	if k == nil {
		return
	}
	k.lastUsed.Lock()
	k.lastUsed.time, k.lastUsed.service, k.lastUsed.region = s.now(), service, region
	k.lastUsed.Unlock()
}
