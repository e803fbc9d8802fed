// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"errors"
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

func FuzzForm(f *testing.F) {
	f.Add("CreateUser", "UserName=a&Tags.member.1.Key=k&Tags.member.1.Value=v")
	f.Add("SimulatePrincipalPolicy",
		"PolicySourceArn=a&ActionNames.member.1=b&ContextEntries.member.1.ContextKeyValues.member.1=c")
	f.Add("AssumeRole", "RoleArn=x&RoleSessionName=yy&DurationSeconds=1e9&PolicyArns.member.1.arn=p")
	f.Add("CreateRole", "RoleName=r&AssumeRolePolicyDocument=%7B%7D")
	s, err := New(Config{})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.AddAccount(account1, "AKIAFUZZ", "secret"); err != nil {
		f.Fatal(err)
	}
	_, caller, err := s.Credentials("AKIAFUZZ", "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		for _, service := range []request.Service{s.IAM(), s.STS()} {
			c := &request.Call{ID: "f", Service: "iam", Operation: operation, AccountID: account1, Caller: caller,
				Body: []byte(body)}
			_, err := service.Serve(t.Context(), c)
			var e *request.Error
			if err != nil && !errors.As(err, &e) {
				t.Fatalf("%s %q: %v is not AWS's error", operation, body, err)
			}
		}
	})
}
