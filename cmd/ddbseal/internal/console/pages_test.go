// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

const userARN = "arn:aws:iam::" + localaws.DefaultAccountID + ":user/" + labsetup.UserName

// TestWhoSeesWhat is the lab's core through the page: denied, added as key
// user, allowed, removed, denied.
func TestWhoSeesWhat(t *testing.T) {
	s := newSite(t)
	administrator, user := s.administrator(), s.user()
	administrator.contains(administrator.get("/tables", http.StatusOK), "Robin Example", "hay fever",
		labsetup.ServerTable, labsetup.ClientTable)

	denied := user.get("/tables", http.StatusOK)
	user.lacks(denied, "Robin Example", "hay fever")
	user.contains(denied, "AccessDeniedException", "is not authorized to perform: kms:Decrypt",
		"statement 3 (Allow use of the key): Allow does not apply: principal did not match",
		"<b>closest</b>",
		"Any of these would allow it: naming the user as a principal in the key policy&#39;s statement “Allow use of the key”, a grant",
		`&#34;AWS&#34;: &#34;`+userARN, `<span class="chip denied">denied</span>`, ">north<")

	path := administrator.keyPath()
	administrator.get(path, http.StatusOK)
	after := administrator.post(path+"/add", http.StatusOK, "role", "user", "arn", userARN)
	administrator.contains(after, "user/nextwork-kms-user added as key user", `<span class="add">`, "Undo")
	user.contains(user.get("/tables", http.StatusOK), "Robin Example", "hay fever")

	administrator.contains(administrator.post(path+"/remove", http.StatusOK, "role", "user", "arn", userARN),
		"removed as key user")
	user.lacks(user.get("/tables", http.StatusOK), "Robin Example")

	// Undo the removal, then the adding.
	undo := regexp.MustCompile(`name="change" value="([0-9a-f]{16})"`)
	ids := undo.FindAllStringSubmatch(administrator.get(path, http.StatusOK), -1)
	if len(ids) != 2 {
		t.Fatalf("%d changes can be undone", len(ids))
	}
	administrator.contains(administrator.post(path+"/undo", http.StatusOK, "change", ids[0][1]), "Undone")
	user.contains(user.get("/tables", http.StatusOK), "Robin Example")
	administrator.contains(administrator.post(path+"/undo", http.StatusOK, "change", ids[0][1]),
		"cannot be undone any more")
	administrator.post(path+"/undo", http.StatusOK, "change", ids[1][1])
	user.lacks(user.get("/tables", http.StatusOK), "Robin Example")
	if strings.Contains(s.logged(), "Robin") {
		t.Error("the log holds values of an item")
	}
}

func TestUndoDoesNotOverwrite(t *testing.T) {
	s := newSite(t)
	one, two := s.administrator(), s.administrator()
	path := one.keyPath()
	page := one.post(path+"/add", http.StatusOK, "role", "user", "arn", userARN)
	two.get(path, http.StatusOK)
	two.post(path+"/remove", http.StatusOK, "role", "user", "arn", userARN)
	change := regexp.MustCompile(`name="change" value="([0-9a-f]{16})"`).FindStringSubmatch(page)
	one.contains(one.post(path+"/undo", http.StatusOK, "change", change[1]), "the key policy has changed since")
}

// TestEveryPage renders every page for an administrator, the lab's user and
// root; the user sees denials where AWS denies.
func TestEveryPage(t *testing.T) {
	s := newSite(t)
	path := s.administrator().keyPath()
	browsers := map[string]*browser{}
	for _, c := range []struct {
		user, path string
		status     int
		has        string
	}{
		{administrator.Name, "/", 200, "were read just now"},
		{labsetup.UserName, "/", 200, "were read just now"},
		{administrator.Name, "/tables", 200, labsetup.ServerTable},
		{administrator.Name, "/tables?left=" + labsetup.OwnedTable + "&right=" + labsetup.ManagedTable, 200, "AWS owned key"},
		{administrator.Name, "/tables?left=missing", 200, "ResourceNotFoundException"},
		{administrator.Name, "/tables/item/ffff", 200, "not known any more"},
		{administrator.Name, "/keys", 200, labsetup.KeyAlias},
		{administrator.Name, path, 200, "Key administrators"},
		{administrator.Name, path + "?view=policy", 200, "Save policy"},
		{administrator.Name, "/keys/0b9c9f9e-0000-4000-8000-000000000000", 404, "NotFoundException"},
		{administrator.Name, "/users", 200, labsetup.UserName},
		{administrator.Name, "/users/new", 200, "Console access"},
		{administrator.Name, "/user?name=" + labsetup.UserName, 200, "AmazonDynamoDBFullAccess"},
		{administrator.Name, "/user?name=missing", 404, "NoSuchEntity"},
		{administrator.Name, "/user/delete?name=" + labsetup.UserName, 200, "goes first, in this order"},
		{administrator.Name, "/secret/none", 410, "shows a secret once"},
		{administrator.Name, "/tables/item/new?table=" + labsetup.ClientTable, 200, "Who encrypts the item"},
		{administrator.Name, "/access", 200, "Who can become a reader"},
		{administrator.Name, "/access?table=" + labsetup.ClientTable + "&sample=5", 200, "Sampled: all of 1 item"},
		{administrator.Name, "/access?sample=101", 200, "up to 100 items"},
		{administrator.Name, "/access?table=missing", 404, "ResourceNotFoundException"},
		{administrator.Name, "/access?q=absent-name", 200, "No principal matches."},
		{administrator.Name, "/audit", 200, "kms:Decrypt"},
		{administrator.Name, "/audit?all=yes&q=CreateTable", 200, "dynamodb:CreateTable"},
		{administrator.Name, "/lab", 200, "make a customer managed key"},
		{administrator.Name, "/exercises", 200, "Shred one tenant"},
		{labsetup.UserName, "/exercises/lose-region", 200, "multi-Region key"},
		{administrator.Name, "/nothing", 404, "There is nothing here"},
		{labsetup.UserName, "/tables", 200, "AccessDeniedException"},
		{labsetup.UserName, "/keys", 200, "Keys"},
		{labsetup.UserName, path, 200, "kms:GetKeyPolicy"},
		{labsetup.UserName, "/access", 403, "iam:GetAccountAuthorizationDetails"},
		{labsetup.UserName, "/audit", 403, "cloudtrail:LookupEvents"},
		{labsetup.UserName, "/audit/export", 403, "cloudtrail:LookupEvents"},
		{labsetup.UserName, "/lab", 200, "The lab belongs to the administrator"},
		{"root", "/tables", 200, labsetup.ServerTable},
		{"root", "/keys", 200, labsetup.KeyAlias},
		{"root", path, 200, "Key users"},
		{"root", "/access", 200, labsetup.ServerTable},
		{"root", "/audit", 200, "Encryption context"},
	} {
		b := browsers[c.user]
		if b == nil {
			b = s.as(c.user)
			browsers[c.user] = b
		}
		b.contains(b.get(c.path, c.status), c.has, "<h1>", "</html>", `<html lang="en">`)
	}
	if strings.Contains(s.logged(), "template") {
		t.Error(s.logged())
	}
}

// TestMarkup puts markup into every place of an item that a page shows.
func TestMarkup(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`
	client := dynamodb.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	if _, err := client.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: aws.String(labsetup.ServerTable), Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: evil}, evil: &types.AttributeValueMemberS{Value: evil},
			"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberS{Value: evil}}},
		}}); err != nil {
		t.Fatal(err)
	}
	page := b.get("/tables", http.StatusOK)
	b.lacks(page, "<script>alert", "<img src=x")
	b.contains(page, "&lt;script&gt;alert(1)")
	refs := regexp.MustCompile(`/tables/item/[0-9a-f]{24}`).FindAllString(page, -1)
	if len(refs) < 3 {
		t.Fatal(refs)
	}
	for _, ref := range refs {
		b.lacks(b.get(ref, http.StatusOK), "<script>alert", "<img src=x")
	}
	b.lacks(b.post("/tables/read", http.StatusOK, "table", labsetup.ServerTable, "left", labsetup.ServerTable,
		"partition", evil+"!"), "<script>alert", "<img src=x")
	b.lacks(b.get("/audit?q="+strings.ReplaceAll(evil, " ", "+"), http.StatusOK), "<script>alert", "<img src=x")
}

func TestItemPage(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	page := b.get("/tables?left="+labsetup.ClientTable, http.StatusOK)
	ref := regexp.MustCompile(`/tables/item/[0-9a-f]{24}`).FindString(page)
	page = b.get(ref, http.StatusOK)
	b.contains(page, "aws_dbe_head", "aws_dbe_foot", "message id", "legend", "encrypted data key 1: provider id",
		"commitment", "recipient tag 1", "ECDSA P-384",
		"arn:aws:kms:us-east-1:111122223333:key/", "Robin Example", `<span class="chip ciphertext">ciphertext</span>`,
		`<span class="chip signed">signed</span>`,
		"HMAC of the key", labsetup.ServerTable, labsetup.BothTable, "still encrypted by the client")
	// The page opens on what each attribute is; the bytes are folded away.
	b.contains(page, "What each attribute is", "encrypted and signed by the program", "signed: a change is noticed",
		"part of the primary key")
	if first, bytes := strings.Index(page, "What each attribute is"), strings.Index(page, "message id"); first > bytes {
		t.Error("the bytes come first")
	}
	b.lacks(page, "<details open class=\"card block", "<section class=\"card block")
	b.contains(page, `<details class="card block"><summary><h2><code>aws_dbe_head`, `<details class="card" id="disk">`)
	// The bytes that are drawn are all of the attribute's.
	block := regexp.MustCompile(
		`(?s)<code>aws_dbe_head</code> <span class="quiet">(\d+) bytes.*?<div class="hex"[^>]*>(.*?)</div>`).FindStringSubmatch(page)
	drawn := len(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(block[2], "")))
	if block[1] == "0" || block[1] != itoa(drawn) {
		t.Errorf("%s bytes, %d drawn", block[1], drawn)
	}
	// The lab's user sees the same format, and no values.
	u := s.user()
	page = u.get("/tables?left="+labsetup.ClientTable, http.StatusOK)
	page = u.get(regexp.MustCompile(`/tables/item/[0-9a-f]{24}`).FindString(page), http.StatusOK)
	u.lacks(page, "Robin Example", "hay fever")
	u.contains(page, "message id", "is not authorized to perform: kms:Decrypt")
	// A name of somebody else's session is worth nothing.
	u.contains(u.get(ref+"0", http.StatusOK), "not known any more")
}

func itoa(n int) string {
	text, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestReadItem(t *testing.T) {
	b := newSite(t).administrator()
	b.get("/tables", http.StatusOK)
	b.contains(b.post("/tables/read", http.StatusOK, "table", labsetup.ServerTable, "left", labsetup.ServerTable,
		"partition", "1"), "Robin Example")
	b.contains(b.post("/tables/read", http.StatusOK, "table", labsetup.ServerTable, "left", labsetup.ServerTable,
		"partition", "2"), "There is no item with the key 2")
	b.contains(b.post("/tables/read", http.StatusOK, "table", "none", "left", "none", "partition", "2"),
		"ResourceNotFoundException")
}

func TestKeyChanges(t *testing.T) {
	s := newSite(t)
	b, u := s.administrator(), s.user()
	path := b.keyPath()
	b.get(path, http.StatusOK)
	undo := func() {
		t.Helper()
		id := regexp.MustCompile(`name="change" value="([0-9a-f]{16})"`).FindStringSubmatch(b.get(path, http.StatusOK))
		if id == nil {
			t.Fatal("nothing to undo")
		}
		b.contains(b.post(path+"/undo", http.StatusOK, "change", id[1]), "Undone")
	}
	sees := func(want bool) {
		t.Helper()
		if got := strings.Contains(u.get("/tables", http.StatusOK), "Robin Example"); got != want {
			t.Errorf("the user sees the item: %v", got)
		}
	}
	// A grant opens both tables; undo closes them.
	page := b.post(path+"/grant", http.StatusOK, "grantee", userARN, "operation", "Decrypt", "operation", "DescribeKey",
		"name", "for-a-test")
	b.contains(page, "Grant created", "grant to user/nextwork-kms-user for Decrypt, DescribeKey", "for-a-test")
	sees(true)
	undo()
	sees(false)
	b.post(path+"/grant", http.StatusOK, "grantee", userARN, "operation", "Decrypt", "contextKey",
		"aws-crypto-table-name", "contextValue", labsetup.ClientTable)
	b.contains(u.get("/tables", http.StatusOK), "Robin Example", "is not authorized") // the client-side table only
	grant := regexp.MustCompile(`(?s)user/nextwork-kms-user.*?name="grant" value="([^"]+)"`).FindStringSubmatch(between(
		b.get(path, http.StatusOK), `id="grants"`, "</section>"))
	b.contains(b.post(path+"/revoke", http.StatusOK, "grant", grant[1]), "Grant revoked",
		`<span class="remove">- grant to user/nextwork-kms-user`)
	sees(false)
	undo() // gives it again
	sees(true)

	b.contains(b.post(path+"/disable", http.StatusOK), "Key disabled", `id="state" class="chip unsigned">Disabled`)
	b.contains(b.get("/tables", http.StatusOK), "is disabled")
	undo()
	b.contains(b.get("/tables", http.StatusOK), "Robin Example")
	b.contains(b.post(path+"/rotation-on", http.StatusOK), "Yearly rotation is on")
	undo()
	b.contains(b.post(path+"/rotate", http.StatusOK), "Yearly rotation is off; 1 rotation so far", "cannot be undone")

	// The policy view: a change with its difference, nonsense, and no change.
	policy := htmlText(between(between(b.get(path+"?view=policy", http.StatusOK), "<textarea", "</textarea>")+"<", ">",
		"<"))
	b.contains(b.post(path+"/policy", http.StatusOK, "view", "policy", "policy", policy), "the same as before")
	b.contains(b.post(path+"/policy", http.StatusOK, "view", "policy", "policy",
		strings.Replace(policy, "key-consolepolicy-3", "mine", 1)), "Key policy edited",
		`<span class="add">&#43;  &#34;Id&#34;: &#34;mine&#34;`)
	b.contains(b.post(path+"/policy", http.StatusBadRequest, "policy", "{}"), "MalformedPolicyDocument")
	b.post(path+"/nothing", http.StatusNotFound)
	// The page gives no power to a user.
	u.get("/tables", http.StatusOK)
	for _, action := range []string{"/disable", "/rotate", "/cancel"} {
		u.contains(u.post(path+action, http.StatusForbidden), "is not authorized to perform")
	}
	u.contains(u.post(path+"/add", http.StatusForbidden, "role", "user", "arn", userARN), "kms:GetKeyPolicy")
}

func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}

func htmlText(text string) string {
	return strings.NewReplacer("&#34;", `"`, "&#43;", "+", "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;",
		"&").Replace(text)
}

func TestAudit(t *testing.T) {
	s := newSite(t)
	b, u := s.administrator(), s.user()
	u.get("/tables", http.StatusOK)
	b.contains(b.get("/audit?outcome=denied", http.StatusOK), labsetup.UserName, `chip denied">denied`,
		"<summary>why</summary>", "dynamodb", "directly")
	b.contains(b.get("/audit?outcome=allowed", http.StatusOK), "aws-crypto-table-name = "+labsetup.ClientTable)
	rows, err := csv.NewReader(strings.NewReader(b.get("/audit/export?format=csv&outcome=denied",
		http.StatusOK))).ReadAll()
	if err != nil || len(rows) < 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	lines := strings.Split(strings.TrimSpace(b.get("/audit/export?outcome=denied&q="+labsetup.UserName, http.StatusOK)),
		"\n")
	for _, line := range lines {
		var e localaws.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.UserIdentity.UserName != labsetup.UserName ||
			!e.Denied() {
			t.Errorf("%v: %s", err, line)
		}
	}
	if len(lines) < 2 {
		t.Errorf("%d events", len(lines))
	}
}

func TestAuditLive(t *testing.T) {
	s := newSite(t)
	b, u := s.administrator(), s.user()
	u.do(u.request(http.MethodGet, "/audit/events", nil), http.StatusForbidden)
	last := between(b.get("/audit", http.StatusOK), `data-after="`, `"`)
	u.get("/tables", http.StatusOK) // before the stream begins
	r := b.request(http.MethodGet, "/audit/events?outcome=denied&after="+last, nil)
	answer, err := (&http.Client{Jar: b.client.Jar}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	events := make(chan eventView)
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var e eventView
				if json.Unmarshal([]byte(text), &e) == nil {
					events <- e
				}
			}
		}
	}()
	next := func() eventView {
		select {
		case e := <-events:
			return e
		case <-time.After(5 * time.Second):
			t.Fatal("no event came")
			return eventView{}
		}
	}
	seen := map[string]int{}
	for range 2 { // DynamoDB asked for the user, then the user directly
		e := next()
		seen[e.Who+" "+e.Event+" via "+e.Via]++
	}
	u.get("/tables", http.StatusOK) // live
	for range 2 {
		e := next()
		seen[e.Who+" "+e.Event+" via "+e.Via]++
		if len(e.Reasons) == 0 {
			t.Error("a denial without reasons")
		}
	}
	if seen[labsetup.UserName+" Decrypt via dynamodb"] != 2 || seen[labsetup.UserName+" Decrypt via "] != 2 {
		t.Error(seen)
	}
	// The stream ends with the session.
	b.post("/signout", http.StatusOK)
	select {
	case _, open := <-events:
		if open {
			t.Error("an event after the end")
		}
	case <-time.After(5 * time.Second):
		t.Error("the stream goes on after signing out")
	}
}
