package localawstest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const seedJSON = `{
	"policies": [{"name": "describe", "document": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:DescribeKey", "Resource": "*"}}}],
	"groups": [{"name": "readers", "attach": ["describe"]}],
	"users": [
		{"name": "alice", "attach": ["AmazonDynamoDBFullAccess"]},
		{"name": "bob", "groups": ["readers"], "policies": {"own": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}}}
	],
	"roles": [{"name": "job", "trust": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "{{account}}"}, "Action": "sts:AssumeRole"}}}],
	"keys": [{"name": "notes"}, {"name": "mac", "hmac": true}, {"name": "off", "disabled": true}],
	"grants": [{"key": "notes", "grantee": "bob", "operations": ["Decrypt"], "contextSubset": {"purpose": "test"}}],
	"tables": [{"name": "Notes", "partitionKey": "id", "key": "notes"}, {"name": "Plain", "partitionKey": "id", "sortKey": "at"}, {"name": "Managed", "partitionKey": "id", "key": "alias/aws/dynamodb"}]
}`

func TestSeed(t *testing.T) {
	seed, err := localawstest.ParseSeed([]byte(seedJSON))
	if err != nil {
		t.Fatal(err)
	}
	s := localawstest.New(t, localawstest.WithSeed(seed))
	ctx := context.Background()

	_, err = dynamodb.NewFromConfig(s.User("alice")).Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("Notes")})
	localawstest.AssertDenied(t, err, "kms:Decrypt", "no identity-based policy allows the kms:Decrypt action")
	for _, table := range []string{"Plain", "Managed"} {
		if _, err := dynamodb.NewFromConfig(s.User("alice")).Scan(ctx, &dynamodb.ScanInput{TableName: &table}); err != nil {
			t.Errorf("alice reads %s: %v", table, err)
		}
	}
	bob := kms.NewFromConfig(s.User("bob"))
	if _, err := bob.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/notes")}); err != nil {
		t.Errorf("bob describes by his group: %v", err)
	}
	sealed, err := kms.NewFromConfig(s.Root()).Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(s.Key("notes")), Plaintext: []byte("x"), EncryptionContext: map[string]string{"purpose": "test", "n": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: map[string]string{"purpose": "test", "n": "1"}}); err != nil {
		t.Errorf("bob decrypts by his grant: %v", err)
	}
	who, err := sts.NewFromConfig(s.Assume(s.User("bob"), "job", "night")).GetCallerIdentity(ctx, nil)
	if err != nil || !strings.HasSuffix(aws.ToString(who.Arn), ":assumed-role/job/night") {
		t.Errorf("bob as job: %v, %v", who, err)
	}
	if _, err := bob.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(s.Key("mac"))}); err != nil {
		t.Error(err)
	}
	_, err = kms.NewFromConfig(s.Root()).GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: aws.String(s.Key("off")), NumberOfBytes: aws.Int32(8)})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "DisabledException" {
		t.Errorf("the disabled key: %v", err)
	}
	if n := len(s.Events("CreateTable")); n != 3 {
		t.Errorf("%d events of CreateTable, want 3", n)
	}
}

func TestParseSeedRefusesUnknownMembers(t *testing.T) {
	if _, err := localawstest.ParseSeed([]byte(`{"user": []}`)); err == nil {
		t.Error("a misspelt member was accepted")
	}
}

// recorder is a testing.TB that notes failures instead of failing.
type recorder struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *recorder) Helper()           {}
func (r *recorder) Cleanup(f func())  { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Error(args ...any) { r.failures = append(r.failures, fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// The helper itself must not pass what it should fail.
func TestAssertDenied(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException",
		Message: "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: kms:Decrypt on resource: k because no identity-based policy allows the kms:Decrypt action"}
	for _, c := range []struct {
		name            string
		err             error
		action, because string
		want            string // part of the failure; empty: none
	}{
		{"as expected", denied, "kms:Decrypt", "no identity-based policy", ""},
		{"any reason", denied, "kms:Decrypt", "", ""},
		{"wrapped", fmt.Errorf("get: %w", denied), "kms:Decrypt", "", ""},
		{"IAM's code", &smithy.GenericAPIError{Code: "AccessDenied", Message: denied.Message}, "kms:Decrypt", "", ""},
		{"allowed", nil, "kms:Decrypt", "", "allowed"},
		{"no AWS error", errors.New("boom"), "kms:Decrypt", "", "not a denial"},
		{"another AWS error", &smithy.GenericAPIError{Code: "DisabledException", Message: denied.Message}, "kms:Decrypt", "", "not a denial"},
		{"another action", denied, "kms:Encrypt", "", "not kms:Encrypt"},
		{"a longer action", denied, "kms:Dec", "", "not kms:Dec"},
		{"another reason", denied, "kms:Decrypt", "explicit deny", "not because"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{TB: t}
			localawstest.AssertDenied(r, c.err, c.action, c.because)
			if got := strings.Join(r.failures, "\n"); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Failures that a fault asked for are no defects of the server.
func TestFaultsAreNoFailures(t *testing.T) {
	r := &recorder{TB: t}
	s := localawstest.New(r, localawstest.WithOptions(localaws.Options{Faults: localaws.Faults{Rules: []localaws.Fault{{Kind: localaws.FaultInternal}}}}))
	cfg := s.Root()
	cfg.RetryMaxAttempts = 1
	if _, err := iam.NewFromConfig(cfg).ListUsers(context.Background(), nil); err == nil {
		t.Fatal("the fault did not work")
	}
	for _, f := range r.cleanups {
		f()
	}
	if len(r.failures) != 0 {
		t.Errorf("a fault that was asked for failed the test: %q", r.failures)
	}
}

// The policy that the KMS console writes: administrators, users, and users
// through AWS resources.
const consolePolicy = `{"Version": "2012-10-17", "Id": "key-consolepolicy-3", "Statement": [
	{"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{{account}}:root"}, "Action": "kms:*", "Resource": "*"},
	{"Sid": "Allow access for Key Administrators", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{{account}}:user/admin"},
	 "Action": ["kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*", "kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"], "Resource": "*"},
	{"Sid": "Allow use of the key", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::{{account}}:user/reader", "arn:aws:iam::{{account}}:role/job"]},
	 "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": "*"},
	{"Sid": "Allow attachment of persistent resources", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{{account}}:user/reader"},
	 "Action": ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"], "Resource": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}
]}`

func TestPolicyTest(t *testing.T) {
	const full = "AmazonDynamoDBFullAccess"
	localawstest.PolicyTest{
		KeyPolicy: consolePolicy,
		Seed: localawstest.Seed{
			Users: []localawstest.User{{Name: "admin", Attach: []string{full}}, {Name: "reader", Attach: []string{full}}, {Name: "stranger", Attach: []string{full}}},
			Roles: []localawstest.Role{{Name: "job", Trust: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"{{account}}"},"Action":"sts:AssumeRole"}}`}},
		},
		Cases: []localawstest.PolicyCase{
			{As: "root", Action: "kms:Decrypt"},
			{As: "user/admin", Action: "kms:PutKeyPolicy"},
			{As: "user/admin", Action: "kms:CreateGrant"},
			{As: "user/admin", Action: "kms:ScheduleKeyDeletion"},
			{As: "user/admin", Action: "kms:DisableKey"},
			{As: "user/admin", Action: "kms:TagResource"},
			{As: "user/admin", Action: "kms:EnableKeyRotation"},
			{As: "user/admin", Action: "kms:Decrypt", Denies: "kms:Decrypt", Because: "no identity-based policy"},
			{As: "user/admin", Action: "dynamodb:GetItem", Denies: "kms:Decrypt", Because: "no identity-based policy"},
			{As: "user/reader", Action: "kms:Encrypt"},
			{As: "user/reader", Action: "kms:Decrypt", EncryptionContext: map[string]string{"a": "b"}},
			{As: "user/reader", Action: "kms:ReEncryptFrom"},
			{As: "user/reader", Action: "kms:GenerateDataKeyWithoutPlaintext"},
			{As: "user/reader", Action: "dynamodb:GetItem"},
			{As: "user/reader", Action: "dynamodb:PutItem"},
			{As: "user/reader", Action: "kms:CreateGrant", Denies: "kms:CreateGrant"},
			{As: "user/reader", Action: "kms:PutKeyPolicy", Denies: "kms:PutKeyPolicy"},
			{As: "role/job", Action: "kms:GenerateDataKey"},
			{As: "role/job", Action: "kms:UpdateKeyDescription", Denies: "kms:UpdateKeyDescription"},
			{As: "user/stranger", Action: "kms:DescribeKey"}, // AmazonDynamoDBFullAccess has it, and the root statement lets IAM decide
			{As: "user/stranger", Action: "kms:Decrypt", Denies: "kms:Decrypt", Because: "no identity-based policy"},
			{As: "user/stranger", Action: "kms:GetKeyPolicy", Denies: "kms:GetKeyPolicy"},
			{As: "user/stranger", Action: "kms:GetKeyRotationStatus", Denies: "kms:GetKeyRotationStatus"},
			{As: "user/stranger", Action: "kms:ListGrants", Denies: "kms:ListGrants"},
			{As: "user/stranger", Action: "kms:EnableKey", Denies: "kms:EnableKey"},
			{As: "user/stranger", Action: "dynamodb:PutItem", Denies: "kms:Decrypt"},
		},
	}.Run(t)
}

func ExampleAssertDenied() {
	// In a test, t is the test's own.
	t := &printer{}
	s := localawstest.New(t, localawstest.WithSeed(localawstest.Seed{
		Keys:   []localawstest.Key{{Name: "notes"}},
		Tables: []localawstest.Table{{Name: "Notes", PartitionKey: "id", Key: "notes"}},
		Users:  []localawstest.User{{Name: "alice", Attach: []string{"AmazonDynamoDBFullAccess"}}},
	}))
	defer t.end()

	client := dynamodb.NewFromConfig(s.User("alice"))
	_, err := client.Scan(context.Background(), &dynamodb.ScanInput{TableName: aws.String("Notes")})
	localawstest.AssertDenied(t, err, "kms:Decrypt", "no identity-based policy")
	localawstest.AssertDenied(t, err, "dynamodb:Scan", "")
	// Output: failed: denied, but not dynamodb:Scan
}

// printer is a testing.TB that prints failures, up to the first colon.
type printer struct {
	testing.TB
	cleanups []func()
}

func (p *printer) Helper()          {}
func (p *printer) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }
func (p *printer) end() {
	for _, f := range p.cleanups {
		f()
	}
}
func (p *printer) Error(args ...any) {
	text, _, _ := strings.Cut(fmt.Sprint(args...), ": ")
	fmt.Println("failed:", text)
}
func (p *printer) Errorf(format string, args ...any) { p.Error(fmt.Sprintf(format, args...)) }
func (p *printer) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
