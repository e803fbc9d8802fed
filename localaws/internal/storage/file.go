package storage

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// DataFile is the name of the data file in a data directory.
const DataFile = "localaws.db"

const (
	formatVersion = "1"
	headerBucket  = "ddbseal localaws"
	// lockPatience is how long Open waits for a process that is just ending.
	lockPatience = 250 * time.Millisecond
)

var (
	headerFormat = []byte("format")
	headerCheck  = []byte("root key check")
)

var (
	// ErrLocked: another process has the data directory open.
	ErrLocked = errors.New("data directory is in use by another process")
	// ErrDamaged: the data file is torn, was changed, or is none of ours.
	ErrDamaged = errors.New("data file is damaged or not of this program")
	// ErrFormat: the data file was written by another version of the program.
	ErrFormat = errors.New("data file is of another format")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store is closed")
)

// File is a store in one transactional file. Transactions that are submitted
// while the disk is busy are written together, so that many writers share the
// cost of one sync.
type File struct {
	db   *bbolt.DB
	seal cipher.AEAD

	mu     sync.Mutex
	queue  []*filePending
	last   *filePending // the newest that was taken; nil before the first
	closed bool
	failed error // why nothing is taken any more

	wake chan struct{}
	done chan struct{}
}

var (
	_ Store  = (*File)(nil)
	_ Getter = (*File)(nil)
)

// Open opens the store in a directory, which must exist, and makes it when the
// directory has no data; a root key that lies there already is taken. Errors
// match ErrLocked, ErrDamaged, ErrFormat or ErrRootKey; nothing was changed
// then.
func Open(dir string) (*File, error) {
	path := filepath.Join(dir, DataFile)
	fresh := false
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		fresh = true
	case err != nil:
		return nil, fmt.Errorf("open store: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open store: %w: %s is not a regular file", ErrDamaged, path)
	}
	rootKey, err := openRootKey(dir, fresh)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	defer clear(rootKey)
	seal, err := newSeal(rootKey)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if fresh {
		if err := create(path, seal); err != nil {
			return nil, fmt.Errorf("make store: %w", err)
		}
	}
	if err := examine(path, seal); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db, err := openDB(path, false)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	f := &File{db: db, seal: seal, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go f.writer()
	return f, nil
}

// openDB opens the data file under bbolt's lock.
func openDB(path string, readOnly bool) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: readOnly, Timeout: lockPatience, FreelistType: bbolt.FreelistMapType, NoStatistics: true})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrLocked, path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return nil, fmt.Errorf("%w: %s: %v", ErrDamaged, path, err)
	}
	return nil, err
}

// create makes a data file that is whole from the moment it has its name.
func create(path string, seal cipher.AEAD) error {
	dir, err := os.MkdirTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	temporary := filepath.Join(dir, DataFile)
	db, err := openDB(temporary, false)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte(headerBucket))
		if err != nil {
			return err
		}
		if err := b.Put(headerFormat, []byte(formatVersion)); err != nil {
			return err
		}
		return b.Put(headerCheck, seal.Seal(nil, nil, headerCheck, boundTo(headerBucket, headerCheck)))
	})
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Link(temporary, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// examine looks through the data file without changing it: all of its
// structure, then the header and that the root key is the right one. It runs
// under a shared lock, so that a writing process cannot be in the middle of
// something.
func examine(path string, seal cipher.AEAD) error {
	// bbolt would initialize an empty file, and map one that is too short.
	if err := verifyHead(path); err != nil {
		return err
	}
	db, err := openDB(path, true)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := verify(path); err != nil {
		return err
	}
	return db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(headerBucket))
		if b == nil || b.Get(headerFormat) == nil {
			return fmt.Errorf("%w: %s has no header of this program", ErrDamaged, path)
		}
		if format := b.Get(headerFormat); !bytes.Equal(format, []byte(formatVersion)) {
			return fmt.Errorf("%w: %s is of format %.16q, this version of the program reads format %s", ErrFormat, path, format, formatVersion)
		}
		if _, err := seal.Open(nil, nil, b.Get(headerCheck), boundTo(headerBucket, headerCheck)); err != nil {
			return fmt.Errorf("%w: the root key beside %s belongs to other data", ErrRootKey, path)
		}
		return nil
	})
}

// Durable is true.
func (f *File) Durable() bool { return true }

// filePending is a queued transaction.
type filePending struct {
	tx   *Tx
	done chan struct{}
	err  error
}

func (p *filePending) Wait() error {
	<-p.done
	return p.err
}

// refused is the outcome of a transaction that was not taken.
type refused struct{ err error }

func (r refused) Wait() error { return r.err }

// Submit queues the changes.
func (f *File) Submit(tx *Tx) Pending {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.failed != nil:
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
	select {
	case f.wake <- struct{}{}:
	default:
	}
	return p
}

// Failed returns the error that stopped the store.
func (f *File) Failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// writer writes what is queued, as much as there is in one transaction.
func (f *File) writer() {
	defer close(f.done)
	for range f.wake {
		f.mu.Lock()
		batch, closed, failed := f.queue, f.closed, f.failed
		f.queue = nil
		f.mu.Unlock()
		if failed == nil && len(batch) > 0 {
			if err := f.commit(batch); err != nil {
				failed = fmt.Errorf("store failed, memory and disk may no longer agree: %w", err)
				f.mu.Lock()
				f.failed = failed
				f.mu.Unlock()
			}
		}
		for _, p := range batch {
			p.tx, p.err = nil, failed
			close(p.done)
		}
		if closed {
			return
		}
	}
}

func (f *File) commit(batch []*filePending) error {
	return f.db.Update(func(tx *bbolt.Tx) error {
		buckets := map[string]*bbolt.Bucket{}
		for _, p := range batch {
			changes := p.tx.Changes()
			for i := range changes {
				if err := f.change(tx, buckets, &changes[i]); err != nil {
					return err
				}
			}
		}
		return nil
	})
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

// Range reads a bucket.
func (f *File) Range(b Bucket, fn func(key, value []byte) error) error {
	return f.db.View(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(b.Name))
		if bucket == nil {
			return nil
		}
		return bucket.ForEach(func(key, value []byte) error {
			opened, err := f.open(b, key, value)
			if err != nil {
				return err
			}
			return fn(bytes.Clone(key), opened)
		})
	})
}

// Get reads one entry.
func (f *File) Get(b Bucket, key []byte) (value []byte, err error) {
	err = f.db.View(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket([]byte(b.Name))
		if bucket == nil {
			return nil
		}
		stored := bucket.Get(key)
		if stored == nil {
			return nil
		}
		value, err = f.open(b, key, stored)
		return err
	})
	return value, err
}

// open returns a copy of a stored value in the clear.
func (f *File) open(b Bucket, key, value []byte) ([]byte, error) {
	if b.PlainValues {
		return append([]byte{}, value...), nil
	}
	opened, err := f.seal.Open([]byte{}, nil, value, boundTo(b.Name, key))
	if err != nil {
		return nil, fmt.Errorf("%w: an entry of %q is not what was sealed", ErrDamaged, b.Name)
	}
	return opened, nil
}

// Close waits for what was submitted and releases the file.
func (f *File) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	f.mu.Unlock()
	f.wake <- struct{}{} // the writer takes it, or what is in the channel already
	<-f.done
	return f.db.Close()
}
