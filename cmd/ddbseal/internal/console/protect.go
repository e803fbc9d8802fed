// SPDX-License-Identifier: Apache-2.0

package console

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
)

// policy is the Content-Security-Policy of every answer: nothing inline,
// nothing from elsewhere, no frame around it.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// protect is what every request passes first.
func (c *Console) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		// The prefix in the address is a secret. Browsers then send forms with
		// Origin: null, see sameOrigin.
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store")
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				// The panic's own text may hold values of items: only its type.
				c.cfg.Logger.Error("panic", "kind", fmt.Sprintf("%T", p), "path", r.Pattern, "stack",
					string(debug.Stack()))
				http.Error(w, "This page failed. The failure was logged.", http.StatusInternalServerError)
			}
		}()
		if !c.origins[r.Host] {
			// A name that somebody else resolves to this machine.
			http.Error(w, "This page is not served under that name.", http.StatusMisdirectedRequest)
			return
		}
		if !c.sameOrigin(r) {
			http.Error(w, "The request comes from another page.", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// sameOrigin reports whether the request comes from a page of this console, or
// is a mere visit. A request that changes something must say so.
func (c *Console) sameOrigin(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	// A form of this console has Origin: null, because its page sends no
	// referrer, and so has a form in a sandbox: Sec-Fetch-Site tells them apart.
	if origin := r.Header.Get("Origin"); origin == "null" {
		return r.Header.Get("Sec-Fetch-Site") == "same-origin"
	} else if origin != "" {
		u, err := url.Parse(origin)
		return err == nil && u.Scheme == "http" && u.Host == r.Host
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin":
		return true
	case "none", "": // typed, or a client that is not a browser
		return reads
	}
	// Another site's link may lead here, its scripts and frames may not.
	return reads && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// handler answers a request of a person who is signed in.
type handler func(http.ResponseWriter, *http.Request, *session)

// signedIn gives the handler the session, or sends the browser to sign in.
func (c *Console) signedIn(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := c.sessions.find(r, c.cookie)
		if s == nil {
			if strings.HasSuffix(r.URL.Path, "/events") {
				http.Error(w, "not signed in", http.StatusUnauthorized)
				return
			}
			c.redirect(w, r, "/signin")
			return
		}
		h(w, r, s)
	}
}

// changing checks the token of a form.
func (c *Console) changing(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, s *session) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, "The form cannot be read.", http.StatusBadRequest)
			return
		}
		if !same(r.PostForm.Get("csrf"), s.csrf) {
			http.Error(w, "The form is not of this session: go back, reload, and try again.", http.StatusForbidden)
			return
		}
		h(w, r, s)
	}
}

// same compares in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (c *Console) alive(w http.ResponseWriter, r *http.Request) {
	// The page asks every few seconds: that does not count as use of the session.
	if c.sessions.peek(r, c.cookie) == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
