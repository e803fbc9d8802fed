package iam

import (
	"slices"
	"strings"
)

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
		var found []*entity
		for e := range a.entities {
			attached := in.PolicyUsageFilter != "PermissionsBoundary" && slices.Contains(e.Attached, in.PolicyArn)
			bounded := in.PolicyUsageFilter != "PermissionsPolicy" && e.Boundary == in.PolicyArn
			if (attached || bounded) && (in.EntityFilter == "" || strings.HasPrefix(e.ID, entityPrefix[in.EntityFilter])) {
				found = append(found, e)
			}
		}
		slices.SortFunc(found, func(x, y *entity) int { return compare(x.ID, y.ID) })
		return list(found, func(e *entity) string { return e.ID }, in.paging, func(found []*entity, more paged) any {
			return newPolicyEntities(found, more)
		})
	})
}

// entityPrefix tells by its unique id what an EntityFilter means; the other
// filters mean policies and leave no entity.
var entityPrefix = map[string]string{
	"User": userKind.idPrefix, "Group": groupKind.idPrefix, "Role": roleKind.idPrefix,
	"LocalManagedPolicy": "-", "AWSManagedPolicy": "-",
}

type (
	policyUser  struct{ UserName, UserId string }
	policyGroup struct{ GroupName, GroupId string }
	policyRole  struct{ RoleName, RoleId string }
	// policyEntities are the entities that a policy is attached to.
	policyEntities struct {
		paged
		PolicyUsers  []policyUser  `xml:"PolicyUsers>member"`
		PolicyGroups []policyGroup `xml:"PolicyGroups>member"`
		PolicyRoles  []policyRole  `xml:"PolicyRoles>member"`
	}
)

func newPolicyEntities(found []*entity, more paged) policyEntities {
	out := policyEntities{paged: more}
	for _, e := range found {
		switch e.ID[:4] {
		case userKind.idPrefix:
			out.PolicyUsers = append(out.PolicyUsers, policyUser{e.Name, e.ID})
		case groupKind.idPrefix:
			out.PolicyGroups = append(out.PolicyGroups, policyGroup{e.Name, e.ID})
		case roleKind.idPrefix:
			out.PolicyRoles = append(out.PolicyRoles, policyRole{e.Name, e.ID})
		}
	}
	return out
}
