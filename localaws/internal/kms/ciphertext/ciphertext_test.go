// SPDX-License-Identifier: Apache-2.0

package ciphertext

import (
	"bytes"
	"slices"
	"testing"
)

// A head is written and read the same, at its places.
func TestHead(t *testing.T) {
	for _, h := range []Head{
		{}, {MultiRegion: true, RawID: [16]byte{0: 1, 15: 2}, Account: 999_999_999_999, Version: 1<<32 - 1},
		{MultiRegion: true}, {RawID: [16]byte{0: 1}}, {Account: 1 << 32, Version: 1}, {Account: AccountNumber("000000000012")},
	} {
		b := h.Append([]byte("x"))[1:]
		if len(b) != HeadLength {
			t.Fatalf("%+v: %d bytes", h, len(b))
		}
		if got, ok := Parse(append(b, make([]byte, NonceLength+tagLength)...)); !ok || got != h {
			t.Errorf("%+v became %+v, %t", h, got, ok)
		}
		if AccountNumber(h.AccountID()) != h.Account || len(h.AccountID()) != 12 {
			t.Errorf("account %s of %d", h.AccountID(), h.Account)
		}
	}
	if id := (Head{MultiRegion: true}).KeyID(); id != "mrk-00000000000000000000000000000000" {
		t.Errorf("key id %s", id)
	}
	if id := (Head{}).KeyID(); id != "00000000-0000-0000-0000-000000000000" {
		t.Errorf("key id %s", id)
	}
}

func TestParseRefuses(t *testing.T) {
	good := Head{}.Append(nil)
	good = append(good, make([]byte, NonceLength+tagLength)...)
	if _, ok := Parse(good); !ok {
		t.Fatal("a ciphertext of nothing is refused")
	}
	for name, change := range map[string]func([]byte) []byte{
		"short":        func(b []byte) []byte { return b[:len(b)-1] },
		"empty":        func([]byte) []byte { return nil },
		"format":       func(b []byte) []byte { b[0] = 2; return b },
		"multi-Region": func(b []byte) []byte { b[1] = 2; return b },
		"account":      func(b []byte) []byte { b[18] = 0xff; return b },
	} {
		if _, ok := Parse(change(slices.Clone(good))); ok {
			t.Errorf("%s: parsed", name)
		}
	}
	over := append(Head{Account: 1_000_000_000_000}.Append(nil), make([]byte, NonceLength+tagLength)...)
	if _, ok := Parse(over); ok {
		t.Error("an account of 13 digits is parsed")
	}
}

// Pairs stand in the order of their keys, each string behind its length.
func TestContext(t *testing.T) {
	got := AppendContext([]byte("x"), map[string]string{"b": "", "a": "12", "": "e"})
	want := []byte("x\x00\x00\x00\x00\x00\x00\x00\x01e\x00\x00\x00\x01a\x00\x00\x00\x0212" +
		"\x00\x00\x00\x01b\x00\x00\x00\x00")
	if !bytes.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := AppendContext(nil, nil); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
