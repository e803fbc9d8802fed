// SPDX-License-Identifier: Apache-2.0

// Package compare measures the verification of package p384 beside crypto/ecdsa
// and circl, in one run. It is a module of its own:
//
//	go test -bench .
package compare

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"encoding/asn1"
	"math/big"
	"testing"

	circl "github.com/cloudflare/circl/ecc/p384"

	"github.com/ddbseal/ddbseal/envelope/internal/p384"
)

// BenchmarkVerify verifies with a compressed key, which every item brings.
func BenchmarkVerify(b *testing.B) {
	k, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	hash := sha512.Sum384([]byte("item"))
	der, err := ecdsa.SignASN1(rand.Reader, k, hash[:])
	if err != nil {
		b.Fatal(err)
	}
	u, err := k.PublicKey.Bytes()
	if err != nil {
		b.Fatal(err)
	}
	compressed := append([]byte{2 + u[len(u)-1]&1}, u[1:49]...)

	b.Run("ddbseal", func(b *testing.B) {
		var k p384.PublicKey
		for b.Loop() {
			if k.SetCompressed(compressed) != nil || !k.Verify(hash[:], der) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("crypto-ecdsa", func(b *testing.B) {
		for b.Loop() {
			x, y := elliptic.UnmarshalCompressed(elliptic.P384(), compressed)
			var u [97]byte
			u[0] = 4
			x.FillBytes(u[1:49])
			y.FillBytes(u[49:])
			k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), u[:])
			if err != nil || !ecdsa.VerifyASN1(k, hash[:], der) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("circl", func(b *testing.B) {
		for b.Loop() {
			if !circlVerify(compressed, hash[:], der) {
				b.Fatal("refused")
			}
		}
	})
}

// circlVerify is ECDSA over circl's P-384, which offers the sum u1·G + u2·Q and
// neither the signature nor compressed keys.
func circlVerify(compressed, hash, der []byte) bool {
	x, y := elliptic.UnmarshalCompressed(elliptic.P384(), compressed)
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) != 0 || x == nil {
		return false
	}
	c := circl.P384()
	n := c.Params().N
	w := new(big.Int).ModInverse(sig.S, n)
	u1 := new(big.Int).SetBytes(hash)
	u1.Mul(u1, w).Mod(u1, n)
	u2 := w.Mul(w, sig.R)
	u2.Mod(u2, n)
	px, _ := c.CombinedMult(x, y, u1.Bytes(), u2.Bytes())
	return px.Mod(px, n).Cmp(sig.R) == 0
}
