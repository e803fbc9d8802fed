// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"testing"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

func TestEqualItems(t *testing.T) {
	a := item{"id": s("x"), "n": n("1.50"), "tags": ss("b", "a"), "deep": m(item{"l": l(n("100"))})}
	if !ddbexpr.EqualItems(a,
		item{"id": s("x"), "n": n("15e-1"), "tags": ss("a", "b"), "deep": m(item{"l": l(n("1E2"))})}) {
		t.Error("the same item in another form differs")
	}
	for name, other := range map[string]item{
		"value":     {"id": s("y"), "n": n("1.50"), "tags": ss("b", "a"), "deep": m(item{"l": l(n("100"))})},
		"missing":   {"id": s("x"), "n": n("1.50"), "tags": ss("b", "a")},
		"more":      {"id": s("x"), "n": n("1.50"), "tags": ss("b", "a"), "deep": m(item{"l": l(n("100"))}), "z": null()},
		"type":      {"id": s("x"), "n": s("1.50"), "tags": ss("b", "a"), "deep": m(item{"l": l(n("100"))})},
		"in a list": {"id": s("x"), "n": n("1.50"), "tags": ss("b", "a"), "deep": m(item{"l": l(n("101"))})},
		"none":      nil,
	} {
		if ddbexpr.EqualItems(a, other) || ddbexpr.EqualItems(other, a) {
			t.Errorf("%s: equal", name)
		}
	}
}
