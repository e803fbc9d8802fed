// SPDX-License-Identifier: Apache-2.0

package hmackey

import (
	"encoding/hex"
	"testing"
)

// The MACs of test case 2 of RFC 4231.
func TestSum(t *testing.T) {
	for spec, want := range map[string]string{
		"HMAC_224": "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
		"HMAC_256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"HMAC_384": "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
		"HMAC_512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554" +
			"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
	} {
		got := Sum(spec, []byte("Jefe"), []byte("what do ya want for nothing?"))
		if hex.EncodeToString(got) != want || len(got) != Size(spec) || Algorithm(spec) != "HMAC_SHA_"+spec[5:] {
			t.Errorf("%s: %x of %d bytes, %s", spec, got, Size(spec), Algorithm(spec))
		}
	}
	if Algorithm("RSA_2048") != "" || Size("SYMMETRIC_DEFAULT") != 0 {
		t.Error("other key specs have an algorithm or a size")
	}
}
