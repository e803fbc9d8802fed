// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/chromedp/cdproto/emulation"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/labsetup"
)

// The tests of this file click through the page in a headless Chromium, whose
// path DDBSEAL_CHROMIUM gives; .ci/suite-console sets it. DDBSEAL_SCREENSHOTS
// is a folder that gets the screenshots.

// chromium starts one browser without anything of its own in it.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("DDBSEAL_CHROMIUM")
	if path == "" {
		t.Skip("DDBSEAL_CHROMIUM is not set: .ci/suite-console runs this test")
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		// A page comes from the server each time, and not out of the browser's memory.
		chromedp.Flag("disable-features", "BackForwardCache"), chromedp.Flag("hide-scrollbars", true))
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// window is one tab; its browser context shares no cookie with others.
type window struct {
	*site
	ctx context.Context
	bad chan string // what the console of the browser complained about
}

func (s *site) window(root context.Context) *window {
	s.t.Helper()
	ctx, cancel := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	s.t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 4*time.Minute)
	s.t.Cleanup(cancel)
	w := &window{site: s, ctx: ctx, bad: make(chan string, 100)}
	messages := chromedp.Console(ctx)
	dialogs := chromedp.Events(ctx, cdp.JavascriptDialogOpening)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException() {
				w.bad <- m.String() + " " + m.URL
			}
		}
	}()
	go func() {
		for range dialogs {
			w.bad <- "a dialog opened"
			return
		}
	}()
	return w
}

func (w *window) run(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, actions...); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), time.Second)
		defer cancel()
		text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
		w.t.Fatalf("%v\nthe page says: %.1500s", err, text)
	}
}

// js evaluates an expression in the page.
func js[T any](w *window, expression string) T {
	w.t.Helper()
	v, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// quiet fails when the browser complained.
func (w *window) quiet() {
	w.t.Helper()
	w.run(chromedp.Sleep(100 * time.Millisecond)) // messages are on their way
	for {
		select {
		case text := <-w.bad:
			w.t.Errorf("the browser complains: %s", text)
		default:
			return
		}
	}
}

func (w *window) signIn(user string) {
	w.t.Helper()
	w.run(chromedp.Navigate(w.url), chromedp.SendKeys(chromedp.CSS("#user"), user),
		chromedp.SendKeys(chromedp.CSS("#password"), w.passwords[user]+"\r"),
		chromedp.WaitVisible(chromedp.CSS("header .user")))
}

func (w *window) open(path string) {
	w.t.Helper()
	w.run(chromedp.Navigate(w.url+path), chromedp.WaitVisible(chromedp.CSS("main")))
}

// click clicks and waits until another page has loaded.
func (w *window) click(selector string) {
	w.t.Helper()
	w.leave(chromedp.ScrollIntoView(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

// leave does what leads to another page and waits until that has loaded.
func (w *window) leave(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	w.run(chromedp.Evaluate[chromedp.Void](`document.body.dataset.old = "yes"`))
	w.run(actions...)
	for range 400 {
		if fresh, err := chromedp.Run(w.ctx,
			chromedp.Evaluate[bool](`document.readyState === "complete" && document.body.dataset.old === undefined`)); err == nil && fresh {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	w.t.Fatal("no other page came")
}

// tabTo goes to an element by keyboard.
func (w *window) tabTo(id string) {
	w.t.Helper()
	for range 30 {
		w.run(chromedp.KeyEvent(kb.Tab))
		if js[string](w, `document.activeElement.id`) == id {
			return
		}
	}
	w.t.Fatalf("the keyboard does not lead to %s", id)
}

func (w *window) text(selector string) string {
	w.t.Helper()
	text, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

func (w *window) sees(selector string, texts ...string) {
	w.t.Helper()
	got := w.text(selector)
	for _, text := range texts {
		if !strings.Contains(got, text) {
			w.t.Errorf("%s lacks %q:\n%.1500s", selector, text, got)
		}
	}
}

func (w *window) doesNotSee(selector, text string) {
	w.t.Helper()
	if got := w.text(selector); strings.Contains(got, text) {
		w.t.Errorf("%s has %q", selector, text)
	}
}

const (
	dark  = "dark"
	light = "light"
)

func (w *window) scheme(name string) {
	w.t.Helper()
	if _, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia,
		emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme",
			Value: name}}}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *window) size(width, height int64) {
	w.t.Helper()
	w.run(chromedp.EmulateViewport(width, height))
}

const maxScreenshot = 300 << 10

// shoot writes a screenshot of what is visible.
func (w *window) shoot(name string) {
	w.t.Helper()
	folder := os.Getenv("DDBSEAL_SCREENSHOTS")
	if folder == "" {
		return
	}
	w.run(chromedp.Sleep(100 * time.Millisecond))
	picture, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Fatal(err)
	}
	if len(picture) >= maxScreenshot {
		w.t.Errorf("screenshot %s has %d bytes", name, len(picture))
	}
	if err := os.WriteFile(filepath.Join(folder, "console-"+name+".png"), picture, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// TestClickThrough is what the lab's learners do, in two windows at once.
func TestClickThrough(t *testing.T) {
	root := chromium(t)
	s := newSite(t)
	admin, user := s.window(root), s.window(root)
	admin.open("/signin")
	admin.shoot("signin")
	admin.signIn(administrator.Name)
	user.signIn(labsetup.UserName)
	admin.sees("main", "Robin Example", "hay fever")
	admin.shoot("tables")
	user.sees("main", "AccessDeniedException", "kms:Decrypt", "closest", "What would change it")
	user.doesNotSee("main", "Robin Example")
	user.shoot("denied")

	admin.open("/keys")
	admin.click("table.list tbody th a[href*='/keys/']")
	for admin.text("h1") != labsetup.KeyAlias { // the list has the AWS managed key too
		admin.open("/keys")
		admin.click("table.list tbody tr:nth-child(2) th a")
	}
	admin.run(choose(userARN))
	admin.click("#add-user")
	admin.sees("#changes", "added as key user", userARN, "@@", "+")
	if lines := js[int](admin,
		`new Set([...document.querySelectorAll("#changes .diff span")].map((e) => e.offsetTop)).size`); lines < 8 {
		t.Errorf("the difference has %d lines", lines)
	}
	admin.shoot("key")
	user.click("#nextwork-kms-table button.refresh") // Refresh
	user.sees("main", "Robin Example", "hay fever")
	user.doesNotSee("main", "AccessDenied")

	admin.click(`.people form[action$="/remove"]:has(input[value="` + userARN + `"]) button`)
	admin.sees("#changes", "removed as key user")
	user.click("#nextwork-kms-table button.refresh")
	user.sees("main", "AccessDeniedException")
	user.doesNotSee("main", "Robin Example")

	// A grant, and its undo.
	admin.run(chromedp.Click(chromedp.CSS("#grants details summary")),
		chromedp.SetValue(chromedp.CSS("#grantee"), userARN))
	admin.click("#create-grant")
	admin.sees("#grants", labsetup.UserName, "Decrypt")
	user.click("#nextwork-kms-table button.refresh")
	user.sees("main", "Robin Example")
	admin.click("#changes .undo")
	admin.sees("main", "Undone: Grant created.")
	user.click("#nextwork-kms-table button.refresh")
	user.doesNotSee("main", "Robin Example")

	// The key's deletion, and its cancellation.
	admin.click("#delete-key")
	admin.run(chromedp.Click(chromedp.CSS("#understood")))
	admin.click("#schedule")
	admin.sees("main", "Pending deletion until")
	admin.click("#cancel")
	admin.sees("#state", "Disabled")
	admin.click("#enable")
	admin.sees("#state", "Enabled")
	admin.quiet()
	user.quiet()
}

// TestClickLab clicks through the whole lab, one step, some, and the rest. Meanwhile the
// user's home page follows in another window, without being loaded again.
func TestClickLab(t *testing.T) {
	root := chromium(t)
	s := newSite(t)
	w, user := s.window(root), s.window(root)
	user.signIn(labsetup.UserName)
	user.open("/lab")
	user.sees("main", "The lab belongs to the administrator")
	user.open("/")
	user.waitFor(`document.getElementById("follow").textContent === "live"`)
	user.run(chromedp.Evaluate[chromedp.Void](`document.body.dataset.loaded = "once"`))
	w.signIn(administrator.Name)
	w.open("/lab")
	w.run(chromedp.KeyEvent(kb.Tab))
	if first := js[string](w, `document.activeElement.className`); first != "skip" {
		t.Errorf("the first stop of the keyboard is %q, not the link to the content", first)
	}
	w.tabTo("run-next")
	if outline := js[string](w, `getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" {
		t.Errorf("the focus is not visible: outline %q", outline)
	}
	w.leave(chromedp.KeyEvent(kb.Enter))
	w.sees("#progress", "1 of ")
	w.click("li.next .actions button")
	w.sees("#progress", "2 of ")
	w.sees("#step-2", "was there already")
	w.sees("li.next", "By hand", "Go on")
	w.run(chromedp.Evaluate[chromedp.Void](`scrollTo(0, 0)`))
	w.shoot("lab")
	w.runTo("disk-" + labsetup.ServerTable)
	w.sees("li.next legend", "Who is kept from the record by encryption at rest?")
	w.shoot("lab-question")
	w.click("li.next .predict button:nth-of-type(2)")
	w.sees("li.next .said", "right", "Encryption at rest is about the disk.")
	w.runTo("key-user-server")
	user.waitFor(`document.querySelectorAll("#picture [stroke-width='3']").length === 2 &&
		document.getElementById("words").textContent.includes("hay fever") &&
		document.getElementById("changed").textContent !== ""`)
	w.runTo("picture")
	user.waitFor(`[...document.querySelectorAll("#picture text")].some((e) => e.textContent === "KMS: denied")`)
	if loaded := js[string](user, `document.body.dataset.loaded`); loaded != "once" {
		t.Error("the home page was loaded again")
	}
	w.click("#run-core")
	w.sees("#report", "every check held", "You can now", "Try the exercises")
	w.click("#run-all")
	w.sees("#report", "every check held", "Who sees what", "denied kms:Decrypt", "plaintext", "ciphertext")
	w.doesNotSee("#progress", "not as expected")
	w.run(chromedp.Evaluate[chromedp.Void](`document.getElementById("report").scrollIntoView()`))
	w.shoot("report")
	user.open("/tables") // finishing signs out no user
	user.sees("header", labsetup.UserName)
	w.run(chromedp.Click(chromedp.CSS("#clean summary")), chromedp.Click(chromedp.CSS(`#clean input[name="sure"]`)))
	w.click("#clean .danger")
	w.sees("main", "The lab was cleaned up", "0 of ")
	w.quiet()
}

// runTo runs the steps before the one with an ID.
func (w *window) runTo(id string) {
	w.t.Helper()
	number := slices.Index(w.plan(w.t), id)
	w.run(chromedp.Evaluate[chromedp.Void](`document.getElementById("run-next").value = "` + strconv.Itoa(number) + `"`))
	w.click("#run-next")
}

// waitFor waits until an expression is true in the page.
func (w *window) waitFor(expression string) {
	w.t.Helper()
	for range 400 {
		if js[bool](w, expression) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	w.t.Fatalf("never came: %s\n%.1500s", expression, w.text("main"))
}

// TestClickInspector looks at the bytes, and at an item that holds markup.
func TestClickInspector(t *testing.T) {
	root := chromium(t)
	s := newSite(t)
	client := dynamodb.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	const evil = `<script>document.title="taken over"</script><img src=x onerror="document.title='taken over'">"><svg onload=alert(1)>`
	if _, err := client.PutItem(t.Context(),
		&dynamodb.PutItemInput{TableName: aws.String(labsetup.OwnedTable), Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: evil},
			evil: &types.AttributeValueMemberS{Value: evil}}}); err != nil {
		t.Fatal(err)
	}
	w := s.window(root)
	w.signIn(administrator.Name)
	w.click("#nextwork-client-table .item-head a")
	w.sees("main", "What each attribute is", "encrypted and signed by the program", "aws_dbe_head", "What lies on disk")
	w.doesNotSee("main", "message id") // the bytes are folded away
	for _, block := range []string{"details.block", "details.block + details.block", "#disk"} {
		w.run(chromedp.Click(chromedp.CSS(block + " > summary")))
	}
	w.sees("main", "message id", "recipient tag 1", "HMAC of the key")
	w.run(chromedp.Evaluate[chromedp.Void](`document.querySelector(".block").scrollIntoView()`))
	w.shoot("inspector")
	// The mouse may stand on another field, which is lit too.
	if lit := js[int](w, `(() => {
		const f = document.querySelector(".f");
		f.dispatchEvent(new MouseEvent("mouseenter"));
		return document.querySelectorAll('.lit[data-field="' + CSS.escape(f.dataset.field) + '"]').length;
	})()`); lit != 2 {
		t.Errorf("%d elements light up, want the bytes and their row", lit)
	}

	w.open("/tables?left=" + labsetup.OwnedTable)
	for range 2 {
		w.sees("main", "<script>document.title", "onerror=")
		w.run(chromedp.Sleep(200 * time.Millisecond))
		title, scripts, images := js[string](w, `document.title`), js[int](w, `document.scripts.length`),
			js[int](w, `document.querySelectorAll("main img, main svg").length`)
		if strings.Contains(title, "taken over") || scripts != 1 || images != 0 {
			t.Errorf("markup of an item got into the page: title %q, %d scripts, %d images", title, scripts, images)
		}
		w.open("/tables?left=" + labsetup.OwnedTable)
		w.click(".item:has(h3) .item-head a")
		if !strings.Contains(w.text("main"), "<script>") {
			w.open("/tables?left=" + labsetup.OwnedTable)
			w.click(".item:nth-of-type(2) .item-head a")
		}
	}
	w.quiet()
}

// TestClickAccess reads who can use a table before and after a change of the key
// policy, and why.
func TestClickAccess(t *testing.T) {
	root := chromium(t)
	s := newSite(t)
	admin, user := s.window(root), s.window(root)
	admin.signIn(administrator.Name)
	admin.click(`nav a[href$="/access"]`)
	admin.sees("h1", "Access")
	admin.sees("#unread", "Not read: organization policies")
	admin.sees("#headlines", "The key alone keeps", "No item was read.")
	row := func() string {
		return js[string](admin, `[...document.querySelectorAll("#matrix tbody tr")].find(
			(r) => r.querySelector("th").title === "`+userARN+`").innerText`)
	}
	if text := row(); !strings.Contains(text, "no") || !strings.Contains(text, "*") {
		t.Errorf("before: %q", text)
	}
	admin.sees("#becoming", labsetup.UserName, "takes the table off its key")
	admin.click(`nav a[href$="/keys"]`)
	b := s.administrator()
	key := b.keyPath()
	b.get(key, 200)
	b.post(key+"/add", 200, "role", "user", "arn", userARN)
	admin.open("/access?table=" + labsetup.ServerTable)
	if text := row(); strings.Contains(text, "no") || strings.Contains(text, "*") {
		t.Errorf("after: %q", text)
	}
	admin.run(chromedp.Click(chromedp.CSS(`#matrix th[title="` + userARN + `"] ~ td summary`)))
	admin.sees("#matrix", "kms:Decrypt: resource-based policy, statement 3 (Allow use of the key): Allow applies")
	admin.quiet()
	user.signIn(labsetup.UserName)
	user.open("/access")
	user.sees("main", "iam:GetAccountAuthorizationDetails", "AccessDenied")
}

// TestLiveAudit watches a denial come in, then the server go and come back.
func TestLiveAudit(t *testing.T) {
	root := chromium(t)
	s := newSite(t)
	w := s.window(root)
	w.signIn(administrator.Name)
	w.open("/audit?outcome=denied")
	w.run(chromedp.WaitVisible(chromedp.CSS("#live.allowed")))
	s.user().get("/tables", 200)
	w.run(chromedp.WaitVisible(chromedp.CSS("tr.fresh")))
	w.sees("#events", labsetup.UserName, "kms:Decrypt", "dynamodb", "denied", "why")
	w.open("/audit")
	w.shoot("audit")
	w.quiet()
	// The console goes away and comes back.
	s.down.Store(true)
	w.run(chromedp.WaitVisible(chromedp.CSS("#gone")))
	s.down.Store(false)
	w.run(chromedp.WaitNotVisible(chromedp.CSS("#gone")), chromedp.WaitVisible(chromedp.CSS("#live.allowed")))
}

// TestAccessible checks labels, headings, names and contrast on every page, in
// both colour schemes, and that nothing is wider than a phone.
func TestAccessible(t *testing.T) {
	root := chromium(t)
	s := newSite(t)
	admin, user := s.window(root), s.window(root)
	user.open("/signin")
	user.check("sign-in")
	admin.signIn(administrator.Name)
	user.signIn(labsetup.UserName)
	b := s.administrator()
	key := b.keyPath()
	b.get(key, 200)
	b.post(key+"/add", 200, "role", "user", "arn", userARN)
	b.post(key+"/remove", 200, "role", "user", "arn", userARN)
	admin.open("/tables")
	admin.click("#nextwork-client-table .item-head a")
	admin.check("item")
	admin.open(key)
	admin.run(choose(userARN))
	admin.click("#add-user")
	admin.check("key with a change")
	admin.open(key + "?view=policy")
	admin.run(chromedp.SetValue(chromedp.CSS("#policy"), "{\n  \"Statement\": [,]\n}"))
	admin.click("main form button.primary")
	admin.sees("#policy-wrong", "Nothing was changed. Line 2, column 17")
	admin.check("a refused policy")
	admin.open(key)
	admin.click("button.revoke")
	admin.sees("main", "Revoke the grant of dynamodb.")
	admin.check("a question before a change")
	draft := "/keys/create?type=symmetric&usage=encrypt&alias=clinic-key&administrator=" + userARN +
		"&user=" + userARN + "&accounts=444455556666&page="
	for _, path := range []string{"/keys/create", "/keys/create?page=3&type=symmetric&usage=sign",
		"/keys/create?page=3&type=symmetric&usage=encrypt&alias=my+key", draft + "3", draft + "4", draft + "5",
		"/tables/create", "/tables/encryption/" + labsetup.ServerTable, "/tables/delete/" + labsetup.ServerTable,
		"/keys/delete" + strings.TrimPrefix(key, "/keys")} {
		admin.open(path)
		admin.run(chromedp.Evaluate[chromedp.Void](
			`for (const d of document.querySelectorAll("details")) d.open = true`))
		admin.check(path)
	}
	admin.open("/tables/create")
	admin.run(chromedp.Click(chromedp.CSS("#settings-own")))
	admin.check("create table with own settings")
	admin.click("#create-table") // nothing is filled in
	admin.check("create table, refused")
	admin.open(draft + "5")
	admin.shoot("create-key")
	admin.open("/tables/encryption/" + labsetup.ServerTable)
	admin.shoot("encryption")
	for _, path := range []string{"/", "/tables", "/keys", key + "?view=policy", "/access",
		"/access?table=" + labsetup.ClientTable + "&sample=5", "/audit", "/lab", "/exercises",
		"/exercises/one-server-table", "/exercises/attribute-class", "/missing"} {
		admin.open(path)
		admin.check(path)
	}
	b.get(key, 200)
	b.post(key+"/remove", 200, "role", "user", "arn", userARN)
	for _, path := range []string{"/", "/tables", "/keys", "/access", "/audit", "/lab", key} {
		user.open(path)
		user.check("denied " + path)
	}
	for _, path := range []string{"/access", "/audit"} {
		select { // Chromium reports the status of a page that the user may not see
		case text := <-user.bad:
			if !strings.Contains(text, "403") || !strings.HasSuffix(text, path) {
				t.Error(text)
			}
		case <-time.After(time.Second):
			t.Errorf("the denied page %s has not status 403", path)
		}
	}
	user.open("/")
	user.shoot("home")
	admin.open("/exercises/one-server-table")
	admin.click("#start")
	admin.click("#check")
	admin.shoot("exercise")
	user.open("/tables")
	user.size(390, 844)
	user.shoot("phone")
	user.size(1280, 900)
	user.scheme(dark)
	user.shoot("dark")
	user.quiet()
}

func choose(arn string) chromedp.Action[chromedp.Void] {
	return chromedp.SetValue(chromedp.CSS(`form[action$="/add"]:has(#add-user) select`), arn)
}

// check runs the accessibility pass on the page as it stands.
func (w *window) check(name string) {
	w.t.Helper()
	text, err := os.ReadFile("testdata/accessible.js")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, scheme := range []string{light, dark} {
		for _, width := range []int64{1280, 390} {
			w.scheme(scheme)
			w.size(width, 900)
			for _, problem := range js[[]string](w, string(text)) {
				w.t.Errorf("%s (%s, %d pixels): %s", name, scheme, width, problem)
			}
		}
	}
	w.scheme(light)
	w.size(1280, 900)
}
