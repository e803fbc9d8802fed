// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"mime"
	"net/http"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/reply"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/userpage"
	"github.com/ddbseal/ddbseal/labsetup"
)

// userRoutes registers the pages of users. The name of a user is a parameter and
// not a part of the path: IAM allows the names "new" and "..".
func (c *Console) userRoutes(get, post func(string, handler)) {
	page := func(do func(*userpage.Desk, *http.Request) reply.Reply) handler {
		return func(w http.ResponseWriter, r *http.Request, s *session) {
			c.answer(w, r, s, "users", do(c.desk(s), r))
		}
	}
	type desk = *userpage.Desk
	get("/users", page(func(d desk, r *http.Request) reply.Reply { return d.List(r.Context()) }))
	get("/user", page(func(d desk, r *http.Request) reply.Reply {
		return d.Show(r.Context(), r.URL.Query().Get("name"), "")
	}))
	get("/user/delete", page(func(d desk, r *http.Request) reply.Reply {
		return d.DeletePage(r.Context(), r.URL.Query().Get("name"), "")
	}))
	post("/user/{action}", c.writing(page(func(d desk, r *http.Request) reply.Reply {
		return d.Act(r.Context(), r.PathValue("action"), r.PostForm)
	})))
	get("/users/new", c.writing(page(func(d desk, _ *http.Request) reply.Reply { return d.NewUser() })))
	post("/users/review", c.writing(page(func(d desk, r *http.Request) reply.Reply {
		return d.Review(r.Context(), r.PostForm)
	})))
	post("/users/create", c.writing(page(func(d desk, r *http.Request) reply.Reply {
		return d.Create(r.Context(), r.PostForm)
	})))
	get("/secret/{id}", page(func(d desk, r *http.Request) reply.Reply { return d.Secret(r.PathValue("id")) }))
	// A POST, so that a link from elsewhere fetches no secret.
	post("/secret/{id}", page(func(d desk, r *http.Request) reply.Reply { return d.Download(r.PathValue("id")) }))
}

func (c *Console) desk(s *session) *userpage.Desk {
	return &userpage.Desk{IAM: s.iam, Self: s.arn, SignIn: c.signInAddress(s.account), ReadOnly: c.readOnly(),
		Now: c.cfg.Clock(), NewID: random, Kept: &s.users}
}

// signInAddress is where a user signs in with a password: at this console on the
// embedded AWS, at AWS's console on AWS, and nowhere on another server.
func (c *Console) signInAddress(account string) string {
	switch {
	case c.cfg.Server != nil:
		return "http://" + c.cfg.Addr + c.Path()
	case c.cfg.Attached.AWS:
		return labsetup.SignInAtAWS(account)
	}
	return ""
}

// answer renders a reply.
func (c *Console) answer(w http.ResponseWriter, r *http.Request, s *session, section string, x reply.Reply) {
	switch {
	case errors.Is(x.Err, reply.ErrNoAction):
		http.NotFound(w, r)
		return
	case x.Err != nil && (x.Template == "" || sessionOver(errorCode(x.Err))):
		c.failed(w, r, s, section, x.Title, x.Err)
		return
	}
	if x.Say != "" {
		s.say(x.Say)
	}
	switch {
	case x.File != nil:
		// Cache-Control: no-store is on every answer: see protect.
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition",
			mime.FormatMediaType("attachment", map[string]string{"filename": x.File.Name}))
		_, _ = w.Write(x.File.Content)
		return
	case x.To != "":
		c.redirect(w, r, x.To)
		return
	}
	p := page{Title: x.Title, Section: section, Body: x.Body, Problem: c.explain(s, x.Err)}
	status := x.Status
	switch {
	case status != 0:
	case p.Problem == nil:
		status = http.StatusOK
	case p.Problem.Denied:
		status = http.StatusForbidden
	default:
		status = http.StatusBadRequest
	}
	c.render(w, r, s, status, x.Template, p)
}
