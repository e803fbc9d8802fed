// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/kms/keyname"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

const (
	maxPolicy  = 32_768 // bytes
	policyName = "default"
)

// keyPolicy is a key policy as it was put, and what it was bound to then.
type keyPolicy struct {
	text string
	// ids are the unique ids of the users and roles that the text names: a
	// recreated user of the same name is another principal.
	ids map[string]string
	doc *policy.Document
}

// parsePolicy reads a policy that is being put: every principal must exist,
// and users and roles are bound by their unique ids.
func (s *Service) parsePolicy(text string) (*keyPolicy, error) {
	if len(text) > maxPolicy {
		return nil, limitExceeded("The key policy document exceeds the limit of %d bytes.", maxPolicy)
	}
	doc, err := policy.Parse([]byte(text), policy.KeyPolicy)
	if err != nil {
		var parse *policy.ParseError
		if errors.As(err, &parse) {
			refused := request.Errorf("MalformedPolicyDocumentException", "%s", parse.Reason)
			refused.Hint = parse.Detail
			return nil, refused
		}
		return nil, malformedPolicy("%s", err.Error())
	}
	p := &keyPolicy{text: text, ids: map[string]string{}}
	for _, arn := range doc.PrincipalARNs() {
		id, ok := s.identify(arn)
		if !ok {
			return nil, malformedPolicy("Policy contains a statement with one or more invalid principals.")
		}
		if id != "" {
			p.ids[arn] = id
		}
	}
	p.bind(doc)
	return p, nil
}

func (p *keyPolicy) bind(doc *policy.Document) {
	p.doc = doc.Map(func(e policy.PrincipalEntry) policy.PrincipalEntry {
		if e.Kind == policy.PrincipalAWS {
			e.UniqueID = p.ids[e.Value]
		}
		return e
	})
}

// identify tells whether a principal of a policy or grant exists, and gives
// the unique id of a user, role or role session. Accounts are meant by name.
func (s *Service) identify(arn string) (id string, ok bool) {
	if keyname.IsAccount(arn) {
		return "", s.principals.AccountExists(arn)
	}
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || !keyname.IsAccount(parts[4]) ||
		!s.principals.AccountExists(parts[4]) {
		return "", false
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch {
	case parts[2] == "iam" && parts[5] == "root":
		return "", true
	case parts[2] == "iam" && (kind == "user" || kind == "role"), parts[2] == "sts" && kind == "assumed-role":
		return s.principals.UniqueID(arn)
	case parts[2] == "sts" && kind == "federated-user":
		return "", name != ""
	}
	return "", false
}

// mustPolicy is parsePolicy for the policies that are made here.
func (s *Service) mustPolicy(text string) *keyPolicy {
	doc, err := policy.Parse([]byte(text), policy.KeyPolicy)
	if err != nil {
		panic("kms: " + err.Error())
	}
	return &keyPolicy{text: text, doc: doc}
}

// show returns the text as AWS shows it: a user or role that was deleted
// appears as its unique id.
func (s *Service) show(p *keyPolicy) string {
	if len(p.ids) == 0 {
		return p.text
	}
	return p.doc.Map(func(e policy.PrincipalEntry) policy.PrincipalEntry {
		if e.UniqueID == "" {
			return e
		}
		if arn, ok := s.principals.ARN(e.UniqueID); ok {
			e.Value = arn
		} else {
			e.Value = e.UniqueID
		}
		return e
	}).Text()
}

// lockOut refuses a policy under which the caller could not put the next one.
// k has the new policy already.
func (s *Service) lockOut(ctx context.Context, c *request.Call, k *key, bypass bool) error {
	if bypass {
		return nil
	}
	err := s.require(ctx, c, question{action: "PutKeyPolicy", target: target{key: k},
		extra: policy.Context{conditionBypass: {"false"}}, grants: []policy.Grant{}})
	if err != nil {
		return malformedPolicy("The new key policy will not allow you to update the key policy in the future.")
	}
	return nil
}

type policyInput struct {
	onKey
	PolicyName *string
}

type putPolicyInput struct {
	policyInput
	Policy                         *string
	BypassPolicyLockoutSafetyCheck bool
}

func (in *policyInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	c.Characters(in.PolicyName, "policyName", 1, 128)
}

func (in *putPolicyInput) Check(c *wire.Checks) {
	required(c, in.Policy, "policy", 1, 131072)
	in.policyInput.Check(c)
}

// Prepare refuses every name of a policy but the one there is.
func (in *policyInput) Prepare(*request.Call) error {
	if in.PolicyName != nil && *in.PolicyName != policyName {
		return notFound("No such policy exists")
	}
	return nil
}

func (s *Service) getKeyPolicy(_ context.Context, c *request.Call, in *policyInput) (any, error) {
	id := text(in.KeyID)
	t := in.found
	trail(c, t.key, struct {
		KeyID      string `json:"keyId"`
		PolicyName string `json:"policyName"`
	}{id, policyName})
	return struct{ Policy, PolicyName string }{s.show(t.policy), policyName}, nil
}

func (in *putPolicyInput) conditions(*request.Call) policy.Context {
	return policy.Context{conditionBypass: {fmt.Sprint(in.BypassPolicyLockoutSafetyCheck)}}
}

func (ch *change) putKeyPolicy(ctx context.Context, c *request.Call, in *putPolicyInput) (any, error) {
	id, document := text(in.KeyID), text(in.Policy)
	t := in.found
	p, err := ch.s.parsePolicy(document)
	if err != nil {
		return nil, err
	}
	k := t.key.clone()
	k.policy = p
	if err := ch.s.lockOut(ctx, c, k, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	ch.putKey(k)
	trail(c, k, struct {
		KeyID      string `json:"keyId"`
		PolicyName string `json:"policyName"`
		Policy     string `json:"policy"`
		Bypass     bool   `json:"bypassPolicyLockoutSafetyCheck"`
	}{id, policyName, document, in.BypassPolicyLockoutSafetyCheck})
	return nil, nil
}

// listKeyInput is a request for a list of what a key has.
type listKeyInput struct {
	onKey
	listInput
}

type listPoliciesInput struct{ listKeyInput }

// Prepare does not look at the marker: there is one page only.
func (in *listPoliciesInput) Prepare(*request.Call) error { return nil }

func (in *listPoliciesInput) Check(c *wire.Checks) {
	keyID(c, in.KeyID)
	between(c, in.Limit, "limit", 1, 1000)
}

func (s *Service) listKeyPolicies(_ context.Context, c *request.Call, in *listPoliciesInput) (any, error) {
	id := text(in.KeyID)
	t := in.found
	trail(c, t.key, keyParameters{id})
	return struct {
		PolicyNames []string
		Truncated   bool
	}{[]string{policyName}, false}, nil
}
