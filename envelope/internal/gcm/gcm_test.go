// SPDX-License-Identifier: Apache-2.0

package gcm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"testing"
)

func TestTakeWipesTheKey(t *testing.T) {
	for _, n := range []int{16, 24, 32, 0, 1, 31, 33} {
		key := bytes.Repeat([]byte{0xA7}, n)
		block, wrong := aes.NewCipher(bytes.Clone(key))
		aead, err := Take(key)
		if (err == nil) != (wrong == nil) {
			t.Errorf("key of %d bytes: %v", n, err)
		}
		if !bytes.Equal(key, make([]byte, n)) {
			t.Errorf("key of %d bytes: %x is left", n, key)
		}
		if err != nil {
			continue
		}
		want, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		nonce := make([]byte, 12)
		if !bytes.Equal(aead.Seal(nil, nonce, []byte("text"), nil), want.Seal(nil, nonce, []byte("text"), nil)) {
			t.Errorf("key of %d bytes: not AES-GCM under this key", n)
		}
	}
}
