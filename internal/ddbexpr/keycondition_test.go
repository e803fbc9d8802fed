// SPDX-License-Identifier: Apache-2.0

package ddbexpr_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
)

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
