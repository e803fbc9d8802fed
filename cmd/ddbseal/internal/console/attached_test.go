// SPDX-License-Identifier: Apache-2.0

package console

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/logins"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// attachedSite is a console at a server in another place: over its listener,
// knowing nothing else of it.
func attachedSite(t *testing.T, write bool) (s *site, listener *localaws.Listener, root, user aws.Credentials) {
	t.Helper()
	server := localawstest.New(t).Server
	if _, err := logins.Provision(t.Context(), server, ""); err != nil {
		t.Fatal(err)
	}
	listener, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	key, err := iam.NewFromConfig(server.Config(server.RootCredentials())).CreateAccessKey(t.Context(),
		&iam.CreateAccessKeyInput{UserName: aws.String(administrator.Name)})
	if err != nil {
		t.Fatal(err)
	}
	root = aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}
	if key, err = iam.NewFromConfig(server.Config(server.RootCredentials())).CreateAccessKey(t.Context(),
		&iam.CreateAccessKeyInput{UserName: aws.String(labsetup.UserName)}); err != nil {
		t.Fatal(err)
	}
	user = aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}
	s = &site{t: t, passwords: map[string]string{}}
	web := httptest.NewUnstartedServer(nil)
	cfg := listener.Config(aws.Credentials{})
	cfg.RetryMaxAttempts = 1
	if s.console, err = New(Config{Addr: web.Listener.Addr().String(),
		Attached: &Attached{Name: "the other server", Config: cfg, Write: write}}); err != nil {
		t.Fatal(err)
	}
	web.Config.Handler = s.console
	web.Start()
	t.Cleanup(func() {
		s.console.Close()
		web.CloseClientConnections()
		web.Close()
	})
	s.url, s.host = web.URL+strings.TrimSuffix(s.console.Path(), "/"), web.Listener.Addr().String()
	return s, listener, root, user
}

func (s *site) withKey(k aws.Credentials) *browser {
	s.t.Helper()
	b := s.browser()
	b.contains(b.get("/signin", http.StatusOK), "Access key ID", "the other server")
	b.contains(b.post("/signin", http.StatusOK, "user", k.AccessKeyID, "password", k.SecretAccessKey),
		"<h1>Tables</h1>")
	return b
}

func TestAttachedReadsOnly(t *testing.T) {
	s, listener, adminKey, userKey := attachedSite(t, false)
	b := s.browser()
	b.get("/signin", http.StatusOK)
	b.contains(b.post("/signin", http.StatusUnauthorized, "user", adminKey.AccessKeyID, "password", "wrong"),
		"Signing in failed")
	b.contains(b.post("/signin", http.StatusUnauthorized, "user", "AKIAAAAAAAAAAAAAAAAA", "password", "wrong"),
		"Signing in failed")
	b.post("/signin", http.StatusUnauthorized, "user", "", "password", "")

	admin, user := s.withKey(adminKey), s.withKey(userKey)
	page := admin.get("/tables", http.StatusOK)
	admin.contains(page, "Robin Example", "This console only reads", `id="user">`+administrator.Name)
	item := admin.get(regexp.MustCompile(`/tables/item/[0-9a-f]{24}`).FindString(page), http.StatusOK)
	admin.lacks(item, "What lies on disk")
	denied := user.get("/tables", http.StatusOK)
	user.contains(denied, "AccessDeniedException", "Any of these would allow it: a grant, an IAM policy of the user")
	user.lacks(denied, "Robin Example", "Why, statement by statement")

	path := admin.keyPath()
	page = admin.get(path, http.StatusOK)
	admin.contains(page, "Key users", administrator.Name)
	admin.lacks(page, "Create a grant", ">Add<", ">Remove<", "Schedule deletion", "/revoke")
	admin.contains(admin.get(path+"?view=policy", http.StatusOK), "key-consolepolicy-3")
	admin.lacks(page, "/keys/delete/")
	admin.lacks(admin.get("/keys", http.StatusOK), "/keys/create")
	admin.lacks(admin.get("/tables", http.StatusOK), "/tables/create", "/tables/encryption/", "/tables/delete/")
	changes := []string{"/keys/create", "/keys/delete" + strings.TrimPrefix(path, "/keys"), "/tables/create",
		"/tables/encryption/" + labsetup.ServerTable, "/tables/delete/" + labsetup.ServerTable}
	for _, form := range changes {
		admin.contains(admin.get(form, http.StatusForbidden), "only reads")
	}
	for _, change := range append(changes, "/tables/undo", path+"/disable", path+"/undo", "/lab/run",
		"/lab/reset", "/lab/clean", "/exercises/one-client-table/start") {
		admin.contains(admin.post(change, http.StatusForbidden, "step", "1"), "only reads")
	}
	admin.contains(admin.get("/lab", http.StatusOK), "This console only reads")
	admin.contains(admin.get("/exercises/one-client-table", http.StatusOK), "This console only reads")
	admin.contains(admin.get("/audit?outcome=denied", http.StatusOK), labsetup.UserName, "kms:Decrypt")
	if export := admin.get("/audit/export?format=csv&outcome=denied", http.StatusOK); !strings.Contains(export,
		labsetup.UserName) {
		t.Error(export)
	}
	user.get("/audit", http.StatusForbidden)
	for _, page := range []string{page, denied} {
		user.lacks(page, adminKey.SecretAccessKey, userKey.SecretAccessKey)
	}

	// The other server goes away: a clear message, and no new sign-in.
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	admin.contains(admin.get("/tables", http.StatusOK), "There is no answer from the other server")
	admin.contains(admin.get("/audit", http.StatusBadGateway), "There is no answer from the other server")
	b.contains(b.post("/signin", http.StatusBadGateway, "user", userKey.AccessKeyID, "password", "x"),
		"There is no answer from the other server")
}

func TestAttachedWrites(t *testing.T) {
	s, _, adminKey, userKey := attachedSite(t, true)
	admin, user := s.withKey(adminKey), s.withKey(userKey)
	path := admin.keyPath()
	admin.get(path, http.StatusOK)
	admin.contains(admin.post(path+"/add", http.StatusOK, "role", "user", "arn", userARN), "added as key user")
	user.contains(user.get("/tables", http.StatusOK), "Robin Example")
	admin.contains(admin.post("/lab/run", http.StatusOK, "step", "2"), "2 of ")
	// Live: the lab's own calls come in by asking CloudTrail.
	r := admin.request(http.MethodGet, "/audit/events?all=yes", nil)
	answer, err := (&http.Client{Jar: admin.client.Jar}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	start := make([]byte, 4)
	if _, err := io.ReadFull(answer.Body, start); err != nil || string(start) != "id: " {
		t.Errorf("%q, %v", start, err)
	}
}

func TestAttachedConfiguration(t *testing.T) {
	server := localawstest.New(t).Server
	good := &Attached{Name: "x", Config: aws.Config{Region: "us-east-1"}}
	for name, cfg := range map[string]Config{
		"both":      {Server: server, Attached: good},
		"no name":   {Attached: &Attached{Config: good.Config}},
		"no region": {Attached: &Attached{Name: "x"}},
	} {
		cfg.Addr = "127.0.0.1:1"
		if _, err := New(cfg); err == nil {
			t.Error(name)
		}
	}
}
