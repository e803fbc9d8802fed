// SPDX-License-Identifier: Apache-2.0

package table

import (
	"encoding/binary"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
	"github.com/tidwall/btree"
)

// expiryQueue orders the items of a table with time to live by their time.
type expiryQueue struct {
	set btree.Set[string] // epoch seconds (8 bytes) and primary key
	// first is the earliest second of the set, the latest possible if the set
	// is empty. It is read without the table's lock.
	first atomic.Int64
}

// staleAfter: DynamoDB leaves items alone whose time is more than five years
// past, since they were hardly meant to expire.
const staleAfter = 5 * 365 * 24 * time.Hour

// expiryOf returns the second at which an item expires.
func expiryOf(attribute string, it schema.Item) (int64, bool) {
	if attribute == "" {
		return 0, false
	}
	n, ok := it[attribute].(*types.AttributeValueMemberN)
	if !ok {
		return 0, false
	}
	sec, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || f > 1<<50 {
			return 0, false
		}
		sec = int64(f)
	}
	return sec, sec > 0
}

func expiryKey(sec int64, key string) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(sec))
	return string(b[:]) + key
}

// init empties the queue.
func (q *expiryQueue) init() {
	q.set = btree.Set[string]{}
	q.first.Store(math.MaxInt64)
}

// place puts the time of e in the place of that of old, either of which may be
// nil.
func (q *expiryQueue) place(attribute string, old, e *Entry) {
	if attribute == "" {
		return
	}
	if old != nil {
		if sec, ok := expiryOf(attribute, old.Item); ok {
			q.set.Delete(expiryKey(sec, old.Key))
		}
	}
	if e != nil {
		if sec, ok := expiryOf(attribute, e.Item); ok {
			q.set.Insert(expiryKey(sec, e.Key))
		}
	}
	first := int64(math.MaxInt64)
	if key, ok := q.set.Min(); ok {
		first = int64(binary.BigEndian.Uint64([]byte(key[:8])))
	}
	q.first.Store(first)
}

// due returns the primary keys that expired by now; none without allocating.
func (q *expiryQueue) due(now time.Time) []string {
	if now.Unix() <= q.first.Load() {
		return nil
	}
	end := expiryKey(now.Unix(), "")
	var keys []string
	q.set.Ascend(expiryKey(max(0, now.Add(-staleAfter).Unix()), ""), func(k string) bool {
		if k >= end {
			return false
		}
		keys = append(keys, k[8:])
		return true
	})
	return keys
}

// Expire deletes what is due. It runs at the start of every data call on the
// table, so that the clock alone decides what can be seen.
func (t *Table) Expire(now time.Time) error {
	if now.Unix() <= t.expiry.first.Load() {
		return nil
	}
	t.mu.RLock()
	due := len(t.expiry.due(now)) > 0 // not what was due too long ago
	t.mu.RUnlock()
	if !due {
		return nil
	}
	return Wait(t.deleteDue(now))
}

func (t *Table) deleteDue(now time.Time) storage.Pending {
	t.mu.Lock()
	defer t.mu.Unlock()
	tx := new(storage.Tx)
	for _, key := range t.expiry.due(now) {
		if old := t.Get(key); old != nil {
			t.change(tx, old, nil, true)
		}
	}
	return t.store.Submit(tx)
}
