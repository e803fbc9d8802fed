// SPDX-License-Identifier: Apache-2.0

package format

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The bounds count every entry, and the largest value that they let pass is one
// of exactly 64 MiB.
func TestSizeBoundAtItsLimit(t *testing.T) {
	part := strings.Repeat("x", 1<<20)
	list := func(extra int) types.AttributeValue {
		l := &tL{}
		size := 4
		for size+6+len(part) <= MaxValueSize+extra {
			l.Value = append(l.Value, &tS{Value: part})
			size += 6 + len(part)
		}
		l.Value = append(l.Value, &tS{Value: part[:MaxValueSize+extra-size-6]})
		return l
	}
	if n, err := SizeBound(list(0)); err != nil || n != MaxValueSize {
		t.Errorf("%d, %v", n, err)
	}
	// The sum reaches the limit before the last entry.
	exact := list(0).(*tL)
	exact.Value = append(exact.Value, &tNULL{})
	if n, err := SizeBound(exact); !errors.Is(err, ErrInvalid) || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := SizeBound(list(1)); !errors.Is(err, ErrInvalid) || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	m := tMap{}
	for i := range 63 {
		m[strings.Repeat("k", i+1)] = &tS{Value: part}
	}
	size := 4 + 63*(12+len(part)) + 63*64/2
	m["z"] = &tS{Value: part[:MaxValueSize-size-13]}
	if n, err := SizeBound(&tM{Value: m}); err != nil || n != MaxValueSize {
		t.Errorf("map: %d, %v", n, err)
	}
	m["zz"] = &tS{}
	for range 300 { // whatever the order of the entries
		if n, err := SizeBound(&tM{Value: m}); !errors.Is(err, ErrInvalid) {
			t.Errorf("map: %d, %v", n, err)
		}
	}
	for _, c := range []struct {
		value types.AttributeValue
		want  int
	}{
		{&tS{Value: "abc"}, 3}, {&tN{Value: "100"}, 4}, {&tN{Value: "1e2"}, 172}, {&tN{Value: "1E2"}, 172}, {&tB{Value: []byte{1, 2}}, 2},
		{&tBOOL{}, 1}, {&tNULL{}, 0}, {&tSS{Value: []string{"ab", "c"}}, 15}, {&tNS{Value: []string{"1", "2"}}, 16},
		{&tBS{Value: [][]byte{{1}, {}}}, 13}, {&tL{}, 4}, {&tL{Value: tList{&tS{Value: "x"}}}, 11}, {&tM{}, 4}, {&tM{Value: tMap{"k": &tNULL{}}}, 17},
	} {
		if n, err := SizeBound(c.value); err != nil || n != c.want {
			t.Errorf("%T: %d, %v, want %d", c.value, n, err, c.want)
		}
	}
}

// Values that unfold far beyond the limit are refused by counting, not by
// serializing them.
func TestSharedPartsDoNotUnfold(t *testing.T) {
	part := &tS{Value: strings.Repeat("x", 1<<20)}
	list, m := &tL{Value: slices.Repeat(tList{part}, 65)}, &tM{Value: tMap{}}
	for i := range 65 {
		m.Value[strings.Repeat("k", i+1)] = part
	}
	values := []types.AttributeValue{list, m}
	for range 8 {
		list, m = &tL{Value: slices.Repeat(tList{list}, 100)},
			&tM{Value: tMap{"a": m, "b": m, "c": m, "d": m, "e": m, "f": m, "g": m}}
		values = append(values, list, m)
	}
	record := NewRecord()
	for i, v := range values {
		if _, err := SizeBound(v); !errors.Is(err, ErrInvalid) {
			t.Errorf("value %d: %v", i, err)
		}
		if err := record.Signed(nil, v, RefuseEmptyKeys); !errors.Is(err, ErrInvalid) {
			t.Errorf("value %d: %v", i, err)
		}
		if _, err := ContextValueV1(v); !errors.Is(err, ErrInvalid) {
			t.Errorf("value %d: %v", i, err)
		}
	}
}
