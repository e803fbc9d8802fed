// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/ddbseal/ddbseal/internal/policy"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

const (
	account1 = "111122223333"
	account2 = "444455556666"
)

// world is an identity room driven by the real SDK clients: a round tripper
// stands where the front door would, without checking signatures.
type world struct {
	t       *testing.T
	service *Service
	now     time.Time
	mu      sync.Mutex
}

func newWorld(t *testing.T, store storage.Store) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s, err := New(Config{Clock: w.clock, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	w.service = s
	for _, a := range []string{account1, account2} {
		if err := s.AddAccount(a, "AKIAROOT"+a, "root secret of "+a); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) root(account string) aws.Credentials {
	return aws.Credentials{AccessKeyID: "AKIAROOT" + account, SecretAccessKey: "root secret of " + account}
}

func (w *world) config(c aws.Credentials) aws.Config {
	return aws.Config{
		Region:      "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil }),
		HTTPClient:  doer{w, c},
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func (w *world) iam(c aws.Credentials) *iam.Client { return iam.NewFromConfig(w.config(c)) }
func (w *world) sts(c aws.Credentials) *sts.Client { return sts.NewFromConfig(w.config(c)) }

type doer struct {
	w *world
	c aws.Credentials
}

func (d doer) Do(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	respond := func(status int, text []byte) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}},
			Body: io.NopCloser(bytes.NewReader(text)), Request: req}, nil
	}
	fail := func(e *request.Error) (*http.Response, error) {
		return respond(e.HTTPStatus(),
			[]byte("<ErrorResponse><Error><Code>"+e.Code+"</Code><Message>"+e.Message+
				"</Message></Error></ErrorResponse>"))
	}
	_, caller, err := d.w.service.Credentials(d.c.AccessKeyID, d.c.SessionToken)
	if err != nil {
		return fail(&request.Error{Code: "InvalidClientTokenId", Message: err.Error(), Status: 403})
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	operation := form.Get("Action")
	service, name := d.w.service.IAM(), "iam"
	if strings.Contains(req.URL.Host, "sts") {
		service, name = d.w.service.STS(), "sts"
	}
	c := &request.Call{ID: "test", Time: d.w.clock(), Service: name, Operation: operation, Region: "us-east-1",
		AccountID: caller.Principal.AccountID, Caller: caller, Secure: true, Body: body}
	out, err := service.Serve(req.Context(), c)
	var e *request.Error
	if errors.As(err, &e) {
		return fail(e)
	}
	if err != nil {
		return nil, err
	}
	return respond(200, out)
}

// user makes a user with an access key.
func (w *world) user(account, name string, attach ...string) aws.Credentials {
	w.t.Helper()
	root := w.iam(w.root(account))
	must(w.t)(root.CreateUser(w.t.Context(), &iam.CreateUserInput{UserName: &name}))
	for _, arn := range attach {
		must(w.t)(root.AttachUserPolicy(w.t.Context(),
			&iam.AttachUserPolicyInput{UserName: &name, PolicyArn: aws.String("arn:aws:iam::aws:policy/" + arn)}))
	}
	key, err := root.CreateAccessKey(w.t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		w.t.Fatal(err)
	}
	return aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}
}

func must(t *testing.T) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func wantCode(t *testing.T, err error, code, text string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got %v, want %s", err, code)
	}
	if api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), text) {
		t.Fatalf("got %s: %s, want %s: …%s…", api.ErrorCode(), api.ErrorMessage(), code, text)
	}
}

func TestDeleteUserRefusesInOrder(t *testing.T) {
	w := newWorld(t, nil)
	w.user(account1, "alice", "AmazonDynamoDBFullAccess")
	c, ctx, name := w.iam(w.root(account1)), t.Context(), aws.String("alice")
	ok := must(t)
	ok(c.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: name, Password: aws.String("correct horse")}))
	ok(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("p"),
		PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}`)}))
	ok(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("g")}))
	ok(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("g"), UserName: name}))
	refused := func(text string) {
		t.Helper()
		_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
		wantCode(t, err, "DeleteConflict", "Cannot delete entity, must "+text)
	}
	refused("delete login profile first.")
	ok(c.DeleteLoginProfile(ctx, &iam.DeleteLoginProfileInput{UserName: name}))
	refused("delete access keys first.")
	keys, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: name})
	if err != nil || len(keys.AccessKeyMetadata) != 1 {
		t.Fatal(keys, err)
	}
	ok(c.DeleteAccessKey(ctx,
		&iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: keys.AccessKeyMetadata[0].AccessKeyId}))
	refused("detach all policies first.")
	ok(c.DetachUserPolicy(ctx,
		&iam.DetachUserPolicyInput{UserName: name,
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")}))
	refused("delete policies first.")
	ok(c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: aws.String("p")}))
	refused("remove users from group first.")
	_, err = c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: aws.String("g")})
	wantCode(t, err, "DeleteConflict", "remove users from group")
	ok(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: aws.String("g"), UserName: name}))
	ok(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name}))
	_, err = c.GetUser(ctx, &iam.GetUserInput{UserName: name})
	wantCode(t, err, "NoSuchEntity", "The user with name alice cannot be found.")
}

func TestAccessKeys(t *testing.T) {
	w := newWorld(t, nil)
	alice := w.user(account1, "alice", "IAMReadOnlyAccess")
	c, ctx := w.iam(w.root(account1)), t.Context()
	out, err := w.sts(alice).GetCallerIdentity(ctx, nil)
	if err != nil || *out.Arn != "arn:aws:iam::111122223333:user/alice" || !strings.HasPrefix(*out.UserId, "AIDA") ||
		len(*out.UserId) != 21 || len(alice.AccessKeyID) != 20 {
		t.Fatalf("%v %v", out, err)
	}
	_, err = w.iam(alice).CreateAccessKey(ctx, &iam.CreateAccessKeyInput{})
	wantCode(t, err, "AccessDenied",
		"is not authorized to perform: iam:CreateAccessKey on resource: arn:aws:iam::111122223333:user/alice "+
			"because no identity-based policy allows the iam:CreateAccessKey action")
	must(t)(w.iam(alice).GetUser(ctx, &iam.GetUserInput{})) // herself
	must(t)(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")}))
	_, err = c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})
	wantCode(t, err, "LimitExceeded", "AccessKeysPerUser: 2")
	must(t)(c.UpdateAccessKey(ctx,
		&iam.UpdateAccessKeyInput{UserName: aws.String("alice"), AccessKeyId: &alice.AccessKeyID,
			Status: types.StatusTypeInactive}))
	if _, _, err := w.service.Credentials(alice.AccessKeyID, ""); !errors.Is(err, ErrInactiveAccessKey) {
		t.Fatalf("inactive key: %v", err)
	}
	_, err = c.UpdateAccessKey(ctx,
		&iam.UpdateAccessKeyInput{AccessKeyId: &alice.AccessKeyID, Status: types.StatusTypeActive})
	wantCode(t, err, "NoSuchEntity", "") // root's own keys are meant
	if _, _, err := w.service.Credentials("AKIANOBODY", ""); !errors.Is(err, ErrUnknownAccessKey) {
		t.Fatalf("unknown key: %v", err)
	}
}

// A role session that may change every user's access keys has no power over
// root's, which no user name means.
func TestRootKeysAreRootsOwn(t *testing.T) {
	w := newWorld(t, nil)
	ctx, root, alice := t.Context(), w.iam(w.root(account1)), w.user(account1, "alice")
	role, err := root.CreateRole(ctx,
		&iam.CreateRoleInput{RoleName: aws.String("admin"),
			AssumeRolePolicyDocument: trusting("arn:aws:iam::111122223333:user/alice")})
	if err != nil {
		t.Fatal(err)
	}
	must(t)(root.AttachRolePolicy(ctx,
		&iam.AttachRolePolicyInput{RoleName: aws.String("admin"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	out, err := w.sts(alice).AssumeRole(ctx,
		&sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("visit")})
	if err != nil {
		t.Fatal(err)
	}
	admin := w.iam(aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId,
		SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken})
	key := aws.String(w.root(account1).AccessKeyID)
	_, err = admin.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{AccessKeyId: key, Status: types.StatusTypeInactive})
	wantCode(t, err, "ValidationError", "Must specify userName")
	_, err = admin.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{AccessKeyId: key})
	wantCode(t, err, "ValidationError", "Must specify userName")
	must(t)(root.ListUsers(ctx, nil))
}

func TestBoundaryLimitsAndGroupsGive(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	alice := w.user(account1, "alice")
	c := w.iam(w.root(account1))
	must(t)(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("admins")}))
	must(t)(c.AttachGroupPolicy(ctx,
		&iam.AttachGroupPolicyInput{GroupName: aws.String("admins"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	_, err := w.iam(alice).ListUsers(ctx, nil)
	wantCode(t, err, "AccessDenied", "no identity-based policy")
	must(t)(c.AddUserToGroup(ctx,
		&iam.AddUserToGroupInput{GroupName: aws.String("admins"), UserName: aws.String("alice")}))
	must(t)(w.iam(alice).ListUsers(ctx, nil))
	must(t)(c.PutUserPermissionsBoundary(ctx,
		&iam.PutUserPermissionsBoundaryInput{UserName: aws.String("alice"),
			PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess")}))
	_, err = w.iam(alice).ListUsers(ctx, nil)
	wantCode(t, err, "AccessDenied", "because no permissions boundary allows the iam:ListUsers action")
	must(t)(c.DeleteUserPermissionsBoundary(ctx,
		&iam.DeleteUserPermissionsBoundaryInput{UserName: aws.String("alice")}))
	must(t)(w.iam(alice).ListUsers(ctx, nil))
}

func TestManagedPolicyVersions(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	alice := w.user(account1, "alice")
	c := w.iam(w.root(account1))
	document := func(effect string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"` + effect +
			`","Action":"iam:ListUsers","Resource":"*"}]}`)
	}
	p, err := c.CreatePolicy(ctx,
		&iam.CreatePolicyInput{PolicyName: aws.String("list"), PolicyDocument: document("Allow")})
	if err != nil {
		t.Fatal(err)
	}
	arn := p.Policy.Arn
	must(t)(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("alice"), PolicyArn: arn}))
	must(t)(w.iam(alice).ListUsers(ctx, nil))
	for i := 2; i <= 5; i++ {
		must(t)(c.CreatePolicyVersion(ctx,
			&iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: document("Deny"), SetAsDefault: i == 3}))
	}
	_, err = c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: document("Deny")})
	wantCode(t, err, "LimitExceeded", "up to 5 versions")
	_, err = w.iam(alice).ListUsers(ctx, nil)
	wantCode(t, err, "AccessDenied", "with an explicit deny in an identity-based policy: "+*arn)
	_, err = c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v3")})
	wantCode(t, err, "DeleteConflict", "default version")
	got, err := c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")})
	if err != nil || *got.PolicyVersion.Document != encoded(*document("Allow")) {
		t.Fatal(got, err)
	}
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: arn})
	wantCode(t, err, "DeleteConflict", "Cannot delete a policy attached to entities.")
	_, err = c.CreatePolicy(ctx,
		&iam.CreatePolicyInput{PolicyName: aws.String("bad"), PolicyDocument: aws.String(`{"Statement":`)})
	wantCode(t, err, "MalformedPolicyDocument", "")
	_, err = c.DeletePolicy(ctx,
		&iam.DeletePolicyInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	wantCode(t, err, "AccessDenied", "")
}

func TestListsPage(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	c := w.iam(w.root(account1))
	for _, n := range []string{"d", "a", "c", "b", "e"} {
		must(t)(c.CreateUser(ctx, &iam.CreateUserInput{UserName: &n}))
	}
	var names []string
	pages := iam.NewListUsersPaginator(c, &iam.ListUsersInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			names = append(names, *u.UserName)
		}
	}
	if got := strings.Join(names, ""); got != "abcde" {
		t.Fatalf("pages gave %q", got)
	}
	_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("A")})
	wantCode(t, err, "EntityAlreadyExists", "User with name A already exists.")
	_, err = c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("no spaces")})
	wantCode(t, err, "ValidationError", "userName is invalid")
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	w := newWorld(t, nil)
	w.user(account1, "alice", "AmazonDynamoDBFullAccess")
	out, err := w.iam(w.root(account1)).SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::111122223333:user/alice"),
		ActionNames:     []string{"dynamodb:GetItem", "kms:Decrypt"}})
	if err != nil {
		t.Fatal(err)
	}
	r := out.EvaluationResults
	if len(r) != 2 || r[0].EvalDecision != types.PolicyEvaluationDecisionTypeAllowed ||
		len(r[0].MatchedStatements) == 0 || r[1].EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny {
		t.Fatalf("%+v", r)
	}
}

func TestConsolePassword(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	alice := w.user(account1, "alice")
	c := w.iam(w.root(account1))
	_, err := c.CreateLoginProfile(ctx,
		&iam.CreateLoginProfileInput{UserName: aws.String("alice"), Password: aws.String("short")})
	wantCode(t, err, "PasswordPolicyViolation", "")
	must(t)(c.CreateLoginProfile(ctx,
		&iam.CreateLoginProfileInput{UserName: aws.String("alice"), Password: aws.String("correct horse"),
			PasswordResetRequired: true}))
	if ok, reset := w.service.CheckPassword(account1, "alice", "correct horse"); !ok || !reset {
		t.Fatal("password not accepted", ok, reset)
	}
	for _, try := range [][3]string{{account1, "alice", "wrong horse"}, {account1, "bob", "correct horse"},
		{account2, "alice", "correct horse"}, {account1, "alice", ""}} {
		if ok, _ := w.service.CheckPassword(try[0], try[1], try[2]); ok {
			t.Errorf("accepted %v", try)
		}
	}
	must(t)(c.AttachUserPolicy(ctx,
		&iam.AttachUserPolicyInput{UserName: aws.String("alice"),
			PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")}))
	_, err = w.iam(alice).ChangePassword(ctx,
		&iam.ChangePasswordInput{OldPassword: aws.String("wrong"), NewPassword: aws.String("battery staple")})
	wantCode(t, err, "AccessDenied", "old password")
	must(t)(w.iam(alice).ChangePassword(ctx,
		&iam.ChangePasswordInput{OldPassword: aws.String("correct horse"), NewPassword: aws.String("battery staple")}))
	if ok, reset := w.service.CheckPassword(account1, "alice", "battery staple"); !ok || reset {
		t.Fatal("new password not accepted", ok, reset)
	}
}

func TestEverythingSurvivesARestart(t *testing.T) {
	store := storagetest.NewRecorder()
	w := newWorld(t, store)
	ctx := t.Context()
	alice := w.user(account1, "alice", "IAMReadOnlyAccess")
	c := w.iam(w.root(account1))
	must(t)(c.CreateLoginProfile(ctx,
		&iam.CreateLoginProfileInput{UserName: aws.String("alice"), Password: aws.String("correct horse")}))
	session, err := w.sts(alice).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	again := &world{t: t, now: w.now}
	if again.service, err = New(Config{Clock: again.clock, Store: store}); err != nil {
		t.Fatal(err)
	}
	must(t)(again.iam(alice).ListUsers(ctx, nil))
	if ok, _ := again.service.CheckPassword(account1, "alice", "correct horse"); !ok {
		t.Error("password is lost")
	}
	if _, _, err := again.service.Credentials(*session.Credentials.AccessKeyId,
		*session.Credentials.SessionToken); err != nil {
		t.Errorf("session is lost: %v", err)
	}
	if id, ok := again.service.UniqueID("arn:aws:iam::111122223333:user/alice"); !ok {
		t.Error("user is lost")
	} else if arn, ok := again.service.ARN(id); !ok || arn != "arn:aws:iam::111122223333:user/alice" {
		t.Errorf("id leads to %q", arn)
	}
}

func TestServiceCallersHaveNoIdentityPolicies(t *testing.T) {
	w := newWorld(t, nil)
	d := w.service.Authorize(t.Context(),
		&request.Call{Time: w.now, Region: "us-east-1",
			Caller: request.Caller{Principal: policy.Principal{Type: policy.Service,
				ARN: "dynamodb.us-east-1.amazonaws.com"}}},
		request.Check{Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:111122223333:key/1",
			ResourceAccountID: account1, Mode: policy.ModeKeyPolicy})
	if d.Allowed {
		t.Fatal("a service may do anything")
	}
}
