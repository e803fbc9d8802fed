// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// TestProjection: a read with a projection gets what verification and Match
// need, and the caller what they asked for.
func TestProjection(t *testing.T) {
	tb := clinic(t)
	signed := []string{"aws_dbe_foot", "aws_dbe_head", "aws_dbe_odd", "context", "m", "name", "pk", "po", "s", "set",
		"sg",
		"sh", "shs", "t", "u", "w", "yr"}
	for name := range tb.protection {
		if p := tb.protection[name]; p != beacon.Unsigned && !slices.Contains(signed, name) {
			t.Fatalf("%s is missing in the test", name)
		}
	}
	rewriter := search.New(tb.search, slices.DeleteFunc(slices.Clone(signed[2:]),
		func(n string) bool { return n == "sg" }))
	item := Item{"pk": s("1"), "s": s("x"), "z": s("secret"), "yr": n("1"),
		"m": m(Item{"street": s("y"), "no": n("1")})}
	for _, c := range []struct {
		key, filter, projection string
		extra                   []string // read besides what is signed
		cut                     []string
	}{
		{"", "s = :s", "pk, m.no", nil, []string{"m", "pk"}}, {"", "s = :s AND z = :z", "pk", []string{"z"}, []string{"pk"}},
		{"", "s = :s OR size(#z) > :n", "m.no", []string{"z"}, []string{"m"}}, {"", "attribute_exists(z)", "pk, z", []string{"z"}, []string{"pk", "z"}},
		{"s = :s", "", "pk", []string{"aws_dbe_b_s"}, []string{"pk"}}, {"pk = :p AND c > :y", "street = :s", "s, #z", []string{"aws_dbe_b_c", "z"}, []string{"s", "z"}},
		{"pk = :p", "", "yr", nil, []string{"yr"}}, {"", "", "street, pk", []string{"street"}, []string{"pk"}},
	} {
		r := search.Request{Operation: search.Scan, Filter: text(c.filter), Projection: text(c.projection),
			Select: types.SelectSpecificAttributes, Names: map[string]string{"#z": "z"},
			Values: Item{":s": s("x"), ":z": s("secret"), ":n": n("1"), ":p": s("1"), ":y": s("Y-1")}}
		if c.key != "" {
			r.Operation, r.KeyCondition = search.Query, &c.key
		}
		plan, err := rewriter.Plan(r)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		sent, err := plan.Request(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		want := append(slices.Clone(signed), c.extra...)
		slices.Sort(want)
		if got := parse(t, sent).reads.TopLevelNames(); !slices.Equal(got, want) || sent.Select != r.Select {
			t.Errorf("%+v reads %q as %q, want %q", c, got, sent.Select, want)
		}
		if got := slices.Sorted(maps.Keys(plan.Cut(item))); !slices.Equal(got, c.cut) {
			t.Errorf("%+v: cut to %q", c, got)
		}
	}
	// Attributes that the caller of this package needs.
	plan, err := rewriter.Plan(search.Request{Operation: search.Scan, Projection: text("pk"),
		Read: []string{"aws_dbe_b_sh"}})
	if err != nil {
		t.Fatal(err)
	}
	if sent, err := plan.Request(t.Context(), 0); err != nil || !strings.Contains(*sent.Projection, "aws_dbe_b_sh") ||
		sent.Filter != nil || sent.KeyCondition != nil {
		t.Errorf("%+v, %v", sent, err)
	}
	// Without a projection everything is read, and nothing cut.
	plan, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: text("s = :s"),
		Values: Item{":s": s("x")}}, 0)
	if err != nil || sent.Projection != nil || len(plan.Cut(item)) != len(item) {
		t.Errorf("%+v, %v", sent, err)
	}
}

func TestProjectionTooLong(t *testing.T) {
	protection := map[string]beacon.Protection{"pk": beacon.Signed, "s": beacon.Encrypted}
	for i := range 1000 {
		protection[fmt.Sprintf("attribute_number_%d", i)] = beacon.Signed
	}
	tb := newTable(t, protection, beacon.Config{Standard: []beacon.Standard{{Name: "s", Length: 8}}})
	for _, selection := range []types.Select{"", types.SelectSpecificAttributes} {
		plan, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: text("s = :s"),
			Projection: text("pk"),
			Values:     Item{":s": s("x")}, Select: selection}, 0)
		if err != nil || sent.Projection != nil || sent.Select != "" {
			t.Fatalf("%+v, %v", sent, err)
		}
		parse(t, sent)
		if got := plan.Cut(Item{"pk": s("1"), "s": s("x")}); len(got) != 1 || got["pk"] == nil {
			t.Errorf("cut to %v", got)
		}
	}
}

// TestCount: a count that DynamoDB cannot give is made by reading.
func TestCount(t *testing.T) {
	tb := clinic(t)
	for filter, reads := range map[string]bool{"s = :s": true, "NOT s = :s": true, "attribute_exists(c)": true,
		"attribute_exists(s)": false, "yr = :s": false, "sg = :s": false} {
		plan, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: &filter,
			Values: Item{":s": s("x")},
			Select: types.SelectCount}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if plan.Counts() != reads || plan.Hidden() != reads || (sent.Select == types.SelectCount) == reads {
			t.Errorf("%s: counts by reading %t, sent %q", filter, plan.Counts(), sent.Select)
		}
		if ok, err := plan.Match(Item{}); err != nil || ok == (reads && !strings.HasPrefix(filter, "NOT")) {
			t.Errorf("%s matches an empty item: %t, %v", filter, ok, err)
		}
	}
	for _, selection := range []types.Select{"", types.SelectAllAttributes, types.SelectAllProjectedAttributes} {
		plan, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: text("s = :s"),
			Values: Item{":s": s("x")}, Select: selection}, 0)
		if err != nil || plan.Counts() || sent.Select != selection {
			t.Errorf("%q became %q, %v", selection, sent.Select, err)
		}
	}
}

// TestKeyConditions: the legacy parameter means what the expression does.
func TestKeyConditions(t *testing.T) {
	tb := clinic(t)
	condition := func(operator string, values ...types.AttributeValue) types.Condition {
		return types.Condition{ComparisonOperator: types.ComparisonOperator(operator), AttributeValueList: values}
	}
	for _, c := range []struct {
		conditions map[string]types.Condition
		key        string
		values     Item
	}{
		{map[string]types.Condition{"s": condition("EQ", s("x"))}, "s = :0", Item{":0": s("x")}},
		{map[string]types.Condition{"pk": condition("EQ", s("x")), "s": condition("EQ", s("x"))}, "pk = :0 AND s = :1", Item{":0": s("x"), ":1": s("x")}},
		{map[string]types.Condition{"c": condition("BEGINS_WITH", s("Y-1|P-x"))}, "begins_with(c, :0)", Item{":0": s("Y-1|P-x")}},
		{map[string]types.Condition{"c": condition("BETWEEN", s("Y-1"), s("Y-2"))}, "c BETWEEN :0 AND :1", Item{":0": s("Y-1"), ":1": s("Y-2")}},
		{map[string]types.Condition{"c": condition("LE", s("Y-1|P-"))}, "c <= :0", Item{":0": s("Y-1|P-")}},
		{map[string]types.Condition{"yr": condition("GT", n("1"))}, "yr > :0", Item{":0": n("1")}},
		{map[string]types.Condition{"yr": condition("LT", n("1")), "name": condition("EQ", s("x"))}, "#n = :0 AND yr < :1", Item{":0": s("x"), ":1": n("1")}},
		{map[string]types.Condition{"yr": condition("GE", n("1"))}, "yr >= :0", Item{":0": n("1")}},
	} {
		old := search.Request{Operation: search.Query, KeyConditions: c.conditions, Filter: text("z = :z"),
			Values: Item{":z": s("1"), ":b0": s("unused")}}
		plan, sent, err := tb.rewrite(t, old, 0)
		if err != nil {
			t.Errorf("%s: %v", c.key, err)
			continue
		}
		with := maps.Clone(c.values)
		with[":z"] = s("1")
		_, want, err := tb.rewrite(t, search.Request{Operation: search.Query, KeyCondition: &c.key,
			Filter: text("z = :z"), Values: with,
			Names: map[string]string{"#n": "name"}}, 0)
		if err != nil {
			t.Fatalf("%s: %v", c.key, err)
		}
		got := parse(t, sent)
		if !got.key.Root().Equal(parse(t, want).key.Root()) || got.filter == nil {
			t.Errorf("%s: sent %s, want %s", c.key, *sent.KeyCondition, *want.KeyCondition)
		}
		ok, err := plan.Match(Item{"z": s("1"), "pk": s("x"), "s": s("other"), "name": s("other")})
		if ok && plan.Hidden() || err != nil {
			t.Errorf("%s matches another item: %v", c.key, err)
		}
	}
	for name, conditions := range map[string]map[string]types.Condition{
		"none": {}, "unknown operator": {"s": condition("NE", s(secret))}, "too few values": {"s": condition("EQ")},
		"too many values": {"pk": condition("LT", s(secret), s(secret))}, "one bound": {"c": condition("BETWEEN", s(secret))},
		"a nil value": {"s": condition("EQ", nil)}, "no name": {"": condition("EQ", s(secret))},
		"bounds in the wrong order": {"c": condition("BETWEEN", s("Y-2"+secret), s("Y-1"+secret))},
		"a prefix that is a number": {"pk": condition("BEGINS_WITH", n("1"))},
		"an invalid value":          {"s": condition("EQ", ss())},
	} {
		_, err := tb.rewriter.Plan(search.Request{Operation: search.Query, KeyConditions: conditions})
		refused(t, name, err, materials.ErrConfiguration)
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v repeats a value", name, err)
		}
	}
	for name, c := range map[string]types.Condition{"u": condition("EQ", s(secret)), "set": condition("EQ", s(secret)),
		"s": condition("BEGINS_WITH", s(secret)), "c": condition("LT", s("Y-1|P-"+secret))} {
		_, err := tb.rewriter.Plan(search.Request{Operation: search.Query,
			KeyConditions: map[string]types.Condition{name: c}})
		refused(t, name, err, search.ErrUnsearchable)
		checkError(t, name, err, name, "")
	}
}

// TestRequestUnchanged: a search that uses no encrypted attribute stays what it
// is, but for the placeholders that nothing uses, and the request's own maps
// are never changed.
func TestRequestUnchanged(t *testing.T) {
	tb := clinic(t)
	names := map[string]string{"#z": "z", "#unused": "u", "#b0": "yr"}
	values := Item{":v": s("x"), ":unused": s(secret), ":b0": s("y")}
	r := search.Request{Operation: search.Query, KeyCondition: text("pk = :v"),
		Filter: text("#z <> :b0 AND size(#b0) = yr"),
		Names:  names, Values: values}
	plan, sent, err := tb.rewrite(t, r, 0)
	if err != nil {
		t.Fatal(err)
	}
	if *sent.KeyCondition != "pk=:v" || *sent.Filter != "#z<>:b0 AND size(#b0)=#b0" || plan.Hidden() || plan.Counts() {
		t.Errorf("%s, %s", *sent.KeyCondition, *sent.Filter)
	}
	parse(t, sent)
	r.Filter = text("s = :b0 AND attribute_exists(averyveryverylongname)")
	if _, err := tb.rewriter.Plan(r); err == nil {
		t.Error("an attribute without an action was accepted")
	}
	r.Filter = text("s = :b0 OR street = :b0")
	if _, sent, err = tb.rewrite(t, r, 0); err != nil {
		t.Fatal(err)
	}
	parse(t, sent)
	if len(names) != 3 || len(values) != 3 || show(values) != `:b0:"y" :unused:"hush-hush" :v:"x"` {
		t.Errorf("the request's maps are %v, %s", names, show(values))
	}
}
