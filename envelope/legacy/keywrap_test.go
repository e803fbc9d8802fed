// SPDX-License-Identifier: Apache-2.0

package legacy

import (
	"crypto/aes"
	"encoding/hex"
	"testing"
)

// TestUnwrapKey opens the vectors of RFC 3394, section 4.
func TestUnwrapKey(t *testing.T) {
	const kek = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	for _, c := range []struct {
		bits        int
		key, sealed string
	}{
		{128, "00112233445566778899aabbccddeeff", "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
		{192, "00112233445566778899aabbccddeeff", "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"},
		{256, "00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
		{192, "00112233445566778899aabbccddeeff0001020304050607",
			"031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2"},
		{256, "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
			"28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
	} {
		key, _ := hex.DecodeString(kek[:c.bits/4])
		sealed, _ := hex.DecodeString(c.sealed)
		block, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := unwrapKey(block, sealed)
		if !ok || hex.EncodeToString(got) != c.key {
			t.Errorf("%d bits: %x, %v", c.bits, got, ok)
		}
		for i := range sealed {
			sealed[i] ^= 1
			if _, ok := unwrapKey(block, sealed); ok {
				t.Errorf("%d bits: byte %d changed, and it opens", c.bits, i)
			}
			sealed[i] ^= 1
		}
		for n := range len(sealed) {
			if _, ok := unwrapKey(block, sealed[:n]); ok {
				t.Errorf("%d bits: the first %d bytes open", c.bits, n)
			}
		}
	}
}
