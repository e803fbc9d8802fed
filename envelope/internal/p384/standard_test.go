// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"crypto/fips140"
	"math/rand/v2"
	"testing"
)

// TestStandard runs the path of FIPS 140-3 mode and of the build tag, whatever
// this test was built with, against the verdict the other path has to match.
func TestStandard(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	keys := testKeys(t, 3)
	accepted, refused := 0, 0
	for range 300 {
		compressed, hash, der := anyCase(r, keys)
		keyOK, want := standardVerdict(compressed, hash, der)
		var k PublicKey
		if err := k.setStandard(compressed); (err == nil) != keyOK {
			t.Fatalf("key %x: %v, crypto/elliptic says %v", compressed, err, keyOK)
		}
		if keyOK && k.std == nil {
			t.Fatal("crypto/ecdsa was not used")
		}
		if got := k.Verify(hash, der); got != want {
			t.Fatalf("key %x, hash %x, signature %x: %v, want %v", compressed, hash, der, got, want)
		}
		if want {
			accepted++
		} else {
			refused++
		}
	}
	if accepted == 0 || refused == 0 {
		t.Fatalf("%d accepted, %d refused", accepted, refused)
	}
}

func TestChoice(t *testing.T) {
	compressed, hash, der := signed(t)
	k, err := ParseCompressed(compressed)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := k.std != nil, alwaysStandard || fips140.Enabled(); got != want {
		t.Fatalf("crypto/ecdsa chosen: %v, want %v", got, want)
	}
	if !k.Verify(hash, der) {
		t.Fatal("a good signature was refused")
	}
}
