// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"encoding/binary"
	"math/bits"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

// View is what a page reads: a table or one of its indexes.
type View struct {
	Def   *Definition
	Index *Index // nil: the table itself
	Local bool   // the index is a local one
}

// Schema returns the key schema of the table or the index.
func (v View) Schema() *Key {
	if v.Index != nil {
		return &v.Index.Key
	}
	return &v.Def.Key
}

// Key returns the ordered key of an item, or of a start key, in the view. It
// returns false for an item that is not in the view.
func (v View) Key(it Item) (string, bool) {
	primary, ok := v.Def.Key.Primary(it)
	if !ok || v.Index == nil {
		return primary, ok
	}
	return v.Index.Key.Indexed(it, primary)
}

// LastKey returns the LastEvaluatedKey of a page whose last item is it.
func (v View) LastKey(it Item) Item {
	key := make(Item, 4)
	v.Def.Key.copyTo(key, it)
	if v.Index != nil {
		v.Index.Key.copyTo(key, it)
	}
	return key
}

// Project returns what the view holds of an item.
func (v View) Project(it Item) Item {
	if v.Index == nil {
		return it
	}
	return v.Index.Project(&v.Def.Key, it)
}

// Size returns the size in bytes of what the view holds of an item. whole is
// the size of the item.
func (v View) Size(it Item, whole int) int {
	if v.Index == nil {
		return whole
	}
	return v.Index.Size(&v.Def.Key, it, whole)
}

// CheckStart refuses an ExclusiveStartKey that cannot be a key of the view.
func (v View) CheckStart(start Item) error {
	want := map[string]string{}
	for _, k := range []*Key{&v.Def.Key, v.Schema()} {
		for a := range k.All() {
			want[a.Name] = a.Type
		}
	}
	text := "The provided starting key is invalid: The provided key element does not match the schema"
	if v.Index != nil {
		text = "The provided starting key is invalid"
	}
	invalid := refusal.Validation(text)
	if len(start) != len(want) {
		return invalid
	}
	for name, kind := range want {
		value := start[name]
		if value == nil || ddbjson.TypeName(value) != kind || EmptyKey(value) != "" {
			return invalid
		}
	}
	return nil
}

// Span is the part of a view's order that a page may read: Low <= key < High,
// in one direction, and behind Start if Started is set.
type Span struct {
	Low, High string          // an empty High means no bound
	Backward  bool            // read from High to Low
	Start     string          // the ordered key behind which the page begins
	Started   bool            // Start is set
	Match     func(Item) bool // selects items between the bounds; nil: all of them
}

// Segment returns the part of the order that the n-th of total parallel scans
// reads: each reads an equal share of the range of partition hashes.
func Segment(n, total int64) Span {
	if total <= 1 {
		return Span{}
	}
	bound := func(i int64) string {
		if i == 0 || i == total {
			return ""
		}
		hi, lo := bits.Mul64(^uint64(0), uint64(i))
		q, _ := bits.Div64(hi, lo, uint64(total))
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], q)
		return string(b[:])
	}
	return Span{Low: bound(n), High: bound(n + 1)}
}
