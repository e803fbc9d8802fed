// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// What follows a commit that failed.
//
// Services change their values before they submit, so memory holds what the
// file lacks. The store owes those changes: it refuses requests, tries the same
// transaction again until it succeeds, and then memory and file agree. Nothing
// that a request was answered with success for is among them.
//
// The file is intact meanwhile. bbolt writes a transaction to pages that the
// last one does not use, and syncs them before it writes one of the two meta
// pages, which have a checksum. A failure leaves one of two states behind, and
// a transaction may be applied to either, because its changes set and remove
// entries and depend on nothing. Only which of the two it is can be unknown:
// after a failed sync the cache may hold a meta page that the disk lacks. Both
// meta pages are therefore written and synced again before anything else is
// written over pages that one of them still uses, and the file is examined and
// opened as at a start.

const (
	firstRetry   = 50 * time.Millisecond
	longestRetry = time.Second
	// reminder is how often a problem that lasts is logged.
	reminder = time.Minute
	// probeRoom is how much room there has to be at least before the store
	// tries to write again.
	probeRoom = 256 << 10
	probeFile = DataFile + ".probe"
)

// outlast tries to write what is owed until it succeeds, the store is closed,
// or the problem turns out to be final.
func (f *File) outlast(owed []*filePending) {
	began := time.Now()
	for wait := f.firstRetry; ; {
		closing := f.pause(wait)
		owed = append(owed, f.take()...)
		tried := time.Now()
		problem := f.retry(owed)
		if problem == nil {
			if owed = f.resume(owed); owed == nil {
				f.log.Warn("the data folder can be written again",
					"dir", filepath.Dir(f.path), "after", time.Since(began).Round(time.Millisecond))
				return
			}
			continue
		}
		f.fail(problem, owed)
		if closing || problem.Final {
			return
		}
		// To examine a large file takes a while; that must not be all it does.
		wait = max(min(2*wait, longestRetry), 4*time.Since(tried))
	}
}

// pause waits, and reports whether the store is being closed.
func (f *File) pause(d time.Duration) (closing bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return false
	case <-f.closing:
		return true
	}
}

// retry writes what is owed, if there is room for it.
func (f *File) retry(owed []*filePending) *Problem {
	room := int64(probeRoom)
	for _, p := range owed {
		room += p.tx.size()
	}
	if err := f.probe(room); err != nil {
		return diagnose(err)
	}
	if err := f.reopen(); err != nil {
		return diagnose(err)
	}
	return f.commit(owed)
}

// resume ends the failure, unless more was submitted since; that is owed then.
func (f *File) resume(written []*filePending) (owed []*filePending) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range written {
		p.settle(nil)
	}
	if owed, f.queue = f.queue, nil; len(owed) > 0 {
		return owed
	}
	f.failed = nil
	return nil
}

// fail tells everyone who waits or asks that what they submitted is not
// written, and logs a new problem.
func (f *File) fail(problem *Problem, owed []*filePending) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if problem.Final && (f.failed == nil || !f.failed.Final) {
		close(f.down)
	}
	news := f.failed == nil || f.failed.Kind != problem.Kind || f.failed.Final != problem.Final ||
		time.Since(f.logged) >= reminder
	f.failed = problem
	for _, p := range owed {
		p.settle(problem)
	}
	if !news {
		return
	}
	f.logged = time.Now()
	what := "every request is refused until that is over"
	if problem.Final {
		what = "only a new start helps"
	}
	f.log.Error("the data folder cannot be written: "+problem.Kind.Error()+"; "+what,
		"dir", filepath.Dir(f.path), "error", problem.Cause)
}

// probe finds out whether there is room for the data file to grow, and why not
// where bbolt keeps the cause to itself.
func (f *File) probe(room int64) error {
	if err := f.fault(); err != nil {
		return err
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	return probe(filepath.Dir(f.path), info.Size(), room)
}

// probe writes to a file in dir, from an offset on, and removes it.
func probe(dir string, at, room int64) error {
	if runtime.GOOS == "windows" { // which would fill the file up to there
		at = 0
	}
	p, err := os.OpenFile(filepath.Join(dir, probeFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(p.Name())
	block := make([]byte, 64<<10)
	for n := int64(0); n < room && err == nil; n += int64(len(block)) {
		_, err = p.WriteAt(block, at+n)
	}
	if err == nil {
		err = p.Sync()
	}
	if closeErr := p.Close(); err == nil {
		err = closeErr
	}
	return err
}

// reopen brings bbolt's view of the file back to what the disk holds.
func (f *File) reopen() error {
	f.access.Lock()
	defer f.access.Unlock()
	if f.db != nil {
		// The lock on the file is still held: no other process writes.
		if err := rewriteHeads(f.path); err != nil {
			return err
		}
		err := f.db.Close()
		f.db = nil
		if err != nil {
			return fmt.Errorf("close data file: %w", err)
		}
	}
	if err := examine(f.path, f.seal); err != nil {
		return err
	}
	db, err := openDB(f.path, false)
	if err != nil {
		return err
	}
	f.use(db)
	return nil
}

// rewriteHeads writes both meta pages as they read, so that the disk holds what
// the cache does.
func rewriteHeads(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	meta, _, err := head(file)
	if err != nil {
		return err
	}
	heads := make([]byte, 2*meta.pageSize)
	if _, err := file.ReadAt(heads, 0); err != nil {
		return err
	}
	if _, err := file.WriteAt(heads, 0); err != nil {
		return err
	}
	return file.Sync()
}
