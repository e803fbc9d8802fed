// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// terms joins copies of a term, each with a value of its own.
func terms(format, join string, count int, values Item) string {
	var out []string
	for range count {
		name := fmt.Sprintf(":v%d", len(values))
		values[name] = s(name)
		out = append(out, fmt.Sprintf(format, name))
	}
	return strings.Join(out, join)
}

// wide is a table whose beacon s has many partitions.
func wide(t *testing.T, partitions int) *table {
	return newTable(t, map[string]beacon.Protection{"pk": beacon.Signed, "s": beacon.Encrypted, "z": beacon.Signed,
		"y": beacon.Signed},
		beacon.Config{Standard: []beacon.Standard{{Name: "s", Length: 32}}, MaxPartitions: partitions})
}

// TestFilterTooLarge: a filter that outgrows DynamoDB's limits is sent in part
// or not at all, and finds the same items.
func TestFilterTooLarge(t *testing.T) {
	for _, c := range []struct {
		name       string
		partitions int
		filter     func(Item) string
		sent       string // what the filter that is sent contains
		most       int    // of its operators
		widened    bool
	}{
		{"as large as it may be", 1, func(v Item) string { return terms("s = %s", " OR ", 150, v) }, "aws_dbe_b_s=:b0 OR", 299,
			false},
		{"with all partitions", 3, func(v Item) string { return terms("s = %s", " OR ", 50, v) }, " OR ", 299, false},
		{"AND terms that fit by IN", 60, func(v Item) string { return terms("s = %s", " AND ", 3, v) }, " IN (", 5, false},
		{"254 partitions by IN", 254, func(v Item) string { return "s = :x AND " + terms("z <> %s", " AND ", 3, v) },
			"aws_dbe_b_s IN (", 12, false},
		{"an OR with 254 partitions", 254, func(v Item) string {
			return "(" + terms("s = %s", " OR ", 2, v) + ") AND " + terms("z <> %s", " AND ", 3, v)
		}, "z<>:v", 5, true},
		{"nothing that fits", 254, func(v Item) string { return terms("s = %s", " OR ", 2, v) }, "", 0, true},
		{"some of the terms by IN", 100, func(v Item) string { return terms("s = %s", " AND ", 20, v) }, " IN (", 30, true},
		{"numbers in the clear", 254, func(v Item) string {
			filter := "(" + terms("s = %s", " OR ", 2, v) + ") AND y = :n AND z <> :n"
			v[":n"] = n("0")
			return filter
		}, "y=:n", 3, true},
		{"a term under NOT", 254, func(v Item) string { return "NOT s = :x AND " + terms("z <> %s", " AND ", 2, v) }, "z<>:v", 3,
			false},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := wide(t, c.partitions)
			values := Item{":x": s("x")}
			filter := c.filter(values)
			plan, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: &filter, Values: values}, 0)
			if err != nil {
				t.Fatal(err)
			}
			got, count := "", 0
			if f := parse(t, sent).filter; f != nil {
				got, count = *sent.Filter, f.Operators()
			}
			if !strings.Contains(got, c.sent) || c.sent == "" && got != "" || count > c.most ||
				sent.Widened != c.widened {
				t.Errorf("%d operators in %.200s, widened %t", count, got, sent.Widened)
			}
			// Items that have any of the values are found if they match.
			model, err := modelOf(search.Request{Filter: &filter, Values: values})
			if err != nil {
				t.Fatal(err)
			}
			server, found := parse(t, sent), 0
			for i := range 2 * c.partitions {
				item := Item{"pk": s("1"), "s": s([]string{":v0", ":v1", "x"}[i%3]), "z": s("0"), "y": n("0")}
				stored := tb.stored(t, "", i%c.partitions, item)
				match, err := plan.Match(item)
				if err != nil {
					t.Fatal(err)
				}
				if want := model.accepts(item); want != (server.accepts(stored) && match) {
					t.Fatalf("%s in partition %d: want %t", show(item), i%c.partitions, want)
				} else if want {
					found++
				}
			}
			if found == 0 && !strings.Contains(filter, "s = :v1 AND s") {
				t.Error("no item matches")
			}
		})
	}
}

// TestFilterFits: every filter that DynamoDB takes for a plaintext table is
// within its limits when rewritten without partitions, although names of stored
// beacons are longer.
func TestFilterFits(t *testing.T) {
	protection := map[string]beacon.Protection{"pk": beacon.Signed}
	var c beacon.Config
	for i := range 40 {
		name := fmt.Sprintf("a%c%d", 'a'+i%26, i)
		protection[name] = beacon.Encrypted
		c.Standard = append(c.Standard, beacon.Standard{Name: name, Length: 63})
	}
	tb := newTable(t, protection, c)
	values := Item{}
	var out []string
	for i := range 150 {
		name := fmt.Sprintf(":%d", i)
		values[name] = s(strings.Repeat("x", 100) + name)
		out = append(out, c.Standard[i%len(c.Standard)].Name+"="+name)
	}
	filter := strings.Join(out, " OR ")
	_, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: &filter, Values: values}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if f := parse(t, sent).filter; f == nil || f.Operators() != 299 || sent.Widened {
		t.Errorf("%d bytes became %+v", len(filter), sent.Filter)
	}
	over := filter + " OR " + out[0]
	_, _, err = tb.rewrite(t, search.Request{Operation: search.Scan, Filter: &over, Values: values}, 0)
	if err == nil {
		t.Errorf("a filter of %d operators, which DynamoDB refuses, was accepted", ddbexpr.MaxOperators+1)
	}
}

// TestShortBeacon: partitions in which a value has the same beacon need one term.
func TestShortBeacon(t *testing.T) {
	tb := newTable(t, map[string]beacon.Protection{"s": beacon.Encrypted},
		beacon.Config{Standard: []beacon.Standard{{Name: "s", Length: 1}}, MaxPartitions: 100})
	_, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: text("s = :s"),
		Values: Item{":s": s("x")}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if parse(t, sent); strings.Count(*sent.Filter, "=") != 2 || sent.Widened {
		t.Error(*sent.Filter)
	}
}
