// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// FuzzParse feeds one text to every kind of expression: no panic, every refusal
// an *Error of the right kind with a complete message, and whatever is accepted
// works on an item without changing it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a = :s AND NOT (b BETWEEN :m AND :n OR c IN (:s, :t))", "size(#a.x[0]) >= :n",
		"attribute_type(a, :type) OR contains(b, :ss)",
		"SET a = if_not_exists(a, :n) + :m, b.c[3] = list_append(b.c, :l) REMOVE d[0] ADD e :n DELETE f :ss",
		"a, b.c[0].d, #a", "id = :s AND begins_with(sk, :t)", "id = :s AND b = :n AND a = :s AND d > :m",
		"((a))", "a[", "#", ":", "SET", "NOT", "\xff", "a = :s -- x", strings.Repeat("(", 50), "REMOVE a[0], a[1], a.b",
	} {
		f.Add(seed)
	}
	it := item{"a": m(item{"x": l(s("x"), n("1"))}), "b": m(item{"c": l(n("1"), m(item{"d": s("x")}))}), "d": l(s("x")),
		"f": ss("a", "b"), "id": s("x")}
	before := canonical(m(it))
	keys := []ddbexpr.KeySchema{keyOf("id", "sk"), keyOf("id, b", "a, d, e")}
	f.Fuzz(func(t *testing.T, expression string) {
		for _, kind := range []ddbexpr.Kind{ddbexpr.KindCondition, ddbexpr.KindProjection, ddbexpr.KindKeyCondition,
			ddbexpr.KindUpdate} {
			scope, err := ddbexpr.NewScope(testNames, testValues)
			if err != nil {
				t.Fatal(err)
			}
			switch kind {
			case ddbexpr.KindCondition:
				var c *ddbexpr.Condition
				if c, err = scope.Condition(kind, expression); err == nil {
					if _, err := c.Evaluate(it); err != nil {
						t.Fatal(err)
					}
					if len(c.ValueNames()) > len(c.TopLevelNames()) {
						t.Fatal("more value names than names")
					}
					checkWriter(t, c, testNames, testValues)
				}
			case ddbexpr.KindProjection:
				var p *ddbexpr.Projection
				if p, err = scope.Projection(expression); err == nil {
					p.Apply(it)
				}
			case ddbexpr.KindKeyCondition:
				var k *ddbexpr.KeyCondition
				if k, err = scope.KeyCondition(expression); err == nil {
					for _, key := range keys {
						if q, err := k.Bind(key); err == nil && len(q.Partition) != len(key.Partition) {
							t.Fatalf("%q on %+v: %+v", expression, key, q)
						}
					}
				}
			case ddbexpr.KindUpdate:
				var u *ddbexpr.Update
				if u, err = scope.Update(expression); err == nil {
					var after map[string]types.AttributeValue
					if after, err = u.Apply(it); err == nil {
						u.ProjectTargets(after)
					}
					err = nil
				}
			}
			var e *ddbexpr.Error
			if err != nil && (!errors.As(err, &e) || e.Kind != kind || e.Message == "") {
				t.Fatalf("%s %q: %#v", kind, expression, err)
			}
		}
		if canonical(m(it)) != before {
			t.Fatalf("%q changed the item", expression)
		}
	})
}

// checkWriter checks that the printed tree of a condition parses, alone and with
// exactly the placeholders of the writer, to an equal tree in no more operators.
func checkWriter(t interface{ Fatalf(string, ...any) }, c *ddbexpr.Condition, names map[string]string, values item) {
	w := ddbexpr.NewWriter(names, values)
	text := w.Condition(c.Root())
	scope, err := ddbexpr.NewUnlimitedScope(w.Names(), w.Values())
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	again, err := scope.Condition(ddbexpr.KindCondition, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if err := scope.Unused(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if !again.Root().Equal(c.Root()) || again.Operators() != c.Operators() || c.Root().Operators() != c.Operators() {
		t.Fatalf("%s has another tree", text)
	}
	second := ddbexpr.NewWriter(names, values)
	if twice := second.Condition(again.Root()); twice != text {
		t.Fatalf("printed again: %s, before %s", twice, text)
	}
}

func BenchmarkParse(b *testing.B) {
	names := map[string]string{"#s": "status"}
	values := item{":v": s("x"), ":n": n("1")}
	for name, run := range map[string]func() error{
		"condition": func() error {
			_, err := ddbexpr.ParseCondition(ddbexpr.KindCondition, "attribute_not_exists(id)", nil, nil)
			return err
		},
		"filter": func() error {
			_, err := ddbexpr.ParseCondition(ddbexpr.KindFilter, "#s = :v AND size(a.b[0]) > :n", names, values)
			return err
		},
		"update": func() error {
			_, err := ddbexpr.ParseUpdate("SET #s = :v, visits = visits + :n", names, values)
			return err
		},
		"key": func() error { _, err := ddbexpr.ParseKeyCondition("id = :v AND sk > :n", nil, values); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEvaluate(b *testing.B) {
	c, err := ddbexpr.ParseCondition(ddbexpr.KindFilter, "#s = :v AND visits > :n", map[string]string{"#s": "status"},
		item{":v": s("x"), ":n": n("1")})
	if err != nil {
		b.Fatal(err)
	}
	it := item{"status": s("x"), "visits": n("12")}
	b.ReportAllocs()
	for b.Loop() {
		if ok, _ := c.Evaluate(it); !ok {
			b.Fatal("does not hold")
		}
	}
}

func BenchmarkApply(b *testing.B) {
	u, err := ddbexpr.ParseUpdate("SET visits = visits + :n", nil, item{":n": n("1")})
	if err != nil {
		b.Fatal(err)
	}
	it := item{"id": s("x"), "status": s("x"), "visits": n("12")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Apply(it); err != nil {
			b.Fatal(err)
		}
	}
}
