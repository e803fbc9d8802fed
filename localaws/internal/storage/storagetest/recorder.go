// SPDX-License-Identifier: Apache-2.0

package storagetest

import (
	"maps"
	"slices"
	"sync"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// Recorder is a durable store that keeps its values in the process.
type Recorder struct {
	mu      sync.Mutex
	buckets map[string]map[string][]byte
}

var _ storage.Store = (*Recorder)(nil)

// NewRecorder returns an empty Recorder.
func NewRecorder() *Recorder { return &Recorder{buckets: map[string]map[string][]byte{}} }

// Submit applies tx at once.
func (r *Recorder) Submit(tx *storage.Tx) storage.Pending {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range tx.Changes() {
		if c.Drop {
			delete(r.buckets, c.Bucket.Name)
			continue
		}
		b := r.buckets[c.Bucket.Name]
		if b == nil {
			b = map[string][]byte{}
			r.buckets[c.Bucket.Name] = b
		}
		if c.Value == nil {
			delete(b, string(c.Key))
		} else {
			b[string(c.Key)] = slices.Clone(c.Value)
		}
	}
	return done{}
}

// Range gives copies, in key order.
func (r *Recorder) Range(b storage.Bucket, fn func(key, value []byte) error) error {
	r.mu.Lock()
	entries := maps.Clone(r.buckets[b.Name])
	r.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(entries)) {
		if err := fn([]byte(k), slices.Clone(entries[k])); err != nil {
			return err
		}
	}
	return nil
}

// Failed is nil.
func (*Recorder) Failed() error { return nil }

// Down is never closed.
func (*Recorder) Down() <-chan struct{} { return nil }

// Durable is true, so that services file their changes.
func (*Recorder) Durable() bool { return true }

// Close does nothing: the values stay.
func (*Recorder) Close() error { return nil }

type done struct{}

func (done) Wait() error { return nil }
