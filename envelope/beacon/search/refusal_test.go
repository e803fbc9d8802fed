// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/materials"
)

// clinic is a table with a beacon of every kind.
func clinic(t testing.TB) *table {
	protection := map[string]beacon.Protection{"pk": beacon.Signed, "yr": beacon.Signed, "z": beacon.Unsigned,
		"context": beacon.Included, "aws_dbe_odd": beacon.Signed}
	for _, name := range []string{"s", "t", "u", "m", "set", "po", "sh", "name", "shs", "w"} {
		protection[name] = beacon.Encrypted
	}
	return newTable(t, protection, beacon.Config{
		Standard: []beacon.Standard{
			{Name: "s", Length: 32}, {Name: "set", Length: 32, Style: beacon.AsSet},
			{Name: "po", Length: 32, Style: beacon.PartOnly}, {Name: "sh", Length: 32, Style: beacon.Shared, Other: "s"},
			{Name: "street", Length: 32, Location: "m.street"}, {Name: "alias", Length: 32, Location: "t"},
			{Name: "v", Length: 32, Location: "field"}, {Name: "name", Length: 32},
			{Name: "shs", Length: 32, Style: beacon.SharedSet, Other: "s"}, {Name: "w", Length: 32, Location: "m.w"},
			{Name: "hid", Length: 32, Location: "m.hid", Style: beacon.PartOnly},
		},
		Virtual: []beacon.VirtualField{{Name: "field", Parts: []beacon.VirtualPart{{Location: "s"}, {Location: "yr"}}}},
		Compound: []beacon.Compound{
			{Name: "c", Split: '|', Signed: []beacon.SignedPart{{Name: "yr", Prefix: "Y-"}},
				Encrypted: []beacon.EncryptedPart{{Name: "po", Prefix: "P-"}, {Name: "s", Prefix: "S-"}, {Name: "hid",
					Prefix: "H-"}},
				Constructors: []beacon.Constructor{{{Name: "yr"}, {Name: "po"}, {Name: "s", Optional: true}},
					{{Name: "yr"}}}},
			{Name: "sg", Split: '#', Signed: []beacon.SignedPart{{Name: "yr", Prefix: "Y-"}, {Name: "pk", Prefix: "P-"}}},
		},
	})
}

// secret is in every value of the refused expressions, and in no error.
const secret = "hush-hush"

func TestRefused(t *testing.T) {
	tb := clinic(t)
	names := map[string]string{"#s": "s", "#u": "u", "#c": "c", "#name": "name"}
	values := Item{":a": s(secret), ":b": s(secret + "2"), ":n": n("1"), ":l": l(s(secret)),
		":m": m(Item{"x": s(secret)}),
		":t": s("S"), ":bool": boolean(true), ":y": s("Y-1"), ":y2": s("Y-2"), ":yp": s("Y-1|P-" + secret), ":yq": s("Y-1|P-" + secret + "2"),
		":py": s("P-" + secret + "|Y-1"), ":end": s("Y-1|"), ":q": s("Q-" + secret), ":bin": b(secret),
		":many": s("Y-1|P-" + secret + "|S-a|S-b"), ":split": s("Y-1|P-a|" + secret)}
	for _, c := range []struct{ filter, attribute, says string }{
		// Operators that a standard beacon does not serve.
		{"s <> :a", "s", "<>"}, {"s < :a", "s", "<"}, {":a >= #s", "s", ">="}, {"s BETWEEN :a AND :b", "s", "BETWEEN"},
		{"begins_with(#s, :a)", "s", "begins_with"}, {"NOT (pk = :n OR begins_with(s, :a))", "s", "begins_with"},
		{"v > :a", "v", ">"}, {"street <> :a", "street", "<>"}, {"set < :a", "set", "<"}, {"set <> :a", "set", "<>"},
		{"size(s) = :n", "s", "size"}, {":n < size(#s)", "s", "size"}, {"size(c) = :n", "c", "size"}, {"size(m.x) = :n", "m", "path"},
		{"attribute_type(s, :t)", "s", "attribute_type"}, {"attribute_type(c, :t)", "c", "attribute_type"},
		{"attribute_type(u, :t)", "u", "attribute_type"}, {"size(v) = size(pk)", "v", "size"},
		// Positions.
		{":a IN (s)", "s", "other than the first"}, {"contains(:a, s)", "s", "other than the first"},
		{":a BETWEEN s AND :b", "s", "other than the first"}, {"begins_with(:a, c)", "c", "other than the first"},
		// No beacon, or one that is not for searching.
		{"u = :a", "u", "no beacon"}, {"#u = :a", "u", "no beacon"}, {"NOT contains(u, :a)", "u", "no beacon"}, {"u <> :a", "u", "no beacon"},
		{"po = :a", "po", "partOnly"}, {"t = :a", "t", `"alias"`}, {"field = :a", "field", "virtual field"},
		{"attribute_exists(field)", "field", "virtual field"},
		// Two attributes.
		{"s = u", "u", "other than a value"}, {"s = sh", "sh", "other than a value"}, {"s = pk", "s", "other than a value"}, {"pk <> #s", "s", "other than a value"},
		{"c = sg", "c", "other than a value"}, {"s IN (:a, pk)", "s", "other than a value"}, {"c BETWEEN pk AND :a", "c", "other than a value"},
		{"contains(set, pk)", "set", "other than a value"}, {"s = size(pk)", "s", "other than a value"},
		// Paths.
		{"m.street = :a", "m", "path"}, {"attribute_exists(m.street)", "m", "path"}, {"s[0] = :a", "s", "path"}, {"c.x = :a", "c", "path"},
		{"street.x = :a", "street", "path"}, {"contains(set[0], :a)", "set", "path"},
		// Values.
		{"set = :l", "set", "asSet"}, {"contains(set, :m)", "set", "asSet"}, {"set IN (:a, :bool)", "set", "asSet"},
		{"c = :n", "c", "strings"}, {"c IN (:y, :bin)", "c", "strings"}, {"c = :py", "c", "no constructor"}, {"c = :q", "c", "prefix of no part"},
		{"begins_with(c, :end)", "c", "prefix of no part"}, {"c = :many", "c", "pieces"}, {"c = :split", "c", "prefix of no part"},
		{"c < :yp", "c", "<"}, {":yp >= c", "c", "<="}, {"#c BETWEEN :yp AND :yq", "c", "BETWEEN"}, {"c BETWEEN :y AND :yp", "c", "BETWEEN"}, {"c BETWEEN :yp AND :y2", "c", "BETWEEN"},
		// One placeholder for both.
		{"s = :a AND pk = :a", ":a", "two placeholders"}, {"pk = :a OR contains(s, :a)", ":a", "two placeholders"},
		{"c = :yp AND sg <> :yp", ":yp", "two placeholders"}, {"s = :a AND size(:a) > :n", ":a", "two placeholders"},
	} {
		_, err := tb.rewriter.Plan(search.Request{Operation: search.Scan, Filter: &c.filter, Names: names,
			Values: values})
		refused(t, c.filter, err, search.ErrUnsearchable)
		checkError(t, c.filter, err, c.attribute, c.says)
	}
	for _, c := range []struct{ filter, attribute, says string }{
		{"nothing = :a", "nothing", "no action"}, {"attribute_not_exists(misspelt)", "misspelt", "no action"},
		{"aws_dbe_b_s = :a", "aws_dbe_b_s", "no action"}, {"aws_dbe_odd = :a", "aws_dbe_odd", "no action"},
		{"size(nothing) = :n", "nothing", "no action"},
		{"s = ", "", "Syntax"}, {"s = :missing", "", "not defined"}, {"s BETWEEN :b AND :a", "", "BETWEEN"},
	} {
		_, err := tb.rewriter.Plan(search.Request{Operation: search.Scan, Filter: &c.filter, Values: values})
		refused(t, c.filter, err, materials.ErrConfiguration)
		checkError(t, c.filter, err, c.attribute, c.says)
	}
	for _, c := range []struct{ key, attribute, says string }{
		{"set = :a", "set", "index"}, {"u = :a", "u", "no beacon"}, {"pk = :n AND begins_with(s, :a)", "s", "begins_with"},
		{"pk = :n AND c < :yp", "c", "<"}, {"po = :a", "po", "partOnly"}, {"s = :a AND pk = :a", ":a", "two placeholders"},
	} {
		_, err := tb.rewriter.Plan(search.Request{Operation: search.Query, KeyCondition: &c.key, Values: values})
		refused(t, c.key, err, search.ErrUnsearchable)
		checkError(t, c.key, err, c.attribute, c.says)
	}
}

func checkError(t *testing.T, what string, err error, attribute, says string) {
	t.Helper()
	if err == nil {
		return
	}
	e, ok := err.(*search.Error)
	if !ok || e.Attribute != attribute || !strings.Contains(err.Error(), says) ||
		strings.Contains(err.Error(), secret) {
		t.Errorf("%s: %v; should name %q, say %q and repeat no value", what, err, attribute, says)
	}
}

func TestRequestRefused(t *testing.T) {
	tb := clinic(t)
	values := Item{":a": s(secret)}
	key := map[string]types.Condition{"pk": {ComparisonOperator: "EQ",
		AttributeValueList: []types.AttributeValue{s(secret)}}}
	for name, r := range map[string]search.Request{
		"no operation":            {Filter: text("s = :a"), Values: values},
		"a Scan with a key":       {Operation: search.Scan, KeyCondition: text("s = :a"), Values: values},
		"a Scan with legacy keys": {Operation: search.Scan, KeyConditions: key},
		"both keys":               {Operation: search.Query, KeyCondition: text("s = :a"), KeyConditions: key, Values: values},
		"a placeholder":           {Operation: search.Scan, Filter: text("s = :a"), Values: Item{"a": s(secret)}},
		"a projection":            {Operation: search.Scan, Projection: text("s,")},
		"an invalid value":        {Operation: search.Scan, Filter: text("s = :a"), Values: Item{":a": ss(secret, secret)}},
	} {
		_, err := tb.rewriter.Plan(r)
		refused(t, name, err, materials.ErrConfiguration)
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v repeats a value", name, err)
		}
	}
}

// TestBounds holds what is sent for the terms under AND, OR and NOT.
func TestBounds(t *testing.T) {
	tb := clinic(t)
	values := Item{":a": s("x"), ":b": s("y"), ":n": n("1"), ":y": s("Y-1"), ":yp": s("Y-1|P-x"), ":ybare": s("Y-1|P-"),
		":yps": s("Y-1|P-x|S-y"), ":ypbare": s("Y-1|P-x|S-"), ":z": s("Y-9|P-"), ":p": s("P-x"), ":set": ss("x", "y"),
		":bool": boolean(true)}
	names := map[string]string{"#s": "s", "#c": "c"}
	const s1, s2 = "aws_dbe_b_s=:b0", "aws_dbe_b_s=:b1"
	for _, c := range [][2]string{
		{"s = :a", s1}, {"NOT s = :a", ""}, {"NOT NOT s = :a", "NOT NOT " + s1}, {"NOT (NOT (NOT s = :a))", ""},
		{"s = :a AND NOT s = :b", s1}, {"s = :a OR NOT s = :b", ""}, {"NOT (s = :a AND pk = :n)", ""},
		{"NOT (s = :a OR pk = :n)", "NOT pk=:n"}, {"NOT (s = :a OR NOT s = :b)", "NOT NOT " + s1}, {"s = :a OR s = :b", s1 + " OR " + s2},
		{"pk = :n AND (NOT s = :a OR z = :n)", "pk=:n"}, {"pk = :n AND NOT (s = :a AND z = :n)", "pk=:n"}, {"pk = :n", "pk=:n"},
		{"#s = :a AND attribute_exists(#s)", "aws_dbe_b_s=:b0 AND attribute_exists(#s)"}, {"attribute_not_exists(s)", "attribute_not_exists(#s)"},
		{"attribute_exists(#c)", "attribute_exists(aws_dbe_b_c)"}, {"NOT attribute_exists(v)", "NOT attribute_exists(aws_dbe_b_v)"},
		{"attribute_exists(street)", "attribute_exists(aws_dbe_b_street)"}, {"attribute_exists(po)", "attribute_exists(po)"}, {"attribute_exists(u)", "attribute_exists(u)"},
		{"attribute_exists(sg) AND sg > :y", "attribute_exists(sg) AND sg>:y"}, {"attribute_exists(aws_dbe_head)", "attribute_exists(aws_dbe_head)"},
		{"contains(s, :a)", ""}, {"contains(set, :a)", "contains(aws_dbe_b_set,:b0)"}, {"NOT contains(set, :a)", ""}, {"set = :set", "aws_dbe_b_set=:b0"},
		{"name = :a", "aws_dbe_b_name=:b0"}, {"s = :bool", "aws_dbe_b_s=:b0"}, {"context = :a AND aws_dbe_foot <> :n", "context=:a AND aws_dbe_foot<>:n"},
		// Compound beacons: exact without encrypted text, and else one bound.
		{"c <> :y", "aws_dbe_b_c<>:b0"}, {"NOT c = :y", "NOT aws_dbe_b_c=:b0"}, {"c <> :yp", ""}, {"NOT c <> :yp", "NOT aws_dbe_b_c<>:b0"},
		{"NOT c = :yp", ""}, {"begins_with(c, :ybare)", "begins_with(aws_dbe_b_c,:b0)"}, {"NOT begins_with(c, :ybare)", "NOT begins_with(aws_dbe_b_c,:b0)"},
		{"begins_with(c, :yp)", "begins_with(aws_dbe_b_c,:b0)"}, {"NOT begins_with(c, :yp)", ""}, {"contains(c, :y)", ""}, {"contains(c, :p)", ""},
		{"contains(c, :yps)", "contains(aws_dbe_b_c,:b0)"}, {"NOT contains(c, :yps)", ""}, {"c < :ybare", "aws_dbe_b_c<:b0"}, {":ybare > c", ":b0>aws_dbe_b_c"},
		{"NOT c < :y", "NOT aws_dbe_b_c<:b0"}, {"c BETWEEN :y AND :z", "aws_dbe_b_c BETWEEN :b0 AND :b1"}, {"c BETWEEN :yp AND :ypbare", "begins_with(aws_dbe_b_c,:b0)"},
		{":ybare <= c", ":b0<=aws_dbe_b_c"}, {"NOT c BETWEEN :y AND :y", "NOT aws_dbe_b_c BETWEEN :b0 AND :b0"}, {"c = :y AND sg = :y", "aws_dbe_b_c=:b0 AND sg=:y"},
		{"begins_with(c, :ybare) AND sg <> :ybare", "begins_with(aws_dbe_b_c,:b0) AND sg<>:ybare"}, {"contains(shs, :a)", "contains(aws_dbe_b_shs,:b0)"},
		{"attribute_exists(w) AND w = :a", "attribute_exists(aws_dbe_b_w) AND aws_dbe_b_w=:b0"}, {"attribute_not_exists(hid) OR pk = :n", ""}, {"NOT attribute_exists(hid)", ""},
		{"NOT c BETWEEN :y AND :z", "NOT aws_dbe_b_c BETWEEN :b0 AND :b1"}, {"c IN (:y, :yp)", "aws_dbe_b_c IN (:b0,:b1)"}, {"NOT c IN (:y, :yp)", ""},
	} {
		_, sent, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: &c[0], Names: names,
			Values: values}, 0)
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
			continue
		}
		got := ""
		if sent.Filter != nil {
			got = *sent.Filter
		}
		if parse(t, sent); got != c[1] {
			t.Errorf("%s: sent %s, want %s", c[0], got, c[1])
		}
	}
}

// TestMatchNames holds what names stand for where an item has an attribute of
// the name: the beacon before an encrypted attribute, and the signed beacon that
// is stored before the computed one.
func TestMatchNames(t *testing.T) {
	tb := clinic(t)
	item := Item{"pk": s("1"), "yr": n("2"), "w": s("attribute"), "m": m(Item{"w": s("beacon")}), "sg": s("Y-2.0#P-1"),
		"t": s("x")}
	without := Item{"pk": s("1"), "w": s("beacon"), "sg": s("Y-2.0#P-1")} // the values of the beacons
	values := Item{":w": s("beacon"), ":a": s("attribute"), ":sg": s("Y-2.0#P-1"), ":x": s("x")}
	for filter, want := range map[string]bool{"w = :w": true, "w = :a": false, "alias = :x": true,
		"attribute_exists(t) AND alias = :x": true, "w = :w AND sg = :sg": true, "w = :w AND attribute_exists(hid)": false,
		"attribute_exists(w) AND alias = :x": true} {
		plan, err := tb.rewriter.Plan(search.Request{Operation: search.Scan, Filter: &filter, Values: values,
			Names: map[string]string{}})
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := plan.Match(item); ok != want || err != nil {
			t.Errorf("%s: %t, %v", filter, ok, err)
		}
		if ok, err := plan.Match(without); ok || err != nil {
			t.Errorf("%s without the beacons' values: %t, %v", filter, ok, err)
		}
	}
}

// TestSignedBeaconComputed: an item that was read without its signed beacon has
// the computed one.
func TestSignedBeaconComputed(t *testing.T) {
	tb := clinic(t)
	plan, err := tb.rewriter.Plan(search.Request{Operation: search.Scan, Filter: text("s = :s AND sg = :sg"),
		Values: Item{":s": s("x"), ":sg": s("Y-2#P-1")}})
	if err != nil {
		t.Fatal(err)
	}
	for year, want := range map[string]bool{"2.0": true, "3": false} {
		if ok, err := plan.Match(Item{"pk": s("1"), "yr": n(year), "s": s("x")}); ok != want || err != nil {
			t.Errorf("year %s: %t, %v", year, ok, err)
		}
	}
}

// TestValueWithoutBeacon: a value that cannot be hashed is refused, alone and in
// the terms of a filter that is too large.
func TestValueWithoutBeacon(t *testing.T) {
	tb := wide(t, 200)
	for _, filter := range []string{"s = :bad", "s IN (:a, :bad)", "(s = :a OR s = :a) AND s = :bad"} {
		_, _, err := tb.rewrite(t, search.Request{Operation: search.Scan, Filter: &filter,
			Values: Item{":a": s("x"), ":bad": s(secret + "\xff")}}, 0)
		refused(t, filter, err, search.ErrUnsearchable)
		checkError(t, filter, err, "s", "")
	}
	_, _, err := tb.rewrite(t, search.Request{Operation: search.Query, KeyCondition: text("s = :bad"),
		Values: Item{":bad": s(secret + "\xff")}}, 0)
	refused(t, "key condition", err, search.ErrUnsearchable)
}

func TestErrorText(t *testing.T) {
	tb := clinic(t)
	for filter, want := range map[string]string{
		"u = :a": `FilterExpression names "u": no beacon serves the expression: the attribute is encrypted and has no beacon; ` +
			"configure one, or filter after reading",
		"u = ": `FilterExpression: invalid configuration: Invalid FilterExpression: Syntax error; token: "<EOF>", near: "="`,
	} {
		_, err := tb.rewriter.Plan(search.Request{Operation: search.Scan, Filter: &filter,
			Values: Item{":a": s(secret)}})
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", filter, err, want)
		}
	}
}
