// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

// attached starts a log over what a store holds.
func attached(t testing.TB, limit int, store storage.Store) *Log {
	t.Helper()
	l := NewLog(limit)
	if err := l.Attach(store); err != nil {
		t.Fatal(err)
	}
	return l
}

// texts are the events as they can be compared.
func texts(t testing.TB, l *Log) (all []string) {
	t.Helper()
	for _, e := range l.Events() {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(e.seq, " ", e.size-sizeOfDecision(e), " ", e.Unauthenticated, " ", string(text)))
	}
	return all
}

func sizeOfDecision(e *Event) int {
	if e.decision == nil {
		return 0
	}
	return e.decision.Size()
}

// everything records one event of each kind.
func everything(l *Log) {
	l.Record(newCall(root, "kms", "CreateKey"), write, nil)
	shared := newCall(user, "kms", "Decrypt")
	shared.AccountID, shared.Caller.Principal.AccountID = other, other
	shared.Trail = request.Trail{Resources: keyTouched, RequestParameters: map[string]string{"keyId": "<&\u202e>"},
		ResponseElements: map[string]any{"x": nil}, Additional: map[string]any{"a": 1}}
	l.Record(shared, read, nil)
	l.Record(newCall(role, "dynamodb", "GetItem"), data, errors.New("internal"))
	l.RecordUnauthenticated(newCall(user, "iam", "GetUser"), read, request.Errorf("InvalidSignatureException", "no"))
}

// A new start has the events of the one before, in their order, with their
// numbers, and goes on behind them.
func TestJournal(t *testing.T) {
	store := storagetest.NewRecorder()
	l := attached(t, 0, store)
	everything(l)
	want := texts(t, l)
	first, err := lookup(l, true, "us-east-1", `{"MaxResults":1}`)
	if err != nil || len(first.Events) != 1 {
		t.Fatal(first, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l = attached(t, 0, store)
		everything(l) // maybe before the others are read
		got := texts(t, l)
		if diff := cmp.Diff(want, got[:len(want)]); diff != "" {
			t.Fatalf("the events differ (-before +after):\n%s", diff)
		}
		if len(got) != len(want)+5 || l.Events()[len(want)].seq != uint64(len(want))+1 {
			t.Fatalf("%d events, want %d", len(got), len(want)+5)
		}
		want = got
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l = attached(t, 0, store)
	found, err := lookup(l, true, "us-east-1", `{}`)
	if err != nil || len(found.Events) != 6 {
		t.Errorf("%d management events in the account, %v", len(found.Events), err)
	}
	// A page goes on over the restart.
	second, err := lookup(l, true, "us-east-1", `{"MaxResults":50,"NextToken":"`+first.NextToken+`"}`)
	if first.NextToken == "" || err != nil || len(second.Events) != 1 {
		t.Errorf("%q, %d events, %v", first.NextToken, len(second.Events), err)
	}
}

// Events are filed at the end of a window, together, and then nothing is done
// until there are others.
func TestFilingWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &counted{Recorder: storagetest.NewRecorder()}
		l := attached(t, 0, store)
		time.Sleep(10 * FilingWindow)
		everything(l)
		time.Sleep(FilingWindow / 2)
		everything(l)
		if n := store.submits.Load(); n != 0 {
			t.Errorf("%d transactions before the window ends", n)
		}
		time.Sleep(FilingWindow)
		synctest.Wait()
		if n := store.submits.Load(); n != 1 {
			t.Errorf("%d transactions for one window", n)
		}
		l.Record(newCall(root, "kms", "Late"), write, nil) // a kill follows
		killed := attached(t, 0, store)
		if n := len(killed.Events()); n != 10 {
			t.Errorf("%d events after a kill, want the 10 of the window", n)
		}
		time.Sleep(100 * FilingWindow)
		if n := store.submits.Load(); n != 2 {
			t.Errorf("%d transactions for two windows with events", n)
		}
		if err := l.Close(); err != nil || store.submits.Load() != 2 {
			t.Errorf("Close with nothing to file: %v, %d transactions", err, store.submits.Load())
		}
		l.Record(newCall(root, "kms", "AfterClose"), write, nil)
		time.Sleep(10 * FilingWindow)
		if n := store.submits.Load(); n != 2 {
			t.Error("something was filed after Close")
		}
	})
}

// counted is a store that counts transactions, and can fail.
type counted struct {
	*storagetest.Recorder
	submits atomic.Int64
	failed  atomic.Pointer[error]
}

func (c *counted) Submit(tx *storage.Tx) storage.Pending {
	c.submits.Add(1)
	return c.Recorder.Submit(tx)
}

func (c *counted) Failed() error {
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// While the store cannot write, nothing piles up in it; afterwards everything
// that memory keeps is filed.
func TestJournalOfFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &counted{Recorder: storagetest.NewRecorder()}
		l := attached(t, 0, store)
		full := storage.ErrDiskFull
		store.failed.Store(&full)
		everything(l)
		time.Sleep(20 * FilingWindow)
		if n := store.submits.Load(); n != 0 {
			t.Errorf("%d transactions", n)
		}
		store.failed.Store(nil)
		time.Sleep(2 * FilingWindow)
		synctest.Wait()
		if n := len(attached(t, 0, store).Events()); store.submits.Load() != 1 || n != 5 {
			t.Errorf("%d transactions, %d events", store.submits.Load(), n)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// The store keeps as many events as memory, and a chunk more.
func TestJournalIsBounded(t *testing.T) {
	const limit, perRun = 20, 7
	store := storagetest.NewRecorder()
	for run := range 30 {
		l := attached(t, limit, store)
		for i := range perRun {
			l.Record(newCall(user, "kms", fmt.Sprint("Op", run*perRun+i)), read, nil)
			l.Record(newCall(user, "dynamodb", "GetItem"), data, nil)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	events, chunks := 0, 0
	if err := store.Range(chunkBucket, func(_, value []byte) error {
		chunks++
		events += strings.Count(string(value), "\n")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if events > 2*(limit+perRun) || chunks > 2*(limit/perRun+2) {
		t.Errorf("%d events in %d chunks are filed", events, chunks)
	}
	l := attached(t, limit, store)
	if n := len(l.Events()); n != 2*limit || last(t, l).EventName != "GetItem" {
		t.Errorf("%d events", n)
	}
	if got := l.management(account, 1<<62, 1, func(*Event) bool { return true }); got[0].EventName != "Op209" {
		t.Errorf("the newest is %s", got[0].EventName)
	}
	// Large events are filed in chunks of their own.
	for range limit {
		c := newCall(user, "kms", "Large")
		c.Trail.RequestParameters = strings.Repeat("x", 90<<10)
		l.Record(c, read, nil)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.Range(chunkBucket, func(_, value []byte) error {
		if len(value) > maxChunk+100<<10 {
			t.Errorf("a chunk of %d bytes", len(value))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Damage is told to those who look for events; new ones are kept all the same,
// and what is damaged stays.
func TestDamagedJournal(t *testing.T) {
	for name, spoil := range map[string]func(tx *storage.Tx, key, value []byte){
		"torn":      func(tx *storage.Tx, key, value []byte) { tx.Put(chunkBucket, key, value[:len(value)/2]) },
		"empty":     func(tx *storage.Tx, key, value []byte) { tx.Put(chunkBucket, key, []byte{}) },
		"no event":  func(tx *storage.Tx, key, value []byte) { tx.Put(chunkBucket, key, []byte("{}\n")) },
		"moved":     func(tx *storage.Tx, key, value []byte) { tx.Put(chunkBucket, ringID{account, 'm'}.key(99), value) },
		"bad key":   func(tx *storage.Tx, key, value []byte) { tx.Put(chunkBucket, []byte("12345678"), value) },
		"short key": func(tx *storage.Tx, key, value []byte) { tx.Put(chunkBucket, []byte("1"), value) },
	} {
		t.Run(name, func(t *testing.T) {
			store := storagetest.NewRecorder()
			l := attached(t, 0, store)
			everything(l)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			tx, before := new(storage.Tx), 0
			if err := store.Range(chunkBucket, func(key, value []byte) error {
				before++
				spoil(tx, key, value)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := store.Submit(tx).Wait(); err != nil {
				t.Fatal(err)
			}
			l = attached(t, 0, store)
			if _, err := lookup(l, true, "us-east-1", `{}`); !errors.Is(err, storage.ErrDamaged) {
				t.Errorf("lookup: %v", err)
			}
			everything(l)
			if n := len(l.Events()); n != 5 {
				t.Errorf("%d events", n)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			after := 0
			_ = store.Range(chunkBucket, func(_, _ []byte) error { after++; return nil })
			if after < before+3 {
				t.Errorf("%d chunks of %d are left", after, before)
			}
		})
	}
	t.Run("number", func(t *testing.T) {
		store, tx := storagetest.NewRecorder(), new(storage.Tx)
		tx.Put(stateBucket, sequenceKey, []byte("1"))
		_ = store.Submit(tx).Wait()
		if err := NewLog(0).Attach(store); !errors.Is(err, storage.ErrDamaged) {
			t.Error(err)
		}
	})
}

func TestKeysOfChunks(t *testing.T) {
	for _, id := range []ringID{{account, 'm'}, {"", 'd'}, {"a/b", 'u'}} {
		if got, first, ok := parseKey(id.key(1 << 40)); !ok || got != id || first != 1<<40 {
			t.Errorf("%v: %v, %d, %v", id, got, first, ok)
		}
	}
}

// BenchmarkJournalLoad reads an audit that is full.
func BenchmarkJournalLoad(b *testing.B) {
	store := storagetest.NewRecorder()
	l := attached(b, 0, store)
	for range DefaultLimit {
		l.Record(newCall(role, "dynamodb", "GetItem"), data, nil)
		l.Record(newCall(user, "kms", "Decrypt"), read, nil)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if n := len(attached(b, 0, store).Events()); n != 2*DefaultLimit {
			b.Fatal(n)
		}
	}
}

// BenchmarkRecord files events in a store, as a server with a data directory.
func BenchmarkRecord(b *testing.B) {
	for name, store := range map[string]storage.Store{"memory": storage.Memory{},
		"durable": storagetest.NewRecorder()} {
		b.Run(name, func(b *testing.B) {
			l := attached(b, 0, store)
			c := newCall(role, "dynamodb", "GetItem")
			b.ReportAllocs()
			for b.Loop() {
				l.Record(c, data, nil)
			}
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
