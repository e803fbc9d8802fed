// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"testing"
)

// signed returns a compressed key, a hash and a signature made by crypto/ecdsa.
func signed(tb testing.TB) (compressed, hash, der []byte) {
	tb.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	h := sha512.Sum384([]byte("item"))
	if der, err = ecdsa.SignASN1(rand.Reader, k, h[:]); err != nil {
		tb.Fatal(err)
	}
	u, err := k.PublicKey.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	return append([]byte{2 + u[len(u)-1]&1}, u[1:1+size]...), h[:], der
}

// BenchmarkVerify is what opening an item does: parse the key, verify.
func BenchmarkVerify(b *testing.B) {
	compressed, hash, der := signed(b)
	b.Run("p384", func(b *testing.B) {
		b.ReportAllocs()
		var k PublicKey
		for b.Loop() {
			if k.SetCompressed(compressed) != nil || !k.Verify(hash, der) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("crypto-ecdsa", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := standardVerdict(compressed, hash, der); !ok {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkParts(b *testing.B) {
	compressed, hash, der := signed(b)
	k, err := ParseCompressed(compressed)
	if err != nil {
		b.Fatal(err)
	}
	x, y := k.q.x, k.q.y
	p := jacobian{x: k.q.x, y: k.q.y, z: fieldOne}
	c := new(cached)
	c.setCached(&p)
	s := scalar(limbs(hash))
	for _, part := range []struct {
		name string
		f    func()
	}{
		{"ParseCompressed", func() { _ = k.SetCompressed(compressed) }},
		{"Verify", func() { k.Verify(hash, der) }},
		{"mul", func() { x.mul(&x, &y) }},
		{"sqr", func() { x.sqr(&x) }},
		{"add", func() { x.add(&x, &y) }},
		{"double", func() { double(&p, 1) }},
		{"addAffine", func() { p.addAffine(&k.q, false) }},
		{"addCached", func() { p.addCached(c, false) }},
		{"inverse", func() { s.inverse(&s) }},
		{"tableG", func() { computeTableG() }},
		{"tableQ", func() { var t tableQ; t.set(&k.q) }},
	} {
		b.Run(part.name, func(b *testing.B) {
			for b.Loop() {
				part.f()
			}
		})
	}
}
