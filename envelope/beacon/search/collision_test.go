// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"fmt"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
)

// TestCollisions holds, one by one, the cases in which hashes alone would lose a
// match: values with equal hashes, and encrypted parts that are empty or go on.
func TestCollisions(t *testing.T) {
	protection := map[string]beacon.Protection{"yr": beacon.Signed, "mo": beacon.Signed, "t": beacon.Encrypted}
	tb := newTable(t, protection, beacon.Config{
		Standard: []beacon.Standard{{Name: "t", Length: 2}},
		Compound: []beacon.Compound{{Name: "c", Split: '|',
			Signed:    []beacon.SignedPart{{Name: "yr", Prefix: "Y-"}, {Name: "mo", Prefix: "M-"}},
			Encrypted: []beacon.EncryptedPart{{Name: "t", Prefix: "T-"}},
			Constructors: []beacon.Constructor{
				{{Name: "yr"}, {Name: "t", Optional: true}, {Name: "mo", Optional: true}}, {{Name: "t"}}}}},
	})
	k, err := tb.search.Keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	hash := func(text string) string {
		h, err := tb.search.Lookup("t").Standard.Hash(k, 0, s(text))
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	like := func(text string, other bool) string { // a text with the same hash, or with another one
		for i := 0; ; i++ {
			if candidate := fmt.Sprint("x", i); candidate != text && (hash(candidate) == hash(text)) != other {
				return candidate
			}
		}
	}
	const a = "a"
	lower := "l0" // a text whose hash is below that of the empty text
	for i := 0; hash(lower) >= hash(""); i++ {
		if i == 1000 {
			t.Fatal("the hash of the empty text is 0; use another key")
		}
		lower = fmt.Sprint("l", i)
	}
	same, different := like(a, false), like(a, true)
	item := func(texts ...string) Item { // of yr, t and mo; "-" stands for none
		out := Item{}
		for i, name := range []string{"yr", "t", "mo"}[:len(texts)] {
			if texts[i] != "-" {
				out[name] = s(texts[i])
			}
		}
		return out
	}
	for _, c := range []struct {
		filter string
		values []string // of :0, :1
		item   Item
	}{
		// Equal hashes of other texts.
		{"NOT t = :0", []string{a}, item("1", same)}, {"NOT t IN (:0, :1)", []string{"b", a}, item("1", same)},
		{"c <> :0", []string{"Y-1|T-" + a}, item("1", same)}, {"NOT c = :0", []string{"Y-1|T-" + a}, item("1", same)},
		{"NOT c IN (:0, :1)", []string{"Y-1", "Y-1|T-" + a}, item("1", same)}, {"NOT begins_with(c, :0)", []string{"Y-1|T-" + a + "|M-5"}, item("1", same, "5")},
		{"NOT c BETWEEN :0 AND :1", []string{"Y-1|T-" + a + "|M-1", "Y-1|T-" + a + "|M-9"}, item("1", same, "5")},
		{"NOT c BETWEEN :0 AND :0", []string{"Y-1|T-" + a}, item("1", same)}, {"NOT (t = :0 AND c = :1)", []string{a, "T-" + a}, item("-", same)},
		{"NOT NOT t = :0", []string{a}, item("1", a)}, {"NOT (NOT t = :0 OR NOT c = :1)", []string{a, "Y-1|T-" + a}, item("1", a)},
		// A text that begins with the value has another hash.
		{"begins_with(c, :0)", []string{"Y-1|T-" + a}, item("1", a+"b")}, {"begins_with(c, :0)", []string{"T-" + a}, item("-", a+"b")},
		{"contains(c, :0)", []string{"T-" + a}, item("1", a+"b")}, {"contains(c, :0)", []string{"T-" + a}, item("1", "xT-"+a)},
		{"contains(c, :0)", []string{"Y-1"}, item("-", "xY-1z")}, {"contains(c, :0)", []string{"T-" + a + "|M-5"}, item("1", "zT-"+a, "55")},
		{"contains(t, :0)", []string{a}, item("1", "b"+a)}, {"contains(c, :0)", []string{"Y-1|T-" + a}, item("1", a+"c")},
		// What lies between two values begins as both do, and its part goes on.
		{"c BETWEEN :0 AND :1", []string{"Y-1|T-" + a, "Y-1|T-" + a + "|M-5"}, item("1", a+"b")},
		{"c BETWEEN :0 AND :1", []string{"Y-1|T-" + a, "Y-1|T-" + a + "|M-5"}, item("1", a+"b", "7")},
		{"c BETWEEN :0 AND :1", []string{"Y-1", "Y-1|T-"}, item("1", "")}, {"c BETWEEN :0 AND :1", []string{"Y-1|T-", "Y-2|T-"}, item("2", "")},
		{"NOT c BETWEEN :0 AND :1", []string{"Y-1|T-" + a + "|M-1", "Y-1|T-" + a + "|M-9"}, item("1", different, "5")},
		{"c BETWEEN :0 AND :1", []string{"Y-1|T-", "Y-2"}, item("1", lower)}, {"NOT c BETWEEN :0 AND :1", []string{"Y-1", "Y-2|T-"}, item("2", lower)},
		{"NOT c <> :0", []string{"Y-1|T-"}, item("1", "")}, {"c >= :0", []string{"Y-1|T-"}, item("1", lower)}, {":0 <= c", []string{"Y-1|T-"}, item("1", lower)},
		{"c > :0", []string{"Y-1|T-"}, item("1", lower)}, {"NOT c <= :0", []string{"Y-1|T-"}, item("1", lower)},
		// An empty text has a hash, so that the stored beacon is longer than the value.
		{"c <= :0", []string{"Y-1|T-"}, item("1", "")}, {"NOT c > :0", []string{"Y-1|T-"}, item("1", "")}, {":0 >= c", []string{"Y-1|T-"}, item("1", "")},
		{"c >= :0", []string{"Y-1|T-"}, item("1", "")}, {"NOT c < :0", []string{"Y-1|T-"}, item("1", "")}, {"c = :0", []string{"Y-1|T-"}, item("1", "")},
		{"c = :0", []string{"Y-1|T-|M-2"}, item("1", "", "2")}, {"begins_with(c, :0)", []string{"Y-1|T-|M-"}, item("1", "", "2")},
		{"begins_with(c, :0)", []string{"Y-1|T-"}, item("1", "", "2")}, {"c BETWEEN :0 AND :0", []string{"Y-1|T-"}, item("1", "")},
	} {
		values := Item{}
		for i, v := range c.values {
			values[fmt.Sprintf(":%d", i)] = s(v)
		}
		r := search.Request{Operation: search.Scan, Filter: &c.filter, Values: values}
		name := c.filter + " with " + show(values) + " for " + show(c.item)
		plan, sent, err := tb.rewrite(t, r, 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		stored := tb.stored(t, "", 0, c.item)
		if !parse(t, sent).accepts(stored) {
			t.Errorf("%s: DynamoDB leaves it out: %s over %s", name, describe(search.Request{Filter: sent.Filter,
				Values: sent.Values}), show(stored))
		}
		if ok, err := plan.Match(c.item); !ok || err != nil {
			t.Errorf("%s: Match leaves it out, %v", name, err)
		}
	}
}
