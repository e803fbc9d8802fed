// SPDX-License-Identifier: Apache-2.0

package dynamodb_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const otherAccount = "444455556666"

// sharing is a table with callers of its own account and a user, bob, of another.
type sharing struct {
	*testing.T
	*localawstest.Server
	root, reader, admin, bob *dynamodb.Client
	people                   *iam.Client // of bob's account
	table                    string      // ARN
}

func newSharing(t *testing.T, key string) *sharing {
	s := &sharing{T: t}
	s.Server = localawstest.New(t, localawstest.WithSeed(localawstest.Seed{
		Users: []localawstest.User{{Name: "reader"}, {Name: "admin", Attach: []string{"AdministratorAccess"}}},
		Keys:  []localawstest.Key{{Name: "orders", Policy: labPolicy(labRoot)}}}))
	s.root = dynamodb.NewFromConfig(s.Root())
	s.reader, s.admin = dynamodb.NewFromConfig(s.User("reader")), dynamodb.NewFromConfig(s.User("admin"))
	s.table = "arn:aws:dynamodb:" + s.Region() + ":" + s.AccountID() + ":table/" + labTable
	in := &dynamodb.CreateTableInput{TableName: aws.String(labTable), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"},
			{AttributeName: aws.String("g"), AttributeType: "S"}},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("byG"),
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("g"), KeyType: "HASH"}},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}}
	switch key {
	case "customer":
		in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms,
			KMSMasterKeyId: aws.String(s.Key("orders"))}
	case "managed":
		in.SSESpecification = &types.SSESpecification{Enabled: aws.Bool(true)}
	}
	s.must(s.root.CreateTable(t.Context(), in))
	s.must(s.root.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: sharedItem()}))

	other, err := s.AddAccount(otherAccount)
	s.must(nil, err)
	s.people = iam.NewFromConfig(s.Config(other))
	s.must(s.people.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("bob")}))
	access, err := s.people.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("bob")})
	s.must(access, err)
	s.bob = dynamodb.NewFromConfig(s.Config(aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId,
		SecretAccessKey: *access.AccessKey.SecretAccessKey}))
	return s
}

func sharedItem() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"},
		"g": &types.AttributeValueMemberS{Value: "x"}}
}

func (s *sharing) must(_ any, err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// put gives the table a policy of statements, in which {{table}}, {{account}} and
// {{other}} stand for what they say.
func (s *sharing) put(statements ...string) {
	s.Helper()
	s.must(s.root.PutResourcePolicy(s.Context(),
		&dynamodb.PutResourcePolicyInput{ResourceArn: &s.table, Policy: aws.String(s.document(statements...))}))
}

func (s *sharing) document(statements ...string) string {
	return strings.NewReplacer("{{table}}", s.table, "{{account}}", s.AccountID(), "{{other}}", otherAccount).Replace(
		labPolicy(statements...))
}

// allow gives bob an identity policy, or takes it away if actions is empty.
func (s *sharing) allow(actions string) {
	s.Helper()
	name := aws.String("p")
	if actions == "" {
		s.must(s.people.DeleteUserPolicy(s.Context(),
			&iam.DeleteUserPolicyInput{UserName: aws.String("bob"), PolicyName: name}))
		return
	}
	s.must(s.people.PutUserPolicy(s.Context(), &iam.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: name,
		PolicyDocument: aws.String(labPolicy(`{"Effect":"Allow","Action":` + actions + `,"Resource":"*"}`))}))
}

func (s *sharing) get(c *dynamodb.Client) error {
	_, err := c.GetItem(s.Context(), &dynamodb.GetItemInput{TableName: &s.table,
		Key: map[string]types.AttributeValue{"id": sharedItem()["id"]}})
	return err
}

// denied compares a call with the end of AWS's refusal; empty: it is allowed.
func (s *sharing) denied(what string, err error, action, because string) {
	s.Helper()
	switch {
	case because == "" && err != nil:
		s.Errorf("%s: %v", what, err)
	case because == "":
	case err == nil:
		s.Errorf("%s is allowed, want %q", what, because)
	default:
		localawstest.AssertDenied(s, err, action, because)
	}
}

const (
	forReader              = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{{account}}:user/reader"},"Action":"dynamodb:GetItem","Resource":"{{table}}"}`
	forBob                 = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{{other}}:user/bob"},"Action":"dynamodb:*","Resource":"{{table}}"}`
	forOther               = `{"Effect":"Allow","Principal":{"AWS":"{{other}}"},"Action":"dynamodb:GetItem","Resource":"{{table}}"}`
	noIdentity, noResource = "no identity-based policy allows the ", "no resource-based policy allows the "
	explicit               = "with an explicit deny in a resource-based policy"
)

// TestResourcePolicyInTheAccount: the policy of a table allows what it names and
// nothing beyond, and a Deny in it binds administrators.
func TestResourcePolicyInTheAccount(t *testing.T) {
	s := newSharing(t, "")
	query := func(c *dynamodb.Client) error {
		_, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: &s.table, IndexName: aws.String("byG"),
			KeyConditionExpression:    aws.String("g = :g"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":g": sharedItem()["g"]}})
		return err
	}
	s.denied("without a policy", s.get(s.reader), "dynamodb:GetItem", noIdentity)
	s.put(forReader)
	s.denied("with a policy", s.get(s.reader), "dynamodb:GetItem", "")
	_, err := s.reader.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: sharedItem()})
	s.denied("another action", err, "dynamodb:PutItem", noIdentity)
	_, err = s.reader.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{
		TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: &s.table,
			Key: map[string]types.AttributeValue{"id": sharedItem()["id"]}}}}})
	s.denied("a transaction", err, "dynamodb:GetItem", "")

	s.put(strings.Replace(forReader, "GetItem", "Query", 1))
	s.denied("an index of the table", query(s.reader), "dynamodb:Query", noIdentity)
	s.put(strings.NewReplacer("GetItem", "Query", "{{table}}", "{{table}}/index/*").Replace(forReader))
	s.denied("a named index", query(s.reader), "dynamodb:Query", "")
	s.put(strings.Replace(forReader, `"dynamodb:GetItem","Resource"`,
		`"dynamodb:GetItem","Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["2"]}},"Resource"`, 1))
	s.denied("a condition", s.get(s.reader), "dynamodb:GetItem", noIdentity)

	s.put(`{"Effect":"Deny","Principal":"*","Action":["dynamodb:DeleteTable","dynamodb:UpdateTable"],"Resource":"*"}`)
	_, err = s.admin.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &s.table})
	s.denied("an administrator", err, "dynamodb:DeleteTable", explicit)
	_, err = s.root.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &s.table,
		SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true)}})
	s.denied("the root user", err, "dynamodb:UpdateTable", explicit)
	s.denied("another action", s.get(s.admin), "dynamodb:GetItem", "")
	events := s.Events("DeleteTable")
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	reasons := events[0].Explanation()
	if n := len(reasons); n == 0 || reasons[n-1].Effect != "Deny" || !reasons[n-1].Applies {
		t.Errorf("the denial is explained by %v", reasons)
	}
}

// TestResourcePolicyAcrossAccounts: both sides have to allow.
func TestResourcePolicyAcrossAccounts(t *testing.T) {
	s := newSharing(t, "")
	s.allow(`"dynamodb:*"`)
	s.denied("without a policy of the table", s.get(s.bob), "dynamodb:GetItem", noResource)
	s.put(forReader)
	s.denied("with one for others", s.get(s.bob), "dynamodb:GetItem", noResource)
	for _, policy := range []string{forBob, forOther} {
		s.put(policy)
		s.denied("with both", s.get(s.bob), "dynamodb:GetItem", "")
		s.allow("")
		s.denied("without a policy of his", s.get(s.bob), "dynamodb:GetItem", noIdentity)
		s.allow(`"dynamodb:*"`)
	}
	_, err := s.bob.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: sharedItem()})
	s.denied("an action that the table does not allow", err, "dynamodb:PutItem", noResource)
	s.put(forBob)
	_, err = s.bob.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(labTable),
		Key: map[string]types.AttributeValue{"id": sharedItem()["id"]}})
	if err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("by its name the table is that of his account: %v", err)
	}
	_, err = s.bob.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: &s.table,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{Enabled: aws.Bool(true),
			AttributeName: aws.String("t")}})
	s.denied("time to live", err, "dynamodb:UpdateTimeToLive", noResource)
	s.put(forBob, strings.NewReplacer("Allow", "Deny", "dynamodb:*", "dynamodb:GetItem").Replace(forBob))
	s.denied("a Deny", s.get(s.bob), "dynamodb:GetItem", explicit)

	// Another user of the name is not the one that the policy means.
	s.put(forBob)
	s.allow("")
	keys, err := s.people.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("bob")})
	s.must(keys, err)
	s.must(s.people.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: aws.String("bob"),
		AccessKeyId: keys.AccessKeyMetadata[0].AccessKeyId}))
	s.must(s.people.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("bob")}))
	shown, err := s.root.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: &s.table})
	s.must(shown, err)
	if !strings.Contains(*shown.Policy, `{"AWS":"AIDA`) {
		t.Errorf("after bob is deleted: %s", *shown.Policy)
	}
	s.must(s.people.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("bob")}))
	access, err := s.people.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("bob")})
	s.must(access, err)
	s.allow(`"dynamodb:*"`)
	s.denied("another bob", s.get(dynamodb.NewFromConfig(s.Config(aws.Credentials{
		AccessKeyID: *access.AccessKey.AccessKeyId, SecretAccessKey: *access.AccessKey.SecretAccessKey}))),
		"dynamodb:GetItem", noResource)
}

// TestResourcePolicyAndTheKey: across accounts the table's key has to allow too, and
// the AWS managed key never does.
func TestResourcePolicyAndTheKey(t *testing.T) {
	for _, key := range []string{"customer", "managed"} {
		s := newSharing(t, key)
		s.put(forBob)
		s.allow(`["dynamodb:*","kms:*"]`)
		s.denied(key+" key", s.get(s.bob), "kms:Decrypt", "KMS key access denied error")
		if key == "managed" {
			continue
		}
		s.SetKeyPolicy("orders", labPolicy(labRoot,
			`{"Effect":"Allow","Principal":{"AWS":"`+otherAccount+`"},"Action":"kms:Decrypt","Resource":"*"}`))
		s.denied("a key that allows him", s.get(s.bob), "kms:Decrypt", "")
		s.allow(`"dynamodb:*"`)
		s.denied("no right to the key", s.get(s.bob), "kms:Decrypt", noIdentity)
	}
}

// TestResourcePolicyAndTheManagedKey: a caller of another account who may change the
// table does not bring it under the AWS managed key, which lets its own account in
// only, and no key of the caller's account takes its place.
func TestResourcePolicyAndTheManagedKey(t *testing.T) {
	s := newSharing(t, "")
	s.put(forBob)
	s.allow(`["dynamodb:*","kms:*"]`)
	_, err := s.bob.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &s.table,
		SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true)}})
	s.denied("the managed key", err, "kms:DescribeKey", "KMS key access denied error")
	if err != nil && !strings.Contains(err.Error(), "arn:aws:kms:us-east-1:"+s.AccountID()+":key/") {
		t.Errorf("denied for another key: %v", err)
	}
	described, err := s.root.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(labTable)})
	s.must(described, err)
	if described.Table.SSEDescription != nil {
		t.Errorf("the table is under %v", described.Table.SSEDescription)
	}
	_, err = s.bob.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &s.table,
		DeletionProtectionEnabled: aws.Bool(true)})
	s.denied("another change", err, "dynamodb:UpdateTable", "")
}

// TestResourcePolicyKeepsOut: a policy that would take the right to change it from
// its caller is refused unless the caller confirms that, and the root user can
// delete every policy.
func TestResourcePolicyKeepsOut(t *testing.T) {
	s := newSharing(t, "")
	put := func(c *dynamodb.Client, statement string, confirm bool) error {
		_, err := c.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: &s.table,
			Policy: aws.String(s.document(statement)), ConfirmRemoveSelfResourceAccess: confirm})
		return err
	}
	const nobody = `{"Effect":"Deny","Principal":"*","Action":"dynamodb:*","Resource":"*"}`
	const text = "The new resource policy will not allow you to update the resource policy in the future."
	if err := put(s.admin, nobody, false); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("a policy that locks out: %v", err)
	}
	s.denied("a Deny of the deletion alone",
		put(s.admin, strings.Replace(nobody, "dynamodb:*", "dynamodb:DeleteResourcePolicy", 1), false),
		"dynamodb:PutResourcePolicy", "")
	s.denied("a confirmed policy", put(s.admin, nobody, true), "dynamodb:PutResourcePolicy", "")
	s.denied("the next policy", put(s.root, forReader, true), "dynamodb:PutResourcePolicy", explicit)
	remove := &dynamodb.DeleteResourcePolicyInput{ResourceArn: &s.table}
	_, err := s.admin.DeleteResourcePolicy(t.Context(), remove)
	s.denied("its deletion by an administrator", err, "dynamodb:DeleteResourcePolicy", explicit)
	_, err = s.root.DeleteResourcePolicy(t.Context(), remove)
	s.denied("its deletion by the root user", err, "dynamodb:DeleteResourcePolicy", "")
	s.denied("after it", s.get(s.admin), "dynamodb:GetItem", "")

	events, err := cloudtrail.NewFromConfig(s.Root()).LookupEvents(t.Context(),
		&cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{{
			AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: aws.String("PutResourcePolicy")}}})
	s.must(events, err)
	var done, refused int
	for _, e := range events.Events {
		switch event := *e.CloudTrailEvent; {
		case strings.Contains(event, `"errorCode":"AccessDenied"`):
			refused++
		case strings.Contains(event, `"policy":"{\"Version\"`) && strings.Contains(event, `"revisionId":"`):
			done++
		}
	}
	if done != 2 || refused != 2 {
		t.Errorf("%d events of policies that were put and %d of denied ones, want 2 and 2", done, refused)
	}
}

// TestBackupsInTheLab: AmazonDynamoDBFullAccess without a right to the key is not
// enough to copy the items off it, with every policy in force.
func TestBackupsInTheLab(t *testing.T) {
	l := newLab(t, localaws.Options{})
	table, name := aws.String(labTable), aws.String("nightly")
	_, err := l.reader.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: table, BackupName: name})
	localawstest.AssertDenied(t, err, "kms:Decrypt", noIdentity)
	made, err := l.root.CreateBackup(t.Context(), &dynamodb.CreateBackupInput{TableName: table, BackupName: name})
	l.must(made, err)
	arn := made.BackupDetails.BackupArn
	in := &dynamodb.RestoreTableFromBackupInput{BackupArn: arn, TargetTableName: aws.String("target"),
		SSESpecificationOverride: &types.SSESpecification{Enabled: aws.Bool(false)}}
	_, err = l.reader.RestoreTableFromBackup(t.Context(), in)
	localawstest.AssertDenied(t, err, "kms:Decrypt", noIdentity)
	l.must(l.reader.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: arn}))
	l.putPolicy(labRoot, labUser)
	l.must(l.reader.RestoreTableFromBackup(t.Context(), in))
	got, err := l.reader.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("target")})
	l.must(got, err)
	if got.Count != 1 {
		t.Errorf("restored %d items", got.Count)
	}
	elsewhere := l.Root()
	elsewhere.Region = "eu-west-1"
	other, err := l.AddAccount(otherAccount)
	l.must(nil, err)
	for where, c := range map[string]*dynamodb.Client{"Region": dynamodb.NewFromConfig(elsewhere),
		"account": dynamodb.NewFromConfig(l.Config(other))} {
		list, err := c.ListBackups(t.Context(), &dynamodb.ListBackupsInput{})
		l.must(list, err)
		if len(list.BackupSummaries) != 0 {
			t.Errorf("another %s lists %v", where, list.BackupSummaries)
		}
		if _, err := c.DescribeBackup(t.Context(), &dynamodb.DescribeBackupInput{BackupArn: arn}); err == nil {
			t.Errorf("another %s describes the backup", where)
		}
	}
	for name, want := range map[string]string{"CreateBackup": `"backupName":"nightly"`,
		"RestoreTableFromBackup": `"sSESpecificationOverride":{"enabled":false}`, "DescribeBackup": `"backupArn":"` + *arn} {
		out, err := cloudtrail.NewFromConfig(l.Root()).LookupEvents(t.Context(),
			&cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{
				{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: &name}}})
		l.must(out, err)
		found := false
		for _, e := range out.Events {
			found = found || strings.Contains(*e.CloudTrailEvent, want) &&
				!strings.Contains(*e.CloudTrailEvent, "errorCode")
		}
		if !found {
			t.Errorf("%s: no event of it has %s", name, want)
		}
	}
}
