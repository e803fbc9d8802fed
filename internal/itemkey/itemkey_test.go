// SPDX-License-Identifier: Apache-2.0

package itemkey

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestText(t *testing.T) {
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	n := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	b := func(v string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(v)} }
	type key struct{ partition, sort types.AttributeValue }
	text := func(k key) string {
		item := map[string]types.AttributeValue{"p": k.partition, "other": s("x")}
		if k.sort != nil {
			item["s"] = k.sort
		}
		return Text(item, "p", "s")
	}
	for _, same := range [][]key{
		{{n("1"), nil}, {n("1.0"), nil}, {n("0.1e1"), nil}, {n("+1"), nil}},
		{{s("a"), n("100")}, {s("a"), n("1E2")}},
	} {
		for _, k := range same[1:] {
			if text(k) != text(same[0]) {
				t.Errorf("%q and %q differ", text(k), text(same[0]))
			}
		}
	}
	seen := map[string]int{}
	for i, k := range []key{
		{s("1"), nil}, {n("1"), nil}, {b("1"), nil}, {n("10"), nil}, {n("-1"), nil}, {n("no number"), nil},
		{s("a"), s("b")}, {s("ab"), s("")}, {s(""), s("ab")}, {s("a"), nil}, {s("aS1:b"), nil}, {s("a"), b("b")},
	} {
		if j, has := seen[text(k)]; has {
			t.Errorf("keys %d and %d share %q", i, j, text(k))
		}
		seen[text(k)] = i
	}
	item := map[string]types.AttributeValue{"p": s("a"), "": s("b")}
	if Text(item, "p", "") != Text(item, "p") {
		t.Error("the empty name counts")
	}
}
