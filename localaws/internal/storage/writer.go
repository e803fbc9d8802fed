// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"errors"
	"fmt"
	"sync/atomic"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// filePending is a queued transaction.
type filePending struct {
	tx      *Tx
	done    chan struct{}
	settled bool // done is closed; guarded by File.mu
	failure atomic.Pointer[Problem]
}

// Wait returns the outcome so far: a transaction that could not be written
// while the disk was full is durable later.
func (p *filePending) Wait() error {
	<-p.done
	if problem := p.failure.Load(); problem != nil {
		return problem
	}
	return nil
}

// settle tells the outcome. The caller holds File.mu.
func (p *filePending) settle(problem *Problem) {
	p.failure.Store(problem)
	if problem == nil {
		p.tx = nil
	}
	if !p.settled {
		p.settled = true
		close(p.done)
	}
}

// refused is the outcome of a transaction that was not taken.
type refused struct{ err error }

func (r refused) Wait() error { return r.err }

// Submit queues the changes.
func (f *File) Submit(tx *Tx) Pending {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.failed != nil && (f.failed.Final || f.closed || tx.Len() == 0):
		return refused{f.failed}
	case tx.Len() == 0 && f.last == nil:
		return done{}
	case tx.Len() == 0:
		return f.last
	case f.closed:
		return refused{ErrClosed}
	}
	p := &filePending{tx: tx, done: make(chan struct{})}
	f.queue, f.last = append(f.queue, p), p
	if f.failed != nil {
		// The service has changed its values already, so the file must follow.
		p.settle(f.failed)
		return p
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return p
}

// Failed returns why the store cannot write now.
func (f *File) Failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil {
		return nil
	}
	return f.failed
}

// Down is closed when the store has failed for good.
func (f *File) Down() <-chan struct{} { return f.down }

// writer writes what is queued, as much as there is in one transaction.
func (f *File) writer() {
	defer close(f.done)
	for range f.wake {
		f.mu.Lock()
		closed := f.closed
		f.mu.Unlock()
		if batch := f.take(); len(batch) > 0 {
			f.write(batch)
		}
		if closed {
			return
		}
	}
}

// take empties the queue.
func (f *File) take() []*filePending {
	f.mu.Lock()
	defer f.mu.Unlock()
	batch := f.queue
	f.queue = nil
	return batch
}

// write writes a batch. It returns when that is durable, or never will be.
func (f *File) write(batch []*filePending) {
	f.mu.Lock()
	failed := f.failed
	f.mu.Unlock()
	if failed == nil {
		failed = f.commit(batch)
	}
	if failed == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, p := range batch {
			p.settle(nil)
		}
		return
	}
	f.fail(failed, batch)
	if !failed.Final {
		f.outlast(batch)
	}
}

// commit writes a batch in one transaction. It returns nil when that is
// durable.
func (f *File) commit(batch []*filePending) (problem *Problem) {
	f.access.RLock()
	defer f.access.RUnlock()
	defer func() {
		if r := recover(); r != nil {
			// bbolt panics over pages that cannot be.
			f.broken.Store(true)
			problem = &Problem{Kind: ErrDamaged, Cause: fmt.Errorf("%w: %s: %v", ErrDamaged, f.path, r), Final: true}
		}
	}()
	if err := f.fault(); err != nil {
		return diagnose(err)
	}
	err := f.db.Update(func(tx *bbolt.Tx) error {
		buckets := map[string]*bbolt.Bucket{}
		for _, p := range batch {
			changes := p.tx.Changes()
			for i := range changes {
				if err := f.change(tx, buckets, &changes[i]); err != nil {
					return fmt.Errorf("%w: %w", ErrRefused, err)
				}
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	problem = diagnose(err)
	if problem.Kind == ErrDisk {
		// bbolt does not wrap the error of growing the file.
		if cause := f.probe(probeRoom); cause != nil {
			problem = diagnose(cause)
		}
	}
	return problem
}

func (f *File) change(tx *bbolt.Tx, buckets map[string]*bbolt.Bucket, c *Change) error {
	name := c.Bucket.Name
	if c.Drop {
		delete(buckets, name)
		if err := tx.DeleteBucket([]byte(name)); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
			return err
		}
		return nil
	}
	b := buckets[name]
	if b == nil {
		var err error
		if c.Value == nil {
			if b = tx.Bucket([]byte(name)); b == nil {
				return nil
			}
		} else if b, err = tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
		buckets[name] = b
	}
	if c.Value == nil {
		return b.Delete(c.Key)
	}
	value := c.Value
	if !c.Bucket.PlainValues {
		value = f.seal.Seal(nil, nil, value, boundTo(name, c.Key))
	}
	return b.Put(c.Key, value)
}

// use makes db the open file.
func (f *File) use(db *bbolt.DB) {
	if f.prepare != nil {
		f.prepare(db)
	}
	f.db = db
}

// Close waits for what was submitted and releases the file. It fails if the
// store still owes changes to the file; the requests that made them were
// answered with an error.
func (f *File) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	close(f.closing)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}: // the writer takes it, or what is in the channel already
	default:
	}
	<-f.done
	f.access.Lock()
	defer f.access.Unlock()
	var err error
	if f.failed != nil && !f.failed.Final {
		err = f.failed
	}
	if f.db != nil && !f.broken.Load() {
		err = errors.Join(err, f.db.Close())
		f.db = nil
	}
	return err
}
