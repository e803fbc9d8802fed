// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"bytes"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/ddbseal/ddbseal/localaws/internal/dynamodb/schema"
)

func testRecord() *Record {
	key := schema.Item{"pk": &types.AttributeValueMemberS{Value: "a"}}
	return &Record{Sequence: 7, At: time.Unix(1_700_000_000, 5).UTC(), Kind: Modify, Expired: true, Keys: key, New: key,
		Old: schema.Item{}, shard: 3}
}

// TestStoredRecord: a record reads back as it was, with a missing image and an empty
// one apart, and no other text is a record.
func TestStoredRecord(t *testing.T) {
	want := testRecord()
	text := appendRecord(nil, want)
	got, err := readRecord(sequenceKey(7), text)
	if err != nil || got.Sequence != 7 || !got.At.Equal(want.At) || got.Kind != Modify || !got.Expired ||
		got.shard != 3 ||
		!schema.EqualItems(got.Keys, want.Keys) || !schema.EqualItems(got.New, want.New) || got.Old == nil {
		t.Errorf("%+v, %v", got, err)
	}
	want.Old = nil
	if got, err := readRecord(sequenceKey(7), appendRecord(nil, want)); err != nil || got.Old != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range text {
		if got, err := readRecord(sequenceKey(7), text[:i]); err == nil {
			t.Fatalf("%d bytes are %+v", i, got)
		}
	}
	for what, bad := range map[string][]byte{"a byte more": append(bytes.Clone(text), 0), "another kind": append(
		append(bytes.Clone(text[:16]), 9), text[17:]...)} {
		if got, err := readRecord(sequenceKey(7), bad); err == nil {
			t.Errorf("%s: %+v", what, got)
		}
	}
	if _, err := readRecord([]byte("short"), text); err == nil {
		t.Error("a record without a sequence number")
	}
}

// FuzzStoredRecord: no text makes the reader fail, and what it reads it writes.
func FuzzStoredRecord(f *testing.F) {
	f.Add(appendRecord(nil, testRecord()))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := readRecord(sequenceKey(7), text)
		if err != nil {
			return
		}
		again, err := readRecord(sequenceKey(7), appendRecord(nil, r))
		if err != nil || !again.At.Equal(r.At) || again.Kind != r.Kind || again.Size() != r.Size() {
			t.Errorf("%+v reads as %+v, %v", r, again, err)
		}
	})
}
