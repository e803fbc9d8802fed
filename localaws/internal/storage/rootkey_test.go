// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"bytes"
	"testing"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
)

func TestRootKeysAreFresh(t *testing.T) {
	var keys [][]byte
	for range 16 {
		dir := t.TempDir()
		key, err := openRootKey(dir, true)
		if err != nil {
			t.Fatal(err)
		}
		again, err := openRootKey(dir, true)
		if err != nil || !bytes.Equal(key, again) {
			t.Fatalf("another key on the second opening: %v", err)
		}
		keys = append(keys, key)
	}
	fresh.Bytes(t, "root key", keys)
	if len(keys[0]) != rootKeySize {
		t.Errorf("%d bytes", len(keys[0]))
	}
}

func TestSealsAreFresh(t *testing.T) {
	aead, err := newSeal(bytes.Repeat([]byte{7}, rootKeySize))
	if err != nil {
		t.Fatal(err)
	}
	var nonces, sealed [][]byte
	for range fresh.Draws {
		b := aead.Seal(nil, nil, []byte("the same value"), nil)
		nonces, sealed = append(nonces, b[:12]), append(sealed, b[12:])
	}
	fresh.Bytes(t, "nonce", nonces)
	fresh.Bytes(t, "sealed value", sealed)
}
