// SPDX-License-Identifier: Apache-2.0

package attempts_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbexpr"
	"github.com/ddbseal/ddbseal/store/internal/attempts"
)

func TestRepeatable(t *testing.T) {
	for update, want := range map[string]bool{
		"SET a = :n":                  true,
		"SET a.b = :n REMOVE c, d.e":  true,
		"ADD a :set":                  true,
		"DELETE a :set":               true,
		"ADD a :n":                    false,
		"SET a = a + :n":              false,
		"SET a = b":                   false,
		"SET a[0] = :n":               false,
		"REMOVE a[0]":                 false,
		"SET a = list_append(a, :l)":  false,
		"SET b = :n, a = :n ADD c :n": false,
	} {
		scope, err := ddbexpr.NewScope(nil, map[string]types.AttributeValue{
			":n": &types.AttributeValueMemberN{Value: "1"}, ":set": &types.AttributeValueMemberSS{Value: []string{"x"}},
			":l": &types.AttributeValueMemberL{},
		})
		if err != nil {
			t.Fatal(err)
		}
		u, err := scope.Update(update)
		if err != nil {
			t.Fatalf("%s: %v", update, err)
		}
		if got := attempts.Repeatable(u); got != want {
			t.Errorf("%s: %v", update, got)
		}
	}
}
