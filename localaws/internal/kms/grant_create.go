// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

var grantOperations = []string{
	"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "Sign",
	"Verify",
	"GetPublicKey", "CreateGrant", "RetireGrant", "DescribeKey", "GenerateDataKeyPair",
	"GenerateDataKeyPairWithoutPlaintext",
	"GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate",
}

// grantable are the operations that a grant may hold, by key usage. That of RSA
// keys is usageEncrypt too.
var grantable = map[string][]string{
	specSymmetric: {
		"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
		"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "CreateGrant", "RetireGrant", "DescribeKey",
	},
	usageEncrypt: {
		"Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey", "CreateGrant", "RetireGrant",
		"DescribeKey",
	},
	usageAgree: {"DeriveSharedSecret", "GetPublicKey", "CreateGrant", "RetireGrant", "DescribeKey"},
	usageMAC:   {"GenerateMac", "VerifyMac", "CreateGrant", "RetireGrant", "DescribeKey"},
}

type grantConstraints struct {
	EncryptionContextEquals map[string]string `json:",omitempty"`
	EncryptionContextSubset map[string]string `json:",omitempty"`
	SourceARN               string            `json:"SourceArn,omitempty"`
}

type createGrantInput struct {
	KeyID                    *string `json:"KeyId"`
	Operations               []string
	Constraints              *grantConstraints
	DryRun                   bool
	GrantTokens              []string
	GranteePrincipal         *string
	GranteeServicePrincipal  *string
	Name                     *string
	RetiringPrincipal        *string
	RetiringServicePrincipal *string
}

type createGrantOutput struct {
	GrantID    string `json:"GrantId"`
	GrantToken string
}

func (in *createGrantInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	c.Required(in.Operations == nil, "operations")
	for _, o := range in.Operations {
		c.Enum(&o, "operations", grantOperations...)
	}
	c.Characters(in.GranteePrincipal, "granteePrincipal", 1, 256)
	c.Characters(in.GranteeServicePrincipal, "granteeServicePrincipal", 1, 256)
	c.Characters(in.RetiringPrincipal, "retiringPrincipal", 1, 256)
	c.Characters(in.RetiringServicePrincipal, "retiringServicePrincipal", 1, 256)
	c.Characters(in.Name, "name", 1, 256)
	c.Matches(in.Name, "name", validGrantName, "^[a-zA-Z0-9:/_-]+$")
	grantTokens(c, in.GrantTokens)
}

// validGrantName reports whether a name has the characters that grants' names
// may have; an empty one is too short already.
func validGrantName(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune(":/_-", r))
	})
}

// drop leaves out the constraints that constrain nothing. Otherwise they would
// satisfy a key policy that allows only constrained grants.
func (c *grantConstraints) drop() *grantConstraints {
	if c == nil {
		return nil
	}
	if len(c.EncryptionContextEquals) == 0 {
		c.EncryptionContextEquals = nil
	}
	if len(c.EncryptionContextSubset) == 0 {
		c.EncryptionContextSubset = nil
	}
	if c.EncryptionContextEquals == nil && c.EncryptionContextSubset == nil && c.SourceARN == "" {
		return nil
	}
	return c
}

// Prepare checks what concerns several members.
func (in *createGrantInput) Prepare(*request.Call) error {
	in.Constraints = in.Constraints.drop()
	switch {
	case len(in.Operations) == 0:
		return validation("Grant must allow at least one operation.")
	case (in.GranteePrincipal == nil) == (in.GranteeServicePrincipal == nil):
		return validation("You must specify either GranteePrincipal or GranteeServicePrincipal, but not both.")
	case in.RetiringPrincipal != nil && in.RetiringServicePrincipal != nil:
		return validation("You must not specify both RetiringPrincipal and RetiringServicePrincipal.")
	case in.GranteeServicePrincipal != nil && (in.Constraints == nil || in.Constraints.SourceARN == ""):
		return validation("A grant with GranteeServicePrincipal must have a SourceArn constraint.")
	case in.GranteeServicePrincipal != nil && in.RetiringPrincipal == nil && in.RetiringServicePrincipal == nil:
		return validation("A grant with GranteeServicePrincipal must have RetiringPrincipal or " +
			"RetiringServicePrincipal.")
	}
	if in.Constraints != nil {
		for _, pairs := range []map[string]string{in.Constraints.EncryptionContextEquals,
			in.Constraints.EncryptionContextSubset} {
			if len(pairs) > maxConstraintPairs {
				return validation("A grant constraint must not have more than %d encryption context pairs.",
					maxConstraintPairs)
			}
			for name, value := range pairs {
				if utf8.RuneCountInString(name) > maxConstraintLength ||
					utf8.RuneCountInString(value) > maxConstraintLength {
					return validation("An encryption context key or value of a grant constraint must not exceed %d "+
						"characters.", maxConstraintLength)
				}
			}
		}
		if in.Constraints.EncryptionContextEquals != nil && in.Constraints.EncryptionContextSubset != nil {
			return validation("A grant must not have both EncryptionContextEquals and EncryptionContextSubset.")
		}
		if len(in.Constraints.SourceARN) > 2048 {
			return validation("SourceArn must not exceed 2048 characters.")
		}
	}
	return nil
}

// principal turns the ARN of a request into what a grant is bound to.
func (s *Service) principal(c *request.Call, arn *string, service *string) (bound string, err error) {
	if service != nil {
		if !isService(*service) {
			return "", invalidARN("ARN does not refer to a valid principal: %s", *service)
		}
		return *service, nil
	}
	if arn == nil {
		return "", nil
	}
	// A service names itself in a grant for its own resource.
	if c.ForAWSResource && isService(*arn) {
		return *arn, nil
	}
	if strings.HasPrefix(*arn, "arn:") {
		if id, ok := s.identify(*arn); ok {
			if id != "" {
				return id, nil
			}
			return *arn, nil
		}
	}
	return "", invalidARN("ARN does not refer to a valid principal: %s", *arn)
}

func isService(name string) bool {
	host, ok := strings.CutSuffix(name, ".amazonaws.com")
	return ok && host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.')
	})
}

// build makes the grant of a request, without an id.
func (in *createGrantInput) build(s *Service, c *request.Call, k *key) (*grant, error) {
	g := &grant{keyARN: k.arn, granteeService: in.GranteeServicePrincipal != nil,
		retiringService: in.RetiringServicePrincipal != nil}
	g.Name, g.IssuingAccount = text(in.Name), c.AccountID
	g.Operations = slices.Clone(in.Operations)
	slices.Sort(g.Operations)
	g.Operations = slices.Compact(g.Operations)
	if in.Constraints != nil {
		g.EncryptionContextEquals, g.EncryptionContextSubset = in.Constraints.EncryptionContextEquals,
			in.Constraints.EncryptionContextSubset
		g.SourceARN = in.Constraints.SourceARN
		if k.spec != specSymmetric && (g.EncryptionContextEquals != nil || g.EncryptionContextSubset != nil) {
			return nil, validation("EncryptionContext is supported only when creating a grant for a symmetric " +
				"encryption KMS key.")
		}
	}
	may := grantable[k.usage]
	if k.spec == specSymmetric {
		may = grantable[specSymmetric]
	}
	for _, o := range g.Operations {
		if !slices.Contains(may, o) {
			return nil, validation("Operation %s is not supported for a grant on a KMS key with key usage %s.", o,
				k.usage)
		}
	}
	var err error
	if g.Grantee, err = s.principal(c, in.GranteePrincipal, in.GranteeServicePrincipal); err != nil {
		return nil, err
	}
	if g.RetiringPrincipal, err = s.principal(c, in.RetiringPrincipal, in.RetiringServicePrincipal); err != nil {
		return nil, err
	}
	return g, nil
}

// conditions are the condition keys of the request.
func (in *createGrantInput) conditions(c *request.Call) policy.Context {
	x := policy.Context{conditionGrantOperations: in.Operations,
		conditionForAWSResource: {fmt.Sprint(c.ForAWSResource)}}
	for name, p := range map[string]*string{conditionGrantee: in.GranteePrincipal,
		conditionRetiring: in.RetiringPrincipal} {
		if p != nil {
			x[name] = []string{*p}
		}
	}
	if in.Constraints != nil {
		if in.Constraints.EncryptionContextEquals != nil {
			x.Add(conditionConstraint, "EncryptionContextEquals")
		}
		if in.Constraints.EncryptionContextSubset != nil {
			x.Add(conditionConstraint, "EncryptionContextSubset")
		}
		if in.Constraints.SourceARN != "" {
			x.Add(conditionConstraint, "SourceArn")
		}
	}
	return x
}

func (ch *change) createGrant(ctx context.Context, c *request.Call, in *createGrantInput) (any, error) {
	s := ch.s
	id := text(in.KeyID)
	if err := s.checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	t, err := s.resolve(c, id, true)
	if err != nil {
		return nil, err
	}
	g, invalid := in.build(s, c, t.key)
	// Of the caller's grants only those count that may be the parent of this
	// one; a request that is invalid is still denied first.
	parents := []policy.Grant{}
	if invalid == nil {
		for _, p := range s.grantsOf(t.arn, &c.Caller.Principal) {
			if covers(&p, g) {
				parents = append(parents, p)
			}
		}
	}
	if err := s.require(ctx, c,
		question{action: "CreateGrant", target: t, extra: in.conditions(c), grants: parents}); err != nil {
		return nil, err
	}
	if invalid != nil {
		return nil, invalid
	}
	if err := t.usable(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	table := s.grants[t.arn]
	var existing *grant
	full := s.places[t.Place].grants >= maxGrantsPerPlace
	if table != nil {
		if i := slices.IndexFunc(table.byName[g.Name], g.same); i >= 0 {
			existing = table.byName[g.Name][i]
		}
		full = full || len(table.byID) >= maxGrants ||
			len(table.byGrantee[granteeIndex(g.Grantee)]) >= maxGrantsPerGrantee
	}
	s.mu.RUnlock()
	trail(c, t.key, struct {
		KeyID       string            `json:"keyId"`
		Grantee     string            `json:"granteePrincipal"`
		Retiring    string            `json:"retiringPrincipal,omitempty"`
		Operations  []string          `json:"operations"`
		Constraints *grantConstraints `json:"constraints,omitempty"`
		Name        string            `json:"name,omitempty"`
		DryRun      bool              `json:"dryRun,omitempty"`
	}{id, text(in.GranteePrincipal) + text(in.GranteeServicePrincipal),
		text(in.RetiringPrincipal) + text(in.RetiringServicePrincipal), g.Operations, in.Constraints, g.Name,
		in.DryRun})
	switch {
	case in.DryRun:
		return nil, dryRun()
	case existing != nil:
		g = existing
	case full:
		return nil,
			limitExceeded("You have reached the limit of grants on this KMS key, or of grants for this grantee " +
				"principal.")
	default:
		g.ID, g.created = randomHex(32), ch.now
		fileGrant(&ch.tx, g)
		ch.do(func() { s.addGrant(g) })
	}
	c.Trail.ResponseElements = struct {
		GrantID string `json:"grantId"`
		KeyID   string `json:"keyId"`
	}{g.ID, t.arn}
	return &createGrantOutput{g.ID, grantToken(g)}, nil
}
