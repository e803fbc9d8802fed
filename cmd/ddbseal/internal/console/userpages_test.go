// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/csv"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ddbseal/ddbseal/labsetup"
)

// created goes through the form of a new user and returns the page after it.
func (b *browser) created(pairs ...string) string {
	b.t.Helper()
	b.get("/users/new", http.StatusOK)
	review := b.post("/users/review", http.StatusOK, pairs...)
	b.contains(review, "Review the user")
	return b.post("/users/create", http.StatusOK, "review", between(review, `name="review" value="`, `"`))
}

// download fetches the file of the page that shows a secret.
func (b *browser) download(page string) (http.Header, [][]string) {
	b.t.Helper()
	path := regexp.MustCompile(`/secret/[0-9a-f]+`).FindString(page)
	answer, err := b.client.Do(b.form(path, b.csrf))
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	rows, err := csv.NewReader(answer.Body).ReadAll()
	if err != nil || answer.StatusCode != http.StatusOK {
		b.t.Fatal(answer.Status, err)
	}
	return answer.Header, rows
}

// TestCreateUser makes a user by the form, with a generated password; the user
// signs in with it, at the address that the page and the file name.
func TestCreateUser(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	b.contains(b.get("/users", http.StatusOK), labsetup.UserName, "Create user")
	page := b.created("name", "robin", "console", "yes", "kind", "generated", "policy", "full")
	signIn := s.url + "/"
	b.contains(page, "User robin created", "This page shows it once", signIn)
	b.lacks(page, "signin.aws")
	header, rows := b.download(page)
	if got := header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %s", got)
	}
	if got := header.Get("Content-Disposition"); got != "attachment; filename=robin_credentials.csv" {
		t.Errorf("Content-Disposition: %s", got)
	}
	if len(rows) != 2 || strings.Join(rows[0], "|") != "User name|Password|Console sign-in URL" ||
		rows[1][0] != "robin" || rows[1][2] != signIn {
		t.Fatalf("%q", rows)
	}
	password := rows[1][1]
	b.contains(page, password)
	// A second look has it no more, and another session none at all.
	path := regexp.MustCompile(`/secret/[0-9a-f]+`).FindString(page)
	b.lacks(b.get(path, http.StatusGone), password)
	root := s.as("root")
	root.get("/users", http.StatusOK)
	root.lacks(root.post(path, http.StatusGone), password)
	s.clock.Advance(secretTime)
	b.lacks(b.post(path, http.StatusGone), password)

	s.passwords["robin"] = password
	robin := s.as("robin")
	robin.contains(robin.get("/tables?left="+labsetup.OwnedTable, http.StatusOK), "Robin Example")
	robin.contains(robin.get("/tables", http.StatusOK), "kms:Decrypt") // the policy covers no key
	robin.contains(robin.get("/users", http.StatusForbidden), "iam:ListUsers")
	if strings.Contains(s.logged(), password) {
		t.Error("the log holds the password")
	}
}

const secretTime = 16 * time.Minute

// TestCreateUserRefused: every refusal comes back with the form and what was
// typed, and leaves nothing behind.
func TestCreateUserRefused(t *testing.T) {
	s := newSite(t)
	b, user := s.administrator(), s.user()
	const own = "Own-password-1"
	for name, c := range map[string]struct {
		status int
		want   string
		pairs  []string
	}{
		"bad name":      {400, "1 to 64 letters", []string{"name", "robin/x", "policy", "read"}},
		"no name":       {400, "Give the user a name", []string{"name", " ", "policy", "read"}},
		"existing name": {409, "There is already a user", []string{"name", labsetup.UserName, "policy", "read"}},
		"short password": {400, "8 to 128", []string{"name", "robin", "console", "yes", "kind", "own", "password", "x",
			"policy", "read"}},
		"no policy": {400, "Choose the permissions", []string{"name", "robin"}},
	} {
		b.get("/users/new", http.StatusOK)
		page := b.post("/users/review", c.status, c.pairs...)
		b.contains(page, c.want, `value="`+strings.TrimSpace(c.pairs[1])+`"`, "Create user")
		if name == "short password" {
			b.contains(page, `id="own" name="kind" value="own" checked`)
		}
	}
	// No right: AWS's words, the reasons, and the form again.
	user.get("/users/new", http.StatusOK)
	review := user.post("/users/review", http.StatusOK, "name", "robin", "console", "yes", "kind", "own", "password",
		own, "policy", "read")
	user.lacks(review, own)
	page := user.post("/users/create", http.StatusForbidden, "review", between(review, `name="review" value="`, `"`))
	user.contains(page, "AccessDenied", "iam:CreateUser", "What would change it", `value="robin"`)
	user.lacks(page, own)
	// A review is used once.
	user.contains(user.post("/users/create", http.StatusOK, "review", "again"), "That review is over")
	b.lacks(b.get("/users", http.StatusOK), ">robin<")
}

// TestOwnPassword: the password that was typed signs in without a reset.
func TestOwnPassword(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	const own = `Own "pass", word-1`
	page := b.created("name", "robin", "console", "yes", "kind", "own", "password", own, "policy", "none")
	if _, rows := b.download(page); rows[1][1] != own {
		t.Errorf("%q", rows[1])
	}
	s.passwords["robin"] = own
	robin := s.as("robin")
	robin.contains(robin.get("/tables", http.StatusOK), "dynamodb:ListTables")
	// Another password replaces it, by choice only.
	b.get("/user?name=robin", http.StatusOK)
	b.contains(b.post("/user/password", http.StatusBadRequest, "name", "robin", "kind", "own", "password", "short"),
		"8 to 128")
	s.as("robin")
	page = b.post("/user/password", http.StatusOK, "name", "robin", "kind", "generated")
	b.contains(page, "New password of robin")
	_, rows := b.download(page)
	s.passwords["robin"] = rows[1][1]
	s.as("robin")
}

// TestAwkwardNames: every name that IAM takes has a page, and links lead there.
func TestAwkwardNames(t *testing.T) {
	b := newSite(t).administrator()
	for _, name := range []string{"..", "new", "kim+1@example.org", "a=b,c"} {
		b.contains(html.UnescapeString(b.created("name", name, "policy", "none")), "<h1>"+name+"</h1>")
		list := b.get("/users", http.StatusOK)
		link := regexp.MustCompile(`(?i)href="/c-[0-9a-f]+(/user\?name=` +
			regexp.QuoteMeta(url.QueryEscape(name)) + `)"`).FindStringSubmatch(list)
		if link == nil {
			t.Errorf("the list has no link to %q", name)
			continue
		}
		b.contains(html.UnescapeString(b.get(link[1], http.StatusOK)), "<h1>"+name+"</h1>")
	}
}

// TestUserPage changes policies and access keys of a user, and deletes the user
// with what must go first.
func TestUserPage(t *testing.T) {
	s := newSite(t)
	b, user := s.administrator(), s.user()
	b.contains(b.created("name", "robin", "policy", "read"), "without a password", "AmazonDynamoDBReadOnlyAccess")
	b.contains(b.post("/user/attach", http.StatusOK, "name", "robin", "policy", "full"),
		"AmazonDynamoDBFullAccess is attached")
	b.contains(b.post("/user/detach", http.StatusOK, "name", "robin", "policy",
		"arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"), "The policy is detached")
	b.post("/user/attach", http.StatusBadRequest, "name", "robin", "policy", "AdministratorAccess")

	page := b.post("/user/key-create", http.StatusOK, "name", "robin")
	b.contains(page, "Secret access key", "This page shows it once")
	header, rows := b.download(page)
	if header.Get("Content-Disposition") != "attachment; filename=robin_accessKeys.csv" || len(rows) != 2 {
		t.Fatal(header, len(rows))
	}
	id, text := rows[1][0], rows[1][1]
	signs := func() bool {
		_, _, err := identify(t.Context(), s.console.as(aws.Credentials{AccessKeyID: id, SecretAccessKey: text}))
		return err == nil
	}
	if !signs() {
		t.Error("the new access key does not sign")
	}
	b.lacks(b.get("/user?name=robin", http.StatusOK), text)
	b.contains(b.post("/user/key-deactivate", http.StatusOK, "name", "robin", "key", id), "is inactive")
	if signs() {
		t.Error("the inactive access key signs")
	}
	b.contains(b.post("/user/key-activate", http.StatusOK, "name", "robin", "key", id), "is active")
	b.post("/user/key-create", http.StatusOK, "name", "robin")
	b.contains(b.get("/user?name=robin", http.StatusOK), "There are two keys")
	b.contains(b.post("/user/key-create", http.StatusOK, "name", "robin"), "LimitExceeded")

	b.contains(user.get("/user?name=robin", http.StatusForbidden), "iam:GetUser")
	user.get("/users/new", http.StatusOK)
	user.contains(user.post("/user/key-create", http.StatusForbidden, "name", "robin"), "iam:CreateAccessKey")
	user.post("/user/nothing", http.StatusNotFound, "name", "robin")

	ask := b.get("/user/delete?name=robin", http.StatusOK)
	b.contains(ask, "access key "+id, "attachment of the policy AmazonDynamoDBFullAccess")
	b.contains(b.post("/user/delete", http.StatusBadRequest, "name", "robin", "typed", "other"), "Type the name")
	b.contains(b.post("/user/delete", http.StatusBadRequest, "name", "robin", "typed", "robin"), "has changed since")
	pairs := []string{"name", "robin", "typed", "robin"}
	for _, m := range regexp.MustCompile(`name="first" value="([^"]*)"`).FindAllStringSubmatch(ask, -1) {
		pairs = append(pairs, "first", m[1])
	}
	user.contains(user.post("/user/delete", http.StatusForbidden, pairs...), "iam:GetUser")
	b.contains(b.post("/user/delete", http.StatusOK, pairs...), "The user robin is deleted")
	b.contains(b.get("/user?name=robin", http.StatusNotFound), "NoSuchEntity")
	b.contains(b.post("/user/delete", http.StatusBadRequest, "name", "nextwork-admin", "typed", "nextwork-admin"),
		"You are signed in as this user")
}

// TestUsersOfAnotherServer: the page that signs in says what it takes and where
// that comes from; a new user gets no address at which a password would be typed
// into a page that does not know it, and signs in with an access key.
func TestUsersOfAnotherServer(t *testing.T) {
	s, _, key, _ := attachedSite(t, true)
	b := s.withKey(key)
	fresh := s.browser()
	fresh.contains(fresh.get("/signin", http.StatusOK), "takes an access key and no password",
		"aws iam create-access-key")
	page := b.created("name", "robin", "console", "yes", "kind", "generated", "policy", "full")
	b.contains(page, "no page that takes passwords")
	b.lacks(page, "sign-in URL", "signin.aws")
	if _, rows := b.download(page); rows[1][2] != "" {
		t.Errorf("the file names %q", rows[1][2])
	}
	_, rows := b.download(b.post("/user/key-create", http.StatusOK, "name", "robin"))
	s.withKey(aws.Credentials{AccessKeyID: rows[1][0], SecretAccessKey: rows[1][1]})

	s, _, key, _ = attachedSite(t, false)
	b = s.withKey(key)
	b.lacks(b.get("/users", http.StatusOK), "Create user")
	b.lacks(b.get("/user?name="+labsetup.UserName, http.StatusOK), "Delete user", "Create access key")
	b.lacks(b.get("/tables", http.StatusOK), "Create item")
	b.post("/users/create", http.StatusForbidden)
	b.post("/user/key-create", http.StatusForbidden, "name", labsetup.UserName)
	b.get("/tables/item/new?table="+labsetup.OwnedTable, http.StatusForbidden)
}

// TestSignInAddress: a password works at AWS's own console, and nowhere on
// another server.
func TestSignInAddress(t *testing.T) {
	for name, c := range map[string]struct {
		attached Attached
		want     string
	}{
		"server": {Attached{}, ""},
		"AWS":    {Attached{AWS: true}, "https://111122223333.signin.aws.amazon.com/console"},
	} {
		console := &Console{cfg: Config{Attached: &c.attached}}
		if got := console.signInAddress("111122223333"); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
