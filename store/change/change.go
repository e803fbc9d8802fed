// SPDX-License-Identifier: Apache-2.0

package change

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store"
)

// Kind says what happened to an item.
type Kind uint8

const (
	// Insert is a new item. A line of an incremental export with view NEW_IMAGE
	// that was written is an Insert too, whether or not the item existed before.
	Insert Kind = iota + 1
	// Modify is a change of an item, or its replacement.
	Modify
	// Remove is a deletion.
	Remove
	// Snapshot is an item of a full export: its state at the time of the export.
	Snapshot
)

var kindNames = map[Kind]string{Insert: "INSERT", Modify: "MODIFY", Remove: "REMOVE", Snapshot: "SNAPSHOT"}

// String returns the event name of DynamoDB Streams, or "SNAPSHOT".
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// kindOf returns the kind of an event name, zero if it is unknown.
func kindOf(name string) Kind {
	for _, k := range []Kind{Insert, Modify, Remove} {
		if kindNames[k] == name {
			return k
		}
	}
	return 0
}

// Change is one change of one item.
type Change[T any] struct {
	// Old and New are the item before and after the change, decrypted. They are
	// nil where there was no item, where the record's view leaves the image out,
	// and where the item is of another entity type than T.
	Old, New *T
	// Key is the item's key. Its values are of type types.AttributeValue.
	Key  store.Key
	Kind Kind
	// At is when the write was made: whole seconds in a stream, milliseconds or
	// microseconds in Kinesis Data Streams, microseconds in an incremental
	// export, and zero in a full export.
	At time.Time
	// Sequence is the sequence number, which grows for the changes of one key. It
	// is empty in exports, and in Kinesis records that were decoded without their
	// envelope.
	Sequence string
	// ByTTL means that DynamoDB deleted the item because its time to live had passed.
	ByTTL bool

	old, new envelope.Item // in plaintext
	complete bool          // the record has all images that exist
	table    string
	index    int
}

// Changed names, in order, the attributes whose plaintext the change added,
// removed or altered; numbers compare by value, and sets without an order. All
// attributes of the items count, those that T lacks too. The list is empty if
// the items are equal, as after a write that only encrypted the item again.
//
// Changed reports false if the record does not have both states, because of the
// view of its stream.
func (c Change[T]) Changed() (names []string, ok bool) {
	if !c.complete {
		return nil, false
	}
	for _, n := range slices.Sorted(maps.Keys(c.old)) {
		if !equal(c.old[n], c.new[n]) {
			names = append(names, n)
		}
	}
	for n := range c.new {
		if c.old[n] == nil {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names, true
}

func equal(a, b types.AttributeValue) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return ddbexpr.EqualItems(envelope.Item{"": a}, envelope.Item{"": b})
}
