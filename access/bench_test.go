// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/access"
)

const keyID = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"

// delegating is KMS's default key policy.
const delegating = `{"Version":"2012-10-17","Statement":{"Sid":"Enable IAM","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}}`

// large is a snapshot of n principals, a tenth of them roles, with the statements
// of perPrincipal in each inline policy.
func large(n, perPrincipal int, distinct bool) *access.Snapshot {
	s := &access.Snapshot{Version: access.SnapshotVersion, Account: account, Region: "us-east-1", Partition: "aws",
		Tables: []access.Table{{Name: "Orders", ARN: ordersID, KeyARN: keyID}},
		Keys:   []access.Key{{ARN: keyID, Policy: delegating, State: "Enabled"}}}
	for i := range n {
		var all []string
		for j := range perPrincipal {
			variant := 0
			if distinct {
				variant = i
			}
			action := []string{"dynamodb:GetItem", "s3:GetObject", "ec2:*", "sts:AssumeRole", "kms:Describe*",
				"iam:GetUser",
				"logs:*", "sqs:SendMessage", "dynamodb:Describe*", "iam:PassRole"}[j%10]
			all = append(all, fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":"arn:aws:s3:::bucket-%d-%d/*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`, action, variant, j))
		}
		document := `{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`
		e := access.Identity{ID: fmt.Sprintf("AIDA%016d", i), Inline: []access.Policy{{Name: "p", Document: document}}}
		if i%10 == 0 {
			e.ARN, e.ID = fmt.Sprintf("arn:aws:iam::111122223333:role/r%d", i), fmt.Sprintf("AROA%016d", i)
			if i%100 == 0 {
				e.Attached = []string{"arn:aws:iam::aws:policy/AdministratorAccess"}
			}
			s.Roles = append(s.Roles, access.Role{Identity: e,
				Trust: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}`})
			continue
		}
		e.ARN = fmt.Sprintf("arn:aws:iam::111122223333:user/u%d", i)
		s.Users = append(s.Users, access.User{Identity: e})
	}
	s.Policies = []access.ManagedPolicy{{ARN: "arn:aws:iam::aws:policy/AdministratorAccess",
		Document: document(map[string]any{
			"Effect": "Allow", "Action": "*", "Resource": "*"})}}
	return s
}

func BenchmarkAnalyze(b *testing.B) {
	for _, c := range []struct {
		name     string
		n        int
		distinct bool
	}{{"1000", 1000, true}, {"10000", 10000, true}, {"10000-same", 10000, false}} {
		b.Run(c.name, func(b *testing.B) {
			s := large(c.n, 10, c.distinct)
			b.ReportAllocs()
			for b.Loop() {
				a, err := access.Analyze(s)
				if err != nil || len(a.Tables[0].Rows) != c.n+2-1 {
					b.Fatal(err, len(a.Tables[0].Rows))
				}
			}
		})
	}
}
