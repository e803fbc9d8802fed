package schema

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/refusal"
)

const (
	maxPartitionKey = 2048 // bytes
	maxSortKey      = 1024
)

// Attribute is one attribute of a key.
type Attribute struct {
	Name string
	Type string // "S", "N" or "B"
}

// Key is the key schema of a table or index. Sort.Name is empty if there is no
// sort key.
type Key struct {
	Partition Attribute
	Sort      Attribute
}

// HasSort reports whether the key has a sort key.
func (k Key) HasSort() bool { return k.Sort.Name != "" }

// attributes returns the attributes of the key, the partition key first.
func (k Key) attributes() []Attribute {
	if k.HasSort() {
		return []Attribute{k.Partition, k.Sort}
	}
	return []Attribute{k.Partition}
}

// describe returns the key as refusals show it.
func (k Key) describe() string {
	text := "Schema:[SchemaElement: key{" + k.Partition.Name + ":" + k.Partition.Type + ":HASH}"
	if k.HasSort() {
		text += ", SchemaElement: key{" + k.Sort.Name + ":" + k.Sort.Type + ":RANGE}"
	}
	return text + "]"
}

// Has reports whether an attribute is part of the key.
func (k Key) Has(name string) bool {
	return name == k.Partition.Name || k.HasSort() && name == k.Sort.Name
}

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
// hash (8), length (2), bytes.
func appendPartition(dst []byte, v types.AttributeValue, want string) ([]byte, bool) {
	at := len(dst)
	dst = append(dst, make([]byte, partitionHeader)...)
	dst, ok := keyBytes(dst, v, want)
	if !ok {
		return dst, false
	}
	value := dst[at+partitionHeader:]
	binary.BigEndian.PutUint64(dst[at:], partitionHash(value))
	binary.BigEndian.PutUint16(dst[at+8:], uint16(len(value)))
	return dst, true
}

// Primary returns the ordered key of an item in its table. It returns false if
// a key attribute is missing or has another type.
func (k Key) Primary(it Item) (string, bool) {
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
// sort key is escaped, so that the primary key can follow and make it unique.
// Indexed returns false for an item that is not in the index: a key attribute is
// missing, empty, too long or of another type. Only items from before the index
// have the last three, and as on AWS the index leaves them out.
func (k Key) Indexed(it Item, primary string) (string, bool) {
	var buf [160]byte
	b, ok := appendPartition(buf[:0], it[k.Partition.Name], k.Partition.Type)
	if n := len(b) - partitionHeader; !ok || n == 0 || n > maxPartitionKey {
		return "", false
	}
	if k.HasSort() {
		var value [64]byte
		raw, ok := keyBytes(value[:0], it[k.Sort.Name], k.Sort.Type)
		if !ok || len(raw) == 0 || len(raw) > maxSortKey {
			return "", false
		}
		b = appendEscaped(b, raw)
	}
	return string(append(b, primary...)), true
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

// PartitionPrefix returns the start of all ordered keys of one partition.
func (k Key) PartitionPrefix(v types.AttributeValue) string {
	b, _ := appendPartition(nil, v, k.Partition.Type)
	return string(b)
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

// Of returns the key attributes of an item.
func (k Key) Of(it Item) Item {
	key := Item{k.Partition.Name: it[k.Partition.Name]}
	if k.HasSort() {
		key[k.Sort.Name] = it[k.Sort.Name]
	}
	return key
}

// CheckKey refuses the Key member of a request if it has not just the
// attributes of the key, with values of the right type and length.
func (k Key) CheckKey(key Item) error {
	want := 1
	if k.HasSort() {
		want = 2
	}
	if len(key) != want {
		return refusal.KeySchema()
	}
	for i, a := range []Attribute{k.Partition, k.Sort}[:want] {
		v := key[a.Name]
		if v == nil || ddbjson.TypeName(v) != a.Type {
			return refusal.KeySchema()
		}
		if err := checkKeySize(v, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// Mismatch reports whether a key attribute of an item is missing or of another
// type.
func (k Key) Mismatch(it Item) bool {
	return ddbjson.TypeName(it[k.Partition.Name]) != k.Partition.Type ||
		k.HasSort() && ddbjson.TypeName(it[k.Sort.Name]) != k.Sort.Type
}

// CheckItem refuses an item whose key attributes are missing, too long or of
// another type.
func (k Key) CheckItem(it Item) error {
	attributes := []Attribute{k.Partition}
	if k.HasSort() {
		attributes = append(attributes, k.Sort)
	}
	for i, a := range attributes {
		v := it[a.Name]
		if v == nil {
			return refusal.Parameter("Missing the key %s in the item", a.Name)
		}
		if t := ddbjson.TypeName(v); t != a.Type {
			return refusal.Parameter("Type mismatch for key %s expected: %s actual: %s", a.Name, a.Type, t)
		}
		if err := checkKeySize(v, i == 0); err != nil {
			return err
		}
	}
	return nil
}

// CheckEmpty refuses empty values of key attributes that are there. DynamoDB
// sees them in the request, before it compares anything with the schema.
func (k Key) CheckEmpty(it Item) error {
	for _, a := range []Attribute{k.Partition, k.Sort} {
		if kind := EmptyKey(it[a.Name]); kind != "" && k.Has(a.Name) {
			return refusal.Validationf("One or more parameter values are not valid. "+
				"The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, a.Name)
		}
	}
	return nil
}

// EmptyKey returns "string" or "binary" for an empty value of that type, and ""
// for every other value.
func EmptyKey(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		if v.Value == "" {
			return "string"
		}
	case *types.AttributeValueMemberB:
		if len(v.Value) == 0 {
			return "binary"
		}
	}
	return ""
}

func checkKeySize(v types.AttributeValue, partition bool) error {
	n := keySize(v)
	switch {
	case partition && n > maxPartitionKey:
		return refusal.Parameter("Size of hashkey has exceeded the maximum size limit of%d bytes", maxPartitionKey)
	case !partition && n > maxSortKey:
		return refusal.Parameter("Aggregated size of all range keys has exceeded the size limit of %d bytes",
			maxSortKey)
	}
	return nil
}

func keySize(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	}
	return 1
}
