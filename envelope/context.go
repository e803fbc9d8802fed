// SPDX-License-Identifier: Apache-2.0

package envelope

import (
	"math"
	"slices"
	"strings"

	"github.com/ddbseal/ddbseal/envelope/internal/format"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// itemContext builds the encryption context of an item, all of whose pairs a
// reader rebuilds: table name, key names, and the values of the attributes
// that the header version puts into it. entries are in canonical order. On
// writing, empty refuses maps with an empty key.
// (Specification: [encrypt-item], "DynamoDB Item Base Context"; [encrypt-path-structure],
// "Create New Encryption Context and CMM".)
//
// [encrypt-item]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/encrypt-item.md#dynamodb-item-base-context
// [encrypt-path-structure]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/structured-encryption/encrypt-path-structure.md#create-new-encryption-context-and-cmm
func (e *ItemEncryptor) itemContext(version byte, entries []entry,
	empty format.EmptyKeys) (materials.EncryptionContext, error) {
	c := make(materials.EncryptionContext, 8)
	c[materials.ContextTableName] = e.table
	c[materials.ContextPartitionName] = e.partition
	if e.sort != "" {
		c[materials.ContextSortName] = e.sort
	}
	if version == format.Version1 {
		for _, k := range e.keyFields {
			v, err := format.ContextValueV1(find(entries, k.name).value)
			if err != nil {
				return nil, at(k.name, err)
			}
			if err := checkContextValue(k, v); err != nil {
				return nil, err
			}
			c[k.contextKey] = v
		}
		return c, nil
	}
	var letters []letter
	for i := range entries {
		if entries[i].action != SignAndIncludeInEncryptionContext {
			continue
		}
		v, l, err := format.ContextValueV2(entries[i].value, empty)
		if err != nil {
			return nil, at(entries[i].name, err)
		}
		if err := checkContextValue(entries[i].field, v); err != nil {
			return nil, err
		}
		c[entries[i].contextKey] = v
		letters = append(letters, letter{entries[i].name, l})
	}
	c[materials.ContextLegend] = contextLegend(letters)
	return c, nil
}

// letter is the part of one attribute in the context's legend.
type letter struct {
	name  string
	value byte
}

// contextLegend orders the letters by the UTF-8 bytes of the names, which is
// not the canonical order.
func contextLegend(letters []letter) string {
	slices.SortFunc(letters, func(a, b letter) int { return strings.Compare(a.name, b.name) })
	legend := make([]byte, len(letters))
	for i := range letters {
		legend[i] = letters[i].value
	}
	return string(legend)
}

// checkContextValue bounds what the context's 16-bit length fields hold.
func checkContextValue(f *field, value string) error {
	if len(value) > math.MaxUint16 || len(f.contextKey) > math.MaxUint16 {
		return at(f.name, format.TooLong(math.MaxUint16))
	}
	return nil
}

// find returns the entry of a name; absent ones have a nil value.
func find(entries []entry, name string) *entry {
	for i := range entries {
		if entries[i].name == name {
			return &entries[i]
		}
	}
	return &entry{}
}
