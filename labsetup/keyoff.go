// SPDX-License-Identifier: Apache-2.0

package labsetup

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/internal/keypolicy"
	"github.com/ddbseal/ddbseal/labsetup/internal/shell"
	"github.com/ddbseal/ddbseal/store"
)

// Names of what the chapter on taking the key off a table creates.
const (
	KeyOffTable = "nextwork-key-off-table" // under the key from its creation
	InsiderName = "nextwork-insider"       // may use the key and change tables

	asInsider     = " --profile " + InsiderName
	insiderSid    = "Allow the insider to decrypt"
	denyName      = "deny-update-table"
	unmeasured    = "(?)"
	answered      = "AWS answered: "
	deniedUpdate  = "denied dynamodb:UpdateTable"
	keyOffCLI     = "aws dynamodb update-table --table-name " + KeyOffTable + " --sse-specification Enabled=false"
	denyUpdateDoc = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"dynamodb:UpdateTable","Resource":"*"}]}`
)

// keyOffChapter takes a table off the key, which opens it to everybody who may use
// the table, and closes that way. The table is made under the key: DynamoDB allows
// four changes of a table's encryption in 24 hours, and this chapter needs them.
func (l *Lab) keyOffChapter() chapter {
	u, i := &l.user, &l.insider
	reads := func(id, expected, why string) labStep {
		return sees(id, "user reads the server-side table", UserName, ModeServer, expected, why,
			getAs(asUser, KeyOffTable), l.readsKeyOff(u))
	}
	return chapter{chapterKeyOff, []labStep{
		does("key-off-table", "make another server-side table under the key", "The table is a copy of the first one.",
			keyOffTableCLI(),
			doing(l.makeKeyOffTable)),
		does("key-off-insider", "make an insider, who may decrypt and do everything in DynamoDB",
			"Many applications are like this. They need kms:Decrypt to read the table, and got everything in "+
				"DynamoDB because that was simpler than a list of actions.",
			l.insiderCLI(), doing(l.makeInsider)),
		reads("key-off-before", DeniedDecrypt, "The user has no right to the key, so DynamoDB refuses."),
		l.measuresKeyOff(),
		does("key-off-taken", "the insider switches the table to the AWS owned key",
			"The key of a table is a setting of the table, and UpdateTable changes it. A policy can allow or deny "+
				"UpdateTable, but no condition key tells it which key the table will have.",
			keyOffCLI+asInsider, l.takesKeyOff(i)),
		reads("key-off-read", SeesPlaintext,
			"The key policy is as strict as before and protects nothing: the table is no longer under the key.").
			under(KeyOwned),
		sees("key-off-client-raw", "user reads the client-side item", UserName, ModeClient, SeesCiphertext,
			"A client-side table has no such setting. DynamoDB cannot decrypt its items, with or without a change "+
				"of the table.",
			getAs(asUser, ClientTable),
			l.readsRaw(u, ClientTable, ModeClient)),
		sees("key-off-client", "user opens the client-side item", UserName, ModeClient, DeniedDecrypt,
			"Opening it needs the key, and the key policy still decides about that.", decryptItemCLI,
			l.reads(u, ClientTable)),
		does("key-off-back", "put the table back under the key",
			"DynamoDB encrypts the items again under the key. The administrator may do that at any time.",
			"aws dynamodb update-table --table-name "+
				KeyOffTable+" --sse-specification Enabled=true,SSEType=KMS,KMSMasterKeyId=\"$KEY\"",
			l.encryptTable(KeyOffTable, func() string { return l.keyARN })),
		reads("key-off-closed", DeniedDecrypt, "The table is under the key again. What was read meanwhile stays read."),
		does("key-off-deny", "deny the insider dynamodb:UpdateTable",
			"An IAM policy, a resource policy of the table and an organization's service control policy can all hold "+
				"this Deny.", "aws iam put-user-policy --user-name "+InsiderName+" --policy-name "+denyName+
				" --policy-document '"+denyUpdateDoc+"'", doing(l.denyUpdate)),
		sees("key-off-denied", "the insider tries it again", InsiderName, ModeServer, deniedUpdate,
			"The Deny wins over every Allow, and the table stays under the key.", keyOffCLI+asInsider,
			l.isDeniedUpdate(i)),
		sees("key-off-works", "the insider reads the table", InsiderName, ModeServer, SeesPlaintext,
			"Reading and writing need no UpdateTable: the application does not notice.", getAs(asInsider, KeyOffTable),
			l.readsKeyOff(i)),
		does("key-off-over", "take the insider's statement out of the key policy",
			"The key policy is again as it was.",
			putPolicyCLI(nil), l.setPolicy(l.basePolicy)),
	}}
}

// measuresKeyOff is the one step without an expected answer: no source says
// whether AWS lets a caller without kms:Decrypt take the key off.
func (l *Lab) measuresKeyOff() labStep {
	step := sees("key-off-measured", "the user, without kms:Decrypt, tries to switch it", UserName, ModeServer,
		unmeasured,
		"AWS does not document whether a caller without kms:Decrypt may take the key off. It likely refuses, "+
			"because the change needs the old key. The embedded AWS does not guess, so the result here is (?); "+
			"'ddbseal lab --aws' tries it and reports the answer.",
		keyOffCLI+asUser, func(context.Context) (string, error) {
			return unmeasured, nil
		})
	if !l.cfg.Measure {
		return step
	}
	step.Expected, step.measures = answered+"…", true
	step.do = func(ctx context.Context) (string, error) {
		got, err := l.takesKeyOff(&l.user)(ctx)
		var api smithy.APIError
		if err != nil && !errors.As(err, &api) {
			return "", err
		}
		got = classify(got, err)
		l.report.Measured = append(l.report.Measured, "Taking the key off without kms:Decrypt: "+answered+got)
		if got == Done {
			// Whatever comes next expects the table under the key.
			if _, err := l.encryptTable(KeyOffTable, func() string { return l.keyARN })(ctx); err != nil {
				return "", err
			}
		}
		return answered + got, nil
	}
	return step
}

func keyOffTableCLI() string {
	r := theRecord()
	return tableCLI(KeyOffTable) + ` --sse-specification "Enabled=true,SSEType=KMS,KMSMasterKeyId=$KEY"` +
		"\naws dynamodb wait table-exists --table-name " + KeyOffTable + "\naws dynamodb put-item --table-name " +
		KeyOffTable + ` --item '{"id":{"S":"` + r.ID + `"},"name":{"S":"` + r.Name + `"},"diagnosis":{"S":"` +
		r.Diagnosis + `"},"ward":{"S":"` + r.Ward + `"}}'`
}

// insiderCLI creates the insider with an access key, and lets it decrypt.
func (l *Lab) insiderCLI() string {
	return "aws iam create-user --user-name " + InsiderName + " --tags Key=" + labTag + ",Value=" + labTagValue +
		"\naws iam attach-user-policy --user-name " + InsiderName + " --policy-arn " + l.policy() + "\n" +
		shell.Profile(InsiderName) + "\n" +
		plusCLI("arn:aws:iam::$ACCOUNT:user/"+InsiderName, allow(insiderSid, "", nil))
}

func (l *Lab) makeKeyOffTable(ctx context.Context) error {
	err := createTable(ctx, l.administrator.ddb, KeyOffTable, &types.SSESpecification{Enabled: aws.Bool(true),
		SSEType: types.SSETypeKms, KMSMasterKeyId: aws.String(l.keyARN)})
	var exists *types.ResourceInUseException
	if errors.As(err, &exists) {
		err = l.checkTableOurs(ctx, KeyOffTable)
	}
	if err != nil {
		return err
	}
	if err := l.waitTable(ctx, KeyOffTable, "active", func(t *types.TableDescription) bool {
		return t.TableStatus == types.TableStatusActive
	}); err != nil {
		return err
	}
	if _, err := l.encryptTable(KeyOffTable, func() string { return l.keyARN })(ctx); err != nil {
		return err
	}
	l.existed = exists != nil // encryptTable reports the key, which a new table has from its creation
	t, err := keyOffTable(&l.administrator)
	if err != nil {
		return err
	}
	return t.Put(ctx, theRecord())
}

func keyOffTable(p *principal) (*store.Table[Record], error) {
	return store.New[Record](p.ddb, KeyOffTable, store.ServerSide{})
}

func (l *Lab) readsKeyOff(p *principal) action {
	return func(ctx context.Context) (string, error) {
		t, err := keyOffTable(p)
		if err != nil {
			return "", err
		}
		got, err := t.Get(ctx, store.Key{Partition: theRecord().ID})
		if err == nil && got != theRecord() {
			return "another record", nil
		}
		return SeesPlaintext, err
	}
}

// makeInsider creates the user, lets it use DynamoDB and names it in the key policy.
func (l *Lab) makeInsider(ctx context.Context) error {
	arn, err := l.ensureUser(ctx, InsiderName)
	if err != nil {
		return err
	}
	if _, err := l.iam().AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String(InsiderName),
		PolicyArn: aws.String(l.fullAccess)}); err != nil {
		return err
	}
	if l.insider, err = l.newAccessKey(ctx, InsiderName); err != nil {
		return err
	}
	p := l.basePolicy()
	p.Extra = []keypolicy.Statement{allow(insiderSid, arn, nil)}
	return l.putPolicy(ctx, p)
}

// takesKeyOff switches the table to the AWS owned key and waits for it.
func (l *Lab) takesKeyOff(p *principal) action {
	return func(ctx context.Context) (string, error) {
		if _, err := p.ddb.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(KeyOffTable),
			SSESpecification: &types.SSESpecification{Enabled: aws.Bool(false)}}); err != nil {
			return "", err
		}
		return Done, l.waitTable(ctx, KeyOffTable, "under the AWS owned key",
			func(t *types.TableDescription) bool { return t.SSEDescription == nil })
	}
}

// isDeniedUpdate is takesKeyOff where the answer matters: whether the change of
// the table was refused, and not the use of the key.
func (l *Lab) isDeniedUpdate(p *principal) action {
	return func(ctx context.Context) (string, error) {
		got, err := l.takesKeyOff(p)(ctx)
		if refused(err) == "dynamodb:UpdateTable" {
			return deniedUpdate, nil
		}
		return got, err
	}
}

func (l *Lab) denyUpdate(ctx context.Context) error {
	_, err := l.iam().PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String(InsiderName),
		PolicyName: aws.String(denyName), PolicyDocument: aws.String(denyUpdateDoc)})
	return err
}
