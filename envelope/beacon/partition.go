// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"context"
	"crypto/rand"
)

// choosePartition returns the partition of an item that is about to be written.
// (Specification: [search-config], "Partition Selector".)
//
// [search-config]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/searchable-encryption/search-config.md#partition-selector
func (s *Search) choosePartition(ctx context.Context, item Item) (int, error) {
	if s.maxPartitions == 1 {
		return 0, nil
	}
	if s.selector == nil {
		return randomPartition(s.maxPartitions), nil
	}
	p, err := s.selector(ctx, item, s.maxPartitions, s.table)
	if err != nil {
		return 0, itemError("partition selector: %w", err)
	}
	if p < 0 || p >= s.maxPartitions {
		return 0, configuration("the Selector returned partition %d, not 0 to %d", p, s.maxPartitions-1)
	}
	return p, nil
}

// randomPartition draws a partition below n, which is at most 254. All are
// equally likely: a byte that would favor some is drawn again.
func randomPartition(n int) int {
	for limit := 256 - 256%n; ; {
		var b [1]byte
		_, _ = rand.Read(b[:]) // never fails: it ends the program instead
		if int(b[0]) < limit {
			return int(b[0]) % n
		}
	}
}

// MaxPartitions returns the number of partitions of the table's items.
func (s *Search) MaxPartitions() int { return s.maxPartitions }

// Queries returns the number of queries that find an item by these beacons,
// whatever its partition: the least common multiple of their numbers of
// partitions, at most [Search.MaxPartitions]. Query number q, counted from 0,
// has the beacons of partition q. (Specification: [ddb-get-number-of-queries].)
//
// [ddb-get-number-of-queries]: https://github.com/aws/aws-database-encryption-sdk-dynamodb/blob/main/specification/dynamodb-encryption-client/ddb-get-number-of-queries.md
func (s *Search) Queries(beacons ...*StandardBeacon) int {
	n := 1
	for _, b := range beacons {
		n = n / gcd(n, b.partitions) * b.partitions
		if n >= s.maxPartitions {
			return s.maxPartitions
		}
	}
	return n
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// checkPartition refuses a partition that no item can have.
func (s *Search) checkPartition(partition int) error {
	if partition < 0 || partition >= s.maxPartitions {
		return configuration("partition %d is not 0 to %d", partition, s.maxPartitions-1)
	}
	return nil
}
