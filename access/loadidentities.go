// SPDX-License-Identifier: Apache-2.0

package access

import (
	"context"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

const authorizationDetails = "iam:GetAccountAuthorizationDetails"

// identities reads users, groups, roles and the policies that are attached to
// them, with GetAccountAuthorizationDetails, or one by one where that is refused.
func (l *loader) identities(ctx context.Context) error {
	in := &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(500), Filter: []types.EntityType{
		types.EntityTypeUser, types.EntityTypeGroup, types.EntityTypeRole, types.EntityTypeLocalManagedPolicy,
		types.EntityTypeAWSManagedPolicy}}
	for range maxPages {
		more := false
		ok, err := l.read(ctx, authorizationDetails, "", func() error {
			out, err := l.iam.GetAccountAuthorizationDetails(ctx, in)
			if err != nil {
				return err
			}
			l.details(out)
			in.Marker, more = out.Marker, out.IsTruncated
			return nil
		})
		if err != nil {
			return err
		}
		if !ok {
			// The single calls say what cannot be read.
			s := l.snapshot
			s.NotRead = s.NotRead[:len(s.NotRead)-1]
			s.Users, s.Groups, s.Roles, s.Policies = nil, nil, nil, nil
			return l.lists(ctx)
		}
		if !more {
			return l.managed(ctx)
		}
	}
	return errPages
}

// decoded is a document as IAM sends it, URL-encoded.
func decoded(document *string) string {
	text := aws.ToString(document)
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

func (l *loader) details(out *iam.GetAccountAuthorizationDetailsOutput) {
	s := l.snapshot
	for _, u := range out.UserDetailList {
		s.Users = append(s.Users, User{Groups: u.GroupList, Identity: identity(u.Arn, u.UserId, u.UserPolicyList,
			u.AttachedManagedPolicies, u.PermissionsBoundary, u.Tags)})
	}
	for _, g := range out.GroupDetailList {
		s.Groups = append(s.Groups, Group{identity(g.Arn, g.GroupId, g.GroupPolicyList, g.AttachedManagedPolicies,
			nil, nil)})
	}
	for _, r := range out.RoleDetailList {
		s.Roles = append(s.Roles, Role{Trust: decoded(r.AssumeRolePolicyDocument), Identity: identity(r.Arn, r.RoleId,
			r.RolePolicyList, r.AttachedManagedPolicies, r.PermissionsBoundary, r.Tags)})
	}
	for _, p := range out.Policies {
		for _, v := range p.PolicyVersionList {
			if v.IsDefaultVersion {
				s.Policies = append(s.Policies, ManagedPolicy{aws.ToString(p.Arn), decoded(v.Document)})
			}
		}
	}
}

func identity(arn, id *string, inline []types.PolicyDetail, attached []types.AttachedPolicy,
	boundary *types.AttachedPermissionsBoundary, tags []types.Tag) Identity {
	e := Identity{ARN: aws.ToString(arn), ID: aws.ToString(id)}
	for _, p := range inline {
		e.Inline = append(e.Inline, Policy{aws.ToString(p.PolicyName), decoded(p.PolicyDocument)})
	}
	for _, p := range attached {
		e.Attached = append(e.Attached, aws.ToString(p.PolicyArn))
	}
	if boundary != nil {
		e.Boundary = aws.ToString(boundary.PermissionsBoundaryArn)
	}
	for _, t := range tags {
		e.Tags = put(e.Tags, aws.ToString(t.Key), aws.ToString(t.Value))
	}
	return e
}
