// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bytes"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/administrator"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/logins"
	"github.com/ddbseal/ddbseal/labsetup"
	"github.com/ddbseal/ddbseal/localaws"
	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

const testToken = "a root token for tests"

// site is a console over a server with the lab's resources.
type site struct {
	t         *testing.T
	server    *localaws.Server
	clock     localawstest.Clock // the console's; the server has its own
	console   *Console
	url, host string // url has the console's path, without its last slash
	passwords map[string]string
	log       *bytes.Buffer
	mu        sync.Mutex
	down      atomic.Bool // the console answers nothing
}

type siteOption func(*Config, *localaws.Options)

func newSite(t *testing.T, options ...siteOption) *site {
	t.Helper()
	s := &site{t: t, passwords: map[string]string{"root": testToken}, log: &bytes.Buffer{}}
	cfg := Config{RootToken: testToken, Folder: t.TempDir(), Clock: s.clock.Now,
		Logger: slog.New(slog.NewTextHandler(&lockedWriter{w: s.log, mu: &s.mu},
			&slog.HandlerOptions{Level: slog.LevelDebug}))}
	var o localaws.Options
	for _, option := range options {
		option(&cfg, &o)
	}
	s.server = localawstest.New(t, localawstest.WithOptions(o)).Server
	people, err := logins.Provision(t.Context(), s.server, cfg.Folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range people {
		s.passwords[l.User] = l.Password
	}
	web := httptest.NewUnstartedServer(nil)
	cfg.Server, cfg.Addr = s.server, web.Listener.Addr().String()
	if s.console, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	web.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			panic(http.ErrAbortHandler)
		}
		s.console.ServeHTTP(w, r)
	})
	web.Start()
	t.Cleanup(func() {
		s.console.Close()
		web.CloseClientConnections()
		web.Close()
	})
	s.url, s.host = web.URL+strings.TrimSuffix(s.console.Path(), "/"), cfg.Addr
	return s
}

type lockedWriter struct {
	w  io.Writer
	mu *sync.Mutex
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (s *site) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// browser is somebody at the page, without JavaScript.
type browser struct {
	*site
	client *http.Client
	csrf   string
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{site: s, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

// as is a browser that is signed in.
func (s *site) as(user string) *browser {
	s.t.Helper()
	b := s.browser()
	b.get("/signin", http.StatusOK)
	if page := b.post("/signin", http.StatusOK, "user", user, "password", s.passwords[user]); !strings.Contains(page,
		`id="user">`+user+"<") {
		s.t.Fatalf("%s is not signed in:\n%s", user, page)
	}
	return b
}

func (s *site) administrator() *browser { return s.as(administrator.Name) }
func (s *site) user() *browser          { return s.as(labsetup.UserName) }

var csrfPattern = regexp.MustCompile(`name="csrf" value="([0-9a-f]{64})"`)

func (b *browser) do(r *http.Request, status int) string {
	b.t.Helper()
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if answer.StatusCode != status {
		b.t.Fatalf("%s %s: status %d, want %d\n%s", r.Method, r.URL, answer.StatusCode, status, body)
	}
	if self := `href="` + html.EscapeString(answer.Request.URL.RequestURI()) + `"`; bytes.Contains(body, []byte(self)) {
		b.t.Errorf("%s links to itself", answer.Request.URL)
	}
	if m := csrfPattern.FindSubmatch(body); m != nil {
		b.csrf = string(m[1])
	}
	return string(body)
}

func (b *browser) request(method, path string, body io.Reader) *http.Request {
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *browser) get(path string, status int) string {
	b.t.Helper()
	return b.do(b.request(http.MethodGet, path, nil), status)
}

// post sends a form with the token of the page that was seen last.
func (b *browser) post(path string, status int, pairs ...string) string {
	b.t.Helper()
	return b.do(b.form(path, b.csrf, pairs...), status)
}

func (b *browser) form(path, csrf string, pairs ...string) *http.Request {
	values := url.Values{"csrf": {csrf}}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	r := b.request(http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "null") // what browsers send under Referrer-Policy: no-referrer
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// contains fails unless the page has every text.
func (b *browser) contains(page string, texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			b.t.Errorf("the page lacks %q:\n%s", text, gist(page))
		}
	}
}

func (b *browser) lacks(page string, texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			b.t.Errorf("the page has %q:\n%s", text, gist(page))
		}
	}
}

// keyPath is the page of the lab's key.
func (b *browser) keyPath() string {
	b.t.Helper()
	page := b.get("/keys", http.StatusOK)
	m := regexp.MustCompile(`href="/c-[0-9a-f]+(/keys/[0-9a-f-]{36})">` + labsetup.KeyAlias).FindStringSubmatch(page)
	if m == nil {
		b.t.Fatalf("no key:\n%s", page)
	}
	return m[1]
}

var tagPattern = regexp.MustCompile(`<[^>]*>|\s+`)

// gist is the beginning of a page's text.
func gist(page string) string {
	_, page, _ = strings.Cut(page, "<main")
	page = tagPattern.ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(page[:min(len(page), 4000)]), " ")
}

// detach takes one of AWS's policies from a user and attaches another.
func (s *site) detach(user, from, to string) {
	s.t.Helper()
	people := iam.NewFromConfig(s.server.Config(s.server.RootCredentials()))
	const prefix = "arn:aws:iam::aws:policy/"
	if _, err := people.DetachUserPolicy(s.t.Context(),
		&iam.DetachUserPolicyInput{UserName: &user, PolicyArn: aws.String(prefix + from)}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := people.AttachUserPolicy(s.t.Context(),
		&iam.AttachUserPolicyInput{UserName: &user, PolicyArn: aws.String(prefix + to)}); err != nil {
		s.t.Fatal(err)
	}
}
