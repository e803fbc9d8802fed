// SPDX-License-Identifier: Apache-2.0

package table

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// CollectionSize returns the size of all items of a partition over the table
// and its local indexes.
func (t *Table) CollectionSize(partition types.AttributeValue) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	prefix := t.def.Load().Key.PartitionPrefix(partition)
	end, size := schema.After(prefix), 0
	t.items.Ascend(prefix, func(key string, e *Entry) bool {
		if key >= end {
			return false
		}
		size += e.Size
		for _, i := range t.local {
			if _, ok := i.def.Key.Indexed(e.Item, e.Key); ok {
				size += i.def.Size(i.table, e.Item, e.Size)
			}
		}
		return true
	})
	return size
}
