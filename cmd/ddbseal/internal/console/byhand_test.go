// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	cdp "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
)

// The tests of this file walk through the whole lab by hand, from an empty
// console to the clean-up, under other names than the lab's: in a browser, and
// without JavaScript.

const (
	handAlias  = "alias/clinic-key"
	handTable  = "clinic-visits" // DynamoDB encrypts it
	handSealed = "clinic-charts" // the client encrypts its items
	handUser   = "kim"
	handARN    = "arn:aws:iam::" + localaws.DefaultAccountID + ":user/" + handUser
)

// emptySite is a console without anything of the lab.
func emptySite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	lab, err := labsetup.New(labsetup.Config{
		Administrator: administrator.Config(s.server, s.server.RootCredentials())})
	if err != nil {
		t.Fatal(err)
	}
	if report, err := lab.Down(t.Context()); err != nil || !report.OK() {
		t.Fatal(err)
	}
	return s
}

// TestByHand walks without JavaScript.
func TestByHand(t *testing.T) {
	s := emptySite(t)
	b := s.administrator()
	b.contains(b.get("/tables", http.StatusOK), "There are no tables yet")

	page := b.fill(b.get("/keys/create", http.StatusOK), "5", "type", "symmetric", "usage", "encrypt", "alias",
		strings.TrimPrefix(handAlias, "alias/"), "description", "for the clinic", "administrator", adminARN, "deletion",
		"yes", "user", adminARN)
	page = b.finish(page, http.StatusOK)
	key := regexp.MustCompile(`/keys/[0-9a-f-]{36}`).FindString(page)
	keyARN := regexp.MustCompile(`arn:aws:kms:[^< "]*`).FindString(page)
	b.contains(page, "The key "+handAlias+" was created")
	for _, name := range []string{handTable, handSealed} {
		b.get("/tables/create", http.StatusOK)
		b.contains(b.post("/tables/create", http.StatusOK, "name", name, "partition", "visit", "partition-type", "S",
			"sort-type", "S", "settings", "default"), name)
	}
	b.get("/tables/encryption/"+handTable, http.StatusOK)
	b.contains(b.post("/tables/encryption/"+handTable, http.StatusOK, "encryption", "customer", "key", keyARN),
		handAlias)

	for _, table := range []string{handTable, handSealed} {
		f := b.itemForm(b.get("/tables/item/new?table="+table, http.StatusOK))
		b.set(f, "visit", "", "v1", "")
		b.set(f, "finding", "S", "a broken arm", "encrypt")
		f.values["mode"] = "plain"
		if table == handSealed {
			f.values["mode"], f.values["key"] = "client", keyARN
		}
		b.contains(b.send(f, http.StatusOK), "The item is created", "a broken arm")
	}
	page = b.created("name", handUser, "console", "yes", "kind", "generated", "policy", "full")
	_, rows := b.download(page)
	s.passwords[handUser] = rows[1][1]
	user := s.as(handUser)
	pair := "/tables?left=" + handTable + "&right=" + handSealed
	user.lacks(user.get(pair, http.StatusOK), "a broken arm")
	user.contains(user.get(pair, http.StatusOK), "AccessDeniedException", "kms:Decrypt", "What would change it",
		"ciphertext")

	b.get(key, http.StatusOK)
	b.contains(b.post(key+"/add", http.StatusOK, "role", "user", "arn", handARN), "added as key user")
	if got := strings.Count(user.get(pair, http.StatusOK), "a broken arm"); got != 2 {
		t.Errorf("the key user sees the finding %d times, not in both tables", got)
	}
	f := user.itemForm(user.get(lastRef(user.get(pair, http.StatusOK))+"/edit", http.StatusOK))
	user.set(f, "finding", "", "a mended arm", "")
	user.contains(user.send(f, http.StatusOK), "The item is saved", "a mended arm")
	b.contains(b.get(pair, http.StatusOK), "a mended arm")
	b.post(key+"/remove", http.StatusOK, "role", "user", "arn", handARN)
	user.lacks(user.get(pair, http.StatusOK), " arm")

	for _, table := range []string{handTable, handSealed} {
		b.get("/tables/delete/"+table, http.StatusOK)
		b.post("/tables/delete/"+table, http.StatusOK, "confirm", "confirm")
	}
	b.contains(b.get("/tables", http.StatusOK), "There are no tables yet")
	ask := b.get("/user/delete?name="+handUser, http.StatusOK)
	pairs := []string{"name", handUser, "typed", handUser}
	for _, m := range regexp.MustCompile(`name="first" value="([^"]*)"`).FindAllStringSubmatch(ask, -1) {
		pairs = append(pairs, "first", m[1])
	}
	b.contains(b.post("/user/delete", http.StatusOK, pairs...), "The user kim is deleted")
	user.contains(user.get("/tables", http.StatusOK), "<h1>Sign in</h1>")
	id := strings.TrimPrefix(key, "/keys/")
	b.get("/keys/delete/"+id, http.StatusOK)
	b.contains(b.post("/keys/delete/"+id, http.StatusOK, "days", "7", "understood", "yes"), "Pending deletion until")
	b.contains(b.get("/users", http.StatusOK), administrator.Name)
}

// lastRef is the last item of a page with two tables.
func lastRef(page string) string {
	all := regexp.MustCompile(`/tables/item/[0-9a-f]{24}`).FindAllString(page, -1)
	if len(all) == 0 {
		return "/tables/item/none"
	}
	return all[len(all)-1]
}

// fits fails if the page is wider than the window.
func (w *window) fits(where string) {
	w.t.Helper()
	if wide := js[string](w, `document.documentElement.scrollWidth <= innerWidth ? "" :
		document.documentElement.scrollWidth + " of " + innerWidth`); wide != "" {
		w.t.Errorf("%s is wider than the window: %s pixels", where, wide)
	}
}

// write puts text into a field, in place of what is there.
func (w *window) write(selector, text string) {
	w.t.Helper()
	w.run(chromedp.WaitVisible(chromedp.CSS(selector)),
		chromedp.Evaluate[chromedp.Void]("document.querySelector("+strconv.Quote(selector)+`).value = ""`),
		chromedp.SendKeys(chromedp.CSS(selector), text))
}

func (w *window) tick(selector string) {
	w.t.Helper()
	w.run(chromedp.ScrollIntoView(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

// TestClickByHand walks in two browser contexts: on a desk and on a phone.
func TestClickByHand(t *testing.T) {
	root := chromium(t)
	for name, size := range map[string][2]int64{"desk": {1280, 900}, "phone": {390, 844}} {
		t.Run(name, func(t *testing.T) {
			s := emptySite(t)
			admin, user := s.window(root), s.window(root)
			for _, w := range []*window{admin, user} {
				w.size(size[0], size[1])
			}
			s.walk(admin, user, name == "desk")
		})
	}
}

func (s *site) walk(admin, user *window, shoots bool) {
	t := s.t
	shoot := func(w *window, name string) {
		w.fits(name)
		if shoots {
			w.run(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0)`))
			w.shoot(name)
		}
	}
	admin.signIn(administrator.Name)
	admin.sees("main", "There are no tables yet")

	// The key, with a name that is refused first.
	admin.click(`nav a[href$="/keys"]`)
	admin.click(`a[href$="/keys/create"]`)
	admin.fits("create key")
	admin.click("#next")
	admin.write("#alias", "aws/clinic")
	admin.click("#next")
	admin.sees(".fault", "aws/")
	admin.write("#alias", strings.TrimPrefix(handAlias, "alias/"))
	admin.write("#description", "for the clinic")
	admin.click("#next")
	admin.sees("main", "Define key administrative permissions")
	// The browser's Back and Forward show the steps again, and send no form.
	admin.leave(chromedp.Evaluate[chromedp.Void]("history.back()"))
	admin.sees("section h2", "Add labels")
	admin.leave(chromedp.Evaluate[chromedp.Void]("history.forward()"))
	admin.sees("section h2", "Define key administrative permissions")
	admin.tick(`input[name="administrator"][value="` + adminARN + `"]`)
	admin.click("#next")
	admin.tick(`input[name="user"][value="` + adminARN + `"]`)
	admin.click("#next")
	admin.sees("main", "Allow use of the key", "Enable IAM User Permissions")
	admin.fits("review of the key")
	admin.click("#finish")
	admin.sees("main", handAlias, "Enabled")
	key := js[string](admin, `location.pathname.replace(/^\/c-[0-9a-f]+/, "")`)
	keyARN := js[string](admin, `document.querySelector("h1").closest("main").innerText.match(/arn:aws:kms:\S+/)[0]`)

	// Two tables, one of them under the key.
	for i, table := range []string{handTable, handSealed} {
		admin.click(`nav a[href$="/tables"]`)
		admin.click("#create-table")
		if i == 0 {
			admin.write("#name", "a b")
			admin.write("#partition", "visit")
			admin.click("button#create-table")
			admin.sees("#name-fault", "characters")
		}
		admin.write("#name", table)
		admin.write("#partition", "visit")
		admin.fits("create table")
		admin.click("button#create-table")
		admin.sees("main", table)
	}
	admin.open("/tables/encryption/" + handTable)
	admin.tick("#encryption-customer")
	admin.run(chromedp.SetValue(chromedp.CSS("#key"), keyARN))
	admin.fits("manage encryption")
	admin.click("#save-encryption")
	admin.sees("#current-key", handAlias)

	// An item in each: the second is encrypted here.
	for _, table := range []string{handTable, handSealed} {
		admin.open("/tables?left=" + table)
		admin.click(`#` + table + ` a[href*="/tables/item/new"]`)
		admin.write("#value-0", "v1")
		admin.write("#name-1", "finding")
		admin.write("#value-1", "a broken arm")
		if table == handSealed {
			admin.tick("#client")
			admin.click("#save") // no key yet
			admin.sees("main", "Choose the KMS key")
			admin.run(chromedp.SetValue(chromedp.CSS("#key"), keyARN))
			admin.write("#name-2", "ward")
			admin.write("#value-2", "north")
			admin.run(chromedp.SetValue(chromedp.CSS("#action-2"), "sign"))
			shoot(admin, "item-form")
		} else {
			admin.run(chromedp.WaitNotVisible(chromedp.CSS("#action-1"))) // DynamoDB encrypts
			admin.fits("form of a plain item")
		}
		admin.click("#save")
		admin.sees("main", "The item is created", "a broken arm")
		admin.fits("item")
	}

	// The user, with a password that the page and a file show.
	admin.click(`nav a[href$="/users"]`)
	admin.fits("users")
	admin.click("#create-user")
	admin.write("#name", administrator.Name)
	admin.click("#to-review")
	admin.sees("#wrong", "There is already a user")
	admin.write("#name", handUser)
	shoot(admin, "create-user")
	admin.click("#to-review")
	admin.sees("#review", handUser, "a generated password", "AmazonDynamoDBFullAccess")
	admin.fits("review of the user")
	admin.click("#create")
	admin.sees("#secret", handUser, s.url)
	password := js[string](admin, `[...document.querySelectorAll("#secret dd")][1].innerText`)
	folder := t.TempDir()
	if _, err := chromedp.CallBrowser(admin.ctx, cdp.SetDownloadBehavior, cdp.SetDownloadBehaviorParams{
		Behavior: cdp.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
		BrowserContextID: chromedp.FromContext(admin.ctx).BrowserContextID}); err != nil {
		t.Fatal(err)
	}
	admin.tick("#download")
	file := filepath.Join(folder, handUser+"_credentials.csv")
	for range 200 {
		if _, err := os.Stat(file); err == nil {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), handUser+","+password+","+s.url) {
		t.Errorf("the browser saved %q, %v", text, err)
	}
	admin.fits("password")

	// Denied, then key user, then denied.
	s.passwords[handUser] = password
	user.signIn(handUser)
	pair := "/tables?left=" + handTable + "&right=" + handSealed
	user.open(pair)
	user.sees("main", "AccessDeniedException", "kms:Decrypt", "What would change it", "ciphertext", "north")
	user.doesNotSee("main", "a broken arm")
	user.fits("denied tables")
	user.open("/users")
	user.sees("main", "iam:ListUsers")
	admin.open(key)
	admin.fits("key")
	admin.run(choose(handARN))
	admin.click("#add-user")
	admin.sees("#changes", "added as key user")
	user.open(pair)
	user.sees("#"+handTable, "a broken arm")
	user.sees("#"+handSealed, "a broken arm")

	// Both change the same item: the second sees the conflict.
	link := `#` + handSealed + ` .item-head a`
	admin.open(pair)
	admin.click(link)
	admin.click("#edit")
	user.click(link)
	user.click("#edit")
	user.sees("main", "encrypts it again under", keyARN)
	user.write(`textarea[name="value-1"]`, "a mended arm")
	user.click("#save")
	user.sees("main", "The item is saved", "a mended arm")
	admin.write(`textarea[name="value-1"]`, "a twisted arm")
	admin.click("#save")
	admin.sees("#conflict", "Not saved", "a mended arm")
	admin.fits("conflict")
	admin.click("#save")
	admin.sees("main", "The item is saved", "a twisted arm")
	admin.open(key)
	admin.click(`.people form[action$="/remove"]:has(input[value="` + handARN + `"]) button`)
	user.open(pair)
	user.doesNotSee("main", " arm")

	// The clean-up.
	for _, table := range []string{handTable, handSealed} {
		admin.open("/tables/delete/" + table)
		admin.fits("delete table")
		admin.write("#confirm", "confirm")
		admin.click("button#delete-table")
	}
	admin.sees("main", "There are no tables yet")
	admin.open("/user?name=" + handUser)
	admin.fits("user")
	admin.click("#delete-user")
	admin.sees("#first", "policy AmazonDynamoDBFullAccess", "console password")
	admin.fits("delete user")
	admin.write("#typed", handUser)
	admin.click("button#delete")
	admin.sees("main", "The user kim is deleted")
	user.open("/tables")
	user.sees("h1", "Sign in")
	admin.open("/keys/delete/" + strings.TrimPrefix(key, "/keys/"))
	admin.fits("delete key")
	admin.write("#days", "7")
	admin.tick("#understood")
	admin.click("#schedule")
	admin.sees("main", "Pending deletion until")
}

// TestAccessibleByHand runs the accessibility pass on the pages of items and
// users, the refused ones among them.
func TestAccessibleByHand(t *testing.T) {
	root := chromium(t)
	s := newSite(t)
	admin, user := s.window(root), s.window(root)
	admin.signIn(administrator.Name)
	for _, path := range []string{"/users", "/users/new", "/user?name=" + labsetup.UserName,
		"/user/delete?name=" + labsetup.UserName} {
		admin.open(path)
		admin.check(path)
	}
	admin.write("#typed", "another")
	admin.click("button#delete")
	admin.check("user not deleted")
	admin.open("/users/new")
	admin.write("#name", "kim/x")
	admin.click("#to-review")
	admin.check("user refused")
	admin.write("#name", handUser)
	admin.click("#to-review")
	admin.check("review of the user")
	admin.click("#create")
	admin.check("password")
	admin.open("/user?name=" + handUser)
	admin.click("#create-key")
	admin.check("access key")
	admin.open("/user?name=" + handUser)
	admin.check("user with an access key")

	admin.open("/tables/item/new?table=" + labsetup.ClientTable)
	admin.check("item of the client")
	admin.write("#name-1", "note")
	admin.write("#value-1", "x")
	admin.run(chromedp.SetValue(chromedp.CSS("#type-1"), "N"))
	admin.click("#save")
	admin.check("item refused")
	if shown := js[string](admin, `document.querySelector("#value-1").getAttribute("aria-describedby")`); shown != "wrong-1" {
		t.Errorf("the field names %q as what is wrong with it", shown)
	}
	admin.open("/tables?left=" + labsetup.ClientTable)
	admin.click("#" + labsetup.ClientTable + " .item-head a")
	path := js[string](admin, `location.pathname.replace(/^\/c-[0-9a-f]+/, "")`)
	admin.open(path + "/edit")
	admin.check("edit item")
	admin.run(chromedp.Evaluate[chromedp.Void](`document.querySelector("[name=fingerprint]").value = "older"`))
	admin.click("#save")
	admin.check("conflict")
	admin.scheme(dark)
	admin.shoot("conflict-dark")
	admin.size(390, 844)
	admin.open("/tables/item/new?table=" + labsetup.ClientTable)
	admin.shoot("item-form-phone")
	admin.size(1280, 900)
	admin.open(path + "/delete")
	admin.check("delete item")
	admin.click("button#delete")
	admin.check("deleted item")

	user.signIn(labsetup.UserName)
	user.open("/tables/item/new?table=" + labsetup.ClientTable)
	user.write("#value-0", "9")
	user.click("#save")
	user.check("item denied")
	user.open("/users/new")
	user.write("#name", "mine")
	user.click("#to-review")
	user.click("#create")
	user.check("user denied")
}
