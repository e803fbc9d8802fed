// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestScalarMul(t *testing.T) {
	inv := new(big.Int).ModInverse(bigR, bigN)
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyScalar(t, "a"), anyScalar(t, "b")
		want := new(big.Int).Mul(integerOf(a), integerOf(b))
		want.Mul(want, inv).Mod(want, bigN)
		var z scalar
		z.mul(&a, &b)
		if integerOf(z).Cmp(want) != 0 {
			t.Fatalf("mul(%x, %x) = %x, want %x", a, b, z, want)
		}
		z = a
		z.mul(&z, &z)
		want.Mul(integerOf(a), integerOf(a)).Mul(want, inv).Mod(want, bigN)
		if integerOf(z).Cmp(want) != 0 {
			t.Fatalf("mul of %x by itself = %x, want %x", a, z, want)
		}
	})
}

func checkInverse(t interface {
	Helper()
	Fatalf(string, ...any)
}, a *big.Int) {
	t.Helper()
	s := scalar(limbsOf(a))
	var z scalar
	z.inverse(&s)
	if want := new(big.Int).ModInverse(a, bigN); integerOf(z).Cmp(want) != 0 {
		t.Fatalf("inverse of %x = %x, want %x", a, integerOf(z), want)
	}
}

func TestScalarInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if s := anyScalar(t, "s"); !s.isZero() {
			checkInverse(t, integerOf(s))
		}
	})
	for range 20000 {
		checkInverse(t, randomBelow(bigN))
	}
	// Numbers of every length, and quotients of every length: n/k is near a
	// number whose first quotient is k.
	one := big.NewInt(1)
	for k := uint(0); k < 384; k++ {
		p := new(big.Int).Lsh(one, k)
		for d := int64(-2); d <= 2; d++ {
			for _, a := range []*big.Int{
				new(big.Int).Add(p, big.NewInt(d)),
				new(big.Int).Sub(bigN, new(big.Int).Add(p, big.NewInt(d))),
				new(big.Int).Add(new(big.Int).Div(bigN, p), big.NewInt(d)),
				new(big.Int).ModInverse(new(big.Int).Add(new(big.Int).Div(bigN, p), big.NewInt(d)), bigN),
			} {
				if a != nil && a.Sign() > 0 && a.Cmp(bigN) < 0 {
					checkInverse(t, a)
				}
			}
		}
	}
}

// TestScalarInverseLongQuotients builds numbers whose continued fraction with n
// holds a quotient of 30 to 200 bits in the middle, where the leading bits
// settle nothing.
func TestScalarInverseLongQuotients(t *testing.T) {
	for place := uint(20); place < 180; place += 7 {
		for length := uint(30); length < 200; length += 3 {
			// The best fraction x/y of n/2^k style numbers: s = n*x/y rounded
			// has a long quotient after those of x/y.
			y := randomBelow(new(big.Int).Lsh(big.NewInt(1), place))
			x := randomBelow(new(big.Int).Add(y, big.NewInt(2)))
			s := new(big.Int).Mul(bigN, x)
			s.Div(s, y)
			s.Add(s, randomBelow(new(big.Int).Lsh(big.NewInt(1), max(2, 384-2*place-min(length, 382-2*place)))))
			if s.Sign() > 0 && s.Cmp(bigN) < 0 {
				checkInverse(t, s)
			}
		}
	}
}

func TestScalarHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := anyLimbs(t, "hash")
		hash := integerOf(l).FillBytes(make([]byte, size))
		hash = append(hash, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "more")...)
		if rapid.Bool().Draw(t, "short") {
			hash = hash[:rapid.IntRange(0, len(hash)).Draw(t, "length")]
		}
		want := new(big.Int).SetBytes(hash[:min(len(hash), size)])
		want.Mod(want, bigN)
		var e scalar
		e.setHash(hash)
		if integerOf(e).Cmp(want) != 0 {
			t.Fatalf("setHash(%x) = %x, want %x", hash, integerOf(e), want)
		}
	})
}

func TestDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyScalar(t, "a")
		w := uint(rapid.IntRange(2, 12).Draw(t, "w"))
		var d digits
		n := d.set(&a, w)
		sum := new(big.Int)
		free := 0 // places that have to be zero
		for i := len(d) - 1; i >= 0; i-- {
			sum.Lsh(sum, 1)
			sum.Add(sum, big.NewInt(int64(d[i])))
			if d[i] == 0 {
				free++
				continue
			}
			if i >= n || d[i]&1 == 0 || d[i] >= 1<<(w-1) || -d[i] >= 1<<(w-1) {
				t.Fatalf("digit %d at place %d of %d", d[i], i, n)
			}
			if free < int(w)-1 && sum.CmpAbs(big.NewInt(int64(d[i]))) != 0 {
				t.Fatalf("two digits within %d places at %d", w, i)
			}
			free = 0
		}
		if sum.Cmp(integerOf(a)) != 0 {
			t.Fatalf("digits of %x add up to %x", a, sum)
		}
	})
}
