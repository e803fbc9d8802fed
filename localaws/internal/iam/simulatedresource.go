// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"strings"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
)

// maxResourceDocument bounds the policy of a simulated resource: KMS has the
// largest.
const maxResourceDocument = 32_768

// simulatedResource is what a simulation knows of every resource in it.
type simulatedResource struct {
	policy *policy.Document // nil: none
	owner  string           // account id; empty: the caller's, and no other account is simulated
}

// resource reads the policy of the resources and who owns them.
func (in *simulateInput) resource(principal *policy.Principal) (r simulatedResource, err error) {
	if in.ResourcePolicy != "" {
		if in.CallerArn == "" && principal.Type != policy.User {
			return r, call400("InvalidInput", "CallerArn is required with ResourcePolicy: it names the simulated "+
				"caller.")
		}
		d, err := policytext.Read(in.ResourcePolicy, policy.KeyPolicy, maxResourceDocument)
		if err != nil {
			return r, err
		}
		r.policy, r.owner = d.Parsed(), principal.AccountID
	}
	if in.ResourceOwner != "" {
		r.owner = in.ResourceOwner
		if parts := strings.Split(r.owner, ":"); len(parts) == 6 && parts[0] == "arn" {
			r.owner = parts[4]
		}
		if !accountIDPattern.MatchString(r.owner) {
			return r, call400("InvalidInput", "ResourceOwner must be the id or the ARN of an account.")
		}
	}
	return r, nil
}

// ownerOf returns the account of a resource: the one that its ARN names, else the
// owner of the simulation.
func (r simulatedResource) ownerOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); r.owner != "" && len(parts) == 6 &&
		accountIDPattern.MatchString(parts[4]) {
		return parts[4]
	}
	return r.owner
}

// mode says how the policy of the resource combines with the caller's.
func (r simulatedResource) mode(action string) policy.ResourceMode {
	if r.policy != nil && strings.HasPrefix(strings.ToLower(action), "kms:") {
		return policy.ModeKeyPolicy
	}
	return policy.ModeOrdinary
}

// caller returns the simulated caller: the user, group or role that CallerArn
// names, which need not exist.
func (s *Service) caller(arn string) (policy.Principal, error) {
	parts := strings.SplitN(arn, ":", 6)
	kind, path, _ := strings.Cut(parts[5], "/")
	if parts[2] != "iam" || path == "" || !accountIDPattern.MatchString(parts[4]) {
		return policy.Principal{}, notCaller()
	}
	s.mu.RLock()
	id, ok := s.uniqueID(arn)
	s.mu.RUnlock()
	account := parts[4]
	switch kind {
	case userKind.word, groupKind.word:
		if !ok {
			id = identifier.New(userKind.idPrefix)
		}
		return policy.Principal{Type: policy.User, AccountID: account, ARN: arn, UniqueID: id}, nil
	case roleKind.word:
		if !ok {
			id = identifier.New(roleKind.idPrefix)
		}
		return simulatedSession(account, arn, id), nil
	}
	return policy.Principal{}, notCaller()
}

func notCaller() error {
	return call400("InvalidInput", "CallerArn must be the ARN of a user, group or role.")
}

// simulatedSession is the principal of a simulated role.
func simulatedSession(account, roleARN, roleID string) policy.Principal {
	const name = "simulation"
	return policy.Principal{Type: policy.AssumedRole, AccountID: account,
		ARN:      sts.SessionARN(account, lastPart(roleARN), name),
		UniqueID: roleID + ":" + name, RoleARN: roleARN, RoleUniqueID: roleID}
}
