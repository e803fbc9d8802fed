// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// FilingWindow is how long an event may wait until it is filed. That many of
// the newest events are lost when the process is killed; Close files them all.
const FilingWindow = time.Second

var (
	chunkBucket = storage.Bucket{Name: "cloudtrail/events"}
	stateBucket = storage.Bucket{Name: "cloudtrail/state"}
	sequenceKey = []byte("sequence")
)

// maxChunk is about how many bytes of events are filed under one key.
const maxChunk = 256 << 10

// journal files the events of a Log in a store: in chunks, one or a few for
// each ring and window, so that requests neither wait for it nor pay for it. A
// chunk goes away when the ring has let go of its last event, so the store
// keeps about as much as memory does.
//
// A chunk's key is the account, a slash, the ring's letter, a slash and the
// number of its first event, 8 bytes. Its value is a line of JSON for each
// event. The state has the number of the newest event that was filed.
type journal struct {
	log   *Log
	store storage.Store
	timer *time.Timer

	// Guarded by Log.mu.
	armed, closed bool

	loaded chan struct{} // closed when the events of earlier runs are there
	err    error         // why they are not; set before loaded is closed

	filing sync.Mutex // guards the rest
	filed  uint64     // the number of the newest event that was filed
	chunks map[ringID][]chunk
}

// ringID names a ring: its account and its letter.
type ringID struct {
	account string
	kind    byte
}

// chunk is the numbers of the first and the last event of a chunk.
type chunk struct{ first, last uint64 }

// key returns the key of a chunk of the ring.
func (id ringID) key(first uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(id.account+"/"+string(id.kind)+"/"), first)
}

// parseKey is the reverse of key.
func parseKey(key []byte) (id ringID, first uint64, ok bool) {
	end := len(key) - 8
	if end < 3 || key[end-1] != '/' || key[end-3] != '/' {
		return id, 0, false
	}
	return ringID{string(key[:end-3]), key[end-2]}, binary.BigEndian.Uint64(key[end:]), true
}

// filedEvent is an event as it is filed.
type filedEvent struct {
	Sequence        uint64 `json:"seq"`
	Unauthenticated bool   `json:"unauthenticated,omitempty"`
	Event           *Event `json:"event"`
}

// Attach makes l file its events in store, if that outlives the process, and
// read the events that were filed before. It returns before those are read:
// what needs them waits. Close must be called before the store's.
func (l *Log) Attach(store storage.Store) error {
	if !store.Durable() {
		return nil
	}
	j := &journal{log: l, store: store, loaded: make(chan struct{}), chunks: map[ringID][]chunk{}}
	err := store.Range(stateBucket, func(key, value []byte) error {
		if !bytes.Equal(key, sequenceKey) || len(value) != 8 {
			return fmt.Errorf("%w: the audit's number is not one", storage.ErrDamaged)
		}
		l.seq = binary.BigEndian.Uint64(value)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load audit: %w", err)
	}
	j.filed = l.seq
	j.timer = time.AfterFunc(time.Hour, j.file)
	j.timer.Stop()
	l.journal = j
	go j.load()
	return nil
}

// arm makes sure that an event is filed soon. The caller holds Log.mu.
func (j *journal) arm() {
	if !j.armed && !j.closed {
		j.armed = true
		j.timer.Reset(FilingWindow)
	}
}

// Close files what is not filed yet.
func (l *Log) Close() error {
	j := l.journal
	if j == nil {
		return nil
	}
	l.mu.Lock()
	j.closed = true
	l.mu.Unlock()
	j.timer.Stop()
	return j.write()
}

// file is write at the end of a window.
func (j *journal) file() {
	j.log.mu.Lock()
	j.armed = false
	j.log.mu.Unlock()
	if j.write() != nil {
		// The store says why. What the rings keep is filed once it can be.
		j.log.mu.Lock()
		j.arm()
		j.log.mu.Unlock()
	}
}

// write files the new events, waits for that, and removes what the rings have
// let go of.
func (j *journal) write() error {
	<-j.loaded
	j.filing.Lock()
	defer j.filing.Unlock()
	if err := j.store.Failed(); err != nil {
		return fmt.Errorf("file audit: %w", err)
	}
	fresh, oldest, newest := j.collect()
	if newest == j.filed {
		return nil
	}
	tx := new(storage.Tx)
	for id, events := range fresh {
		for len(events) > 0 {
			text, n, err := encode(events)
			if err != nil {
				return fmt.Errorf("file audit: %w", err)
			}
			c := chunk{events[0].seq, events[n-1].seq}
			tx.Put(chunkBucket, id.key(c.first), text)
			j.chunks[id] = append(j.chunks[id], c)
			events = events[n:]
		}
	}
	for id, chunks := range j.chunks {
		for len(chunks) > 0 && chunks[0].last < oldest[id] {
			tx.Delete(chunkBucket, id.key(chunks[0].first))
			chunks = chunks[1:]
		}
		j.chunks[id] = chunks
	}
	tx.Put(stateBucket, sequenceKey, binary.BigEndian.AppendUint64(nil, newest))
	// What is submitted is written sooner or later, or the store has failed for
	// good.
	j.filed = newest
	return j.store.Submit(tx).Wait()
}

// collect returns for each ring the events that are not filed and the number of
// the oldest that it keeps, and the number of the newest event of all.
func (j *journal) collect() (fresh map[ringID][]*Event, oldest map[ringID]uint64, newest uint64) {
	l := j.log
	fresh, oldest = map[ringID][]*Event{}, map[ringID]uint64{}
	l.mu.RLock()
	defer l.mu.RUnlock()
	for account, a := range l.accounts {
		for kind, r := range a.rings() {
			if len(r.events) == 0 {
				continue
			}
			id := ringID{account, kind}
			oldest[id] = r.events[0].seq
			at, _ := slices.BinarySearchFunc(r.events, j.filed+1, func(e *Event, seq uint64) int {
				if e.seq < seq {
					return -1
				}
				return 1
			})
			if at < len(r.events) {
				fresh[id] = slices.Clone(r.events[at:])
			}
		}
	}
	return fresh, oldest, l.seq
}

// encode returns the text of a chunk of the first n events.
func encode(events []*Event) (text []byte, n int, err error) {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false)
	for _, e := range events {
		if err := lines.Encode(filedEvent{e.seq, e.Unauthenticated, e}); err != nil {
			return nil, 0, err
		}
		if n++; b.Len() >= maxChunk {
			break
		}
	}
	return b.Bytes(), n, nil
}

// load reads what earlier runs have filed, and puts it before what this one has
// recorded meanwhile.
func (j *journal) load() {
	defer close(j.loaded)
	// Values first: a read of the store that takes long would hold up writers.
	var keys, values [][]byte
	err := j.store.Range(chunkBucket, func(key, value []byte) error {
		keys, values = append(keys, key), append(values, value)
		return nil
	})
	if err != nil {
		j.err = fmt.Errorf("load audit: %w", err)
		return
	}
	var old []*Event
	chunks, words := map[ringID][]chunk{}, interner{}
	for i, key := range keys {
		id, first, ok := parseKey(key)
		events, err := decode(values[i], words)
		if err == nil && (!ok || len(events) == 0 || events[0].seq != first) {
			err = errors.New("a chunk under another's key")
		}
		if err != nil {
			j.err = fmt.Errorf("load audit: %w: %w", storage.ErrDamaged, err)
			return
		}
		chunks[id] = append(chunks[id], chunk{first, events[len(events)-1].seq})
		old = append(old, events...)
		values[i] = nil
	}
	j.chunks = chunks // not before: what was not read must not be removed
	j.log.prepend(old)
}

// decode reads the events of a chunk.
func decode(text []byte, words interner) (events []*Event, err error) {
	lines := json.NewDecoder(bytes.NewReader(text))
	for {
		var f filedEvent
		switch err := lines.Decode(&f); {
		case err == io.EOF:
			return events, nil
		case err != nil:
			return nil, err
		case f.Event == nil:
			return nil, errors.New("a line without event")
		}
		e := f.Event
		e.seq, e.Unauthenticated = f.Sequence, f.Unauthenticated
		for _, raw := range []*json.RawMessage{&e.RequestParameters, &e.ResponseElements, &e.AdditionalEventData} {
			if string(*raw) == "null" {
				*raw = nil
			}
		}
		e.measure()
		words.share(e)
		events = append(events, e)
	}
}

// interner keeps one copy of what many events say.
type interner map[string]string

func (words interner) share(e *Event) {
	u := &e.UserIdentity
	for _, s := range []*string{
		&e.EventVersion, &e.EventSource, &e.EventName, &e.AWSRegion, &e.SourceIPAddress, &e.UserAgent, &e.ErrorCode,
		&e.EventType, &e.RecipientAccountID, &e.EventCategory,
		&u.Type, &u.PrincipalID, &u.ARN, &u.AccountID, &u.AccessKeyID, &u.UserName, &u.InvokedBy,
	} {
		word, known := words[*s]
		if !known {
			word = strings.Clone(*s)
			words[word] = word
		}
		*s = word
	}
}

// ready waits until the events of earlier runs are there, and returns why they
// are not.
func (l *Log) ready() error {
	if l.journal == nil {
		return nil
	}
	<-l.journal.loaded
	return l.journal.err
}
