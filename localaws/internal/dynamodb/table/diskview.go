// SPDX-License-Identifier: Apache-2.0

package table

import (
	"encoding/hex"

	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
	"github.com/ddbseal/ddbseal/localaws/internal/request"
	"github.com/ddbseal/ddbseal/localaws/internal/storage"
)

// DiskView is what lies on disk for one item.
type DiskView struct {
	// Key is the HMAC-SHA256 of the primary key under the table's key, in hex:
	// the name under which the item is filed.
	Key string
	// Sealed is nonce (12 bytes), ciphertext and tag (16 bytes).
	Sealed []byte
	// Bucket is the part of the file in which the item lies.
	Bucket string
	// Stored is false for a store in memory: then Sealed was made for this
	// view, and another view of the same item has another nonce.
	Stored bool
}

// DiskView returns what lies on disk for the item with a key. It opens nothing. It
// returns a ValidationException for a key that does not fit the table and for a
// table that was not used since the start, and a ResourceNotFoundException for a
// missing item.
func (t *Table) DiskView(key schema.Item) (DiskView, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	def := t.def.Load()
	if err := def.Key.CheckKey(key); err != nil {
		return DiskView{}, err
	}
	if t.sealer == nil {
		return DiskView{}, refusal.Validation("the table's items are sealed and were not used since the start: " +
			"nothing but a data call can open them")
	}
	primary, _ := def.Key.Primary(key)
	e := t.Get(primary)
	if e == nil {
		return DiskView{}, request.Errorf("ResourceNotFoundException", "Requested resource not found: no such item")
	}
	bucket := bucketItems(def.ID, def.Encryption.Generation)
	itemKey := t.sealer.ItemKey(primary)
	view := DiskView{Key: hex.EncodeToString(itemKey), Bucket: bucket.Name}
	if g, ok := t.store.(storage.Getter); ok {
		value, err := g.Get(bucket, itemKey)
		if err != nil {
			return DiskView{}, refusal.Internal(err)
		}
		if value != nil {
			view.Sealed, view.Stored = value, true
			return view, nil
		}
	}
	view.Sealed = t.sealer.Seal(itemKey, e.Item)
	return view, nil
}
