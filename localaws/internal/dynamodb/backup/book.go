// SPDX-License-Identifier: Apache-2.0

package backup

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/atrest"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// bucketBackups holds the records of all backups.
var bucketBackups = storage.Bucket{Name: "dynamodb/backups"}

// bucketItems holds the sealed items of one backup.
func bucketItems(arn string) storage.Bucket {
	return storage.Bucket{Name: "dynamodb/backupitems/" + arn, PlainValues: true}
}

// Book holds the backups of all accounts and Regions. Its methods may be called at
// the same time.
type Book struct {
	store storage.Store

	mu      sync.Mutex
	entries map[string]*entry // by ARN
}

// entry is one backup in a Book.
type entry struct {
	*Backup
	records []record  // of a store that forgets; in the store otherwise
	running bool      // a restore reads the items
	busy    time.Time // a table is being restored from it until then
}

// Open returns the book with the backups in store.
func Open(store storage.Store) (*Book, error) {
	b := &Book{store: store, entries: map[string]*entry{}}
	err := store.Range(bucketBackups, func(key, value []byte) error {
		read := new(Backup)
		if err := json.Unmarshal(value, read); err != nil {
			return fmt.Errorf("backup record %q: %w", key, err)
		}
		if read.Table == nil || read.ARN != string(key) {
			return fmt.Errorf("backup record %q: it is the record of another backup", key)
		}
		b.entries[read.ARN] = &entry{Backup: read}
		return nil
	})
	return b, err
}

// Create creates a backup of a table, which has the definition def and holds items
// of size bytes, and seals the items under the table key. It is CREATING until
// available. The caller must wait for the returned change.
func (b *Book) Create(name string, def *schema.Definition, items []schema.Item, size int64, key []byte,
	now, available time.Time) (*Backup, storage.Pending, error) {
	made := &Backup{Name: name, Created: now, AvailableAt: available, Table: def, Items: len(items), Bytes: size,
		ARN: newARN(def, now)}
	seals, err := atrest.NewSealer(made.ARN, key)
	if err != nil {
		return nil, nil, refusal.Internal(err)
	}
	text, err := json.Marshal(made)
	if err != nil {
		return nil, nil, refusal.Internal(err)
	}
	e, tx := &entry{Backup: made}, new(storage.Tx)
	tx.Put(bucketBackups, []byte(made.ARN), text)
	for n, it := range items {
		r := seal(seals, n, it)
		if b.store.Durable() {
			tx.Put(bucketItems(made.ARN), r.key, r.sealed)
		} else {
			e.records = append(e.records, r)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entries[made.ARN] = e
	return made, b.store.Submit(tx), nil
}

// NotFound returns the BackupNotFoundException that names a missing backup.
func NotFound(arn string) error {
	return request.Errorf("BackupNotFoundException", "Backup not found: %s", arn)
}

func inUse(format, arn string) error { return request.Errorf("BackupInUseException", format, arn) }

// find returns the entry of a backup; the caller holds the lock.
func (b *Book) find(arn string) (*entry, error) {
	if e := b.entries[arn]; e != nil {
		return e, nil
	}
	return nil, NotFound(arn)
}

// Find returns a backup, or a BackupNotFoundException.
func (b *Book) Find(arn string) (*Backup, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, err := b.find(arn)
	if err != nil {
		return nil, err
	}
	return e.Backup, nil
}

// List returns the backups that keep selects, in the order of their ARNs: by table
// and then by time.
func (b *Book) List(keep func(*Backup) bool) []*Backup {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []*Backup
	for _, e := range b.entries {
		if keep(e.Backup) {
			list = append(list, e.Backup)
		}
	}
	slices.SortFunc(list, func(a, b *Backup) int { return cmp.Compare(a.ARN, b.ARN) })
	return list
}

// Delete removes a backup and its items. It returns a BackupNotFoundException, or a
// BackupInUseException while the backup is being made or a table is being restored
// from it.
func (b *Book) Delete(arn string, now time.Time) (*Backup, storage.Pending, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, err := b.unused(arn, now, "table")
	if err != nil {
		return nil, nil, err
	}
	delete(b.entries, arn)
	tx := new(storage.Tx)
	tx.Delete(bucketBackups, []byte(arn))
	tx.Drop(bucketItems(arn))
	return e.Backup, b.store.Submit(tx), nil
}

// unused finds a backup that is neither being made nor used to restore what
// restores names; the caller holds the lock.
func (b *Book) unused(arn string, now time.Time, restores string) (*entry, error) {
	e, err := b.find(arn)
	switch {
	case err != nil:
		return nil, err
	case e.Status(now) == "CREATING":
		return nil, inUse("Backup is being created: %s", arn)
	case e.running || now.Before(e.busy):
		return nil, inUse("Backup is being used to restore "+restores+": %s", arn)
	}
	return e, nil
}

// Use reserves a backup for a restore, which ends when the caller calls release.
// The backup is in use until the time given to release. Use returns a
// BackupNotFoundException, or a BackupInUseException while the backup is being made
// or another restore uses it.
func (b *Book) Use(arn string, now time.Time) (found *Backup, release func(until time.Time), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, err := b.unused(arn, now, "another table")
	if err != nil {
		return nil, nil, err
	}
	e.running = true
	return e.Backup, func(until time.Time) {
		b.mu.Lock()
		defer b.mu.Unlock()
		e.running, e.busy = false, until
	}, nil
}

// Read opens the items of a backup that the caller has in use, with the table key
// of its definition. It returns an InternalServerError if a stored item was changed
// or is missing.
func (b *Book) Read(from *Backup, key []byte) ([]schema.Item, error) {
	seals, err := atrest.NewSealer(from.ARN, key)
	if err != nil {
		return nil, refusal.Internal(err)
	}
	b.mu.Lock()
	e, err := b.find(from.ARN)
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	items := make([]schema.Item, 0, from.Items)
	open := func(itemKey, sealed []byte) error {
		it, err := seals.Open(itemKey, sealed)
		items = append(items, it)
		return err
	}
	for _, r := range e.records {
		if err := open(r.key, r.sealed); err != nil {
			return nil, refusal.Internal(fmt.Errorf("backup %s: %w", from.ARN, err))
		}
	}
	err = b.store.Range(bucketItems(from.ARN), open)
	if err == nil && len(items) != from.Items {
		err = fmt.Errorf("it has %d items of %d", len(items), from.Items)
	}
	if err != nil {
		return nil, refusal.Internal(fmt.Errorf("backup %s: %w", from.ARN, err))
	}
	return items, nil
}
