// SPDX-License-Identifier: Apache-2.0

package operand_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/envelope"
	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/operand"
)

// fields has an attribute of each kind, named by it, and a time.
func fields(name string) (operand.Field, bool) {
	if name == "unknown" {
		return operand.Field{}, false
	}
	f := operand.Field{Kinds: []string{name}, GoName: "F", Type: reflect.TypeFor[int]()}
	switch name {
	case "any":
		f.Kinds = nil
	case "time":
		f.Kinds, f.FixedTime = []string{"S"}, true
	}
	return f, true
}

var values = envelope.Item{
	":s": &types.AttributeValueMemberS{Value: "hidden"}, ":n": &types.AttributeValueMemberN{Value: "1"},
	":ss": &types.AttributeValueMemberSS{Value: []string{"hidden"}}, ":null": &types.AttributeValueMemberNULL{Value: true},
	":ns": &types.AttributeValueMemberNS{Value: []string{"1"}}, ":l": &types.AttributeValueMemberL{},
	":fixed": &types.AttributeValueMemberS{Value: "2026-01-02T03:04:05.000000000Z"},
	":short": &types.AttributeValueMemberS{Value: "2026-01-02T03:04:05Z"},
	":zone":  &types.AttributeValueMemberS{Value: "2026-01-02T03:04:05.000000000+01:00"},
	":year":  &types.AttributeValueMemberS{Value: "2026"}, ":type": &types.AttributeValueMemberS{Value: "S"},
}

// TestConditions: the comparisons that no stored value could meet are refused,
// wherever they stand, and no text shows a value.
func TestConditions(t *testing.T) {
	for text, refused := range map[string]bool{
		"S = :s": false, "S = :n": true, ":n = S": true, "N < :n": false, "N < :s": true, "any = :n": false,
		"unknown = :n": false, "S = :null": false, "S IN (:s, :n)": true, "N BETWEEN :year AND :s": true,
		"NOT (S = :s OR (N = :n AND S <> :n))": true, "begins_with(S, :s)": false, "begins_with(S, :year)": false,
		"contains(S, :s)": false, "contains(S, :n)": true, "contains(SS, :s)": false, "contains(SS, :n)": true,
		"contains(NS, :n)": false, "contains(L, :n)": false, "SS = :ss": false, "SS = :l": true, "S = unknown": false,
		"size(S) = :n": false, "attribute_type(N, :type)": false, "attribute_exists(N)": false, "M.a = :n": false,
		"time = :fixed": false, "time = :short": true, "time > :zone": true, "time > :year": false,
		"begins_with(time, :short)": false,
	} {
		used := envelope.Item{}
		for name, v := range values {
			if strings.Contains(text+" ", name+" ") || strings.Contains(text, name+")") ||
				strings.Contains(text, name+",") {
				used[name] = v
			}
		}
		if len(used) == 0 {
			used = nil
		}
		scope, err := ddbexpr.NewScope(nil, used)
		if err != nil {
			t.Fatal(err)
		}
		scope.AcceptReserved()
		c, err := scope.Condition(ddbexpr.KindCondition, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		err = operand.CheckCondition(c.Root(), fields)
		if (err != nil) != refused || err != nil && (!errors.Is(err, envelope.ErrConfiguration) ||
			!strings.Contains(err.Error(), "field F") || strings.Contains(err.Error(), "hidden")) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestUpdates: the updates that would store another type are refused.
func TestUpdates(t *testing.T) {
	for text, refused := range map[string]bool{
		"SET S = :s": false, "SET S = :n": true, "SET N = N + :n": false, "SET S = if_not_exists(S, :n)": true,
		"SET N = if_not_exists(N, :n)": false, "SET S = :null": false, "REMOVE S": false, "ADD N :n": false,
		"ADD SS :ss": false, "ADD SS :ns": true, "DELETE NS :ss": true, "ADD L :ss": true, "SET L = list_append(L, :l)": false,
		"SET unknown = :n, S = :n": true, "SET M.a = :n, S = :s": false, "SET M.a = :n, S = :n": true, "SET any = :l": false,
		"SET time = :short": true, "SET time = :fixed": false,
	} {
		scope, err := ddbexpr.NewScope(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		scope.AcceptReserved()
		u, err := scope.Update(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		err = operand.CheckUpdate(u, fields)
		if (err != nil) != refused || err != nil && !errors.Is(err, envelope.ErrConfiguration) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
