// SPDX-License-Identifier: Apache-2.0

package provision

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Key is the key of a table or an index; Sort is empty if there is none. Two keys
// are equal if they have the same attributes in the same order.
type Key struct {
	Partition, Sort string
	// More has the attributes after the first in each role, which a global index
	// can have.
	More More
}

// More are the second to fourth attributes of the two roles of a key.
type More struct{ Partition, Sort [keyAttributes - 1]string }

// keyAttributes is how many attributes DynamoDB allows in a role of the key of a
// global secondary index:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
const keyAttributes = 4

// Several reports whether the key has several attributes in one role.
func (k Key) Several() bool { return k.More != More{} }

// Partitions returns the attributes of the partition key in their order.
func (k Key) Partitions() []string { return attributes(k.Partition, k.More.Partition) }

// Sorts returns the attributes of the sort key in their order.
func (k Key) Sorts() []string { return attributes(k.Sort, k.More.Sort) }

// Names returns all attributes, of the partition key first.
func (k Key) Names() []string { return append(k.Partitions(), k.Sorts()...) }

func attributes(first string, more [keyAttributes - 1]string) (out []string) {
	for _, name := range append([]string{first}, more[:]...) {
		if name != "" {
			out = append(out, name)
		}
	}
	return out
}

// Map returns the key with the names that f returns for its own.
func (k Key) Map(f func(name string) (string, error)) (Key, error) {
	slots := []*string{&k.Partition, &k.Sort}
	for i := range k.More.Partition {
		slots = append(slots, &k.More.Partition[i], &k.More.Sort[i])
	}
	for _, slot := range slots {
		if *slot == "" {
			continue
		}
		name, err := f(*slot)
		if err != nil {
			return k, err
		}
		*slot = name
	}
	return k, nil
}

// add adds an attribute to a role, as its last one.
func (k *Key) add(index, attribute string, local, partition bool) error {
	first, more := &k.Sort, &k.More.Sort
	if partition {
		first, more = &k.Partition, &k.More.Partition
	}
	at := slices.Index(more[:], "")
	switch {
	case *first == "":
		*first = attribute
	case local:
		return fmt.Errorf("local index %s has the key attributes %q and %q in one role: only a global index can have "+
			"several", index, *first, attribute)
	case at < 0:
		return fmt.Errorf("index %s has more than %d key attributes in one role: %q is one too many", index,
			keyAttributes, attribute)
	default:
		more[at] = attribute
	}
	return nil
}

// schema is the key as DynamoDB takes it.
func (k Key) schema() (out []types.KeySchemaElement) {
	for _, name := range k.Partitions() {
		out = append(out, types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeHash})
	}
	for _, name := range k.Sorts() {
		out = append(out, types.KeySchemaElement{AttributeName: &name, KeyType: types.KeyTypeRange})
	}
	return out
}

// keyOf is the key that DynamoDB describes.
func keyOf(schema []types.KeySchemaElement) Key {
	var k Key
	for _, e := range schema {
		name, partition := aws.ToString(e.AttributeName), e.KeyType == types.KeyTypeHash
		if err := k.add("", name, false, partition); err != nil { // differs from every declaration
			k.Partition += ", " + name
		}
	}
	return k
}

// String describes the key in a text.
func (k Key) String() string {
	text := "partition key " + quoted(k.Partitions())
	if k.Sort != "" {
		text += " and sort key " + quoted(k.Sorts())
	}
	return text
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(out, ", ")
}
