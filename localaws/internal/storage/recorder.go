package storage

import (
	"maps"
	"slices"
	"sync"
)

// Recorder is a durable store that keeps its values in the process: for tests
// that start a service again over what it has filed.
type Recorder struct {
	mu      sync.Mutex
	buckets map[string]map[string][]byte
}

var _ Store = (*Recorder)(nil)

// NewRecorder returns an empty one.
func NewRecorder() *Recorder { return &Recorder{buckets: map[string]map[string][]byte{}} }

// Submit applies tx at once.
func (r *Recorder) Submit(tx *Tx) Pending {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range tx.changes {
		if c.drop {
			delete(r.buckets, c.bucket.Name)
			continue
		}
		b := r.buckets[c.bucket.Name]
		if b == nil {
			b = map[string][]byte{}
			r.buckets[c.bucket.Name] = b
		}
		if c.value == nil {
			delete(b, string(c.key))
		} else {
			b[string(c.key)] = slices.Clone(c.value)
		}
	}
	return done{}
}

// Range gives copies, in key order.
func (r *Recorder) Range(b Bucket, fn func(key, value []byte) error) error {
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
