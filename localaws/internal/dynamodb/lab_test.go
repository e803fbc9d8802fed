// SPDX-License-Identifier: Apache-2.0

package dynamodb_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const (
	labTable = "orders"
	labRoot  = `{"Sid":"Enable IAM","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{{account}}:root"},"Action":"kms:*","Resource":"*"}`
	labUser  = `{"Sid":"Allow use of the key","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{{account}}:user/reader"},"Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"*"}`
)

func labPolicy(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// lab is the situation of the lab: an encrypted table, an administrator, and a
// user who may do everything with DynamoDB and nothing with the key.
type lab struct {
	*testing.T
	*localawstest.Server
	root, reader *dynamodb.Client
	keys         *kms.Client
	key          string
}

func newLab(t *testing.T, o localaws.Options) *lab {
	l := &lab{T: t}
	l.Server = localawstest.New(t, localawstest.WithOptions(o), localawstest.WithSeed(localawstest.Seed{
		Users:  []localawstest.User{{Name: "reader", Attach: []string{"AmazonDynamoDBFullAccess"}}},
		Keys:   []localawstest.Key{{Name: "orders", Policy: labPolicy(labRoot)}},
		Tables: []localawstest.Table{{Name: labTable, PartitionKey: "id", Key: "orders"}},
	}))
	l.root, l.reader = dynamodb.NewFromConfig(l.Root()), dynamodb.NewFromConfig(l.User("reader"))
	l.keys, l.key = kms.NewFromConfig(l.Root()), l.Key("orders")
	_, err := l.root.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: aws.String(labTable), Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: "1"}, "card": &types.AttributeValueMemberS{Value: "4111"}}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// try does the four calls of the lab as the reader.
func (l *lab) try(name string) map[string]error {
	id := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}}
	table := aws.String(name)
	errs := map[string]error{}
	_, errs["GetItem"] = l.reader.GetItem(l.Context(), &dynamodb.GetItemInput{TableName: table, Key: id})
	_, errs["Scan"] = l.reader.Scan(l.Context(), &dynamodb.ScanInput{TableName: table})
	_, errs["Query"] = l.reader.Query(l.Context(),
		&dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String("id = :i"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":i": id["id"]}})
	_, errs["PutItem"] = l.reader.PutItem(l.Context(), &dynamodb.PutItemInput{TableName: table, Item: id})
	return errs
}

func (l *lab) putPolicy(statements ...string) {
	l.Helper()
	policy := strings.ReplaceAll(labPolicy(statements...), "{{account}}", l.AccountID())
	if _, err := l.keys.PutKeyPolicy(l.Context(),
		&kms.PutKeyPolicyInput{KeyId: &l.key, PolicyName: aws.String("default"), Policy: &policy}); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) must(_ any, err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// TestLab is the table test of the lab: one step changes who may use the key,
// or the key, and the reader's four calls all end as the step says; every one
// of them appears as a KMS Decrypt with the reader behind it.
func TestLab(t *testing.T) {
	l := newLab(t, localaws.Options{})
	grant, table := "", labTable
	steps := []struct {
		name   string
		change func()
		code   string // empty: allowed
		text   string
		event  string // the event's error code
	}{
		{"nothing allows", func() {}, "AccessDeniedException", "is not authorized to perform: kms:Decrypt on resource: " + l.key + " because no identity-based policy allows the kms:Decrypt action", "AccessDenied"},
		{"key policy names the user", func() { l.putPolicy(labRoot, labUser) }, "", "", ""},
		{"key policy as before", func() { l.putPolicy(labRoot) }, "AccessDeniedException", "kms:Decrypt", "AccessDenied"},
		{"a grant", func() {
			out, err := l.keys.CreateGrant(t.Context(),
				&kms.CreateGrantInput{KeyId: &l.key,
					GranteePrincipal: aws.String("arn:aws:iam::" + l.AccountID() + ":user/reader"),
					Operations:       []kmstypes.GrantOperation{"Decrypt"}})
			l.must(out, err)
			grant = *out.GrantId
		}, "", "", ""},
		{"the grant revoked", func() {
			l.must(l.keys.RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: &l.key, GrantId: &grant}))
		}, "AccessDeniedException", "kms:Decrypt", "AccessDenied"},
		{"key disabled", func() {
			l.putPolicy(labRoot, labUser)
			l.must(l.keys.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &l.key}))
		}, "ValidationException",
			"KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: " + l.key + " is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException; Request ID: ", "DisabledException"},
		{"key enabled", func() { l.must(l.keys.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &l.key})) }, "", "", ""},
		{"deletion scheduled", func() {
			l.must(l.keys.ScheduleKeyDeletion(t.Context(),
				&kms.ScheduleKeyDeletionInput{KeyId: &l.key, PendingWindowInDays: aws.Int32(7)}))
		}, "ValidationException",
			"KMS validation error: com.amazonaws.services.kms.model.KMSInvalidStateException: " + l.key + " is pending deletion. (", "KMSInvalidStateException"},
		{"key deleted", func() { l.Clock.Advance(8 * 24 * time.Hour) }, "ValidationException", "NotFoundException: Key '" + l.key + "' does not exist (", "NotFoundException"},
		// Everybody of the account may use this key, through DynamoDB.
		{"the AWS managed key", func() {
			table = "managed"
			l.must(l.root.CreateTable(t.Context(),
				&dynamodb.CreateTableInput{TableName: &table, BillingMode: types.BillingModePayPerRequest,
					AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"),
						AttributeType: "S"}}, KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"),
						KeyType: "HASH"}},
					SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true)}}))
		}, "", "", ""},
	}
	for _, step := range steps {
		step.change()
		since := len(l.decrypts())
		for operation, err := range l.try(table) {
			var api smithy.APIError
			switch {
			case step.code == "" && err != nil:
				t.Errorf("%s: %s: %v", step.name, operation, err)
			case step.code == "":
			case !errors.As(err, &api) || api.ErrorCode() != step.code ||
				!strings.Contains(api.ErrorMessage(), step.text):
				t.Errorf("%s: %s:\n got %v\nwant %s: %s", step.name, operation, err, step.code, step.text)
			case step.code == "AccessDeniedException":
				localawstest.AssertDenied(t, err, "kms:Decrypt", "no identity-based policy")
			}
		}
		events := l.decrypts()
		if len(events)-since != 4 {
			t.Errorf("%s: %d Decrypt events for four calls", step.name, len(events)-since)
			continue
		}
		for _, e := range events[:len(events)-since] { // newest first
			l.checkEvent(step.name, table, e, step.event)
		}
	}
	described, err := l.root.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil || described.Table.SSEDescription.SSEType != types.SSETypeKms ||
		*described.Table.SSEDescription.KMSMasterKeyArn == l.key {
		t.Errorf("%v, %v", described, err)
	}
}

// decrypts are the Decrypt events of the reader that LookupEvents answers,
// newest first.
func (l *lab) decrypts() []map[string]any {
	l.Helper()
	c := cloudtrail.NewFromConfig(l.Root())
	var out []map[string]any
	pages := cloudtrail.NewLookupEventsPaginator(c,
		&cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{
			{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: aws.String("Decrypt")}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(l.Context())
		if err != nil {
			l.Fatal(err)
		}
		for _, e := range page.Events {
			var event map[string]any
			if err := json.Unmarshal([]byte(*e.CloudTrailEvent), &event); err != nil {
				l.Fatal(err)
			}
			if id, _ := event["userIdentity"].(map[string]any); id["userName"] == "reader" {
				out = append(out, event)
			}
		}
	}
	return out
}

// checkEvent compares one Decrypt through DynamoDB with what CloudTrail writes
// of it; code is its error code.
func (l *lab) checkEvent(step, table string, e map[string]any, code string) {
	l.Helper()
	id := e["userIdentity"].(map[string]any)
	got := fmt.Sprintf("%v %v %v %v %v %v %v", id["type"], id["arn"], id["accountId"], id["invokedBy"],
		e["sourceIPAddress"], e["userAgent"], e["eventSource"])
	if want := "IAMUser arn:aws:iam::" + l.AccountID() + ":user/reader " + l.AccountID() +
		" dynamodb.amazonaws.com dynamodb.amazonaws.com dynamodb.amazonaws.com kms.amazonaws.com"; got != want {
		l.Errorf("%s: the event says %s, want %s", step, got, want)
	}
	principal, _ := id["principalId"].(string)
	key, _ := id["accessKeyId"].(string)
	if !strings.HasPrefix(principal, "AIDA") || !strings.HasPrefix(key, "AKIA") {
		l.Errorf("%s: principal %q with the access key %q", step, principal, key)
	}
	if got, _ := e["errorCode"].(string); got != code {
		l.Errorf("%s: the event's error code is %q, want %q", step, got, code)
	}
	request, _ := e["requestParameters"].(map[string]any)
	resources, _ := e["resources"].([]any)
	switch code {
	case "":
		context := fmt.Sprint(request["encryptionContext"])
		if context != "map[aws:dynamodb:subscriberId:"+l.AccountID()+" aws:dynamodb:tableName:"+table+"]" ||
			request["encryptionAlgorithm"] != "SYMMETRIC_DEFAULT" ||
			e["responseElements"] != nil || len(resources) != 1 ||
			resources[0].(map[string]any)["type"] != "AWS::KMS::Key" {
			l.Errorf("%s: %v", step, e)
		}
	case "AccessDenied":
		if request != nil || resources != nil || e["responseElements"] != nil {
			l.Errorf("%s: %v", step, e)
		}
	}
}

// TestLabSurvivesRestart: the denial is the same after a restart, when the
// items are still sealed, and permission opens them.
func TestLabSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	s, err := localaws.New(localaws.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	client := dynamodb.NewFromConfig(s.Config(s.RootCredentials()))
	key, err := kms.NewFromConfig(s.Config(s.RootCredentials())).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CreateTable(t.Context(),
		&dynamodb.CreateTableInput{TableName: aws.String(labTable), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
			SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms,
				KMSMasterKeyId: key.KeyMetadata.Arn}})
	if err != nil {
		t.Fatal(err)
	}
	item := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}}
	if _, err := client.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: aws.String(labTable), Item: item}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = localaws.New(localaws.Options{DataDir: dir}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client, keys := dynamodb.NewFromConfig(s.Config(s.RootCredentials())),
		kms.NewFromConfig(s.Config(s.RootCredentials()))
	if _, err := keys.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: key.KeyMetadata.Arn}); err != nil {
		t.Fatal(err)
	}
	get := &dynamodb.GetItemInput{TableName: aws.String(labTable), Key: item}
	if _, err := client.GetItem(t.Context(), get); err == nil ||
		!strings.Contains(err.Error(), "KMS key disabled error") {
		t.Errorf("sealed items under a disabled key: %v", err)
	}
	if _, err := keys.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: key.KeyMetadata.Arn}); err != nil {
		t.Fatal(err)
	}
	if out, err := client.GetItem(t.Context(), get); err != nil || len(out.Item) != 1 {
		t.Errorf("after EnableKey: %v, %v", out, err)
	}
}

// TestRevokedTableGrant: without DynamoDB's own grant the items stay open to
// a principal that may use the key, which can also bring the table under another key.
func TestRevokedTableGrant(t *testing.T) {
	l := newLab(t, localaws.Options{})
	grants := func(key string) []kmstypes.GrantListEntry {
		t.Helper()
		out, err := l.keys.ListGrants(t.Context(), &kms.ListGrantsInput{KeyId: &key})
		l.must(out, err)
		return out.Grants
	}
	list := grants(l.key)
	if len(list) != 1 {
		t.Fatalf("grants of the table: %v", list)
	}
	g := list[0]
	if aws.ToString(g.GranteePrincipal) != "dynamodb.us-east-1.amazonaws.com" ||
		aws.ToString(g.RetiringPrincipal) != "dynamodb.us-east-1.amazonaws.com" ||
		len(g.Operations) != 7 || g.Constraints.EncryptionContextSubset["aws:dynamodb:tableName"] != labTable {
		t.Errorf("the table's grant is %v", g)
	}
	l.must(l.keys.RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: &l.key, GrantId: g.GrantId}))
	l.must(l.root.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(labTable)}))
	other, err := l.keys.CreateKey(t.Context(), &kms.CreateKeyInput{})
	l.must(other, err)
	toOther := &dynamodb.UpdateTableInput{TableName: aws.String(labTable),
		SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms,
			KMSMasterKeyId: other.KeyMetadata.Arn}}
	_, err = l.reader.UpdateTable(t.Context(), toOther)
	if err == nil {
		t.Error("a user without right to the key switches the table")
	}
	l.must(l.root.UpdateTable(t.Context(), toOther))
	if n := len(grants(*other.KeyMetadata.Arn)); n != 1 {
		t.Errorf("%d grants under the new key", n)
	}
	l.must(l.root.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(labTable)}))
	if n := len(grants(*other.KeyMetadata.Arn)); n != 0 {
		t.Errorf("%d grants outlive the table", n)
	}
}

// TestTableEvents: LookupEvents tells who did what to a table, with request and
// answer as CloudTrail writes them.
func TestTableEvents(t *testing.T) {
	l := newLab(t, localaws.Options{})
	table := aws.String(labTable)
	l.must(l.root.UpdateTable(t.Context(),
		&dynamodb.UpdateTableInput{TableName: table,
			SSESpecification: &types.SSESpecification{Enabled: aws.Bool(false)}}))
	l.must(l.root.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table}))
	_, err := l.reader.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table})
	if err == nil {
		t.Error("a table was deleted twice")
	}
	for name, want := range map[string]struct{ request, answer string }{
		"CreateTable": {`"kMSMasterKeyId":"` + l.key + `"`, `"sSEDescription":{"kMSMasterKeyArn":"` + l.key + `","sSEType":"KMS","status":"ENABLED"}`},
		"UpdateTable": {`{"sSESpecification":{"enabled":false},"tableName":"orders"}`, `"tableStatus":"ACTIVE"`},
		"DeleteTable": {`{"tableName":"orders"}`, `"tableStatus":"DELETING"`},
	} {
		out, err := cloudtrail.NewFromConfig(l.Root()).LookupEvents(t.Context(),
			&cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{
				{AttributeKey: trailtypes.LookupAttributeKeyEventName, AttributeValue: &name}}})
		l.must(out, err)
		for _, e := range out.Events {
			var event struct {
				ErrorCode                           string
				RequestParameters, ResponseElements json.RawMessage
			}
			l.must(nil, json.Unmarshal([]byte(*e.CloudTrailEvent), &event))
			request, answer := string(event.RequestParameters), string(event.ResponseElements)
			if !strings.Contains(request, want.request) ||
				(event.ErrorCode == "" && !strings.Contains(answer, want.answer)) ||
				(event.ErrorCode != "" && answer != "null") {
				t.Errorf("%s: %s", name, *e.CloudTrailEvent)
			}
		}
		if len(out.Events) == 0 {
			t.Errorf("%s: no event", name)
		}
	}
}
