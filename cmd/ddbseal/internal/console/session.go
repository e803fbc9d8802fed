// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/itempage"
	"github.com/ddbseal/ddbseal/cmd/ddbseal/internal/console/internal/userpage"
	"github.com/ddbseal/ddbseal/envelope"
)

const (
	sessionLimit = 12 * time.Hour // as its credentials
	maxRefs      = 2000
	maxChanges   = 50
)

// session is one browser that is signed in.
type session struct {
	user, arn, account string
	csrf               string
	csrfRoot           []byte
	cfg                aws.Config
	kms                *kms.Client
	ddb                *dynamodb.Client
	iam                *iam.Client
	trail              *cloudtrail.Client
	ctx                context.Context // ends with the session
	end                context.CancelFunc
	began              time.Time
	used               time.Time // guarded by sessions.mu

	mu      sync.Mutex
	notice  string
	refs    map[string]itemRef
	changes []*change

	exercises map[string]exerciseView // by ID

	users userpage.Kept
	items itempage.Kept
}

// itemRef is an item that the page may be asked to show: a link carries a name
// for it, so that no key value gets into URLs and histories.
type itemRef struct {
	table string
	key   envelope.Item
}

func newSession(cfg aws.Config, user string, now time.Time) *session {
	s := &session{user: user, csrf: random(), csrfRoot: []byte(random()), cfg: cfg,
		kms: kms.NewFromConfig(cfg), ddb: dynamodb.NewFromConfig(cfg), iam: iam.NewFromConfig(cfg),
		trail: cloudtrail.NewFromConfig(cfg),
		began: now, used: now, refs: map[string]itemRef{},
		exercises: map[string]exerciseView{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// random is 256 bits in text.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

// name returns the session's own name for an item.
func (s *session) name(table string, key envelope.Item) string {
	m := hmac.New(sha256.New, s.csrfRoot)
	m.Write([]byte(table + "\x00" + keyText(key)))
	ref := hex.EncodeToString(m.Sum(nil)[:12])
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refs) >= maxRefs {
		clear(s.refs)
	}
	s.refs[ref] = itemRef{table, key}
	return ref
}

func (s *session) item(ref string) (itemRef, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.refs[ref]
	return r, ok
}

// say keeps a message for the next page.
func (s *session) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notice = text
}

func (s *session) takeNotice() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.notice
	s.notice = ""
	return text
}

// sessions are all browsers that are signed in, by the hash of the cookie's
// value.
type sessions struct {
	clock func() time.Time
	idle  time.Duration

	mu     sync.Mutex
	byHash map[[sha256.Size]byte]*session
}

func newSessions(clock func() time.Time, idle time.Duration) *sessions {
	return &sessions{clock: clock, idle: idle, byHash: map[[sha256.Size]byte]*session{}}
}

// add returns the cookie value of a new session. It ends another one when there
// are too many: see spare.
func (a *sessions) add(s *session) string {
	id := random()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep()
	if hash, ok := spare(a.byHash, s.owner()); ok {
		a.drop(hash)
	}
	a.byHash[sha256.Sum256([]byte(id))] = s
	return id
}

// find returns the session of a request and notes its use; nil: none.
func (a *sessions) find(r *http.Request, cookie string) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.look(r, cookie)
	if s != nil {
		s.used = a.clock()
	}
	return s
}

// peek is find without noting a use.
func (a *sessions) peek(r *http.Request, cookie string) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.look(r, cookie)
}

func (a *sessions) look(r *http.Request, cookie string) *session {
	value, err := r.Cookie(cookie)
	if err != nil {
		return nil
	}
	a.sweep()
	return a.byHash[sha256.Sum256([]byte(value.Value))]
}

// expired reports whether the session has ended by itself.
func (a *sessions) expired(s *session) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.old(s)
}

func (a *sessions) old(s *session) bool {
	now := a.clock()
	return now.Sub(s.used) >= a.idle || now.Sub(s.began) >= sessionLimit
}

func (a *sessions) sweep() {
	for hash, s := range a.byHash {
		if a.old(s) {
			a.drop(hash)
		}
	}
}

func (a *sessions) drop(hash [sha256.Size]byte) {
	if s := a.byHash[hash]; s != nil {
		s.end()
		delete(a.byHash, hash)
	}
}

// remove ends one session.
func (a *sessions) remove(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for hash, other := range a.byHash {
		if other == s {
			a.drop(hash)
		}
	}
}

func (a *sessions) closeAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for hash := range a.byHash {
		a.drop(hash)
	}
}
