// SPDX-License-Identifier: Apache-2.0

package format

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func ecdhInfo(n int) ECDHInfo {
	return ECDHInfo{Curve: ecdhCurves[n], Recipient: bytes.Repeat([]byte{2}, n), Sender: bytes.Repeat([]byte{3}, n)}
}

func TestECDHInfo(t *testing.T) {
	for n, total := range map[int]int{33: 75, 49: 107, 67: 143} {
		want := ecdhInfo(n)
		info := want.Append([]byte("x"))[1:]
		if len(info) != total || info[0] != 1 || info[4] != byte(n) || info[5] != 2 || info[total-1] != 3 {
			t.Errorf("%s: %x", want.Curve, info)
		}
		got, err := ParseECDHInfo(info)
		if err != nil || got.Curve != want.Curve || !bytes.Equal(got.Recipient, want.Recipient) ||
			!bytes.Equal(got.Sender, want.Sender) {
			t.Errorf("%s: %+v, %v", want.Curve, got, err)
		}
	}
}

// Every change of version or lengths is malformed, and so is any other length
// of the whole.
func TestECDHInfoRefuses(t *testing.T) {
	for _, n := range ecdhPoints {
		info := ecdhInfo(n).Append(nil)
		for _, at := range []int{0, 1, 2, 3, 4, 5 + n, 6 + n, 7 + n, 8 + n} {
			for bit := range 8 {
				changed := slices.Clone(info)
				changed[at] ^= 1 << bit
				if _, err := ParseECDHInfo(changed); !errors.Is(err, ErrMalformed) {
					t.Errorf("byte %d, bit %d: %v", at, bit, err)
				}
			}
		}
	}
	later := ecdhInfo(33).Append(nil)
	later[0] = 9
	if _, err := ParseECDHInfo(later); err == nil ||
		err.Error() != "malformed: provider information of version 9, not 1" {
		t.Errorf("another version: %v", err)
	}
	for n := range 200 {
		_, err := ParseECDHInfo(bytes.Repeat([]byte{1}, n))
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
