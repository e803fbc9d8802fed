// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// Request parameters appear in events nested and typed as CloudTrail has them,
// without passwords and without what the operation does not know.
func TestTrailOfRequests(t *testing.T) {
	w := newWorld(t, nil)
	w.user(account1, "alice")
	_, caller, err := w.service.Credentials("AKIAROOT"+account1, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		service   request.Service
		operation string
		form      url.Values
		want      string
	}{
		{w.service.IAM(), "TagUser", url.Values{"UserName": {"alice"}, "Tags.member.1.Key": {"a"}, "Tags.member.1.Value": {"b"}, "Tags.member.2.Key": {"c"}, "Unknown": {"x"}},
			`{"tags":[{"key":"a","value":"b"},{"key":"c","value":""}],"userName":"alice"}`},
		{w.service.IAM(), "CreateLoginProfile", url.Values{"UserName": {"alice"}, "Password": {"correct horse"}, "PasswordResetRequired": {"true"}},
			`{"passwordResetRequired":true,"userName":"alice"}`},
		{w.service.IAM(), "ListUsers", url.Values{"MaxItems": {"5"}}, `{"maxItems":5}`},
		{w.service.IAM(), "UntagUser", url.Values{"UserName": {"alice"}, "TagKeys.member.1": {"a"}}, `{"tagKeys":["a"],"userName":"alice"}`},
		{w.service.IAM(), "GetAccountSummary", url.Values{"X": {"y"}}, `null`},
		{w.service.STS(), "AssumeRole", url.Values{"RoleArn": {"arn:aws:iam::111122223333:role/r"}, "RoleSessionName": {"visit"}, "DurationSeconds": {"900"}, "PolicyArns.member.1.arn": {"p"}, "SerialNumber": {"device"}, "TokenCode": {"123456"}},
			`{"durationSeconds":900,"policyArns":[{"arn":"p"}],"roleArn":"arn:aws:iam::111122223333:role/r","roleSessionName":"visit","serialNumber":"device"}`},
	} {
		c := &request.Call{Service: "iam", Operation: x.operation, AccountID: account1, Caller: caller,
			Body: []byte(x.form.Encode())}
		_, _ = x.service.Serve(t.Context(), c) // some are refused
		if got, _ := json.Marshal(c.Trail.RequestParameters); string(got) != x.want {
			t.Errorf("%s: %s, want %s", x.operation, got, x.want)
		}
	}
}

// The event of GetSessionToken leads to what the session did, and holds
// neither its secret nor its token.
func TestTrailOfSessionToken(t *testing.T) {
	w := newWorld(t, nil)
	_, caller, err := w.service.Credentials("AKIAROOT"+account1, "")
	if err != nil {
		t.Fatal(err)
	}
	c := &request.Call{Service: "sts", Operation: "GetSessionToken", AccountID: account1, Caller: caller}
	body, err := w.service.STS().Serve(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := json.Marshal(c.Trail.ResponseElements)
	id := regexp.MustCompile("ASIA[A-Z2-7]{16}").FindString(string(body))
	if want := `{"credentials":{"accessKeyId":"` + id + `","expiration":"2026-01-02T04:04:05Z"}}`; err != nil ||
		string(shown) != want {
		t.Errorf("%s, want %s", shown, want)
	}
}

// White space does not count for the quotas of policies, but does not fill the
// memory either.
func TestWhiteSpaceInPolicies(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	w.user(account1, "alice")
	put := func(name string, blanks int) error {
		return second(c.PutUserPolicy(ctx,
			&iam.PutUserPolicyInput{UserName: aws.String("alice"), PolicyName: &name,
				PolicyDocument: aws.String(strings.Repeat(" ", blanks) + *allowing("iam:Get*", "*", ""))}))
	}
	if err := put("a", 10_000); err != nil {
		t.Fatal(err)
	}
	wantCode(t, put("b", 10_000), "LimitExceeded", "")
	wantCode(t, put("a", 20_000), "LimitExceeded", "")
}

func TestListEntitiesForPolicyPages(t *testing.T) {
	w := newWorld(t, nil)
	ctx, c := t.Context(), w.iam(w.root(account1))
	arn := aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	for i := range 5 {
		w.user(account1, fmt.Sprintf("u%d", i), "IAMReadOnlyAccess")
	}
	must(t)(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("g")}))
	must(t)(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("g"), PolicyArn: arn}))
	must(t)(c.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: trusting(account1),
			PermissionsBoundary: arn}))
	count := func(in *iam.ListEntitiesForPolicyInput) string {
		t.Helper()
		in.PolicyArn, in.MaxItems = arn, aws.Int32(2)
		users, groups, roles, pages := 0, 0, 0, 0
		for p := iam.NewListEntitiesForPolicyPaginator(c, in); p.HasMorePages(); pages++ {
			page, err := p.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			users, groups, roles = users+len(page.PolicyUsers), groups+len(page.PolicyGroups),
				roles+len(page.PolicyRoles)
		}
		return fmt.Sprint(users, groups, roles, pages)
	}
	if got := count(&iam.ListEntitiesForPolicyInput{}); got != "5 1 1 4" {
		t.Error(got)
	}
	if got := count(&iam.ListEntitiesForPolicyInput{EntityFilter: types.EntityTypeGroup}); got != "0 1 0 1" {
		t.Error(got)
	}
	boundaries := &iam.ListEntitiesForPolicyInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsBoundary}
	if got := count(boundaries); got != "0 0 1 1" {
		t.Error(got)
	}
}

// Who may look at one user's keys only may do so by key id too.
func TestAccessKeyLastUsedIsAuthorizedOnItsUser(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	alice, bob := w.user(account1, "alice"), w.user(account1, "bob")
	w.give("alice", allowing("iam:GetAccessKeyLastUsed", "arn:aws:iam::111122223333:user/alice", ""))
	must(t)(w.iam(alice).GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &alice.AccessKeyID}))
	_, err := w.iam(alice).GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &bob.AccessKeyID})
	wantCode(t, err, "AccessDenied", "user/bob")
}
