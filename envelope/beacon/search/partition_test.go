// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/keyring"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// partitioned is the table of the official libraries' partition tests: Attr1 to
// Attr5 with 1 to 5 partitions, Attr6 in the clear.
func partitioned(t *testing.T) *table {
	secret, err := base64.StdEncoding.DecodeString("RJiXTa/rJf+CLHAVyE652v3uhKreOuYjV+a7SVOugow=")
	if err != nil {
		t.Fatal(err)
	}
	keys := &keyring.MemorySource{}
	if err := keys.AddBeaconKey(materials.NewBeaconKey("static-branch-key-1", [32]byte(secret))); err != nil {
		t.Fatal(err)
	}
	c := beacon.Config{MaxPartitions: 5,
		Keys: beacon.KeySource{Source: keys, BranchKeyID: "static-branch-key-1", Lifetime: time.Hour}}
	protection := map[string]beacon.Protection{"RecNum": beacon.Signed, "Attr6": beacon.Signed}
	for i := 1; i <= 5; i++ {
		name := fmt.Sprintf("Attr%d", i)
		protection[name] = beacon.Encrypted
		c.Standard = append(c.Standard, beacon.Standard{Name: name, Length: 32, Partitions: i % 5})
	}
	c.Compound = []beacon.Compound{{Name: "Comp", Split: '.',
		Signed:    []beacon.SignedPart{{Name: "Attr6", Prefix: "6-"}},
		Encrypted: []beacon.EncryptedPart{{Name: "Attr2", Prefix: "2-"}, {Name: "Attr3", Prefix: "3-"}},
		Constructors: []beacon.Constructor{{{Name: "Attr6"}, {Name: "Attr2", Optional: true},
			{Name: "Attr3", Optional: true}}}}}
	return newTable(t, protection, c)
}

// partitionValue is the value of an attribute in the tests: AAAA for Attr1.
func partitionValue(i int) string { return strings.Repeat(string(rune('A'+i-1)), 4) }

// TestPartitionScans holds the five filters that the official libraries expect.
// Values are named :attr2, and :attr2AA, :attr2AB and so on in other partitions.
func TestPartitionScans(t *testing.T) {
	tb := partitioned(t)
	k, err := tb.search.Keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	known := Item{":attr6": s("FFFF")}
	for i := 1; i <= 5; i++ {
		for partition, suffix := range []string{"", "AA", "AB", "AC", "AD"}[:i] {
			beacon := tb.search.Lookup(fmt.Sprintf("Attr%d", i)).Standard
			hash, err := beacon.Hash(k, partition, s(partitionValue(i)))
			if err != nil {
				t.Fatal(err)
			}
			known[fmt.Sprintf(":attr%d%s", i, suffix)] = s(hash)
		}
	}
	for name, want := range map[string]string{":attr1": "a9b04aa2", ":attr2": "6805aad6", ":attr2AA": "7898a595",
		":attr5": "cf8aa256", ":attr5AA": "d458bbbe", ":attr5AB": "e0e3fa2c"} {
		if got := show(Item{"": known[name]}); got != fmt.Sprintf(":%q", want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	pair := func(three, four string) string {
		return "(aws_dbe_b_Attr3 = :attr3" + three + " AND aws_dbe_b_Attr4 = :attr4" + four + ")"
	}
	triple := func(two, three, four string) string {
		return "(aws_dbe_b_Attr2 = :attr2" + two + " AND aws_dbe_b_Attr3 = :attr3" + three +
			" AND aws_dbe_b_Attr4 = :attr4" + four + ")"
	}
	for _, c := range []struct {
		attributes []int
		want       string
	}{
		{[]int{6}, "Attr6 = :attr6"},
		{[]int{2}, "aws_dbe_b_Attr2 = :attr2 OR aws_dbe_b_Attr2 = :attr2AA"},
		{[]int{6, 2}, "(Attr6 = :attr6 AND aws_dbe_b_Attr2 = :attr2) OR (Attr6 = :attr6 AND aws_dbe_b_Attr2 = :attr2AA)"},
		{[]int{3, 4}, strings.Join([]string{pair("", ""), pair("AA", "AA"), pair("AB", "AB"), pair("", "AC"),
			pair("AA", "")}, " OR ")},
		{[]int{2, 3, 4}, strings.Join([]string{triple("", "", ""), triple("AA", "AA", "AA"), triple("", "AB", "AB"),
			triple("AA", "", "AC"), triple("", "AA", "")}, " OR ")},
	} {
		values, terms, want := Item{}, []string{}, Item{}
		for _, i := range c.attributes {
			name := fmt.Sprintf(":attr%d", i)
			values[name] = s(partitionValue(i))
			terms = append(terms, fmt.Sprintf("Attr%d = %s", i, name))
		}
		filter := strings.Join(terms, " and ")
		for name, v := range known {
			if strings.Contains(c.want, name) {
				want[name] = v
			}
		}
		_, got, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: &filter, Values: values}, 0)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if !parse(t, got).filter.Root().Equal(tree(t, c.want, nil, want)) {
			t.Errorf("%s: %s with %v, want %s with %v", filter, *got.Filter, show(got.Values), c.want, show(want))
		}
	}
}

// TestPartitionQueries holds the number of queries, by names and placeholders
// alike, and what the filter covers in each.
func TestPartitionQueries(t *testing.T) {
	tb := partitioned(t)
	for _, c := range []struct {
		key     string
		queries int
		filter  map[int]int // number of partitions of a filter on Attr5, by request
	}{
		{"RecNum = :n", 1, map[int]int{0: 5}}, {"Attr1 = :s", 1, map[int]int{0: 5}}, {"Attr2 = :s", 2, map[int]int{0: 3, 1: 2}},
		{"#3 = :s", 3, map[int]int{0: 2, 1: 2, 2: 1}}, {"Attr4 = :s", 4, map[int]int{0: 2, 1: 1, 3: 1}},
		{"Attr5 = :s", 5, map[int]int{0: 1, 4: 1}}, {"Attr2 = :s AND #3 = :u", 5, map[int]int{2: 1}},
		{"Attr2 = :s AND Attr4 = :u", 4, map[int]int{0: 2}}, {"Attr6 = :s AND #c = :c2", 2, map[int]int{0: 3}},
		{"Attr6 = :s AND #c = :c3", 3, map[int]int{0: 2}}, {"Attr6 = :s AND Comp = :c23", 5, nil},
		{"Attr6 = :s AND begins_with(Comp, :bare)", 1, map[int]int{0: 5}},
		{"Attr6 = :s AND begins_with(Comp, :c2)", 1, map[int]int{0: 5}},
		{"Attr6 = :s AND begins_with(Comp, :c2bare)", 2, map[int]int{0: 3}}, {"Attr6 = :s AND Comp = :c2bare", 5, nil},
	} {
		values := Item{":n": n("1"), ":s": s("x"), ":u": s("y"), ":c2": s("6-x.2-y"), ":c3": s("3-y"),
			":c23": s("6-x.2-y.3-z"), ":bare": s("6-x.2-"), ":c2bare": s("6-x.2-y.3-"),
			":f": s("EEEE")}
		names := map[string]string{"#3": "Attr3", "#c": "Comp", "#5": "Attr5"}
		r := search.Request{Operation: search.Query, KeyCondition: &c.key, Names: names, Values: values}
		plan, err := tb.rewriter.Plan(r)
		if err != nil {
			t.Errorf("%s: %v", c.key, err)
			continue
		}
		if plan.Queries() != c.queries {
			t.Errorf("%s: %d queries, want %d", c.key, plan.Queries(), c.queries)
		}
		// One query needs no partition, several do.
		partition, err := plan.Partition()
		if (err != nil) != (c.queries > 1) || partition != 0 {
			t.Errorf("%s: partition %d, %v", c.key, partition, err)
		}
		for _, named := range []int{0, c.queries - 1, c.queries} {
			values[search.PartitionValue] = n(fmt.Sprint(named))
			plan, err := tb.rewriter.Plan(r)
			if named == c.queries {
				refused(t, c.key, err, materials.ErrConfiguration)
				continue
			}
			if err != nil {
				t.Errorf("%s: partition %d: %v", c.key, named, err)
				continue
			}
			if partition, err := plan.Partition(); err != nil || partition != named {
				t.Errorf("%s: partition %d, %v, want %d", c.key, partition, err, named)
			}
			sent, err := plan.Request(t.Context(), named)
			if err != nil || sent.Values[search.PartitionValue] != nil || values[search.PartitionValue] == nil {
				t.Errorf("%s: %+v, %v", c.key, sent, err)
			}
		}
		delete(values, search.PartitionValue)
		r.Filter = text("#5 = :f")
		for request, want := range c.filter {
			_, sent, err := tb.rewrite(t, r, request)
			if err != nil {
				t.Errorf("%s: %v", c.key, err)
				continue
			}
			parse(t, sent)
			if got := strings.Count(*sent.Filter, "="); got != want {
				t.Errorf("%s, request %d: the filter is %s, want %d terms", c.key, request, *sent.Filter, want)
			}
		}
	}
}

func TestPartitionValueRefused(t *testing.T) {
	tb := partitioned(t)
	key := "Attr2 = :s"
	for _, v := range []string{"5", "-1", "1.5", "2", "x", "99999999999999999999"} {
		_, err := tb.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: &key,
			Values: Item{":s": s("x"), search.PartitionValue: n(v)}})
		refused(t, v, err, materials.ErrConfiguration)
	}
	_, err := tb.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: &key,
		Values: Item{":s": s("x"), search.PartitionValue: s("1")}})
	refused(t, "a string", err, materials.ErrConfiguration)
	_, err = tb.rewriter.Plan(search.Request{Operation: search.Scan, Filter: &key,
		Values: Item{":s": s("x"), search.PartitionValue: n("0")}})
	refused(t, "a Scan", err, materials.ErrConfiguration)
	_, err = tb.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: &key,
		Filter: text("RecNum = :aws_dbe_partition"),
		Values: Item{":s": s("x"), search.PartitionValue: n("0")}})
	refused(t, "an expression that uses it", err, materials.ErrConfiguration)
	one := newTable(t, map[string]beacon.Protection{"s": beacon.Encrypted},
		beacon.Config{Standard: []beacon.Standard{{Name: "s", Length: 8}}})
	key = "s = :s"
	_, err = one.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: &key,
		Values: Item{":s": s("x"), search.PartitionValue: n("0")}})
	refused(t, "a table without partitions", err, materials.ErrConfiguration)
	plan, err := tb.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: text("Attr2 = :s"),
		Values: Item{":s": s("x")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, partition := range []int{-1, 2} {
		_, err := plan.Request(t.Context(), partition)
		refused(t, "request", err, materials.ErrConfiguration)
	}
}

// TestFirst: an item whose beacon is by chance that of the value in an earlier
// partition is the result of the earlier request alone.
func TestFirst(t *testing.T) {
	tb := newTable(t, map[string]beacon.Protection{"pk": beacon.Signed, "s": beacon.Encrypted, "t": beacon.Encrypted,
		"z": beacon.Signed}, beacon.Config{MaxPartitions: 4,
		Standard: []beacon.Standard{{Name: "s", Length: 1}, {Name: "t", Length: 8, Partitions: 1}}})
	seen := map[string]bool{}
	for i := range 40 {
		value := s(fmt.Sprint(i))
		plan, err := tb.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: text("s = :s"),
			Filter: text("z = :z AND t = :t"), Values: Item{":s": value, ":z": s("1"), ":t": s("t")},
			Projection: text("pk")})
		if err != nil {
			t.Fatal(err)
		}
		for partition := range 4 {
			for _, z := range []string{"1", "2"} {
				item := Item{"pk": s("x"), "s": value, "t": s("t"), "z": s(z)}
				stored := tb.stored(t, "", partition, item)
				var found []int
				firsts := 0
				for request := range plan.Queries() {
					sent, err := plan.Request(t.Context(), request)
					if err != nil {
						t.Fatal(err)
					}
					server := parse(t, sent)
					first, err := plan.First(t.Context(), request, server.reads.Apply(stored))
					if err != nil {
						t.Fatal(err)
					}
					if server.accepts(stored) {
						if found = append(found, request); first {
							firsts++
						}
					}
				}
				if z == "1" && (firsts != 1 || !slices.Contains(found, partition)) || z == "2" && len(found) > 0 {
					t.Fatalf("item of partition %d: found by %d, %d times the first", partition, found, firsts)
				}
				seen[fmt.Sprint(len(found))] = true
			}
		}
	}
	if len(seen) != 5 {
		t.Errorf("items were found by %v requests; all of 0 to 4 should occur", seen)
	}
	plan, err := tb.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: text("s = :s"),
		Values: Item{":s": s("x")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.First(t.Context(), 5, Item{}); !errors.Is(err, materials.ErrConfiguration) {
		t.Errorf("request 5 of 4: %v", err)
	}
}

// TestFirstRegardsFilter: an earlier request whose key condition finds an item,
// but whose filter leaves it out, does not count.
func TestFirstRegardsFilter(t *testing.T) {
	tb := newTable(t, map[string]beacon.Protection{"s": beacon.Encrypted, "t": beacon.Encrypted},
		beacon.Config{Standard: []beacon.Standard{{Name: "s", Length: 1, Partitions: 2}, {Name: "t", Length: 63}},
			MaxPartitions: 4})
	collided := 0
	for i := range 30 {
		item := Item{"s": s(fmt.Sprint(i)), "t": s("x")}
		plan, err := tb.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: text("s = :s"),
			Filter: text("t = :t"), Values: Item{":s": item["s"], ":t": item["t"]}, Projection: text("s")})
		if err != nil {
			t.Fatal(err)
		}
		stored := tb.stored(t, "", 1, item)
		for request := range plan.Queries() {
			sent, err := plan.Request(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			server := parse(t, sent)
			if request == 0 && server.key.Root().Evaluate(stored) {
				collided++
			}
			first, err := plan.First(t.Context(), request, server.reads.Apply(stored))
			if err != nil || server.accepts(stored) != (request == 1) || !first {
				t.Fatalf("request %d finds the item: %t, first: %t, %v", request, server.accepts(stored), first, err)
			}
		}
	}
	if collided == 0 || collided == 30 {
		t.Errorf("%d of 30 beacons collide in two partitions", collided)
	}
}
