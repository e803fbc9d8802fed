// SPDX-License-Identifier: Apache-2.0

package search_test

import (
	"encoding/hex"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope/beacon"
	"github.com/ddbseal/ddbseal/envelope/beacon/search"
	"github.com/ddbseal/ddbseal/envelope/materials"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

// FuzzRewrite feeds arbitrary expressions: what is sent is accepted by DynamoDB,
// names no encrypted attribute by value, and has no part of a value that the
// request compares with one. Every refusal is an *Error.
func FuzzRewrite(f *testing.F) {
	for _, c := range javaFilters {
		f.Add("pk = :a", c.filter)
	}
	for _, seed := range [][2]string{
		{"s = :a AND begins_with(c, :c)", "NOT (street = :b OR contains(set, :n)) AND #z > :n"},
		{"#c = :c", "c BETWEEN :y AND :d AND attribute_exists(#s)"}, {"", "s = :a AND pk = :a"}, {"", "c <> :d OR c IN (:c, :d)"},
		{"name = :a", "status = :b OR v = :a"}, {"pk = :a AND sg < :y", "size(z) = :n AND (set = :ss OR set = :ns)"},
		{"", "contains(c, :e) AND c >= :y"}, {"alias = :bin", "c = :a OR u = :b"}, {"s = :l", "s = :m OR s = :bool"},
	} {
		f.Add(seed[0], seed[1])
	}
	tb := clinic(f)
	many := partitionedClinic(f)
	names := map[string]string{"#s": "s", "#c": "c", "#z": "z", "#u": "u", "#a": "alias", "#m": "m", "#sg": "sg",
		"#odd": "aws_dbe_b_s"}
	f.Fuzz(func(t *testing.T, key, filter string) {
		values, secrets := secretValues(uint64(len(filter)))
		for _, tb := range []*table{tb, many} {
			for _, selection := range []string{"", "pk, #m.x"} {
				r := search.Request{Operation: search.Scan, Filter: text(filter), Names: names, Values: values,
					Projection: text(selection)}
				if key != "" {
					r.Operation, r.KeyCondition = search.Query, &key
				}
				plan, err := tb.rewriter.Plan(r)
				if err != nil {
					checkRefusal(t, err, secrets)
					continue
				}
				sent, err := plan.Request(t.Context(), plan.Queries()-1)
				if err != nil {
					checkRefusal(t, err, secrets)
					continue
				}
				checkSent(t, tb, r, sent, secrets)
				item := Item{"pk": s("1"), "s": s("x"), "m": m(Item{"street": s("y")}), "set": ss("a"), "yr": n("1")}
				if _, err := plan.Match(item); err != nil {
					t.Fatal(err)
				}
				plan.Cut(item)
			}
		}
	})
}

// partitionedClinic is clinic with partitions.
func partitionedClinic(t testing.TB) *table {
	one := clinic(t)
	return newTable(t, one.protection, beacon.Config{MaxPartitions: 3,
		Standard: []beacon.Standard{{Name: "s", Length: 32, Partitions: 2},
			{Name: "set", Length: 8, Style: beacon.AsSet},
			{Name: "street", Length: 8, Location: "m.street", Partitions: 1}},
		Compound: []beacon.Compound{{Name: "c", Split: '|', Signed: []beacon.SignedPart{{Name: "yr", Prefix: "Y-"}},
			Encrypted:    []beacon.EncryptedPart{{Name: "s", Prefix: "S-"}, {Name: "street", Prefix: "P-"}},
			Constructors: []beacon.Constructor{{{Name: "yr"}, {Name: "street"}}, {{Name: "yr"}, {Name: "s"}}}}}})
}

// secretValues returns the values of a request, and for each placeholder the
// random texts of 12 bytes or more in its value that must not be sent if it is
// compared with an encrypted attribute.
func secretValues(seed uint64) (Item, map[string][]string) {
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	values, secrets := Item{}, map[string][]string{}
	draw := func(name string) string {
		var b [12]byte
		_, _ = random.Read(b[:])
		secrets[name] = append(secrets[name], hex.EncodeToString(b[:]))
		return hex.EncodeToString(b[:])
	}
	values[":a"], values[":b"] = s(draw(":a")), s(draw(":b"))
	values[":c"] = s("Y-1984|P-" + draw(":c"))
	values[":d"] = s("Y-1985|P-" + draw(":d") + "|S-" + draw(":d"))
	values[":e"] = s("P-" + draw(":e") + "|S-" + draw(":e"))
	values[":y"] = s("Y-1984")
	values[":n"] = n("7")
	values[":bin"] = b(draw(":bin"))
	values[":ss"] = ss(draw(":ss"), draw(":ss"))
	values[":ns"] = ns("1", "2")
	values[":bool"] = boolean(true)
	values[":l"] = l(s(draw(":l")), b(draw(":l")))
	values[":m"] = m(Item{"x": s(draw(":m"))})
	values[":unused"] = s(draw(":unused"))
	return values, secrets
}

func checkRefusal(t *testing.T, err error, secrets map[string][]string) {
	t.Helper()
	var e *search.Error
	if !errors.As(err, &e) || !errors.Is(err, search.ErrUnsearchable) && !errors.Is(err, materials.ErrConfiguration) {
		t.Fatalf("%#v", err)
	}
	for name, texts := range secrets {
		for _, text := range texts {
			if strings.Contains(err.Error(), text) {
				t.Fatalf("an error repeats the value %s: %v", name, err)
			}
		}
	}
}

// checkSent parses what is sent and looks for what must not be in it.
func checkSent(t *testing.T, tb *table, r search.Request, sent search.Rewritten, secrets map[string][]string) {
	t.Helper()
	server := parse(t, sent)
	var read []string
	if server.filter != nil {
		read = server.filter.ValueNames()
	}
	if server.key != nil {
		read = append(read, server.key.TopLevelNames()...)
	}
	for _, name := range read {
		if tb.protection[name] == beacon.Encrypted {
			t.Fatalf("%q is encrypted: %v, %v with %v", name, sent.KeyCondition, sent.Filter, sent.Names)
		}
	}
	var all strings.Builder
	for _, e := range []*string{sent.KeyCondition, sent.Filter, sent.Projection} {
		if e != nil {
			all.WriteString(*e + "\n")
		}
	}
	for placeholder, name := range sent.Names {
		all.WriteString(placeholder + name + "\n")
	}
	for placeholder, v := range sent.Values {
		all.WriteString(placeholder)
		dump(&all, v)
	}
	for placeholder := range comparedInSecret(t, tb, r) {
		for _, text := range secrets[placeholder] {
			if strings.Contains(all.String(), text) {
				t.Fatalf("%s is compared with an encrypted attribute, and sent: %s", placeholder, all.String())
			}
		}
	}
}

// dump writes all text in a value.
func dump(b *strings.Builder, v types.AttributeValue) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		b.WriteString(v.Value + "\n")
	case *types.AttributeValueMemberN:
		b.WriteString(v.Value + "\n")
	case *types.AttributeValueMemberB:
		b.WriteString(string(v.Value) + "\n")
	case *types.AttributeValueMemberSS:
		b.WriteString(strings.Join(v.Value, "\n"))
	case *types.AttributeValueMemberBS:
		for _, e := range v.Value {
			b.WriteString(string(e) + "\n")
		}
	case *types.AttributeValueMemberL:
		for _, e := range v.Value {
			dump(b, e)
		}
	case *types.AttributeValueMemberM:
		for _, name := range slices.Sorted(maps.Keys(v.Value)) {
			dump(b, v.Value[name])
		}
	}
}

// comparedInSecret returns the placeholders of values that stand in one term
// with an encrypted attribute or a beacon, and those that no expression uses.
func comparedInSecret(t *testing.T, tb *table, r search.Request) map[string]bool {
	t.Helper()
	scope, err := ddbexpr.NewScope(r.Names, r.Values)
	if err != nil {
		t.Fatal(err)
	}
	scope.AcceptReserved()
	used, out := map[string]bool{}, map[string]bool{}
	var walk func(ddbexpr.Node)
	walk = func(n ddbexpr.Node) {
		for _, side := range n.Nodes() {
			walk(side)
		}
		hidden := false
		var placeholders []string
		for _, o := range n.Operands() {
			if of, ok := o.SizeOf(); ok {
				o = of
			}
			if path := o.Path(); path != nil {
				found := tb.search.Lookup(path.Attribute())
				hidden = hidden || found.Protection == beacon.Encrypted || found.Standard != nil ||
					found.Compound != nil && !found.Compound.Signed()
			} else {
				placeholders = append(placeholders, o.Placeholder())
			}
		}
		for _, p := range placeholders {
			used[p] = true
			if hidden {
				out[p] = true
			}
		}
	}
	if r.KeyCondition != nil {
		k, err := scope.KeyCondition(*r.KeyCondition)
		if err != nil {
			t.Fatal(err)
		}
		walk(k.Root())
	}
	if r.Filter != nil {
		c, err := scope.Condition(ddbexpr.KindFilter, *r.Filter)
		if err != nil {
			t.Fatal(err)
		}
		walk(c.Root())
	}
	for placeholder := range r.Values {
		if !used[placeholder] {
			out[placeholder] = true
		}
	}
	return out
}
