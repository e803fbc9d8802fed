// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"container/list"
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// tokenLife is how long DynamoDB knows a token after the request that used it.
const tokenLife = 10 * time.Minute

// tokens remembers sealed transactions that have a token of the caller. Sealing
// the same items twice gives different requests, which DynamoDB refuses under
// one token.
type tokens struct {
	key [sha256.Size]byte // of the digests, so that they say nothing about items
	now func() time.Time
	// The bounds: entries, and bytes of what sealing made of them.
	maxEntries, maxBytes int

	mu    sync.Mutex
	m     map[[sha256.Size]byte]*remembered
	bytes int // of all entries
	// The entries, last used first: transactions that DynamoDB is known to have
	// done, and transactions that may have to be repeated. makeRoom takes from
	// answered first.
	answered, open list.List
}

// remembered is one transaction under one token.
type remembered struct {
	digest [sha256.Size]byte // of the token and the plaintext request

	sealing sync.Mutex // held while sealing: of two calls at once only one may
	// sealed has, for each operation, the attributes that sealing made: header,
	// footer and ciphertext. All others are the caller's, who may change them.
	sealed []envelope.Item

	// Guarded by tokens.mu:
	in      *list.List // nil once forgotten
	at      *list.Element
	used    time.Time
	size    int  // of sealed, in bytes
	calls   int  // under way
	unclear bool // a call may have been done, or others were under way when it ended
}

func newTokens() *tokens {
	t := &tokens{now: time.Now, maxEntries: 1024, maxBytes: 64 << 20, m: map[[sha256.Size]byte]*remembered{}}
	_, _ = rand.Read(t.key[:]) // never fails: it ends the program instead
	return t
}

// sealed returns the sealed items of a request's operations: those that the same
// request under the same token had before, or new ones. The caller calls done
// with the outcome of the request.
func (t *tokens) sealed(token string, given []types.TransactWriteItem, seal func() ([]envelope.Item, error)) (
	items []envelope.Item, done func(outcome), err error) {
	digest, err := t.digest(token, given)
	if err != nil {
		return nil, nil, &Error{Operation: "TransactWriteItems", Err: err}
	}
	r := t.begin(digest)
	r.sealing.Lock()
	defer r.sealing.Unlock()
	if r.sealed == nil {
		if items, err = seal(); err != nil {
			t.end(r, outcomeNothing)
			return nil, nil, err
		}
		made := make([]envelope.Item, len(items))
		size := 0
		for i, item := range items {
			made[i] = maps.Clone(item)
			maps.DeleteFunc(made[i],
				func(name string, v types.AttributeValue) bool { return v == given[i].Put.Item[name] })
			size += ddbjson.ItemSize(made[i])
		}
		r.sealed = made
		t.charge(r, size)
	} else {
		items = make([]envelope.Item, len(given))
		for i, made := range r.sealed {
			if made != nil {
				items[i] = maps.Clone(given[i].Put.Item)
				maps.Copy(items[i], made)
			}
		}
	}
	return items, func(o outcome) { t.end(r, o) }, nil
}

// outcome is what is known of a transaction when its call has ended.
type outcome uint8

const (
	outcomeInvalid   outcome = iota
	outcomeDone              // DynamoDB did it, now or before under the same token
	outcomeUnclear           // it may have been done
	outcomeNothing           // this call did nothing; an earlier one may have
	outcomeCancelled         // neither this call nor an earlier one did anything
)

// begin finds or creates the entry of a request for one more call.
func (t *tokens) begin(digest [sha256.Size]byte) *remembered {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for _, l := range []*list.List{&t.answered, &t.open} {
		for oldest := l.Back(); oldest != nil &&
			now.Sub(oldest.Value.(*remembered).used) >= tokenLife; oldest = l.Back() {
			t.forget(oldest.Value.(*remembered))
		}
	}
	r := t.m[digest]
	if r == nil {
		for len(t.m) >= t.maxEntries {
			t.makeRoom(nil)
		}
		r = &remembered{digest: digest}
		t.m[digest] = r
	}
	in := r.in
	if in == nil {
		in = &t.open
	}
	t.move(r, in, now)
	r.calls++
	return r
}

// charge counts the bytes of an entry and makes room for them.
func (t *tokens) charge(r *remembered, size int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.in == nil {
		return
	}
	r.size = size
	t.bytes += size
	for t.bytes > t.maxBytes && t.makeRoom(r) {
	}
}

// end files the outcome of a call.
func (t *tokens) end(r *remembered, o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.calls--
	if r.in == nil {
		return
	}
	in := r.in
	switch o {
	case outcomeDone:
		in = &t.answered
	case outcomeCancelled:
		// Of two calls at once, one may be cancelled before the other is done.
		r.unclear = r.calls > 0
	case outcomeNothing:
		r.unclear = r.unclear || r.calls > 0
	default:
		r.unclear = true
	}
	if r.calls == 0 && in == &t.open && !r.unclear {
		t.forget(r)
		return
	}
	t.move(r, in, t.now())
}

// move puts an entry, used now, to the front of a list.
func (t *tokens) move(r *remembered, in *list.List, now time.Time) {
	if r.in != nil {
		r.in.Remove(r.at)
	}
	r.in, r.at, r.used = in, in.PushFront(r), now
}

// makeRoom forgets the entry that is needed least, but not keep. It reports
// whether there was one.
func (t *tokens) makeRoom(keep *remembered) bool {
	for _, l := range []*list.List{&t.answered, &t.open} {
		for at := l.Back(); at != nil; at = at.Prev() {
			if r := at.Value.(*remembered); r != keep {
				t.forget(r)
				return true
			}
		}
	}
	return false
}

func (t *tokens) forget(r *remembered) {
	delete(t.m, r.digest)
	r.in.Remove(r.at)
	t.bytes -= r.size
	r.in, r.at = nil, nil
}
