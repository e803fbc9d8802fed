package storage

import "sync"

// Holder is a store before another one that can keep everything from becoming
// durable for a while: for tests of what is answered meanwhile.
type Holder struct {
	Store

	mu       sync.Mutex
	waiting  chan struct{}
	released chan struct{} // nil: nothing is held
}

var _ Store = (*Holder)(nil)

// NewHolder returns one before s that holds nothing.
func NewHolder(s Store) *Holder { return &Holder{Store: s} }

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
func (h *Holder) Submit(tx *Tx) Pending {
	pending := h.Store.Submit(tx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released == nil {
		return pending
	}
	return held{pending, h.waiting, h.released}
}

type held struct {
	Pending
	waiting, released chan struct{}
}

func (p held) Wait() error {
	p.waiting <- struct{}{}
	<-p.released
	return p.Pending.Wait()
}
