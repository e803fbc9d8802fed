// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"strings"
	"testing"
	"time"
)

const testARN = "arn:aws:dynamodb:us-east-1:111122223333:table/orders/stream/2023-11-14T22:13:20.000"

// TestIterator: a token reads back, and none that is cut or of another stream does.
func TestIterator(t *testing.T) {
	issued := time.UnixMilli(1_700_000_000_123)
	want := Iterator{Stream: testARN, Shard: newShardID(issued), Position: 1 << 60, Issued: issued}
	token := want.String()
	if got, ok := ParseIterator(token); !ok || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for i := range token {
		if got, ok := ParseIterator(token[:i]); ok {
			t.Errorf("%q is %+v", token[:i], got)
		}
	}
	if got, ok := ParseIterator(strings.Replace(token, "orders", "others", 1)); ok {
		t.Errorf("the token of another stream is %+v", got)
	}
	for age, want := range map[time.Duration]bool{0: false, IteratorLife: false, IteratorLife + 1: true} {
		if got := parsed(t, token).Expired(issued.Add(age)); got != want {
			t.Errorf("expired after %v: %v", age, got)
		}
	}
}

func parsed(t *testing.T, token string) Iterator {
	t.Helper()
	i, ok := ParseIterator(token)
	if !ok {
		t.Fatalf("%q is not an iterator", token)
	}
	return i
}

// TestSequenceNumbers: numbers are 21 digits that sort as text, and nothing else is
// one.
func TestSequenceNumbers(t *testing.T) {
	before := ""
	for _, n := range []uint64{0, 9, 10, 1_700_000_000_000_000_000, 1<<64 - 1} {
		text := FormatSequence(n)
		if got, ok := ParseSequence(text); !ok || got != n || len(text) != 21 || text <= before {
			t.Errorf("%d is %s after %s and reads as %d", n, text, before, got)
		}
		before = text
	}
	for _, text := range []string{"", "1", strings.Repeat("9", 21), strings.Repeat("1", 22), "1-0000000000000000001",
		"199999999999999999999", "1+0000000000000000001", " 10000000000000000001"} {
		if n, ok := ParseSequence(text); ok {
			t.Errorf("%q is %d", text, n)
		}
	}
}

// FuzzIterator: no text makes the parser fail, and what it reads it writes.
func FuzzIterator(f *testing.F) {
	f.Add(Iterator{Stream: testARN, Shard: "shardId-00000001700000000000-0123abcd", Position: 7,
		Issued: time.UnixMilli(1)}.String())
	f.Add(testARN + "|1|")
	f.Fuzz(func(t *testing.T, token string) {
		if i, ok := ParseIterator(token); ok {
			if again, ok := ParseIterator(i.String()); !ok || again != i {
				t.Errorf("%+v reads as %+v", i, again)
			}
		}
	})
}
