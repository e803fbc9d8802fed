// SPDX-License-Identifier: Apache-2.0

package storage

// Memory is a store that forgets: services keep their values themselves, so
// there is nothing to do.
type Memory struct{}

var _ Store = Memory{}

// Submit returns at once.
func (Memory) Submit(*Tx) Pending { return done{} }

// Range finds nothing.
func (Memory) Range(Bucket, func(key, value []byte) error) error { return nil }

// Failed is nil.
func (Memory) Failed() error { return nil }

// Down is never closed.
func (Memory) Down() <-chan struct{} { return nil }

// Durable is false.
func (Memory) Durable() bool { return false }

// Close does nothing.
func (Memory) Close() error { return nil }

type done struct{}

func (done) Wait() error { return nil }
