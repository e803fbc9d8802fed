package ddbexpr_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/internal/ddbnumber"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
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
		{item{"a": n(nines)}, "SET a = a + :v", n("0.1"), nil, "Attempting to store more than 38 significant digits in a Number"},
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
	if got, want := strings.Join(actions, " "), `SET[a, x] SET[d, [1]]N1/1 REMOVE[e] ADD[f]N1/1 DELETE[g]SS"p"`; got != want {
		t.Errorf("actions %s, want %s", got, want)
	}
}

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
	paths := fit(ddbexpr.Path{name("a"), name("x")}, ddbexpr.Path{name("a"), name("y"), index(0)}, ddbexpr.Path{name("a"), name("y"), index(1)}, ddbexpr.Path{name("a"), name("z")},
		ddbexpr.Path{name("b"), index(0)}, ddbexpr.Path{name("b"), index(1)}, ddbexpr.Path{name("b"), index(2)}, ddbexpr.Path{name("b"), index(7)}, ddbexpr.Path{name("c")}, ddbexpr.Path{name("e")})
	numbers := fit(ddbexpr.Path{name("c")}, ddbexpr.Path{name("e")}, ddbexpr.Path{name("a"), name("z")}, ddbexpr.Path{name("b"), index(0)})
	sets := fit(ddbexpr.Path{name("d")}, ddbexpr.Path{name("e")}, ddbexpr.Path{name("a"), name("z")}, ddbexpr.Path{name("b"), index(1)})
	items := rapid.Custom(func(t *rapid.T) item {
		if rapid.IntRange(0, 5).Draw(t, "wild") == 0 {
			return smallItem().Draw(t, "item")
		}
		v := func(what string) types.AttributeValue { return smallValue(1).Draw(t, what) }
		it := item{"a": m(item{"x": v("a.x"), "y": l(v("a.y[0]"), v("a.y[1]"))}), "b": l(n("1"), ss("a", "c"), v("b[2]")), "c": n("10"), "d": ss("a", "p")}
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
	if applied < 10 || failed < 5 {
		t.Errorf("only %d updates were applied and %d refused", applied, failed)
	}
}

func TestProjectionApply(t *testing.T) {
	it := item{"a": m(item{"x": s("1"), "y": l(s("2"), m(item{"z": s("3"), "w": s("4")}), s("5"))}), "b": s("6"), "c.d": s("7")}
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
