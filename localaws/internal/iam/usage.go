// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/localaws/internal/wire"
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

type entitiesInput struct {
	paging
	PolicyArn, EntityFilter, PathPrefix, PolicyUsageFilter string
}

// entityFilters are the values of EntityFilter, by the beginning of the unique
// ids that are meant. The last two mean policies, and leave no entity.
var entityFilters = map[string]string{
	"": "", "User": userKind.idPrefix, "Group": groupKind.idPrefix, "Role": roleKind.idPrefix,
	"LocalManagedPolicy": "-", "AWSManagedPolicy": "-",
}

// usageFilters are the values of PolicyUsageFilter.
var usageFilters = map[string]func(use) bool{
	"":                    func(use) bool { return true },
	"PermissionsPolicy":   func(u use) bool { return u.attached > 0 },
	"PermissionsBoundary": func(u use) bool { return u.boundary > 0 },
}

// choose finds the meaning of a parameter that has one of a few values.
func choose[T any](parameter, value string, meanings map[string]T) (T, error) {
	meaning, ok := meanings[value]
	if !ok {
		known := slices.DeleteFunc(slices.Sorted(maps.Keys(meanings)), func(s string) bool { return s == "" })
		return meaning, wire.Violated(fmt.Sprintf("'%.64s'", value), parameter, wire.OneOf(known...))
	}
	return meaning, nil
}

func (s *Service) listEntitiesForPolicy(r *call, in *entitiesInput) (*task, error) {
	idPrefix, err := choose("entityFilter", in.EntityFilter, entityFilters)
	if err != nil {
		return nil, err
	}
	used, err := choose("policyUsageFilter", in.PolicyUsageFilter, usageFilters)
	if err != nil {
		return nil, err
	}
	return view(on(in.PolicyArn), func(a *account) (any, error) {
		if _, _, ok := a.policyDocument(in.PolicyArn); !ok {
			return nil, noPolicy(in.PolicyArn)
		}
		var found []*entity
		for e := range a.entities {
			var u use
			if slices.Contains(e.Attached, in.PolicyArn) {
				u.attached = 1
			}
			if e.Boundary == in.PolicyArn {
				u.boundary = 1
			}
			if u != (use{}) && used(u) && strings.HasPrefix(e.ID, idPrefix) &&
				strings.HasPrefix(e.Path, in.PathPrefix) {
				found = append(found, e)
			}
		}
		slices.SortFunc(found, func(x, y *entity) int { return compare(x.ID, y.ID) })
		return list(found, func(e *entity) string { return e.ID }, in.paging, func(found []*entity, more paged) any {
			return newPolicyEntities(found, more)
		})
	})
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
