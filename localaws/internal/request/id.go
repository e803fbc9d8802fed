// SPDX-License-Identifier: Apache-2.0

package request

import (
	"crypto/rand"
	"encoding/hex"
)

// NewID returns a new request or event ID: a random UUID of version 4.
func NewID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	const groups = "00000000-0000-0000-0000-000000000000"
	text := [len(groups)]byte([]byte(groups))
	at := 0
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			at++
		}
		hex.Encode(text[at:at+2], []byte{b})
		at += 2
	}
	return string(text[:])
}
