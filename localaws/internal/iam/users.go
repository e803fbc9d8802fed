// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"slices"
	"strings"

	"maps"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

type boundaryView struct{ PermissionsBoundaryType, PermissionsBoundaryArn string }

func boundaryOf(e *entity) *boundaryView {
	if e.Boundary == "" {
		return nil
	}
	return &boundaryView{"Policy", e.Boundary}
}

type userView struct {
	Path, UserName, UserId, Arn string
	CreateDate                  time.Time
	PermissionsBoundary         *boundaryView `xml:",omitempty"`
	Tags                        *tagMembers   `xml:",omitempty"`
}

func viewUser(u *user) userView {
	return userView{u.Path, u.Name, u.ID, u.ARN, u.Created, boundaryOf(&u.entity), viewTags(u.Tags)}
}

// listed returns what ListUsers and GetGroup answer of a user.
func (v userView) listed() userView {
	v.PermissionsBoundary, v.Tags = nil, nil
	return v
}

type userResult struct{ User userView }

// tagContext are the condition keys of the tags that a request brings.
func tagContext(tags []tag) policy.Context {
	if len(tags) == 0 {
		return nil
	}
	c := policy.Context{}
	wire.RequestTags(c, tags...)
	return c
}

// key makes a context of one condition key.
func key(name string, values ...string) policy.Context {
	c := policy.Context{}
	c.Set(name, values...)
	return c
}

type createUser struct {
	UserName, Path, PermissionsBoundary string
	Tags                                []tag
}

func (s *Service) createUser(r *call, in *createUser) (*task, error) {
	if err := checkName("userName", in.UserName, namePattern); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	context := tagContext(in.Tags)
	if in.PermissionsBoundary != "" {
		context = mergeContext(context, key("iam:PermissionsBoundary", in.PermissionsBoundary))
	}
	arn := userKind.arn(r.AccountID, path, in.UserName)
	return change(on(arn), context, func(a *account) (any, error) {
		if sameFold(a.Users, in.UserName) {
			return nil, conflict("EntityAlreadyExists", "User with name %s already exists.", in.UserName)
		}
		if len(a.Users) >= maxUsers {
			return nil, conflict("LimitExceeded", "Cannot exceed quota for UsersPerAccount: %d", maxUsers)
		}
		if err := checkBoundary(a, in.PermissionsBoundary); err != nil {
			return nil, err
		}
		tags, err := mergeTags(nil, in.Tags)
		if err != nil {
			return nil, err
		}
		u := &user{entity: entity{Name: in.UserName, Path: path, ID: identifier.New(userKind.idPrefix), ARN: arn,
			Created: s.now(), Tags: tags, Inline: map[string]*policytext.Document{}, Boundary: in.PermissionsBoundary}}
		a.Users[u.Name] = u
		a.put(u)
		r.Trail.ResponseElements = map[string]any{"user": map[string]any{"path": u.Path, "userName": u.Name,
			"userId": u.ID, "arn": u.ARN}}
		return userResult{viewUser(u)}, nil
	})
}

func mergeContext(a, b policy.Context) policy.Context {
	if a == nil {
		return b
	}
	maps.Copy(a, b)
	return a
}

// sameFold reports whether a name exists already: IAM compares names without
// case.
func sameFold[V any](m map[string]V, name string) bool {
	if _, ok := m[name]; ok {
		return true
	}
	for k := range m {
		if strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}

// orSelf returns the user name, or the caller's own when none was given. The root
// user has none. A role session means no user by itself and is refused.
func orSelf(r *call, name string) (string, error) {
	if name != "" {
		return name, nil
	}
	switch r.Caller.Principal.Type {
	case policy.User:
		return r.Caller.UserName, nil
	case policy.Root:
		return "", nil
	}
	return "", invalid("Must specify userName when calling with non-User credentials")
}

type userName struct{ UserName string }

func (s *Service) getUser(r *call, in *userName) (*task, error) {
	name, err := orSelf(r, in.UserName)
	if err != nil {
		return nil, err
	}
	if name == "" && r.Caller.Principal.Type == policy.Root {
		return view(on(r.Caller.Principal.ARN), func(a *account) (any, error) {
			return userResult{userView{UserId: a.ID, Arn: r.Caller.Principal.ARN}}, nil
		})
	}
	return view(userKind.named(name), func(a *account) (any, error) {
		if _, err := userKind.get(a, name); err != nil {
			return nil, err
		}
		return userResult{viewUser(a.Users[name])}, nil
	})
}

type listByPath struct {
	paging
	PathPrefix string
}

func sorted[V any](m map[string]V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

// underPath keeps those whose path has the prefix.
func underPath[T any](items []T, prefix string, path func(T) string) []T {
	if prefix == "" || prefix == "/" {
		return items
	}
	return slices.DeleteFunc(items, func(t T) bool { return !strings.HasPrefix(path(t), prefix) })
}

func (s *Service) listUsers(r *call, in *listByPath) (*task, error) {
	return view(on("arn:aws:iam::"+r.AccountID+":user/"), func(a *account) (any, error) {
		users := underPath(sorted(a.Users), in.PathPrefix, func(u *user) string { return u.Path })
		return list(users, func(u *user) string { return u.Name }, in.paging, func(users []*user, more paged) any {
			var out struct {
				paged
				Users []userView `xml:"Users>member"`
			}
			out.paged = more
			for _, u := range users {
				out.Users = append(out.Users, viewUser(u).listed())
			}
			return out
		})
	})
}

type updateUser struct{ UserName, NewUserName, NewPath string }

// updateUser renames or moves a user. Keys, groups, sessions and the policies
// that are bound to the unique id follow it.
func (s *Service) updateUser(r *call, in *updateUser) (any, error) {
	to, err := s.renaming(r, userKind, in.UserName, in.NewUserName, in.NewPath)
	if err != nil {
		return nil, err
	}
	return r.perform(change(userKind.named(in.UserName), nil, func(a *account) (any, error) {
		u := a.Users[in.UserName]
		if err := to.check(userKind.find(a, in.UserName)); err != nil {
			return nil, err
		}
		if !strings.EqualFold(to.name, u.Name) && sameFold(a.Users, to.name) {
			return nil, conflict("EntityAlreadyExists", "User with name %s already exists.", to.name)
		}
		delete(a.Users, u.Name)
		to.apply(&u.entity)
		for _, k := range u.Keys {
			k.UserName = u.Name
		}
		a.Users[u.Name] = u
		a.put(u)
		return nil, nil
	}))
}

// deleteUser refuses, in IAM's order, while anything hangs on the user.
func (s *Service) deleteUser(r *call, in *userName) (*task, error) {
	return change(userKind.named(in.UserName), nil, func(a *account) (any, error) {
		if _, err := userKind.get(a, in.UserName); err != nil {
			return nil, err
		}
		u := a.Users[in.UserName]
		first := ""
		switch {
		case u.Profile != nil:
			first = "delete login profile first."
		case len(u.Keys) > 0:
			first = "delete access keys first."
		case len(u.Attached) > 0:
			first = "detach all policies first."
		case len(u.Inline) > 0:
			first = "delete policies first."
		case len(u.Groups) > 0:
			first = "remove users from group first."
		}
		if first != "" {
			return nil, conflict("DeleteConflict", "Cannot delete entity, must %s", first)
		}
		delete(a.Users, u.Name)
		a.drop(u)
		return nil, nil
	})
}
