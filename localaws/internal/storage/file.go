// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
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
	// ErrLocked means that another process has the data directory open.
	ErrLocked = errors.New("data directory is in use by another process")
	// ErrDamaged means that the data file is truncated, corrupted, or not written by
	// this package.
	ErrDamaged = errors.New("data file is damaged or not of this program")
	// ErrFormat means that the data file was written by another version of the program.
	ErrFormat = errors.New("data file is of another format")
	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("store is closed")
)

// File is a store in one transactional file. Transactions that are submitted
// while the disk is busy are written together, so that many writers share the
// cost of one sync.
type File struct {
	path   string
	seal   cipher.AEAD
	log    *slog.Logger
	faults atomic.Pointer[func() error]
	// firstRetry is how long after a failed commit the store tries again.
	firstRetry time.Duration

	access sync.RWMutex // of db: readers and commits share it, reopen does not
	db     *bbolt.DB    // nil: it could not be opened again
	broken atomic.Bool  // bbolt has panicked: its locks are lost, and it cannot be closed
	// prepare, if set, gets every bbolt.DB before it is used: for tests.
	prepare func(*bbolt.DB)

	mu     sync.Mutex
	queue  []*filePending
	last   *filePending // the newest that was taken; nil before the first
	closed bool
	failed *Problem // why nothing can be written now
	logged time.Time

	wake    chan struct{}
	closing chan struct{}
	done    chan struct{} // the writer has ended
	down    chan struct{}
}

var (
	_ Store  = (*File)(nil)
	_ Getter = (*File)(nil)
)

// Open opens the store in a directory, which must exist, and makes it when the
// directory has no data; a root key that lies there already is taken. Errors
// match ErrLocked, ErrDamaged, ErrFormat, ErrRootKey, ErrDiskFull or ErrReadOnly;
// nothing was changed then. The store logs when it cannot write, and when it can
// again; a nil log discards that.
func Open(dir string, log *slog.Logger) (*File, error) {
	f, err := open(dir, nil)
	if err != nil && diagnose(err).Kind == ErrDisk {
		err = errors.Join(err, probe(dir, 0, probeRoom)) // bbolt does not wrap every cause
	}
	switch err = Named(err); {
	case err == nil:
	case errors.Is(err, ErrDamaged):
		return nil, fmt.Errorf("open store: %w: restore the folder from a copy, or begin with another one", err)
	default:
		return nil, fmt.Errorf("open store: %w", err)
	}
	if log != nil {
		f.log = log
	}
	go f.writer()
	return f, nil
}

// open is Open without the writer.
func open(dir string, prepare func(*bbolt.DB)) (*File, error) {
	path := filepath.Join(dir, DataFile)
	fresh := false
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		fresh = true
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrDamaged, path)
	}
	rootKey, err := openRootKey(dir, fresh)
	if err != nil {
		return nil, err
	}
	defer clear(rootKey)
	seal, err := newSeal(rootKey)
	if err != nil {
		return nil, err
	}
	if fresh {
		if err := create(path, seal); err != nil {
			return nil, fmt.Errorf("make: %w", err)
		}
	}
	if err := examine(path, seal); err != nil {
		return nil, err
	}
	db, err := openDB(path, false)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, seal: seal, log: slog.New(slog.DiscardHandler), firstRetry: firstRetry, prepare: prepare,
		wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
		down: make(chan struct{})}
	f.SetFault(nil)
	f.use(db)
	return f, nil
}

// openDB opens the data file under bbolt's lock.
func openDB(path string, readOnly bool) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600,
		&bbolt.Options{ReadOnly: readOnly, Timeout: lockPatience, FreelistType: bbolt.FreelistMapType,
			NoStatistics: true})
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrLocked, path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch),
		errors.Is(err, berrors.ErrChecksum):
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
			return fmt.Errorf("%w: %s is of format %.16q, and this version of the program reads format %s: "+
				"go on with the version that wrote it, or copy the data over its endpoint to a server with another "+
				"folder",
				ErrFormat, path, format, formatVersion)
		}
		if _, err := seal.Open(nil, nil, b.Get(headerCheck), boundTo(headerBucket, headerCheck)); err != nil {
			return fmt.Errorf("%w: %s belongs to other data than %s: "+
				"put back the one that was there, or begin with another folder",
				ErrRootKey, filepath.Join(filepath.Dir(path), RootKeyFile), path)
		}
		return nil
	})
}

// Durable is true.
func (f *File) Durable() bool { return true }

// view reads from the file.
func (f *File) view(read func(*bbolt.Tx) error) error {
	f.access.RLock()
	defer f.access.RUnlock()
	if f.db == nil {
		if err := f.Failed(); err != nil {
			return err
		}
		return ErrClosed
	}
	return f.db.View(read)
}

// Range reads a bucket.
func (f *File) Range(b Bucket, fn func(key, value []byte) error) error {
	return f.view(func(tx *bbolt.Tx) error {
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
	err = f.view(func(tx *bbolt.Tx) error {
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
		return nil, fmt.Errorf("%w: %s: an entry of %q is not what was sealed", ErrDamaged, f.path, b.Name)
	}
	return opened, nil
}
