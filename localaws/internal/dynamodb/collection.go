package dynamodb

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// collectionSize returns the size of all items of a partition over the table
// and its local indexes.
func (t *table) collectionSize(partition types.AttributeValue) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	prefix := t.def.Load().Key.PartitionPrefix(partition)
	end, size := schema.After(prefix), 0
	t.items.Ascend(prefix, func(key string, e *entry) bool {
		if key >= end {
			return false
		}
		size += e.size
		for _, i := range t.local {
			if _, ok := i.def.Key.Indexed(e.item, e.key); ok {
				size += i.def.Size(i.table, e.item, e.size)
			}
		}
		return true
	})
	return size
}
