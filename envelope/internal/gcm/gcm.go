// SPDX-License-Identifier: Apache-2.0

// Package gcm makes AES-GCM ciphers of keys that serve for one cipher only.
package gcm

import (
	"crypto/aes"
	"crypto/cipher"
)

// Take returns AES-GCM under key and overwrites key with zeros, also when it
// fails. It fails if key does not have 16, 24 or 32 bytes, and under
// GODEBUG=fips140=only.
func Take(key []byte) (cipher.AEAD, error) {
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
