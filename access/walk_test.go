// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/access"
)

func iamTags(k, v string) []iamtypes.Tag { return []iamtypes.Tag{{Key: &k, Value: &v}} }

func grantOperations(o ...kmstypes.GrantOperation) []kmstypes.GrantOperation { return o }

func subset(k, v string) *kmstypes.GrantConstraints {
	return &kmstypes.GrantConstraints{EncryptionContextSubset: map[string]string{k: v}}
}

func name(arn string) *string { return aws.String(arn[strings.LastIndex(arn, "/")+1:]) }

func as(cfg aws.Config, id, secret, token *string) aws.Config {
	cfg = cfg.Copy()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(id), aws.ToString(secret),
		aws.ToString(token))
	return cfg
}

func (w *randomWorld) assume(ctx context.Context, cfg aws.Config, role string) (aws.Config, error) {
	out, err := sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &role,
		RoleSessionName: aws.String("path")})
	if err != nil {
		return cfg, err
	}
	return as(cfg, out.Credentials.AccessKeyId, out.Credentials.SecretAccessKey, out.Credentials.SessionToken), nil
}

// walk takes the steps of a path, and reads at its end.
func (w *randomWorld) walk(p access.Path) error {
	ctx := context.Background()
	cfg := w.configs[p.Steps[0].Principal]
	all := document(map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"})
	for _, s := range p.Steps {
		people, keys := iam.NewFromConfig(cfg), kms.NewFromConfig(cfg)
		// A session names itself: what is given to its role is limited by the boundary.
		self := s.Principal
		if out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil); err == nil {
			self = aws.ToString(out.Arn)
		}
		if last := p.Steps[len(p.Steps)-1].Principal; strings.HasSuffix(s.Does, "to another principal") {
			self = last // a session of the path that is not there yet
			if strings.Contains(last, ":role/") {
				self = strings.Replace(strings.Replace(last, ":iam:", ":sts:", 1), ":role/", ":assumed-role/",
					1) + "/path"
			}
		}
		policy := func(action string) *string {
			return aws.String(document(map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": self},
				"Action": action, "Resource": "*"}))
		}
		var err error
		switch s.Action {
		case "dynamodb:GetItem":
			if !w.reads(cfg) {
				return fmt.Errorf("the path ends and %s is denied", s.Principal)
			}
		case "sts:AssumeRole":
			cfg, err = w.assume(ctx, cfg, s.Resource)
		case "iam:UpdateAssumeRolePolicy":
			trust := document(map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": s.Principal},
				"Action": "sts:AssumeRole"})
			if _, err = people.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name(
				s.Resource), PolicyDocument: &trust}); err == nil {
				cfg, err = w.assume(ctx, cfg, s.Resource)
			}
		case "iam:CreateAccessKey":
			var out *iam.CreateAccessKeyOutput
			if out, err = people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name(
				s.Resource)}); err == nil {
				cfg = as(cfg, out.AccessKey.AccessKeyId, out.AccessKey.SecretAccessKey, nil)
			}
		case "iam:CreateLoginProfile":
			_, err = people.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: name(s.Resource),
				Password: aws.String("Aa1!aaaaaaaaaaaa")})
			cfg = w.configs[s.Resource]
		case "iam:PutUserPolicy":
			_, err = people.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name(s.Resource),
				PolicyName: aws.String("x"), PolicyDocument: &all})
		case "iam:AttachUserPolicy":
			_, err = people.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name(s.Resource),
				PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
		case "iam:DeleteUserPolicy", "iam:DeleteRolePolicy":
			w.strip(people, s.Resource)
		case "iam:PutRolePolicy":
			_, err = people.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name(s.Resource),
				PolicyName: aws.String("x"), PolicyDocument: &all})
		case "iam:AttachRolePolicy":
			_, err = people.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name(s.Resource),
				PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
		case "iam:PutGroupPolicy":
			_, err = people.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: name(s.Resource),
				PolicyName: aws.String("x"), PolicyDocument: &all})
		case "iam:AttachGroupPolicy":
			_, err = people.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: name(s.Resource),
				PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
		case "iam:AddUserToGroup":
			_, err = people.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: name(s.Resource),
				UserName: name(s.Principal)})
		case "iam:CreatePolicyVersion":
			_, err = people.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &s.Resource,
				PolicyDocument: &all, SetAsDefault: true})
		case "iam:DeleteUserPermissionsBoundary":
			_, err = people.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: name(
				s.Resource)})
		case "iam:DeleteRolePermissionsBoundary":
			_, err = people.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: name(
				s.Resource)})
		case "iam:CreateUser":
			if _, err = people.CreateUser(ctx, &iam.CreateUserInput{UserName: name(s.Resource)}); err == nil {
				w.configs[s.Resource] = w.server.User(*name(s.Resource))
			}
		case "iam:CreateRole":
			trust := document(map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": s.Principal},
				"Action": "sts:AssumeRole"})
			if _, err = people.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name(s.Resource),
				AssumeRolePolicyDocument: &trust}); err == nil {
				w.configs[s.Resource], err = w.assume(ctx, cfg, s.Resource)
			}
		case "kms:PutKeyPolicy":
			_, err = keys.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &s.Resource, Policy: policy("kms:*"),
				BypassPolicyLockoutSafetyCheck: true})
		case "kms:CreateGrant":
			_, err = keys.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: &s.Resource, GranteePrincipal: &self,
				Operations: grantOperations("Decrypt")})
		case "dynamodb:PutResourcePolicy":
			_, err = dynamodb.NewFromConfig(cfg).PutResourcePolicy(ctx,
				&dynamodb.PutResourcePolicyInput{ResourceArn: &s.Resource, Policy: policy("dynamodb:*"),
					ConfirmRemoveSelfResourceAccess: true})
		default:
			return nil // the server does not have the rest of the path
		}
		if err != nil {
			return stepError(s, err)
		}
		if s.Action == "iam:PutUserPolicy" || s.Action == "iam:PutRolePolicy" {
			if made, ok := w.configs[s.Resource]; ok && strings.Contains(s.Resource, "/new-") {
				cfg = made
			}
		}
	}
	return nil
}

// strip removes the random policies of an identity as far as it may.
func (w *randomWorld) strip(people *iam.Client, of string) {
	ctx := context.Background()
	m, p := aws.String("arn:aws:iam::111122223333:policy/m"), aws.String("p")
	if strings.Contains(of, ":user/") {
		_, _ = people.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name(of), PolicyName: p})
		_, _ = people.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: name(of), PolicyArn: m})
		for _, g := range []string{"g0", "g1"} {
			_, _ = people.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: name(of), GroupName: &g})
		}
		return
	}
	_, _ = people.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name(of), PolicyName: p})
	_, _ = people.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name(of), PolicyArn: m})
}

// attack tries every known step for real, each once, and reports whether the
// principal reads then. Most are denied: that is not an error.
func (w *randomWorld) attack(self string) bool {
	ctx := context.Background()
	cfg := w.configs[self]
	all := document(map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"})
	admin := aws.String("arn:aws:iam::aws:policy/AdministratorAccess")
	people, keys, tables := iam.NewFromConfig(cfg), kms.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	caller := must(sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)).Arn
	mine := func(action string) *string {
		return aws.String(document(map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": *caller},
			"Action": action, "Resource": "*"}))
	}
	x := aws.String("x")
	if strings.Contains(self, ":user/") {
		_, _ = people.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: name(self)})
		_, _ = people.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name(self), PolicyName: x,
			PolicyDocument: &all})
		_, _ = people.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name(self), PolicyArn: admin})
		for _, g := range []string{"g0", "g1"} {
			_, _ = people.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: name(self), GroupName: &g})
			_, _ = people.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: &g, PolicyName: x,
				PolicyDocument: &all})
		}
	} else {
		_, _ = people.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: name(self)})
		_, _ = people.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name(self), PolicyName: x,
			PolicyDocument: &all})
		_, _ = people.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name(self), PolicyArn: admin})
	}
	_, _ = people.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyDocument: &all, SetAsDefault: true,
		PolicyArn: aws.String("arn:aws:iam::111122223333:policy/m")})
	for _, key := range []string{w.key, w.item} {
		if key != "" {
			_, _ = keys.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &key, Policy: mine("kms:*"),
				BypassPolicyLockoutSafetyCheck: true})
			_, _ = keys.CreateGrant(ctx, &kms.CreateGrantInput{KeyId: &key, GranteePrincipal: caller,
				Operations: grantOperations("Decrypt")})
		}
	}
	_, _ = tables.PutResourcePolicy(ctx, &dynamodb.PutResourcePolicyInput{ResourceArn: aws.String(ordersID),
		Policy: mine("dynamodb:*")})
	if w.reads(cfg) {
		return true
	}
	if _, err := people.GetUser(ctx, &iam.GetUserInput{UserName: aws.String(
		"helper")}); err == nil { // it has every right
		w.strip(people, self)
		if w.reads(cfg) {
			return true
		}
	}
	trust := document(map[string]any{"Effect": "Allow", "Principal": map[string]any{"AWS": self},
		"Action": "sts:AssumeRole"})
	for _, role := range w.roles {
		_, _ = people.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name(role),
			PolicyDocument: &trust})
		if as, err := w.assume(ctx, cfg, role); err == nil && w.reads(as) {
			return true
		}
	}
	for _, user := range w.users {
		if out, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name(user)}); err == nil &&
			w.reads(as(cfg, out.AccessKey.AccessKeyId, out.AccessKey.SecretAccessKey, nil)) {
			return true
		}
	}
	return false
}
