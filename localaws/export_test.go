// SPDX-License-Identifier: Apache-2.0

package localaws

import (
	"bytes"
	"context"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// ListenImpatiently is Listen with shorter timeouts.
func (s *Server) ListenImpatiently(header, whole time.Duration) (*Listener, error) {
	return s.listen("127.0.0.1:0", patience{header, whole})
}

// Break makes a service panic at the operation.
func (s *Server) Break(service string, panics func()) {
	e, _ := s.door.Endpoint(service)
	e.Service = broken{e.Service, panics}
	s.door.Mount(e)
}

// FailStore makes the store fail, as a full disk would.
func (s *Server) FailStore() error {
	tx := new(storage.Tx)
	tx.Put(storage.Bucket{Name: "broken"}, bytes.Repeat([]byte("k"), 1<<16), []byte("longer than a key may be"))
	return s.store.Submit(tx).Wait()
}

// SetStoreFault makes everything that the store writes fail with the error that
// fault returns; nil ends it.
func (s *Server) SetStoreFault(fault func() error) { s.store.(*storage.File).SetFault(fault) }

// HoldStore lets no answer go that waits for the store, until release. Every
// wait is told on waiting.
func (s *Server) HoldStore() (waiting <-chan struct{}, release func()) {
	h := storagetest.NewHolder(s.store)
	s.store = h
	return h.Hold()
}

// broken is a service with a defect.
type broken struct {
	request.Service
	panics func()
}

func (b broken) Serve(context.Context, *request.Call) ([]byte, error) {
	b.panics()
	return nil, nil
}

// Coverage returns which operations each service has.
func (s *Server) Coverage() map[string]wire.Coverage {
	all := map[string]wire.Coverage{}
	for _, name := range []string{"cloudtrail", "dynamodb", "dynamodbstreams", "iam", "kms", "sts"} {
		e, _ := s.door.Endpoint(name)
		all[name] = e.Service.(interface{ Coverage() wire.Coverage }).Coverage()
	}
	return all
}
