package storage

import "sync"

// Holder is a Recorder that can keep everything from becoming durable for a
// while: for tests of what is answered meanwhile.
type Holder struct {
	*Recorder

	mu       sync.Mutex
	waiting  chan struct{}
	released chan struct{} // nil: nothing is held
}

var _ Store = (*Holder)(nil)

// NewHolder returns one that holds nothing.
func NewHolder() *Holder { return &Holder{Recorder: NewRecorder()} }

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

// Submit applies tx at once.
func (h *Holder) Submit(tx *Tx) Pending {
	h.Recorder.Submit(tx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released == nil {
		return done{}
	}
	return held{h.waiting, h.released}
}

type held struct{ waiting, released chan struct{} }

func (p held) Wait() error {
	p.waiting <- struct{}{}
	<-p.released
	return nil
}
