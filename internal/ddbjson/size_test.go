// SPDX-License-Identifier: Apache-2.0

package ddbjson_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ddbseal/ddbseal/internal/ddbjson"
)

// TestTextSize: the size is ValueSize's, and text is looked at wherever it is.
func TestTextSize(t *testing.T) {
	type item = map[string]types.AttributeValue
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	for text, want := range map[string]bool{"\u00fcber": true, "\xff": false} {
		values := item{
			"string":  s(text),
			"set":     &types.AttributeValueMemberSS{Value: []string{"a", text}},
			"element": &types.AttributeValueMemberL{Value: []types.AttributeValue{s("a"), s(text)}},
			"member":  &types.AttributeValueMemberM{Value: item{"a": s(text)}},
			"name":    &types.AttributeValueMemberM{Value: item{text: s("a")}},
		}
		for name, v := range values {
			if n, valid := ddbjson.TextSize(v); valid != want || n != ddbjson.ValueSize(v) {
				t.Errorf("%s %q: %d, %t", name, text, n, valid)
			}
		}
	}
	if _, valid := ddbjson.TextSize(&types.AttributeValueMemberB{Value: []byte{0xff}}); !valid {
		t.Error("bytes are not text")
	}
}
