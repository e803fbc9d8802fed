// SPDX-License-Identifier: Apache-2.0

package localaws_test

import (
	"net/http"
	"testing"

	"github.com/ddbseal/ddbseal/localaws"
)

// FuzzRequest sends signed requests with any target, content type, query and
// body: whatever a client says, the server answers and does not fail inside.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ target, contentType, query, service, body string }{
		{"DynamoDB_20120810.PutItem", json10, "", "dynamodb", `{"TableName":"Table","Item":{"id":{"S":"1"},"n":{"N":"1e5"},"m":{"M":{"l":{"L":[{"BOOL":true},{"NULL":true}]}}}}}`},
		{"DynamoDB_20120810.UpdateItem", json10, "", "dynamodb", `{"TableName":"Table","Key":{"id":{"S":"1"}},"UpdateExpression":"SET a = if_not_exists(a, :z) + :z REMOVE b[0].c","ExpressionAttributeValues":{":z":{"N":"1"}}}`},
		{"DynamoDB_20120810.Query", json10, "", "dynamodb", `{"TableName":"Table","KeyConditionExpression":"id = :id","FilterExpression":"contains(#a, :id) AND size(b) > :n","ExpressionAttributeNames":{"#a":"a"},"ExpressionAttributeValues":{":id":{"S":"1"},":n":{"N":"2"}}}`},
		{"DynamoDB_20120810.BatchWriteItem", json10, "", "dynamodb", `{"RequestItems":{"Table":[{"PutRequest":{"Item":{"id":{"S":"2"}}}},{"DeleteRequest":{"Key":{"id":{"S":"1"}}}}]}}`},
		{"DynamoDB_20120810.TransactWriteItems", json10, "", "dynamodb", `{"TransactItems":[{"Put":{"TableName":"Table","Item":{"id":{"S":"2"}},"ConditionExpression":"attribute_not_exists(id)"}}]}`},
		{"DynamoDB_20120810.CreateTable", json10, "", "dynamodb", `{"TableName":"Other","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}`},
		{"TrentService.CreateKey", json11, "", "kms", `{"Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[]}","Tags":[{"TagKey":"a","TagValue":"b"}]}`},
		{"TrentService.Decrypt", json11, "", "kms", `{"CiphertextBlob":"AAAA","EncryptionContext":{"a":"b"}}`},
		{"TrentService.CreateGrant", json11, "", "kms", `{"KeyId":"alias/x","GranteePrincipal":"arn:aws:iam::111122223333:root","Operations":["Decrypt"]}`},
		{"CloudTrail_20131101.LookupEvents", json11, "", "cloudtrail", `{"MaxResults":5,"StartTime":1.7e9,"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"Decrypt"}]}`},
		{"", form, "", "iam", "Action=CreateUser&Version=2010-05-08&UserName=bob&Tags.member.1.Key=a&Tags.member.1.Value=b"},
		{"", form, "", "iam", "Action=PutUserPolicy&Version=2010-05-08&UserName=alice&PolicyName=p&PolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D"},
		{"", form, "", "iam", "Action=SimulatePrincipalPolicy&Version=2010-05-08&PolicySourceArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Auser%2Falice&ActionNames.member.1=kms%3ADecrypt"},
		{"", form, "", "sts", "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx&RoleSessionName=s"},
		{"", "", "Action=GetCallerIdentity&Version=2011-06-15", "sts", ""},
		{"TrentService.", json11, "%zz", "kms", `[[[[[[`},
	} {
		f.Add(seed.target, seed.contentType, seed.query, seed.service, seed.body)
	}
	s, err := localaws.New(localaws.Options{AuditLimit: 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	root := s.RootCredentials()
	for _, setup := range []rawRequest{
		{contentType: form, service: "iam", body: "Action=CreateUser&Version=2010-05-08&UserName=alice"},
		{target: "DynamoDB_20120810.CreateTable", contentType: json10, service: "dynamodb", body: `{"TableName":"Table","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"}`},
	} {
		setup.creds = root
		if status, _, body := send(f, s, setup); status != http.StatusOK {
			f.Fatalf("%d %s", status, body)
		}
	}
	f.Fuzz(func(t *testing.T, target, contentType, query, service, body string) {
		r := rawRequest{target: target, contentType: contentType, service: service, body: body, query: query,
			creds: root}
		if query != "" {
			r.method = http.MethodGet
		}
		status, header, _ := send(t, s, r)
		if status >= http.StatusInternalServerError {
			t.Errorf("answered %d", status)
		}
		if header.Get("X-Amzn-Requestid") == "" {
			t.Error("an answer without request id")
		}
		if failures := s.Failures(); len(failures) > 0 {
			t.Fatalf("failed inside: %v", failures[0])
		}
	})
}
