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
)

const probeTable = "nextwork-probe-table"

// statementChapter takes the four statements one by one: what each allows, and
// that it is gone without it. A second user, who has no right to the key,
// tries.
func (l *Lab) statementChapter() chapter {
	p := &l.probe
	with := func(change func(*keypolicy.Console)) func() keypolicy.Console {
		return func() keypolicy.Console {
			s := l.basePolicy()
			change(&s)
			return s
		}
	}
	policyCommand := func(verb string) string {
		return "aws iam " + verb + "-user-policy --user-name " + ProbeName + " --policy-arn " + l.fullAccess
	}
	policyCLI := "aws kms put-key-policy --key-id KEY --policy file://policy.json"
	set := func(id, title string, change func(*keypolicy.Console)) labStep {
		return does(id, title, "", policyCLI, l.setPolicy(with(change)))
	}
	probes := func(id, title, expected, why, cli string, do action) labStep {
		return sees(id, title, ProbeName, ModeDirect, expected, why, cli, do)
	}
	none := func(*keypolicy.Console) {}
	describe, rotation, decrypt := l.describesKey(p), l.seesRotation(p), l.decrypts(p)
	c := chapter{"The four statements of the key policy", []labStep{
		does("probe", "make a second user, who may use DynamoDB too", "",
			"aws iam create-user --user-name "+ProbeName+" && "+policyCommand("attach"), doing(l.makeProbe)),
		does("message", "encrypt a message directly with KMS", "What the direct calls of this lab decrypt.", encryptCLI,
			doing(l.encryptMessage)),

		does("probe-iam", "allow the second user kms:DescribeKey, and nothing else, by an IAM policy", "",
			"aws iam put-user-policy --user-name "+ProbeName+
				" --policy-name describe --policy-document file://describe.json && "+policyCommand("detach"),
			doing(l.allowProbe)),
		probes("root-with", "describe the key, by an IAM policy", allowed,
			"“Enable IAM User Permissions” makes IAM policies count for this key. So an administrator by IAM "+
				"policy, who is no key user, may use it too.", "aws kms describe-key --key-id KEY", describe),
		set("root-removed", "remove the statement", func(s *keypolicy.Console) { s.WithoutRoot = true }),
		probes("root-without", "describe the key, by an IAM policy", deniedDescribe,
			"Without it no IAM policy counts: the key policy alone decides.", "aws kms describe-key --key-id KEY",
			describe),
		does("probe-iam-removed", "put the statement back, take the IAM policy away", "",
			policyCLI+" && aws iam delete-user-policy --user-name "+ProbeName+" --policy-name describe && "+
				policyCommand("attach"), doing(func(ctx context.Context) error {
				return errors.Join(l.putPolicy(ctx, l.basePolicy()), l.disallowProbe(ctx))
			})),

		set("administrators-with", "name the second user as key administrator",
			func(s *keypolicy.Console) { s.Administrators = append(s.Administrators, l.probeARN) }),
		probes("administrator-manages", "ask whether the key rotates", allowed,
			"“Allow access for Key Administrators” lets them manage the key.",
			"aws kms get-key-rotation-status --key-id KEY", rotation),
		probes("administrator-decrypts", "decrypt as key administrator", DeniedDecrypt,
			"Managing a key is not using it. But who may write its policy can name themselves: trust administrators "+
				"accordingly.", decryptCLI, decrypt),
		set("administrators-without", "remove the second user from the statement", none),
		probes("stranger-manages", "ask whether the key rotates", deniedRotation, "Without it the right is gone.",
			"aws kms get-key-rotation-status --key-id KEY", rotation),

		set("use-with", "name the second user as key user",
			func(s *keypolicy.Console) { s.Users = append(s.Users, l.probeARN) }),
		probes("use-decrypts", "decrypt as key user", allowed, "“Allow use of the key” lets them encrypt and decrypt.",
			decryptCLI, decrypt),
		probes("use-attaches", "make a table under the key", deniedGrant,
			"Without the fourth statement a key user cannot hand the key to a service.",
			"aws dynamodb create-table --table-name "+probeTable+" --sse-specification …", l.makesTableUnderKey),
		set("attach-with", "name the second user in the fourth statement too", func(s *keypolicy.Console) {
			s.Users, s.Attachers = append(s.Users, l.probeARN), append(s.Attachers, l.probeARN)
		}),
		probes("attach-makes", "make a table under the key", allowed,
			"“Allow attachment of persistent resources” lets DynamoDB make its grant on their behalf.",
			"aws dynamodb create-table --table-name "+probeTable+" --sse-specification …", l.makesTableUnderKey),
		probes("attach-direct", "make a grant directly", deniedGrant,
			"kms:GrantIsForAWSResource holds only when a service asks: no grants to friends.",
			"aws kms create-grant --key-id KEY --grantee-principal USER --operations Decrypt", l.grantsItself),
		set("use-without", "remove the second user from both", none),
		probes("use-denied", "decrypt", DeniedDecrypt, "Without them the rights are gone.", decryptCLI, decrypt),
		does("probe-table-removed", "remove the second user's table", "",
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
			PolicyDocument: aws.String(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:DescribeKey","Resource":"` +
					l.keyARN + `"}]}`)})
	if err != nil {
		return err
	}
	// The managed policy has kms:DescribeKey too: it goes while this one shows
	// what an IAM policy of one's own does.
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

func (l *Lab) makesTableUnderKey(ctx context.Context) (string, error) {
	err := createTable(ctx, l.probe.ddb, probeTable,
		&ddbtypes.SSESpecification{Enabled: aws.Bool(true), SSEType: ddbtypes.SSETypeKms,
			KMSMasterKeyId: aws.String(l.keyARN)})
	var exists *ddbtypes.ResourceInUseException
	if errors.As(err, &exists) {
		err = nil
	}
	return allowed, err
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
