package ddbexpr_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

func ExampleKeyCondition_Bind() {
	condition, err := ddbexpr.ParseKeyCondition("id = :id AND begins_with(#s, :prefix)",
		map[string]string{"#s": "sort"}, item{":id": s("customer"), ":prefix": s("order#")})
	if err != nil {
		fmt.Println(err)
		return
	}
	query, err := condition.Bind(ddbexpr.KeySchema{Partition: "id", PartitionType: "S", Sort: "sort", SortType: "S"})
	fmt.Println(canonical(query.Partition), query.Sort.Operator, canonical(query.Sort.Value), err)
	fmt.Println(query.Sort.Matches(s("order#1")), query.Sort.Matches(s("note#1")))
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
	alone := ddbexpr.KeySchema{Partition: "id", PartitionType: "S"}
	both := ddbexpr.KeySchema{Partition: "id", PartitionType: "S", Sort: "sk", SortType: "S"}
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
		if _, err := condition.Bind(ddbexpr.KeySchema{Partition: "id", Sort: "sk"}); errors.Is(err,
			nil) != (c.wantOf == "" || c.wantOf == mismatch) {
			t.Errorf("%s without types: %v", c.expression, err)
		}
	}
}

func TestKeyTerms(t *testing.T) {
	for _, c := range []struct {
		expression string
		operator   ddbexpr.KeyOperator
		yes, no    types.AttributeValue
	}{
		{"sk = :v", ddbexpr.KeyEqual, n("5.0"), n("6")},
		{"sk < :v", ddbexpr.KeyLess, n("4"), n("5")},
		{"sk <= :v", ddbexpr.KeyLessEqual, n("5"), n("10")},
		{"sk > :v", ddbexpr.KeyGreater, n("10"), n("5")},
		{"sk >= :v", ddbexpr.KeyGreaterEqual, n("5"), n("4")},
		{":v < sk", ddbexpr.KeyGreater, n("6"), n("5")},
		{":v <= sk", ddbexpr.KeyGreaterEqual, n("5"), n("-5")},
		{":v > sk", ddbexpr.KeyLess, n("-6"), n("5")},
		{":v >= sk", ddbexpr.KeyLessEqual, n("5"), s("5")},
		{"sk BETWEEN :v AND :w", ddbexpr.KeyBetween, n("7"), n("9.5")},
		{"begins_with(sk, :p)", ddbexpr.KeyBeginsWith, s("abc"), s("b")},
	} {
		scope, err := ddbexpr.NewScope(nil, item{":v": n("5"), ":w": n("9"), ":p": s("ab")})
		if err != nil {
			t.Fatal(err)
		}
		condition, err := scope.KeyCondition("id = :p AND " + c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		term := condition.Terms()[1]
		if term.Name != "sk" || term.Operator != c.operator || !term.Matches(c.yes) || term.Matches(c.no) ||
			term.Matches(nil) {
			t.Errorf("%s: %+v", c.expression, term)
		}
		if (term.High != nil) != (c.operator == ddbexpr.KeyBetween) {
			t.Errorf("%s: upper bound %v", c.expression, term.High)
		}
		if got := fmt.Sprint(condition.TopLevelNames(), condition.Paths()); got != "[id sk] [[id] [sk]]" {
			t.Error(got)
		}
	}
}
