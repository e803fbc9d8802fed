// SPDX-License-Identifier: Apache-2.0

package beacon

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/materials"
)

// chosen selects always the same partition.
func chosen(p int) PartitionSelector {
	return func(context.Context, Item, int, string) (int, error) { return p, nil }
}

// TestPartitionsAreFresh: partitions are drawn, and all are equally likely.
func TestPartitionsAreFresh(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 254} {
		counts := make([]int, n)
		draws := 400 * n
		for range draws {
			counts[randomPartition(n)]++
		}
		// 400 expected in each, with a standard deviation of 20.
		if low, high := slices.Min(counts), slices.Max(counts); low < 250 || high > 550 {
			t.Errorf("%d partitions, drawn %d to %d times each; 400 expected", n, low, high)
		}
	}
}

// TestSelector: it sees the caller's item and the table, and what it returns is
// the partition, if there is one.
func TestSelector(t *testing.T) {
	failure := errors.New("no partition today")
	item := Item{"a": text("x")}
	for _, c := range []struct {
		p   int
		err error
		ok  bool
	}{{0, nil, true}, {4, nil, true}, {5, nil, false}, {-1, nil, false}, {0, failure, false}} {
		s := mustNew(t, Config{Standard: []Standard{{Name: "a", Length: 8}}, MaxPartitions: 5,
			Selector: func(_ context.Context, got Item, n int, table string) (int, error) {
				if got["a"] != item["a"] || n != 5 || table != "table" {
					t.Errorf("the selector is given %v, %d, %q", got, n, table)
				}
				return c.p, c.err
			}}, "a encrypted")
		p, err := s.Partition(t.Context(), item)
		if (err == nil) != c.ok || c.ok && p != c.p ||
			c.err != nil && (!errors.Is(err, c.err) || !errors.Is(err, ErrItem)) ||
			!c.ok && c.err == nil && !errors.Is(err, materials.ErrConfiguration) {
			t.Errorf("selector gives %d, %v: partition %d, %v", c.p, c.err, p, err)
		}
	}
	s := mustNew(t, Config{Standard: []Standard{{Name: "a", Length: 8}}}, "a encrypted")
	if p, err := s.Partition(t.Context(), item); p != 0 || err != nil {
		t.Errorf("without partitions: %d, %v", p, err)
	}
	s = mustNew(t, Config{Standard: []Standard{{Name: "a", Length: 8}}, MaxPartitions: 3}, "a encrypted")
	seen := map[int]bool{}
	for range 200 {
		p, err := s.Partition(t.Context(), item)
		if err != nil {
			t.Fatal(err)
		}
		seen[p] = true
	}
	if len(seen) != 3 || !seen[0] || !seen[1] || !seen[2] {
		t.Errorf("partitions of 200 items: %v", seen)
	}
}

// partitioned has beacons with 1 to 4 of 5 partitions and one with the default.
func partitioned(t *testing.T, defaults int) *Search {
	t.Helper()
	return mustNew(t, Config{
		MaxPartitions: 5, DefaultPartitions: defaults,
		Standard: []Standard{{Name: "a", Length: 32, Partitions: 1}, {Name: "b", Length: 32, Partitions: 2},
			{Name: "c", Length: 32, Partitions: 3}, {Name: "d", Length: 32, Partitions: 4}, {Name: "e", Length: 32},
			{Name: "f", Length: 32, Style: AsSet, Partitions: 2}},
		Compound: []Compound{{Name: "x", Split: '|', Encrypted: []EncryptedPart{{"b", "B-"}, {"c", "C-"}},
			Constructors: []Constructor{{{Name: "b"}, {Name: "c"}}}}},
	}, "a encrypted, b encrypted, c encrypted, d encrypted, e encrypted, f encrypted")
}

// TestQueries: the least common multiple of the numbers of partitions, at most
// that of the table.
func TestQueries(t *testing.T) {
	for _, c := range []struct {
		defaults int
		names    string
		want     int
	}{
		{0, "", 1}, {0, "a", 1}, {0, "b", 2}, {0, "c", 3}, {0, "d", 4}, {0, "e", 5}, {4, "e", 4}, {1, "e", 1},
		{0, "ab", 2}, {0, "bd", 4}, {0, "bc", 5}, {0, "cd", 5}, {0, "ae", 5}, {2, "eb", 2}, {3, "eb", 5},
	} {
		s := partitioned(t, c.defaults)
		var beacons []*StandardBeacon
		for _, name := range c.names {
			beacons = append(beacons, s.Lookup(string(name)).Standard)
		}
		if got := s.Queries(beacons...); got != c.want {
			t.Errorf("default %d, beacons %q: %d queries, want %d", c.defaults, c.names, got, c.want)
		}
	}
	s := partitioned(t, 0)
	pieces, err := s.Lookup("x").Compound.Parse("B-1|C-2")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Queries(PieceBeacons(pieces)...); got != 5 {
		t.Errorf("a value with two hashes: %d queries, want 5", got)
	}
	if got := s.Queries(PieceBeacons(pieces[:1])...); got != 2 {
		t.Errorf("a value with one hash: %d queries, want 2", got)
	}
}

// TestItemPartition: every beacon of an item uses the partition modulo its own
// number, also as an element of a set and as a part. Partition 0 is that of an
// item without partitions.
func TestItemPartition(t *testing.T) {
	s := partitioned(t, 0)
	k := mustDerive(t, s, officialKey)
	item := Item{"a": text("v"), "b": text("v"), "c": text("v"), "d": text("v"), "e": text("v"),
		"f": &types.AttributeValueMemberSS{Value: []string{"v", "w"}}}
	hash := func(name string, partition byte, value string) string {
		sc := borrowScratch()
		defer sc.giveBack()
		h, err := k.macs[s.standard[name].key].hash(sc, []byte(value), partition)
		if err != nil {
			t.Fatal(err)
		}
		return string(appendHex(nil, h, 32))
	}
	for p := range 5 {
		attributes, err := s.Beacons(k, p, item)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]types.AttributeValue{}
		for _, a := range attributes {
			got[a.Name] = a.Value
		}
		for i, name := range []string{"a", "b", "c", "d", "e"} {
			if want := text(hash(name, byte(p%(i+1)), "v")); !sameValue(got[AttributePrefix+name], want) {
				t.Errorf("partition %d: beacon %s is %s, want %s", p, name, describe(got[AttributePrefix+name]),
					describe(want))
			}
		}
		set := &types.AttributeValueMemberSS{Value: []string{hash("f", byte(p%2), "v"), hash("f", byte(p%2), "w")}}
		if !sameValue(got["aws_dbe_b_f"], set) {
			t.Errorf("partition %d: set %s, want %s", p, describe(got["aws_dbe_b_f"]), describe(set))
		}
		parts := text("B-" + hash("b", byte(p%2), "v") + "|C-" + hash("c", byte(p%3), "v"))
		if !sameValue(got["aws_dbe_b_x"], parts) {
			t.Errorf("partition %d: compound %s, want %s", p, describe(got["aws_dbe_b_x"]), describe(parts))
		}
	}
	for _, p := range []int{-1, 5} {
		if _, err := s.Beacons(k, p, item); err == nil {
			t.Errorf("partition %d of 5 is accepted", p)
		}
	}
}
