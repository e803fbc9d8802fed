// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/google/go-cmp/cmp"
)

func TestProjectionApply(t *testing.T) {
	it := item{"a": m(item{"x": s("1"), "y": l(s("2"), m(item{"z": s("3"), "w": s("4")}), s("5"))}), "b": s("6"),
		"c.d": s("7")}
	for _, c := range []struct {
		expression string
		want       item
	}{
		{"b", item{"b": s("6")}},
		{"a.x", item{"a": m(item{"x": s("1")})}},
		{"a.y[2], a.y[0]", item{"a": m(item{"y": l(s("2"), s("5"))})}},
		{"a.y[1].z, a.x, #n", item{"a": m(item{"x": s("1"), "y": l(m(item{"z": s("3")}))}), "c.d": s("7")}},
		{"q, a.q, a.y[9], b.x, a.x.z[0]", item{}},
		{"a, q", item{"a": it["a"]}},
	} {
		scope, err := ddbexpr.NewScope(map[string]string{"#n": "c.d"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		projection, err := scope.Projection(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		before := canonical(m(it))
		got := projection.Apply(it)
		if d := cmp.Diff(c.want, got, exact); d != "" || got == nil {
			t.Errorf("%s: %s", c.expression, d)
		}
		if canonical(m(it)) != before {
			t.Errorf("%s changed the item", c.expression)
		}
	}
	attributes := ddbexpr.NewProjection("b", "a", "b")
	if got := attributes.Apply(it); !maps.Equal(got, item{"a": it["a"], "b": it["b"]}) {
		t.Errorf("%v", got)
	}
	if got := fmt.Sprint(attributes.TopLevelNames(), attributes.Paths()); got != "[a b] [[b] [a] [b]]" {
		t.Error(got)
	}
}
