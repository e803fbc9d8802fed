// SPDX-License-Identifier: Apache-2.0

package p384

// digits is a scalar in width-w non-adjacent form: scalar = Σ digits[i]·2^i,
// where a digit is zero or odd, below 2^(w-1) in absolute value, and followed
// by at least w-1 zeros.
type digits [385]int16

// set fills d, which must be zero, and returns the number of places used.
func (d *digits) set(a *scalar, w uint) int {
	mask := uint64(1)<<w - 1
	var carry uint64
	n := 0
	for i := uint(0); i < 385; {
		word := a.bits(i)
		if word&1 == carry {
			i++
			continue
		}
		word = word&mask + carry
		carry = word >> (w - 1)
		d[i] = int16(word) - int16(carry<<w)
		n = int(i) + 1
		i += w
	}
	return n
}

// bits returns 64 bits of a beginning at bit i; those above the highest are 0.
func (a *scalar) bits(i uint) uint64 {
	l, r := i/64, i%64
	if l >= 6 {
		return 0
	}
	word := a[l] >> r
	if l < 5 {
		word |= a[l+1] << (64 - r)
	}
	return word
}
