// SPDX-License-Identifier: Apache-2.0

package ddbseal_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const notesPolicy = `{"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{{account}}:root"}, "Action": "kms:*", "Resource": "*"},
	{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::{{account}}:user/writer"},
	 "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*",
	 "Condition": {"StringEquals": {"kms:EncryptionContext:aws-crypto-table-name": "Notes"}}}
]}`

// TestNotesPolicy is the program of docs/policy-tests.md, as TestCodeIsHere checks.
func TestNotesPolicy(t *testing.T) {
	notes := map[string]string{"aws-crypto-table-name": "Notes"}
	localawstest.PolicyTest{
		KeyPolicy: notesPolicy,
		Seed: localawstest.Seed{Users: []localawstest.User{
			{Name: "writer"},
			{Name: "stranger", Attach: []string{"AmazonDynamoDBFullAccess"}},
		}},
		Cases: []localawstest.PolicyCase{
			{As: "user/writer", Action: "kms:GenerateDataKey", EncryptionContext: notes},
			{As: "user/writer", Action: "kms:Decrypt", EncryptionContext: notes},
			{As: "user/writer", Action: "kms:Decrypt", Denies: "kms:Decrypt"}, // of another table
			{As: "user/writer", Action: "kms:PutKeyPolicy", Denies: "kms:PutKeyPolicy"},
			{As: "user/stranger", Action: "kms:Decrypt", EncryptionContext: notes, Denies: "kms:Decrypt"},
			{As: "user/stranger", Action: "dynamodb:GetItem", Denies: "kms:Decrypt"},
		},
	}.Run(t)
}
