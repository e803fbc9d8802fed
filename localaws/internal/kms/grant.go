// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Quotas of grants. They bound memory and the work of one decision.
const (
	maxGrants           = 50_000 // on one key
	maxGrantsPerGrantee = 500    // of one grantee on one key
	maxGrantsPerPlace   = 100_000
	maxConstraintPairs  = 8
	maxConstraintLength = 384 // of keys and values, in characters
)

// grant is a grant, immutable. Grantee and RetiringPrincipal hold unique ids
// of users and roles: a recreated user of the same name gets nothing.
type grant struct {
	policy.Grant
	keyARN  string
	created time.Time
	// service marks principals that were given as service principals in
	// GranteeServicePrincipal and RetiringServicePrincipal.
	granteeService, retiringService bool
	// order sorts grants by creation; addGrant sets it.
	order string
}

// same tells whether two requests asked for the same grant.
func (g *grant) same(o *grant) bool {
	return g.Name == o.Name && g.Grantee == o.Grantee && g.RetiringPrincipal == o.RetiringPrincipal &&
		g.SourceARN == o.SourceARN &&
		g.IssuingAccount == o.IssuingAccount && g.granteeService == o.granteeService &&
		g.retiringService == o.retiringService &&
		slices.Equal(g.Operations, o.Operations) && maps.Equal(g.EncryptionContextEquals, o.EncryptionContextEquals) &&
		maps.Equal(g.EncryptionContextSubset, o.EncryptionContextSubset)
}

// covers tells whether CreateGrant through g may make child: all of its
// operations, and constraints at least as strict.
func covers(g *policy.Grant, child *grant) bool {
	if !slices.Contains(g.Operations, "CreateGrant") {
		return false
	}
	for _, o := range child.Operations {
		if !slices.Contains(g.Operations, o) {
			return false
		}
	}
	if g.SourceARN != "" && g.SourceARN != child.SourceARN {
		return false
	}
	if len(g.EncryptionContextEquals) > 0 && !maps.Equal(g.EncryptionContextEquals, child.EncryptionContextEquals) {
		return false
	}
	return contains(child.EncryptionContextSubset, g.EncryptionContextSubset) ||
		contains(child.EncryptionContextEquals, g.EncryptionContextSubset)
}

func contains(all, some map[string]string) bool {
	for name, value := range some {
		if v, ok := all[name]; !ok || v != value {
			return false
		}
	}
	return true
}

// grantTable has the grants of one key. Service.mu guards it; the slices in
// byGrantee are replaced and never changed.
type grantTable struct {
	byID      map[string]*grant
	byName    map[string][]*grant
	byGrantee map[string][]policy.Grant
}

// granteeIndex is how a grantee is looked up: an account by its id.
func granteeIndex(grantee string) string {
	if account, ok := strings.CutPrefix(grantee, "arn:aws:iam::"); ok {
		if account, ok = strings.CutSuffix(account, ":root"); ok {
			return account
		}
	}
	return grantee
}

func (t *grantTable) add(g *grant) {
	t.byID[g.ID] = g
	if g.Name != "" {
		t.byName[g.Name] = append(t.byName[g.Name], g)
	}
	i := granteeIndex(g.Grantee)
	t.byGrantee[i] = append(slices.Clone(t.byGrantee[i]), g.Grant)
}

func (t *grantTable) remove(g *grant) {
	delete(t.byID, g.ID)
	if named := slices.DeleteFunc(t.byName[g.Name], func(o *grant) bool { return o.ID == g.ID }); len(named) > 0 {
		t.byName[g.Name] = named
	} else {
		delete(t.byName, g.Name)
	}
	i := granteeIndex(g.Grantee)
	if left := slices.DeleteFunc(slices.Clone(t.byGrantee[i]),
		func(o policy.Grant) bool { return o.ID == g.ID }); len(left) > 0 {
		t.byGrantee[i] = left
	} else {
		delete(t.byGrantee, i)
	}
}

// addGrant puts a grant into the tables. The caller holds mu.
func (s *Service) addGrant(g *grant) {
	g.order = g.created.UTC().Format("20060102150405.000000000") + g.ID
	t := s.grants[g.keyARN]
	if t == nil {
		t = &grantTable{byID: map[string]*grant{}, byName: map[string][]*grant{},
			byGrantee: map[string][]policy.Grant{}}
		s.grants[g.keyARN] = t
	}
	t.add(g)
	if k := s.keys[g.keyARN]; k != nil {
		s.partition(k.Place).grants++
	}
}

// dropGrant takes a grant out of tables and store.
func (ch *change) dropGrant(g *grant) {
	unfileGrant(&ch.tx, g)
	ch.do(func() {
		t := ch.s.grants[g.keyARN]
		if t == nil || t.byID[g.ID] == nil {
			return
		}
		t.remove(g)
		if len(t.byID) == 0 {
			delete(ch.s.grants, g.keyARN)
		}
		if k := ch.s.keys[g.keyARN]; k != nil {
			ch.s.partition(k.Place).grants--
		}
	})
}

// grantsOf returns the grants of a key whose grantee may be the principal.
func (s *Service) grantsOf(keyARN string, p *policy.Principal) []policy.Grant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.grants[keyARN]
	if t == nil {
		return nil
	}
	service := ""
	if p.Type == policy.Service { // the general name covers the regional ones
		service, _, _ = strings.Cut(p.ARN, ".")
		service += ".amazonaws.com"
	}
	var found []policy.Grant
	shared := true // found belongs to the table
	for i, name := range [...]string{p.UniqueID, p.RoleUniqueID, p.ARN, p.AccountID, service} {
		if name == "" || i == 3 && name == p.UniqueID || i == 4 && name == p.ARN { // not twice
			continue
		}
		switch more := t.byGrantee[name]; {
		case len(more) == 0:
		case found == nil:
			found = more
		default:
			if shared {
				found, shared = slices.Clone(found), false
			}
			found = append(found, more...)
		}
	}
	return found
}

// grant finds a grant of a key by id.
func (s *Service) grant(keyARN, id string) *grant {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.grants[keyARN]; t != nil {
		return t.byID[id]
	}
	return nil
}

// A grant token names its grant. It is not a secret: what it gives is the grant,
// to its grantee. A random part makes each one unique, as on AWS.

func grantToken(g *grant) string {
	return base64.StdEncoding.EncodeToString([]byte(randomHex(8) + "|" + g.keyARN + "|" + g.ID))
}

func (s *Service) openToken(token string) (*grant, error) {
	if b, err := base64.StdEncoding.DecodeString(token); err == nil {
		if part := strings.Split(string(b), "|"); len(part) == 3 {
			if g := s.grant(part[1], part[2]); g != nil {
				return g, nil
			}
		}
	}
	return nil, request.Errorf("InvalidGrantTokenException", "The grant token is not valid.")
}

// checkTokens refuses tokens that name no grant. Otherwise they do nothing:
// every grant is in effect from the start.
func (s *Service) checkTokens(tokens []string) error {
	for _, t := range tokens {
		if _, err := s.openToken(t); err != nil {
			return err
		}
	}
	return nil
}
