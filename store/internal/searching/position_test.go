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
	for _, at := range [][]position{{{key: key}}, {{}}, {{key: key}, {end: true}, {}}, {{}, {}},
		{{key: key, turn: key}, {turn: key}}} {
		for _, back := range []bool{false, true} {
			good, err := encodePositions(at, back)
			if err != nil {
				f.Fatal(err)
			}
			got, turned, err := decodePositions(good, len(at))
			if err != nil || len(got) != len(at) || turned != back {
				f.Fatalf("%v, back %t: %v", got, turned, err)
			}
			for i := range at {
				if got[i].end != at[i].end || len(got[i].key) != len(at[i].key) ||
					len(got[i].turn) != len(at[i].turn) {
					f.Fatalf("position %d is %v, want %v", i, got[i], at[i])
				}
			}
			if _, _, err := decodePositions(good, len(at)+1); !errors.Is(err, ErrCursor) {
				f.Fatalf("the cursor of %d queries is accepted for %d: %v", len(at), len(at)+1, err)
			}
			f.Add(good, len(at))
		}
	}
	scan, err := EncodeScan(key, 1, 4)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(scan, 1)
	f.Add("", 1)
	f.Add("e30", 3)
	f.Fuzz(func(t *testing.T, text string, queries int) {
		queries = max(1, min(queries, 254))
		at, back, err := decodePositions(text, queries)
		if err != nil {
			if !errors.Is(err, ErrCursor) {
				t.Error(err)
			}
			return
		}
		again, err := encodePositions(at, back)
		if err != nil || text != "" && again == "" && !allEnd(at) {
			t.Errorf("%q: %v", text, err)
		}
		if start, err := DecodeStart(text); err == nil && queries == 1 {
			again, err := EncodeStart(start)
			if next, bad := DecodeStart(again); err != nil || bad != nil || next.Back != start.Back ||
				len(next.Key) != len(start.Key) {
				t.Errorf("%q: %v, %v", text, err, bad)
			}
		}
		if key, err := DecodeScan(text, 1, 4); err == nil && text != "" {
			if again, err := EncodeScan(key, 1, 4); err != nil || again == "" {
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

// TestScanCursor: the cursor of a scan fits its segment and the number of segments,
// and neither another scan nor a query.
func TestScanCursor(t *testing.T) {
	key := Item{"id": &types.AttributeValueMemberS{Value: "x"}}
	cursor, err := EncodeScan(key, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeScan(cursor, 1, 4); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if got, err := EncodeScan(nil, 1, 4); err != nil || got != "" {
		t.Error(got, err)
	}
	query, err := EncodeKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"segment": last(DecodeScan(cursor, 2, 4)), "segments": last(DecodeScan(cursor, 1, 5)),
		"query": last(DecodeStart(cursor)), "of a query": last(DecodeScan(query, 0, 1)),
	} {
		if !errors.Is(err, ErrCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func last[T any](_ T, err error) error { return err }
