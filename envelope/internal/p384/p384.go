// SPDX-License-Identifier: Apache-2.0

// Package p384 verifies ECDSA signatures on the curve P-384 (FIPS 186-5,
// section 6.4.2; SP 800-186, section 3.2.1.4), which is nearly all the work of
// opening an item of a signing algorithm suite, about four times as fast as
// crypto/ecdsa.
//
// It is for verification only. Its running time depends on its input by design:
// the key, the hash and the signature are public. Nothing in it may be given a
// private key or another secret; keys and signatures are made with crypto/ecdsa.
//
// The verdict on any input is the same as crypto/ecdsa's of Go 1.27, and crypto/ecdsa itself
// does the work when FIPS 140-3 mode is on (crypto/fips140) or the package is
// built with the tag ddbseal_stdecdsa. On amd64 with ADX and BMI2 the field
// arithmetic is in assembly, written by the generator in the folder asm; the tag
// purego leaves it out.
package p384

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"errors"
)

const (
	// size is the length in bytes of a coordinate and of a scalar.
	size = 48
	// CompressedSize is the length in bytes of a compressed public key.
	CompressedSize = 1 + size
)

// ErrInvalidKey is returned for bytes that are not the compressed encoding of
// a point of the curve.
var ErrInvalidKey = errors.New("p384: invalid compressed public key")

// PublicKey is a point of the curve, other than infinity. Its zero value
// verifies nothing. It does not change, so goroutines may share it.
type PublicKey struct {
	q     affine
	valid bool
	std   *ecdsa.PublicKey // in place of q when crypto/ecdsa does the work
}

// useStandard reports whether crypto/ecdsa has to do the work.
func useStandard() bool {
	return alwaysStandard || fips140.Enabled()
}

// ParseCompressed reads a public key in compressed form (SEC 1, section 2.3.4):
// 49 bytes, the first one 2 or 3. It returns ErrInvalidKey for everything that
// elliptic.UnmarshalCompressed refuses.
func ParseCompressed(b []byte) (*PublicKey, error) {
	k := new(PublicKey)
	if err := k.SetCompressed(b); err != nil {
		return nil, err
	}
	return k, nil
}

// SetCompressed is ParseCompressed into a key the caller has, to save the
// allocation. After an error the key verifies nothing.
func (k *PublicKey) SetCompressed(b []byte) error {
	*k = PublicKey{}
	if useStandard() {
		return k.setStandard(b)
	}
	if len(b) != CompressedSize || b[0] != 2 && b[0] != 3 {
		return ErrInvalidKey
	}
	if !k.q.x.setBytes(b[1:]) {
		return ErrInvalidKey
	}
	yy := ySquared(&k.q.x)
	if !k.q.y.sqrt(&yy) {
		return ErrInvalidKey
	}
	if k.q.y.isOdd() != (b[0] == 3) {
		k.q.y.neg(&k.q.y)
	}
	k.valid = true
	return nil
}

// setStandard sets k for crypto/ecdsa.
func (k *PublicKey) setStandard(b []byte) error {
	x, y := elliptic.UnmarshalCompressed(elliptic.P384(), b)
	if x == nil {
		return ErrInvalidKey
	}
	var u [1 + 2*size]byte
	u[0] = 4
	x.FillBytes(u[1 : 1+size])
	y.FillBytes(u[1+size:])
	std, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), u[:])
	if err != nil {
		return ErrInvalidKey
	}
	k.std, k.valid = std, true
	return nil
}

// Verify reports whether der is a signature of hash by the owner of k. Of a
// hash longer than 48 bytes the first 48 count. The signature is in DER; as for
// ecdsa.VerifyASN1, any other encoding is refused. An empty hash is refused with
// every release of Go; crypto/ecdsa does so since Go 1.27.
func (k *PublicKey) Verify(hash, der []byte) bool {
	if k == nil || !k.valid || len(hash) == 0 {
		return false
	}
	if k.std != nil {
		return ecdsa.VerifyASN1(k.std, hash, der)
	}
	r, s, ok := parseSignature(der)
	if !ok {
		return false
	}
	var e, w, u1, u2 scalar
	e.setHash(hash)
	w.inverse(&s)
	w.mul(&w, &orderRR)
	u1.mul(&e, &w)
	u2.mul(&r, &w)
	var p jacobian
	p.combine(&u1, &u2, &k.q)
	return p.hasX(&r)
}

// combine sets p = u1·G + u2·q.
func (p *jacobian) combine(u1, u2 *scalar, q *affine) {
	var d1, d2 digits
	n := max(d1.set(u1, widthG), d2.set(u2, widthQ))
	var t tableQ
	t.set(q)
	g := baseTable()

	*p = jacobian{x: fieldOne, y: fieldOne}
	doublings := -1 // none before the highest digit
	for i := n - 1; i >= 0; i-- {
		doublings++
		if d1[i] == 0 && d2[i] == 0 {
			continue
		}
		double(p, doublings)
		doublings = 0
		if d := d2[i]; d > 0 {
			p.addCached(&t[d/2], false)
		} else if d < 0 {
			p.addCached(&t[-d/2], true)
		}
		if d := d1[i]; d > 0 {
			p.addAffine(&g[d/2], false)
		} else if d < 0 {
			p.addAffine(&g[-d/2], true)
		}
	}
	if doublings > 0 {
		double(p, doublings)
	}
}

// hasX reports whether p is finite and its x-coordinate, as an integer, is r
// mod n. It compares X with r·Z², so that nothing is inverted.
func (p *jacobian) hasX(r *scalar) bool {
	if p.isInfinity() {
		return false
	}
	var zz, x element
	zz.sqr(&p.z)
	a := element(*r)
	x.setInteger(&a)
	x.mul(&x, &zz)
	if x.equal(&p.x) {
		return true
	}
	if !r.less(&fieldMinusOrder) {
		return false
	}
	var n element
	a = element(order)
	n.setInteger(&a)
	n.mul(&n, &zz)
	x.add(&x, &n)
	return x.equal(&p.x)
}
