package iam

import "slices"

// entities iterates over users, groups and roles, in no order.
func (a *account) entities(yield func(*entity) bool) {
	for _, u := range a.Users {
		if !yield(&u.entity) {
			return
		}
	}
	for _, g := range a.Groups {
		if !yield(&g.entity) {
			return
		}
	}
	for _, r := range a.Roles {
		if !yield(&r.entity) {
			return
		}
	}
}

// use counts the entities that a policy is attached to and bounds.
type use struct{ attached, boundary int }

// usage counts the uses of every policy in one pass.
func (a *account) usage() map[string]use {
	all := map[string]use{}
	for e := range a.entities {
		for _, arn := range e.Attached {
			u := all[arn]
			u.attached++
			all[arn] = u
		}
		if e.Boundary != "" {
			u := all[e.Boundary]
			u.boundary++
			all[e.Boundary] = u
		}
	}
	return all
}

func (s *Service) listEntitiesForPolicy(r *request, in *policyInput) (any, error) {
	return s.view(r, "iam:ListEntitiesForPolicy", on(in.PolicyArn), func(a *account) (any, error) {
		if _, _, ok := a.policyDocument(in.PolicyArn); !ok {
			return nil, noPolicy(in.PolicyArn)
		}
		type policyUser struct{ UserName, UserId string }
		type policyGroup struct{ GroupName, GroupId string }
		type policyRole struct{ RoleName, RoleId string }
		var out struct {
			paged
			PolicyUsers  []policyUser  `xml:"PolicyUsers>member"`
			PolicyGroups []policyGroup `xml:"PolicyGroups>member"`
			PolicyRoles  []policyRole  `xml:"PolicyRoles>member"`
		}
		keep := func(e *entity) bool {
			return in.PolicyUsageFilter != "PermissionsBoundary" && slices.Contains(e.Attached, in.PolicyArn) ||
				in.PolicyUsageFilter != "PermissionsPolicy" && e.Boundary == in.PolicyArn
		}
		of := func(kind string) bool {
			return in.EntityFilter == "" || in.EntityFilter == kind
		}
		for _, u := range sorted(a.Users) {
			if of("User") && keep(&u.entity) {
				out.PolicyUsers = append(out.PolicyUsers, policyUser{u.Name, u.ID})
			}
		}
		for _, g := range sorted(a.Groups) {
			if of("Group") && keep(&g.entity) {
				out.PolicyGroups = append(out.PolicyGroups, policyGroup{g.Name, g.ID})
			}
		}
		for _, x := range sorted(a.Roles) {
			if of("Role") && keep(&x.entity) {
				out.PolicyRoles = append(out.PolicyRoles, policyRole{x.Name, x.ID})
			}
		}
		return out, nil
	})
}
