// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
)

// console is the key policy that the console makes, with carol as key
// administrator and the given key user.
func console(keyUser string) string {
	return strings.ReplaceAll(`{"Version":"2012-10-17","Id":"key-consolepolicy-3","Statement":[
{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
{"Sid":"Allow access for Key Administrators","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/carol"},
 "Action":["kms:Create*","kms:Describe*","kms:Enable*","kms:List*","kms:Put*","kms:Update*","kms:Revoke*","kms:Disable*","kms:Get*","kms:Delete*",
 "kms:TagResource","kms:UntagResource","kms:ScheduleKeyDeletion","kms:CancelKeyDeletion","kms:RotateKeyOnDemand"],"Resource":"*"},
{"Sid":"Allow use of the key","Effect":"Allow","Principal":{"AWS":"KEYUSER"},
 "Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"},
{"Sid":"Allow attachment of persistent resources","Effect":"Allow","Principal":{"AWS":"KEYUSER"},
 "Action":["kms:CreateGrant","kms:ListGrants","kms:RevokeGrant"],"Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}}]}`,
		"KEYUSER", keyUser)
}

// withoutRoot is console without its first statement.
func withoutRoot(keyUser string) string {
	p := console(keyUser)
	from, to := strings.Index(p, `{"Sid":"Enable`), strings.Index(p, `{"Sid":"Allow access`)
	return p[:from] + p[to:]
}

const (
	adminAccess = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	dynamoFull  = `{"Effect":"Allow","Action":["dynamodb:*","kms:DescribeKey","kms:ListAliases"],"Resource":"*"}`
	// awsManaged is the policy of the AWS managed key of DynamoDB.
	awsManaged = `{"Version":"2012-10-17","Id":"auto-dynamodb-1","Statement":[
{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:CreateGrant","kms:DescribeKey"],
 "Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"111122223333"},"StringLike":{"kms:ViaService":"dynamodb.*.amazonaws.com"}}},
{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["kms:Describe*","kms:Get*","kms:List*","kms:RevokeGrant"],"Resource":"*"},
{"Effect":"Allow","Principal":{"Service":"dynamodb.amazonaws.com"},"Action":["kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}]}`
)

func viaDynamoDB() policy.Context {
	return policy.Context{"kms:viaservice": {"dynamodb.eu-central-1.amazonaws.com"}, "aws:viaawsservice": {"true"},
		"aws:calledvia": {"dynamodb.amazonaws.com"}}
}

var tableContext = map[string]string{"aws:dynamodb:tableName": "Orders", "aws:dynamodb:subscriberId": account}

func TestEvaluateLab(t *testing.T) {
	forAWS := policy.Context{"kms:grantisforawsresource": {"true"}}
	run(t, []testCase{
		{name: "key user decrypts without any identity policy", key: console(alice.ARN)},
		{name: "key user decrypts through DynamoDB", key: console(alice.ARN), context: viaDynamoDB(), pairs: tableContext, identity: []string{dynamoFull}},
		{name: "key user encrypts", key: console(alice.ARN), action: "kms:Encrypt"},
		{name: "key user reencrypts from", key: console(alice.ARN), action: "kms:ReEncryptFrom"},
		{name: "key user makes data keys without plaintext", key: console(alice.ARN), action: "kms:GenerateDataKeyWithoutPlaintext"},
		{name: "key user is not an administrator", key: console(alice.ARN), action: "kms:PutKeyPolicy", want: "identity"},
		{name: "key user cannot schedule deletion", key: console(alice.ARN), action: "kms:ScheduleKeyDeletion", want: "identity"},
		{name: "key user's direct CreateGrant lacks kms:GrantIsForAWSResource", key: console(alice.ARN), action: "kms:CreateGrant", want: "identity"},
		{name: "key user's CreateGrant for an AWS resource", key: console(alice.ARN), action: "kms:CreateGrant", context: forAWS},
		{name: "key user's CreateGrant said to be for no AWS resource", key: console(alice.ARN),
			action:  "kms:CreateGrant",
			context: policy.Context{"kms:grantisforawsresource": {"false"}}, want: "identity"},
		{name: "user without kms cannot read the table", who: bob, key: console(alice.ARN), identity: []string{dynamoFull}, context: viaDynamoDB(), pairs: tableContext, want: "identity"},
		{name: "user without kms sees the key by DescribeKey of the DynamoDB policy", who: bob, key: console(alice.ARN), identity: []string{dynamoFull}, action: "kms:DescribeKey"},
		{name: "key administrator cannot decrypt", who: carol, key: console(alice.ARN), want: "identity"},
		{name: "key administrator puts the key policy", who: carol, key: console(alice.ARN), action: "kms:PutKeyPolicy"},
		{name: "key administrator creates grants freely by kms:Create*", who: carol, key: console(alice.ARN), action: "kms:CreateGrant"},
		{name: "key administrator revokes grants", who: carol, key: console(alice.ARN), action: "kms:RevokeGrant"},
		{name: "key administrator with a policy for DynamoDB still cannot decrypt", who: carol, key: console(alice.ARN), identity: []string{dynamoFull}, want: "identity"},
		{name: "administrator who is not a key user decrypts by the root statement and AdministratorAccess", who: bob, key: console(alice.ARN), identity: []string{adminAccess}},
		{name: "administrator without the root statement is locked out", who: bob, key: withoutRoot(alice.ARN), identity: []string{adminAccess}, want: "resource"},
		{name: "key user needs no root statement", key: withoutRoot(alice.ARN)},
		{name: "root user decrypts by the root statement", who: root, key: console(alice.ARN)},
		{name: "root user is subject to the key policy", who: root, key: withoutRoot(alice.ARN), want: "resource"},
		{name: "role as key user", who: worker, key: console(roleARN)},
		{name: "role as key user, through DynamoDB", who: worker, key: console(roleARN), context: viaDynamoDB(), pairs: tableContext},
		{name: "role that is not a key user", who: worker, key: console(alice.ARN), want: "identity"},
		{name: "role with its own kms policy and the root statement", who: worker, key: console(alice.ARN), identity: []string{`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"}`}},
		{name: "identity policy scoped to the key's ARN", who: bob, key: console(alice.ARN), identity: []string{`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"}`}},
		{name: "identity policy scoped to another key's ARN", who: bob, key: console(alice.ARN), identity: []string{`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-central-1:111122223333:key/99999999-2222-3333-4444-555555555555"}`}, want: "identity"},
		{name: "identity policy scoped to an alias opens no key", who: bob, key: console(alice.ARN), identity: []string{`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-central-1:111122223333:alias/*"}`}, want: "identity"},
		{name: "explicit deny in an identity policy beats the key policy", key: console(alice.ARN), identity: []string{`{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}`}, want: "deny identity"},
		{name: "explicit deny in a managed policy names its ARN", key: console(alice.ARN), identity: []string{dynamoFull, `{"Effect":"Deny","Action":"kms:*","Resource":"*"}`}, want: "deny managed"},
		{name: "explicit deny in the key policy beats AdministratorAccess", who: bob, identity: []string{adminAccess},
			key: strings.Replace(console(alice.ARN), `{"Sid":"Allow use`,
				`{"Sid":"Not bob","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user/team/bob"},"Action":"kms:Decrypt","Resource":"*"},{"Sid":"Allow use`, 1), want: "deny resource"},
		{name: "kms:ViaService opens reading through DynamoDB", context: viaDynamoDB(), pairs: tableContext, key: viaOnly},
		{name: "kms:ViaService does not open direct calls", key: viaOnly, want: "identity"},
		{name: "kms:ViaService of another region", context: policy.Context{"kms:viaservice": {"dynamodb.us-east-1.amazonaws.com"}}, key: viaOnly, want: "identity"},
		{name: "encryption context of the table", key: boundToTable, pairs: tableContext},
		{name: "encryption context of another table", key: boundToTable, pairs: map[string]string{"aws:dynamodb:tableName": "Invoices"}, want: "identity"},
		{name: "no encryption context", key: boundToTable, want: "identity"},
		{name: "another account named by its root, with its own identity policy", who: eve, key: shared, identity: []string{`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"` + key + `"}`}},
		{name: "another account named by its root, without identity policy", who: eve, key: shared, want: "identity"},
		{name: "another account not named", who: eve, key: console(alice.ARN), identity: []string{adminAccess}, want: "resource"},
		{name: "another account's user named, without identity policy", who: eve, key: console(eve.ARN), want: "identity"},
		{name: "another account's user named, with identity policy", who: eve, key: console(eve.ARN), identity: []string{adminAccess}},
		{name: "another account's root user where its account is named", who: otherRoot, key: shared},
		{name: "another account's root user where it is not named", who: otherRoot, key: console(alice.ARN), want: "resource"},
		{name: "AWS managed key: any user of the account through DynamoDB", who: bob, key: awsManaged, context: viaDynamoDB(), pairs: tableContext},
		{name: "AWS managed key: no direct use, not even for administrators", who: bob, identity: []string{adminAccess}, key: awsManaged, want: "resource"},
		{name: "AWS managed key: no direct use for root", who: root, key: awsManaged, want: "resource"},
		{name: "AWS managed key: describe by identity policy", who: bob, identity: []string{dynamoFull}, key: awsManaged, action: "kms:DescribeKey"},
		{name: "AWS managed key: another account through its DynamoDB", who: eve, identity: []string{adminAccess}, key: awsManaged, context: viaDynamoDB(), want: "resource"},
		{name: "AWS managed key: the service describes it", who: dynamodb, key: awsManaged, action: "kms:DescribeKey"},
		{name: "AWS managed key: policy cannot be put", who: bob, identity: []string{adminAccess}, key: awsManaged, action: "kms:PutKeyPolicy", want: "resource"},
		{name: "CreateKey by identity policy only", action: "kms:CreateKey", resource: "*", identity: []string{adminAccess}},
		{name: "CreateKey without identity policy", action: "kms:CreateKey", resource: "*", want: "identity"},
		{name: "CreateKey by root", who: root, action: "kms:CreateKey", resource: "*"},
		{name: "ListAliases by the DynamoDB policy", action: "kms:ListAliases", resource: "*", identity: []string{dynamoFull}},
		{name: "ListKeys is not in the DynamoDB policy", action: "kms:ListKeys", resource: "*", identity: []string{dynamoFull}, want: "identity"},
		{name: "GetItem by identity policy", action: "dynamodb:GetItem", resource: table, identity: []string{dynamoFull}},
		{name: "GetItem without policy", action: "dynamodb:GetItem", resource: table, want: "identity"},
		{name: "GetItem by root", who: root, action: "dynamodb:GetItem", resource: table},
		{name: "GetItem on another account's table", who: eve, action: "dynamodb:GetItem", resource: table, identity: []string{adminAccess}, want: "resource"},
	})
}

const (
	delegation = `{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}`

	viaOnly = delegation +
		`,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:Decrypt","Resource":"*",
"Condition":{"StringEquals":{"kms:ViaService":"dynamodb.eu-central-1.amazonaws.com"}}}`

	boundToTable = delegation +
		`,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:Decrypt","Resource":"*",
"Condition":{"StringEquals":{"kms:EncryptionContext:aws:dynamodb:tableName":"Orders"}}}`

	shared = delegation +
		`,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":["kms:Decrypt","kms:DescribeKey"],"Resource":"*"}`
)
