// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"encoding/binary"
	"math/bits"
)

// element is an integer mod p = 2^384 - 2^128 - 2^96 + 2^32 - 1, times 2^384
// (Montgomery form), in six limbs, the lowest first. It is weakly reduced: any
// value below 2^384 is allowed, so zero has the two forms 0 and p, and only
// isZero, equal, integer and isOdd look for the one below p.
type element [6]uint64

var (
	// fieldP is p itself, not in Montgomery form.
	fieldP = element{0x00000000ffffffff, 0xffffffff00000000, 0xfffffffffffffffe, 0xffffffffffffffff, 0xffffffffffffffff,
		0xffffffffffffffff}
	// fieldOne is 1, that is K = 2^384 - p.
	fieldOne = element{k0, k1, k2}
	// fieldRR is 2^384: multiplying by it brings an integer into Montgomery form.
	fieldRR = element{0xfffffffe00000001, 0x0000000200000000, 0xfffffffe00000000, 0x0000000200000000,
		0x0000000000000001, 0x0000000000000000}
)

// The three non-zero limbs of K = 2^384 - p.
const (
	k0 = 0xffffffff00000001
	k1 = 0x00000000ffffffff
	k2 = 0x0000000000000001
)

// add sets z = a + b.
func (z *element) add(a, b *element) {
	t0, c := bits.Add64(a[0], b[0], 0)
	t1, c := bits.Add64(a[1], b[1], c)
	t2, c := bits.Add64(a[2], b[2], c)
	t3, c := bits.Add64(a[3], b[3], c)
	t4, c := bits.Add64(a[4], b[4], c)
	t5, c := bits.Add64(a[5], b[5], c)
	m := -c
	t0, c = bits.Add64(t0, m&k0, 0)
	t1, c = bits.Add64(t1, m&k1, c)
	t2, c = bits.Add64(t2, m&k2, c)
	z[0], z[1], z[2], z[3], z[4], z[5] = t0, t1, t2, t3, t4, t5
	if c != 0 {
		z.carry()
	}
}

// carry adds 2^192 to z. It is called once in 2^64 times, unless somebody chose
// the numbers.
func (z *element) carry() {
	for i := 3; i < 6; i++ {
		z[i]++
		if z[i] != 0 {
			return
		}
	}
	// 2^384 went out at the top, leaving less than K, so this ends it.
	var c uint64
	z[0], c = bits.Add64(z[0], k0, 0)
	z[1], c = bits.Add64(z[1], k1, c)
	z[2] += k2 + c
}

// sub sets z = a - b.
func (z *element) sub(a, b *element) {
	t0, c := bits.Sub64(a[0], b[0], 0)
	t1, c := bits.Sub64(a[1], b[1], c)
	t2, c := bits.Sub64(a[2], b[2], c)
	t3, c := bits.Sub64(a[3], b[3], c)
	t4, c := bits.Sub64(a[4], b[4], c)
	t5, c := bits.Sub64(a[5], b[5], c)
	m := -c
	t0, c = bits.Sub64(t0, m&k0, 0)
	t1, c = bits.Sub64(t1, m&k1, c)
	t2, c = bits.Sub64(t2, m&k2, c)
	z[0], z[1], z[2], z[3], z[4], z[5] = t0, t1, t2, t3, t4, t5
	if c != 0 {
		z.borrow()
	}
}

// borrow subtracts 2^192 from z, as rarely as carry adds it.
func (z *element) borrow() {
	for i := 3; i < 6; i++ {
		z[i]--
		if z[i] != ^uint64(0) {
			return
		}
	}
	// What is left is 2^384 less at most K, so this ends it.
	var c uint64
	z[0], c = bits.Sub64(z[0], k0, 0)
	z[1], c = bits.Sub64(z[1], k1, c)
	z[2] -= k2 + c
}

// halve sets z = a/2.
func (z *element) halve(a *element) {
	// An odd a becomes even by adding p.
	m := -(a[0] & 1)
	t0, c := bits.Add64(a[0], m&fieldP[0], 0)
	t1, c := bits.Add64(a[1], m&fieldP[1], c)
	t2, c := bits.Add64(a[2], m&fieldP[2], c)
	t3, c := bits.Add64(a[3], m, c)
	t4, c := bits.Add64(a[4], m, c)
	t5, c := bits.Add64(a[5], m, c)
	z[0] = t0>>1 | t1<<63
	z[1] = t1>>1 | t2<<63
	z[2] = t2>>1 | t3<<63
	z[3] = t3>>1 | t4<<63
	z[4] = t4>>1 | t5<<63
	z[5] = t5>>1 | c<<63
}

// neg sets z = -a.
func (z *element) neg(a *element) {
	z.sub(&fieldP, a)
}

// reduced returns the form of z below p.
func (z *element) reduced() element {
	var t element
	var b uint64
	for i := range t {
		t[i], b = bits.Sub64(z[i], fieldP[i], b)
	}
	if b != 0 {
		return *z
	}
	return t
}

// isZero reports whether z = 0 mod p.
func (z *element) isZero() bool {
	return z[0]|z[1]|z[2]|z[3]|z[4]|z[5] == 0 || *z == fieldP
}

// equal reports whether z = a mod p.
func (z *element) equal(a *element) bool {
	var d element
	d.sub(z, a)
	return d.isZero()
}

// isOdd reports whether the integer below p that z stands for is odd.
func (z *element) isOdd() bool {
	t := z.integer()
	return t[0]&1 == 1
}

// integer returns the integer below p that z stands for, out of Montgomery
// form.
func (z *element) integer() element {
	var t element
	t.mul(z, &element{1})
	return t.reduced()
}

// setInteger brings the integer a, below 2^384, into Montgomery form.
func (z *element) setInteger(a *element) {
	z.mul(a, &fieldRR)
}

// setBytes sets z to the 48 big-endian bytes of b. It reports whether they
// were below p, the only encoding SEC 1, section 2.3.6 allows.
func (z *element) setBytes(b []byte) bool {
	t := element(limbs(b))
	if t.reduced() != t {
		return false
	}
	z.setInteger(&t)
	return true
}

// limbs returns the big-endian number b, of at most 48 bytes.
func limbs(b []byte) (t [6]uint64) {
	var buf [size]byte
	copy(buf[size-len(b):], b)
	for i := range t {
		t[i] = binary.BigEndian.Uint64(buf[size-8-8*i:])
	}
	return t
}
