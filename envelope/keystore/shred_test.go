// SPDX-License-Identifier: Apache-2.0

package keystore_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/keystore"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// stubborn is a storage whose records of a branch key never go.
type stubborn struct {
	memoryStorage
	lists, deletes       int
	listError, failError error
}

func (s *stubborn) List(ctx context.Context, id string) ([]keystore.Record, error) {
	s.lists++
	if s.listError != nil {
		return nil, s.listError
	}
	return s.memoryStorage.List(ctx, id)
}

func (s *stubborn) Delete(context.Context, string, []string) error {
	s.deletes++
	return s.failError
}

// Shredding ends, also when records keep appearing and when the storage fails.
func TestShredEnds(t *testing.T) {
	failed := errors.New("no network")
	for _, c := range []struct {
		list, delete   error
		want           error
		lists, deletes int
	}{
		{nil, nil, keystore.ErrConflict, 11, 11}, {failed, nil, failed, 1, 0}, {nil, failed, failed, 1, 1},
	} {
		w := newWorld(t)
		storage := &stubborn{}
		s := w.store(t, keystore.Config{Storage: storage})
		id, err := s.CreateKey(t.Context(), keystore.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		before := s.Stats()
		storage.listError, storage.failError = c.list, c.delete
		err = s.Shred(t.Context(), id)
		var e *materials.KeyError
		if !errors.Is(err, c.want) || !errors.As(err, &e) || e.KeyID != id || storage.lists != c.lists ||
			storage.deletes != c.deletes {
			t.Errorf("%v after %d lists and %d deletions", err, storage.lists, storage.deletes)
		}
		if calls := s.Stats().StorageCalls - before.StorageCalls; calls != uint64(c.lists+c.deletes) {
			t.Errorf("%d storage calls are counted for %d lists and %d deletions", calls, c.lists, c.deletes)
		}
		if c.list != nil {
			if versions, err := s.Versions(t.Context(), id); !errors.Is(err, failed) ||
				errors.Is(err, keystore.ErrNotFound) || versions != nil {
				t.Errorf("%v, %v", versions, err)
			}
		}
	}
}

// listing is a storage that lists the records as it is told to, and keeps the
// order in which they are deleted.
type listing struct {
	memoryStorage
	order   []int
	deleted []string
}

func (s *listing) List(ctx context.Context, id string) (listed []keystore.Record, err error) {
	records, err := s.memoryStorage.List(ctx, id)
	for i := range records {
		listed = append(listed, records[s.order[i]])
	}
	return listed, err
}

func (s *listing) Delete(ctx context.Context, id string, kinds []string) error {
	s.deleted = slices.Clone(kinds)
	return s.memoryStorage.Delete(ctx, id, kinds)
}

// TestShredOrder: the active record goes first, in whatever order the records
// are listed, and the others in the order of their types.
func TestShredOrder(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		storage := &listing{order: order}
		s := newWorld(t).store(t, keystore.Config{Storage: storage})
		id, err := s.CreateKey(t.Context(), keystore.CreateKeyInput{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Shred(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if d := storage.deleted; len(d) != 3 || d[0] != "branch:ACTIVE" || d[1] != "beacon:ACTIVE" {
			t.Errorf("listed as %v, deleted as %q", order, d)
		}
	}
}
