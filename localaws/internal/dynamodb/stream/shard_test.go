// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"math"
	"testing"
	"time"
)

// TestShardIDsAreFresh: two shards of one moment have two IDs.
func TestShardIDsAreFresh(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		id := newShardID(time.UnixMilli(1_700_000_000_123))
		if seen[id] || len(id) != 37 || id[:29] != "shardId-00000001700000000123-" {
			t.Fatalf("shard %s, again: %v", id, seen[id])
		}
		seen[id] = true
	}
}

// TestDivide: the children of a shard have its range between them.
func TestDivide(t *testing.T) {
	for _, r := range [][2]uint64{whole, {0, 1}, {5, 5}, {6, 9}, {math.MaxUint64 - 1, math.MaxUint64}} {
		s := &Shard{Low: r[0], High: r[1]}
		if got := s.divide(false); len(got) != 1 || got[0] != r {
			t.Errorf("%v continues as %v", r, got)
		}
		switch got := s.divide(true); {
		case r[0] == r[1]:
			if len(got) != 1 || got[0] != r {
				t.Errorf("%v splits into %v", r, got)
			}
		case len(got) != 2 || got[0][0] != r[0] || got[1][1] != r[1] || got[0][1]+1 != got[1][0]:
			t.Errorf("%v splits into %v", r, got)
		}
	}
}
