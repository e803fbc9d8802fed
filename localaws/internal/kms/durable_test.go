package kms

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// heldStore takes changes and, while it is held, makes none of them durable.
type heldStore struct {
	*storage.Recorder
	held    chan struct{} // nil: nothing is held
	waiting chan struct{}
}

func (s *heldStore) Submit(tx *storage.Tx) storage.Pending {
	s.Recorder.Submit(tx)
	return heldPending{s.held, s.waiting}
}

type heldPending struct{ held, waiting chan struct{} }

func (p heldPending) Wait() error {
	if p.held != nil {
		p.waiting <- struct{}{}
		<-p.held
	}
	return nil
}

// TestMaterialIsDurableBeforeUse: nothing is given out that was made under
// material which is still on its way to disk.
func TestMaterialIsDurableBeforeUse(t *testing.T) {
	for name, use := range map[string]func(w *world, arn string) error{
		"Encrypt": func(w *world, arn string) error {
			c := w.newCall(root(here), "Encrypt")
			c.Body, _ = json.Marshal(members{"KeyId": arn, "Plaintext": []byte("x")})
			_, err := w.kms.Serve(t.Context(), c)
			return err
		},
		"GenerateDataKey for a service": func(w *world, arn string) error {
			_, err := w.kms.GenerateDataKey(t.Context(), w.newCall(root(here), "GenerateDataKey"), arn, nil, 32)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := &heldStore{Recorder: storage.NewRecorder()}
			w := newWorld(t)
			w.store = store
			w.restart()
			arn := w.key(nil)
			w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 100})
			w.advance(101 * 24 * time.Hour)
			store.held, store.waiting = make(chan struct{}), make(chan struct{})
			first := errorOf(w.kms.catchUp)
			<-store.waiting // rotated, and not durable
			second := errorOf(func() error { return use(w, arn) })
			select {
			case <-store.waiting:
			case err := <-second:
				t.Fatalf("answered (%v) before the material was durable", err)
			}
			close(store.held)
			if err := <-first; err != nil {
				t.Error(err)
			}
			if err := <-second; err != nil {
				t.Error(err)
			}
		})
	}
}

func errorOf(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}
