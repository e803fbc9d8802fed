// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"go.etcd.io/bbolt"
)

// disk stands between bbolt and the file.
type disk struct {
	left atomic.Int64 // bytes until the disk fails; negative: it has
	mode atomic.Int32
	sick atomic.Bool
}

// What a failing disk does with the write that fails.
const (
	shortWrite = iota // keeps a part and says ENOSPC
	lostWrite         // keeps nothing and says EIO
	lateError         // keeps everything and says EIO, as a failed sync does
	tornWrite         // keeps half of it, garbage after that
	modes
)

// attach puts d under db. It fails loudly should bbolt change.
func (d *disk) attach(t testing.TB, db *bbolt.DB) {
	field := reflect.ValueOf(db).Elem().FieldByName("ops").FieldByName("writeAt")
	if !field.IsValid() {
		t.Fatal("bbolt has no ops.writeAt any more: find another place for the faults")
	}
	writeAt := (*func([]byte, int64) (int, error))(unsafe.Pointer(field.UnsafeAddr()))
	inner := *writeAt
	*writeAt = func(b []byte, at int64) (int, error) {
		if !d.sick.Load() || d.left.Add(-int64(len(b))) >= 0 {
			return inner(b, at)
		}
		switch d.mode.Load() {
		case shortWrite:
			n, err := inner(b[:len(b)/3], at)
			return n, errors.Join(&os.PathError{Op: "write", Path: db.Path(), Err: syscall.ENOSPC}, err)
		case lateError:
			_, err := inner(b, at)
			return 0, errors.Join(syscall.EIO, err)
		case tornWrite:
			torn := bytes.Clone(b)
			for i := len(torn) / 2; i < len(torn); i++ {
				torn[i] = 0xa5
			}
			_, err := inner(torn, at)
			return 0, errors.Join(syscall.EIO, err)
		}
		return 0, syscall.EIO
	}
	db.NoSync = true // the file is read back from the cache
}

// ill makes the disk fail after some bytes.
func (d *disk) ill(after int64, mode int32) {
	d.left.Store(after)
	d.mode.Store(mode)
	d.sick.Store(true)
}

// openOn opens a store over d that tries again soon.
func openOn(t testing.TB, dir string, d *disk, log *slog.Logger) *File {
	t.Helper()
	f, err := open(dir, func(db *bbolt.DB) { d.attach(t, db) })
	if err != nil {
		t.Fatal(err)
	}
	f.firstRetry = time.Millisecond
	if log != nil {
		f.log = log
	}
	go f.writer()
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// healthy waits until the store can write.
func healthy(t testing.TB, f *File) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); f.Failed() != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the store does not recover: %v", f.Failed())
		}
	}
}

// history is what was submitted, as the state after each transaction.
type history struct {
	states []map[string]string
	known  int // the index of the newest state that was acknowledged
}

// random makes a transaction and the state after it.
func (h *history) random(r *rand.Rand, n int) *Tx {
	tx, next := new(Tx), maps.Clone(h.states[len(h.states)-1])
	if r.IntN(25) == 0 {
		tx.Drop(plain)
		clear(next)
	}
	for range 1 + r.IntN(4) {
		key := fmt.Sprintf("key %02d", r.IntN(40))
		if r.IntN(4) == 0 {
			tx.Delete(plain, []byte(key))
			delete(next, key)
			continue
		}
		value := fmt.Sprintf("%d %s", n, strings.Repeat("v", r.IntN(1<<r.IntN(14))))
		tx.Put(plain, []byte(key), []byte(value))
		next[key] = value
	}
	h.states = append(h.states, next)
	return tx
}

// find reports which acknowledged or later state got is, or -1.
func (h *history) find(got map[string]string) int {
	for i := len(h.states) - 1; i >= h.known; i-- {
		if maps.Equal(got, h.states[i]) {
			return i
		}
	}
	return -1
}

// TestRecovery lets the disk fail at any byte and in several ways. At every
// moment the file holds a state that transactions have left, none older than
// what was acknowledged, and after the disk is well again it holds everything.
func TestRecovery(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	dir, d := t.TempDir(), new(disk)
	f := openOn(t, dir, d, nil)
	h := &history{states: []map[string]string{{}}}
	failures, n := 0, 0
	for round := range 100 {
		d.ill(r.Int64N(1<<r.IntN(17)), r.Int32N(modes))
		for range 1 + r.IntN(4) {
			var pending []Pending
			for range 1 + r.IntN(4) {
				n++
				pending = append(pending, f.Submit(h.random(r, n)))
			}
			first := len(h.states) - len(pending)
			for i, p := range pending {
				if err := p.Wait(); err == nil {
					h.known = first + i
				} else if !errors.Is(err, ErrDiskFull) && !errors.Is(err, ErrDisk) {
					t.Fatalf("round %d: %v", round, err)
				}
			}
		}
		if f.Failed() != nil {
			failures++
			if round%5 == 0 {
				killed(t, dir, h)
			}
		}
		d.sick.Store(false)
		healthy(t, f)
		if err := f.Submit(new(Tx)).Wait(); err != nil {
			t.Fatalf("round %d: after the failure: %v", round, err)
		}
		h.known = len(h.states) - 1
		if got := contents(t, f, plain); h.find(got) < 0 {
			t.Fatalf("round %d: %d entries, want %d: something is lost", round, len(got), len(h.states[h.known]))
		}
		if round%20 == 0 {
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			f = openOn(t, dir, d, nil)
			if got := contents(t, f, plain); h.find(got) < 0 {
				t.Fatalf("round %d: something is lost after a new start", round)
			}
		}
	}
	if failures < 15 {
		t.Errorf("the disk failed %d times only", failures)
	}
}

// killed opens what a kill -9 would leave now.
func killed(t *testing.T, dir string, h *history) {
	t.Helper()
	copied := t.TempDir()
	for _, name := range []string{RootKeyFile, DataFile} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(copied, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(copied, nil)
	if err != nil {
		t.Fatalf("what a kill leaves does not open: %v", err)
	}
	defer f.Close()
	if got := contents(t, f, plain); h.find(got) < 0 {
		t.Fatalf("a kill leaves %d entries: something acknowledged is lost, or a transaction is half there", len(got))
	}
}

// After a failed sync the disk can lack a meta page that the cache has, so both
// are written again before anything else is.
func TestHeadsAreWrittenAgain(t *testing.T) {
	dir := t.TempDir()
	path, past := filepath.Join(dir, DataFile), time.Now().Add(-time.Hour).Truncate(time.Second)
	var reopened []time.Time
	f, err := open(dir, func(*bbolt.DB) {
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
			return
		}
		reopened = append(reopened, info.ModTime())
	})
	if err != nil {
		t.Fatal(err)
	}
	f.firstRetry = time.Millisecond
	go f.writer()
	put(t, f, plain, "k", "1")
	f.SetFault(func() error { return syscall.EIO })
	tx := new(Tx)
	tx.Put(plain, []byte("k"), []byte("2"))
	if err := f.Submit(tx).Wait(); !errors.Is(err, ErrDisk) {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, past, past); err != nil {
		t.Fatal(err)
	}
	f.SetFault(nil)
	healthy(t, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if len(reopened) != 2 || !reopened[1].After(past) {
		t.Errorf("opened at %v: the heads of %v were not written again", reopened, past)
	}
	if got := contents(t, mustOpen(t, dir), plain); got["k"] != "2" {
		t.Errorf("%v", got)
	}
}

// A failure is told to those who wait, to those who come later, and in the log
// once; the end of it too.
func TestFullDisk(t *testing.T) {
	var text lockedBuffer
	f, err := open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.firstRetry, f.log = time.Millisecond, slog.New(slog.NewTextHandler(&text, nil))
	go f.writer()
	defer f.Close()
	put(t, f, plain, "before", "1")
	var tries atomic.Int64
	f.SetFault(func() error {
		tries.Add(1)
		return &os.PathError{Op: "write", Path: "/secret/place", Err: syscall.ENOSPC}
	})
	submit := func(key string) Pending {
		tx := new(Tx)
		tx.Put(plain, []byte(key), []byte("2"))
		return f.Submit(tx)
	}
	first := submit("first")
	if err := first.Wait(); !errors.Is(err, ErrDiskFull) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Wait: %v", err)
	}
	second := submit("second") // of a request that was on its way
	if err := second.Wait(); !errors.Is(err, ErrDiskFull) {
		t.Errorf("Wait for a later one: %v", err)
	}
	if err := f.Submit(new(Tx)).Wait(); !errors.Is(err, ErrDiskFull) {
		t.Errorf("what is owed counts as durable: %v", err)
	}
	if err := f.Failed(); !errors.Is(err, ErrDiskFull) || strings.Contains(Explain(err), "/") ||
		!strings.Contains(Explain(err), "disk is full") {
		t.Errorf("Failed: %v, explained as %q", err, Explain(err))
	}
	for tries.Load() < 4 {
		time.Sleep(time.Millisecond)
	}
	if n := strings.Count(text.String(), "\n"); n != 1 || !strings.Contains(text.String(), "level=ERROR") ||
		!strings.Contains(text.String(), "the disk is full") {
		t.Errorf("logged so far:\n%s", text.String())
	}
	f.SetFault(nil)
	healthy(t, f)
	for _, p := range []Pending{first, second, f.Submit(new(Tx))} {
		if err := p.Wait(); err != nil {
			t.Errorf("after the disk has room: %v", err)
		}
	}
	put(t, f, plain, "after", "3")
	if got := contents(t, f, plain); len(got) != 4 {
		t.Errorf("%v", got)
	}
	if n := strings.Count(text.String(), "\n"); n > 2 || !strings.Contains(text.String(), "can be written again") {
		t.Errorf("logged:\n%s", text.String())
	}
	select {
	case <-f.Down():
		t.Error("a full disk ends the store for good")
	default:
	}
}

// Close during a failure tries once more, and tells what is owed.
func TestCloseOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir)
	f.SetFault(func() error { return syscall.ENOSPC })
	tx := new(Tx)
	tx.Put(plain, []byte("k"), []byte("v"))
	if err := f.Submit(tx).Wait(); !errors.Is(err, ErrDiskFull) {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, ErrDiskFull) {
		t.Errorf("Close: %v", err)
	}
	if err := f.Submit(tx).Wait(); !errors.Is(err, ErrDiskFull) {
		t.Errorf("Submit after Close: %v", err)
	}
	if got := contents(t, mustOpen(t, dir), plain); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// Some failures do not pass: the store says so and stops.
func TestFinalFailures(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, f *File)
		want  error
	}{
		"file removed": {func(t *testing.T, f *File) {
			if err := os.Remove(f.path); err != nil {
				t.Skip(err) // an open file cannot be removed on Windows
			}
		}, ErrGone},
		"file damaged": {func(t *testing.T, f *File) {
			w, err := os.OpenFile(f.path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			meta, _ := readMeta(w)
			for page := uint64(2); page < meta.high; page++ {
				if _, err := w.WriteAt(bytes.Repeat([]byte{0xa5}, 16), int64(page)*meta.pageSize); err != nil {
					t.Fatal(err)
				}
			}
		}, ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := open(t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			f.firstRetry = time.Millisecond
			go f.writer()
			defer f.Close()
			put(t, f, plain, "k", "v")
			spoiled := false
			f.SetFault(func() error {
				if !spoiled {
					spoiled = true
					c.spoil(t, f)
					return syscall.EIO
				}
				return nil
			})
			tx := new(Tx)
			tx.Put(plain, []byte("k"), []byte("w"))
			if err := f.Submit(tx).Wait(); err == nil {
				t.Fatal("written")
			}
			select {
			case <-f.Down():
			case <-time.After(10 * time.Second):
				t.Fatal("the store goes on")
			}
			if err := f.Failed(); !errors.Is(err, c.want) || Explain(err) == "" ||
				strings.Contains(Explain(err), f.path) {
				t.Errorf("Failed: %v", err)
			}
			if err := f.Submit(tx).Wait(); !errors.Is(err, c.want) {
				t.Errorf("Submit: %v", err)
			}
		})
	}
}

func TestDiagnosis(t *testing.T) {
	for _, c := range []struct {
		err  error
		kind error
	}{
		{&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, ErrDiskFull},
		{fmt.Errorf("x: %w", syscall.EFBIG), ErrDiskFull},
		{syscall.EDQUOT, ErrDiskFull},
		{syscall.EROFS, ErrReadOnly},
		{&os.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, ErrReadOnly},
		{syscall.EIO, ErrDisk},
		{errors.New("anything"), ErrDisk},
		{&os.PathError{Op: "stat", Path: "x", Err: syscall.ENOENT}, ErrGone},
		{fmt.Errorf("x: %w", ErrLocked), ErrLocked},
	} {
		p := diagnose(c.err)
		if !errors.Is(p, c.kind) || !errors.Is(p, c.err) || Explain(p) == "" {
			t.Errorf("%v: %v, explained as %q", c.err, p, Explain(p))
		}
		if again := diagnose(fmt.Errorf("y: %w", p)); again != p {
			t.Errorf("%v is diagnosed twice", p)
		}
	}
	if got := Explain(errors.New("of another origin")); got != "" {
		t.Errorf("%q", got)
	}
}
