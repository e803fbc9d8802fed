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
)

// accessChapter shows the ways to give access, each working and then
// withdrawn.
func (l *Lab) accessChapter() chapter {
	u := &l.user
	policyCLI := "aws kms put-key-policy --key-id KEY --policy file://policy.json"
	plus := func(s ...keypolicy.Statement) action {
		return l.setPolicy(func() keypolicy.Console {
			p := l.basePolicy()
			p.Extra = s
			for i := range p.Extra { // ARNs are known only now
				p.Extra[i].Principal = keypolicy.Principals{l.userARN}
			}
			return p
		})
	}
	withdraw := func(id string) labStep {
		return does(id, "withdraw it", "", policyCLI, l.setPolicy(l.basePolicy))
	}
	server := func(id, expected, why string) labStep {
		return sees(id, "user reads the server-side table", UserName, ModeServer, expected, why, getCLI(ServerTable),
			l.reads(u, ServerTable))
	}
	client := func(id, expected, why string) labStep {
		return sees(id, "user decrypts the client-side item", UserName, ModeClient, expected, why, decryptItemCLI,
			l.reads(u, ClientTable))
	}
	direct := func(id, title, expected, why, cli string, do action) labStep {
		return sees(id, title, UserName, ModeDirect, expected, why, cli, do)
	}
	only := func(operator, key, value string) map[string]map[string]string {
		return map[string]map[string]string{operator: {key: value}}
	}
	deny := keypolicy.Statement{Sid: "Deny the user", Effect: "Deny", Action: keypolicy.Strings{"kms:Decrypt"},
		Resource: "*"}
	return chapter{"Ways to give access", []labStep{
		does("key-user", "name the user as key user",
			"The lab's way: in both statements that the console keeps for key users.", policyCLI, doing(l.addKeyUser)),
		server("key-user-server", SeesPlaintext, "Nothing but the key policy has changed."),
		client("key-user-client", SeesPlaintext, "One policy opens both."),
		sees("key-user-both", "user reads the table with both", UserName, ModeBoth, SeesPlaintext,
			"And both locks at once.", getCLI(BothTable), l.reads(u, BothTable)),
		does("key-user-undone", "undo the change", "The policy is again what it was, to the element.", policyCLI,
			doing(l.undoKeyUser)),
		server("key-user-server-gone", DeniedDecrypt,
			"On AWS this takes some minutes to show: DynamoDB caches a table's key for each caller."),
		client("key-user-client-gone", DeniedDecrypt, "KMS asked directly knows at once."),

		does("scoped", "add a statement for the user's ARN alone",
			"Decrypt and nothing else: no administration, no grants.", policyCLI, plus(allow(scopedSid, "", nil))),
		server("scoped-server", SeesPlaintext, "Decrypt is all that DynamoDB asks of a caller."),
		direct("scoped-administers", "user tries to write the key policy", deniedPutPolicy,
			"No right to administer came with it.", policyCLI, l.writesPolicy(u)),
		withdraw("scoped-withdrawn"),
		server("scoped-server-gone", DeniedDecrypt, "Without the statement the right is gone."),

		does("grant", "make a grant for kms:Decrypt",
			"For temporary use: given and revoked without touching the policy.",
			"aws kms create-grant --key-id KEY --grantee-principal USER --operations Decrypt", doing(l.makeGrant)),
		direct("grant-decrypts", "user decrypts directly", allowed, "The grant's operation…", decryptCLI,
			l.decrypts(u)),
		direct("grant-encrypts", "user encrypts directly", deniedEncrypt, "…and no other.", encryptCLI, l.encrypts(u)),
		server("grant-server", SeesPlaintext,
			"The same right opens the table, for writing too, since DynamoDB asks for Decrypt only."),
		does("grant-revoked", "revoke the grant", "", "aws kms revoke-grant --key-id KEY --grant-id GRANT",
			doing(l.revokeGrant)),
		direct("grant-gone", "user decrypts directly", DeniedDecrypt,
			"A revoked grant is gone; the key policy was never touched.", decryptCLI, l.decrypts(u)),

		does("role", "make a role that is key user, which the user may assume",
			"People come and go, the policy names the role.",
			"aws iam create-role --role-name "+RoleName+" --assume-role-policy-document file://trust.json",
			doing(l.makeRole)),
		server("role-not-assumed", DeniedDecrypt, "As themselves the user is denied."),
		does("role-assumed", "user assumes the role", "", "aws sts assume-role --role-arn ROLE --role-session-name lab",
			doing(l.assumeRole)),
		sees("role-server", "the role reads the server-side table", RoleName, ModeServer, SeesPlaintext,
			"As the role, allowed.", getCLI(ServerTable), l.readsAsRole(ServerTable)),
		sees("role-client", "the role decrypts the client-side item", RoleName, ModeClient, SeesPlaintext,
			"The role is key user for direct calls too.", decryptItemCLI, l.readsAsRole(ClientTable)),
		withdraw("role-withdrawn"),
		sees("role-gone", "the role reads the server-side table", RoleName, ModeServer, DeniedDecrypt,
			"The session goes on; its right to the key does not.", getCLI(ServerTable), l.readsAsRole(ServerTable)),

		does("deny", "allow and deny the user at once", "A key user by one statement, denied by another.", policyCLI,
			l.setPolicy(func() keypolicy.Console {
				p := l.basePolicy()
				p.Users = append(p.Users, l.userARN)
				d := deny
				d.Principal = keypolicy.Principals{l.userARN}
				p.Extra = []keypolicy.Statement{d}
				return p
			})),
		server("deny-server", DeniedDecrypt, "An explicit deny wins over every allow."),
		client("deny-client", DeniedDecrypt, "For direct calls as well."),
		withdraw("deny-withdrawn"),

		does("via", "allow the user to decrypt through DynamoDB only", "Condition kms:ViaService.", policyCLI,
			plus(allow("Allow through DynamoDB", "",
				only("StringEquals", "kms:ViaService", "dynamodb."+l.region+".amazonaws.com")))),
		server("via-server", SeesPlaintext, "DynamoDB asks on the user's behalf: allowed."),
		client("via-client", DeniedDecrypt, "The client-side library asks KMS directly: denied."),
		withdraw("via-withdrawn"),

		does("context", "allow the user one table's items only",
			"Condition on the encryption context that client-side encryption binds to each item.", policyCLI,
			plus(allow("Allow one table's items", "",
				only("StringEquals", "kms:EncryptionContext:aws-crypto-table-name", ClientTable)))),
		client("context-client", SeesPlaintext, "The item's context names its table: allowed."),
		sees("context-both", "user reads the other client-side table", UserName, ModeBoth, DeniedDecrypt,
			"Another table, another context: denied.", getCLI(BothTable), l.reads(u, BothTable)),
		server("context-server", DeniedDecrypt, "DynamoDB's own context names no such table: denied."),
		withdraw("context-withdrawn"),
	}}
}

// addKeyUser keeps the policies before and after for the report.
func (l *Lab) addKeyUser(ctx context.Context) error {
	before, err := l.policyText(ctx)
	if err != nil {
		return err
	}
	p := l.basePolicy()
	p.Users, p.Attachers = append(p.Users, l.userARN), append(p.Attachers, l.userARN)
	if err := l.putPolicy(ctx, p); err != nil {
		return err
	}
	after, err := l.policyText(ctx)
	if err != nil {
		return err
	}
	l.report.PolicyBefore, l.report.PolicyAfter = before, after
	l.report.PolicyDiff = keypolicy.Unified(before, after)
	return nil
}

var errPolicyDiffers = errors.New("the key policy is not what it was before")

// undoKeyUser puts the recorded policy back and compares, element by element.
func (l *Lab) undoKeyUser(ctx context.Context) error {
	if _, err := l.administrator.kms.PutKeyPolicy(ctx,
		&kms.PutKeyPolicyInput{KeyId: aws.String(l.keyARN), Policy: aws.String(l.report.PolicyBefore)}); err != nil {
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
	out, err := l.administrator.kms.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: aws.String(l.keyARN)})
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
		_, err := p.kms.PutKeyPolicy(ctx,
			&kms.PutKeyPolicyInput{KeyId: aws.String(l.keyARN), Policy: aws.String(l.basePolicy().Text())})
		return allowed, err
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

// makeRole makes the role, gives it DynamoDB, and names it as key user.
func (l *Lab) makeRole(ctx context.Context) error {
	client := l.iam()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + l.userARN +
		`"},"Action":"sts:AssumeRole"}]}`
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
		// A user made anew has another unique id: the trust must be renewed.
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
