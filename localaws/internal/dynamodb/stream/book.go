// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/ddbseal/ddbseal/localaws/internal/wire"
)

// Config is what streams stand on. Clock, Store and Life must be set.
type Config struct {
	Clock func() time.Time
	Store storage.Store
	Life  time.Duration // how long a shard takes records
	// Split reports whether the shard of a record of a table splits in two before
	// it takes the record. It may be nil.
	Split func(table string) bool
}

// Book holds the streams of all accounts and Regions. Its methods may be called at
// the same time.
type Book struct {
	cfg Config

	mu      sync.Mutex
	streams map[string]*Stream // by ARN
}

// Open returns the book with the streams in cfg.Store.
func Open(cfg Config) (*Book, error) {
	b := &Book{cfg: cfg, streams: map[string]*Stream{}}
	err := cfg.Store.Range(bucketStreams, func(key, value []byte) error {
		s := &Stream{ARN: string(key), cfg: &b.cfg}
		if err := json.Unmarshal(value, &s.kept); err != nil {
			return fmt.Errorf("stream record %q: %w", key, err)
		}
		if s.kept.Table == nil || s.kept.Table.StreamARN() != s.ARN {
			return fmt.Errorf("stream record %q: it is the record of another stream", key)
		}
		for _, shard := range s.kept.Shards {
			s.last = max(s.last, shard.last())
		}
		b.streams[s.ARN] = s
		return nil
	})
	return b, err
}

var arnRule = regexp.MustCompile(`^arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):([0-9]{12}):table/([a-zA-Z0-9_.-]+)/stream/` +
	`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}$`)

// Locate takes the ARN of a stream apart: it returns the place and the name of the
// table, with the ARN of the stream. It returns false for any other text.
func Locate(arn string) (schema.Target, bool) {
	m := arnRule.FindStringSubmatch(arn)
	if m == nil {
		return schema.Target{}, false
	}
	return schema.Target{Place: wire.Place{Account: m[2], Region: m[1]}, Name: m[3], ARN: arn}, true
}

// Label sets the label of a stream that a table is about to begin: the time, and
// unlike the label of every other stream of a table of that name.
func (b *Book) Label(def *schema.Definition) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at := b.cfg.Clock().UTC(); ; at = at.Add(time.Millisecond) {
		def.Stream.Label = at.Format("2006-01-02T15:04:05.000")
		if b.streams[def.StreamARN()] == nil {
			return
		}
	}
}

// Start begins the stream that the definition of a table names, and files it in tx.
func (b *Book) Start(tx *storage.Tx, def *schema.Definition) *Stream {
	s := start(&b.cfg, def, b.cfg.Clock())
	s.save(tx)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.streams[s.ARN] = s
	return s
}

// Find returns a stream, or nil if there is none of the ARN.
func (b *Book) Find(arn string) *Stream {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	return b.streams[arn]
}

// NotFound returns the ResourceNotFoundException that names a missing stream.
func NotFound(arn string) error {
	return request.Errorf("ResourceNotFoundException", "Requested resource not found: Stream: %s not found", arn)
}

// List returns the streams of a table, or of all tables whose ARN begins with a
// prefix, in the order of their ARNs.
func (b *Book) List(prefix string) []*Stream {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep()
	var list []*Stream
	for arn, s := range b.streams {
		if strings.HasPrefix(arn, prefix) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *Stream) int { return cmp.Compare(a.ARN, b.ARN) })
	return list
}

// sweep removes the streams that ended long ago. The caller holds the lock. Nothing
// waits for the removal: what comes back after a crash is removed again.
func (b *Book) sweep() {
	now := b.cfg.Clock()
	tx := new(storage.Tx)
	for arn, s := range b.streams {
		if s.over(now) {
			delete(b.streams, arn)
			tx.Delete(bucketStreams, []byte(arn))
			tx.Drop(bucketRecords(arn, s.Table().Encryption.Generation))
		}
	}
	if tx.Len() > 0 {
		b.cfg.Store.Submit(tx)
	}
}
