// SPDX-License-Identifier: Apache-2.0

package localawstest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

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
	"tables": [{"name": "Notes", "partitionKey": "id", "key": "notes"}, {"name": "Plain", "partitionKey": "id", "sortKey": "at"}, {"name": "Managed", "partitionKey": "id", "key": "alias/aws/dynamodb"},
		{"name": "Shared", "partitionKey": "id", "policy": {"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{{account}}:user/bob"}, "Action": "dynamodb:Scan", "Resource": "*"}}}]
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
		if _, err := dynamodb.NewFromConfig(s.User("alice")).Scan(ctx,
			&dynamodb.ScanInput{TableName: &table}); err != nil {
			t.Errorf("alice reads %s: %v", table, err)
		}
	}
	if _, err := dynamodb.NewFromConfig(s.User("bob")).Scan(ctx,
		&dynamodb.ScanInput{TableName: aws.String("Shared")}); err != nil {
		t.Errorf("bob reads by the policy of the table: %v", err)
	}
	bob := kms.NewFromConfig(s.User("bob"))
	if _, err := bob.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("alias/notes")}); err != nil {
		t.Errorf("bob describes by his group: %v", err)
	}
	sealed, err := kms.NewFromConfig(s.Root()).Encrypt(ctx,
		&kms.EncryptInput{KeyId: aws.String(s.Key("notes")), Plaintext: []byte("x"),
			EncryptionContext: map[string]string{"purpose": "test", "n": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Decrypt(ctx,
		&kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob,
			EncryptionContext: map[string]string{"purpose": "test", "n": "1"}}); err != nil {
		t.Errorf("bob decrypts by his grant: %v", err)
	}
	who, err := sts.NewFromConfig(s.Assume(s.User("bob"), "job", "night")).GetCallerIdentity(ctx, nil)
	if err != nil || !strings.HasSuffix(aws.ToString(who.Arn), ":assumed-role/job/night") {
		t.Errorf("bob as job: %v, %v", who, err)
	}
	if _, err := bob.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(s.Key("mac"))}); err != nil {
		t.Error(err)
	}
	_, err = kms.NewFromConfig(s.Root()).GenerateDataKey(ctx,
		&kms.GenerateDataKeyInput{KeyId: aws.String(s.Key("off")), NumberOfBytes: aws.Int32(8)})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "DisabledException" {
		t.Errorf("the disabled key: %v", err)
	}
	if n := len(s.Events("CreateTable")); n != 4 {
		t.Errorf("%d events of CreateTable, want 4", n)
	}
}

// A seed's asymmetric key has the usage of its spec.
func TestSeedOfAsymmetricKeys(t *testing.T) {
	s := localawstest.New(t, localawstest.WithSeed(localawstest.Seed{Keys: []localawstest.Key{
		{Name: "pair", Spec: "RSA_2048"}, {Name: "agreement", Spec: "ECC_NIST_P384"}}}))
	for name, want := range map[string]types.KeyUsageType{"pair": types.KeyUsageTypeEncryptDecrypt,
		"agreement": types.KeyUsageTypeKeyAgreement} {
		out, err := kms.NewFromConfig(s.Root()).GetPublicKey(t.Context(), &kms.GetPublicKeyInput{
			KeyId: aws.String(s.Key(name))})
		if err != nil || out.KeyUsage != want {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

func TestParseSeedRefusesUnknownMembers(t *testing.T) {
	if _, err := localawstest.ParseSeed([]byte(`{"user": []}`)); err == nil {
		t.Error("a misspelt member was accepted")
	}
}
