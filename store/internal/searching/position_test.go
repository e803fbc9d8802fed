// SPDX-License-Identifier: Apache-2.0

package searching

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// FuzzCursor: a cursor comes from outside. It is refused or gives positions that
// make a cursor again.
func FuzzCursor(f *testing.F) {
	key := Item{"id": &types.AttributeValueMemberS{Value: "x"}, "n": &types.AttributeValueMemberN{Value: "1"}}
	for _, at := range [][]position{{{key: key}}, {{key: key}, {end: true}, {}}, {{}, {}}} {
		good, err := encodePositions(at)
		if err != nil {
			f.Fatal(err)
		}
		back, err := decodePositions(good, len(at))
		if err != nil || len(back) != len(at) {
			f.Fatalf("%v: %v", back, err)
		}
		for i := range at {
			if back[i].end != at[i].end || len(back[i].key) != len(at[i].key) {
				f.Fatalf("position %d is %v, want %v", i, back[i], at[i])
			}
		}
		if _, err := decodePositions(good, len(at)+1); !errors.Is(err, ErrCursor) {
			f.Fatalf("the cursor of %d queries is accepted for %d: %v", len(at), len(at)+1, err)
		}
		f.Add(good, len(at))
	}
	f.Add("", 1)
	f.Add("e30", 3)
	f.Fuzz(func(t *testing.T, text string, queries int) {
		queries = max(1, min(queries, 254))
		at, err := decodePositions(text, queries)
		if err != nil {
			if !errors.Is(err, ErrCursor) {
				t.Error(err)
			}
			return
		}
		again, err := encodePositions(at)
		if err != nil || text != "" && again == "" && !allEnd(at) {
			t.Errorf("%q: %v", text, err)
		}
		if key, err := DecodeKey(text); err == nil && queries == 1 {
			if again, err := EncodeKey(key); err != nil || (again == "") != (text == "") {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

func allEnd(at []position) bool {
	for _, p := range at {
		if !p.end {
			return false
		}
	}
	return true
}
