// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/localaws"
)

// TestKeyStaysOnTheTable: a user who may do everything with DynamoDB and
// nothing with the key reads no item, and does not get at the items by taking the
// key off the table either.
func TestKeyStaysOnTheTable(t *testing.T) {
	clock := newClock()
	s := start(t, localaws.Options{Clock: clock.Now})
	l := newLab(t, clock, s, s.Config)
	key := map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}}
	_, err := l.tables.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(labTable), Item: key})
	l.must(err)
	read := func() error {
		_, err := l.alice.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(labTable), Key: key})
		return err
	}
	want := "User: " + aliceARN + " is not authorized to perform: kms:Decrypt on resource: " + l.key +
		" because no identity-based policy allows the kms:Decrypt action"
	refused := func(what string, err error) {
		t.Helper()
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "AccessDeniedException" ||
			!strings.Contains(api.ErrorMessage(), want) ||
			!strings.HasPrefix(api.ErrorMessage(), "KMS key access denied error: ") {
			t.Errorf("%s: %v, want AccessDeniedException %s", what, err, want)
		}
	}
	refused("GetItem", read())
	_, err = l.alice.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(labTable),
		SSESpecification: &types.SSESpecification{Enabled: aws.Bool(false)}})
	refused("UpdateTable", err)
	_, err = l.alice.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: aws.String(labTable),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{Enabled: aws.Bool(true),
			AttributeName: aws.String("until")}})
	refused("UpdateTimeToLive", err)
	refused("GetItem after the attempts", read())
	// A user who may use the key can: that is what a Deny of dynamodb:UpdateTable is for.
	_, err = l.tables.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(labTable),
		SSESpecification: &types.SSESpecification{Enabled: aws.Bool(false)}})
	l.must(err)
	l.must(read())
}

// TestHMACKeyOfATable: AWS answers an HMAC key for a table as a failure of its own.
// The caller learns in the hint that the key is wrong, and the server does not count
// it among its failures.
func TestHMACKeyOfATable(t *testing.T) {
	s := start(t, localaws.Options{})
	ask := func(service, target, contentType, body string) (int, http.Header, string) {
		return send(t, s, rawRequest{target: target, contentType: contentType, service: service, body: body,
			creds: s.RootCredentials()})
	}
	_, _, out := ask("kms", "TrentService.CreateKey", json11,
		`{"KeySpec":"HMAC_256","KeyUsage":"GENERATE_VERIFY_MAC"}`)
	var key struct{ KeyMetadata struct{ KeyId string } }
	if err := json.Unmarshal([]byte(out), &key); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	encrypted := `"SSESpecification":{"Enabled":true,"SSEType":"KMS","KMSMasterKeyId":"` + key.KeyMetadata.KeyId + `"}`
	table := `"TableName":"items","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],` +
		`"AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}]`
	refused := func(operation, body string) {
		t.Helper()
		status, header, out := ask("dynamodb", "DynamoDB_20120810."+operation, json10, body)
		if status != http.StatusInternalServerError || !strings.Contains(out, "#InternalServerError") ||
			!strings.Contains(out, "KMS internal error: com.amazonaws.services.kms.model.AWSKMSException: "+
				"EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key. "+
				"(Service: AWSKMS; Status Code: 400; Error Code: ValidationException; Request ID: ") ||
			!strings.Contains(header.Get("X-Localaws-Hint"), "symmetric") {
			t.Errorf("%s: %d %s, hint %q", operation, status, out, header.Get("X-Localaws-Hint"))
		}
	}
	refused("CreateTable", `{`+table+`,`+encrypted+`}`)
	if status, _, out := ask("dynamodb", "DynamoDB_20120810.CreateTable", json10, `{`+table+`}`); status != 200 {
		t.Fatalf("the name is taken: %s", out)
	}
	refused("UpdateTable", `{"TableName":"items",`+encrypted+`}`)
	if failures := s.Failures(); len(failures) != 0 {
		t.Errorf("failures of the server: %v", failures)
	}
}
