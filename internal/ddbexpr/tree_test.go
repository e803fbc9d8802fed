// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

func ExampleNode() {
	condition, err := ddbexpr.ParseCondition(ddbexpr.KindFilter, "age > :age AND name_ = :name", nil,
		item{":age": n("30"), ":name": s("Ada")})
	if err != nil {
		fmt.Println(err)
		return
	}
	sides := condition.Root().Nodes()
	w := ddbexpr.NewWriter(nil, nil)
	fmt.Println(w.Condition(ddbexpr.Join(ddbexpr.OpOr, sides[0], ddbexpr.Negate(ddbexpr.Join(ddbexpr.OpAnd, sides[1],
		ddbexpr.Term(ddbexpr.OpEqual, ddbexpr.Attribute("status"), ddbexpr.Literal(s("open"))))))))
	fmt.Println(w.Names(), len(w.Values()))
	// Output:
	// age>:age OR NOT (name_=:name AND #b0=:b0)
	// map[#b0:status] 3
}

// tree parses a condition with the test's placeholders.
func tree(t *testing.T, expression string) ddbexpr.Node {
	t.Helper()
	scope, err := ddbexpr.NewScope(testNames, testValues)
	if err != nil {
		t.Fatal(err)
	}
	c, err := scope.Condition(ddbexpr.KindFilter, expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	if got, want := c.Root().Operators(), c.Operators(); got != want {
		t.Fatalf("%s: the tree has %d operators, the parser counted %d", expression, got, want)
	}
	return c.Root()
}

func TestNodeEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"a = :s", "#same = :s", true}, {"a = :s", "(a) = :s", true}, {"a = :s AND b = :t", "(a = :s) AND (b = :t)", true},
		{"a.b[1] IN (:s, :t)", "a.b[1] in (:s,:t)", true}, {"size(a) = :n", "size(#same)=:n", true},
		{"a = :s", "a = :t", false}, {"a = :s", "b = :s", false}, {"a = :s", "a <> :s", false}, {"a = :s", ":s = a", false},
		{"a = :s", "size(a) = :s", false}, {"a = :s", "a = b", false}, {"a IN (:s)", "a IN (:s, :t)", false},
		{"a = :s AND b = :t AND c = :n", "a = :s AND (b = :t AND c = :n)", false},
		{"NOT a = :s", "a = :s", false}, {"a[0] = :s", "a[1] = :s", false}, {"a = :s OR b = :t", "a = :s AND b = :t", false},
		{"attribute_exists(a)", "attribute_not_exists(a)", false}, {"a = :m", "a = :n", false},
	} {
		if got := tree(t, c.a).Equal(tree(t, c.b)); got != c.want {
			t.Errorf("%s and %s: %t", c.a, c.b, got)
		}
	}
	if (ddbexpr.Node{}).Equal(tree(t, "a = :s")) || !(ddbexpr.Node{}).Equal(ddbexpr.Node{}) {
		t.Error("the zero Node")
	}
}

func TestNodeView(t *testing.T) {
	or := tree(t, "NOT a.b = :s OR size(c) BETWEEN :m AND #dot")
	if or.Operator() != ddbexpr.OpOr || len(or.Nodes()) != 2 || len(or.Operands()) != 0 {
		t.Fatalf("%v", or.Operator())
	}
	not, between := or.Nodes()[0], or.Nodes()[1]
	if not.Operator() != ddbexpr.OpNot || len(not.Nodes()) != 1 || between.Operator() != ddbexpr.OpBetween ||
		between.Nodes() != nil {
		t.Fatalf("%v, %v", not.Operator(), between.Operator())
	}
	equal := not.Nodes()[0].Operands()
	if p := equal[0].Path(); p.String() != "[a, b]" || equal[0].Value() != nil || equal[0].Placeholder() != "" {
		t.Errorf("first operand %v", p)
	}
	if v := equal[1]; v.Path() != nil || canonical(v.Value()) != `S"x"` || v.Placeholder() != ":s" {
		t.Errorf("second operand %v", v.Placeholder())
	}
	bounds := between.Operands()
	of, ok := bounds[0].SizeOf()
	if !ok || of.Path().Attribute() != "c" || bounds[0].Path() != nil {
		t.Error("SizeOf does not give c")
	}
	if _, ok := bounds[1].SizeOf(); ok || bounds[2].Path().Attribute() != "b.c" {
		t.Error("the bounds are not a value and b.c")
	}
	if !(ddbexpr.Node{}).IsZero() || or.IsZero() || (ddbexpr.Node{}).Operator() != ddbexpr.OpInvalid ||
		(ddbexpr.Node{}).Operands() != nil {
		t.Error("the zero Node")
	}
	scope, err := ddbexpr.NewScope(nil, testValues)
	if err != nil {
		t.Fatal(err)
	}
	k, err := scope.KeyCondition("id = :s AND sk > :n")
	if err != nil {
		t.Fatal(err)
	}
	if !k.Root().Equal(tree(t, "id = :s AND sk > :n")) {
		t.Error("the tree of a key condition is another")
	}
	if !k.Root().Evaluate(item{"id": s("x"), "sk": n("6")}) || k.Root().Evaluate(item{"id": s("x"), "sk": n("5")}) {
		t.Error("the tree of a key condition does not evaluate it")
	}
}

// TestWriter holds the text of each construct, and what becomes of names.
func TestWriter(t *testing.T) {
	for _, c := range [][2]string{
		{"((a = :s) AND (b = :t))", "a=:s AND b=:t"}, {"a = :s and not (b = :t or c = :n)", "a=:s AND NOT (b=:t OR c=:n)"},
		{"a = :s OR (b = :t AND c = :n)", "a=:s OR b=:t AND c=:n"}, {"(a = :s OR b = :t) AND c = :n", "(a=:s OR b=:t) AND c=:n"},
		{"a = :s AND (b = :t AND c = :n)", "a=:s AND (b=:t AND c=:n)"}, {"a = :s OR (b = :t OR c = :n)", "a=:s OR (b=:t OR c=:n)"},
		{"NOT NOT a = :s", "NOT NOT a=:s"}, {"NOT (NOT a = :s)", "NOT NOT a=:s"}, {"(NOT a = :s) AND b = :t", "NOT a=:s AND b=:t"},
		{"NOT (a = :s AND b = :t)", "NOT (a=:s AND b=:t)"}, {"a IN (:s , :t)", "a IN (:s,:t)"},
		{"a between :m and :n", "a BETWEEN :m AND :n"}, {"attribute_not_exists ( a )", "attribute_not_exists(a)"},
		{"size(a.c[3].d) <= :n", "size(a.c[3].d)<=:n"}, {"begins_with(a, :s)", "begins_with(a,:s)"},
		{"attribute_exists(#name)", "attribute_exists(#name)"}, {"contains(#dot, :s)", "contains(#dot,:s)"},
		{"attribute_exists(abcdefghijklmnop)", "attribute_exists(abcdefghijklmnop)"},
		{"attribute_exists(abcdefghijklmnopq)", "attribute_exists(#b0)"},
		{"abcdefghijklmnopq=:s OR bcdefghijklmnopqr=:s OR abcdefghijklmnopq=:t", "#b0=:s OR #b1=:s OR #b0=:t"},
	} {
		root := tree(t, c[0])
		w := ddbexpr.NewWriter(map[string]string{"#name": "name", "#dot": "b.c", "#b": "other"}, nil)
		if got := w.Condition(root); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
		again, err := ddbexpr.ParseCondition(ddbexpr.KindFilter, c[1], w.Names(), w.Values())
		if err != nil {
			t.Errorf("%s: %v", c[1], err)
		} else if !again.Root().Equal(root) {
			t.Errorf("%s has another tree than %s", c[1], c[0])
		}
	}
}

func TestWriterPlaceholders(t *testing.T) {
	given := map[string]string{"#b0": "taken", "#z": "status", "#y": "status"}
	w := ddbexpr.NewWriter(given, item{":b0": s("taken")})
	equal := func(name string, v types.AttributeValue) ddbexpr.Node {
		return ddbexpr.Term(ddbexpr.OpEqual, ddbexpr.Attribute(name), ddbexpr.Literal(v))
	}
	// The same string has one placeholder, other values have one each.
	text := w.Condition(ddbexpr.Join(ddbexpr.OpAnd, equal("é", s("x")), equal("a.b", s("x")), equal("status", n("1")),
		equal("_a", n("1"))))
	if want := "#b1=:b1 AND #b2=:b1 AND #y=:b2 AND #b3=:b3"; text != want {
		t.Errorf("%s, want %s", text, want)
	}
	before := w.Clone()
	if got := w.Projection([]string{"a", "é", "1"}); got != "a,#b1,#b4" {
		t.Errorf("projection %s", got)
	}
	if got := w.Names(); len(got) != 5 || got["#y"] != "status" || got["#b2"] != "a.b" || got["#b4"] != "1" {
		t.Errorf("names %v", got)
	}
	if len(before.Names()) != 4 || len(w.Values()) != 3 || given["#b1"] != "" {
		t.Error("a clone or the caller's map changed")
	}
	if empty := ddbexpr.NewWriter(given, nil); empty.Names() != nil || empty.Values() != nil {
		t.Error("placeholders that nothing uses")
	}
}

func TestAcceptReserved(t *testing.T) {
	const expression = "status = :s AND Year.name[0] > :n"
	scope, err := ddbexpr.NewScope(nil, testValues)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scope.Condition(ddbexpr.KindFilter, expression); err == nil {
		t.Error("reserved words were accepted")
	}
	scope.AcceptReserved()
	c, err := scope.Condition(ddbexpr.KindFilter, expression)
	if err != nil {
		t.Fatal(err)
	}
	w := ddbexpr.NewWriter(nil, nil)
	if got := w.Condition(c.Root()); got != "#b0=:s AND #b1.#b2[0]>:n" {
		t.Error(got)
	}
	if _, err := scope.Condition(ddbexpr.KindFilter, "between = :s"); err == nil {
		t.Error("a keyword was accepted")
	}
}
