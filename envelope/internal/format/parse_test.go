// SPDX-License-Identifier: Apache-2.0

package format

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

// Sets in any order are read as they stand; only duplicates are refused, also
// those that are not neighbours.
func TestSetsOutOfOrder(t *testing.T) {
	set := func(entries ...string) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(entries)))
		for _, e := range entries {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(e))), e...)
		}
		return b
	}
	for _, c := range []struct {
		entries []string
		reads   bool
	}{
		{[]string{"b", "a"}, true}, {[]string{"c", "a", "b"}, true}, {[]string{"a", "c", "b"}, true}, {[]string{"b", ""}, true},
		{[]string{"ab", "a"}, true}, {[]string{"\uE000", "\U00010000"}, true}, {[]string{"\U00010000", "\uE000"}, true},
		{[]string{"\U00010000", "\uFFFF", "\U00010000"}, false},
		{[]string{"a", "a"}, false}, {[]string{"a", "b", "a"}, false}, {[]string{"b", "a", "b"}, false}, {[]string{"c", "b", "a", "a"}, false},
		{[]string{"", ""}, false}, {[]string{"", "a", ""}, false}, {[]string{"b", "b", "a"}, false},
	} {
		for _, id := range []TypeID{TypeStringSet, TypeNumberSet, TypeBinarySet} {
			v, err := ParseValue(id, set(c.entries...))
			if !c.reads {
				if !errors.Is(err, ErrMalformed) || v != nil {
					t.Errorf("%v of %+q: %v, %v", id, c.entries, v, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%v of %+q: %v", id, c.entries, err)
				continue
			}
			var got []string
			switch v := v.(type) {
			case *tSS:
				got = v.Value
			case *tNS:
				got = v.Value
			case *tBS:
				for _, b := range v.Value {
					got = append(got, string(b))
				}
			}
			if !slices.Equal(got, c.entries) {
				t.Errorf("%v of %+q is read as %+q", id, c.entries, got)
			}
		}
	}
}

// A count that the input does not have costs neither memory nor time.
func TestCountsCostNothing(t *testing.T) {
	for _, id := range []TypeID{TypeStringSet, TypeNumberSet, TypeBinarySet, TypeMap, TypeList} {
		for _, rest := range []string{"", "\x00", "\x00\x00\x00\x00", "\x00\x01\x00\x00\x00\x01k"} {
			data := append([]byte{0, 0x1F, 0xFF, 0xFF}, rest...)
			if n := testing.AllocsPerRun(1, func() {
				if _, err := ParseValue(id, data); !errors.Is(err, ErrMalformed) {
					t.Errorf("%v: %v", id, err)
				}
			}); n > 12 {
				t.Errorf("%v of 2,097,151 entries in %d bytes: %v allocations", id, len(data), n)
			}
		}
	}
}
