// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// oracle applies actions one after the other to a deep copy, with marks in
// place of removed and appended elements.
type oracle struct {
	old, now item
	late     []lateElement
}

type lateElement struct {
	list  *types.AttributeValueMemberL
	index int
	value types.AttributeValue
}

func clone(v types.AttributeValue) types.AttributeValue {
	switch v := v.(type) {
	case *types.AttributeValueMemberL:
		out := make([]types.AttributeValue, len(v.Value))
		for i, e := range v.Value {
			out[i] = clone(e)
		}
		return l(out...)
	case *types.AttributeValueMemberM:
		return m(cloneItem(v.Value))
	}
	return v
}

func cloneItem(it item) item {
	out := item{}
	for name, v := range it {
		out[name] = clone(v)
	}
	return out
}

var removedMark = s("\x00removed")

var errOracle = errors.New("refused")

// put stores v at path, nil removing what is there; it fails when the way to
// the place is not there.
func (o *oracle) put(path ddbexpr.Path, v types.AttributeValue) error {
	var at types.AttributeValue = m(o.now)
	for _, e := range path[:len(path)-1] {
		switch holder := at.(type) {
		case *types.AttributeValueMemberM:
			at = holder.Value[e.Name]
		case *types.AttributeValueMemberL:
			if at = nil; e.IsIndex() && e.Index < len(holder.Value) {
				at = holder.Value[e.Index]
			}
		default:
			at = nil
		}
	}
	last := path[len(path)-1]
	switch holder := at.(type) {
	case *types.AttributeValueMemberM:
		if last.IsIndex() {
			return errOracle
		}
		if holder.Value[last.Name] = v; v == nil {
			delete(holder.Value, last.Name)
		}
	case *types.AttributeValueMemberL:
		switch {
		case !last.IsIndex():
			return errOracle
		case last.Index >= len(holder.Value) && v != nil:
			o.late = append(o.late, lateElement{holder, last.Index, v})
		case last.Index < len(holder.Value) && v == nil:
			holder.Value[last.Index] = removedMark
		case v != nil:
			holder.Value[last.Index] = v
		}
	default:
		return errOracle
	}
	return nil
}

// finish appends and removes list elements.
func (o *oracle) finish() {
	sort.SliceStable(o.late, func(i, j int) bool { return o.late[i].index < o.late[j].index })
	for _, e := range o.late {
		e.list.Value = append(e.list.Value, e.value)
	}
	var sweep func(types.AttributeValue)
	sweep = func(v types.AttributeValue) {
		switch v := v.(type) {
		case *types.AttributeValueMemberL:
			v.Value = slices.DeleteFunc(v.Value, func(e types.AttributeValue) bool { return e == removedMark })
			for _, e := range v.Value {
				sweep(e)
			}
		case *types.AttributeValueMemberM:
			for _, e := range v.Value {
				sweep(e)
			}
		}
	}
	sweep(m(o.now))
}

// act applies one action in the words of the documentation.
func (o *oracle) act(section string, path ddbexpr.Path, v types.AttributeValue, plus types.AttributeValue) error {
	old := path.Find(o.old)
	switch section {
	case "REMOVE":
		return o.put(path, nil)
	case "SET":
		if plus != nil {
			a, okA := v.(*types.AttributeValueMemberN)
			b, okB := plus.(*types.AttributeValueMemberN)
			if !okA || !okB {
				return errOracle
			}
			sum, err := ddbnumber.Add(a.Value, b.Value)
			if err != nil {
				return err
			}
			v = n(sum)
		}
		if v == nil {
			return errOracle
		}
		return o.put(path, clone(v))
	case "ADD":
		switch v := v.(type) {
		case *types.AttributeValueMemberN:
			if old == nil {
				return o.put(path, v)
			}
			return o.act("SET", path, old, v)
		case *types.AttributeValueMemberSS:
			var have []string
			if old != nil {
				set, ok := old.(*types.AttributeValueMemberSS)
				if !ok {
					return errOracle
				}
				have = slices.Clone(set.Value)
			}
			for _, e := range v.Value {
				if !slices.Contains(have, e) {
					have = append(have, e)
				}
			}
			return o.put(path, ss(have...))
		}
	case "DELETE":
		var rest []string
		if old != nil {
			set, ok := old.(*types.AttributeValueMemberSS)
			if !ok {
				return errOracle
			}
			for _, e := range set.Value {
				if !slices.Contains(v.(*types.AttributeValueMemberSS).Value, e) {
					rest = append(rest, e)
				}
			}
		}
		if rest == nil {
			return o.put(path, nil)
		}
		return o.put(path, ss(rest...))
	}
	panic(section)
}

func TestUpdatesAgainstOracle(t *testing.T) {
	applied, failed := 0, 0
	name := func(n string) ddbexpr.Element { return ddbexpr.Element{Name: n} }
	index := func(i int) ddbexpr.Element { return ddbexpr.Element{Index: i} }
	wild := rapid.Custom(func(t *rapid.T) ddbexpr.Path {
		p := ddbexpr.Path{name(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "attribute"))}
		for range rapid.IntRange(0, 2).Draw(t, "depth") {
			if rapid.Bool().Draw(t, "index") {
				p = append(p, index(rapid.IntRange(0, 3).Draw(t, "index")))
			} else {
				p = append(p, name(rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name")))
			}
		}
		return p
	})
	// Most paths fit the items drawn below, so that most updates can be applied.
	fit := func(list ...ddbexpr.Path) *rapid.Generator[ddbexpr.Path] {
		some := rapid.SampledFrom(list)
		return rapid.OneOf(some, some, some, some, some, some, some, wild)
	}
	paths := fit(ddbexpr.Path{name("a"), name("x")}, ddbexpr.Path{name("a"), name("y"), index(0)},
		ddbexpr.Path{name("a"), name("y"), index(1)}, ddbexpr.Path{name("a"), name("z")},
		ddbexpr.Path{name("b"), index(0)}, ddbexpr.Path{name("b"), index(1)}, ddbexpr.Path{name("b"), index(2)},
		ddbexpr.Path{name("b"), index(7)}, ddbexpr.Path{name("c")}, ddbexpr.Path{name("e")})
	numbers := fit(ddbexpr.Path{name("c")}, ddbexpr.Path{name("e")}, ddbexpr.Path{name("a"), name("z")},
		ddbexpr.Path{name("b"), index(0)})
	sets := fit(ddbexpr.Path{name("d")}, ddbexpr.Path{name("e")}, ddbexpr.Path{name("a"), name("z")},
		ddbexpr.Path{name("b"), index(1)})
	items := rapid.Custom(func(t *rapid.T) item {
		if rapid.IntRange(0, 5).Draw(t, "wild") == 0 {
			return smallItem().Draw(t, "item")
		}
		v := func(what string) types.AttributeValue { return smallValue(1).Draw(t, what) }
		it := item{"a": m(item{"x": v("a.x"), "y": l(v("a.y[0]"), v("a.y[1]"))}),
			"b": l(n("1"), ss("a", "c"), v("b[2]")), "c": n("10"), "d": ss("a", "p")}
		if rapid.Bool().Draw(t, "only deleted elements") {
			it["d"] = ss("a")
		}
		return it
	})
	text := func(p ddbexpr.Path) string {
		out := p.Attribute()
		for _, e := range p[1:] {
			if e.IsIndex() {
				out += fmt.Sprintf("[%d]", e.Index)
			} else {
				out += "." + e.Name
			}
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		it := items.Draw(t, "item")
		o := &oracle{old: it, now: cloneItem(it)}
		values := item{":one": n("1")}
		clauses := map[string][]string{}
		var want error
		for i := range rapid.IntRange(1, 5).Draw(t, "actions") {
			section := rapid.SampledFrom([]string{"SET", "SET", "REMOVE", "ADD", "DELETE"}).Draw(t, "section")
			name := fmt.Sprintf(":v%d", i)
			target := paths
			addend := rapid.SampledFrom([]types.AttributeValue{n("2"), ss("a", "z")}).Draw(t, "addend")
			if _, number := addend.(*types.AttributeValueMemberN); section == "ADD" && number {
				target = numbers
			} else if section == "ADD" || section == "DELETE" {
				target = sets
			}
			p := target.Draw(t, "path")
			var v, plus types.AttributeValue
			clause := text(p)
			switch section {
			case "SET":
				if rapid.Bool().Draw(t, "from a path") {
					from := paths.Draw(t, "source")
					v = from.Find(it)
					clause += " = " + text(from)
				} else {
					v = smallValue(1).Draw(t, "value")
					values[name] = v
					clause += " = " + name
				}
				if _, number := v.(*types.AttributeValueMemberN); number && rapid.Bool().Draw(t, "sum") {
					plus = n("1")
					clause += " + :one"
				}
			case "ADD":
				v = addend
				values[name] = v
				clause += " " + name
			case "DELETE":
				v = ss("a", "b")
				values[name] = v
				clause += " " + name
			}
			clauses[section] = append(clauses[section], clause)
			if err := o.act(section, p, v, plus); err != nil && want == nil {
				want = err
			}
		}
		o.finish()
		var expression string
		for section, list := range clauses {
			expression += " " + section + " " + strings.Join(list, ", ")
		}
		scope, err := ddbexpr.NewScope(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		update, err := scope.Update(expression)
		if err != nil {
			if strings.Contains(err.Error(), "Two document paths") {
				return
			}
			t.Fatalf("%s: %v", expression, err)
		}
		before := canonical(m(it))
		got, err := update.Apply(it)
		if (err == nil) != (want == nil) {
			t.Fatalf("%s for %s: %v, the oracle says %v", expression, before, err, want)
		}
		if canonical(m(it)) != before {
			t.Fatalf("%s changed the item", expression)
		}
		if err != nil {
			failed++
			return
		}
		applied++
		if d := cmp.Diff(o.now, got, exact); d != "" {
			t.Fatalf("%s for %s: %s", expression, before, d)
		}
		// Attributes that the update does not name are the very same values.
		for name, v := range it {
			if !slices.Contains(update.TargetNames(), name) && got[name] != v {
				t.Fatalf("%s copied %s", expression, name)
			}
		}
	})
	t.Logf("%d applied, %d refused", applied, failed)
	if !testing.Short() && (applied < 10 || failed < 5) { // a short run draws too few to tell
		t.Errorf("only %d updates were applied and %d refused", applied, failed)
	}
}
