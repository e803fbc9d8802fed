// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
)

// This file holds searches against a model: DynamoDB's evaluation of the same
// expressions over plaintext items, which have an attribute of the name of each
// beacon. Beacons have 1 to 3 bits, so that collisions are the rule.

// world is a random configuration.
type world struct {
	*table
	constructors [][]modelPart // of the compound beacon c
	partOnly     bool          // style of t
	multi        bool
	partitions   int
}

// modelPart is a part of the compound beacon c.
type modelPart struct {
	name, prefix string
	encrypted    bool
	optional     bool
}

var modelParts = []modelPart{
	{name: "yr", prefix: "Y-"}, {name: "mo", prefix: "M-"}, {name: "t", prefix: "T-", encrypted: true},
	{name: "mx", prefix: "X-", encrypted: true}, {name: "tenant", prefix: "K-"},
}

var modelProtection = map[string]beacon.Protection{
	"pk": beacon.Signed, "yr": beacon.Signed, "d": beacon.Signed, "tenant": beacon.Signed,
	"s": beacon.Encrypted, "t": beacon.Encrypted, "as": beacon.Encrypted, "sh": beacon.Encrypted,
	"m": beacon.Encrypted, "u": beacon.Encrypted, "z": beacon.Unsigned, "shs": beacon.Encrypted,
	"id": beacon.Signed,
}

func drawWorld(t *rapid.T) *world {
	length := func() int { return rapid.IntRange(1, 3).Draw(t, "length") }
	w := &world{partOnly: rapid.Bool().Draw(t, "partOnly"), multi: rapid.IntRange(0, 3).Draw(t, "multi") == 0,
		partitions: rapid.SampledFrom([]int{1, 1, 2, 3, 5}).Draw(t, "partitions")}
	style := beacon.Plain
	if w.partOnly {
		style = beacon.PartOnly
	}
	share := length()
	c := beacon.Config{
		Keys: beacon.KeySource{Source: anyKey{}, BranchKeyID: "k1", Lifetime: time.Hour},
		Standard: []beacon.Standard{
			{Name: "s", Length: share}, {Name: "t", Length: length(), Style: style},
			{Name: "as", Length: length(), Style: beacon.AsSet},
			{Name: "sh", Length: share, Style: beacon.Shared, Other: "s"},
			{Name: "shs", Length: share, Style: beacon.SharedSet, Other: "s"},
			{Name: "mx", Length: length(), Location: "m.x"}, {Name: "v", Length: length()},
		},
		Virtual: []beacon.VirtualField{{Name: "v", Parts: []beacon.VirtualPart{
			{Location: "t", Transforms: []beacon.Transform{beacon.Upper(), beacon.Insert("_")}}, {Location: "yr"},
		}}},
		MaxPartitions: w.partitions,
	}
	if w.multi {
		c.Keys.BranchKeyID, c.Keys.KeyField = "", "tenant"
	}
	for i := range c.Standard {
		// A shared beacon has the partitions of its own.
		if w.partitions > 1 && rapid.Bool().Draw(t, "own partitions") {
			c.Standard[i].Partitions = rapid.IntRange(1, w.partitions-1).Draw(t, "n")
		}
	}
	compound := beacon.Compound{Name: "c", Split: '|'}
	for _, p := range modelParts {
		switch {
		case p.encrypted:
			compound.Encrypted = append(compound.Encrypted, beacon.EncryptedPart{Name: p.name, Prefix: p.prefix})
		case p.name == "mo":
			compound.Signed = append(compound.Signed,
				beacon.SignedPart{Name: p.name, Prefix: p.prefix, Location: "d.month"})
		default:
			compound.Signed = append(compound.Signed, beacon.SignedPart{Name: p.name, Prefix: p.prefix})
		}
	}
	for range rapid.IntRange(1, 3).Draw(t, "constructors") {
		parts := slices.Clone(rapid.Permutation(modelParts).Draw(t, "parts"))
		parts = parts[:rapid.IntRange(1, len(parts)).Draw(t, "count")]
		for i := 1; i < len(parts); i++ {
			parts[i].optional = rapid.Bool().Draw(t, "optional")
		}
		var constructor beacon.Constructor
		for _, p := range parts {
			constructor = append(constructor, beacon.ConstructorPart{Name: p.name, Optional: p.optional})
		}
		w.constructors = append(w.constructors, parts)
		compound.Constructors = append(compound.Constructors, constructor)
	}
	c.Compound = []beacon.Compound{compound,
		{Name: "sg", Split: '#', Signed: []beacon.SignedPart{{Name: "yr", Prefix: "Y-"}, {Name: "pk", Prefix: "P-"}}}}
	compiled, err := beacon.New(c, beacon.Schema{Table: "table",
		Protection: func(name string) beacon.Protection { return modelProtection[name] }})
	if err != nil {
		t.Skip(err) // two constructors of the same required parts
	}
	w.table = &table{compiled, search.New(compiled, nil), modelProtection}
	return w
}

// Texts contain prefixes and end as others begin, so that contains and
// begins_with are tempted.
var modelText = rapid.SampledFrom([]string{"", "a", "b", "ab", "aT-b", "T-", "Y-1", "bX-a", "1", "2"})

func drawScalar(t *rapid.T) types.AttributeValue {
	switch rapid.IntRange(0, 5).Draw(t, "type") {
	case 0:
		return n(rapid.SampledFrom([]string{"1", "1.0", "2", "10", "1e1"}).Draw(t, "N"))
	case 1:
		return rapid.SampledFrom([]types.AttributeValue{b("a"), boolean(true), l(s("a"), n("1.0")), ss("a", "b"),
			m(Item{"x": n("1")})}).Draw(t, "other")
	}
	return s(modelText.Draw(t, "S"))
}

func drawSet(t *rapid.T) types.AttributeValue {
	return rapid.SampledFrom([]types.AttributeValue{ss("a"), ss("a", "b"), ss("b", "ab", "a"), ns("1"), ns("2", "1.0"),
		ss("1", "2")}).Draw(t, "set")
}

func (w *world) item(t *rapid.T, id int) (item Item, key string) {
	key = rapid.SampledFrom([]string{"k1", "k2"}).Draw(t, "tenant")
	item = Item{"pk": s(fmt.Sprint(id % 3)), "tenant": s(key)}
	draws := map[string]func(*rapid.T) types.AttributeValue{
		"yr": func(t *rapid.T) types.AttributeValue {
			return rapid.SampledFrom([]types.AttributeValue{n("1"), n("2.0"), s("1"), s("2")}).Draw(t, "yr")
		},
		"d": func(t *rapid.T) types.AttributeValue { return m(Item{"month": s(modelText.Draw(t, "month"))}) },
		"s": drawScalar, "t": drawScalar, "sh": drawScalar, "u": drawScalar, "z": drawScalar, "as": drawSet, "shs": drawSet,
		"m": func(t *rapid.T) types.AttributeValue { return m(Item{"x": drawScalar(t)}) },
	}
	for _, name := range slices.Sorted(maps.Keys(draws)) {
		if rapid.IntRange(0, 4).Draw(t, name) > 0 {
			item[name] = draws[name](t)
		}
	}
	if !w.multi {
		key = ""
	}
	return item, key
}

// inText is a value as a part: ok is false if it has no text.
func inText(v types.AttributeValue) (string, bool) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value, true
	case *types.AttributeValueMemberN:
		normal, err := ddbnumber.Normalize(v.Value)
		return normal, err == nil
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value), true
	}
	return "", false
}

// plain is the item of the model: with an attribute for each beacon.
func (w *world) plain(item Item) Item {
	out := maps.Clone(item)
	values := Item{"yr": item["yr"], "t": item["t"], "tenant": item["tenant"]}
	if d, ok := item["d"].(*types.AttributeValueMemberM); ok {
		values["mo"] = d.Value["month"]
	}
	if v, ok := item["m"].(*types.AttributeValueMemberM); ok {
		values["mx"] = v.Value["x"]
		out["mx"] = v.Value["x"]
	}
	year, hasYear := inText(item["yr"])
	if text, has := inText(item["t"]); has && hasYear {
		out["v"] = s(strings.ToUpper(text) + "_" + year)
	}
	for _, constructor := range w.constructors {
		var pieces []string
		complete := true
		for _, p := range constructor {
			text, has := inText(values[p.name])
			if has {
				pieces = append(pieces, p.prefix+text)
			} else if !p.optional {
				complete = false
			}
		}
		if complete {
			out["c"] = s(strings.Join(pieces, "|"))
			break
		}
	}
	if hasYear {
		out["sg"] = s("Y-" + year + "#P-" + item["pk"].(*types.AttributeValueMemberS).Value)
	}
	return out
}

// expressions draws expressions and collects their values.
type expressions struct {
	w      *world
	values Item
	pool   []string // compound values of the items
}

func (x *expressions) value(v types.AttributeValue) string {
	name := fmt.Sprintf(":v%d", len(x.values))
	x.values[name] = v
	return name
}

// compoundValue draws pieces that a constructor may make, or those of an item,
// perhaps without the last ones or without the text of the last one.
func (x *expressions) compoundValue(t *rapid.T) types.AttributeValue {
	if len(x.pool) > 0 && rapid.IntRange(0, 2).Draw(t, "pool") > 0 {
		pieces := strings.Split(rapid.SampledFrom(x.pool).Draw(t, "of item"), "|")
		pieces = pieces[:rapid.IntRange(1, len(pieces)).Draw(t, "pieces")]
		last := pieces[len(pieces)-1]
		switch rapid.IntRange(0, 3).Draw(t, "last") {
		case 0:
			last = last[:2]
		case 1:
			last = last[:2] + modelText.Draw(t, "text")
		}
		pieces[len(pieces)-1] = last
		return s(strings.Join(pieces, "|"))
	}
	parts := rapid.SampledFrom(x.w.constructors).Draw(t, "constructor")
	from := rapid.IntRange(0, len(parts)-1).Draw(t, "from")
	if rapid.Bool().Draw(t, "whole") {
		from = 0
	}
	to := rapid.IntRange(from+1, len(parts)).Draw(t, "to")
	var pieces []string
	for i, p := range parts[from:to] {
		if i > 0 && p.optional && rapid.Bool().Draw(t, "without") {
			continue
		}
		text := modelText.Draw(t, "text")
		switch p.name {
		case "yr":
			text = rapid.SampledFrom([]string{"1", "2", ""}).Draw(t, "year")
		case "tenant":
			text = rapid.SampledFrom([]string{"k1", "k2", "k"}).Draw(t, "key")
		}
		pieces = append(pieces, p.prefix+text)
	}
	return s(strings.Join(pieces, "|"))
}

// term draws a comparison or function of every kind that a search may have.
func (x *expressions) term(t *rapid.T) string {
	name := rapid.SampledFrom([]string{"s", "s", "t", "sh", "mx", "v", "as", "shs", "c", "c", "c", "c", "sg", "yr", "z",
		"pk", "tenant", "tenant"}).Draw(t, "name")
	path := name
	if rapid.Bool().Draw(t, "placeholder") {
		path = "#" + name
	}
	if name == "as" {
		path = "#as"
	}
	if rapid.IntRange(0, 9).Draw(t, "exists") == 0 {
		function := rapid.SampledFrom([]string{"attribute_exists", "attribute_not_exists"}).Draw(t, "function")
		return function + "(" + rapid.SampledFrom([]string{path, "u", "m"}).Draw(t, "of") + ")"
	}
	draw := func() string { return x.value(drawScalar(t)) }
	switch name {
	case "as", "shs":
		if rapid.Bool().Draw(t, "contains") {
			return "contains(" + path + ", " + draw() + ")"
		}
		draw = func() string { return x.value(drawSet(t)) }
	case "v":
		draw = func() string {
			return x.value(s(rapid.SampledFrom([]string{"A_1", "B_1", "A_2", "_1", "_", "AB_2"}).Draw(t, "virtual")))
		}
	case "c":
		draw = func() string { return x.value(x.compoundValue(t)) }
	case "sg":
		draw = func() string {
			return x.value(s(rapid.SampledFrom([]string{"Y-1#P-0", "Y-1", "Y-2#P-1", "Y-"}).Draw(t, "signed")))
		}
	case "tenant":
		draw = func() string { return x.value(s(rapid.SampledFrom([]string{"k1", "k2"}).Draw(t, "key"))) }
	case "pk":
		draw = func() string { return x.value(s(fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "pk")))) }
	}
	kinds := 8
	if slices.Contains([]string{"s", "t", "sh", "mx", "v", "as", "shs"}, name) {
		kinds = 3
	}
	switch rapid.IntRange(0, kinds).Draw(t, "comparison") {
	case 0:
		return path + " = " + draw()
	case 1:
		return draw() + " = " + path
	case 2:
		return path + " IN (" + draw() + ", " + draw() + ")"
	case 3:
		return "contains(" + path + ", " + draw() + ")"
	case 4:
		return "begins_with(" + path + ", " + draw() + ")"
	case 5:
		return path + " <> " + draw()
	case 6:
		return draw() + rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(t, "order") + path
	case 7:
		return path + rapid.SampledFrom([]string{"<", "<=", ">", ">="}).Draw(t, "order") + draw()
	}
	if name == "c" {
		return path + x.between(t)
	}
	return path + " BETWEEN " + draw() + " AND " + draw()
}

// between draws bounds for the compound beacon, which often begin alike.
func (x *expressions) between(t *rapid.T) string {
	low := x.compoundValue(t)
	high := x.compoundValue(t)
	if rapid.Bool().Draw(t, "alike") {
		last := rapid.SampledFrom(modelParts).Draw(t, "last")
		high = s(low.(*types.AttributeValueMemberS).Value + "|" + last.prefix)
		if !last.encrypted && rapid.Bool().Draw(t, "text") {
			high = s(high.(*types.AttributeValueMemberS).Value + modelText.Draw(t, "text"))
		}
	}
	return " BETWEEN " + x.value(low) + " AND " + x.value(high)
}

func (x *expressions) condition(t *rapid.T, depth int) string {
	if depth == 0 {
		return x.term(t)
	}
	side := func() string {
		text := x.condition(t, depth-1)
		if strings.ContainsAny(text, " ") && !strings.HasPrefix(text, "(") {
			return "(" + text + ")"
		}
		return text
	}
	switch rapid.IntRange(0, 5).Draw(t, "condition") {
	case 0:
		return x.term(t)
	case 1:
		return "NOT " + x.term(t)
	case 2, 3:
		return side() + " AND " + side()
	case 4:
		return side() + " OR " + side()
	}
	return "NOT " + side()
}

// keyCondition draws a key condition, on keys of the table or of an index.
func (x *expressions) keyCondition(t *rapid.T) string {
	equal := func(name string, v types.AttributeValue) string { return name + " = " + x.value(v) }
	var text string
	switch rapid.IntRange(0, 5).Draw(t, "key") {
	case 0:
		text = equal("pk", s("0"))
	case 1:
		text = equal("#s", drawScalar(t))
	case 2:
		text = equal("mx", drawScalar(t))
	case 3:
		text = equal("v", s("A_1"))
	case 4:
		text = equal("sh", drawScalar(t))
	default:
		text = equal("tenant", s("k1"))
	}
	if rapid.Bool().Draw(t, "sort") {
		op := rapid.SampledFrom([]string{"=", "<", "<=", ">", ">="}).Draw(t, "order")
		switch rapid.IntRange(0, 3).Draw(t, "sort key") {
		case 0:
			text += " AND c " + op + " " + x.value(x.compoundValue(t))
		case 1:
			text += " AND begins_with(#c, " + x.value(x.compoundValue(t)) + ")"
		case 2:
			text += " AND c" + x.between(t)
		default:
			text += " AND yr " + op + " " + x.value(n("1"))
		}
	}
	return text
}

func TestModel(t *testing.T) {
	accepted, refusals, found, widened, collisions := 0, map[string]int{}, 0, 0, 0
	operators := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		type stored struct {
			item, has Item
			key       string
		}
		var items []stored
		var pool []string
		for i := range rapid.IntRange(3, 12).Draw(t, "items") {
			item, key := w.item(t, i)
			partition := rapid.IntRange(0, w.partitions-1).Draw(t, "partition")
			if has, err := w.tryStored(t.Context(), key, partition, item); err == nil {
				items = append(items, stored{item, has, key})
				if c, ok := w.plain(item)["c"].(*types.AttributeValueMemberS); ok {
					pool = append(pool, c.Value)
				}
			} else if !errors.Is(err, beacon.ErrItem) {
				t.Fatal(err)
			}
		}
		names := map[string]string{}
		for _, name := range []string{"s", "t", "sh", "shs", "mx", "v", "as", "c", "sg", "yr", "z", "pk", "tenant"} {
			names["#"+name] = name
		}
		for range 6 {
			x := &expressions{w, Item{}, pool}
			r := search.Request{Operation: search.Scan, Names: names, Values: x.values}
			if rapid.Bool().Draw(t, "query") {
				r.Operation = search.Query
				r.KeyCondition = text(x.keyCondition(t))
			}
			if r.KeyCondition == nil || rapid.Bool().Draw(t, "filter") {
				r.Filter = text(x.condition(t, rapid.IntRange(0, 3).Draw(t, "depth")))
			}
			model, err := modelOf(r)
			if err != nil { // such as BETWEEN of bounds in the wrong order
				refusals["DynamoDB"]++
				continue
			}
			plan, err := w.rewriter.Plan(r)
			if err != nil {
				if !errors.Is(err, search.ErrUnsearchable) {
					t.Fatalf("%s: %v", describe(r), err)
				}
				refusals[fmt.Sprintf("%.60s", err.Error())]++
				continue
			}
			accepted++
			for _, op := range []string{" = ", "IN", "contains", "begins_with", "<>", "<", "BETWEEN", "NOT", "exists"} {
				if strings.Contains(describe(r), op) {
					operators[op]++
				}
			}
			counts := make([]int, len(items))
			for partition := range plan.Queries() {
				sent, err := plan.Request(t.Context(), partition)
				if err != nil {
					t.Fatalf("%s: %v", describe(r), err)
				}
				if r.Filter != nil && sent.Filter == nil {
					widened++
				}
				server := parse(t, sent)
				for i, it := range items {
					if !server.accepts(it.has) || plan.BranchKeyID() != "" && it.key != plan.BranchKeyID() {
						continue
					}
					ok, err := plan.Match(it.item)
					if err != nil {
						t.Fatal(err)
					}
					first, err := plan.First(t.Context(), partition, it.has)
					if err != nil {
						t.Fatal(err)
					}
					ok = ok && first
					if ok {
						counts[i]++
					} else {
						collisions++
					}
				}
			}
			for i, it := range items {
				want := 0
				if model.accepts(w.plain(it.item)) {
					want = 1
					found++
				}
				if counts[i] != want {
					sent, _ := plan.Request(t.Context(), 0)
					t.Fatalf("%s\nfinds %d times, want %d: %v\nstored as %v\nsent %s", describe(r), counts[i], want,
						show(w.plain(it.item)), show(it.has), describe(search.Request{KeyCondition: sent.KeyCondition,
							Filter: sent.Filter, Names: sent.Names, Values: sent.Values}))
				}
			}
		}
	})
	if testing.Short() {
		return
	}
	for _, op := range []string{" = ", "IN", "contains", "begins_with", "<>", "<", "BETWEEN", "NOT", "exists"} {
		if operators[op] == 0 {
			t.Errorf("no expression with %s was evaluated", op)
		}
	}
	if accepted < 50 || found == 0 || collisions == 0 {
		t.Errorf("%d expressions, %d matches, %d collisions, refused %v", accepted, found, collisions, refusals)
	}
	t.Logf("%d expressions (%d without a filter), %d matches, %d collisions, refused %v", accepted, widened, found,
		collisions, refusals)
}

// modelOf parses the request as it would be for a table without encryption.
func modelOf(r search.Request) (out parsed, err error) {
	if len(r.Values) == 0 {
		r.Values = nil
	}
	scope, err := ddbexpr.NewScope(r.Names, r.Values)
	if err == nil && r.KeyCondition != nil {
		out.key, err = scope.KeyCondition(*r.KeyCondition)
	}
	if err == nil && r.Filter != nil {
		out.filter, err = scope.Condition(ddbexpr.KindFilter, *r.Filter)
	}
	return out, err
}

func describe(r search.Request) string {
	var out []string
	for _, e := range []*string{r.KeyCondition, r.Filter} {
		if e != nil {
			out = append(out, *e)
		}
	}
	return strings.Join(out, "; ") + " with " + show(r.Values)
}

func show(item Item) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(item)) {
		out = append(out, fmt.Sprintf("%s:%+v", name, deref(item[name])))
	}
	return strings.Join(out, " ")
}

func deref(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("%q", v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberM:
		return "{" + show(v.Value) + "}"
	case *types.AttributeValueMemberSS:
		return v.Value
	case *types.AttributeValueMemberNS:
		return v.Value
	}
	return fmt.Sprintf("%T", v)
}
