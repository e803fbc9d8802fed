// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/envelope/beacon/search"
)

// BenchmarkRewrite is the work for a query of one beacon with a filter.
func BenchmarkRewrite(b *testing.B) {
	tb := clinic(b)
	r := search.Request{Operation: search.Query, KeyCondition: text("s = :s"),
		Filter: text("NOT #z = :z AND street = :v"),
		Names:  map[string]string{"#z": "z"}, Values: Item{":s": s("x"), ":z": s("y"), ":v": s("w")}}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := tb.rewrite(b, r, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMatch is the work for an item of the answer, with and without a name
// that stands for something other than the attribute.
func BenchmarkMatch(b *testing.B) {
	tb := clinic(b)
	item := Item{"pk": s("1"), "s": s("x"), "yr": n("1"), "m": m(Item{"street": s("w")}), "t": s("t"), "u": s("u")}
	for name, filter := range map[string]string{"attribute": "s = :s", "location": "street = :v",
		"compound": "c < :y"} {
		b.Run(name, func(b *testing.B) {
			plan, _, err := tb.rewrite(b, search.Request{Operation: search.Scan, Filter: &filter,
				Values: Item{":s": s("x"), ":v": s("w"), ":y": s("Y-2")}}, 0)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := plan.Match(item); err != nil || !ok && name != "compound" {
					b.Fatal("does not match", err)
				}
			}
		})
	}
}
