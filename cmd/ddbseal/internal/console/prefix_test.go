// SPDX-License-Identifier: Apache-2.0

package console

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

var prefixPattern = regexp.MustCompile(`^/c-[0-9a-f]{32}/$`)

// TestProtectPrefix: nothing is served outside of the console's own path.
func TestProtectPrefix(t *testing.T) {
	s := newSite(t)
	if !prefixPattern.MatchString(s.console.Path()) {
		t.Fatalf("path %q", s.console.Path())
	}
	b := s.administrator()
	b.url = "http://" + s.host
	own := strings.TrimSuffix(s.console.Path(), "/")
	other := newSite(t).console.Path()
	if other == s.console.Path() {
		t.Error("two consoles have the same path")
	}
	for _, path := range []string{"/", "/signin", "/tables", "/alive", "/static/console.js", "/favicon.ico", other,
		other + "signin", own + "0/signin", own[:len(own)-1] + "/signin", strings.ToUpper(own) + "/signin",
		"//" + own[1:] + "/signin", "/x" + own + "/signin", "/x/.." + own + "/signin"} {
		r := b.request(http.MethodGet, path, nil)
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound || answer.Header.Get("Location") != "" ||
			len(answer.Cookies()) != 0 || answer.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d, %v", path, answer.StatusCode, answer.Header)
		}
	}
	b.contains(b.get(own+"/tables", http.StatusOK), "<h1>Tables</h1>")
	b.contains(b.get(own+"/", http.StatusOK), "<h1>Who sees what</h1>")
	b.contains(b.get(own, http.StatusOK), "<h1>Who sees what</h1>") // the address without its last slash
}

// TestProtectCookies: no cookie is sent to another program on the same host,
// whatever its port.
func TestProtectCookies(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	at := func(path string) int {
		r := b.request(http.MethodGet, "", nil)
		r.URL.Path, r.URL.Host = path, "127.0.0.1:1" // a jar, like a browser, ignores the port
		return len(b.client.Jar.Cookies(r.URL))
	}
	if n := at(s.console.Path() + "tables"); n != 1 {
		t.Errorf("%d cookies for the console itself", n)
	}
	for _, path := range []string{"/", "/tables", newSite(t).console.Path(), s.console.Path()[:10]} {
		if n := at(path); n != 0 {
			t.Errorf("%d cookies are sent to %s", n, path)
		}
	}
}

// TestPrefixIsKept: bookmarks survive a restart, and only the owner can read
// the file.
func TestPrefixIsKept(t *testing.T) {
	server := localawstest.New(t).Server
	open := func(folder string) (string, error) {
		c, err := New(Config{Server: server, Addr: "127.0.0.1:1", Folder: folder})
		if err != nil {
			return "", err
		}
		c.Close()
		return c.Path(), nil
	}
	folder := t.TempDir()
	first, err := open(folder)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "console-path")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if again, err := open(folder); err != nil || again != first {
		t.Errorf("%q after %q, %v", again, first, err)
	}
	if other, err := open(t.TempDir()); err != nil || other == first {
		t.Errorf("another folder: %q, %v", other, err)
	}
	if runtime.GOOS != "windows" {
		// Others may have read it: it is not a secret any more.
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if replaced, err := open(folder); err != nil || replaced == first {
			t.Errorf("%q was readable by others and is used again, %v", replaced, err)
		}
	}
	for _, text := range []string{"", "/", "/c-x/", first + "x", "/c-" + strings.Repeat("g", 32) + "/",
		"/c-" + strings.Repeat("a", 1<<20) + "/"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if path, err := open(folder); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%.40q: %q, %v", text, path, err)
		}
	}
	none, err := open("")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := open(""); err != nil || again == none || !prefixPattern.MatchString(again) {
		t.Errorf("%q after %q, %v", again, none, err)
	}
}

var (
	rooted = regexp.MustCompile(`(?:href|action|formaction|src|poster|content)="/`)
	linked = regexp.MustCompile(`(?:href|action|formaction|src)="\{\{[^"}]*Link[^"}]*\}\}`)
	quoted = regexp.MustCompile("[\"'`]/[a-z]")
)

// TestLinksHavePrefix: templates write {{root}} before the path of a page, and
// the script and the handlers know the prefix too. A path without it answers
// 404.
func TestLinksHavePrefix(t *testing.T) {
	read := 0
	for _, folder := range []string{"templates", "static"} {
		entries, err := fs.ReadDir(files, folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			text, err := files.ReadFile(folder + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			read++
			patterns := []*regexp.Regexp{rooted, linked}
			if strings.HasSuffix(e.Name(), ".js") {
				patterns = append(patterns, quoted)
			}
			for _, p := range patterns {
				for _, at := range p.FindAllIndex(text, -1) {
					t.Errorf("%s: %s: write {{root}} before the path", e.Name(), text[at[0]:min(at[1]+20, len(text))])
				}
			}
		}
	}
	if read < 10 {
		t.Errorf("only %d files were read", read)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal(sources, err)
	}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "http.Redirect"+"(") && source != "prefix.go" ||
			strings.Contains(string(text), `Set("Location"`+",") {
			t.Errorf("%s redirects without the prefix: use Console.redirect", source)
		}
	}
}

var linkPattern = regexp.MustCompile(`<(\w+)[^>]*?\s(href|action|src)="([^"]*)"`)

// TestEveryLinkIsServed follows every link that the administrator can reach and
// finds a handler for every form.
func TestEveryLinkIsServed(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	root, key := s.console.Path(), b.keyPath()
	b.url = "http://" + s.host
	seen, forms := map[string]bool{}, 0
	todo := []string{root + "tables", root + key[1:], root + "tables?left=" + labsetup.OwnedTable, root + "missing"}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		status := http.StatusOK
		if path == root+"missing" {
			status = http.StatusNotFound
		}
		page := b.get(path, status)
		if strings.Contains(path, "/static/") || strings.Contains(path, "/export") {
			continue
		}
		for _, m := range linkPattern.FindAllStringSubmatch(page, -1) {
			link := strings.ReplaceAll(m[3], "&amp;", "&")
			if strings.HasPrefix(link, "#") {
				continue
			}
			if !strings.HasPrefix(link, root) {
				t.Errorf("%s links to %s", path, link)
				continue
			}
			link, _, _ = strings.Cut(link, "#")
			if m[1] == "form" {
				forms++
				r := b.form(link, "wrong")
				r.Method = strings.ToUpper(formMethod(page, m[0]))
				// A page, or a form that is refused for its token alone.
				answer, err := http.DefaultTransport.RoundTrip(withCookies(b, r))
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if !slices.Contains([]int{http.StatusOK, http.StatusForbidden}, answer.StatusCode) {
					t.Errorf("%s: the form to %s answers %d", path, link, answer.StatusCode)
				}
				continue
			}
			if !seen[link] {
				seen[link] = true
				todo = append(todo, link)
			}
		}
	}
	if len(seen) < 15 || forms < 20 {
		t.Errorf("only %d links and %d forms were found", len(seen), forms)
	}
}

func formMethod(page, tag string) string {
	_, rest, _ := strings.Cut(page, tag)
	rest, _, _ = strings.Cut(rest, ">")
	if strings.Contains(tag+rest, `method="post"`) {
		return http.MethodPost
	}
	return http.MethodGet
}

func withCookies(b *browser, r *http.Request) *http.Request {
	for _, c := range b.client.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	return r
}
