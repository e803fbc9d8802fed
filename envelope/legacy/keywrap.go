// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// unwrapKey opens a key that was wrapped by AES Key Wrap with its default initial
// value (RFC 3394, section 2.2.2). It reports false if the integrity check fails.
func unwrapKey(block cipher.Block, sealed []byte) ([]byte, bool) {
	const half = 8
	n := len(sealed)/half - 1
	if n < 2 || n > 8 || len(sealed)%half != 0 {
		return nil, false
	}
	var b [2 * half]byte
	copy(b[:half], sealed)
	r := append([]byte(nil), sealed[half:]...)
	for j := 5; j >= 0; j-- {
		for i := n; i >= 1; i-- {
			t := uint64(n*j + i)
			binary.BigEndian.PutUint64(b[:half], binary.BigEndian.Uint64(b[:half])^t)
			copy(b[half:], r[(i-1)*half:])
			block.Decrypt(b[:], b[:])
			copy(r[(i-1)*half:i*half], b[half:])
		}
	}
	initial := [half]byte{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}
	if subtle.ConstantTimeCompare(b[:half], initial[:]) != 1 {
		clear(r)
		return nil, false
	}
	return r, true
}
