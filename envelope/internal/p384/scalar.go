// SPDX-License-Identifier: Apache-2.0

package p384

import "math/bits"

// scalar is an integer below the order n of the group, the lowest limb first.
type scalar [6]uint64

var (
	// order is n.
	order = scalar{0xecec196accc52973, 0x581a0db248b0a77a, 0xc7634d81f4372ddf, 0xffffffffffffffff, 0xffffffffffffffff,
		0xffffffffffffffff}
	// orderRR is 2^768 mod n.
	orderRR = scalar{0x2d319b2419b409a9, 0xff3d81e5df1aa419, 0xbc3e483afcb82947, 0xd40d49174aab1cc5, 0x3fb05b7a28266895,
		0x0c84ee012b39bf21}
	// fieldMinusOrder is p - n: an x-coordinate that is r mod n may be r + n
	// only when r is below it.
	fieldMinusOrder = scalar{0x1313e696333ad68c, 0xa7e5f24cb74f5885, 0x389cb27e0bc8d21f}
)

// orderInverse is -1/n mod 2^64.
const orderInverse = 0x6ed46089e88fdc45

// subtract returns a - b and the borrow.
func subtract(a, b *scalar) (d scalar, borrow uint64) {
	for i := range d {
		d[i], borrow = bits.Sub64(a[i], b[i], borrow)
	}
	return d, borrow
}

// less reports whether a < b.
func (a *scalar) less(b *scalar) bool {
	_, borrow := subtract(a, b)
	return borrow != 0
}

// isZero reports whether a is 0.
func (a *scalar) isZero() bool {
	return a[0]|a[1]|a[2]|a[3]|a[4]|a[5] == 0
}

// setHash sets a to the leftmost 384 bits of hash, mod n (FIPS 186-5, section
// 6.4.2, steps 2 and 3). A shorter hash is the integer it stands for.
func (a *scalar) setHash(hash []byte) {
	if len(hash) > size {
		hash = hash[:size]
	}
	*a = limbs(hash)
	if d, borrow := subtract(a, &order); borrow == 0 {
		*a = d
	}
}

// mul sets z = a*b/2^384 mod n.
func (z *scalar) mul(a, b *scalar) {
	var t [7]uint64
	for _, x := range a {
		// t += x*b
		var h, c, over uint64
		for j, y := range b {
			hi, lo := bits.Mul64(x, y)
			lo, c = bits.Add64(lo, h, 0)
			hi += c
			t[j], c = bits.Add64(t[j], lo, 0)
			h = hi + c
		}
		t[6], over = bits.Add64(t[6], h, 0)
		// t = (t + m*n) / 2^64
		m := t[0] * orderInverse
		hi, lo := bits.Mul64(m, order[0])
		_, c = bits.Add64(t[0], lo, 0)
		h = hi + c
		for j := 1; j < 6; j++ {
			hi, lo = bits.Mul64(m, order[j])
			lo, c = bits.Add64(lo, h, 0)
			hi += c
			t[j-1], c = bits.Add64(t[j], lo, 0)
			h = hi + c
		}
		t[5], c = bits.Add64(t[6], h, 0)
		t[6] = over + c
	}
	*z = scalar(t[:6])
	if d, borrow := subtract(z, &order); t[6] != 0 || borrow == 0 {
		*z = d
	}
}
