// SPDX-License-Identifier: Apache-2.0

package storagetest

import (
	"testing"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

func TestRecorderDropsBuckets(t *testing.T) {
	r := NewRecorder()
	dropped, kept := storage.Bucket{Name: "dropped"}, storage.Bucket{Name: "kept"}
	tx := &storage.Tx{}
	tx.Put(dropped, []byte("a"), []byte("1"))
	tx.Put(kept, []byte("a"), []byte("1"))
	tx.Drop(dropped)
	tx.Put(dropped, []byte("b"), []byte("2"))
	if err := r.Submit(tx).Wait(); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, b := range []storage.Bucket{dropped, kept} {
		if err := r.Range(b, func(key, value []byte) error {
			got += string(key) + string(value) +
				" "
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if got != "b2 a1 " {
		t.Errorf("left: %q", got)
	}
}
