// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws"
)

// The names in a golden data folder.
const (
	goldenAlias   = "alias/records"
	goldenAccount = "444455556666"
	goldenRole    = "auditor"
	goldenGroup   = "nurses"
	goldenPolicy  = "arn:aws:iam::" + labAccount + ":policy/read-plain"
	goldenPlain   = "Plain"
	goldenIndex   = "byText"
)

// goldenItems are the items in the table under the customer managed key: every
// type of attribute.
var goldenItems = []string{
	`{"id":{"S":"1"},"text":{"S":"the-item-value"}}`,
	`{"id":{"S":"2"},"text":{"S":"Grüße"},"b":{"B":"AAH/"},"n":{"N":"-1.5E+3"},
	  "bool":{"BOOL":true},"null":{"NULL":true},
	  "l":{"L":[{"S":"x"},{"M":{"y":{"N":"2"}}},{"L":[]}]},"m":{"M":{"":{"S":""}}},
	  "ss":{"SS":["a","b"]},"ns":{"NS":["1","2"]},"bs":{"BS":["AA==","AQ=="]}}`,
}

// fillGoldenFolder writes the data folder of a small hospital: a rotated key
// with alias, grant and policy, tables under it and under DynamoDB's own key,
// an IAM user, a role, a group and a policy, a deleted key and a second account.
func fillGoldenFolder(t *testing.T, dir string) (contents goldenFolder) {
	clock := newClock()
	s := start(t, localaws.Options{DataDir: dir, Clock: clock.Now})
	l := newLab(t, clock, s, s.Config)
	contents = goldenFolder{Ciphertexts: map[string][]byte{}}
	l.setPolicy(`,{"Effect":"Allow","Principal":{"AWS":"` + aliceARN + `"},"Action":"kms:Decrypt","Resource":"*"}`)
	l.fillKeys(contents.Ciphertexts)
	l.fillTables()
	access := l.fillPeople()
	contents.Alice, contents.AliceSecret = *access.AccessKeyId, []byte(*access.SecretAccessKey)
	_, err := s.AddAccount(goldenAccount)
	l.must(err)
	clock.Advance(time.Hour)
	contents.Written = clock.Now()
	contents.Answers = goldenAnswers(t, s)
	return contents
}

func (l *lab) fillKeys(ciphertexts map[string][]byte) {
	l.t.Helper()
	_, err := l.keys.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(goldenAlias), TargetKeyId: &l.key})
	l.must(err)
	for _, plaintext := range []string{"before the rotation", "after the rotation"} {
		out, err := l.keys.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(goldenAlias), Plaintext: []byte(plaintext)})
		l.must(err)
		ciphertexts[plaintext] = out.CiphertextBlob
		l.clock.Advance(time.Minute)
		_, err = l.keys.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandInput{KeyId: &l.key})
		l.must(err)
		l.clock.Advance(time.Minute)
	}
	_, err = l.keys.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{
		KeyId: &l.key, RotationPeriodInDays: aws.Int32(100),
	})
	l.must(err)
	_, err = l.keys.CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: &l.key, GranteePrincipal: aws.String(aliceARN), Name: aws.String("for-alice"),
		Operations:  []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt, kmstypes.GrantOperationGenerateDataKey},
		Constraints: &kmstypes.GrantConstraints{EncryptionContextSubset: map[string]string{"ward": "7"}}})
	l.must(err)
	leaving, err := l.keys.CreateKey(ctx, &kms.CreateKeyInput{Description: aws.String("leaves"),
		Tags: []kmstypes.Tag{{TagKey: aws.String("ward"), TagValue: aws.String("7")}}})
	l.must(err)
	_, err = l.keys.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{
		KeyId: leaving.KeyMetadata.Arn, PendingWindowInDays: aws.Int32(30),
	})
	l.must(err)
}

func (l *lab) fillTables() {
	l.t.Helper()
	l.createTable(goldenPlain, nil)
	for _, text := range goldenItems {
		item, err := ddbjson.Unmarshal([]byte(text))
		l.must(err)
		_, err = l.tables.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(labTable), Item: item})
		l.must(err)
	}
	_, err := l.tables.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(labTable),
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String("text"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
		GlobalSecondaryIndexUpdates: []dynamodbtypes.GlobalSecondaryIndexUpdate{{
			Create: &dynamodbtypes.CreateGlobalSecondaryIndexAction{
				IndexName: aws.String(goldenIndex),
				KeySchema: []dynamodbtypes.KeySchemaElement{
					{AttributeName: aws.String("text"), KeyType: dynamodbtypes.KeyTypeHash}},
				Projection: &dynamodbtypes.Projection{ProjectionType: dynamodbtypes.ProjectionTypeAll}}}}})
	l.must(err)
	_, err = l.tables.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: aws.String(labTable),
		TimeToLiveSpecification: &dynamodbtypes.TimeToLiveSpecification{
			AttributeName: aws.String("until"), Enabled: aws.Bool(true)}})
	l.must(err)
}

// fillPeople returns a new access key of alice.
func (l *lab) fillPeople() (access struct{ AccessKeyId, SecretAccessKey *string }) {
	l.t.Helper()
	const (
		trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow",` +
			`"Principal":{"AWS":"` + aliceARN + `"},"Action":"sts:AssumeRole"}}`
		read = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"*"}}`
		may  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`
	)
	people := iam.NewFromConfig(l.root)
	alice := aws.String("alice")
	made, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: alice})
	l.must(err)
	access.AccessKeyId, access.SecretAccessKey = made.AccessKey.AccessKeyId, made.AccessKey.SecretAccessKey
	_, err = people.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String("read-plain"), PolicyDocument: aws.String(read),
	})
	l.must(err)
	_, err = people.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String(goldenRole), AssumeRolePolicyDocument: aws.String(trust),
	})
	l.must(err)
	_, err = people.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
		RoleName: aws.String(goldenRole), PolicyArn: aws.String(goldenPolicy),
	})
	l.must(err)
	_, err = people.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String(goldenGroup)})
	l.must(err)
	_, err = people.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String(goldenGroup), UserName: alice})
	l.must(err)
	_, err = people.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
		GroupName: aws.String(goldenGroup), PolicyName: aws.String("may"), PolicyDocument: aws.String(may),
	})
	l.must(err)
	_, err = people.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: alice, PolicyName: aws.String("reads"), PolicyDocument: aws.String(read),
	})
	l.must(err)
	return access
}

// goldenReads are the reads whose answers a golden data folder keeps. An answer
// that lists items is in DynamoDB JSON.
func goldenReads(s *localaws.Server) map[string]func() (any, error) {
	root := s.Config(s.RootCredentials())
	keys, tables, people := kms.NewFromConfig(root), dynamodb.NewFromConfig(root), iam.NewFromConfig(root)
	key := func() *string { // ListGrants and others take no alias
		out, err := keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(goldenAlias)})
		if err != nil {
			return nil
		}
		return out.KeyMetadata.Arn
	}()
	alice, role, group := aws.String("alice"), aws.String(goldenRole), aws.String(goldenGroup)
	table := aws.String(labTable)
	return map[string]func() (any, error){
		"root":            func() (any, error) { return s.RootCredentials(), nil },
		"further account": func() (any, error) { return s.AddAccount(goldenAccount) },
		"keys":            func() (any, error) { return describedKeys(keys) },
		"aliases":         func() (any, error) { return keys.ListAliases(ctx, nil) },
		"key policy":      func() (any, error) { return keys.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: key}) },
		"grants":          func() (any, error) { return keys.ListGrants(ctx, &kms.ListGrantsInput{KeyId: key}) },
		"rotation": func() (any, error) {
			return keys.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{
				KeyId: key})
		},
		"rotations": func() (any, error) {
			return keys.ListKeyRotations(ctx, &kms.ListKeyRotationsInput{
				KeyId: key})
		},
		"tables": func() (any, error) { return tables.ListTables(ctx, nil) },
		"table":  func() (any, error) { return described(tables, labTable) },
		"time to live": func() (any, error) {
			return tables.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: table})
		},
		"plain":          func() (any, error) { return described(tables, goldenPlain) },
		"items":          func() (any, error) { return scanned(tables, labTable, "") },
		"items of index": func() (any, error) { return scanned(tables, labTable, goldenIndex) },
		"items of plain": func() (any, error) { return scanned(tables, goldenPlain, "") },
		"user":           func() (any, error) { return people.GetUser(ctx, &iam.GetUserInput{UserName: alice}) },
		"access keys": func() (any, error) {
			return people.ListAccessKeys(ctx, &iam.ListAccessKeysInput{
				UserName: alice})
		},
		"attached to user": func() (any, error) {
			return people.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: alice})
		},
		"user policy": func() (any, error) {
			return people.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: alice, PolicyName: aws.String("reads")})
		},
		"role": func() (any, error) { return people.GetRole(ctx, &iam.GetRoleInput{RoleName: role}) },
		"attached to role": func() (any, error) {
			return people.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: role})
		},
		"group": func() (any, error) { return people.GetGroup(ctx, &iam.GetGroupInput{GroupName: group}) },
		"group policy": func() (any, error) {
			return people.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: group, PolicyName: aws.String("may")})
		},
		"policy": func() (any, error) {
			return people.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{
				PolicyArn: aws.String(goldenPolicy), VersionId: aws.String("v1"),
			})
		},
	}
}

// goldenAnswers returns the answers to goldenReads as encoding/json reads them.
func goldenAnswers(t *testing.T, s *localaws.Server) map[string]any {
	t.Helper()
	answers := map[string]any{}
	for name, read := range goldenReads(s) {
		answer, err := read()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		var decoded any
		if err := json.Unmarshal(text, &decoded); err != nil {
			t.Fatal(err)
		}
		decoded = withoutNulls(decoded)
		if fields, ok := decoded.(map[string]any); ok {
			delete(fields, "ResultMetadata")
			// Programs that search for secrets would report this one.
			if secret, ok := fields["SecretAccessKey"].(string); ok {
				fields["SecretAccessKey"] = base64.StdEncoding.EncodeToString([]byte(secret))
			}
		}
		answers[name] = decoded
	}
	return answers
}

// withoutNulls removes the fields that an answer lacks: a later build may answer
// them.
func withoutNulls(answer any) any {
	switch a := answer.(type) {
	case map[string]any:
		for name, value := range a {
			if value == nil {
				delete(a, name)
			} else {
				a[name] = withoutNulls(value)
			}
		}
	case []any:
		for i := range a {
			a[i] = withoutNulls(a[i])
		}
	}
	return answer
}

// describedKeys returns every key with its tags, by ARN.
func describedKeys(keys *kms.Client) (map[string]any, error) {
	list, err := keys.ListKeys(ctx, nil)
	if err != nil {
		return nil, err
	}
	described := map[string]any{}
	for _, key := range list.Keys {
		out, err := keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyArn})
		if err != nil {
			return nil, err
		}
		tags, err := keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: key.KeyArn})
		if err != nil {
			return nil, err
		}
		described[*key.KeyArn] = map[string]any{"metadata": out.KeyMetadata, "tags": tags.Tags}
	}
	return described, nil
}

// described returns a table's description without the sizes, which a server
// estimates until the table is used.
func described(tables *dynamodb.Client, table string) (*dynamodbtypes.TableDescription, error) {
	out, err := tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, err
	}
	out.Table.ItemCount, out.Table.TableSizeBytes = nil, nil
	for i := range out.Table.GlobalSecondaryIndexes {
		x := &out.Table.GlobalSecondaryIndexes[i]
		x.ItemCount, x.IndexSizeBytes = nil, nil
	}
	return out.Table, nil
}

// scanned returns the items of a table or index in DynamoDB JSON.
func scanned(tables *dynamodb.Client, table, index string) (items []json.RawMessage, err error) {
	in := &dynamodb.ScanInput{TableName: &table}
	if index != "" {
		in.IndexName = &index
	}
	out, err := tables.Scan(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, item := range out.Items {
		text, err := ddbjson.AppendItemSorted(nil, item)
		if err != nil {
			return nil, err
		}
		items = append(items, text)
	}
	slices.SortFunc(items, func(a, b json.RawMessage) int { return slices.Compare(a, b) })
	return items, nil
}

// useGoldenFolder decrypts, reads and writes as alice, whose access key, rights
// and role the folder holds.
func useGoldenFolder(t *testing.T, s *localaws.Server, want goldenFolder) {
	alice := s.Config(aws.Credentials{AccessKeyID: want.Alice, SecretAccessKey: string(want.AliceSecret)})
	for plaintext, sealed := range want.Ciphertexts {
		out, err := kms.NewFromConfig(alice).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed})
		if err != nil || string(out.Plaintext) != plaintext {
			t.Errorf("alice decrypts %q: %v", plaintext, err)
		}
	}
	_, err := kms.NewFromConfig(alice).Encrypt(ctx, &kms.EncryptInput{
		KeyId: aws.String(goldenAlias), Plaintext: []byte("x"),
	})
	if code(err) != "AccessDeniedException" {
		t.Errorf("alice encrypts: %v", err)
	}
	for name, call := range itemCalls(dynamodb.NewFromConfig(alice), labTable) {
		if name == "UpdateItem" || name == "DeleteItem" {
			continue // the next server compares the items again
		}
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	session, err := sts.NewFromConfig(alice).AssumeRole(ctx, &sts.AssumeRoleInput{RoleSessionName: aws.String("golden"),
		RoleArn: aws.String(fmt.Sprintf("arn:aws:iam::%s:role/%s", labAccount, goldenRole))})
	if err != nil {
		t.Fatal(err)
	}
	auditor := dynamodb.NewFromConfig(s.Config(aws.Credentials{AccessKeyID: *session.Credentials.AccessKeyId,
		SecretAccessKey: *session.Credentials.SecretAccessKey, SessionToken: *session.Credentials.SessionToken}))
	calls := itemCalls(auditor, goldenPlain)
	if err := calls["GetItem"](); err != nil {
		t.Errorf("the auditor reads: %v", err)
	}
	if err := calls["PutItem"](); code(err) != "AccessDeniedException" {
		t.Errorf("the auditor writes: %v", err)
	}
}
