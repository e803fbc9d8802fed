// SPDX-License-Identifier: Apache-2.0

package dynamodb

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

// appendCollection writes the ItemCollectionMetrics of one partition.
func (b bound) appendCollection(dst []byte, partition types.AttributeValue) []byte {
	gigabytes := b.CollectionSize(partition) >> 30
	dst = append(dst, `{"ItemCollectionKey":`...)
	dst = schema.AppendItem(dst, schema.Item{b.def.Key.Partition.Name: partition})
	dst = append(dst, `,"SizeEstimateRangeGB":[`...)
	dst = appendFloat(dst, float64(gigabytes))
	dst = appendFloat(append(dst, ','), float64(gigabytes+1))
	return append(dst, `]}`...)
}

// appendCollections writes the metrics of every partition among writes.
func (b bound) appendCollections(dst []byte, changes []*change) []byte {
	dst = append(dst, '[')
	seen := map[string]bool{}
	for _, w := range changes {
		partition := w.KeyItem()[b.def.Key.Partition.Name]
		prefix := b.def.Key.PartitionPrefix(partition)
		if seen[prefix] {
			continue
		}
		if len(seen) > 0 {
			dst = append(dst, ',')
		}
		seen[prefix] = true
		dst = b.appendCollection(dst, partition)
	}
	return append(dst, ']')
}

// hasLocal reports whether the table has item collections with metrics.
func (b bound) hasLocal() bool { return len(b.def.Local) > 0 }
