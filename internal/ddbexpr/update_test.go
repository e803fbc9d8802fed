// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var exact = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore()),
}

func ExampleParseUpdate() {
	update, err := ddbexpr.ParseUpdate("SET visits = visits + :one REMOVE tags[0]", nil, item{":one": n("1")})
	if err != nil {
		fmt.Println(err)
		return
	}
	before := item{"id": s("x"), "visits": n("41"), "tags": l(s("a"), s("b"))}
	after, err := update.Apply(before)
	fmt.Println(canonical(m(after)), err)
	fmt.Println(update.TargetNames(), canonical(m(update.ProjectTargets(before))))
	// Output:
	// M{id:S"x",tags:L[S"b"],visits:N42/1} <nil>
	// [tags visits] M{tags:L[S"a"],visits:N41/1}
}

func TestApply(t *testing.T) {
	const (
		noPath = "The document path provided in the update expression is invalid for update"
		noAttr = "The provided expression refers to an attribute that does not exist in the item"
		typ    = "An operand in the update expression has an incorrect data type"
	)
	x, nines := s("X"), strings.Repeat("9", 38)
	list := func(v ...string) types.AttributeValue {
		var out []types.AttributeValue
		for _, e := range v {
			out = append(out, s(e))
		}
		return l(out...)
	}
	for _, c := range []struct {
		item       item
		expression string
		value      types.AttributeValue // of :v
		want       item
		err        string
	}{
		{nil, "SET a = :v", x, item{"a": x}, ""},
		{item{"b": n("1")}, "SET a = :v", x, item{"a": x, "b": n("1")}, ""},
		{item{"a": m(item{"c": s("1")})}, "SET a.b = :v", x, item{"a": m(item{"c": s("1"), "b": x})}, ""},
		{item{}, "SET a.b = :v", x, nil, noPath}, {item{"a": s("1")}, "SET a.b = :v", x, nil, noPath}, {item{"a": m(item{})}, "SET a[0] = :v", x, nil, noPath}, {item{"a": list("1")}, "SET a.b = :v", x, nil, noPath},
		{item{"a": list("1")}, "SET a[0].b = :v", x, nil, noPath}, {item{"a": list("1")}, "SET a[4].b = :v", x, nil, noPath},
		// Lists: behind the end is appended in the order of indexes; indexes mean the old list.
		{item{"a": list("1", "2")}, "SET a[0] = :v", x, item{"a": list("X", "2")}, ""}, {item{"a": list("1", "2")}, "SET a[7] = :v", x, item{"a": list("1", "2", "X")}, ""},
		{item{"a": list("1"), "b": s("Y")}, "SET a[7] = :v, a[5] = b", x, item{"a": list("1", "Y", "X"), "b": s("Y")}, ""},
		{item{"a": list("1", "2")}, "SET a[0] = :v REMOVE a[1]", x, item{"a": list("X")}, ""}, {item{"a": list("1", "2", "3")}, "REMOVE a[0], a[2]", nil, item{"a": list("2")}, ""},
		{item{"a": list("1", "2")}, "REMOVE a[1], a[0]", nil, item{"a": l()}, ""}, {item{"a": list("1", "2")}, "SET a[5] = :v REMOVE a[2]", x, item{"a": list("1", "2", "X")}, ""},
		{item{"a": list("1", "2")}, "SET a[5] = :v REMOVE a[0]", x, item{"a": list("2", "X")}, ""}, {item{"a": list("1")}, "REMOVE a[9]", nil, item{"a": list("1")}, ""},
		{item{"a": l(m(item{"b": l(s("1"), s("2"))}), s("3"))}, "REMOVE a[0].b[0], a[1]", nil, item{"a": l(m(item{"b": l(s("2"))}))}, ""},
		// REMOVE needs the way to the place, not the place.
		{item{"a": x}, "REMOVE a", nil, item{}, ""}, {item{}, "REMOVE a", nil, item{}, ""}, {item{"a": m(item{"c": x})}, "REMOVE a.b", nil, item{"a": m(item{"c": x})}, ""},
		{item{}, "REMOVE a.b", nil, nil, noPath}, {item{}, "REMOVE a[9]", nil, nil, noPath}, {item{"a": s("1")}, "REMOVE a.b", nil, nil, noPath}, {item{"a": m(item{})}, "REMOVE a.b.c", nil, nil, noPath},
		// Operands.
		{item{}, "SET a = b", nil, nil, noAttr}, {item{"b": x}, "SET a = b", nil, item{"a": x, "b": x}, ""}, {item{"b": m(item{})}, "SET a = b.c", nil, nil, noAttr},
		{item{"a": n("1")}, "SET a = a + :v, b = a", n("2"), item{"a": n("3"), "b": n("1")}, ""}, {item{"a": n("1")}, "SET a = :v - a", n("0.5"), item{"a": n("-0.5")}, ""},
		{item{}, "SET a = a + :v", n("1"), nil, noAttr}, {item{"a": x}, "SET a = a + :v", n("1"), nil, typ}, {item{"a": x}, "SET b = :v - a", n("1"), nil, typ},
		{item{"a": n(nines)}, "SET a = a + :v", n("0.1"), nil, "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{item{"a": n("9e125")}, "SET a = a + a", nil, nil, "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{item{}, "SET a = if_not_exists(a, :v)", n("1"), item{"a": n("1")}, ""}, {item{"a": x}, "SET a = if_not_exists(a, :v)", n("1"), item{"a": x}, ""},
		{item{}, "SET a = if_not_exists(a, :v) + :v", n("1"), item{"a": n("2")}, ""}, {item{"c": x}, "SET a = if_not_exists(a, if_not_exists(b, c))", nil, item{"a": x, "c": x}, ""},
		{item{"a": list("1")}, "SET a = list_append(:v, a)", list("2"), item{"a": list("2", "1")}, ""}, {item{}, "SET a = list_append(if_not_exists(a, :v), :v)", list("2"), item{"a": list("2", "2")}, ""},
		{item{"a": x}, "SET a = list_append(a, :v)", list("2"), nil, typ}, {item{}, "SET a = list_append(a, :v)", list("2"), nil, noAttr}, {item{"a": list("1")}, "SET a = list_append(a, a) + :v", n("1"), nil, typ},
		// ADD.
		{item{}, "ADD a :v", n("5"), item{"a": n("5")}, ""}, {item{"a": n("1")}, "ADD a :v", n("-5"), item{"a": n("-4")}, ""}, {item{"a": x}, "ADD a :v", n("5"), nil, typ}, {item{"a": n("1")}, "ADD a :v", ns("5"), nil, typ},
		{item{"a": n("9e125")}, "ADD a :v", n("9e125"), nil, "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{item{}, "ADD a :v", ss("p"), item{"a": ss("p")}, ""}, {item{"a": ss("p")}, "ADD a :v", ss("p", "q"), item{"a": ss("p", "q")}, ""}, {item{"a": ns("1")}, "ADD a :v", ns("1.0", "2"), item{"a": ns("1", "2")}, ""},
		{item{"a": bs([]byte("p"))}, "ADD a :v", bs([]byte("p"), []byte("q")), item{"a": bs([]byte("p"), []byte("q"))}, ""}, {item{"a": ss("p")}, "ADD a :v", ns("1"), nil, typ}, {item{"a": l()}, "ADD a :v", ss("p"), nil, typ},
		{item{}, "ADD a.b :v", n("1"), nil, noPath}, {item{"a": m(item{"b": n("1")})}, "ADD a.b :v", n("1"), item{"a": m(item{"b": n("2")})}, ""}, {item{"a": l(n("1"))}, "ADD a[0] :v", n("1"), item{"a": l(n("2"))}, ""},
		// DELETE.
		{item{"a": ss("p", "q")}, "DELETE a :v", ss("q", "r"), item{"a": ss("p")}, ""}, {item{"a": ss("p")}, "DELETE a :v", ss("p", "q"), item{}, ""}, {item{}, "DELETE a :v", ss("p"), item{}, ""},
		{item{"a": ns("1", "2")}, "DELETE a :v", ns("2.0"), item{"a": ns("1")}, ""}, {item{"a": bs([]byte("p"))}, "DELETE a :v", bs([]byte("p")), item{}, ""}, {item{"a": ss("p")}, "DELETE a :v", ns("1"), nil, typ}, {item{"a": n("1")}, "DELETE a :v", ns("1"), nil, typ},
		{item{"a": m(item{"b": ss("p")})}, "DELETE a.b :v", ss("p"), item{"a": m(item{})}, ""},
	} {
		var values item
		if c.value != nil {
			values = item{":v": c.value}
		}
		update, err := ddbexpr.ParseUpdate(c.expression, nil, values)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		before := canonical(m(c.item))
		got, err := update.Apply(c.item)
		var e *ddbexpr.Error
		switch {
		case c.err != "":
			if !errors.As(err, &e) || e.Message != c.err || got != nil {
				t.Errorf("%s for %s: %v, %v; want %s", c.expression, before, got, err, c.err)
			}
		case err != nil:
			t.Errorf("%s for %s: %v", c.expression, before, err)
		default:
			if d := cmp.Diff(c.want, got, exact); d != "" {
				t.Errorf("%s for %s: %s", c.expression, before, d)
			}
		}
		if canonical(m(c.item)) != before {
			t.Errorf("%s changed the item it was applied to", c.expression)
		}
	}
}

func TestUpdateNames(t *testing.T) {
	update, err := ddbexpr.ParseUpdate("SET #a.x = if_not_exists(b.y, :v) + c, d[1] = :v REMOVE e ADD f :v DELETE g :s",
		map[string]string{"#a": "a"}, item{":v": n("1"), ":s": ss("p")})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string][2]string{
		"targets": {fmt.Sprint(update.Targets()), "[[a, x] [d, [1]] [e] [f] [g]]"},
		"sources": {fmt.Sprint(update.Sources()), "[[b, y] [c]]"},
		"paths":   {fmt.Sprint(update.Paths()), "[[a, x] [d, [1]] [e] [f] [g] [b, y] [c]]"},
		"names":   {fmt.Sprint(update.TopLevelNames()), "[a b c d e f g]"},
		"changed": {fmt.Sprint(update.TargetNames()), "[a d e f g]"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %s, want %s", what, c[0], c[1])
		}
	}
	var actions []string
	for _, a := range update.Actions() {
		text := a.Section.String() + a.Path.String()
		if a.Value != nil {
			text += canonical(a.Value)
		}
		actions = append(actions, text)
	}
	if got, want := strings.Join(actions, " "),
		`SET[a, x] SET[d, [1]]N1/1 REMOVE[e] ADD[f]N1/1 DELETE[g]SS"p"`; got != want {
		t.Errorf("actions %s, want %s", got, want)
	}
}
