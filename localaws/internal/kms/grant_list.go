// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// grantEntry is one grant as ListGrants shows it.
type grantEntry struct {
	Constraints              *grantConstraints `json:",omitempty"`
	CreationDate             Epoch
	GrantID                  string `json:"GrantId"`
	GranteePrincipal         string `json:",omitempty"`
	GranteeServicePrincipal  string `json:",omitempty"`
	IssuingAccount           string
	KeyID                    string `json:"KeyId"`
	Name                     string
	Operations               []string
	RetiringPrincipal        string `json:",omitempty"`
	RetiringServicePrincipal string `json:",omitempty"`
}

// spell returns the ARN of a principal that is bound by its unique id. A
// principal that was deleted appears as its unique id; an account or a service
// is bound by its name.
func (s *Service) spell(bound string) string {
	if arn, ok := s.principals.ARN(bound); ok {
		return arn
	}
	return bound
}

func (s *Service) entry(g *grant) grantEntry {
	e := grantEntry{
		CreationDate: Epoch(g.created), GrantID: g.ID, IssuingAccount: "arn:aws:iam::" + g.IssuingAccount + ":root",
		KeyID: g.keyARN,
		Name:  g.Name, Operations: g.Operations,
	}
	if g.granteeService {
		e.GranteeServicePrincipal = g.Grantee
	} else {
		e.GranteePrincipal = s.spell(g.Grantee)
	}
	if g.retiringService {
		e.RetiringServicePrincipal = g.RetiringPrincipal
	} else {
		e.RetiringPrincipal = s.spell(g.RetiringPrincipal)
	}
	if g.EncryptionContextEquals != nil || g.EncryptionContextSubset != nil || g.SourceARN != "" {
		e.Constraints = &grantConstraints{g.EncryptionContextEquals, g.EncryptionContextSubset, g.SourceARN}
	}
	return e
}

type grantsOutput struct {
	Grants     []grantEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Service) page(grants []*grant, after string, limit int) *grantsOutput {
	slices.SortFunc(grants, func(a, b *grant) int { return strings.Compare(a.order, b.order) })
	page, next := cut(grants, after, limit, func(g *grant) string { return g.order })
	out := &grantsOutput{Grants: make([]grantEntry, len(page)), NextMarker: next, Truncated: next != ""}
	for i, g := range page {
		out.Grants[i] = s.entry(g)
	}
	return out
}

type listGrantsInput struct {
	listKeyInput
	GrantID                 *string `json:"GrantId"`
	GranteePrincipal        *string
	GranteeServicePrincipal *string
}

func (in *listGrantsInput) conditions(c *request.Call) policy.Context {
	return policy.Context{conditionForAWSResource: {fmt.Sprint(c.ForAWSResource)}}
}

func (in *listGrantsInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	between(c, in.Limit, "limit", 1, 100)
	c.Characters(in.Marker, "marker", 1, 1024)
	c.Characters(in.GrantID, "grantId", 1, 128)
	c.Characters(in.GranteePrincipal, "granteePrincipal", 1, 256)
	c.Characters(in.GranteeServicePrincipal, "granteeServicePrincipal", 1, 256)
}

func (s *Service) listGrants(_ context.Context, c *request.Call, in *listGrantsInput) (any, error) {
	id := text(in.KeyID)
	limit := or(in.Limit, 50)
	grantID := text(in.GrantID)
	grantee := text(in.GranteePrincipal)
	service := text(in.GranteeServicePrincipal)
	t := in.found
	trail(c, t.key, keyParameters{id})
	bound := grantee
	if unique, ok := s.identify(grantee); ok && unique != "" {
		bound = unique
	}
	s.mu.RLock()
	var found []*grant
	if table := s.grants[t.arn]; table != nil {
		for _, g := range table.byID {
			if (grantID == "" || g.ID == grantID) && (grantee == "" || !g.granteeService && g.Grantee == bound) &&
				(service == "" || g.granteeService && g.Grantee == service) {
				found = append(found, g)
			}
		}
	}
	s.mu.RUnlock()
	return s.page(found, in.after, limit), nil
}

type listRetirableInput struct {
	listInput
	RetiringPrincipal        *string
	RetiringServicePrincipal *string
}

func (in *listRetirableInput) Check(c *wire.Checks) {
	between(c, in.Limit, "limit", 1, 100)
	c.Characters(in.Marker, "marker", 1, 1024)
	c.Characters(in.RetiringPrincipal, "retiringPrincipal", 1, 256)
	c.Characters(in.RetiringServicePrincipal, "retiringServicePrincipal", 1, 256)
	c.Required(in.RetiringPrincipal == nil && in.RetiringServicePrincipal == nil, "retiringPrincipal")
}

func (s *Service) listRetirableGrants(ctx context.Context, c *request.Call, in *listRetirableInput) (any, error) {
	limit := or(in.Limit, 50)
	switch {
	case in.RetiringPrincipal != nil && in.RetiringServicePrincipal != nil:
		return nil, validation("You must specify either RetiringPrincipal or RetiringServicePrincipal, but not both.")
	case in.RetiringServicePrincipal != nil:
		// The grants of a service are on keys of all accounts, and only the service
		// may list them. The services of this server do not ask.
		return nil, request.Errorf("AccessDeniedException",
			"User: %s is not authorized to perform: kms:ListRetirableGrants for a service principal",
			c.Caller.Principal.ARN)
	}
	if err := s.requireIdentity(ctx, c, "ListRetirableGrants", *in.RetiringPrincipal, nil); err != nil {
		return nil, err
	}
	// AWS lists for principals of the caller's own account only.
	if part := strings.SplitN(*in.RetiringPrincipal, ":", 6); len(part) == 6 && part[4] != c.AccountID {
		return nil, request.Errorf("AccessDeniedException",
			"User: %s is not authorized to perform: kms:ListRetirableGrants for a retiring principal of another "+
				"account", c.Caller.Principal.ARN)
	}
	bound, err := s.principal(c, in.RetiringPrincipal, nil)
	if err != nil {
		return nil, err
	}
	var found []*grant
	s.mu.RLock()
	for arn, table := range s.grants {
		if s.keys[arn].Region != c.Region {
			continue
		}
		for _, g := range table.byID {
			if g.RetiringPrincipal == bound {
				found = append(found, g)
			}
		}
	}
	s.mu.RUnlock()
	return s.page(found, in.after, limit), nil
}

type endGrantInput struct {
	KeyID      *string `json:"KeyId"`
	GrantID    *string `json:"GrantId"`
	GrantToken *string
	DryRun     bool
}

type revokeGrantInput struct {
	onKey
	GrantID *string `json:"GrantId"`
	DryRun  bool
}

func (in *revokeGrantInput) conditions(c *request.Call) policy.Context {
	return policy.Context{conditionForAWSResource: {fmt.Sprint(c.ForAWSResource)}}
}

func (in *revokeGrantInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	required(c, in.GrantID, "grantId", 1, 128)
}

func (ch *change) revokeGrant(_ context.Context, c *request.Call, in *revokeGrantInput) (any, error) {
	t, grantID := in.found, text(in.GrantID)
	g := ch.s.grant(t.arn, grantID)
	if g == nil {
		return nil, notFound("Grant ID %s not found", grantID)
	}
	return nil, ch.end(c, t.key, g, in.DryRun)
}

// end removes a grant.
func (ch *change) end(c *request.Call, k *key, g *grant, dry bool) error {
	trail(c, k, struct {
		KeyID   string `json:"keyId"`
		GrantID string `json:"grantId"`
		DryRun  bool   `json:"dryRun,omitempty"`
	}{k.arn, g.ID, dry})
	if dry {
		return dryRun()
	}
	ch.dropGrant(g)
	return nil
}

func (in *endGrantInput) Check(c *wire.Checks) {
	c.Characters(in.GrantToken, "grantToken", 1, 8192)
	c.Characters(in.KeyID, "keyId", 1, 2048)
	c.Characters(in.GrantID, "grantId", 1, 128)
}

// retireGrant is for those whom the grant itself names, and its account.
func (ch *change) retireGrant(ctx context.Context, c *request.Call, in *endGrantInput) (any, error) {
	s := ch.s
	token := text(in.GrantToken)
	id := text(in.KeyID)
	grantID := text(in.GrantID)
	var g *grant
	var t target
	switch {
	case token != "" && id == "" && grantID == "":
		var err error
		if g, err = s.openToken(token); err != nil {
			return nil, err
		}
		if t, err = s.resolve(c, g.keyARN, true); err != nil {
			return nil, err
		}
	case token == "" && id != "" && grantID != "":
		var err error
		if t, err = s.resolve(c, id, true); err != nil {
			return nil, err
		}
		if g = s.grant(t.arn, grantID); g == nil {
			return nil, s.missing(c, t.Place, t.arn, notFound("Grant ID %s not found", grantID))
		}
	default:
		return nil, validation("You must specify either a grant token, or a key ID and a grant ID.")
	}
	question := question{action: "RetireGrant", target: t, grants: []policy.Grant{g.Grant}}
	if !g.concerns(&c.Caller.Principal) {
		return nil, denied(c, question)
	}
	if err := s.require(ctx, c, question); err != nil {
		return nil, err
	}
	return nil, ch.end(c, t.key, g, in.DryRun)
}

// concerns tells whether the grant names the caller or was made in the
// caller's account: without that no policy lets anybody retire it.
func (g *grant) concerns(p *policy.Principal) bool {
	if p.AccountID != "" && p.AccountID == g.IssuingAccount {
		return true
	}
	for _, bound := range [...]string{granteeIndex(g.Grantee), granteeIndex(g.RetiringPrincipal)} {
		if bound != "" && (bound == p.UniqueID || bound == p.RoleUniqueID || bound == p.ARN || bound == p.AccountID) {
			return true
		}
	}
	return false
}
