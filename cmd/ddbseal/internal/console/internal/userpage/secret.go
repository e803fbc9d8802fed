// SPDX-License-Identifier: Apache-2.0

package userpage

import (
	"net/http"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/reply"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/userform"
)

// Kept is what a session keeps between the pages of users. The zero value is
// ready. It is safe for concurrent use.
type Kept struct {
	mu      sync.Mutex
	draft   userform.Draft // of a new user, which waits for its review
	draftID string
	secrets map[string]*secret // by ID
}

// secret is a new password or access key, which a page shows once and offers as
// a file. It lives in the session's memory only.
type secret struct {
	User  string
	Title string
	Rows  []secretRow
	Text  string // what to do with it
	file  reply.File
	shown bool
	until time.Time
}

type secretRow struct{ Name, Value string }

const (
	maxSecrets  = 20
	secretLimit = 15 * time.Minute // for the download
)

// hold keeps a secret for the page with an ID, which it returns.
func (s *Kept) hold(id string, x *secret, now time.Time) string {
	x.until = now.Add(secretLimit)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets == nil {
		s.secrets = map[string]*secret{}
	}
	s.sweepSecrets(now)
	if len(s.secrets) >= maxSecrets {
		clear(s.secrets)
	}
	s.secrets[id] = x
	return id
}

// sweepSecrets forgets what is too old; the caller holds the lock.
func (s *Kept) sweepSecrets(now time.Time) {
	for id, x := range s.secrets {
		if !now.Before(x.until) {
			delete(s.secrets, id)
		}
	}
}

// reveal returns a secret for its page, the first time; later it returns nil.
func (s *Kept) reveal(id string, now time.Time) *secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweepSecrets(now)
	x := s.secrets[id]
	if x == nil || x.shown {
		return nil
	}
	x.shown = true
	return x
}

// secretFile returns the file of a secret, and false if it is no longer kept.
func (s *Kept) secretFile(id string, now time.Time) (reply.File, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweepSecrets(now)
	x := s.secrets[id]
	if x == nil {
		return reply.File{}, false
	}
	return x.file, true
}

type secretView struct {
	*secret
	ID string
}

// Secret shows a new password or access key the first time it is asked.
func (d *Desk) Secret(id string) reply.Reply {
	x := d.Kept.reveal(id, d.Now)
	if x == nil {
		return reply.Reply{Status: http.StatusGone, Template: "message", Title: "Shown once",
			Body: "This page shows a secret once, and it has done so. If you do not have it, open the user on the " +
				"page Users and make a new one."}
	}
	return reply.Reply{Template: "secret", Title: x.Title, Body: secretView{x, id}}
}

// Download answers with the file of a secret.
func (d *Desk) Download(id string) reply.Reply {
	file, ok := d.Kept.secretFile(id, d.Now)
	if !ok {
		return reply.Reply{Status: http.StatusGone, Template: "message", Title: "Not kept any more",
			Body: "The file is kept for 15 minutes. Open the user on the page Users and make a new password or key."}
	}
	return reply.Reply{File: &file}
}
