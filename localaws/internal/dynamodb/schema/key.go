// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbjson"
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
	// MorePartition and MoreSort are the attributes after the first of the
	// partition key and of the sort key. Only global indexes have any.
	MorePartition []Attribute `json:",omitempty"`
	MoreSort      []Attribute `json:",omitempty"`
}

// NewKey returns the key with these attributes of its partition key, of which there
// is at least one, and of its sort key.
func NewKey(partition, sort []Attribute) Key {
	k := Key{Partition: partition[0]}
	if len(partition) > 1 {
		k.MorePartition = partition[1:]
	}
	if len(sort) > 0 {
		k.Sort = sort[0]
	}
	if len(sort) > 1 {
		k.MoreSort = sort[1:]
	}
	return k
}

// HasSort reports whether the key has a sort key.
func (k *Key) HasSort() bool { return k.Sort.Name != "" }

// Several reports whether the partition key or the sort key has several
// attributes.
func (k *Key) Several() bool { return k.MorePartition != nil || k.MoreSort != nil }

// All returns the attributes in the order of the key, those of the partition key
// first, each with whether it is part of the partition key.
func (k *Key) All() iter.Seq2[Attribute, bool] {
	return func(yield func(Attribute, bool) bool) {
		if !yield(k.Partition, true) {
			return
		}
		for _, a := range k.MorePartition {
			if !yield(a, true) {
				return
			}
		}
		if !k.HasSort() || !yield(k.Sort, false) {
			return
		}
		for _, a := range k.MoreSort {
			if !yield(a, false) {
				return
			}
		}
	}
}

// Equal reports whether two keys have the same attributes.
func (k *Key) Equal(other *Key) bool {
	return k.Partition == other.Partition && k.Sort == other.Sort &&
		slices.Equal(k.MorePartition, other.MorePartition) && slices.Equal(k.MoreSort, other.MoreSort)
}

// describe returns the key as refusals show it.
func (k *Key) describe() string {
	var parts []string
	for a, partition := range k.All() {
		kind := ":RANGE}"
		if partition {
			kind = ":HASH}"
		}
		parts = append(parts, "SchemaElement: key{"+a.Name+":"+a.Type+kind)
	}
	return "Schema:[" + strings.Join(parts, ", ") + "]"
}

// Has reports whether an attribute is part of the key.
func (k *Key) Has(name string) bool {
	named := func(a Attribute) bool { return a.Name == name }
	return name == k.Partition.Name || k.HasSort() && name == k.Sort.Name ||
		slices.ContainsFunc(k.MorePartition, named) || slices.ContainsFunc(k.MoreSort, named)
}

// Of returns the key attributes of an item.
func (k *Key) Of(it Item) Item {
	key := make(Item, 2)
	k.copyTo(key, it)
	return key
}

// copyTo copies the attributes of the key that the item has. Every page and every
// write to an index comes here, so it does without [Key.All].
func (k *Key) copyTo(out, it Item) {
	copyAttribute(out, it, k.Partition.Name)
	for _, a := range k.MorePartition {
		copyAttribute(out, it, a.Name)
	}
	if k.HasSort() {
		copyAttribute(out, it, k.Sort.Name)
	}
	for _, a := range k.MoreSort {
		copyAttribute(out, it, a.Name)
	}
}

// copyAttribute copies an attribute that the item has.
func copyAttribute(out, it Item, name string) {
	if v, ok := it[name]; ok {
		out[name] = v
	}
}

// CheckKey refuses the Key member of a request if it has not just the
// attributes of the table's key, with values of the right type and length.
func (k *Key) CheckKey(key Item) error {
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
		if err := checkKeySize(keySize(v), i == 0); err != nil {
			return err
		}
	}
	return nil
}

// Mismatch reports whether an attribute of the table's key is missing in an item
// or has another type.
func (k *Key) Mismatch(it Item) bool {
	return ddbjson.TypeName(it[k.Partition.Name]) != k.Partition.Type ||
		k.HasSort() && ddbjson.TypeName(it[k.Sort.Name]) != k.Sort.Type
}

// CheckItem refuses an item in which attributes of the table's key are missing, too
// long or of another type.
func (k *Key) CheckItem(it Item) error {
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
		if err := checkKeySize(keySize(v), i == 0); err != nil {
			return err
		}
	}
	return nil
}

// CheckEmpty refuses empty values of the table's key attributes that are there.
// DynamoDB sees them in the request, before it compares anything with the schema.
func (k *Key) CheckEmpty(it Item) error {
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

// checkKeySize refuses a partition key or a sort key of n bytes, over all of its
// attributes, that is too long.
//
// (?) That several attributes count together is documented by the text on range
// keys alone; for partition keys it is an inference.
func checkKeySize(n int, partition bool) error {
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
