// SPDX-License-Identifier: Apache-2.0

package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/time/rate"

	"github.com/ddbseal/ddbseal/localaws"
)

// guard limits how often passwords can be tried.
type guard struct {
	clock func() time.Time
	all   *rate.Limiter

	mu    sync.Mutex
	users map[string]*rate.Limiter
}

// Attempts: five at once for a user, then one every five seconds; over all
// users ten times as many.
const (
	userBurst    = 5
	userInterval = 5 * time.Second
	maxGuarded   = 1000
)

func newGuard(clock func() time.Time) *guard {
	return &guard{clock: clock, all: rate.NewLimiter(rate.Every(userInterval/10), userBurst*10),
		users: map[string]*rate.Limiter{}}
}

func (g *guard) allow(user string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.users[user]
	if l == nil {
		if len(g.users) >= maxGuarded {
			clear(g.users) // the limit over all users still holds
		}
		l = rate.NewLimiter(rate.Every(userInterval), userBurst)
		g.users[user] = l
	}
	now := g.clock()
	return l.AllowN(now, 1) && g.all.AllowN(now, 1)
}

// forget lets a user who signed in begin again.
func (g *guard) forget(user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.users, user)
}

// rootUser is the name with which root signs in.
const rootUser = "root"

type signInView struct {
	Account, Name string
	Problem       string
	ChangeFirst   bool // the password has to be changed
	CanRoot       bool
	AccessKey     bool   // an access key signs in, no password
	Where         string // at whom
	AWS           bool   // it is AWS itself
}

// at is where people sign in.
func (signInView) at(c *Console) string {
	if c.cfg.Attached != nil {
		return c.cfg.Attached.Name
	}
	return "the embedded AWS"
}

func (c *Console) signInPage(w http.ResponseWriter, r *http.Request) {
	if c.sessions.find(r, c.cookie) != nil {
		c.redirect(w, r, "/tables")
		return
	}
	c.showSignIn(w, r, http.StatusOK, signInView{})
}

// formCookie holds the value to which the sign-in form's token belongs, before
// there is a session.
func (c *Console) formCookie() string { return c.cookie + "_form" }

func (c *Console) formToken(value string) string {
	m := hmac.New(sha256.New, c.formKey)
	m.Write([]byte(value))
	return hex.EncodeToString(m.Sum(nil))
}

func (c *Console) setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	// No Secure: the page is served over HTTP, on loopback.
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: c.Path(), HttpOnly: true,
		SameSite: http.SameSiteStrictMode, MaxAge: maxAge})
}

func (c *Console) showSignIn(w http.ResponseWriter, r *http.Request, status int, v signInView) {
	value := ""
	if old, err := r.Cookie(c.formCookie()); err == nil && len(old.Value) == 64 {
		value = old.Value
	} else {
		value = random()
		c.setCookie(w, c.formCookie(), value, 0)
	}
	if c.cfg.Server != nil {
		v.Account, v.CanRoot = c.cfg.Server.AccountID(), c.cfg.RootToken != ""
	} else {
		v.AccessKey, v.Where, v.AWS = true, c.cfg.Attached.Name, c.cfg.Attached.AWS
	}
	c.render(w, r, nil, status, "signin", page{Title: "Sign in", CSRF: c.formToken(value), Body: v})
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form cannot be read.", http.StatusBadRequest)
		return
	}
	form, err := r.Cookie(c.formCookie())
	if err != nil || !same(r.PostForm.Get("csrf"), c.formToken(form.Value)) {
		http.Error(w, "The form is not of this browser: go back, reload, and try again.", http.StatusForbidden)
		return
	}
	user, password := r.PostForm.Get("user"), r.PostForm.Get("password")
	v := signInView{Name: user}
	if !c.guard.allow(user) {
		w.Header().Set("Retry-After", "5")
		v.Problem = "Too many attempts. Wait some seconds, then try again."
		c.showSignIn(w, r, http.StatusTooManyRequests, v)
		return
	}
	credentials, mustChange, err := c.check(user, password, strings.TrimSpace(r.PostForm.Get("token")))
	switch {
	case errors.Is(err, localaws.ErrSignIn):
		v.Problem = "User name or password is wrong."
		c.showSignIn(w, r, http.StatusUnauthorized, v)
		return
	case err != nil:
		c.cfg.Logger.Error("sign-in", "error", err)
		v.Problem = "Signing in failed. The failure was logged."
		c.showSignIn(w, r, http.StatusInternalServerError, v)
		return
	}
	s := newSession(c.as(credentials), user, c.cfg.Clock())
	if s.account, s.arn, err = identify(r.Context(), s.cfg); err != nil {
		v.Problem = "Signing in failed: " + message(err)
		status := http.StatusUnauthorized
		if unreachable(err) {
			v.Problem, status = "There is no answer from "+v.at(c)+". Is it running?", http.StatusBadGateway
			c.cfg.Logger.Error("sign-in", "error", err)
		}
		c.showSignIn(w, r, status, v)
		return
	}
	if c.cfg.Attached != nil {
		s.user = strings.TrimPrefix(shortARN(s.arn), "user/")
	}
	if mustChange {
		v.ChangeFirst = true
		fresh := r.PostForm.Get("new")
		if fresh == "" {
			v.Problem = "This password has to be changed at the first sign-in."
			c.showSignIn(w, r, http.StatusUnauthorized, v)
			return
		}
		if _, err := s.iam.ChangePassword(r.Context(),
			&iam.ChangePasswordInput{OldPassword: aws.String(password), NewPassword: aws.String(fresh)}); err != nil {
			v.Problem = "The password was not changed: " + message(err)
			c.showSignIn(w, r, http.StatusUnauthorized, v)
			return
		}
	}
	c.guard.forget(user)
	if old := c.sessions.peek(r, c.cookie); old != nil {
		c.sessions.remove(old) // never adopt a session that was there before
	}
	c.setCookie(w, c.cookie, c.sessions.add(s), 0)
	c.setCookie(w, c.formCookie(), "", -1)
	c.redirect(w, r, "/tables")
}

// check checks a password, or root's token. The comparisons take constant time.
func (c *Console) check(user, password, token string) (aws.Credentials, bool, error) {
	if c.cfg.Server == nil {
		// AWS checks it: see identify.
		if user == "" || password == "" {
			return aws.Credentials{}, false, localaws.ErrSignIn
		}
		return aws.Credentials{AccessKeyID: user, SecretAccessKey: password, SessionToken: token}, false, nil
	}
	if user != rootUser {
		return c.cfg.Server.SignIn(c.cfg.Server.AccountID(), user, password)
	}
	got, want := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(c.cfg.RootToken))
	if c.cfg.RootToken == "" || !hmac.Equal(got[:], want[:]) {
		return aws.Credentials{}, false, localaws.ErrSignIn
	}
	credentials, err := c.cfg.Server.SignInRoot(c.cfg.Server.RootCredentials().SecretAccessKey)
	return credentials, false, err
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request, s *session) {
	c.sessions.remove(s)
	c.setCookie(w, c.cookie, "", -1)
	c.redirect(w, r, "/signin")
}
