// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
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

var errFull = errors.New("disk full")

// disk is a store that writes nothing once it is full.
type disk struct {
	storage.Store
	full *bool
}

func (d disk) Submit(tx *storage.Tx) storage.Pending {
	if *d.full {
		return refused{}
	}
	return d.Store.Submit(tx)
}

type refused struct{}

func (refused) Wait() error { return errFull }

// TestFullDisk: nothing is acknowledged that is not on disk, nor what was made
// with material that is not.
func TestFullDisk(t *testing.T) {
	type use func(w *world, arn string) error
	const other = "us-east-1" // with an AWS managed key
	encrypt := func(w *world, arn string) error {
		_, err := w.try(root(here), "Encrypt", members{"KeyId": arn, "Plaintext": []byte("x")})
		return err
	}
	encryptVia := func(w *world, arn string) error {
		_, err := w.kms.Encrypt(t.Context(), w.newCall(root(here), "x").Via("kms", "Encrypt", dynamo), arn, []byte("x"),
			nil)
		return err
	}
	ensure := func(region string) use {
		return func(w *world, _ string) error {
			_, err := w.kms.EnsureAWSManagedKey(t.Context(), here, region, dynamodbAlias)
			return err
		}
	}
	afterRotation := func(f use) use {
		return func(w *world, arn string) error {
			if _, err := w.try(root(here), "RotateKeyOnDemand", members{"KeyId": arn}); !errors.Is(err, errFull) {
				t.Errorf("RotateKeyOnDemand: %v", err)
			}
			return f(w, arn)
		}
	}
	// What is due comes first, and a request that finds it undone is not served.
	whenDue := func(f use) use {
		return func(w *world, arn string) error {
			w.advance(90 * day)
			keys := len(w.kms.keys)
			err := f(w, arn)
			if k, _ := w.kms.findByARN(arn); len(w.kms.keys) != keys || k.lastUse.operation != "" {
				t.Errorf("the service has %d keys, before %d; the last use is %q", len(w.kms.keys), keys,
					k.lastUse.operation)
			}
			return err
		}
	}
	create := func(w *world, _ string) error {
		_, err := w.try(root(here), "CreateKey", nil)
		return err
	}
	for name, f := range map[string]use{
		"CreateKey": create, "CreateKey when due": whenDue(create), "EnsureAWSManagedKey": ensure(region),
		"RetireAbandoned": func(w *world, _ string) error {
			return w.kms.RetireAbandoned("dynamodb", func(string, string) bool { return false })
		},
		"Encrypt after rotation":               afterRotation(encrypt),
		"Encrypt for a service after rotation": afterRotation(encryptVia),
		"Encrypt when due":                     whenDue(encrypt), "Encrypt for a service when due": whenDue(encryptVia),
		"EnsureAWSManagedKey when due": whenDue(ensure(other)),
		"Decrypt when due": whenDue(func(w *world, arn string) error {
			_, err := w.kms.Decrypt(t.Context(), w.newCall(root(here), "x").Via("kms", "Decrypt", dynamo), arn, nil,
				nil)
			return err
		}),
		"ResolveKey when due": whenDue(func(w *world, arn string) error {
			_, err := w.kms.ResolveKey(w.newCall(root(here), "x"), arn)
			return err
		}),
		"KeyState when due": whenDue(func(w *world, arn string) error {
			if state, ok := w.kms.KeyState(arn); ok {
				t.Errorf("KeyState answers %s", state)
			}
			return errFull
		}),
	} {
		t.Run(name, func(t *testing.T) {
			full := false
			w := newWorld(t)
			w.store = disk{w.store, &full}
			w.restart()
			arn := w.key(nil)
			w.do(root(here), "EnableKeyRotation", members{"KeyId": arn, "RotationPeriodInDays": 90})
			if _, _, _, err := w.asTable(root(here), w.key(nil)); err != nil {
				t.Fatal(err)
			}
			if err := ensure(other)(w, arn); err != nil {
				t.Fatal(err)
			}
			full = true
			if err := f(w, arn); !errors.Is(err, errFull) {
				t.Errorf("%v, want %v", err, errFull)
			}
		})
	}
}
