// SPDX-License-Identifier: Apache-2.0

package transparent

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// TestEveryOperationIsListed fails when the SDK gets an operation that no one
// thought about, or loses one.
func TestEveryOperationIsListed(t *testing.T) {
	var methods []string
	client := reflect.TypeFor[*dynamodb.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() == 4 && m.Type.In(1) == reflect.TypeFor[context.Context]() && m.Type.IsVariadic() &&
			m.Type.NumOut() == 2 {
			methods = append(methods, m.Name)
		}
	}
	if len(methods) < 60 {
		t.Fatalf("only %d operations found: the test lost its way", len(methods))
	}
	count := map[string]int{}
	for _, list := range [][]string{transform, pass, refuse} {
		if !slices.IsSorted(list) {
			t.Errorf("not sorted: %v", list)
		}
		for _, name := range list {
			count[name]++
		}
	}
	for _, name := range methods {
		if count[name] != 1 {
			t.Errorf("%s is in %d lists", name, count[name])
		}
		delete(count, name)
	}
	for name := range count {
		t.Errorf("%s is not an operation of the client", name)
	}
	if len(transform) != 10 {
		t.Errorf("%d operations on items", len(transform))
	}
}

func TestPlaceholders(t *testing.T) {
	for _, c := range []struct {
		expression, placeholder string
		want                    bool
	}{
		{"#a = :b", "#a", true}, {"#ab = :b", "#a", false}, {"x(#ab, #a)", "#a", true}, {"#a.#b", "#b", true}, {"", "#a", false}, {"#a_b", "#a", false}, {"#a", "#a", true},
	} {
		if got := uses(c.expression, c.placeholder); got != c.want {
			t.Errorf("%s in %s: %t", c.placeholder, c.expression, got)
		}
	}
}

// TestPlaceholderEnds: a placeholder ends at a byte that no name has.
func TestPlaceholderEnds(t *testing.T) {
	const word = "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for c := range 256 {
		part := c >= 0x80 || bytes.IndexByte([]byte(word), byte(c)) >= 0
		expression := "#s" + string([]byte{byte(c)}) + " = :v"
		if uses(expression, "#s") == part {
			t.Errorf("%q: %t", expression, !part)
		}
		if !uses(expression+" AND #s = :v", "#s") {
			t.Errorf("%q is not looked through to its end", expression)
		}
	}
}
