// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/labsetup/internal/shell"
)

// readsTable and opensItem are checks of the user on the two tables of the core
// path.
func (l *Lab) readsTable(id, expected, why string) labStep {
	return sees(id, "user reads the server-side table", UserName, ModeServer, expected, why,
		getAs(asUser, ServerTable), l.reads(&l.user, ServerTable))
}

func (l *Lab) opensItem(id, expected, why string) labStep {
	return sees(id, "user tries to decrypt the client-side item", UserName, ModeClient, expected, why,
		openCLI(asUser, ModeClient), l.reads(&l.user, ClientTable))
}

const takesMinutes = " On AWS this can show five or six minutes late: DynamoDB keeps a table's key that long for " +
	"each caller."

// giveChapter gives access the way of the written lab, and takes it back.
func (l *Lab) giveChapter() chapter {
	return chapter{chapterGive, []labStep{
		does("key-user", "name the user as key user",
			"This is what the KMS console does when you add a key user: the user's ARN goes into the third and the "+
				"fourth statement. The third allows kms:Decrypt. The tables do not change.",
			putPolicyCLI(func(p *keypolicy.Console) {
				p.Users, p.Attachers = append(p.Users, shellUser), append(p.Attachers, shellUser)
			}), doing(l.addKeyUser)).found(l.lookGiven(true), l.keepPolicies).kept(),
		l.readsTable("key-user-server", SeesPlaintext,
			"Only the key policy has changed: KMS now allows what DynamoDB asks for the user."),
		l.opensItem("key-user-client", SeesPlaintext,
			"The same key policy decides: KMS now decrypts the data key of the item for the user."),
		does("key-user-undone", "undo the change", "The key policy is again what it was before the change.",
			putPolicyCLI(nil), doing(l.undoKeyUser)).found(l.lookGiven(false), nil).kept(),
		l.readsTable("key-user-server-gone", DeniedDecrypt,
			"We removed the user from both statements and tried again: denied. So the key policy alone had given "+
				"the permission."+
				takesMinutes),
		l.opensItem("key-user-client-gone", DeniedDecrypt,
			"No cache of DynamoDB delays this denial: the program asks KMS itself. What the user has read before "+
				"stays read."),
	}}
}

// accessChapter shows the other ways to give access, each working and then
// withdrawn.
func (l *Lab) accessChapter() chapter {
	plus := func(id, title, why string, s keypolicy.Statement) labStep {
		return does(id, title, why, plusCLI(shellUser, s), l.setPolicy(func() keypolicy.Console {
			p := l.basePolicy()
			s.Principal = keypolicy.Principals{l.userARN} // known only now
			p.Extra = []keypolicy.Statement{s}
			return p
		}))
	}
	withdraw := func(id string) labStep {
		return does(id, "withdraw it", "The key policy is again the one from the beginning.", putPolicyCLI(nil),
			l.setPolicy(l.basePolicy))
	}
	only := func(key, value string) map[string]map[string]string {
		return map[string]map[string]string{"StringEquals": {key: value}}
	}
	steps := []labStep{
		does("ways-message", "encrypt a message with KMS itself",
			"Later steps of this chapter ask KMS itself to decrypt this message.",
			encryptCLI, doing(l.encryptMessage)),

		plus("scoped", "add a statement for the user's ARN alone",
			"It allows kms:Decrypt and kms:DescribeKey, and no administration.", allow(scopedSid, "", nil)),
		l.readsTable("scoped-server", SeesPlaintext, "kms:Decrypt is all that DynamoDB asks of a caller."),
		sees("scoped-administers", "user tries to write the key policy", UserName, ModeDirect, deniedPutPolicy,
			"The statement does not allow kms:PutKeyPolicy, so the user cannot widen it.", putPolicyCLI(nil)+asUser,
			l.writesPolicy(&l.user)),
		withdraw("scoped-withdrawn"),
		l.readsTable("scoped-server-gone", DeniedDecrypt,
			"We removed the statement and tried again: denied. So that statement alone had given the permission."+
				takesMinutes),
	}
	steps = append(steps, l.iamPolicySteps()...)
	steps = append(steps, l.grantSteps()...)
	steps = append(steps, l.roleSteps(withdraw("role-withdrawn"))...)
	deny := keypolicy.Statement{Sid: "Deny the user", Effect: "Deny", Action: keypolicy.Strings{"kms:Decrypt"},
		Resource: "*"}
	return chapter{"Ways to give access", append(steps,
		does("deny", "allow and deny the user at once",
			"One statement makes the user a key user, and another denies them kms:Decrypt.",
			putPolicyCLI(func(p *keypolicy.Console) {
				d := deny
				d.Principal = keypolicy.Principals{shellUser}
				p.Users, p.Extra = append(p.Users, shellUser), []keypolicy.Statement{d}
			}), l.setPolicy(func() keypolicy.Console {
				p := l.basePolicy()
				p.Users = append(p.Users, l.userARN)
				d := deny
				d.Principal = keypolicy.Principals{l.userARN}
				p.Extra = []keypolicy.Statement{d}
				return p
			})),
		l.readsTable("deny-server", DeniedDecrypt, "An explicit Deny wins over every Allow."),
		l.opensItem("deny-client", DeniedDecrypt, "The Deny holds for direct calls as well."),
		withdraw("deny-withdrawn"),

		plus("via", "allow the user to decrypt through DynamoDB only",
			"The condition kms:ViaService names the service that has to ask.", allow("Allow through DynamoDB", "",
				only("kms:ViaService", "dynamodb."+l.region+".amazonaws.com"))),
		l.readsTable("via-server", SeesPlaintext, "DynamoDB asks KMS on the user's behalf, so the condition holds."),
		l.opensItem("via-client", DeniedDecrypt,
			"The program asks KMS directly. No service stands between, so the condition does not hold."),
		withdraw("via-withdrawn"),

		plus("context", "allow the user one client-side table's items only",
			"Client-side encryption binds the table's name to each item as encryption context. The condition "+
				"demands it.",
			allow("Allow one table's items", "", only("kms:EncryptionContext:aws-crypto-table-name",
				l.actual(ClientTable)))),
		l.opensItem("context-client", SeesPlaintext, "The context of this item names the table of the condition."),
		sees("context-other", "user tries to decrypt the item of the other client-side table", UserName, ModeClient,
			DeniedDecrypt, "The context of that item names another table, so the statement does not apply.",
			readCLI(asUser, OtherTable, ModeClient), l.reads(&l.user, OtherTable)),
		l.readsTable("context-server", DeniedDecrypt,
			"DynamoDB sends a context of its own, aws:dynamodb:tableName. It has no aws-crypto-table-name."),
		withdraw("context-withdrawn"),
	)}
}

// iamPolicySteps give access without the key policy, which the first statement
// makes possible.
func (l *Lab) iamPolicySteps() []labStep {
	const name = "decrypt"
	return []labStep{
		does("iam-policy", "allow the user kms:Decrypt on the key by an IAM policy",
			"The key policy stays as it is. IAM policies are attached to users, groups and roles, never to keys.",
			userPolicyCLI(UserName, name, "kms:Decrypt"), doing(func(ctx context.Context) error {
				_, err := l.iam().PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String(l.actual(UserName)),
					PolicyName: aws.String(name), PolicyDocument: aws.String(shell.Allow("kms:Decrypt", l.keyARN))})
				return err
			})),
		l.readsTable("iam-policy-server", SeesPlaintext,
			"The first statement of the key policy lets IAM policies count. So a key policy that names no user can "+
				"still admit everybody to whom IAM gives kms:Decrypt."),
		does("iam-policy-withdrawn", "withdraw it", "The user has the managed policy for DynamoDB again, and no other.",
			"aws iam delete-user-policy --user-name "+UserName+" --policy-name "+name,
			doing(func(ctx context.Context) error {
				_, err := l.iam().DeleteUserPolicy(ctx,
					&iam.DeleteUserPolicyInput{UserName: aws.String(l.actual(UserName)), PolicyName: aws.String(name)})
				return err
			})),
		l.readsTable("iam-policy-gone", DeniedDecrypt,
			"We removed the IAM policy and tried again: denied. So that policy alone had given the permission."),
	}
}

func (l *Lab) grantSteps() []labStep {
	u := &l.user
	direct := func(id, title, expected, why, cli string, do action) labStep {
		return sees(id, title, UserName, ModeDirect, expected, why, cli+asUser, do)
	}
	return []labStep{
		does("grant", "make a grant for kms:Decrypt",
			"A grant is for temporary use. A program can make and revoke it without touching the key policy.",
			`GRANT=$(aws kms create-grant --key-id "$KEY" --grantee-principal "`+shellUser+`" \`+"\n"+
				"  --operations Decrypt --name "+grantName+" --query GrantId --output text)", doing(l.makeGrant)),
		direct("grant-decrypts", "user decrypts the message", allowed, "Decrypt is the operation of the grant.",
			decryptCLI, l.decrypts(u)),
		direct("grant-encrypts", "user encrypts a message", deniedEncrypt, "The grant has no other operation.",
			encryptWith, l.encrypts(u)),
		l.readsTable("grant-server", SeesPlaintext,
			"The same grant opens the table, for writing too: DynamoDB asks a caller for kms:Decrypt only."),
		does("grant-revoked", "revoke the grant", "The grant ends. The key policy has never changed.",
			`aws kms revoke-grant --key-id "$KEY" --grant-id "$GRANT"`, doing(l.revokeGrant)),
		direct("grant-gone", "user decrypts the message", DeniedDecrypt,
			"We revoked the grant and tried again: denied. So the grant alone had given the permission.", decryptCLI,
			l.decrypts(u)),
	}
}

func (l *Lab) roleSteps(withdrawn labStep) []labStep {
	role := func(id, title, mode, table, expected, why string) labStep {
		cli := readCLI(asRole, table, mode)
		if mode == ModeClient { // this program takes the session's credentials from the environment
			cli = `(eval "$(aws configure export-credentials --format env` + asRole + `)"; ` + openCLI("", mode) + ")"
		}
		return sees(id, title, RoleName, mode, expected, why, cli, l.readsAsRole(table))
	}
	return []labStep{
		does("role", "make a role that is key user, which the user may assume",
			"The key policy names the role only, so it stays the same when people come and go.",
			"aws iam create-role --role-name "+RoleName+" --tags Key="+labTag+",Value="+labTagValue+
				" --assume-role-policy-document "+shell.Heredoc(trustOf(shellUser))+"\n"+
				"aws iam attach-role-policy --role-name "+RoleName+" --policy-arn "+l.fullAccess+"\n"+
				putPolicyCLI(func(p *keypolicy.Console) {
					p.Users, p.Attachers = append(p.Users, shellRole), append(p.Attachers, shellRole)
				}), doing(l.makeRole)),
		l.readsTable("role-not-assumed", DeniedDecrypt,
			"The user has not assumed the role yet, and only the role is key user."),
		does("role-assumed", "user assumes the role",
			"The user gets credentials of the role, which are valid for an hour.",
			`aws configure set role_arn "`+shellRole+`" --profile `+RoleName+"\naws configure set source_profile "+
				UserName+" --profile "+RoleName+"\naws sts get-caller-identity"+asRole, doing(l.assumeRole)),
		role("role-server", "the role reads the server-side table", ModeServer, ServerTable, SeesPlaintext,
			"KMS sees the role, and the role is key user."),
		role("role-client", "the role decrypts the client-side item", ModeClient, ClientTable, SeesPlaintext,
			"The role is key user for direct calls too."),
		withdrawn,
		role("role-gone", "the role reads the server-side table", ModeServer, ServerTable, DeniedDecrypt,
			"The session goes on, and its right to the key is gone."+takesMinutes),
	}
}

// addKeyUser keeps the policies before and after for the report.
func (l *Lab) addKeyUser(ctx context.Context) error {
	before, err := l.policyText(ctx)
	if err != nil {
		return err
	}
	if l.cfg.ByHand { // the policy may be more than the lab has written
		_, err = l.addToPolicy(ctx, l.userARN)
	} else {
		p := l.basePolicy()
		p.Users, p.Attachers = append(p.Users, l.userARN), append(p.Attachers, l.userARN)
		err = l.putPolicy(ctx, p)
	}
	if err != nil {
		return err
	}
	after, err := l.policyText(ctx)
	if err != nil {
		return err
	}
	l.notePolicies(before, after)
	return nil
}

// notePolicies keeps the policies without the user and with them for the report.
func (l *Lab) notePolicies(before, after string) {
	l.report.PolicyBefore, l.report.PolicyAfter = before, after
	l.report.PolicyDiff = keypolicy.Unified(before, after)
}

var errPolicyDiffers = errors.New("the key policy is not what it was before")

// undoKeyUser puts the recorded policy back and compares, element by element. With
// Config.ByHand it takes the user out of the policy as it is.
func (l *Lab) undoKeyUser(ctx context.Context) error {
	if l.cfg.ByHand {
		if _, err := l.withdraw(ctx, l.userARN, keypolicy.SidUsers, keypolicy.SidAttachment); err != nil {
			return err
		}
		f, err := l.lookGiven(false)(ctx)
		if err == nil && !f.Done {
			err = fmt.Errorf("%w: %s", errPolicyDiffers, f.Text)
		}
		return err
	}
	if err := l.putPolicyText(ctx, &l.administrator, l.report.PolicyBefore); err != nil {
		return err
	}
	now, err := l.policyText(ctx)
	if err != nil {
		return err
	}
	if now != l.report.PolicyBefore {
		return errPolicyDiffers
	}
	return nil
}

// keyPolicy reads the key policy as KMS has it.
func (l *Lab) keyPolicy(ctx context.Context) (string, error) {
	out, err := l.administrator.kms.GetKeyPolicy(ctx,
		&kms.GetKeyPolicyInput{KeyId: aws.String(l.keyARN), PolicyName: aws.String(policyName)})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy), nil
}

// policyText reads the key policy in one fixed layout: KMS returns a single
// principal as a string whatever was written, and in its own layout.
func (l *Lab) policyText(ctx context.Context) (string, error) {
	text, err := l.keyPolicy(ctx)
	return keypolicy.Layout(text), err
}

func (l *Lab) writesPolicy(p *principal) action {
	return func(ctx context.Context) (string, error) {
		return allowed, l.putPolicyText(ctx, p, l.basePolicy().Text())
	}
}

func (l *Lab) makeGrant(ctx context.Context) error {
	out, err := l.administrator.kms.CreateGrant(ctx,
		&kms.CreateGrantInput{KeyId: aws.String(l.keyARN), GranteePrincipal: aws.String(l.userARN),
			Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt}, Name: aws.String(grantName)})
	if err != nil {
		return err
	}
	l.grantID = aws.ToString(out.GrantId)
	return nil
}

func (l *Lab) revokeGrant(ctx context.Context) error {
	_, err := l.administrator.kms.RevokeGrant(ctx,
		&kms.RevokeGrantInput{KeyId: aws.String(l.keyARN), GrantId: aws.String(l.grantID)})
	return err
}

// makeRole creates the role, gives it DynamoDB, and names it as key user.
func (l *Lab) makeRole(ctx context.Context) error {
	client := l.iam()
	trust := trustOf(l.userARN)
	made, err := client.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String(RoleName), AssumeRolePolicyDocument: aws.String(trust),
			Tags: iamTags()})
	var exists *iamtypes.EntityAlreadyExistsException
	switch {
	case err == nil:
		l.roleARN = aws.ToString(made.Role.Arn)
	case errors.As(err, &exists):
		if err := l.checkRoleOurs(ctx); err != nil {
			return err
		}
		found, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(RoleName)})
		if err != nil {
			return err
		}
		l.roleARN = aws.ToString(found.Role.Arn)
		// A user who was deleted and made again has another unique id, so the trust must be renewed.
		if _, err := client.UpdateAssumeRolePolicy(ctx,
			&iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(RoleName),
				PolicyDocument: aws.String(trust)}); err != nil {
			return err
		}
	default:
		return err
	}
	if _, err := client.AttachRolePolicy(ctx,
		&iam.AttachRolePolicyInput{RoleName: aws.String(RoleName), PolicyArn: aws.String(l.fullAccess)}); err != nil {
		return err
	}
	p := l.basePolicy()
	p.Users, p.Attachers = append(p.Users, l.roleARN), append(p.Attachers, l.roleARN)
	return l.putPolicy(ctx, p)
}

// trustOf is the trust policy of a role that one principal may assume.
func trustOf(arn string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + arn +
		`"},"Action":"sts:AssumeRole"}]}`
}

func (l *Lab) checkRoleOurs(ctx context.Context) error {
	tags, err := l.iam().ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: aws.String(RoleName)})
	if err != nil {
		return err
	}
	if !marked(tags.Tags, func(t iamtypes.Tag) (name, value *string) { return t.Key, t.Value }) {
		return fmt.Errorf("role %s %w", RoleName, ErrNotOurs)
	}
	return nil
}

func (l *Lab) assumeRole(ctx context.Context) error {
	out, err := l.user.sts.AssumeRole(ctx,
		&sts.AssumeRoleInput{RoleArn: aws.String(l.roleARN), RoleSessionName: aws.String("lab")})
	if err != nil {
		return err
	}
	c := out.Credentials
	l.role = newPrincipal(l.cfg.As(aws.Credentials{AccessKeyID: aws.ToString(c.AccessKeyId),
		SecretAccessKey: aws.ToString(c.SecretAccessKey), SessionToken: aws.ToString(c.SessionToken)}))
	return l.openTables(&l.role)
}

func (l *Lab) readsAsRole(table string) action { return l.reads(&l.role, table) }
