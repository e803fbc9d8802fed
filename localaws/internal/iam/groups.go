// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"slices"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
)

type groupView struct {
	Path, GroupName, GroupId, Arn string
	CreateDate                    time.Time
}

func viewGroup(g *group) groupView { return groupView{g.Path, g.Name, g.ID, g.ARN, g.Created} }

type createGroup struct{ GroupName, Path string }

func (s *Service) createGroup(r *call, in *createGroup) (*task, error) {
	if err := checkName("groupName", in.GroupName, longPattern); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	arn := groupKind.arn(r.AccountID, path, in.GroupName)
	return change(on(arn), nil, func(a *account) (any, error) {
		if sameFold(a.Groups, in.GroupName) {
			return nil, conflict("EntityAlreadyExists", "Group with name %s already exists.", in.GroupName)
		}
		if len(a.Groups) >= maxGroups {
			return nil, conflict("LimitExceeded", "Cannot exceed quota for GroupsPerAccount: %d", maxGroups)
		}
		g := &group{entity{Name: in.GroupName, Path: path, ID: identifier.New(groupKind.idPrefix), ARN: arn,
			Created: s.now(), Inline: map[string]*policytext.Document{}}}
		a.Groups[g.Name] = g
		a.put(g)
		return struct{ Group groupView }{viewGroup(g)}, nil
	})
}

type groupPage struct {
	paging
	GroupName string
}

func (s *Service) getGroup(r *call, in *groupPage) (*task, error) {
	return view(groupKind.named(in.GroupName), func(a *account) (any, error) {
		if _, err := groupKind.get(a, in.GroupName); err != nil {
			return nil, err
		}
		members := slices.DeleteFunc(sorted(a.Users),
			func(u *user) bool { return !slices.Contains(u.Groups, in.GroupName) })
		return list(members, func(u *user) string { return u.Name }, in.paging, func(users []*user, more paged) any {
			var out struct {
				paged
				Group groupView
				Users []userView `xml:"Users>member"`
			}
			out.paged, out.Group = more, viewGroup(a.Groups[in.GroupName])
			for _, u := range users {
				out.Users = append(out.Users, viewUser(u).listed())
			}
			return out
		})
	})
}

func groupList(groups []*group, p paging) (any, error) {
	return list(groups, func(g *group) string { return g.Name }, p, func(groups []*group, more paged) any {
		var out struct {
			paged
			Groups []groupView `xml:"Groups>member"`
		}
		out.paged = more
		for _, g := range groups {
			out.Groups = append(out.Groups, viewGroup(g))
		}
		return out
	})
}

func (s *Service) listGroups(r *call, in *listByPath) (*task, error) {
	return view(on("arn:aws:iam::"+r.AccountID+":group/"), func(a *account) (any, error) {
		return groupList(underPath(sorted(a.Groups), in.PathPrefix, func(g *group) string { return g.Path }), in.paging)
	})
}

type userPage struct {
	paging
	UserName string
}

func (s *Service) listGroupsForUser(r *call, in *userPage) (*task, error) {
	return view(userKind.named(in.UserName), func(a *account) (any, error) {
		if _, err := userKind.get(a, in.UserName); err != nil {
			return nil, err
		}
		groups := slices.DeleteFunc(sorted(a.Groups),
			func(g *group) bool { return !slices.Contains(a.Users[in.UserName].Groups, g.Name) })
		return groupList(groups, in.paging)
	})
}

type updateGroup struct{ GroupName, NewGroupName, NewPath string }

// updateGroup renames or moves a group; its members stay.
func (s *Service) updateGroup(r *call, in *updateGroup) (any, error) {
	to, err := s.renaming(r, groupKind, in.GroupName, in.NewGroupName, in.NewPath)
	if err != nil {
		return nil, err
	}
	return r.perform(change(groupKind.named(in.GroupName), nil, func(a *account) (any, error) {
		g := a.Groups[in.GroupName]
		if err := to.check(groupKind.find(a, in.GroupName)); err != nil {
			return nil, err
		}
		if !strings.EqualFold(to.name, g.Name) && sameFold(a.Groups, to.name) {
			return nil, conflict("EntityAlreadyExists", "Group with name %s already exists.", to.name)
		}
		for _, u := range a.Users {
			if i := slices.Index(u.Groups, g.Name); i >= 0 {
				u.Groups[i] = to.name
				a.put(u)
			}
		}
		delete(a.Groups, g.Name)
		to.apply(&g.entity)
		a.Groups[g.Name] = g
		a.put(g)
		return nil, nil
	}))
}

type groupName struct{ GroupName string }

func (s *Service) deleteGroup(r *call, in *groupName) (*task, error) {
	return change(groupKind.named(in.GroupName), nil, func(a *account) (any, error) {
		g, err := groupKind.get(a, in.GroupName)
		if err != nil {
			return nil, err
		}
		for _, u := range a.Users {
			if slices.Contains(u.Groups, g.Name) {
				return nil, conflict("DeleteConflict", "Cannot delete entity, must remove users from group first.")
			}
		}
		if err := withoutPolicies(g); err != nil {
			return nil, err
		}
		delete(a.Groups, g.Name)
		a.drop(g)
		return nil, nil
	})
}

// withoutPolicies refuses the deletion of a group or role that has policies.
func withoutPolicies(e *entity) error {
	switch {
	case len(e.Attached) > 0:
		return conflict("DeleteConflict", "Cannot delete entity, must detach all policies first.")
	case len(e.Inline) > 0:
		return conflict("DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	return nil
}

type membership struct{ GroupName, UserName string }

func (s *Service) addUserToGroup(r *call, in *membership) (*task, error) {
	return change(groupKind.named(in.GroupName), nil, func(a *account) (any, error) {
		u, err := member(a, in)
		if err != nil {
			return nil, err
		}
		if slices.Contains(u.Groups, in.GroupName) {
			return nil, nil
		}
		if len(u.Groups) >= maxGroupsPerUser {
			return nil, conflict("LimitExceeded", "Cannot exceed quota for GroupsPerUser: %d", maxGroupsPerUser)
		}
		u.Groups = append(u.Groups, in.GroupName)
		a.put(u)
		return nil, nil
	})
}

func (s *Service) removeUserFromGroup(r *call, in *membership) (*task, error) {
	return change(groupKind.named(in.GroupName), nil, func(a *account) (any, error) {
		u, err := member(a, in)
		if err != nil {
			return nil, err
		}
		u.Groups = slices.DeleteFunc(u.Groups, func(g string) bool { return g == in.GroupName })
		a.put(u)
		return nil, nil
	})
}

func member(a *account, in *membership) (*user, error) {
	if _, err := groupKind.get(a, in.GroupName); err != nil {
		return nil, err
	}
	if _, err := userKind.get(a, in.UserName); err != nil {
		return nil, err
	}
	return a.Users[in.UserName], nil
}
