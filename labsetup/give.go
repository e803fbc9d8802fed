// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/internal/awsmessage"
	"github.com/ddbseal/ddbseal/internal/keypolicy"
)

// Way is a way to give a principal access to the lab's key.
type Way string

const (
	// WayKeyUser adds the principal to both statements that the KMS console
	// writes for key users. The lab uses this way.
	WayKeyUser Way = "key-user"
	// WayStatement adds a statement for the principal that allows
	// kms:Decrypt and kms:DescribeKey only.
	WayStatement Way = "statement"
	// WayGrant creates a grant for kms:Decrypt and does not change the policy.
	WayGrant Way = "grant"
)

// Ways returns all ways in the order of their constants.
func Ways() []Way { return []Way{WayKeyUser, WayStatement, WayGrant} }

const (
	grantName = "nextwork-lab"
	scopedSid = "Allow one user to decrypt"
)

var (
	// ErrUnknownPrincipal means that no IAM user or role of the account has that name.
	ErrUnknownPrincipal = errors.New("unknown principal")
	// ErrNoKey means that the lab's key does not exist. Lab.Up creates it.
	ErrNoKey = errors.New("the lab's key does not exist")
	// ErrPolicyShape means that the key policy no longer has the statements of
	// the KMS console, so that this package cannot edit it.
	ErrPolicyShape = errors.New("the key policy does not have the console's statements")
)

// Give gives a principal access to the lab's key, and reports whether that changed something.
// principal is the name or the ARN of an IAM user or role. Errors: [ErrUnknownPrincipal],
// [ErrNoKey], [ErrPolicyShape], one for an unknown way, and those of AWS.
func (l *Lab) Give(ctx context.Context, principal string, way Way) (changed bool, err error) {
	who, err := l.openAccess(ctx, principal)
	if err != nil {
		return false, err
	}
	defer func() {
		// An ARN may be another account's: only KMS can tell that it belongs to no principal.
		var grantee *kmstypes.InvalidArnException
		if awsmessage.InvalidPrincipal(err) || errors.As(err, &grantee) {
			err = fmt.Errorf("%w %q: %w", ErrUnknownPrincipal, principal, err)
		}
	}()
	switch way {
	case WayKeyUser:
		return l.addToPolicy(ctx, who)
	case WayStatement:
		return l.editPolicy(ctx, func(p *keypolicy.Policy) (bool, error) {
			if p.Has(scopedSid) {
				return p.Add(scopedSid, who)
			}
			return true, p.Append(allow(scopedSid, who, nil))
		})
	case WayGrant:
		grants, err := l.grants(ctx, who)
		if err != nil || len(grants) > 0 {
			return false, err
		}
		_, err = l.administrator.kms.CreateGrant(ctx,
			&kms.CreateGrantInput{KeyId: aws.String(l.keyARN), GranteePrincipal: aws.String(who),
				Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt}, Name: aws.String(grantName)})
		return err == nil, err
	}
	return false, fmt.Errorf("no way to give access is called %q", way)
}

// Withdraw takes back the access that Give gave in each of the ways, and
// returns the ways in which there was access to take back. If a statement names
// other principals too, it stays for them. Errors: those of [Lab.Give].
func (l *Lab) Withdraw(ctx context.Context, principal string, ways ...Way) (changed []Way, err error) {
	who, err := l.openAccess(ctx, principal)
	if err != nil {
		return nil, err
	}
	for _, way := range ways {
		did := false
		switch way {
		case WayKeyUser:
			did, err = l.withdraw(ctx, who, keypolicy.SidUsers, keypolicy.SidAttachment)
		case WayStatement:
			did, err = l.withdraw(ctx, who, scopedSid)
		case WayGrant:
			did, err = l.revokeGrants(ctx, who)
		default:
			err = fmt.Errorf("no way to give access is called %q", way)
		}
		if err != nil {
			return changed, err
		}
		if did {
			changed = append(changed, way)
		}
	}
	return changed, nil
}

// Remaining returns what gives the principal access to the lab's key now, each in
// words: the statements of the key policy that name the principal and allow
// kms:Decrypt, the principal's grants for it, and a user's inline policies that may
// allow it. It does not look at managed policies, groups, the policies of a role,
// and roles that a user may assume. Errors: those of [Lab.Give].
func (l *Lab) Remaining(ctx context.Context, principal string) ([]string, error) {
	who, err := l.openAccess(ctx, principal)
	if err != nil {
		return nil, err
	}
	text, err := l.keyPolicy(ctx)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, sid := range keypolicy.Admitting(text, who, "kms:Decrypt") {
		found = append(found, fmt.Sprintf("the statement “%s” of the key policy", sid))
	}
	pages := kms.NewListGrantsPaginator(l.administrator.kms,
		&kms.ListGrantsInput{KeyId: aws.String(l.keyARN), GranteePrincipal: aws.String(who)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range page.Grants {
			if aws.ToString(g.GranteePrincipal) == who &&
				slices.Contains(g.Operations, kmstypes.GrantOperationDecrypt) {
				found = append(found, "the grant "+aws.ToString(g.GrantId))
			}
		}
	}
	own, err := l.ownPolicies(ctx, who)
	return append(found, own...), err
}

// ownPolicies names the inline policies of a user that allow kms:Decrypt on something.
func (l *Lab) ownPolicies(ctx context.Context, who string) ([]string, error) {
	parsed, err := arn.Parse(who)
	_, name, isUser := strings.Cut(parsed.Resource, "user/")
	if err != nil || !isUser || parsed.AccountID != l.account {
		return nil, nil
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	names, err := l.iam().ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: aws.String(name)})
	if err != nil {
		return nil, err
	}
	var found []string
	for _, policy := range names.PolicyNames {
		out, err := l.iam().GetUserPolicy(ctx,
			&iam.GetUserPolicyInput{UserName: aws.String(name), PolicyName: aws.String(policy)})
		if err != nil {
			return nil, err
		}
		document, err := url.QueryUnescape(aws.ToString(out.PolicyDocument))
		if err == nil && len(keypolicy.Admitting(document, "", "kms:Decrypt")) > 0 {
			found = append(found, "the IAM policy "+policy+" of the user")
		}
	}
	return found, nil
}

// openAccess finds the lab's key and the principal's ARN.
func (l *Lab) openAccess(ctx context.Context, name string) (string, error) {
	if err := l.identify(ctx); err != nil {
		return "", err
	}
	var err error
	if l.keyARN, err = l.findKey(ctx, l.actual(KeyAlias)); err != nil {
		return "", err
	}
	if l.keyARN == "" {
		return "", ErrNoKey
	}
	if arn.IsARN(name) {
		return name, nil
	}
	user, err := l.iam().GetUser(ctx, &iam.GetUserInput{UserName: aws.String(name)})
	if err == nil {
		return aws.ToString(user.User.Arn), nil
	}
	if !missing(err) {
		return "", err
	}
	role, err := l.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	if missing(err) {
		return "", fmt.Errorf("%w %q: the account has no such IAM user or role", ErrUnknownPrincipal, name)
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(role.Role.Arn), nil
}

// addToPolicy names the principal as key user.
func (l *Lab) addToPolicy(ctx context.Context, who string) (bool, error) {
	return l.editPolicy(ctx, func(p *keypolicy.Policy) (bool, error) {
		use, err := p.Add(keypolicy.SidUsers, who)
		if err != nil {
			return false, err
		}
		attach, err := p.Add(keypolicy.SidAttachment, who)
		return use || attach, err
	})
}

// withdraw removes the principal from the statements with these Sids.
func (l *Lab) withdraw(ctx context.Context, who string, sids ...string) (bool, error) {
	return l.editPolicy(ctx, func(p *keypolicy.Policy) (bool, error) { return p.Remove(who, sids...) })
}

// editPolicy changes the key policy, if edit reports that it changed something.
// It leaves out deleted principals then: KMS would refuse the policy because of
// them, and they can do nothing.
func (l *Lab) editPolicy(ctx context.Context, edit func(*keypolicy.Policy) (bool, error)) (bool, error) {
	text, err := l.keyPolicy(ctx)
	if err != nil {
		return false, err
	}
	p, err := keypolicy.Parse(text)
	if err != nil {
		return false, policyShape(err)
	}
	changed, err := edit(p)
	if err != nil || !changed {
		return false, policyShape(err)
	}
	if _, err := p.RemoveDeleted(); err != nil {
		return false, policyShape(err)
	}
	err = l.putPolicyText(ctx, &l.administrator, p.Text())
	return err == nil, err
}

// policyShape turns an error of the editor into an error of this package.
func policyShape(err error) error {
	if errors.Is(err, keypolicy.ErrForm) {
		return fmt.Errorf("%w: %w", ErrPolicyShape, err)
	}
	return err
}

// grants are the ids of the lab's grants for the principal.
func (l *Lab) grants(ctx context.Context, who string) ([]string, error) {
	var ids []string
	pages := kms.NewListGrantsPaginator(l.administrator.kms,
		&kms.ListGrantsInput{KeyId: aws.String(l.keyARN), GranteePrincipal: aws.String(who)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range page.Grants {
			if aws.ToString(g.Name) == grantName && aws.ToString(g.GranteePrincipal) == who {
				ids = append(ids, aws.ToString(g.GrantId))
			}
		}
	}
	return ids, nil
}

func (l *Lab) revokeGrants(ctx context.Context, who string) (bool, error) {
	ids, err := l.grants(ctx, who)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		if _, err := l.administrator.kms.RevokeGrant(ctx,
			&kms.RevokeGrantInput{KeyId: aws.String(l.keyARN), GrantId: aws.String(id)}); err != nil {
			return false, err
		}
	}
	return len(ids) > 0, nil
}
