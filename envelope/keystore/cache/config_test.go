// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

// Sources without a partition of their own share nothing.
func TestPartitionsAreFresh(t *testing.T) {
	var partitions []string
	for range fresh.Draws {
		c, err := SourceConfig{Source: newOrigin("a"), Lifetime: time.Minute}.withDefaults(0)
		if err != nil {
			t.Fatal(err)
		}
		partitions = append(partitions, c.Partition)
	}
	fresh.Text(t, "partition", []int{0}, partitions)
}
