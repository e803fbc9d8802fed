// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// TestFieldOperations compares every operation with math/big, on weakly
// reduced operands too, and with the result in place of an operand.
func TestFieldOperations(t *testing.T) {
	half := new(big.Int).ModInverse(big.NewInt(2), bigP)
	operations := []struct {
		name string
		ours func(z, a, b *element)
		want func(a, b *big.Int) *big.Int // of values
	}{
		{"mul", (*element).mul, func(a, b *big.Int) *big.Int { return a.Mul(a, b) }},
		{"sqr", func(z, a, _ *element) { z.sqr(a) }, func(a, _ *big.Int) *big.Int { return a.Mul(a, a) }},
		{"sqrN", func(z, a, _ *element) { z.sqrN(a, 3) }, func(a, _ *big.Int) *big.Int { return a.Exp(a, big.NewInt(8), bigP) }},
		{"add", (*element).add, func(a, b *big.Int) *big.Int { return a.Add(a, b) }},
		{"sub", (*element).sub, func(a, b *big.Int) *big.Int { return a.Sub(a, b) }},
		{"neg", func(z, a, _ *element) { z.neg(a) }, func(a, _ *big.Int) *big.Int { return a.Neg(a) }},
		{"halve", func(z, a, _ *element) { z.halve(a) }, func(a, _ *big.Int) *big.Int { return a.Mul(a, half) }},
		{"setInteger", func(z, a, _ *element) { z.setInteger(a) }, func(a, _ *big.Int) *big.Int { return a.Mul(a, bigR) }},
	}
	eachPath(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			a, b := element(anyLimbs(t, "a")), element(anyLimbs(t, "b"))
			for _, o := range operations {
				check := func(how string, z, a, b element) {
					want := o.want(valueOf(a), valueOf(b))
					if got := valueOf(z); got.Cmp(want.Mod(want, bigP)) != 0 {
						t.Fatalf("%s%s: got %x, want %x", o.name, how, got, want)
					}
				}
				var z element
				o.ours(&z, &a, &b)
				check("", z, a, b)
				z = a
				o.ours(&z, &z, &b)
				check(" into a", z, a, b)
				z = b
				o.ours(&z, &a, &z)
				check(" into b", z, a, b)
				z = a
				o.ours(&z, &z, &z)
				check(" of one", z, a, a)
			}
		})
	})
}

// TestFieldEdges runs the multiplication and the addition on every pair of
// edges, which random draws would not reach.
func TestFieldEdges(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, x := range edges {
			for _, y := range edges {
				a, b := element(limbsOf(x)), element(limbsOf(y))
				va, vb := valueOf(a), valueOf(b)
				var z element
				for _, o := range []struct {
					name string
					f    func(a, b *element)
					want *big.Int
				}{
					{"mul", z.mul, new(big.Int).Mul(va, vb)},
					{"add", z.add, new(big.Int).Add(va, vb)},
					{"sub", z.sub, new(big.Int).Sub(va, vb)},
				} {
					o.f(&a, &b)
					if got := valueOf(z); got.Cmp(o.want.Mod(o.want, bigP)) != 0 {
						t.Fatalf("%s(%x, %x) = %x, want %x", o.name, x, y, got, o.want)
					}
				}
			}
		}
	})
}

func TestFieldPredicates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := element(anyLimbs(t, "a")), element(anyLimbs(t, "b"))
		if rapid.Bool().Draw(t, "same") {
			b = a
		}
		va, vb := valueOf(a), valueOf(b)
		if got, want := a.isZero(), va.Sign() == 0; got != want {
			t.Fatalf("isZero(%x) = %v", a, got)
		}
		if got, want := a.equal(&b), va.Cmp(vb) == 0; got != want {
			t.Fatalf("equal(%x, %x) = %v", a, b, got)
		}
		if got, want := a.isOdd(), va.Bit(0) == 1; got != want {
			t.Fatalf("isOdd(%x) = %v", a, got)
		}
		if integerOf(a.integer()).Cmp(va) != 0 {
			t.Fatalf("integer(%x) = %x", a, a.integer())
		}
	})
}

func TestFieldBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := integerOf(anyLimbs(t, "a"))
		b := a.FillBytes(make([]byte, size))
		var z element
		ok := z.setBytes(b)
		if want := a.Cmp(bigP) < 0; ok != want {
			t.Fatalf("setBytes(%x) = %v", b, ok)
		}
		if !ok {
			return
		}
		if valueOf(z).Cmp(a) != 0 {
			t.Fatalf("setBytes(%x): value %x", b, valueOf(z))
		}
	})
}

func TestSquareRoot(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		roots := 0
		rapid.Check(t, func(t *rapid.T) {
			a := element(anyLimbs(t, "a"))
			var r element
			ok := r.sqrt(&a)
			if want := big.Jacobi(valueOf(a), bigP) >= 0; ok != want {
				t.Fatalf("sqrt(%x) = %v", a, ok)
			}
			if ok {
				roots++
				v := valueOf(r)
				if v.Mul(v, v).Mod(v, bigP).Cmp(valueOf(a)) != 0 {
					t.Fatalf("sqrt(%x) = %x", a, r)
				}
			}
		})
		if roots == 0 {
			t.Fatal("no square was drawn")
		}
	})
}

func TestFieldConstants(t *testing.T) {
	for _, c := range []struct {
		name string
		got  *big.Int
		want *big.Int
	}{
		{"p", integerOf(fieldP), bigP},
		{"1", valueOf(fieldOne), big.NewInt(1)},
		{"2^384", valueOf(fieldRR), new(big.Int).Mod(bigR, bigP)},
		{"n", integerOf(order), bigN},
		{"2^768 mod n", integerOf(orderRR), new(big.Int).Mod(new(big.Int).Mul(bigR, bigR), bigN)},
		{"p - n", integerOf(fieldMinusOrder), new(big.Int).Sub(bigP, bigN)},
	} {
		if c.got.Cmp(c.want) != 0 {
			t.Errorf("%s is %x, want %x", c.name, c.got, c.want)
		}
	}
}
