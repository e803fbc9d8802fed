// SPDX-License-Identifier: Apache-2.0

package storagetest

import (
	"sync"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Holder is a store in front of another one that can keep everything from
// becoming durable for a while.
type Holder struct {
	storage.Store

	mu       sync.Mutex
	waiting  chan struct{}
	released chan struct{} // nil: nothing is held
}

var _ storage.Store = (*Holder)(nil)

// NewHolder returns a Holder in front of s that holds nothing yet.
func NewHolder(s storage.Store) *Holder { return &Holder{Store: s} }

// Hold makes every Wait for what is submitted from now on tell so on waiting,
// which must be read, and return only after release.
func (h *Holder) Hold() (waiting <-chan struct{}, release func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting, h.released = make(chan struct{}), make(chan struct{})
	released := h.released
	return h.waiting, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.released = nil
		close(released)
	}
}

// Submit hands tx on at once.
func (h *Holder) Submit(tx *storage.Tx) storage.Pending {
	pending := h.Store.Submit(tx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released == nil {
		return pending
	}
	return held{pending, h.waiting, h.released}
}

type held struct {
	storage.Pending
	waiting, released chan struct{}
}

func (p held) Wait() error {
	p.waiting <- struct{}{}
	<-p.released
	return p.Pending.Wait()
}
