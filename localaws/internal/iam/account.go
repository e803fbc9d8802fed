// SPDX-License-Identifier: Apache-2.0

package iam

import "regexp"

var aliasPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9]|-[a-z0-9]){2,62}$`)

type aliasInput struct{ AccountAlias string }

func (s *Service) createAccountAlias(r *call, in *aliasInput) (*task, error) {
	if !aliasPattern.MatchString(in.AccountAlias) {
		return nil,
			invalid("The specified value for accountAlias is invalid. It must contain only lower case letters, " +
				"digits and single hyphens.")
	}
	return change(on("*"), nil, func(a *account) (any, error) {
		for _, other := range s.accounts {
			if other.Alias == in.AccountAlias {
				return nil, conflict("EntityAlreadyExists", "The account alias %s already exists.", in.AccountAlias)
			}
		}
		a.Alias = in.AccountAlias
		a.put(a)
		return nil, nil
	})
}

func (s *Service) deleteAccountAlias(r *call, in *aliasInput) (*task, error) {
	return change(on("*"), nil, func(a *account) (any, error) {
		if a.Alias == "" || a.Alias != in.AccountAlias {
			return nil, notFound("The account alias %s cannot be found.", in.AccountAlias)
		}
		a.Alias = ""
		a.put(a)
		return nil, nil
	})
}

func (s *Service) listAccountAliases(r *call, _ *paging) (*task, error) {
	return view(on("*"), func(a *account) (any, error) {
		var out struct {
			paged
			AccountAliases []string `xml:"AccountAliases>member"`
		}
		if a.Alias != "" {
			out.AccountAliases = []string{a.Alias}
		}
		return out, nil
	})
}

func (s *Service) getAccountSummary(r *call, _ *struct{}) (*task, error) {
	return view(on("*"), func(a *account) (any, error) {
		type entry struct {
			Key   string `xml:"key"`
			Value int    `xml:"value"`
		}
		return struct {
			SummaryMap []entry `xml:"SummaryMap>entry"`
		}{[]entry{
			{"Users", len(a.Users)}, {"UsersQuota", maxUsers},
			{"Groups", len(a.Groups)}, {"GroupsQuota", maxGroups},
			{"Roles", len(a.Roles)}, {"RolesQuota", maxRoles},
			{"Policies", len(a.Policies)}, {"PoliciesQuota", maxPolicies},
			{"AccessKeysPerUserQuota", maxAccessKeys},
			{"AttachedPoliciesPerUserQuota", maxAttached}, {"AttachedPoliciesPerGroupQuota", maxAttached},
			{"AttachedPoliciesPerRoleQuota", maxAttached},
			{"GroupsPerUserQuota", maxGroupsPerUser}, {"VersionsPerPolicyQuota", maxPolicyVersions},
			{"PolicySizeQuota", maxManagedDocument},
			{"UserPolicySizeQuota", maxUserDocuments}, {"GroupPolicySizeQuota", maxGroupDocuments},
			{"RolePolicySizeQuota", maxRoleDocuments},
			{"AssumeRolePolicySizeQuota", maxTrustDocument}, {"AccountMFAEnabled", 0},
			{"AccountAccessKeysPresent", min(1, len(a.RootKeys))},
		}}, nil
	})
}
