// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// Record is one change of one item. It does not change.
type Record struct {
	Sequence uint64
	At       time.Time
	Kind     Kind
	Expired  bool // DynamoDB deleted the item because its time was over
	// Keys are the key attributes of the item. Old and New are the item before and
	// after the change, nil where there was none and where the view of the stream
	// leaves it out.
	Keys, Old, New schema.Item

	shard uint64 // First of the shard
}

// Kind is what happened to an item. The zero Kind is invalid.
type Kind uint8

// The kinds. A stored record holds their numbers.
const (
	Insert Kind = iota + 1
	Modify
	Remove
)

// String returns the eventName.
func (k Kind) String() string {
	switch k {
	case Insert:
		return "INSERT"
	case Modify:
		return "MODIFY"
	case Remove:
		return "REMOVE"
	}
	return "invalid kind"
}

// Size returns the size in bytes of what the record holds of the item.
func (r *Record) Size() int {
	return ddbjson.ItemSize(r.Keys) + ddbjson.ItemSize(r.Old) + ddbjson.ItemSize(r.New)
}

// EventID returns the eventID of the record in the stream with an ARN. It is the
// same whenever the record is read.
func (r *Record) EventID(arn string) string {
	h := sha256.New()
	h.Write([]byte(arn))
	h.Write(sequenceKey(r.Sequence))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// newRecord returns the record of a change in a view, without its place in the
// stream. Either item may be nil.
func newRecord(key *schema.Key, view string, old, next schema.Item, expired bool) *Record {
	r := &Record{Kind: Modify, Expired: expired, Keys: key.Of(next)}
	switch {
	case old == nil:
		r.Kind = Insert
	case next == nil:
		r.Kind, r.Keys = Remove, key.Of(old)
	}
	if view == schema.OldImage || view == schema.NewAndOldImages {
		r.Old = old
	}
	if view == schema.NewImage || view == schema.NewAndOldImages {
		r.New = next
	}
	return r
}

// Sequence numbers are 21 digits on the wire, the least that the API allows, so that
// they sort as text too.
const sequencePrefix = "1"

// FormatSequence returns a sequence number as the API has it.
func FormatSequence(n uint64) string { return sequencePrefix + fmt.Sprintf("%020d", n) }

// ParseSequence returns the sequence number that a text of the API names. It returns
// false for a number that no record can have.
func ParseSequence(text string) (uint64, bool) {
	if len(text) != len(sequencePrefix)+20 || text[:1] != sequencePrefix {
		return 0, false
	}
	n, err := strconv.ParseUint(text[1:], 10, 64)
	return n, err == nil
}

// sequenceKey is the name on disk of a record in its stream.
func sequenceKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// A record is sealed as a header and its items in JSON, an empty text for one that is
// not there:
//
//	First of the shard (8), time in nanoseconds (8), kind (1), expired (1),
//	three times: length (4), item
const headerSize = 18

// appendRecord appends the text of a record.
func appendRecord(dst []byte, r *Record) []byte {
	dst = binary.BigEndian.AppendUint64(dst, r.shard)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.At.UnixNano()))
	dst = append(dst, byte(r.Kind), 0)
	if r.Expired {
		dst[len(dst)-1] = 1
	}
	for _, it := range []schema.Item{r.Keys, r.Old, r.New} {
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		if it != nil {
			dst = schema.AppendItem(dst, it)
		}
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	return dst
}

// readRecord reads the text of the record with a name.
func readRecord(name, text []byte) (*Record, error) {
	bad := errors.New("a stored stream record cannot be read")
	if len(name) != 8 || len(text) < headerSize {
		return nil, bad
	}
	r := &Record{Sequence: binary.BigEndian.Uint64(name), shard: binary.BigEndian.Uint64(text),
		At:   time.Unix(0, int64(binary.BigEndian.Uint64(text[8:]))).UTC(),
		Kind: Kind(text[16]), Expired: text[17] == 1}
	rest := text[headerSize:]
	for _, dst := range []*schema.Item{&r.Keys, &r.Old, &r.New} {
		if len(rest) < 4 || uint64(len(rest)-4) < uint64(binary.BigEndian.Uint32(rest)) {
			return nil, bad
		}
		var part []byte
		part, rest = rest[4:4+binary.BigEndian.Uint32(rest)], rest[4+binary.BigEndian.Uint32(rest):]
		if len(part) == 0 {
			continue
		}
		it, err := ddbjson.Unmarshal(part)
		if err != nil {
			return nil, fmt.Errorf("a stored stream record: %w", err)
		}
		*dst = it
	}
	if len(rest) > 0 || r.Kind < Insert || r.Kind > Remove {
		return nil, bad
	}
	return r, nil
}
