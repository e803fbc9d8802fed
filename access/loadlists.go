// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// pages makes a call for each page of a list; next makes one and reports
// whether there are more.
func (l *loader) pages(ctx context.Context, permission, resource string, next func() (bool, error)) (bool, error) {
	for range maxPages {
		more := false
		ok, err := l.read(ctx, permission, resource, func() (err error) {
			more, err = next()
			return err
		})
		if err != nil || !ok || !more {
			return ok, err
		}
	}
	return false, errPages
}

// lists reads one by one what GetAccountAuthorizationDetails gives at once.
func (l *loader) lists(ctx context.Context) error {
	var users []types.User
	var groups []types.Group
	var roles []types.Role
	inUsers, inGroups, inRoles := &iam.ListUsersInput{}, &iam.ListGroupsInput{}, &iam.ListRolesInput{}
	if _, err := l.pages(ctx, "iam:ListUsers", "", func() (bool, error) {
		out, err := l.iam.ListUsers(ctx, inUsers)
		if err != nil {
			return false, err
		}
		users, inUsers.Marker = append(users, out.Users...), out.Marker
		return out.IsTruncated, nil
	}); err != nil {
		return err
	}
	if _, err := l.pages(ctx, "iam:ListGroups", "", func() (bool, error) {
		out, err := l.iam.ListGroups(ctx, inGroups)
		if err != nil {
			return false, err
		}
		groups, inGroups.Marker = append(groups, out.Groups...), out.Marker
		return out.IsTruncated, nil
	}); err != nil {
		return err
	}
	if _, err := l.pages(ctx, "iam:ListRoles", "", func() (bool, error) {
		out, err := l.iam.ListRoles(ctx, inRoles)
		if err != nil {
			return false, err
		}
		roles, inRoles.Marker = append(roles, out.Roles...), out.Marker
		return out.IsTruncated, nil
	}); err != nil {
		return err
	}
	for i := range users {
		if err := l.user(ctx, &users[i]); err != nil {
			return err
		}
	}
	for i := range groups {
		if err := l.group(ctx, &groups[i]); err != nil {
			return err
		}
	}
	for i := range roles {
		if err := l.role(ctx, &roles[i]); err != nil {
			return err
		}
	}
	return l.managed(ctx)
}

// inline reads the inline policies of an identity.
func (l *loader) inline(ctx context.Context, e *Identity, kind string,
	list func(marker *string) ([]string, *string, bool, error), get func(name string) (*string, error)) error {
	var names []string
	var marker *string
	if _, err := l.pages(ctx, "iam:List"+kind+"Policies", e.ARN, func() (bool, error) {
		page, next, more, err := list(marker)
		names, marker = append(names, page...), next
		return more, err
	}); err != nil {
		return err
	}
	for _, name := range names {
		if _, err := l.read(ctx, "iam:Get"+kind+"Policy", e.ARN, func() error {
			document, err := get(name)
			if err == nil {
				e.Inline = append(e.Inline, Policy{name, decoded(document)})
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// attached reads the managed policies of an identity.
func (l *loader) attached(ctx context.Context, e *Identity, kind string,
	list func(marker *string) ([]types.AttachedPolicy, *string, bool, error)) error {
	var marker *string
	_, err := l.pages(ctx, "iam:ListAttached"+kind+"Policies", e.ARN, func() (bool, error) {
		page, next, more, err := list(marker)
		for _, p := range page {
			e.Attached = append(e.Attached, aws.ToString(p.PolicyArn))
		}
		marker = next
		return more, err
	})
	return err
}

func (l *loader) user(ctx context.Context, u *types.User) error {
	name := u.UserName
	e := User{Identity: identity(u.Arn, u.UserId, nil, nil, u.PermissionsBoundary, u.Tags)}
	// ListUsers leaves boundary and tags out.
	if _, err := l.read(ctx, "iam:GetUser", e.ARN, func() error {
		out, err := l.iam.GetUser(ctx, &iam.GetUserInput{UserName: name})
		if err == nil {
			e.Identity = identity(u.Arn, u.UserId, nil, nil, out.User.PermissionsBoundary, out.User.Tags)
		}
		return err
	}); err != nil {
		return err
	}
	if err := l.inline(ctx, &e.Identity, "User", func(marker *string) ([]string, *string, bool, error) {
		out, err := l.iam.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: name, Marker: marker})
		if err != nil {
			return nil, nil, false, err
		}
		return out.PolicyNames, out.Marker, out.IsTruncated, nil
	}, func(policy string) (*string, error) {
		out, err := l.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: name, PolicyName: &policy})
		if err != nil {
			return nil, err
		}
		return out.PolicyDocument, nil
	}); err != nil {
		return err
	}
	if err := l.attached(ctx, &e.Identity, "User", func(marker *string) ([]types.AttachedPolicy, *string, bool, error) {
		out, err := l.iam.ListAttachedUserPolicies(ctx,
			&iam.ListAttachedUserPoliciesInput{UserName: name, Marker: marker})
		if err != nil {
			return nil, nil, false, err
		}
		return out.AttachedPolicies, out.Marker, out.IsTruncated, nil
	}); err != nil {
		return err
	}
	var marker *string
	if _, err := l.pages(ctx, "iam:ListGroupsForUser", e.ARN, func() (bool, error) {
		out, err := l.iam.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: name, Marker: marker})
		if err != nil {
			return false, err
		}
		for _, g := range out.Groups {
			e.Groups = append(e.Groups, aws.ToString(g.GroupName))
		}
		marker = out.Marker
		return out.IsTruncated, nil
	}); err != nil {
		return err
	}
	l.snapshot.Users = append(l.snapshot.Users, e)
	return nil
}

func (l *loader) group(ctx context.Context, g *types.Group) error {
	name := g.GroupName
	e := Group{identity(g.Arn, g.GroupId, nil, nil, nil, nil)}
	if err := l.inline(ctx, &e.Identity, "Group", func(marker *string) ([]string, *string, bool, error) {
		out, err := l.iam.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: name, Marker: marker})
		if err != nil {
			return nil, nil, false, err
		}
		return out.PolicyNames, out.Marker, out.IsTruncated, nil
	}, func(policy string) (*string, error) {
		out, err := l.iam.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: name, PolicyName: &policy})
		if err != nil {
			return nil, err
		}
		return out.PolicyDocument, nil
	}); err != nil {
		return err
	}
	if err := l.attached(ctx, &e.Identity, "Group", func(marker *string) ([]types.AttachedPolicy, *string, bool,
		error) {
		out, err := l.iam.ListAttachedGroupPolicies(ctx,
			&iam.ListAttachedGroupPoliciesInput{GroupName: name, Marker: marker})
		if err != nil {
			return nil, nil, false, err
		}
		return out.AttachedPolicies, out.Marker, out.IsTruncated, nil
	}); err != nil {
		return err
	}
	l.snapshot.Groups = append(l.snapshot.Groups, e)
	return nil
}

func (l *loader) role(ctx context.Context, r *types.Role) error {
	name := r.RoleName
	e := Role{Trust: decoded(r.AssumeRolePolicyDocument),
		Identity: identity(r.Arn, r.RoleId, nil, nil, r.PermissionsBoundary, r.Tags)}
	if _, err := l.read(ctx, "iam:GetRole", e.ARN, func() error {
		out, err := l.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
		if err == nil {
			e.Identity = identity(r.Arn, r.RoleId, nil, nil, out.Role.PermissionsBoundary, out.Role.Tags)
		}
		return err
	}); err != nil {
		return err
	}
	if err := l.inline(ctx, &e.Identity, "Role", func(marker *string) ([]string, *string, bool, error) {
		out, err := l.iam.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: name, Marker: marker})
		if err != nil {
			return nil, nil, false, err
		}
		return out.PolicyNames, out.Marker, out.IsTruncated, nil
	}, func(policy string) (*string, error) {
		out, err := l.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: &policy})
		if err != nil {
			return nil, err
		}
		return out.PolicyDocument, nil
	}); err != nil {
		return err
	}
	if err := l.attached(ctx, &e.Identity, "Role", func(marker *string) ([]types.AttachedPolicy, *string, bool, error) {
		out, err := l.iam.ListAttachedRolePolicies(ctx,
			&iam.ListAttachedRolePoliciesInput{RoleName: name, Marker: marker})
		if err != nil {
			return nil, nil, false, err
		}
		return out.AttachedPolicies, out.Marker, out.IsTruncated, nil
	}); err != nil {
		return err
	}
	l.snapshot.Roles = append(l.snapshot.Roles, e)
	return nil
}

// managed reads every managed policy that something is attached to and that is
// not in the snapshot yet.
func (l *loader) managed(ctx context.Context) error {
	var all texts
	s := l.snapshot
	note := func(e *Identity) {
		all.add(e.Attached...)
		if e.Boundary != "" {
			all.add(e.Boundary)
		}
	}
	for i := range s.Users {
		note(&s.Users[i].Identity)
	}
	for i := range s.Groups {
		note(&s.Groups[i].Identity)
	}
	for i := range s.Roles {
		note(&s.Roles[i].Identity)
	}
	known := map[string]bool{}
	for i := range s.Policies {
		known[s.Policies[i].ARN] = true
	}
	for _, arn := range all.list {
		if known[arn] {
			continue
		}
		version := ""
		ok, err := l.read(ctx, "iam:GetPolicy", arn, func() error {
			out, err := l.iam.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
			if err == nil {
				version = aws.ToString(out.Policy.DefaultVersionId)
			}
			return err
		})
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if _, err := l.read(ctx, "iam:GetPolicyVersion", arn, func() error {
			out, err := l.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: &version})
			if err == nil {
				s.Policies = append(s.Policies, ManagedPolicy{arn, decoded(out.PolicyVersion.Document)})
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// texts is a set in the order of first mention.
type texts struct {
	list []string
	has  map[string]bool
}

func (t *texts) add(all ...string) {
	if t.has == nil {
		t.has = map[string]bool{}
	}
	for _, s := range all {
		if !t.has[s] {
			t.has[s] = true
			t.list = append(t.list, s)
		}
	}
}
