// SPDX-License-Identifier: Apache-2.0

package localawstest_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

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
			Users: []localawstest.User{{Name: "admin", Attach: []string{full}},
				{Name: "reader", Attach: []string{full}}, {Name: "stranger", Attach: []string{full}}},
			Roles: []localawstest.Role{{Name: "job",
				Trust: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"{{account}}"},"Action":"sts:AssumeRole"}}`}},
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
			// AmazonDynamoDBFullAccess has it, and the root statement lets IAM decide
			{As: "user/stranger", Action: "kms:DescribeKey"},
			{As: "user/stranger", Action: "kms:Decrypt", Denies: "kms:Decrypt", Because: "no identity-based policy"},
			{As: "user/stranger", Action: "kms:GetKeyPolicy", Denies: "kms:GetKeyPolicy"},
			{As: "user/stranger", Action: "kms:GetKeyRotationStatus", Denies: "kms:GetKeyRotationStatus"},
			{As: "user/stranger", Action: "kms:ListGrants", Denies: "kms:ListGrants"},
			{As: "user/stranger", Action: "kms:EnableKey", Denies: "kms:EnableKey"},
			{As: "user/stranger", Action: "dynamodb:PutItem", Denies: "kms:Decrypt"},
		},
	}.Run(t)
}
