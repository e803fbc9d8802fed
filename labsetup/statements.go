// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/labsetup/internal/shell"
)

const probeTable = "nextwork-probe-table"

// statementChapter takes the four statements one by one: what each allows, and
// that it is gone without it. A second user, who has no right to the key,
// tries.
func (l *Lab) statementChapter() chapter {
	p := &l.probe
	set := func(id, title, why string, change func(c *keypolicy.Console, probe string)) labStep {
		return does(id, title, why, putPolicyCLI(func(c *keypolicy.Console) { change(c, shellProbe) }),
			l.setPolicy(func() keypolicy.Console {
				s := l.basePolicy()
				change(&s, l.probeARN)
				return s
			}))
	}
	probes := func(id, title, expected, why, cli string, do action) labStep {
		return sees(id, title, ProbeName, ModeDirect, expected, why, cli, do)
	}
	attachment := func(verb string) string {
		return "aws iam " + verb + "-user-policy --user-name " + ProbeName + " --policy-arn " + l.fullAccess
	}
	none := func(*keypolicy.Console, string) {}
	describe, rotation, decrypt := l.describesKey(p), l.seesRotation(p), l.decrypts(p)
	const (
		describeCLI = `aws kms describe-key --key-id "$KEY"` + asProbe
		rotationCLI = `aws kms get-key-rotation-status --key-id "$KEY"` + asProbe
		tableCLI    = "aws dynamodb create-table --table-name " + probeTable + " \\\n" +
			"  --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH " +
			"\\\n" +
			"  --billing-mode PAY_PER_REQUEST --tags Key=" + labTag + ",Value=" + labTagValue + " \\\n" +
			`  --sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId="$KEY"` + asProbe
	)
	c := chapter{"The four statements of the key policy", []labStep{
		does("probe", "make a second user, who may use DynamoDB too",
			"This user tries each statement. The first user stays as they are.",
			"aws iam create-user --user-name "+ProbeName+" --tags Key="+labTag+",Value="+labTagValue+"\n"+
				attachment("attach")+"\n"+shell.Profile(ProbeName), doing(l.makeProbe)),
		does("message", "encrypt a message with KMS itself",
			"Later steps of this chapter ask KMS itself to decrypt this message.",
			encryptCLI, doing(l.encryptMessage)),

		does("probe-iam", "allow the second user kms:DescribeKey, and nothing else, by an IAM policy",
			"The key policy does not name this user. The only right to the key is in this IAM policy.",
			userPolicyCLI(ProbeName, probePolicy, "kms:DescribeKey")+"\n"+attachment("detach"), doing(l.allowProbe)),
		probes("root-with", "describe the key, by an IAM policy", allowed,
			"“Enable IAM User Permissions” makes the IAM policies of the account count for this key. So anyone "+
				"who can write IAM policies here can give themselves the key.", describeCLI, describe),
		set("root-removed", "remove the first statement", "The IAM policy of the second user stays as it is.",
			func(s *keypolicy.Console, _ string) { s.WithoutRoot = true }),
		probes("root-without", "describe the key, by an IAM policy", deniedDescribe,
			"We removed the statement and tried again: denied. So that statement alone had let the IAM policy count.",
			describeCLI, describe),
		does("probe-iam-removed", "put the statement back and take the IAM policy away",
			"The second user is back where they began: DynamoDB, and no key.",
			putPolicyCLI(nil)+"\naws iam delete-user-policy --user-name "+ProbeName+" --policy-name "+probePolicy+"\n"+
				attachment("attach"), doing(func(ctx context.Context) error {
				return errors.Join(l.putPolicy(ctx, l.basePolicy()), l.disallowProbe(ctx))
			})),

		set("administrators-with", "name the second user as key administrator",
			"They are now in “Allow access for Key Administrators”, and in no other statement.",
			func(s *keypolicy.Console, probe string) { s.Administrators = append(s.Administrators, probe) }),
		probes("administrator-manages", "ask whether the key rotates", allowed,
			"“Allow access for Key Administrators” lets them manage the key.", rotationCLI, rotation),
		probes("administrator-decrypts", "decrypt as key administrator", DeniedDecrypt,
			"Managing a key is not using it. But a key administrator can write the key policy and name themselves "+
				"in it, so choose only administrators whom you trust with the data.", decryptCLI+asProbe, decrypt),
		set("administrators-without", "remove the second user from the statement", "No statement names them any more.",
			none),
		probes("stranger-manages", "ask whether the key rotates", deniedRotation,
			"We removed them from the statement and tried again: denied. So that statement alone had given the "+
				"permission.",
			rotationCLI, rotation),

		set("use-with", "name the second user as key user",
			"They are now in “Allow use of the key”, the third statement, and not in the fourth.",
			func(s *keypolicy.Console, probe string) { s.Users = append(s.Users, probe) }),
		probes("use-decrypts", "decrypt as key user", allowed, "“Allow use of the key” lets them encrypt and decrypt.",
			decryptCLI+asProbe, decrypt),
		probes("use-attaches", "make a table under the key", deniedGrant,
			"DynamoDB needs a grant of its own to work with the key later. Making one needs the fourth statement.",
			tableCLI, l.makesTableUnderKey),
		set("attach-with", "name the second user in the fourth statement too",
			"“Allow attachment of persistent resources” allows kms:CreateGrant, if an AWS service asks.",
			func(s *keypolicy.Console, probe string) {
				s.Users, s.Attachers = append(s.Users, probe), append(s.Attachers, probe)
			}),
		probes("attach-makes", "make a table under the key", allowed,
			"The fourth statement lets DynamoDB make its grant on their behalf.", tableCLI, l.makesTableUnderKey),
		probes("attach-direct", "make a grant directly", deniedGrant,
			"The condition kms:GrantIsForAWSResource holds only when an AWS service asks. A key user cannot make "+
				"grants for other users.", `aws kms create-grant --key-id "$KEY" --grantee-principal "`+shellProbe+
				`" --operations Decrypt`+asProbe, l.grantsItself),
		set("use-without", "remove the second user from both", "No statement names them any more.", none),
		probes("use-denied", "decrypt", DeniedDecrypt,
			"We removed them from both statements and tried again: denied. So the third statement alone had "+
				"allowed kms:Decrypt; the fourth allows grants only.", decryptCLI+asProbe, decrypt),
		does("probe-table-removed", "remove the second user's table",
			"Deleting a table needs no right to its key. DynamoDB retires its grant.",
			"aws dynamodb delete-table --table-name "+probeTable,
			doing(func(ctx context.Context) error { return l.deleteTable(ctx, probeTable) })),
	}}
	if strings.HasSuffix(l.caller, ":root") { // see Run
		c.steps = slices.DeleteFunc(c.steps,
			func(s labStep) bool { return s.ID == "root-removed" || s.ID == "root-without" })
	}
	return c
}

func (l *Lab) makeProbe(ctx context.Context) (err error) {
	if l.probeARN, err = l.ensureUser(ctx, ProbeName); err != nil {
		return err
	}
	if _, err := l.iam().AttachUserPolicy(ctx,
		&iam.AttachUserPolicyInput{UserName: aws.String(ProbeName), PolicyArn: aws.String(l.fullAccess)}); err != nil {
		return err
	}
	if l.probe, err = l.newAccessKey(ctx, ProbeName); err != nil {
		return err
	}
	return l.openTables(&l.probe)
}

const probePolicy = "describe"

func (l *Lab) allowProbe(ctx context.Context) error {
	_, err := l.iam().PutUserPolicy(ctx,
		&iam.PutUserPolicyInput{UserName: aws.String(ProbeName), PolicyName: aws.String(probePolicy),
			PolicyDocument: aws.String(shell.Allow("kms:DescribeKey", l.keyARN))})
	if err != nil {
		return err
	}
	// The managed policy has kms:DescribeKey too: it goes while this one shows
	// what an IAM policy of its own does.
	_, err = l.iam().DetachUserPolicy(ctx,
		&iam.DetachUserPolicyInput{UserName: aws.String(ProbeName), PolicyArn: aws.String(l.fullAccess)})
	return err
}

func (l *Lab) disallowProbe(ctx context.Context) error {
	_, err := l.iam().DeleteUserPolicy(ctx,
		&iam.DeleteUserPolicyInput{UserName: aws.String(ProbeName), PolicyName: aws.String(probePolicy)})
	if err != nil {
		return err
	}
	_, err = l.iam().AttachUserPolicy(ctx,
		&iam.AttachUserPolicyInput{UserName: aws.String(ProbeName), PolicyArn: aws.String(l.fullAccess)})
	return err
}

func messageContext() map[string]string { return map[string]string{"lab": labTagValue} }

const message = "hello from the lab"

func (l *Lab) encryptMessage(ctx context.Context) error {
	out, err := l.administrator.kms.Encrypt(ctx,
		&kms.EncryptInput{KeyId: aws.String(l.keyARN), Plaintext: []byte(message), EncryptionContext: messageContext()})
	if err != nil {
		return err
	}
	l.ciphertext = out.CiphertextBlob
	return nil
}

// decrypts opens the message as p.
func (l *Lab) decrypts(p *principal) action {
	return func(ctx context.Context) (string, error) {
		out, err := p.kms.Decrypt(ctx,
			&kms.DecryptInput{KeyId: aws.String(l.keyARN), CiphertextBlob: l.ciphertext,
				EncryptionContext: messageContext()})
		if err == nil && string(out.Plaintext) != message {
			return "another message", nil
		}
		return allowed, err
	}
}

// encrypts encrypts something as p.
func (l *Lab) encrypts(p *principal) action {
	return func(ctx context.Context) (string, error) {
		_, err := p.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(l.keyARN), Plaintext: []byte(message)})
		return allowed, err
	}
}

func (l *Lab) describesKey(p *principal) action {
	return func(ctx context.Context) (string, error) {
		_, err := p.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(l.keyARN)})
		return allowed, err
	}
}

func (l *Lab) seesRotation(p *principal) action {
	return func(ctx context.Context) (string, error) {
		_, err := p.kms.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: aws.String(l.keyARN)})
		return allowed, err
	}
}

// makesTableUnderKey creates a table as the second user. One that an earlier try
// has left would prove nothing: it is deleted first.
func (l *Lab) makesTableUnderKey(ctx context.Context) (string, error) {
	if err := l.deleteTable(ctx, probeTable); err != nil {
		return "", err
	}
	return allowed, createTable(ctx, l.probe.ddb, probeTable,
		&ddbtypes.SSESpecification{Enabled: aws.Bool(true), SSEType: ddbtypes.SSETypeKms,
			KMSMasterKeyId: aws.String(l.keyARN)})
}

func (l *Lab) grantsItself(ctx context.Context) (string, error) {
	_, err := l.probe.kms.CreateGrant(ctx,
		&kms.CreateGrantInput{KeyId: aws.String(l.keyARN), GranteePrincipal: aws.String(l.probeARN),
			Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt}})
	return allowed, err
}

// deleteTable deletes one of the lab's tables; a missing one is fine.
func (l *Lab) deleteTable(ctx context.Context, name string) error {
	var missing *ddbtypes.ResourceNotFoundException
	name = l.actual(name)
	err := l.checkTableOurs(ctx, name)
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = l.administrator.ddb.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(name)})
	if errors.As(err, &missing) {
		return nil
	}
	return err
}
