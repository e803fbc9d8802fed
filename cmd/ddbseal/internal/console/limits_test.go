// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/localawstest"
)

// TestProtectSessionsOfOthers: a user who signs in often ends only sessions of
// their own.
func TestProtectSessionsOfOthers(t *testing.T) {
	s := newSite(t)
	admin := s.administrator()
	first := s.user()
	s.clock.Advance(time.Second)
	all := s.console.sessions
	was := s.signedIn(first)
	for range maxSessions + maxUserSessions {
		all.add(&session{arn: was.arn, end: func() {}, began: s.clock.Now(), used: s.clock.Now()})
	}
	admin.contains(admin.get("/tables", http.StatusOK), "<h1>Tables</h1>")
	first.contains(first.get("/tables", http.StatusOK), "<h1>Sign in</h1>")
	if n := len(all.byHash); n != maxUserSessions+1 {
		t.Errorf("%d sessions", n)
	}
	// Also through the form.
	for range maxUserSessions {
		s.user()
	}
	admin.contains(admin.get("/keys", http.StatusOK), "<h1>Keys</h1>")
	if n := len(all.byHash); n != maxUserSessions+1 {
		t.Errorf("%d sessions", n)
	}
}

func (s *site) signedIn(b *browser) *session {
	return s.console.sessions.peek(b.sessionRequest(), s.console.cookie)
}

// TestSessionsOfAll: at the limit over all users, the one with the most sessions
// loses the one that was idle longest.
func TestSessionsOfAll(t *testing.T) {
	var clock localawstest.Clock
	all := newSessions(clock.Now, time.Hour)
	ended := map[string]int{}
	add := func(arn string) {
		clock.Advance(time.Second)
		all.add(&session{arn: arn, end: func() { ended[arn]++ }, began: clock.Now(), used: clock.Now()})
	}
	const role = "arn:aws:sts::111122223333:assumed-role/R/"
	add("admin")
	for i := range 4 {
		add(role + fmt.Sprint(i)) // one owner
	}
	for i := len(all.byHash); i < maxSessions; i++ {
		add(fmt.Sprint("user", i))
	}
	add("admin")
	add("new")
	if len(all.byHash) != maxSessions || ended[role+"0"] != 1 || ended[role+"1"] != 1 || len(ended) != 2 {
		t.Errorf("%d sessions, ended %v", len(all.byHash), ended)
	}
}

// TestProtectStreams: a user has so many event streams; others are not touched,
// and a stream that ends makes room.
func TestProtectStreams(t *testing.T) {
	s := newSite(t)
	b := s.administrator()
	same := s.administrator()                             // another session of the same user
	paths := []string{"/audit/events", "/picture/events"} // in turn: they count together
	open := func(b *browser) *http.Response {
		paths = append(paths[1:], paths[0])
		answer, err := (&http.Client{Jar: b.client.Jar}).Do(b.request(http.MethodGet, paths[0], nil))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	var last *http.Response
	for i := range maxUserStreams {
		if last = open([]*browser{b, same}[i%2]); last.StatusCode != http.StatusOK {
			t.Fatal(last.Status)
		}
	}
	for _, b := range []*browser{b, same} {
		if answer := open(b); answer.StatusCode != http.StatusTooManyRequests ||
			answer.Header.Get("Retry-After") == "" {
			t.Error(answer.Status)
		}
	}
	if answer := open(s.as("root")); answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
	last.Body.Close()
	for end := time.Now().Add(5 * time.Second); ; {
		if answer := open(b); answer.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(end) {
			t.Fatal("a stream that has ended still counts")
		}
	}
}

func TestStreamsForget(t *testing.T) {
	a := newStreams()
	for range 3 {
		if !a.open("x") {
			t.Fatal("refused")
		}
	}
	for range 3 {
		a.close("x")
	}
	if len(a.counts) != 0 {
		t.Error(a.counts)
	}
}
