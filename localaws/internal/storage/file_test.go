// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
)

var (
	sealed = Bucket{Name: "test/sealed"}
	plain  = Bucket{Name: "test/plain", PlainValues: true}
)

func mustOpen(t testing.TB, dir string) *File {
	t.Helper()
	f, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func put(t testing.TB, f *File, b Bucket, key, value string) {
	t.Helper()
	tx := new(Tx)
	tx.Put(b, []byte(key), []byte(value))
	if err := f.Submit(tx).Wait(); err != nil {
		t.Fatal(err)
	}
}

func contents(t testing.TB, f *File, b Bucket) map[string]string {
	t.Helper()
	got := map[string]string{}
	if err := f.Range(b, func(key, value []byte) error {
		got[string(key)] = string(value)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestValuesSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir)
	put(t, f, sealed, "a", "secret one")
	put(t, f, sealed, "b", "secret two")
	put(t, f, plain, "p", "as given")
	tx := new(Tx)
	tx.Put(sealed, []byte("c"), []byte("three"))
	tx.Delete(sealed, []byte("a"))
	tx.Delete(Bucket{Name: "nowhere"}, []byte("a"))
	tx.Drop(Bucket{Name: "nowhere"})
	if err := f.Submit(tx).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal("second Close:", err)
	}
	if err := f.Submit(tx).Wait(); !errors.Is(err, ErrClosed) {
		t.Fatalf("Submit after Close: %v", err)
	}

	f = mustOpen(t, dir)
	if got, want := contents(t, f, sealed),
		(map[string]string{"b": "secret two", "c": "three"}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("sealed bucket: %v, want %v", got, want)
	}
	if got := contents(t, f, plain); got["p"] != "as given" || len(got) != 1 {
		t.Errorf("plain bucket: %v", got)
	}
	if v, err := f.Get(sealed, []byte("c")); err != nil || string(v) != "three" {
		t.Errorf("Get = %q, %v", v, err)
	}
	if v, err := f.Get(sealed, []byte("a")); err != nil || v != nil {
		t.Errorf("Get of a deleted entry = %q, %v", v, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, DataFile))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("secret")) {
		t.Error("a sealed value lies in the file in the clear")
	}
	if !bytes.Contains(raw, []byte("as given")) {
		t.Error("the search of the file would find nothing at all")
	}
}

func TestDropEmptiesBucket(t *testing.T) {
	f := mustOpen(t, t.TempDir())
	put(t, f, plain, "old", "1")
	tx := new(Tx)
	tx.Put(plain, []byte("older"), []byte("2"))
	tx.Drop(plain)
	tx.Put(plain, []byte("new"), []byte("3"))
	if err := f.Submit(tx).Wait(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, f, plain); len(got) != 1 || got["new"] != "3" {
		t.Errorf("after Drop: %v", got)
	}
}

func TestSubmitKeepsOrder(t *testing.T) {
	f := mustOpen(t, t.TempDir())
	var last Pending
	for i := range 500 {
		tx := new(Tx)
		tx.Put(plain, []byte("k"), fmt.Append(nil, i))
		last = f.Submit(tx)
	}
	if err := last.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, f, plain)["k"]; got != "499" {
		t.Errorf("last value is %s", got)
	}
}

func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir)
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 20 {
				tx := new(Tx)
				tx.Put(sealed, fmt.Appendf(nil, "%d/%d", w, i), []byte("v"))
				if err := f.Submit(tx).Wait(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(contents(t, f, sealed)); n != 320 {
		t.Errorf("%d entries of 320", n)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir)
	if _, err := Open(dir, nil); !errors.Is(err, ErrLocked) {
		t.Fatalf("second Open: %v, want ErrLocked", err)
	}
}

// filled makes a data directory with enough entries for branch pages, overflow
// pages and nested structures, and closes it.
func filled(t testing.TB) string {
	dir := t.TempDir()
	f := mustOpen(t, dir)
	tx := new(Tx)
	for i := range 600 {
		value := make([]byte, 40)
		if i%100 == 0 {
			value = make([]byte, 20_000)
		}
		rand.Read(value)
		tx.Put(plain, fmt.Appendf(nil, "key %04d", i), value)
	}
	tx.Put(sealed, []byte("s"), []byte("secret"))
	if err := f.Submit(tx).Wait(); err != nil {
		t.Fatal(err)
	}
	put(t, f, plain, "key 0300", "changed") // so that there are free pages
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mustRefuse opens a directory that must be refused and stay as it is.
func mustRefuse(t testing.TB, dir string, want error) {
	t.Helper()
	sum := func() (all [sha256.Size]byte) {
		h := sha256.New()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(h, "%s %x\n", e.Name(), sha256.Sum256(b))
		}
		h.Sum(all[:0])
		return all
	}
	before := sum()
	f, err := Open(dir, nil)
	if err == nil {
		f.Close()
	}
	if !errors.Is(err, want) {
		t.Fatalf("Open: %v, want %v", err, want)
	}
	if sum() != before {
		t.Fatal("the refused files were changed")
	}
}

func TestTornFileIsRefused(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, DataFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	meta, ok := parseMeta(whole)
	if !ok {
		t.Fatal("no meta page")
	}
	need := int64(meta.high) * meta.pageSize
	for _, n := range []int64{0, 1, 15, 79, 80, 4095, 4096, 8192, 12288, 16384, need / 2, need - meta.pageSize,
		need - 1} {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%d bytes", n), func(t *testing.T) { mustRefuse(t, dir, ErrDamaged) })
	}
}

// TestDamagedPages overwrites one page after the other: every page in use
// either holds only values, which are checked where they are opened, or
// makes Open refuse. In no case may it crash.
func TestDamagedPages(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, DataFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	meta, _ := readMetaOf(t, path)
	for name, fill := range map[string]byte{"zeros": 0, "ones": 0xff, "twos": 2} {
		refused := 0
		for page := uint64(2); page < meta.high; page++ {
			torn := bytes.Clone(whole)
			at := int64(page) * meta.pageSize
			for i := at; i < at+meta.pageSize; i++ {
				torn[i] = fill
			}
			if err := os.WriteFile(path, torn, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(dir, nil)
			if err != nil {
				if !errors.Is(err, ErrDamaged) {
					t.Fatalf("page %d of %s: %v", page, name, err)
				}
				refused++
				continue
			}
			f.Close()
		}
		if refused < 5 {
			t.Errorf("%s: only %d damaged pages of %d were noticed", name, refused, meta.high)
		}
	}
}

func readMetaOf(t testing.TB, path string) (boltMeta, bool) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return readMeta(f)
}

func TestForeignFilesAreRefused(t *testing.T) {
	t.Run("text instead of data", func(t *testing.T) {
		dir := filled(t)
		if err := os.WriteFile(filepath.Join(dir, DataFile), bytes.Repeat([]byte("hello "), 10_000),
			0o600); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, dir, ErrDamaged)
	})
	t.Run("another program's bbolt file", func(t *testing.T) {
		dir := filled(t)
		path := filepath.Join(dir, DataFile)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		db, err := openDB(path, false)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		mustRefuse(t, dir, ErrDamaged)
	})
	t.Run("a newer version's file", func(t *testing.T) {
		dir := filled(t)
		db, err := openDB(filepath.Join(dir, DataFile), false)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(headerBucket)).Put(headerFormat, []byte("2"))
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, dir, ErrFormat)
	})
	t.Run("a directory", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, DataFile), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, nil); !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
	})
}

func TestRootKeyFile(t *testing.T) {
	key := func(dir string) string { return filepath.Join(dir, RootKeyFile) }
	t.Run("only its owner reads it", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("no such modes there")
		}
		info, err := os.Stat(key(filled(t)))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("mode %v, %v", info.Mode(), err)
		}
	})
	t.Run("readable by others", func(t *testing.T) {
		if runtime.GOOS == "windows" {
			t.Skip("no such modes there")
		}
		dir := filled(t)
		if err := os.Chmod(key(dir), 0o644); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, dir, ErrRootKey)
	})
	t.Run("missing", func(t *testing.T) {
		dir := filled(t)
		if err := os.Remove(key(dir)); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, dir, ErrRootKey)
	})
	t.Run("of other data", func(t *testing.T) {
		dir, other := filled(t), filled(t)
		b, err := os.ReadFile(key(other))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(key(dir), b, 0o600); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, dir, ErrRootKey)
	})
	t.Run("not one", func(t *testing.T) {
		dir := filled(t)
		if err := os.WriteFile(key(dir), []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, dir, ErrRootKey)
	})
}

func TestMovedValueDoesNotOpen(t *testing.T) {
	f := mustOpen(t, t.TempDir())
	put(t, f, sealed, "a", "of a")
	raw, err := f.Get(Bucket{Name: sealed.Name, PlainValues: true}, []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, f, Bucket{Name: sealed.Name, PlainValues: true}, "b", string(raw))
	if _, err := f.Get(sealed, []byte("b")); !errors.Is(err, ErrDamaged) {
		t.Fatalf("a value under another key: %v, want ErrDamaged", err)
	}
	err = f.Range(sealed, func(_, _ []byte) error { return nil })
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("Range: %v, want ErrDamaged", err)
	}
}

func TestFailureStopsTheStore(t *testing.T) {
	f := mustOpen(t, t.TempDir())
	tx := new(Tx)
	tx.Put(plain, bytes.Repeat([]byte("k"), 40_000), []byte("longer than a key may be"))
	if err := f.Submit(tx).Wait(); !errors.Is(err, ErrRefused) {
		t.Fatalf("an impossible key was stored: %v", err)
	}
	after := new(Tx)
	after.Put(plain, []byte("k"), []byte("v"))
	if err := f.Submit(after).Wait(); err == nil {
		t.Fatal("the store went on after a failure")
	}
	if err := f.Submit(new(Tx)).Wait(); err == nil {
		t.Fatal("what was lost counts as durable")
	}
	if f.Failed() == nil {
		t.Fatal("the failure is not told")
	}
	<-f.Down()
}

func TestEmptyTransactionWaits(t *testing.T) {
	f := mustOpen(t, t.TempDir())
	if err := f.Submit(new(Tx)).Wait(); err != nil {
		t.Fatal(err)
	}
	busy, err := f.db.Begin(true) // holds up the writer
	if err != nil {
		t.Fatal(err)
	}
	tx := new(Tx)
	tx.Put(plain, []byte("k"), []byte("v"))
	f.Submit(tx)
	empty := f.Submit(new(Tx))
	select {
	case <-empty.(*filePending).done:
		t.Error("what was submitted before is not durable yet")
	default:
	}
	if err := busy.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := empty.Wait(); err != nil || contents(t, f, plain)["k"] != "v" {
		t.Errorf("%v, %v", contents(t, f, plain), err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Submit(new(Tx)).Wait(); err != nil {
		t.Errorf("all was durable before Close: %v", err)
	}
	if err := f.Failed(); err != nil {
		t.Error(err)
	}
}

func BenchmarkDurableSubmit(b *testing.B) {
	f := mustOpen(b, b.TempDir())
	value := make([]byte, 1024)
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		key := make([]byte, 32)
		for pb.Next() {
			rand.Read(key)
			tx := new(Tx)
			tx.Put(plain, bytes.Clone(key), value)
			if err := f.Submit(tx).Wait(); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
}
