// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cloudtrailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// newClock returns a clock that stands at noon until a test puts it forward.
func newClock() *localawstest.Clock {
	return localawstest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
}

const (
	labTable   = "Notes"
	labAccount = "111122223333"
	aliceARN   = "arn:aws:iam::" + labAccount + ":user/alice"
)

// lab is a table under a customer managed key and a user, alice, who may do
// everything with DynamoDB and nothing with KMS.
type lab struct {
	t      *testing.T
	clock  *localawstest.Clock
	root   aws.Config
	tables *dynamodb.Client // root's
	keys   *kms.Client      // root's
	alice  *dynamodb.Client
	aliceK *kms.Client
	aliceI string // AIDA…
	key    string // ARN
}

var ctx = context.Background()

func newLab(t *testing.T, clock *localawstest.Clock, s *localaws.Server, config func(aws.Credentials) aws.Config) *lab {
	t.Helper()
	l := &lab{t: t, clock: clock, root: config(s.RootCredentials())}
	l.tables, l.keys = dynamodb.NewFromConfig(l.root), kms.NewFromConfig(l.root)
	people := iam.NewFromConfig(l.root)
	user, err := people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")})
	l.must(err)
	l.aliceI = *user.User.UserId
	_, err = people.AttachUserPolicy(ctx,
		&iam.AttachUserPolicyInput{UserName: aws.String("alice"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")})
	l.must(err)
	access, err := people.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
	l.must(err)
	cfg := config(aws.Credentials{AccessKeyID: *access.AccessKey.AccessKeyId,
		SecretAccessKey: *access.AccessKey.SecretAccessKey})
	l.alice, l.aliceK = dynamodb.NewFromConfig(cfg), kms.NewFromConfig(cfg)
	key, err := l.keys.CreateKey(ctx, &kms.CreateKeyInput{})
	l.must(err)
	l.key = *key.KeyMetadata.Arn
	l.createTable(labTable, &dynamodbtypes.SSESpecification{Enabled: aws.Bool(true), SSEType: dynamodbtypes.SSETypeKms,
		KMSMasterKeyId: &l.key})
	return l
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) createTable(name string, sse *dynamodbtypes.SSESpecification) {
	l.t.Helper()
	_, err := l.tables.CreateTable(ctx,
		&dynamodb.CreateTableInput{TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
			SSESpecification: sse,
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"),
				AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
			KeySchema: []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"),
				KeyType: dynamodbtypes.KeyTypeHash}}})
	l.must(err)
	_, err = l.tables.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: labItem()})
	l.must(err)
}

func labItem() map[string]dynamodbtypes.AttributeValue {
	return map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: "1"},
		"text": &dynamodbtypes.AttributeValueMemberS{Value: "the-item-value"}}
}

// itemCalls are the item calls on a table, each of which needs the table's key.
func itemCalls(c *dynamodb.Client, table string) map[string]func() error {
	key := map[string]dynamodbtypes.AttributeValue{"id": labItem()["id"]}
	names, values := map[string]string{"#id": "id"}, map[string]dynamodbtypes.AttributeValue{":id": labItem()["id"]}
	return map[string]func() error{
		"GetItem": func() error {
			out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key})
			if err == nil && len(out.Item) == 0 {
				return errors.New("the item is not there")
			}
			return err
		},
		"PutItem": func() error {
			_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: labItem()})
			return err
		},
		"UpdateItem": func() error {
			_, err := c.UpdateItem(ctx,
				&dynamodb.UpdateItemInput{TableName: &table, Key: key, UpdateExpression: aws.String("SET n = :id"),
					ExpressionAttributeValues: values})
			return err
		},
		"DeleteItem": func() error {
			_, err := c.DeleteItem(ctx,
				&dynamodb.DeleteItemInput{TableName: &table,
					Key: map[string]dynamodbtypes.AttributeValue{
						"id": &dynamodbtypes.AttributeValueMemberS{Value: "2"}}})
			return err
		},
		"Query": func() error {
			_, err := c.Query(ctx, &dynamodb.QueryInput{TableName: &table,
				KeyConditionExpression: aws.String("#id = :id"), ExpressionAttributeNames: names,
				ExpressionAttributeValues: values})
			return err
		},
		"Scan": func() error {
			_, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: &table})
			return err
		},
		"BatchGetItem": func() error {
			_, err := c.BatchGetItem(ctx,
				&dynamodb.BatchGetItemInput{RequestItems: map[string]dynamodbtypes.KeysAndAttributes{table: {
					Keys: []map[string]dynamodbtypes.AttributeValue{key}}}})
			return err
		},
		"BatchWriteItem": func() error {
			_, err := c.BatchWriteItem(ctx,
				&dynamodb.BatchWriteItemInput{RequestItems: map[string][]dynamodbtypes.WriteRequest{table: {
					{PutRequest: &dynamodbtypes.PutRequest{Item: labItem()}}}}})
			return err
		},
		"TransactGetItems": func() error {
			_, err := c.TransactGetItems(ctx,
				&dynamodb.TransactGetItemsInput{TransactItems: []dynamodbtypes.TransactGetItem{{Get: &dynamodbtypes.Get{
					TableName: &table, Key: key}}}})
			return err
		},
		"TransactWriteItems": func() error {
			_, err := c.TransactWriteItems(ctx,
				&dynamodb.TransactWriteItemsInput{TransactItems: []dynamodbtypes.TransactWriteItem{
					{Put: &dynamodbtypes.Put{TableName: &table, Item: labItem()}}}})
			return err
		},
	}
}

// expect makes all item calls as alice and compares each outcome; want is a
// code and a part of the message, both empty for success. Every call must have
// asked KMS once, as alice, and CloudTrail must tell so.
func (l *lab) expect(step, table, wantCode, wantMessage, event string) {
	l.t.Helper()
	l.clock.Advance(time.Minute) // so that events of this step can be told apart
	since := l.clock.Now()
	calls := itemCalls(l.alice, table)
	for name, do := range calls {
		err := do()
		var api smithy.APIError
		if !errors.As(err, &api) {
			if err != nil || wantCode != "" {
				l.t.Errorf("%s: %s: got %v, want %s", step, name, err, wantCode)
			}
			continue
		}
		if api.ErrorCode() != wantCode || !strings.Contains(api.ErrorMessage(), wantMessage) {
			l.t.Errorf("%s: %s: got %s %q, want %s with %q", step, name, api.ErrorCode(), api.ErrorMessage(), wantCode,
				wantMessage)
		}
	}
	l.events(step, table, since, len(calls), event)
}

// decryptEvent is CloudTrail's event of a Decrypt through DynamoDB.
type decryptEvent struct {
	UserIdentity struct {
		Type, PrincipalID, ARN, AccountID, UserName, InvokedBy string
	}
	SourceIPAddress, UserAgent string
	ErrorCode, ErrorMessage    string
	RequestParameters          *struct {
		EncryptionContext   map[string]string
		EncryptionAlgorithm string
	}
	Resources       []struct{ ARN, Type string }
	ReadOnly        bool
	ManagementEvent bool
}

// events checks the step's Decrypt events as LookupEvents answers them.
func (l *lab) events(step, table string, since time.Time, want int, wantCode string) {
	l.t.Helper()
	out, err := cloudtrail.NewFromConfig(l.root).LookupEvents(ctx, &cloudtrail.LookupEventsInput{StartTime: &since,
		LookupAttributes: []cloudtrailtypes.LookupAttribute{{AttributeKey: cloudtrailtypes.LookupAttributeKeyEventName,
			AttributeValue: aws.String("Decrypt")}}})
	l.must(err)
	if len(out.Events) != want {
		l.t.Errorf("%s: %d Decrypt events, want one for each of %d calls", step, len(out.Events), want)
	}
	for _, record := range out.Events {
		var e decryptEvent
		l.must(json.Unmarshal([]byte(*record.CloudTrailEvent), &e))
		u := e.UserIdentity
		if u.Type != "IAMUser" || u.UserName != "alice" || u.ARN != aliceARN || u.PrincipalID != l.aliceI ||
			u.InvokedBy != "dynamodb.amazonaws.com" ||
			e.SourceIPAddress != "dynamodb.amazonaws.com" || e.UserAgent != "dynamodb.amazonaws.com" || !e.ReadOnly ||
			!e.ManagementEvent || e.ErrorCode != wantCode {
			l.t.Errorf("%s: event %s; want error code %q", step, *record.CloudTrailEvent, wantCode)
		}
		switch wantCode {
		case "":
			if e.RequestParameters == nil || e.RequestParameters.EncryptionContext["aws:dynamodb:tableName"] != table ||
				e.RequestParameters.EncryptionContext["aws:dynamodb:subscriberId"] != labAccount ||
				e.RequestParameters.EncryptionAlgorithm != "SYMMETRIC_DEFAULT" || len(e.Resources) != 1 ||
				e.Resources[0].Type != "AWS::KMS::Key" {
				l.t.Errorf("%s: event %s", step, *record.CloudTrailEvent)
			}
		case "AccessDenied":
			if e.RequestParameters != nil || len(e.Resources) != 0 ||
				!strings.Contains(e.ErrorMessage, "not authorized to perform: kms:Decrypt") {
				l.t.Errorf("%s: event %s", step, *record.CloudTrailEvent)
			}
		}
		if strings.Contains(*record.CloudTrailEvent, "the-item-value") {
			l.t.Errorf("%s: the event holds an item's value", step)
		}
	}
}

const rootStatement = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + labAccount +
	`:root"},"Action":"kms:*","Resource":"*"}`

func (l *lab) setPolicy(more string) {
	l.t.Helper()
	_, err := l.keys.PutKeyPolicy(ctx,
		&kms.PutKeyPolicyInput{KeyId: &l.key,
			Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + rootStatement + more + `]}`)})
	l.must(err)
}

// The lab: the right to the table's key decides about every item call.
func TestTableKeyDecides(t *testing.T) {
	clock := newClock()
	bothWays(t, localaws.Options{Clock: clock.Now},
		func(t *testing.T, s *localaws.Server, config func(aws.Credentials) aws.Config) {
			l := newLab(t, clock, s, config)
			const denial = "is not authorized to perform: kms:Decrypt on resource: "
			denied := func(step string) {
				t.Helper()
				l.expect(step, labTable, "AccessDeniedException",
					"KMS key access denied error: com.amazonaws.services.kms.model.AWSKMSException: User: "+aliceARN+
						" "+denial+l.key+
						" because no identity-based policy allows the kms:Decrypt action (Service: AWSKMS; Status "+
						"Code: 400; Error Code: AccessDeniedException; Request ID: ", "AccessDenied")
			}
			allowed := func(step string) {
				t.Helper()
				l.expect(step, labTable, "", "", "")
			}

			denied("with AmazonDynamoDBFullAccess only")
			l.setPolicy(`,{"Effect":"Allow","Principal":{"AWS":"` + aliceARN +
				`"},"Action":"kms:Decrypt","Resource":"*"}`)
			allowed("named in the key policy")
			l.setPolicy("")
			denied("after removal from the key policy")
			l.setPolicy(`,{"Effect":"Allow","Principal":{"AWS":"` + aliceARN +
				`"},"Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"dynamodb.us-east-1.amazonaws.com"}}}`)
			allowed("through DynamoDB only")
			sealed, err := l.keys.Encrypt(ctx, &kms.EncryptInput{KeyId: &l.key, Plaintext: []byte("x")})
			l.must(err)
			if _, err := l.aliceK.Decrypt(ctx,
				&kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob}); code(err) != "AccessDeniedException" ||
				!strings.Contains(err.Error(), denial) {
				t.Errorf("a direct Decrypt against kms:ViaService: %v", err)
			}
			l.setPolicy("")

			grant, err := l.keys.CreateGrant(ctx,
				&kms.CreateGrantInput{KeyId: &l.key, GranteePrincipal: aws.String(aliceARN),
					Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt}})
			l.must(err)
			allowed("by grant")
			_, err = l.aliceK.Encrypt(ctx, &kms.EncryptInput{KeyId: &l.key, Plaintext: []byte("x")})
			if code(err) != "AccessDeniedException" || !strings.Contains(err.Error(), "kms:Encrypt") {
				t.Errorf("a grant of Decrypt allows Encrypt: %v", err)
			}
			_, err = l.keys.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: &l.key, GrantId: grant.GrantId})
			l.must(err)
			denied("after the grant was revoked")
			grant, err = l.keys.CreateGrant(ctx,
				&kms.CreateGrantInput{KeyId: &l.key, GranteePrincipal: aws.String(aliceARN),
					Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt},
					Constraints: &kmstypes.GrantConstraints{EncryptionContextSubset: map[string]string{
						"aws:dynamodb:tableName": "Other"}}})
			l.must(err)
			denied("by a grant for another table")
			_, err = l.keys.RevokeGrant(ctx, &kms.RevokeGrantInput{KeyId: &l.key, GrantId: grant.GrantId})
			l.must(err)

			l.createTable("Managed", &dynamodbtypes.SSESpecification{Enabled: aws.Bool(true),
				SSEType: dynamodbtypes.SSETypeKms})
			l.expect("under the AWS managed key", "Managed", "", "", "")

			// The key's state goes before the question who may use it.
			l.setPolicy(`,{"Effect":"Allow","Principal":{"AWS":"` + aliceARN +
				`"},"Action":"kms:Decrypt","Resource":"*"}`)
			_, err = l.keys.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &l.key})
			l.must(err)
			l.expect("disabled key", labTable, "ValidationException",
				"KMS key disabled error: com.amazonaws.services.kms.model.DisabledException: "+l.key+
					" is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException; Request ID: ",
				"DisabledException")
			_, err = l.keys.ScheduleKeyDeletion(ctx,
				&kms.ScheduleKeyDeletionInput{KeyId: &l.key, PendingWindowInDays: aws.Int32(7)})
			l.must(err)
			l.expect("key pending deletion", labTable, "ValidationException",
				"KMS validation error: com.amazonaws.services.kms.model.KMSInvalidStateException: "+l.key+
					" is pending deletion. (", "KMSInvalidStateException")
			_, err = l.keys.CancelKeyDeletion(ctx, &kms.CancelKeyDeletionInput{KeyId: &l.key})
			l.must(err)
			l.expect("disabled after the deletion was cancelled", labTable, "ValidationException", "is disabled.",
				"DisabledException")
			_, err = l.keys.EnableKey(ctx, &kms.EnableKeyInput{KeyId: &l.key})
			l.must(err)
			allowed("enabled again")
			_, err = l.keys.ScheduleKeyDeletion(ctx,
				&kms.ScheduleKeyDeletionInput{KeyId: &l.key, PendingWindowInDays: aws.Int32(7)})
			l.must(err)
			clock.Advance(8 * 24 * time.Hour)
			l.expect("deleted key", labTable, "ValidationException",
				"NotFoundException: Key '"+l.key+"' does not exist", "NotFoundException")
			if _, err := l.tables.DeleteTable(ctx,
				&dynamodb.DeleteTableInput{TableName: aws.String(labTable)}); err != nil {
				t.Errorf("a table without key cannot be deleted: %v", err)
			}

			// Item calls are data events: LookupEvents never answers them, Audit does.
			out, err := cloudtrail.NewFromConfig(l.root).LookupEvents(ctx,
				&cloudtrail.LookupEventsInput{LookupAttributes: []cloudtrailtypes.LookupAttribute{
					{AttributeKey: cloudtrailtypes.LookupAttributeKeyEventName,
						AttributeValue: aws.String("GetItem")}}})
			if err != nil || len(out.Events) != 0 {
				t.Errorf("LookupEvents answers %d GetItem events, %v", len(out.Events), err)
			}
			data := map[string]int{}
			for _, e := range s.Audit().Events() {
				if e.EventName == "Decrypt" && e.Denied() {
					if why := strings.Join(e.Reasons(), "\n"); !strings.Contains(why, "AmazonDynamoDBFullAccess") ||
						!strings.Contains(why, "resource-based policy") {
						t.Errorf("a denial's reasons are %q", why)
					}
				}
				if e.EventCategory == "Data" && e.UserIdentity.UserName == "alice" {
					data[fmt.Sprint(e.EventName, " ", e.ErrorCode)]++
				}
			}
			if data["GetItem AccessDenied"] != 4 || data["GetItem "] != 5 || data["GetItem ValidationException"] != 4 {
				t.Errorf("alice's data events are %v", data)
			}
		})
}
