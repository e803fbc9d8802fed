// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"net/url"
	"strings"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/identifier"
	"github.com/ddbseal/ddbseal/localaws/internal/policytext"
	"github.com/ddbseal/ddbseal/localaws/internal/sts"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// encoded is a policy text as IAM answers it: percent-encoded.
func encoded(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

type roleView struct {
	Path, RoleName, RoleId, Arn string
	CreateDate                  time.Time
	AssumeRolePolicyDocument    string
	Description                 string        `xml:",omitempty"`
	MaxSessionDuration          int           `xml:",omitempty"`
	PermissionsBoundary         *boundaryView `xml:",omitempty"`
	Tags                        *tagMembers   `xml:",omitempty"`
	RoleLastUsed                *struct{}
}

// viewRole shows a role; the caller holds the lock. Only GetRole answers all of
// it: see listed and created.
func (s *Service) viewRole(r *role) roleView {
	return roleView{r.Path, r.Name, r.ID, r.ARN, r.Created, encoded(s.showTrust(r.Trust)), r.Description,
		r.MaxSessionDuration, boundaryOf(&r.entity), viewTags(r.Tags), &struct{}{}}
}

// listed returns what ListRoles answers of a role.
func (v roleView) listed() roleView {
	v.PermissionsBoundary, v.Tags, v.RoleLastUsed = nil, nil, nil
	return v
}

// created returns what CreateRole answers of a role.
func (v roleView) created() roleView {
	v.MaxSessionDuration, v.RoleLastUsed = 0, nil
	return v
}

type createRole struct {
	RoleName, Path, Description, PermissionsBoundary string
	AssumeRolePolicyDocument                         wire.LongText
	MaxSessionDuration                               *int
	Tags                                             []tag
}

const minSession = 3600

func sessionLimit(seconds *int) (int, error) {
	if seconds == nil {
		return sts.DefaultSession, nil
	}
	if *seconds < minSession || *seconds > sts.MaxSession {
		return 0, wire.Outside("maxSessionDuration", *seconds, minSession, sts.MaxSession)
	}
	return *seconds, nil
}

func (s *Service) createRole(r *call, in *createRole) (*task, error) {
	if err := checkName("roleName", in.RoleName, namePattern); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	limit, err := sessionLimit(in.MaxSessionDuration)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	if in.AssumeRolePolicyDocument == "" {
		return nil, missing("assumeRolePolicyDocument")
	}
	trust, err := policytext.Read(in.AssumeRolePolicyDocument, policy.Trust, maxTrustDocument)
	if err != nil {
		return nil, err
	}
	context := tagContext(in.Tags)
	if in.PermissionsBoundary != "" {
		context = mergeContext(context, key("iam:PermissionsBoundary", in.PermissionsBoundary))
	}
	arn := roleKind.arn(r.AccountID, path, in.RoleName)
	return change(on(arn), context, func(a *account) (any, error) {
		if sameFold(a.Roles, in.RoleName) {
			return nil, conflict("EntityAlreadyExists", "Role with name %s already exists.", in.RoleName)
		}
		if len(a.Roles) >= maxRoles {
			return nil, conflict("LimitExceeded", "Cannot exceed quota for RolesPerAccount: %d", maxRoles)
		}
		if err := checkBoundary(a, in.PermissionsBoundary); err != nil {
			return nil, err
		}
		tags, err := mergeTags(nil, in.Tags)
		if err != nil {
			return nil, err
		}
		trust, err := s.bindTrust(trust)
		if err != nil {
			return nil, err
		}
		x := &role{entity: entity{Name: in.RoleName, Path: path, ID: identifier.New(roleKind.idPrefix), ARN: arn,
			Created: s.now(), Tags: tags, Inline: map[string]*policytext.Document{}, Boundary: in.PermissionsBoundary},
			Description: in.Description, Trust: trust, MaxSessionDuration: limit}
		a.Roles[x.Name] = x
		a.put(x)
		return struct{ Role roleView }{s.viewRole(x).created()}, nil
	})
}

type roleName struct{ RoleName string }

func (s *Service) getRole(r *call, in *roleName) (*task, error) {
	return view(roleKind.named(in.RoleName), func(a *account) (any, error) {
		if _, err := roleKind.get(a, in.RoleName); err != nil {
			return nil, err
		}
		return struct{ Role roleView }{s.viewRole(a.Roles[in.RoleName])}, nil
	})
}

func (s *Service) listRoles(r *call, in *listByPath) (*task, error) {
	return view(on("arn:aws:iam::"+r.AccountID+":role/"), func(a *account) (any, error) {
		roles := underPath(sorted(a.Roles), in.PathPrefix, func(r *role) string { return r.Path })
		return list(roles, func(r *role) string { return r.Name }, in.paging, func(roles []*role, more paged) any {
			var out struct {
				paged
				Roles []roleView `xml:"Roles>member"`
			}
			out.paged = more
			for _, x := range roles {
				out.Roles = append(out.Roles, s.viewRole(x).listed())
			}
			return out
		})
	})
}

func (s *Service) deleteRole(r *call, in *roleName) (*task, error) {
	return change(roleKind.named(in.RoleName), nil, func(a *account) (any, error) {
		e, err := roleKind.get(a, in.RoleName)
		if err != nil {
			return nil, err
		}
		if err := withoutPolicies(e); err != nil {
			return nil, err
		}
		delete(a.Roles, in.RoleName)
		a.drop(e)
		return nil, nil
	})
}

type trustInput struct {
	RoleName       string
	PolicyDocument wire.LongText
}

func (s *Service) updateAssumeRolePolicy(r *call, in *trustInput) (*task, error) {
	trust, err := policytext.Read(in.PolicyDocument, policy.Trust, maxTrustDocument)
	if err != nil {
		return nil, err
	}
	return change(roleKind.named(in.RoleName), nil, func(a *account) (any, error) {
		if _, err := roleKind.get(a, in.RoleName); err != nil {
			return nil, err
		}
		bound, err := s.bindTrust(trust)
		if err != nil {
			return nil, err
		}
		x := a.Roles[in.RoleName]
		x.Trust = bound
		a.put(x)
		return nil, nil
	})
}

type updateRole struct {
	RoleName           string
	Description        *string
	MaxSessionDuration *int
}

func (s *Service) updateRole(r *call, in *updateRole) (*task, error) {
	return change(roleKind.named(in.RoleName), nil, func(a *account) (any, error) {
		if _, err := roleKind.get(a, in.RoleName); err != nil {
			return nil, err
		}
		if in.Description != nil {
			if err := checkDescription(*in.Description); err != nil {
				return nil, err
			}
		}
		x := a.Roles[in.RoleName]
		if in.MaxSessionDuration != nil {
			limit, err := sessionLimit(in.MaxSessionDuration)
			if err != nil {
				return nil, err
			}
			x.MaxSessionDuration = limit
		}
		if in.Description != nil {
			x.Description = *in.Description
		}
		a.put(x)
		return struct{}{}, nil
	})
}

type roleDescription struct{ RoleName, Description string }

func (s *Service) updateRoleDescription(r *call, in *roleDescription) (*task, error) {
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	return change(roleKind.named(in.RoleName), nil, func(a *account) (any, error) {
		if _, err := roleKind.get(a, in.RoleName); err != nil {
			return nil, err
		}
		x := a.Roles[in.RoleName]
		x.Description = in.Description
		a.put(x)
		return struct{ Role roleView }{s.viewRole(x).listed()}, nil
	})
}
