// SPDX-License-Identifier: Apache-2.0

package table

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// inaccessibleAfter is how long a key must have been unusable before the
// table's status says so. AWS gives no number; a quarter of an hour to an
// hour and a quarter were seen.
const inaccessibleAfter = time.Hour

// Counts is what a description says of a table besides its definition.
type Counts struct {
	Status  string    // as TableStatus
	Noticed time.Time // when the table became INACCESSIBLE_ENCRYPTION_CREDENTIALS
	Items   int
	Bytes   int64                  // of the items, or of what lies on disk before they are loaded
	Index   map[string]IndexCounts // by name
}

// IndexCounts is the number of an index's entries and their size in bytes.
type IndexCounts struct {
	Items int
	Bytes int64
}

// Describe returns the definition together with the counts of the same moment.
func (t *Table) Describe(now time.Time) (*schema.Definition, Counts) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.def.Load(), t.count(now)
}

// count returns the counts; the caller holds the lock. While the items are
// still sealed on disk the size is that of what lies there.
func (t *Table) count(now time.Time) Counts {
	def := t.def.Load()
	c := Counts{Status: def.Status(now), Items: t.items.Len(), Bytes: t.bytes, Index: map[string]IndexCounts{}}
	if since := t.inaccessible.Load(); since != nil && c.Status == "ACTIVE" &&
		!now.Before(since.Add(inaccessibleAfter)) {
		c.Status, c.Noticed = "INACCESSIBLE_ENCRYPTION_CREDENTIALS", since.Add(inaccessibleAfter)
	}
	for _, set := range [][]*index{t.local, t.global} {
		for _, i := range set {
			c.Index[i.def.Name] = IndexCounts{i.entries.Len(), i.bytes}
		}
	}
	if !t.loaded.Load() {
		_ = t.store.Range(bucketItems(def.ID, def.Encryption.Generation), func(_, value []byte) error {
			c.Items++
			c.Bytes += int64(len(value))
			return nil
		})
	}
	return c
}
