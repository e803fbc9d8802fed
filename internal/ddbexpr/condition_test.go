// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

func ExampleParseCondition() {
	condition, err := ddbexpr.ParseCondition(ddbexpr.KindFilter, "#s = :open AND size(parts) > :n",
		map[string]string{"#s": "status"}, item{":open": s("OPEN"), ":n": n("1")})
	if err != nil {
		fmt.Println(err)
		return
	}
	holds, err := condition.Evaluate(item{"status": s("OPEN"), "parts": l(s("a"), s("b"))})
	fmt.Println(condition.TopLevelNames(), holds, err)
	// Output: [parts status] true <nil>
}

func TestEvaluate(t *testing.T) {
	for _, c := range []struct {
		item       item
		expression string
		value      types.AttributeValue // of :v
		want       bool
	}{
		// Missing attributes and other types: only <> holds.
		{item{}, "a = :v", s("x"), false}, {item{}, "a <> :v", s("x"), true}, {item{}, "a < :v", s("x"), false}, {item{}, "NOT a < :v", s("x"), true},
		{item{}, "a = b", nil, false}, {item{}, "a <> b", nil, true}, {item{"a": n("1")}, "a <> :v", s("1"), true}, {item{"a": n("1")}, "a < :v", s("2"), false},
		{nil, "attribute_not_exists(a)", nil, true}, {item{"a": null()}, "attribute_exists(a)", nil, true},
		{item{"a": m(item{"b": l(s("x"))})}, "attribute_exists(a.b[0])", nil, true}, {item{"a": m(item{"b": l(s("x"))})}, "attribute_exists(a.b[1])", nil, false},
		{item{"a": s("x")}, "attribute_exists(a.b)", nil, false}, {item{"a": l(s("x"))}, "attribute_exists(a.b)", nil, false}, {item{"a": m(item{"b": s("x")})}, "attribute_exists(a[0])", nil, false},
		// Comparisons within a type.
		{item{"a": n("10")}, "a > :v", n("9"), true}, {item{"a": n("1e1")}, "a = :v", n("10.0"), true}, {item{"a": s("10")}, "a < :v", s("9"), true}, {item{"a": b("\xff")}, "a > :v", b("\x01"), true},
		{item{"a": s("b")}, "a >= :v", s("b"), true}, {item{"a": s("b")}, "a <= :v", s("a"), false}, {item{"a": s("é")}, "a > :v", s("z"), true},
		{item{"a": boolean(true)}, "a = :v", boolean(true), true}, {item{"a": boolean(true)}, "a = :v", boolean(false), false}, {item{"a": null()}, "a = :v", null(), true},
		{item{"a": ss("x", "y")}, "a = :v", ss("y", "x"), true}, {item{"a": ss("x", "y")}, "a = :v", ss("y", "z"), false}, {item{"a": ns("1", "2")}, "a = :v", ns("2.0", "1"), true},
		{item{"a": ns("1")}, "a = :v", ss("1"), false}, {item{"a": bs([]byte("p"), []byte("q"))}, "a = :v", bs([]byte("q"), []byte("p")), true},
		{item{"a": l(n("1"), s("x"))}, "a = :v", l(n("1.0"), s("x")), true}, {item{"a": l(n("1"), s("x"))}, "a = :v", l(s("x"), n("1")), false}, {item{"a": l(n("1"))}, "a = :v", l(), false},
		{item{"a": m(item{"x": n("1"), "y": s("z")})}, "a = :v", m(item{"y": s("z"), "x": n("1.0")}), true}, {item{"a": m(item{"x": n("1")})}, "a = :v", m(item{"y": n("1")}), false},
		// Ordering never holds between values without an order, even equal ones.
		{item{"a": boolean(true), "b": boolean(true)}, "a <= b", nil, false}, {item{"a": ss("x"), "b": ss("x")}, "a >= b", nil, false},
		// BETWEEN and IN.
		{item{"a": n("5")}, "a BETWEEN :v AND b", n("1"), false}, {item{"a": n("5"), "b": n("5")}, "a BETWEEN :v AND b", n("1"), true}, {item{"a": s("5"), "b": n("9")}, "a BETWEEN :v AND b", s("1"), false},
		{item{"a": n("5")}, ":v BETWEEN a AND a", n("5.0"), true}, {item{"a": n("2")}, "a IN (b, :v)", n("2.0"), true}, {item{}, "a IN (:v)", n("2"), false}, {item{"a": ss("x")}, "a IN (:v)", ss("x"), true},
		// Functions.
		{item{"a": s("abc")}, "begins_with(a, :v)", s("ab"), true}, {item{"a": s("abc")}, "begins_with(a, :v)", s("bc"), false}, {item{"a": b("abc")}, "begins_with(a, :v)", b("ab"), true}, {item{"a": n("12")}, "begins_with(a, :v)", s("1"), false},
		{item{"a": s("abc")}, "contains(a, :v)", s("bc"), true}, {item{"a": b("abc")}, "contains(a, :v)", b("bc"), true}, {item{"a": s("1")}, "contains(a, :v)", n("1"), false},
		{item{"a": ss("x", "y")}, "contains(a, :v)", s("y"), true}, {item{"a": ns("1", "2")}, "contains(a, :v)", n("2.0"), true}, {item{"a": bs([]byte("x"))}, "contains(a, :v)", b("x"), true}, {item{"a": ss("xy")}, "contains(a, :v)", s("x"), false},
		{item{"a": l(n("1"), ss("p", "q"))}, "contains(a, :v)", n("1.0"), true}, {item{"a": l(n("1"), ss("p", "q"))}, "contains(a, :v)", ss("q", "p"), true}, {item{"a": m(item{"x": s("y")})}, "contains(a, :v)", s("x"), false},
		{item{"a": s("b")}, "contains(:v, a)", ss("a", "b"), true}, {item{"a": s("x"), "b": s("axb")}, "contains(b, a)", nil, true},
		{item{"a": ns("1")}, "attribute_type(a, :v)", s("NS"), true}, {item{"a": ns("1")}, "attribute_type(a, :v)", s("N"), false}, {item{}, "attribute_type(a, :v)", s("NULL"), false},
		{item{"a": s("é😀")}, "size(a) = :v", n("3"), true}, {item{"a": b("é😀")}, "size(a) = :v", n("6"), true}, {item{"a": m(item{"x": s("y")})}, "size(a) = :v", n("1"), true}, {item{"a": l()}, "size(a) = :v", n("0"), true},
		{item{"a": ss("x", "y")}, "size(a) = :v", n("2"), true}, {item{"a": ns("1", "2")}, "size(a) = :v", n("2.0"), true}, {item{"a": bs([]byte("x"))}, "size(a) BETWEEN :v AND :v", n("1"), true},
		{item{"a": n("1")}, "size(a) = :v", n("1"), false}, {item{"a": n("1")}, "size(a) <> :v", n("1"), true}, {item{"a": boolean(true)}, "size(a) >= :v", n("0"), false}, {item{"a": s("xy"), "b": n("2")}, "b = size(a)", nil, true},
		// Precedence: NOT before AND before OR.
		{item{"a": s("x")}, "a = :v OR a = b AND a = b", s("x"), true}, {item{"a": s("x")}, "(a = :v OR a = b) AND a = b", s("x"), false},
		{item{"a": s("x")}, "NOT a = b AND a = :v", s("x"), true}, {item{"a": s("x")}, "NOT (a = b OR a = :v)", s("x"), false}, {item{"a": s("x")}, "NOT NOT a = :v", s("x"), true},
	} {
		var values item
		if c.value != nil {
			values = item{":v": c.value}
		}
		condition, err := ddbexpr.ParseCondition(ddbexpr.KindCondition, c.expression, nil, values)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		if got, err := condition.Evaluate(c.item); got != c.want || err != nil {
			t.Errorf("%s with %v for %v: %v, %v", c.expression, c.value, c.item, got, err)
		}
	}
}

func TestConditionNames(t *testing.T) {
	condition, err := ddbexpr.ParseCondition(ddbexpr.KindCondition,
		"attribute_exists(#a) AND (z.y[0] = :v OR attribute_not_exists(b.c)) AND NOT size(d) > e AND "+
			"attribute_exists(d)",
		map[string]string{"#a": "dotted.name"}, item{":v": s("x")})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := condition.TopLevelNames(), []string{"b", "d", "dotted.name", "e", "z"}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	if got, want := condition.ValueNames(), []string{"b", "d", "e", "z"}; !slices.Equal(got, want) {
		t.Errorf("value names %q, want %q", got, want)
	}
	if got, want := fmt.Sprint(condition.Paths()), "[[dotted.name] [z, y, [0]] [b, c] [d] [e] [d]]"; got != want {
		t.Errorf("paths %s, want %s", got, want)
	}
}

func TestConditionAsSideOfAnd(t *testing.T) {
	for text, want := range map[string]struct {
		parens    bool
		operators int
	}{
		"a = :v": {false, 1}, "(a = :v)": {false, 1}, "(a) = :v": {false, 1}, "( a = :v\n)": {false, 1}, "NOT a = :v": {false, 2}, "NOT (a = :v OR b = :v)": {false, 4},
		"a = :v AND b = :v": {false, 3}, "(a = :v) and (b = :v)": {false, 3}, "(a = :v OR b = :v) AND c = :v": {false, 5}, "a BETWEEN :v AND :v": {false, 1},
		"a = :v OR b = :v": {true, 3}, "(a = :v) oR (b = :v)": {true, 3}, "(a = :v OR b = :v)": {false, 3}, "a = :v AND b = :v OR c = :v": {true, 5},
		"a = :v OR (b = :v AND c = :v)": {true, 5}, "a IN (:v, b) OR size(c) = :v": {true, 4}, "attribute_exists(a)": {false, 1},
	} {
		c, err := ddbexpr.ParseCondition(ddbexpr.KindCondition, text, nil,
			nilIf(!strings.Contains(text, ":v"), item{":v": n("1")}))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if c.NeedsParens() != want.parens || c.Operators() != want.operators {
			t.Errorf("%s: parentheses %t, %d operators", text, c.NeedsParens(), c.Operators())
		}
	}
}

func nilIf(is bool, values item) item {
	if is {
		return nil
	}
	return values
}
