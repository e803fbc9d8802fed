// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// memoryStorage is a key store's storage outside DynamoDB, as an application
// might write one for its own database.
type memoryStorage struct {
	mu      sync.Mutex
	records []keystore.Record
}

func (s *memoryStorage) find(id, kind string) int {
	return slices.IndexFunc(s.records,
		func(r keystore.Record) bool { return r.BranchKeyID() == id && r.Type() == kind })
}

func (s *memoryStorage) Get(_ context.Context, id, kind string) (keystore.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.find(id, kind); i >= 0 {
		return s.records[i], nil
	}
	return keystore.Record{}, fmt.Errorf("%w: in memory", keystore.ErrNotFound)
}

func (s *memoryStorage) Create(_ context.Context, records []keystore.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		if s.find(r.BranchKeyID(), r.Type()) >= 0 {
			return keystore.ErrExists
		}
	}
	s.records = append(s.records, records...)
	return nil
}

func (s *memoryStorage) Rotate(_ context.Context, version, active keystore.Record, old []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(active.BranchKeyID(), active.Type())
	if i < 0 || !bytes.Equal(s.records[i].Wrapped, old) || s.find(version.BranchKeyID(), version.Type()) >= 0 {
		return keystore.ErrConflict
	}
	s.records[i] = active
	s.records = append(s.records, version)
	return nil
}

func (s *memoryStorage) List(_ context.Context, id string) ([]keystore.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []keystore.Record
	for _, r := range s.records {
		if r.BranchKeyID() == id {
			found = append(found, r)
		}
	}
	return found, nil
}

func (s *memoryStorage) Delete(_ context.Context, id string, kinds []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = slices.DeleteFunc(s.records, func(r keystore.Record) bool {
		return r.BranchKeyID() == id && slices.Contains(kinds, r.Type())
	})
	return nil
}

// The whole life of a branch key, on DynamoDB and on another storage.
func TestStorages(t *testing.T) {
	for name, storage := range map[string]keystore.Storage{"DynamoDB": nil, "memory": &memoryStorage{}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var s keystore.Store = w.store(t, keystore.Config{Storage: storage})
			id, err := s.CreateKey(t.Context(),
				keystore.CreateKeyInput{BranchKeyID: "a", EncryptionContext: map[string]string{"k": "v"}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.CreateKey(t.Context(),
				keystore.CreateKeyInput{BranchKeyID: "a",
					EncryptionContext: map[string]string{"k": "v"}}); !errors.Is(err, keystore.ErrExists) {
				t.Fatal(err)
			}
			first := w.active(t, s, id)
			for range 3 {
				if _, err := s.VersionKey(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			again, err := s.Version(t.Context(), id, first.Version)
			if err != nil || !bytes.Equal(again.Key(), first.Key()) {
				t.Fatal(err)
			}
			versions, err := s.Versions(t.Context(), id)
			if err != nil || len(versions) != 4 || versions[0].Version != first.Version || !versions[3].Active ||
				versions[0].Active {
				t.Fatal(versions, err)
			}
			if err := s.Shred(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			for _, err := range []error{
				errOf(s.Active(t.Context(), id)), errOf(s.Version(t.Context(), id, first.Version)),
				errOf(s.BeaconKey(t.Context(), id)),
				errOf(s.VersionKey(t.Context(), id)), errOf(s.Versions(t.Context(), id)), s.Shred(t.Context(), id),
			} {
				if !errors.Is(err, keystore.ErrNotFound) {
					t.Errorf("after shredding: %v", err)
				}
			}
		})
	}
}

func errOf[T any](_ T, err error) error { return err }

// Shredding takes rotation at the same time, more records than a transaction
// holds, and records that are none.
func TestShred(t *testing.T) {
	w := newWorld(t)
	w.table.pageSize = 17
	w.tenant(t, "tenant")
	w.tenant(t, "other")
	for range 120 {
		if _, err := w.VersionKey(t.Context(), "tenant"); err != nil {
			t.Fatal(err)
		}
	}
	w.table.items["tenant|junk"] = item{"branch-key-id": &types.AttributeValueMemberS{Value: "tenant"},
		"type": &types.AttributeValueMemberS{Value: "junk"}, "m": &types.AttributeValueMemberM{}}
	if _, err := w.Versions(t.Context(), "tenant"); !errors.Is(err, keystore.ErrInvalidRecord) {
		t.Fatalf("junk was listed: %v", err)
	}
	var once atomic.Bool
	w.table.before = func(operation string) {
		if operation == "TransactWriteItems" {
			if once.CompareAndSwap(false, true) {
				if _, err := w.store(t, keystore.Config{}).VersionKey(t.Context(), "tenant"); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if err := w.Shred(t.Context(), "tenant"); err != nil {
		t.Fatal(err)
	}
	if len(w.table.items) != 3 {
		t.Fatalf("%d records left", len(w.table.items))
	}
	// Once the active record is gone, the key cannot be rotated.
	if w.table.deleted[0] != "tenant|branch:ACTIVE" {
		t.Fatalf("%s was deleted first", w.table.deleted[0])
	}
	w.active(t, w, "other")
	var e *materials.KeyError
	if _, err := w.Active(t.Context(), "tenant"); !errors.Is(err, keystore.ErrNotFound) || !errors.As(err, &e) ||
		e.KeyID != "tenant" {
		t.Fatal(err)
	}
}
