// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"cmp"
	"iter"
	"slices"
	"sync"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
)

// DefaultLimit is how many events of a kind an account keeps, fewer when they
// take more than 4 KB on average.
const DefaultLimit = 10_000

// Log files events. It is safe for use by any number of goroutines.
type Log struct {
	limit   int
	journal *journal // nil: events are forgotten at the end

	mu       sync.RWMutex
	seq      uint64
	accounts map[string]*accountLog
	watchers map[*watcher]struct{}
}

// accountLog is what one account keeps.
type accountLog struct{ management, data, unauthenticated ring }

// rings yields the rings with the letters that name them in a store.
func (a *accountLog) rings() iter.Seq2[byte, *ring] {
	return func(yield func(byte, *ring) bool) {
		_ = yield('m', &a.management) && yield('d', &a.data) && yield('u', &a.unauthenticated)
	}
}

// watcher is one subscription.
type watcher struct {
	events  chan *Event
	dropped uint64
}

var _ request.Recorder = (*Log)(nil)

// NewLog returns a log whose accounts keep limit management events and as many
// data events each; zero means DefaultLimit.
func NewLog(limit int) *Log {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Log{limit: limit, accounts: map[string]*accountLog{}, watchers: map[*watcher]struct{}{}}
}

// Record implements request.Recorder. A call on a resource of another account is
// filed in both accounts, if it succeeded: a refused one may name an account
// that does not exist, and each account takes memory.
func (l *Log) Record(c *request.Call, o request.Operation, err error) {
	e := newEvent(c, o, err)
	for _, r := range e.Resources {
		if err == nil && r.AccountID != "" && r.AccountID != e.RecipientAccountID {
			e.SharedEventID = request.NewID()
			l.file(e)
			l.file(e.inOwnersAccount(r.AccountID))
			return
		}
	}
	l.file(e)
}

// RecordUnauthenticated files a call whose signature was refused in the
// account of the access key it named.
func (l *Log) RecordUnauthenticated(c *request.Call, o request.Operation, err error) {
	e := newEvent(c, o, err)
	e.Unauthenticated = true
	l.file(e)
}

func (l *Log) file(e *Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	e.seq = l.seq
	l.add(e)
	if l.journal != nil {
		l.journal.arm()
	}
	for w := range l.watchers {
		select {
		case w.events <- e:
		default:
			w.dropped++ // a slow reader must not hold up requests
		}
	}
}

// add puts an event into its ring. The caller holds the lock.
func (l *Log) add(e *Event) {
	a := l.accounts[e.RecipientAccountID]
	if a == nil {
		a = &accountLog{}
		l.accounts[e.RecipientAccountID] = a
	}
	switch {
	case e.Unauthenticated:
		// Anybody can make these, so they get little room.
		a.unauthenticated.add(e, min(l.limit, 100))
	case e.ManagementEvent:
		a.management.add(e, l.limit)
	default:
		a.data.add(e, l.limit)
	}
}

// prepend puts events that are older than all others before them.
func (l *Log) prepend(old []*Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	newer := l.sorted()
	slices.SortFunc(old, bySequence)
	l.accounts = map[string]*accountLog{}
	for _, e := range slices.Concat(old, newer) {
		l.add(e)
	}
}

// Events returns all events that are kept, of every account and kind, oldest
// first.
func (l *Log) Events() []*Event {
	_ = l.ready() // what cannot be read is not there
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.sorted()
}

// sorted is Events under the caller's lock.
func (l *Log) sorted() []*Event {
	var all []*Event
	for _, a := range l.accounts {
		for _, r := range a.rings() {
			all = append(all, r.events...)
		}
	}
	slices.SortFunc(all, bySequence)
	return all
}

func bySequence(a, b *Event) int { return cmp.Compare(a.seq, b.seq) }

// Subscribe returns a channel of the events filed from now on and a function
// that ends the subscription and closes the channel. Events that do not fit
// into the channel's buffer are dropped.
func (l *Log) Subscribe(buffer int) (<-chan *Event, func()) {
	w := &watcher{events: make(chan *Event, max(buffer, 1))}
	l.mu.Lock()
	l.watchers[w] = struct{}{}
	l.mu.Unlock()
	return w.events, sync.OnceFunc(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watchers, w)
		close(w.events)
	})
}

// management returns the account's management events before sequence number
// below, newest first, for which keep is true, at most limit of them.
func (l *Log) management(account string, below uint64, limit int, keep func(*Event) bool) []*Event {
	l.mu.RLock()
	defer l.mu.RUnlock()
	a := l.accounts[account]
	if a == nil {
		return nil
	}
	var out []*Event
	for _, e := range a.management.backward() {
		if e.seq < below && keep(e) {
			if out = append(out, e); len(out) == limit {
				break
			}
		}
	}
	return out
}
