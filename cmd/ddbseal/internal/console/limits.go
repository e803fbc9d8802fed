// SPDX-License-Identifier: Apache-2.0

package console

import (
	"crypto/sha256"
	"strings"
	"sync"
)

// Limits of one user and of all users together. A user who reaches a limit
// takes nothing from the others.
const (
	maxSessions     = 100
	maxUserSessions = 10
	maxUserStreams  = 6 // live pages, as many as a browser keeps connections to a host
)

// owner is the name under which the session counts toward the limits: the ARN
// of its user or of its role, whose sessions have names that the caller chooses.
func (s *session) owner() string {
	if begin, rest, ok := strings.Cut(s.arn, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(rest, "/")
		return begin + ":assumed-role/" + role
	}
	return s.arn
}

// spare returns the session that must end before owner gets one more: the least
// recently used one of owner, or, if there are maxSessions of all users, of the
// user who has the most. It returns false if none must end.
func spare(all map[[sha256.Size]byte]*session, owner string) (hash [sha256.Size]byte, ok bool) {
	counts := map[string]int{}
	for _, s := range all {
		counts[s.owner()]++
	}
	most := maxUserSessions
	switch {
	case counts[owner] >= maxUserSessions:
		counts = map[string]int{owner: most}
	case len(all) < maxSessions:
		return hash, false
	default:
		most = 0
		for _, n := range counts {
			most = max(most, n)
		}
	}
	var oldest *session
	for h, s := range all {
		if counts[s.owner()] == most && (oldest == nil || s.used.Before(oldest.used)) {
			hash, oldest = h, s
		}
	}
	return hash, true
}

// streams counts the event streams of each user.
type streams struct {
	mu     sync.Mutex
	counts map[string]int // by session.owner
}

func newStreams() *streams { return &streams{counts: map[string]int{}} }

// open counts one more stream, or returns false if owner has maxUserStreams.
func (a *streams) open(owner string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.counts[owner] >= maxUserStreams {
		return false
	}
	a.counts[owner]++
	return true
}

func (a *streams) close(owner string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.counts[owner]--; a.counts[owner] == 0 {
		delete(a.counts, owner)
	}
}
