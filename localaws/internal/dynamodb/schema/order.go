// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// keyBytes returns the bytes of a key value that sort as DynamoDB orders them,
// and false when the value is not of the wanted type.
func keyBytes(dst []byte, v types.AttributeValue, want string) ([]byte, bool) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return append(dst, v.Value...), want == "S"
	case *types.AttributeValueMemberB:
		return append(dst, v.Value...), want == "B"
	case *types.AttributeValueMemberN:
		out, err := ddbnumber.AppendSortKey(dst, v.Value)
		return out, err == nil && want == "N"
	}
	return dst, false
}

// partitionHash places a partition in scan order and in the segments of a
// parallel scan. What DynamoDB uses is not published.
func partitionHash(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	// FNV's high bits vary little for short keys; spread them.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// partitionHeader is the bytes before the value in what appendPartition writes.
const partitionHeader = 10

// appendPartition writes what every ordered key of one partition starts with:
// hash (8), length (2), bytes. It is for partition keys of one attribute.
func appendPartition(dst []byte, v types.AttributeValue, want string) ([]byte, bool) {
	at := len(dst)
	dst = append(dst, make([]byte, partitionHeader)...)
	dst, ok := keyBytes(dst, v, want)
	if !ok {
		return dst, false
	}
	setPartitionHeader(dst[at:])
	return dst, true
}

// setPartitionHeader fills the header of b, whose value is complete.
func setPartitionHeader(b []byte) {
	value := b[partitionHeader:]
	binary.BigEndian.PutUint64(b, partitionHash(value))
	binary.BigEndian.PutUint16(b[8:], uint16(len(value)))
}

// Primary returns the ordered key of an item in its table. It returns false if
// a key attribute is missing or has another type.
func (k *Key) Primary(it Item) (string, bool) {
	var buf [96]byte
	b, ok := appendPartition(buf[:0], it[k.Partition.Name], k.Partition.Type)
	if !ok {
		return "", false
	}
	if k.HasSort() {
		if b, ok = keyBytes(b, it[k.Sort.Name], k.Sort.Type); !ok {
			return "", false
		}
	}
	return string(b), true
}

// Indexed returns the ordered key of an item in an index with this key. The
// values of the sort key are escaped, so that the primary key can follow and make
// it unique; so are the values of a partition key that has several.
// Indexed returns false for an item that is not in the index: a key attribute is
// missing, empty, too long or of another type. Only items from before the index
// have the last three, and as on AWS the index leaves them out.
func (k *Key) Indexed(it Item, primary string) (string, bool) {
	var (
		buf [160]byte
		b   []byte
		ok  bool
	)
	if k.MorePartition == nil {
		b, ok = appendPartition(buf[:0], it[k.Partition.Name], k.Partition.Type)
		n := len(b) - partitionHeader
		ok = ok && n > 0 && n <= maxPartitionKey
	} else if b, ok = appendParts(buf[:partitionHeader], it, k.Partition, k.MorePartition, maxPartitionKey); ok {
		setPartitionHeader(b)
	}
	if ok && k.HasSort() {
		b, ok = appendParts(b, it, k.Sort, k.MoreSort, maxSortKey)
	}
	if !ok {
		return "", false
	}
	return string(append(b, primary...)), true
}

// appendParts appends the escaped values of some attributes of an index's key. It
// returns false if one of them is missing, empty or of another type, or if
// together they have more than limit bytes.
func appendParts(dst []byte, it Item, first Attribute, more []Attribute, limit int) ([]byte, bool) {
	var buf [64]byte
	size := 0
	for i := range 1 + len(more) {
		a := first
		if i > 0 {
			a = more[i-1]
		}
		v := it[a.Name]
		n := keySize(v)
		if size += n; n == 0 || size > limit {
			return dst, false
		}
		raw, ok := keyBytes(buf[:0], v, a.Type)
		if !ok {
			return dst, false
		}
		dst = appendEscaped(dst, raw)
	}
	return dst, true
}

// appendEscaped keeps the order of raw and ends it with 00 00.
func appendEscaped(dst, raw []byte) []byte {
	for _, c := range raw {
		dst = append(dst, c)
		if c == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0, 0)
}

// PartitionPrefix returns the start of all ordered keys of one partition. values
// are those of the partition key's attributes, in their order.
func (k *Key) PartitionPrefix(values ...types.AttributeValue) string {
	if k.MorePartition == nil {
		b, _ := appendPartition(nil, values[0], k.Partition.Type)
		return string(b)
	}
	b := make([]byte, partitionHeader)
	for i, v := range values {
		want := k.Partition.Type
		if i > 0 {
			want = k.MorePartition[i-1].Type
		}
		raw, _ := keyBytes(nil, v, want)
		b = appendEscaped(b, raw)
	}
	setPartitionHeader(b)
	return string(b)
}

// PartitionOf returns the start of the ordered keys of the partition of an item that
// has all attributes of the partition key.
func (k *Key) PartitionOf(it Item) string {
	values := make([]types.AttributeValue, 0, MaxParts)
	for a, partition := range k.All() {
		if partition {
			values = append(values, it[a.Name])
		}
	}
	return k.PartitionPrefix(values...)
}

// After returns the smallest string greater than every string with this prefix,
// and "" if there is none.
func After(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] != 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return ""
}
