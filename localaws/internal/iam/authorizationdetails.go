// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"slices"
	"time"
)

type authorizationDetailsInput struct {
	paging
	Filter []string
}

type (
	policyDetail struct{ PolicyName, PolicyDocument string }

	userDetail struct {
		Path, UserName, UserId, Arn string
		CreateDate                  time.Time
		UserPolicyList              []policyDetail   `xml:"UserPolicyList>member"`
		GroupList                   []string         `xml:"GroupList>member"`
		AttachedManagedPolicies     []attachedPolicy `xml:"AttachedManagedPolicies>member"`
		PermissionsBoundary         *boundaryView
		Tags                        *tagMembers
	}

	groupDetail struct {
		Path, GroupName, GroupId, Arn string
		CreateDate                    time.Time
		GroupPolicyList               []policyDetail   `xml:"GroupPolicyList>member"`
		AttachedManagedPolicies       []attachedPolicy `xml:"AttachedManagedPolicies>member"`
	}

	roleDetail struct {
		Path, RoleName, RoleId, Arn string
		CreateDate                  time.Time
		AssumeRolePolicyDocument    string
		InstanceProfileList         []instanceProfile `xml:"InstanceProfileList>member"`
		RolePolicyList              []policyDetail    `xml:"RolePolicyList>member"`
		AttachedManagedPolicies     []attachedPolicy  `xml:"AttachedManagedPolicies>member"`
		PermissionsBoundary         *boundaryView
		RoleLastUsed                struct{}
		Tags                        *tagMembers
	}

	managedDetail struct {
		policyView
		PolicyVersionList []versionView `xml:"PolicyVersionList>member"`
	}

	authorizationDetails struct {
		paged
		UserDetailList  []userDetail    `xml:"UserDetailList>member"`
		GroupDetailList []groupDetail   `xml:"GroupDetailList>member"`
		RoleDetailList  []roleDetail    `xml:"RoleDetailList>member"`
		Policies        []managedDetail `xml:"Policies>member"`
	}
)

// detail is one entity or policy of GetAccountAuthorizationDetails, by the key
// that orders them all: a page counts users, groups, roles and policies together.
type detail struct {
	key string
	add func(*authorizationDetails)
}

// detailFilters are the values of a Filter, with the beginning of their keys.
var detailFilters = map[string]string{"User": "1", "Group": "2", "Role": "3", "LocalManagedPolicy": "4",
	"AWSManagedPolicy": "5"}

// getAccountAuthorizationDetails answers every user, group, role and policy of
// the account. Of AWS's policies these are the ones in use (?).
func (s *Service) getAccountAuthorizationDetails(_ *call, in *authorizationDetailsInput) (*task, error) {
	wanted := map[string]bool{}
	for _, name := range in.Filter {
		prefix, err := choose("filter", name, detailFilters)
		if err != nil {
			return nil, err
		}
		wanted[prefix] = true
	}
	return view(on("*"), func(a *account) (any, error) {
		all := slices.DeleteFunc(s.details(a), func(d detail) bool { return len(wanted) > 0 && !wanted[d.key[:1]] })
		slices.SortFunc(all, func(x, y detail) int { return compare(x.key, y.key) })
		return list(all, func(d detail) string { return d.key }, in.paging, func(part []detail, more paged) any {
			out := authorizationDetails{paged: more}
			for _, d := range part {
				d.add(&out)
			}
			return out
		})
	})
}

// details returns all that there is in an account; the caller holds the lock.
func (s *Service) details(a *account) (all []detail) {
	add := func(kind, arn string, add func(*authorizationDetails)) {
		all = append(all, detail{detailFilters[kind] + arn, add})
	}
	for _, u := range a.Users {
		add("User", u.ARN, func(out *authorizationDetails) {
			out.UserDetailList = append(out.UserDetailList,
				userDetail{u.Path, u.Name, u.ID, u.ARN, u.Created, inlineDetails(&u.entity),
					slices.Sorted(slices.Values(u.Groups)), a.attachedTo(&u.entity), boundaryOf(&u.entity),
					viewTags(u.Tags)})
		})
	}
	for _, g := range a.Groups {
		add("Group", g.ARN, func(out *authorizationDetails) {
			out.GroupDetailList = append(out.GroupDetailList, groupDetail{g.Path, g.Name, g.ID, g.ARN, g.Created,
				inlineDetails(&g.entity), a.attachedTo(&g.entity)})
		})
	}
	for _, r := range a.Roles {
		add("Role", r.ARN, func(out *authorizationDetails) {
			out.RoleDetailList = append(out.RoleDetailList,
				roleDetail{Path: r.Path, RoleName: r.Name, RoleId: r.ID, Arn: r.ARN,
					CreateDate: r.Created, AssumeRolePolicyDocument: encoded(s.showTrust(r.Trust)),
					RolePolicyList:          inlineDetails(&r.entity),
					AttachedManagedPolicies: a.attachedTo(&r.entity), PermissionsBoundary: boundaryOf(&r.entity),
					Tags: viewTags(r.Tags)})
		})
	}
	usage := a.usage()
	for _, p := range a.Policies {
		add("LocalManagedPolicy", p.ARN, func(out *authorizationDetails) {
			d := managedDetail{policyView: viewPolicy(p, usage)}
			d.Tags = nil
			for _, v := range slices.Backward(p.Versions) {
				d.PolicyVersionList = append(d.PolicyVersionList,
					versionView{encoded(v.Document.Text), v.ID, v.IsDefault, v.Created})
			}
			out.Policies = append(out.Policies, d)
		})
	}
	for arn := range usage {
		p := awsPolicies()[arn]
		if p == nil {
			continue
		}
		add("AWSManagedPolicy", arn, func(out *authorizationDetails) {
			out.Policies = append(out.Policies, managedDetail{viewManaged(p, usage),
				[]versionView{{encoded(p.Document), p.VersionID, true, p.Updated}}})
		})
	}
	return all
}

// inlineDetails returns the inline policies of an entity by name.
func inlineDetails(e *entity) (out []policyDetail) {
	for name, d := range e.Inline {
		out = append(out, policyDetail{name, encoded(d.Text)})
	}
	slices.SortFunc(out, func(x, y policyDetail) int { return compare(x.PolicyName, y.PolicyName) })
	return out
}

// attachedTo returns the managed policies of an entity by ARN.
func (a *account) attachedTo(e *entity) (out []attachedPolicy) {
	for _, arn := range slices.Sorted(slices.Values(e.Attached)) {
		name, _, _ := a.policyDocument(arn)
		out = append(out, attachedPolicy{name, arn})
	}
	return out
}
