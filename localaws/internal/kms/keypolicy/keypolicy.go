// SPDX-License-Identifier: Apache-2.0

// Package keypolicy has the texts of the key policies that AWS KMS itself gives to
// keys.
package keypolicy

import "fmt"

// Default returns the policy of a key that was created without one. It hands every
// decision to the identity policies of the account.
func Default(account string) string {
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::%s:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`, account)
}

// Managed returns the policy of an AWS managed key. It allows everyone in the
// account, through one service only.
func Managed(account, region, service string) string {
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "auto-%[3]s-1",
  "Statement" : [ {
    "Sid" : "All principals of the account through %[3]s",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "%[1]s",
        "kms:ViaService" : "%[3]s.%[2]s.amazonaws.com"
      }
    }
  }, {
    "Sid" : "Key metadata for the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::%[1]s:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  }, {
    "Sid" : "Key metadata for the service itself",
    "Effect" : "Allow",
    "Principal" : {
      "Service" : "%[3]s.amazonaws.com"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*" ],
    "Resource" : "*"
  } ]
}`, account, region, service)
}
