// SPDX-License-Identifier: Apache-2.0

package awspolicies_test

import (
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/awspolicies"
)

// TestPermissions asks each policy for what it is known to give and to lack.
func TestPermissions(t *testing.T) {
	tests := []struct {
		name     string
		allowed  []string
		withheld []string
	}{
		{"AWSKeyManagementServicePowerUser",
			[]string{"kms:CreateKey", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants", "kms:GenerateRandom",
				"iam:ListUsers"},
			[]string{"kms:PutKeyPolicy", "kms:CreateGrant", "kms:ScheduleKeyDeletion", "kms:Encrypt", "kms:Decrypt",
				"kms:GenerateDataKey", "iam:GetUser"}},
		{"AdministratorAccess",
			[]string{"kms:Decrypt", "dynamodb:DeleteTable", "iam:CreateUser", "sts:AssumeRole",
				"cloudtrail:LookupEvents"}, nil},
		{"AmazonDynamoDBFullAccess",
			[]string{"dynamodb:GetItem", "dynamodb:DeleteTable", "kms:DescribeKey", "kms:ListAliases", "iam:GetRole"},
			[]string{"kms:Decrypt", "kms:CreateGrant", "kms:ListKeys", "iam:CreateUser", "iam:PassRole"}},
		{"AmazonDynamoDBFullAccess_v2",
			[]string{"dynamodb:GetItem", "dynamodb:DeleteTable", "kms:DescribeKey", "kms:ListAliases", "iam:ListRoles"},
			[]string{"kms:Decrypt", "kms:CreateGrant", "iam:GetRole"}},
		{"AmazonDynamoDBReadOnlyAccess",
			[]string{"dynamodb:GetItem", "dynamodb:Scan", "dynamodb:DescribeTable", "dynamodb:ListTables",
				"kms:DescribeKey"},
			[]string{"dynamodb:PutItem", "dynamodb:DeleteTable", "kms:Decrypt"}},
		{"IAMFullAccess", []string{"iam:CreateUser", "iam:PutUserPolicy"}, []string{"kms:DescribeKey", "sts:AssumeRole"}},
		{"IAMReadOnlyAccess", []string{"iam:GetUser", "iam:ListUsers", "iam:SimulatePrincipalPolicy"}, []string{"iam:CreateUser", "iam:DeleteUser"}},
		{"ReadOnlyAccess",
			[]string{"dynamodb:GetItem", "dynamodb:Scan", "kms:DescribeKey", "kms:GetKeyPolicy", "iam:GetUser",
				"cloudtrail:LookupEvents", "sts:GetCallerIdentity"},
			[]string{"kms:Decrypt", "kms:CreateGrant", "dynamodb:PutItem", "iam:CreateUser", "sts:AssumeRole"}},
	}
	all := awspolicies.All()
	var names []string
	for _, tt := range tests {
		names = append(names, tt.name)
		t.Run(tt.name, func(t *testing.T) {
			i := slices.IndexFunc(all,
				func(p awspolicies.Policy) bool { return p.ARN() == "arn:aws:iam::aws:policy/"+tt.name })
			if i < 0 {
				t.Fatal("not found")
			}
			p := all[i]
			d, err := policy.Parse([]byte(p.Document), policy.Identity)
			if err != nil {
				t.Fatal(err)
			}
			ask := func(action string) bool {
				user := policy.Principal{Type: policy.User, AccountID: "111122223333",
					ARN: "arn:aws:iam::111122223333:user/u", UniqueID: "AIDAU"}
				return policy.Evaluate(policy.Request{Principal: user, Action: action, Resource: "*"},
					policy.Policies{Identity: []policy.Attached{{Name: p.Name, ARN: p.ARN(),
						Source: policy.SourceManaged, Document: d}}}).Allowed
			}
			for _, a := range tt.allowed {
				if !ask(a) {
					t.Errorf("%s is not allowed", a)
				}
			}
			for _, a := range tt.withheld {
				if ask(a) {
					t.Errorf("%s is allowed", a)
				}
			}
		})
	}
	var listed []string
	for _, p := range all {
		listed = append(listed, p.Name)
		if p.Description == "" || p.VersionID == "" || p.Updated.IsZero() || p.Path() != "/" {
			t.Errorf("%s is incomplete", p.Name)
		}
	}
	if !slices.Equal(listed, names) || !slices.IsSorted(listed) {
		t.Errorf("All lists %q, tested are %q", listed, names)
	}
}
