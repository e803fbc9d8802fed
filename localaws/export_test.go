package localaws

import (
	"bytes"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// ListenImpatiently is Listen with shorter timeouts.
func (s *Server) ListenImpatiently(header, whole time.Duration) (*Listener, error) {
	return s.listen("127.0.0.1:0", patience{header, whole})
}

// Break makes a service panic at the operation.
func (s *Server) Break(service string, panics func()) {
	e := *s.endpoints[service]
	e.service = broken{e.service, panics}
	s.endpoints[service] = &e
}

// FailStore makes the store fail, as a full disk would.
func (s *Server) FailStore() error {
	tx := new(storage.Tx)
	tx.Put(storage.Bucket{Name: "broken"}, bytes.Repeat([]byte("k"), 1<<16), []byte("longer than a key may be"))
	return s.store.Submit(tx).Wait()
}

// HoldStore lets no answer go that waits for the store, until release. Every
// wait is told on waiting.
func (s *Server) HoldStore() (waiting <-chan struct{}, release func()) {
	h := heldStore{s.store, make(chan struct{}), make(chan struct{})}
	s.store = h
	return h.waiting, func() { close(h.released) }
}

type heldStore struct {
	storage.Store
	waiting, released chan struct{}
}

func (h heldStore) Submit(tx *storage.Tx) storage.Pending { return h }

func (h heldStore) Wait() error {
	h.waiting <- struct{}{}
	<-h.released
	return nil
}
