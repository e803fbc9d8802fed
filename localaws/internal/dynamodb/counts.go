package dynamodb

import (
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// inaccessibleAfter is how long a key must have been unusable before the
// table's status says so. AWS gives no number; a quarter of an hour to an
// hour and a quarter were seen.
const inaccessibleAfter = time.Hour

// counts are what a description says of a table beyond its definition.
type counts struct {
	status  string
	noticed time.Time // when the table became INACCESSIBLE_ENCRYPTION_CREDENTIALS
	items   int
	bytes   int64
	index   map[string]indexCounts // by name
}

type indexCounts struct {
	items int
	bytes int64
}

// describe returns the definition together with the counts of the same moment.
func (t *table) describe(now time.Time) (*schema.Definition, counts) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.def.Load(), t.count(now)
}

// count returns the counts; the caller holds the lock. While the items are
// still sealed on disk the size is that of what lies there.
func (t *table) count(now time.Time) counts {
	def := t.def.Load()
	c := counts{status: def.Status(now), items: t.items.Len(), bytes: t.bytes, index: map[string]indexCounts{}}
	if since := t.inaccessible.Load(); since != nil && c.status == "ACTIVE" && !now.Before(since.Add(inaccessibleAfter)) {
		c.status, c.noticed = "INACCESSIBLE_ENCRYPTION_CREDENTIALS", since.Add(inaccessibleAfter)
	}
	for _, set := range [][]*index{t.local, t.global} {
		for _, i := range set {
			c.index[i.def.Name] = indexCounts{i.entries.Len(), i.bytes}
		}
	}
	if !t.loaded.Load() {
		_ = t.store.Range(bucketItems(def.ID, def.Encryption.Generation), func(_, value []byte) error {
			c.items++
			c.bytes += int64(len(value))
			return nil
		})
	}
	return c
}
