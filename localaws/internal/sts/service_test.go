// SPDX-License-Identifier: Apache-2.0

package sts

import (
	"testing"
	"time"

	"github.com/ddbseal/ddbseal/internal/testenv/fresh"
	"github.com/ddbseal/ddbseal/localaws/internal/storage/storagetest"
)

// TestTokenKeysAreFresh: session tokens of one service open in no other.
func TestTokenKeysAreFresh(t *testing.T) {
	var keys [][]byte
	for range 16 {
		s, err := New(Config{Clock: time.Now, Store: storagetest.NewRecorder()})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, s.tokenKey)
	}
	fresh.Bytes(t, "key of session tokens", keys)
}

func TestTokenNoncesAreFresh(t *testing.T) {
	aead, err := (&Service{tokenKey: make([]byte, 32)}).tokenAEAD()
	if err != nil {
		t.Fatal(err)
	}
	var nonces, tokens [][]byte
	for range fresh.Draws {
		b := aead.Seal(nil, nil, []byte("the same session"), nil)
		nonces, tokens = append(nonces, b[:12]), append(tokens, b[12:])
	}
	fresh.Bytes(t, "nonce", nonces)
	fresh.Bytes(t, "sealed session", tokens)
}
