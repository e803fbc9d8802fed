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
	// Insert is a new item. In an incremental export with view NEW_IMAGE, every
	// write of an item is an Insert, whether or not the item existed before.
	Insert Kind = iota + 1
	// Modify is an update or a replacement of an item.
	Modify
	// Remove is the deletion of an item.
	Remove
	// Snapshot is an item of a full export, as it was at the time of the export.
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

// Change is a change of one item.
type Change[T any] struct {
	// Old and New are the item before and after the change, decrypted. One is
	// nil if there was no item, if the record's view leaves the image out, or if
	// the item is of another entity type than T.
	Old, New *T
	// Key is the item's key. Its values are of type types.AttributeValue.
	Key  store.Key
	Kind Kind
	// At is the time of the write, in whole seconds in a stream, in
	// milliseconds or microseconds in Kinesis Data Streams, and in microseconds
	// in an incremental export. It is zero in a full export.
	At time.Time
	// Sequence is the sequence number, which grows for the changes of one key. It
	// is empty in exports, and in Kinesis records that were decoded without their
	// envelope.
	Sequence string
	// ByTTL reports that DynamoDB deleted the item because its time to live had
	// passed.
	ByTTL bool

	old, new envelope.Item // in plaintext
	complete bool          // the record has all images that exist
	table    string
	index    int
}

// Changed returns, in order, the names of the attributes whose plaintext the
// change added, removed or altered. It compares numbers by value and ignores
// the order of sets. All attributes of the items count, including those that T
// lacks. The list is empty if the items are equal, for example after a write
// that only encrypted the item again.
//
// Changed reports false if the view of the stream leaves out one of the images.
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
