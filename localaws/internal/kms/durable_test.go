package kms

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

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
			store := storagetest.NewHolder(storagetest.NewRecorder())
			w := newWorld(t)
			w.store = store
			w.restart()
			arn := w.key(nil)
			w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 100})
			w.advance(101 * 24 * time.Hour)
			waiting, release := store.Hold()
			first := errorOf(w.kms.catchUp)
			<-waiting // rotated, and not durable
			second := errorOf(func() error { return use(w, arn) })
			select {
			case <-waiting:
			case err := <-second:
				t.Fatalf("answered (%v) before the material was durable", err)
			}
			release()
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
