// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"fmt"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

// BenchmarkAuthorize decides kms:Decrypt for a user with two policies, as every
// call on an encrypted table does.
func BenchmarkAuthorize(b *testing.B) {
	s, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.AddAccount(account1, "AKIAROOT", "secret"); err != nil {
		b.Fatal(err)
	}
	_, caller, err := s.Credentials("AKIAROOT", "")
	if err != nil {
		b.Fatal(err)
	}
	do := func(operation, form string) {
		c := &request.Call{Service: "iam", Operation: operation, AccountID: account1, Caller: caller,
			Body: []byte(form)}
		if _, err := s.IAM().Serve(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	do("CreateUser", "UserName=alice&Tags.member.1.Key=team&Tags.member.1.Value=red")
	do("AttachUserPolicy", "UserName=alice&PolicyArn=arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")
	do("PutUserPolicy",
		`UserName=alice&PolicyName=p&PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}`)
	u := s.accounts[account1].Users["alice"]
	key, err := policy.Parse([]byte(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}}`), policy.KeyPolicy)
	if err != nil {
		b.Fatal(err)
	}
	c := &request.Call{Time: time.Now(), Region: "us-east-1", AccountID: account1,
		ViaService: "dynamodb.us-east-1.amazonaws.com",
		Caller: request.Caller{Principal: policy.Principal{Type: policy.User, AccountID: account1, ARN: u.ARN,
			UniqueID: u.ID}}}
	b.ReportAllocs()
	for b.Loop() {
		if !s.Authorize(b.Context(), c,
			request.Check{Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:111122223333:key/1",
				ResourceAccountID: account1, Mode: policy.ModeKeyPolicy, ResourcePolicy: key}).Allowed {
			b.Fatal("denied")
		}
	}
}

// BenchmarkLoad starts over an account with as many users as IAM allows.
func BenchmarkLoad(b *testing.B) {
	store := storagetest.NewRecorder()
	s, err := New(Config{Store: store})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.AddAccount(account1, "AKIAROOT", "secret"); err != nil {
		b.Fatal(err)
	}
	_, caller, err := s.Credentials("AKIAROOT", "")
	if err != nil {
		b.Fatal(err)
	}
	for i := range maxUsers {
		c := &request.Call{Service: "iam", Operation: "CreateUser", AccountID: account1, Caller: caller,
			Body: fmt.Appendf(nil, "UserName=user-%d", i)}
		if _, err := s.IAM().Serve(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := New(Config{Store: store}); err != nil {
			b.Fatal(err)
		}
	}
}
