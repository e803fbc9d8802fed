// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// raw sends a form as the holder of c and returns the answer as it is.
func (w *world) raw(c aws.Credentials, operation string, form url.Values) (string, *request.Error) {
	w.t.Helper()
	_, caller, err := w.service.Credentials(c.AccessKeyID, c.SessionToken)
	if err != nil {
		w.t.Fatal(err)
	}
	service, name := w.service.IAM(), "iam"
	if _, ok := w.service.STS().Describe(operation); ok {
		service, name = w.service.STS(), "sts"
	}
	out, err := service.Serve(w.t.Context(),
		&request.Call{ID: "test", Time: w.clock(), Service: name, Operation: operation,
			Region: "us-east-1", AccountID: account1, Caller: caller, Secure: true, Body: []byte(form.Encode())})
	var refused *request.Error
	if err != nil && !errors.As(err, &refused) {
		w.t.Fatal(err)
	}
	return string(out), refused
}

// form makes a request from pairs of names and values.
func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

// session assumes a role of account1, which it creates, as alice.
func (w *world) session(alice aws.Credentials, role string, in sts.AssumeRoleInput) (aws.Credentials, error) {
	w.t.Helper()
	root := w.iam(w.root(account1))
	made, err := root.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &role,
		AssumeRolePolicyDocument: trusting("arn:aws:iam::" + account1 + ":user/alice")})
	if err != nil {
		w.t.Fatal(err)
	}
	must(w.t)(root.AttachRolePolicy(w.t.Context(), &iam.AttachRolePolicyInput{RoleName: &role,
		PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	in.RoleArn, in.RoleSessionName = made.Role.Arn, aws.String("visit")
	return w.assume(alice, &in)
}

func (w *world) assume(c aws.Credentials, in *sts.AssumeRoleInput) (aws.Credentials, error) {
	w.t.Helper()
	out, err := w.sts(c).AssumeRole(w.t.Context(), in)
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey,
		SessionToken: *out.Credentials.SessionToken}, nil
}

// TestRefusals compares refusals with AWS's, text by text.
func TestRefusals(t *testing.T) {
	w := newWorld(t, nil)
	alice := w.user(account1, "alice")
	session, err := w.session(alice, "reader", sts.AssumeRoleInput{})
	if err != nil {
		t.Fatal(err)
	}
	const (
		detected = "1 validation error detected: "
		failed   = " failed to satisfy constraint: Member must "
		role     = "arn:aws:iam::" + account1 + ":role/reader"
		broken   = "Invalid ARN:  Could not be parsed!"
		noUser   = "Must specify userName when calling with non-User credentials"
		twice    = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
		pattern  = `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`
	)
	long := strings.Repeat("x", 65)
	assume := func(pairs ...string) url.Values {
		f := form("RoleArn", role, "RoleSessionName", "visit")
		for name, values := range form(pairs...) {
			f[name] = values
		}
		return f
	}
	tags := func(pairs ...string) url.Values { return form(append(pairs, "UserName", "alice")...) }
	for _, c := range []struct {
		by         aws.Credentials
		operation  string
		form       url.Values
		code, text string
		status     int
	}{
		{w.root(account1), "AttachRolePolicy", form("RoleName", "reader", "PolicyArn", "longpolicynamebutnoarn"), "ValidationError", broken, 400},
		{w.root(account1), "DetachUserPolicy", form("UserName", "alice", "PolicyArn", "arn:aws:iam::"+account1), "ValidationError", broken, 400},
		{w.root(account1), "GetPolicy", form("PolicyArn", "arn:aws:iam::aws/policy/x"), "ValidationError", broken, 400},
		{w.root(account1), "TagPolicy", form("PolicyArn", "arn:aws:iam::aws/policy/x"), "ValidationError", broken, 400},
		{w.root(account1), "CreateUser", form("UserName", "bob", "PermissionsBoundary", "neither an arn nor short"), "ValidationError", broken, 400},
		{w.root(account1), "SimulatePrincipalPolicy", form("PolicySourceArn", "neither an arn nor short"), "ValidationError", broken, 400},
		{w.root(account1), "AttachUserPolicy", form("UserName", "alice", "PolicyArn", "short"), "ValidationError",
			detected + "Value 'short' at 'policyArn'" + failed + "have length greater than or equal to 20", 400},
		{w.root(account1), "AttachUserPolicy", form("UserName", "alice"), "ValidationError", detected + "Value null at 'policyArn'" + failed + "not be null", 400},
		{w.root(account1), "GetPolicy", form("PolicyArn", "arn:aws:iam::"+account1+":policy/none"), "NoSuchEntity",
			"Policy arn:aws:iam::" + account1 + ":policy/none was not found.", 404},

		{w.root(account1), "CreateRole", form("RoleName", "r", "AssumeRolePolicyDocument", "{"), "MalformedPolicyDocument", "This policy contains invalid Json", 400},
		{w.root(account1), "UpdateAssumeRolePolicy", form("RoleName", "reader", "PolicyDocument", "{"), "MalformedPolicyDocument", "This policy contains invalid Json", 400},
		{w.root(account1), "CreateRole", form("RoleName", "r"), "ValidationError", detected + "Value null at 'assumeRolePolicyDocument'" + failed + "not be null", 400},
		{w.root(account1), "CreatePolicy", form("PolicyName", "p", "PolicyDocument", "{"), "MalformedPolicyDocument", "Syntax errors in policy.", 400},
		{w.root(account1), "PutUserPolicy", form("UserName", "alice", "PolicyName", "p", "PolicyDocument", "{"), "MalformedPolicyDocument", "Syntax errors in policy.", 400},
		{w.root(account1), "CreateRole", form("RoleName", "r", "AssumeRolePolicyDocument", *trusting(account1), "MaxSessionDuration", "60"), "ValidationError",
			detected + "Value '60' at 'maxSessionDuration'" + failed + "have value greater than or equal to 3600", 400},
		{w.root(account1), "ListUsers", form("MaxItems", "1001"), "ValidationError",
			detected + "Value '1001' at 'maxItems'" + failed + "have value less than or equal to 1000", 400},

		{w.root(account1), "TagUser", tags("Tags.member.1.Key", "a", "Tags.member.1.Value", "", "Tags.member.2.Key", "A", "Tags.member.2.Value", ""), "InvalidInput", twice, 400},
		{w.root(account1), "CreateUser", form("UserName", "bob", "Tags.member.1.Key", "a", "Tags.member.2.Key", "a"), "InvalidInput", twice, 400},
		{w.root(account1), "TagUser", tags("Tags.member.1.Key", "!"), "ValidationError",
			detected + "Value '!' at 'tags.1.member.key'" + failed + "satisfy regular expression pattern: " + pattern,
			400},
		{w.root(account1), "TagUser", tags("Tags.member.1.Key", "a", "Tags.member.1.Value", strings.Repeat("v", 257)), "ValidationError",
			detected + "Value '" + strings.Repeat("v", 257) + "' at 'tags.1.member.value'" + failed +
				"have length less than or equal to 256", 400},
		{w.root(account1), "UntagUser", tags("TagKeys.member.1", ""), "ValidationError", detected + "Value '' at 'tagKeys'" + failed + "have length greater than or equal to 1", 400},

		{session, "GetUser", nil, "ValidationError", noUser, 400},
		{session, "ListAccessKeys", nil, "ValidationError", noUser, 400},
		{session, "CreateAccessKey", nil, "ValidationError", noUser, 400},
		{session, "GetLoginProfile", nil, "ValidationError", noUser, 400},

		{alice, "AssumeRole", assume("RoleSessionName", "x"), "ValidationError", detected + "Value 'x' at 'roleSessionName'" + failed + "have length greater than or equal to 2", 400},
		{alice, "AssumeRole", assume("RoleSessionName", long), "ValidationError",
			detected + "Value '" + long + "' at 'roleSessionName'" + failed + "have length less than or equal to 64",
			400},
		{alice, "AssumeRole", assume("RoleSessionName", "Session1:2"), "ValidationError",
			detected + "Value 'Session1:2' at 'roleSessionName'" + failed + `satisfy regular expression pattern: [\w+=,.@-]*`, 400},
		{alice, "AssumeRole", assume("RoleArn", "neither an arn nor short"), "ValidationError", "neither an arn nor short is invalid", 400},
		{alice, "AssumeRole", assume("DurationSeconds", "300"), "ValidationError", detected + "Value '300' at 'durationSeconds'" + failed + "have value greater than or equal to 900", 400},
		{alice, "AssumeRole", assume("ExternalId", "x"), "ValidationError", detected + "Value 'x' at 'externalId'" + failed + "have length greater than or equal to 2", 400},
		{alice, "GetSessionToken", form("DurationSeconds", "129601"), "ValidationError",
			detected + "Value '129601' at 'durationSeconds'" + failed + "have value less than or equal to 129600", 400},
	} {
		_, err := w.raw(c.by, c.operation, c.form)
		if err == nil || err.Code != c.code || err.Message != c.text || err.HTTPStatus() != c.status {
			t.Errorf("%s %v:\n got %v\nwant %s: %s (%d)", c.operation, c.form, err, c.code, c.text, c.status)
		}
	}
}

// TestHintIsApart: where a policy is wrong, which AWS does not say, is not in the
// text of the error.
func TestHintIsApart(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.raw(w.root(account1), "CreatePolicy", form("PolicyName", "p",
		"PolicyDocument", `{"Version":"2012-10-17","Statement":{"Effect":"Maybe","Action":"*","Resource":"*"}}`))
	if err == nil || err.Message != "Syntax errors in policy." ||
		err.Hint != "Statement 1: Effect is neither Allow nor Deny" {
		t.Errorf("%v, hint %q", err, err.Hint)
	}
}

// TestMembers compares which members answers have with AWS's.
func TestMembers(t *testing.T) {
	w := newWorld(t, nil)
	root := w.root(account1)
	const (
		boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
		document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
		own      = "arn:aws:iam::" + account1 + ":policy/"
	)
	full := []string{"Tags.member.1.Key", "a", "Tags.member.1.Value", "b", "PermissionsBoundary", boundary}
	trust := *trusting(account1)
	for _, c := range []struct {
		operation  string
		form       url.Values
		with, sans string // names of members
	}{
		{"CreateRole", form("RoleName", "plain", "AssumeRolePolicyDocument", trust), "Arn RoleId", "Tags PermissionsBoundary MaxSessionDuration RoleLastUsed Description"},
		{"CreateRole", form(append(full, "RoleName", "full", "Description", "d", "AssumeRolePolicyDocument", trust)...), "Tags PermissionsBoundary Description", "MaxSessionDuration RoleLastUsed"},
		{"GetRole", form("RoleName", "plain"), "MaxSessionDuration RoleLastUsed", "Tags PermissionsBoundary Description LastUsedDate"},
		{"GetRole", form("RoleName", "full"), "MaxSessionDuration RoleLastUsed Tags PermissionsBoundary Description", ""},
		{"ListRoles", nil, "MaxSessionDuration Description", "Tags PermissionsBoundary RoleLastUsed"},
		{"CreateUser", form("UserName", "plain"), "UserId", "Tags PermissionsBoundary"},
		{"CreateUser", form(append(full, "UserName", "full")...), "Tags PermissionsBoundary", ""},
		{"GetUser", form("UserName", "plain"), "UserId", "Tags PermissionsBoundary"},
		{"GetUser", form("UserName", "full"), "Tags PermissionsBoundary", ""},
		{"ListUsers", nil, "UserId", "Tags PermissionsBoundary"},
		{"CreatePolicy", form("PolicyName", "plain", "PolicyDocument", document), "PolicyId", "Tags Description"},
		{"CreatePolicy", form("PolicyName", "full", "PolicyDocument", document, "Description", "d", "Tags.member.1.Key", "a"), "Tags", ""},
		{"GetPolicy", form("PolicyArn", own+"plain"), "PolicyId", "Tags Description"},
		{"GetPolicy", form("PolicyArn", own+"full"), "Tags Description", ""},
		{"ListPolicies", form("Scope", "Local"), "PolicyId PermissionsBoundaryUsageCount", "Tags Description"},
		{"GetSessionToken", nil, "SessionTokenSize SessionTokenUtilization", "PackedPolicySize"},
	} {
		out, err := w.raw(root, c.operation, c.form)
		if err != nil {
			t.Fatal(c.operation, err)
		}
		for _, name := range strings.Fields(c.with) {
			if !strings.Contains(out, "<"+name+">") {
				t.Errorf("%s %v has no %s: %s", c.operation, c.form, name, out)
			}
		}
		for _, name := range strings.Fields(c.sans) {
			if strings.Contains(out, "<"+name+">") {
				t.Errorf("%s %v has %s: %s", c.operation, c.form, name, out)
			}
		}
	}
}

// TestPolicyDocuments compares the policies that CreatePolicy refuses with AWS's
// refusals. Inline and trust policies may be of the old version.
func TestPolicyDocuments(t *testing.T) {
	w := newWorld(t, nil)
	root := w.root(account1)
	w.user(account1, "alice")
	statement := func(resource string) string {
		return `"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"` + resource + `"}]}`
	}
	current := func(resource string) string { return `{"Version":"2012-10-17",` + statement(resource) }
	const version = "Policy document must be version 2012-10-17 or greater."
	const path = `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, ` +
		"mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."
	for _, c := range []struct{ document, text string }{
		{"{" + statement("*"), version},
		{`{"Version":"2008-10-17",` + statement("*"), version},
		{current("arn:x:s3:::bucket"), `Partition "x" is not valid for resource "arn:x:s3:::bucket".`},
		{current("arn:aws:s3:eu-west-1::bucket"), "Resource arn:aws:s3:eu-west-1::bucket can not contain region information."},
		{current("arn:aws:iam:eu-west-1:111122223333:user/a"), "IAM resource arn:aws:iam:eu-west-1:111122223333:user/a cannot contain region information."},
		{current("arn:aws:iam::111122223333:cat/a"), path},
		{current("arn:aws:s*:::bucket"), "Resource vendor must be fully qualified and cannot contain regexes."},
		{current("arn:aws"), "Resource vendor must be fully qualified and cannot contain regexes."},
		{current("arn:aws:s3::bucket"), "The policy failed legacy parsing"},
		{current("arn:aws::::bucket"), "The policy failed legacy parsing"},
		{current("bucket"), `Resource bucket must be in ARN format or "*".`},
		{current("arn:aws:s3:::bucket/*"), ""},
		{current("arn:*:dynamodb:*:*:table/*"), ""},
		{current("arn:aws:iam::*:*"), ""},
		{current("*"), ""},
	} {
		for operation, f := range map[string]url.Values{
			"CreatePolicy":        form("PolicyName", "p"),
			"CreatePolicyVersion": form("PolicyArn", "arn:aws:iam::"+account1+":policy/p"),
		} {
			f.Set("PolicyDocument", c.document)
			_, err := w.raw(root, operation, f)
			if c.text == "" && err != nil && err.Code == "MalformedPolicyDocument" ||
				c.text != "" && (err == nil || err.Code != "MalformedPolicyDocument" || err.Message != c.text) {
				t.Errorf("%s %s:\n got %v\nwant %s", operation, c.document, err, c.text)
			}
		}
	}
	old := `{"Version":"2008-10-17",` + statement("*")
	if _, err := w.raw(root, "PutUserPolicy",
		form("UserName", "alice", "PolicyName", "p", "PolicyDocument", old)); err != nil {
		t.Errorf("an inline policy of the old version: %v", err)
	}
	trust := strings.Replace(*trusting(account1), "2012", "2008", 1)
	if _, err := w.raw(root, "CreateRole", form("RoleName", "r", "AssumeRolePolicyDocument", trust)); err != nil {
		t.Errorf("a trust policy of the old version: %v", err)
	}
}
