// SPDX-License-Identifier: Apache-2.0

package p384

// sqrt sets z to a square root of a and reports whether there is one.
//
// As p = 3 mod 4, a root is a^((p+1)/4), and (p+1)/4 is
// 2^30 * (2^64 * (2^33 * (2^255 - 1) + 2^32 - 1) + 1): 383 squarings and 13
// multiplications.
func (z *element) sqrt(a *element) bool {
	var x2, x3, x15, x30, t, u element // xN is a^(2^N - 1)
	t.sqr(a)
	x2.mul(&t, a)
	t.sqr(&x2)
	x3.mul(&t, a)
	t.sqrN(&x3, 3)
	t.mul(&t, &x3) // x6
	u.sqrN(&t, 6)
	t.mul(&u, &t) // x12
	t.sqrN(&t, 3)
	x15.mul(&t, &x3)
	t.sqrN(&x15, 15)
	x30.mul(&t, &x15)
	t.sqrN(&x30, 30)
	t.mul(&t, &x30) // x60
	u.sqrN(&t, 60)
	t.mul(&u, &t) // x120
	u.sqrN(&t, 120)
	t.mul(&u, &t) // x240
	t.sqrN(&t, 15)
	t.mul(&t, &x15) // x255
	u.sqrN(&x30, 2)
	u.mul(&u, &x2) // x32
	t.sqrN(&t, 33)
	t.mul(&t, &u)
	t.sqrN(&t, 64)
	t.mul(&t, a)
	t.sqrN(&t, 30)

	u.sqr(&t)
	if !u.equal(a) {
		return false
	}
	*z = t
	return true
}
