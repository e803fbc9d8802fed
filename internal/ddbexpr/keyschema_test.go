// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"pgregory.net/rapid"
)

// keyOf writes a key shortly: "a S, b N" are two attributes, "a" has no type.
func keyOf(partition, sort string) ddbexpr.KeySchema {
	attributes := func(text string) (list []ddbexpr.KeyAttribute) {
		for part := range strings.SplitSeq(text, ", ") {
			if name, kind, _ := strings.Cut(part, " "); name != "" {
				list = append(list, ddbexpr.KeyAttribute{Name: name, Type: kind})
			}
		}
		return list
	}
	return ddbexpr.KeySchema{Partition: attributes(partition), Sort: attributes(sort)}
}

func ExampleKeyCondition_Bind() {
	condition, err := ddbexpr.ParseKeyCondition("id = :id AND begins_with(#s, :prefix)",
		map[string]string{"#s": "sort"}, item{":id": s("customer"), ":prefix": s("order#")})
	if err != nil {
		fmt.Println(err)
		return
	}
	query, err := condition.Bind(ddbexpr.KeySchema{
		Partition: []ddbexpr.KeyAttribute{{Name: "id", Type: "S"}},
		Sort:      []ddbexpr.KeyAttribute{{Name: "sort", Type: "S"}},
	})
	sort := query.Sort[0]
	fmt.Println(canonical(query.Partition[0].Value), sort.Operator, canonical(sort.Value), err)
	fmt.Println(sort.Matches(s("order#1")), sort.Matches(s("note#1")))
	// Output:
	// S"customer" begins_with S"order#" <nil>
	// true false
}

func TestBindMessages(t *testing.T) {
	const (
		unsupported = "Query key condition not supported"
		missed      = "Query condition missed key schema element: "
		tooMany     = "The number of query conditions (3) exceeds the number of key attributes defined in the schema "
		mismatch    = "One or more parameter values were invalid: Condition parameter type does not match schema type"
	)
	alone := keyOf("id S", "")
	both := keyOf("id S", "sk S")
	for _, c := range []struct {
		expression        string
		wantAlone, wantOf string
	}{
		{"id = :s", "", ""},
		{":s = id", "", ""},
		{"id = :n", mismatch, mismatch},
		{"id = :bool", mismatch, mismatch},
		{"id > :s", unsupported, unsupported},
		{"begins_with(id, :s)", unsupported, unsupported},
		{"id BETWEEN :s AND :t", unsupported, unsupported},
		{"sk = :s", missed + "id", missed + "id"},
		{"foo = :s", missed + "id", missed + "id"},
		{"id = :s AND sk = :s", unsupported, ""},
		{"sk > :s AND id = :s", unsupported, ""},
		{"id = :s AND foo = :s", unsupported, missed + "sk"},
		{"sk = :s AND foo = :s", missed + "id", missed + "id"},
		{"id > :s AND sk = :s", unsupported, unsupported},
		{"id = :s AND sk = :n", unsupported, mismatch},
		{"id = :s AND sk = :s AND foo = :s", tooMany + "(1)", tooMany + "(2)"},
	} {
		scope, err := ddbexpr.NewScope(nil, testValues)
		if err != nil {
			t.Fatal(err)
		}
		condition, err := scope.KeyCondition(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		for _, bound := range []struct {
			schema ddbexpr.KeySchema
			want   string
		}{{alone, c.wantAlone}, {both, c.wantOf}} {
			_, err := condition.Bind(bound.schema)
			var e *ddbexpr.Error
			if bound.want == "" && err != nil || bound.want != "" && (!errors.As(err, &e) || e.Message != bound.want) {
				t.Errorf("%s on %+v: %v, want %q", c.expression, bound.schema, err, bound.want)
			}
		}
		if _, err := condition.Bind(keyOf("id", "sk")); errors.Is(err,
			nil) != (c.wantOf == "" || c.wantOf == mismatch) {
			t.Errorf("%s without types: %v", c.expression, err)
		}
	}
}

// TestBindSeveral: what DynamoDB refuses of a condition on a key of several
// attributes. The texts on RANGE key attributes were recorded on AWS.
func TestBindSeveral(t *testing.T) {
	const (
		missed   = "Query condition missed key schema element: "
		mismatch = "One or more parameter values were invalid: Condition parameter type does not match schema type"
	)
	equal := func(open string) string {
		return "HASH key attributes " + open + " must have equality conditions specified in the query"
	}
	gap := func(open, named string) string {
		return "RANGE key attributes " + open + " must have equality conditions specified in the query because a " +
			"condition is present on key attribute " + named
	}
	key := keyOf("h S, i N", "a S, b N, c B, d S")
	for _, c := range []struct{ expression, want string }{
		{"h = :s AND i = :n", ""},
		{"i = :n AND :s = h", ""},
		{"h = :s AND i = :n AND a = :s", ""},
		{"b = :n AND a = :s AND h = :s AND i = :n", ""},
		{"h = :s AND i = :n AND begins_with(a, :s)", ""},
		{"h = :s AND i = :n AND a = :s AND b BETWEEN :m AND :n", ""},
		{"h = :s AND i = :n AND a = :s AND b = :n AND c = :b AND d > :s", ""},
		{"h = :s", equal("i")},
		{"i = :n", equal("h")},
		{"h = :s AND a = :s", equal("i")},
		{"a = :s AND b = :n", equal("h, i")},
		{"h = :s AND i > :n", equal("i")},
		{"h > :s AND x = :n", equal("h, i")},
		{"h = :s AND i = :n AND x = :s", missed + "a"},
		{"h = :s AND i = :n AND b = :n AND x = :s", missed + "a"},
		{"h = :s AND i = :n AND a = :s AND x = :s", missed + "b"},
		{"h = :s AND i = :n AND b = :n", gap("a", "b")},
		{"h = :s AND i = :n AND a = :s AND c = :b", gap("b", "c")},
		{"h = :s AND i = :n AND c = :b", gap("a, b", "c")},
		{"h = :s AND i = :n AND c = :b AND d = :s", gap("a, b", "c")},
		{"h = :s AND i = :n AND a > :s AND b = :n", gap("a", "b")},
		{"h = :s AND i = :n AND a = :s AND b > :n AND c = :b", gap("b", "c")},
		{"h = :n AND i = :n", mismatch},
		{"h = :s AND i = :s", mismatch},
		{"h = :s AND i = :n AND a = :s AND b = :s", mismatch},
		{"h = :s AND i = :n AND a BETWEEN :m AND :n", mismatch},
		{"h = :s AND i = :n AND a = :s AND b = :n AND c = :b AND d = :s AND x = :s",
			"The number of query conditions (7) exceeds the number of key attributes defined in the schema (6)"},
	} {
		scope, err := ddbexpr.NewScope(nil, item{":s": s("x"), ":n": n("5"), ":m": n("1"), ":b": b("a")})
		if err != nil {
			t.Fatal(err)
		}
		condition, err := scope.KeyCondition(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		_, err = condition.Bind(key)
		var e *ddbexpr.Error
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &e) || e.Message != c.want) {
			t.Errorf("%s: %v, want %q", c.expression, err, c.want)
		}
	}
}

// TestBindSingle: the refusals of a partition key of one attribute stay as they are
// beside a sort key of several.
func TestBindSingle(t *testing.T) {
	for expression, want := range map[string]string{
		"a = :s":            "Query condition missed key schema element: h",
		"h > :s":            "Query key condition not supported",
		"h = :s AND x = :s": "Query condition missed key schema element: a",
	} {
		condition, err := ddbexpr.ParseKeyCondition(expression, nil, item{":s": s("x")})
		if err != nil {
			t.Fatal(err)
		}
		var e *ddbexpr.Error
		if _, err := condition.Bind(keyOf("h S", "a S, b S")); !errors.As(err, &e) || e.Message != want {
			t.Errorf("%s: %v, want %s", expression, err, want)
		}
	}
}

// TestBindModel binds random conditions to random keys and compares with the
// rule as the guide states it: every attribute of the partition key has an
// equality, the conditions on the sort key are on its leading attributes, and
// only the last of them may be another one than an equality.
func TestBindModel(t *testing.T) {
	type clause struct {
		name, text string
		equality   bool
		kind       string
	}
	rapid.Check(t, func(t *rapid.T) {
		kinds := rapid.SampledFrom([]string{"S", "N", "B"})
		var schema ddbexpr.KeySchema
		var all []ddbexpr.KeyAttribute
		for i := range rapid.IntRange(1, 8).Draw(t, "attributes") {
			all = append(all, ddbexpr.KeyAttribute{Name: string(rune('a' + i)), Type: kinds.Draw(t, "type")})
		}
		at := rapid.IntRange(max(1, len(all)-4), min(4, len(all))).Draw(t, "partition attributes")
		schema.Partition, schema.Sort = all[:at], all[at:]

		values := item{":S": s("x"), ":N": n("5"), ":B": b("y")}
		var clauses []clause
		for i, a := range append(slices.Clone(all), ddbexpr.KeyAttribute{Name: "z", Type: "S"}) {
			// Mostly a condition that fits: every attribute up to some place.
			c := clause{name: a.Name, equality: true, kind: a.Type}
			if a.Name == "z" && !rapid.Bool().Draw(t, "stranger") ||
				i >= at && rapid.IntRange(0, 3).Draw(t, "left out") == 0 ||
				i < at && rapid.IntRange(0, 9).Draw(t, "partition left out") == 0 {
				continue
			}
			if rapid.IntRange(0, 9).Draw(t, "other type") == 0 {
				c.kind = kinds.Draw(t, "type of value")
			}
			value := ":" + c.kind
			switch rapid.IntRange(0, 9).Draw(t, "operator") {
			case 0:
				c.text, c.equality = a.Name+" >= "+value, false
			case 1:
				c.text, c.equality = a.Name+" BETWEEN "+value+" AND "+value, false
			case 2:
				c.text = value + " = " + a.Name
			default:
				c.text = a.Name + " = " + value
			}
			clauses = append(clauses, c)
		}
		if len(clauses) == 0 {
			t.Skip("no condition")
		}
		given := map[string]clause{}
		var texts []string
		used := item{}
		for _, c := range rapid.Permutation(clauses).Draw(t, "order") {
			given[c.name] = c
			texts = append(texts, c.text)
			used[":"+c.kind] = values[":"+c.kind]
		}
		scope, err := ddbexpr.NewScope(nil, used)
		if err != nil {
			t.Fatal(err)
		}
		condition, err := scope.KeyCondition(strings.Join(texts, " AND "))
		if err != nil {
			t.Fatal(err)
		}

		fits, leading := true, 0
		for i, a := range all {
			c, ok := given[a.Name]
			switch {
			case i < at:
				fits = fits && ok && c.equality
			case ok && i-at == leading && (leading == 0 || given[all[i-1].Name].equality):
				leading++
			case ok:
				fits = false
			}
			fits = fits && (!ok || c.kind == a.Type)
		}
		fits = fits && at+leading == len(clauses)

		q, err := condition.Bind(schema)
		if (err == nil) != fits {
			t.Fatalf("%s on %+v: %v, want a fit: %t", texts, schema, err, fits)
		}
		if err != nil {
			return
		}
		for i, term := range slices.Concat(q.Partition, q.Sort) {
			if term.Name != all[i].Name || (term.Operator == ddbexpr.KeyEqual) != given[term.Name].equality {
				t.Fatalf("%s on %+v: term %d is %+v", texts, schema, i, term)
			}
		}
		if len(q.Partition) != at || len(q.Sort) != leading {
			t.Fatalf("%s on %+v: %+v", texts, schema, q)
		}
	})
}

// TestBindAllocates: to bind a condition to a key of one or two attributes costs
// no memory, because every Query does it.
func TestBindAllocates(t *testing.T) {
	condition, err := ddbexpr.ParseKeyCondition("sk > :s AND id = :s", nil, item{":s": s("x")})
	if err != nil {
		t.Fatal(err)
	}
	schema := keyOf("id S", "sk S")
	if got := testing.AllocsPerRun(100, func() { _, _ = condition.Bind(schema) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
