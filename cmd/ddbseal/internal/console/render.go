// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/markup"
)

//go:embed templates static
var files embed.FS

// asset is a static file with a name that changes with its content, so that
// browsers may keep it.
type asset struct {
	kind string
	body []byte
	tag  string
}

var (
	assets    = loadAssets()
	templates = loadTemplates()
)

func loadAssets() map[string]asset {
	all := map[string]asset{}
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		panic("console: static files: " + err.Error()) // embedded
	}
	for _, e := range entries {
		body, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			panic("console: static files: " + err.Error())
		}
		sum := sha256.Sum256(body)
		all[e.Name()] = asset{mime.TypeByExtension(path.Ext(e.Name())), body, hex.EncodeToString(sum[:6])}
	}
	return all
}

func loadTemplates() map[string]*template.Template {
	functions := prefixed("")
	functions["inc"] = func(i int) int { return i + 1 }
	layout := template.Must(template.New("layout.html").Funcs(functions).ParseFS(files, "templates/layout.html",
		"templates/parts.html"))
	all := map[string]*template.Template{}
	entries, err := fs.ReadDir(files, "templates")
	if err != nil {
		panic("console: templates: " + err.Error())
	}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		all[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, "templates/"+e.Name()))
	}
	return all
}

// prefixed are the functions of templates that write links: {{root}} begins the
// path of every page, {{asset "name"}} is the whole path of a static file.
func prefixed(prefix string) template.FuncMap {
	return template.FuncMap{
		"root":  func() string { return prefix },
		"asset": func(name string) string { return prefix + "/static/" + name + "?v=" + assets[name].tag },
	}
}

// loadPages returns the templates with links below prefix.
func loadPages(prefix string) map[string]*template.Template {
	pages := make(map[string]*template.Template, len(templates))
	for name, t := range templates {
		pages[name] = template.Must(t.Clone()).Funcs(prefixed(prefix))
	}
	return pages
}

func (c *Console) static(w http.ResponseWriter, r *http.Request) {
	a, ok := assets[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("ETag", `"`+a.tag+`"`)
	if r.URL.Query().Get("v") == a.tag {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(a.body)
}

// page is what the layout shows around Body.
type page struct {
	Title, Section string
	User, ARN      string
	Where          string // on which AWS
	CSRF           string
	Notice         string
	Back           string // where a page about a problem leads back to
	Body           any
	Problem        *problem // why AWS refused what the form asked for
	ReadOnly       bool     // nothing can be changed on this console
}

// render writes a page whole or not at all.
func (c *Console) render(w http.ResponseWriter, r *http.Request, s *session, status int, name string, p page) {
	if c.cfg.Server != nil {
		p.Where = "Embedded AWS, account " + c.cfg.Server.AccountID() + ", " + c.cfg.Server.Region() +
			". Nothing leaves this machine."
	} else {
		p.Where = c.cfg.Attached.Name + ", " + c.cfg.Attached.Config.Region + "."
		if c.readOnly() {
			p.Where += " This console only reads."
		}
	}
	p.ReadOnly = c.readOnly()
	if s != nil {
		p.User, p.ARN, p.CSRF, p.Notice = s.user, s.arn, s.csrf, s.takeNotice()
	}
	var b bytes.Buffer
	if err := c.pages[name].ExecuteTemplate(&b, "layout.html", p); err != nil {
		c.cfg.Logger.Error("template", "name", name, "error", err)
		http.Error(w, "This page failed. The failure was logged.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(markup.Finish(b.Bytes(), c.prefix+r.URL.RequestURI()))
}

func (c *Console) notFound(w http.ResponseWriter, r *http.Request, s *session) {
	c.render(w, r, s, http.StatusNotFound, "message", page{Title: "Not found", Body: "There is nothing here."})
}

// failed shows the page for an error that stands for the whole page. A session
// whose credentials no longer work, because its user was deleted, ends.
func (c *Console) failed(w http.ResponseWriter, r *http.Request, s *session, section, title string, err error) {
	if sessionOver(errorCode(err)) {
		c.sessions.remove(s)
		c.setCookie(w, c.cookie, "", -1)
		c.redirect(w, r, "/signin")
		return
	}
	p := c.explain(s, err)
	status := http.StatusOK
	switch {
	case p.Gone:
		status = http.StatusBadGateway
	case p.Denied:
		status = http.StatusForbidden
	case p.Missing:
		status = http.StatusNotFound
	}
	back := "/" + section
	if r.URL.Path == back {
		back = "/"
	}
	c.render(w, r, s, status, "problem", page{Title: title, Section: section, Back: back, Body: p})
}

// sessionOver reports whether an error code means that the session's
// credentials no longer work.
func sessionOver(code string) bool {
	switch code {
	case "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException", "ExpiredToken":
		return true
	}
	return false
}
