// SPDX-License-Identifier: Apache-2.0

// Package storage keeps the state of the embedded AWS: in memory, or in one
// transactional file that survives a killed process.
//
// Services hold their state in memory as Go values and file every change here.
// The order of changes on disk is the order of Submit, so a service submits
// while it holds the lock that guards the values and waits after it has let go
// of it:
//
//	s.mu.Lock()
//	… change the values, collect the same change in tx …
//	pending := store.Submit(tx)
//	s.mu.Unlock()
//	if err := pending.Wait(); err != nil { … }
//
// An answer is given to the caller only after Wait, so everything acknowledged
// is on disk. At start a service reads its buckets with Range.
package storage

// Bucket is a named part of the store.
type Bucket struct {
	Name string
	// PlainValues: values arrive already sealed (or hold nothing secret) and
	// are stored as given. Values of every other bucket are sealed under the
	// root key, bound to bucket and key. Keys are never sealed: a service
	// whose keys are secret files HMACs of them.
	PlainValues bool
}

// Store is the second seam: what services file their state in.
type Store interface {
	// Submit queues the changes of tx, all or nothing, behind everything
	// submitted before, and returns at once. tx must not be used afterwards.
	// Without changes, Wait returns when everything submitted before is
	// durable: for an answer that rests on what others have changed.
	Submit(tx *Tx) Pending
	// Failed returns why the store cannot write now, an error that matches
	// ErrDiskFull or another of this package, and nil while it can. What is
	// submitted meanwhile is written later, although its Wait fails; a service
	// must therefore change nothing while Failed returns an error.
	Failed() error
	// Down is closed when the store has failed for good: only a new start
	// helps, and Failed returns why.
	Down() <-chan struct{}
	// Range calls fn for every entry of the bucket in key order. It is meant
	// for start-up and sees everything whose Wait has returned.
	Range(b Bucket, fn func(key, value []byte) error) error
	// Durable reports whether the store outlives the process.
	Durable() bool
	// Close waits for what was submitted and releases the file.
	Close() error
}

// Pending is a submitted transaction.
type Pending interface {
	// Wait returns when the changes are durable, or the error for which they
	// are not yet, and may never be. Once the store can write again, another
	// Wait returns nil.
	Wait() error
}

// Tx collects the changes of one request.
type Tx struct {
	changes []Change
}

// Change is a change of one key, or of a whole bucket.
type Change struct {
	Bucket Bucket
	Key    []byte
	Value  []byte // nil deletes the key
	Drop   bool   // removes the bucket; Key and Value are nil
}

// Put files value, which must not be nil, under key. Neither may be changed
// afterwards.
func (t *Tx) Put(b Bucket, key, value []byte) {
	t.changes = append(t.changes, Change{Bucket: b, Key: key, Value: value})
}

// Delete removes key; a missing one is not an error.
func (t *Tx) Delete(b Bucket, key []byte) {
	t.changes = append(t.changes, Change{Bucket: b, Key: key})
}

// Drop removes the bucket with everything in it; a missing one is not an
// error. Changes after it start an empty one.
func (t *Tx) Drop(b Bucket) {
	t.changes = append(t.changes, Change{Bucket: b, Drop: true})
}

// Changes returns what was collected, in its order, for a Store to apply. The
// caller must not change it.
func (t *Tx) Changes() []Change { return t.changes }

// size returns about how many bytes the changes take.
func (t *Tx) size() (n int64) {
	for i := range t.changes {
		n += int64(len(t.changes[i].Key) + len(t.changes[i].Value))
	}
	return n
}

// Len returns the number of changes collected.
func (t *Tx) Len() int { return len(t.changes) }

// Getter is a store that can look up one entry: what lies there, which for
// buckets with PlainValues are the bytes as they were given. A missing entry
// is nil. It sees everything whose Wait has returned.
type Getter interface {
	Get(b Bucket, key []byte) ([]byte, error)
}
