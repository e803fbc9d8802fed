// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"slices"
	"testing"
)

// Pages of every size give each item once, and a page whose last item is gone
// goes on behind it.
func TestPage(t *testing.T) {
	items := []string{"a", "b", "d", "e"}
	self := func(s string) string { return s }
	for limit := 1; limit <= 5; limit++ {
		var all []string
		after := ""
		for {
			page, next := Page(items, self, after, limit)
			if len(page) > limit {
				t.Fatalf("a page of %d, limit %d", len(page), limit)
			}
			all = append(all, page...)
			if next == "" {
				break
			}
			after = next
		}
		if !slices.Equal(all, items) {
			t.Errorf("limit %d: %q", limit, all)
		}
	}
	if page, next := Page(items, self, "c", 1); !slices.Equal(page, []string{"d"}) || next != "d" {
		t.Errorf("after c: %q, %q", page, next)
	}
	if page, next := Page(items, self, "e", 1); len(page) != 0 || next != "" {
		t.Errorf("after the end: %q, %q", page, next)
	}
}
