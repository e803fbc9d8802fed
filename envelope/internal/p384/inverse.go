// SPDX-License-Identifier: Apache-2.0

package p384

import "math/bits"

// inverse sets z = 1/s mod n for 0 < s < n, by Lehmer's form of the extended
// Euclidean algorithm: about thirty bits of both numbers go per round, found
// with 64-bit arithmetic on their leading bits. Its time depends on s.
func (z *scalar) inverse(s *scalar) {
	// a = (-1)^(steps+1) * u * s and b = (-1)^steps * v * s mod n, a > b.
	a, b := order, *s
	u, v := scalar{}, scalar{1}
	steps := 0
	for !b.isZero() {
		x, y, exact := leading(&a, &b)
		m := quotients(x, y, exact)
		if m.steps == 0 {
			// The leading bits do not settle even one quotient.
			divide(&a, &b, &u, &v)
			a, b = b, a
			u, v = v, u
			steps++
			continue
		}
		if m.steps%2 == 0 {
			a, b = difference(m.a0, &a, m.b0, &b), difference(m.b1, &b, m.a1, &a)
		} else {
			a, b = difference(m.b0, &b, m.a0, &a), difference(m.a1, &a, m.b1, &b)
		}
		u, v = sum(m.a0, &u, m.b0, &v), sum(m.a1, &u, m.b1, &v)
		steps += m.steps
	}
	if steps%2 == 0 {
		u, _ = subtract(&order, &u)
	}
	*z = u
}

// leading returns the highest 64 bits of a and the bits of b, which is below
// a, at the same place. They are exact when nothing was left out.
func leading(a, b *scalar) (x, y uint64, exact bool) {
	i := 5
	for i > 0 && a[i] == 0 {
		i--
	}
	if i == 0 {
		return a[0], b[0], true
	}
	k := bits.LeadingZeros64(a[i])
	// A shift by 64 gives zero.
	return a[i]<<k | a[i-1]>>(64-k), b[i]<<k | b[i-1]>>(64-k), false
}

// matrix stands for a sequence of division steps: it takes (a, b) to
// ±(a0*a - b0*b, b1*b - a1*a), with the upper sign for an even number of steps.
type matrix struct {
	a0, b0, a1, b1 uint64
	steps          int
}

// quotients divides x and y as long as the numbers they lead would give the
// same quotients (Collins' condition); the entries stay below 2^32 then. When x
// and y are exact it goes on to the end, and b1 and a1 are x and y without
// their common factor.
func quotients(x, y uint64, exact bool) matrix {
	m := matrix{a0: 1, b1: 1}
	for y != 0 {
		q := x / y
		r := x - q*y
		a2, b2 := m.a0+q*m.a1, m.b0+q*m.b1
		if !exact && (r < b2 || y-r < m.b1+b2) {
			break
		}
		x, y = y, r
		m.a0, m.b0, m.a1, m.b1 = m.a1, m.b1, a2, b2
		m.steps++
	}
	return m
}

// difference returns x*a - y*b, known to be neither negative nor longer than a.
func difference(x uint64, a *scalar, y uint64, b *scalar) (d scalar) {
	var ha, hb, c, borrow uint64
	for i := range d {
		h1, l1 := bits.Mul64(x, a[i])
		l1, c = bits.Add64(l1, ha, 0)
		ha = h1 + c
		h2, l2 := bits.Mul64(y, b[i])
		l2, c = bits.Add64(l2, hb, 0)
		hb = h2 + c
		d[i], borrow = bits.Sub64(l1, l2, borrow)
	}
	return d
}

// sum returns x*a + y*b, known to be at most n.
func sum(x uint64, a *scalar, y uint64, b *scalar) (s scalar) {
	var h, over uint64 // carried to the next limb and to the one after it
	for i := range s {
		h1, l1 := bits.Mul64(x, a[i])
		h2, l2 := bits.Mul64(y, b[i])
		var c, c1, c2 uint64
		l1, c = bits.Add64(l1, h, 0)
		h1 += c
		s[i], c = bits.Add64(l1, l2, 0)
		h, c1 = bits.Add64(h1, h2, c)
		h, c2 = bits.Add64(h, over, 0)
		over = c1 + c2
	}
	return s
}

// divide sets a = a mod b and u = u + (a/b)*v, bit by bit.
func divide(a, b, u, v *scalar) {
	for !a.less(b) {
		k := a.bitLen() - b.bitLen()
		t := b.shifted(k)
		if a.less(&t) {
			k--
			t = b.shifted(k)
		}
		*a, _ = subtract(a, &t)
		w := v.shifted(k)
		*u = sum(1, u, 1, &w)
	}
}

// bitLen returns the length of a without leading zeros.
func (a *scalar) bitLen() int {
	for i := 5; i >= 0; i-- {
		if a[i] != 0 {
			return 64*i + bits.Len64(a[i])
		}
	}
	return 0
}

// shifted returns a * 2^k, known to be below 2^384, for 0 <= k < 384.
func (a *scalar) shifted(k int) (s scalar) {
	l, r := k/64, uint(k%64)
	for i := 5; i >= l; i-- {
		s[i] = a[i-l] << r
		if i > l {
			s[i] |= a[i-l-1] >> (64 - r)
		}
	}
	return s
}
