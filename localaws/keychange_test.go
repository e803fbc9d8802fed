package localaws_test

import (
	"errors"
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
