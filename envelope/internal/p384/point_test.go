// SPDX-License-Identifier: Apache-2.0

package p384

import (
	"crypto/ecdh"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// multiple returns k·G by crypto/ecdh, nil for infinity.
func multiple(tb testing.TB, k *big.Int) *affine {
	tb.Helper()
	k = new(big.Int).Mod(k, bigN)
	if k.Sign() == 0 {
		return nil
	}
	priv, err := ecdh.P384().NewPrivateKey(k.FillBytes(make([]byte, size)))
	if err != nil {
		tb.Fatal(err)
	}
	u := priv.PublicKey().Bytes()
	q := new(affine)
	if !q.x.setBytes(u[1:1+size]) || !q.y.setBytes(u[1+size:]) {
		tb.Fatal("coordinate not below p")
	}
	return q
}

// isPoint reports whether p is q, infinity when q is nil.
func (p *jacobian) isPoint(q *affine) bool {
	if q == nil || p.isInfinity() {
		return q == nil && p.isInfinity()
	}
	var zz, x, y element
	zz.sqr(&p.z)
	x.mul(&q.x, &zz)
	y.mul(&zz, &p.z)
	y.mul(&y, &q.y)
	return x.equal(&p.x) && y.equal(&p.y)
}

// scaled returns q with a z of its own.
func scaled(q *affine, z element) (p jacobian) {
	if q == nil {
		return jacobian{x: z, y: z}
	}
	var zz element
	zz.sqr(&z)
	p.z = z
	p.x.mul(&q.x, &zz)
	zz.mul(&zz, &z)
	p.y.mul(&q.y, &zz)
	return p
}

// TestGroupLaw adds every pair of small multiples of G, among them P + P,
// P + (-P) and the sums with infinity, with any z.
func TestGroupLaw(t *testing.T) {
	const most = 4
	points := map[int64]*affine{}
	for k := int64(-2 * most); k <= 2*most; k++ {
		points[k] = multiple(t, big.NewInt(k))
	}
	eachPath(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			z, w := element(anyLimbs(t, "z")), element(anyLimbs(t, "w"))
			if z.isZero() || w.isZero() {
				return
			}
			for i := int64(-most); i <= most; i++ {
				p := scaled(points[i], z)
				n := 1
				for k := 2 * i; k >= -2*most && k <= 2*most; k *= 2 {
					d := p
					double(&d, n)
					if !d.isPoint(points[k]) {
						t.Fatalf("%d doublings of %d", n, i)
					}
					if n++; n > 3 {
						break
					}
				}
				for j := int64(1); j <= most; j++ {
					var c cached
					q := scaled(points[j], w)
					c.setCached(&q)
					for _, negate := range []bool{false, true} {
						sum := i + j
						if negate {
							sum = i - j
						}
						r := p
						if r.addAffine(points[j], negate); !r.isPoint(points[sum]) {
							t.Fatalf("affine: %d and %d are not %d", i, j, sum)
						}
						r = p
						if r.addCached(&c, negate); !r.isPoint(points[sum]) {
							t.Fatalf("cached: %d and %d are not %d", i, j, sum)
						}
					}
				}
			}
		})
	})
}

// TestPathsAgree drives the point formulas in assembly and in plain Go with
// arbitrary coordinates, on the curve or not: every carry has to agree. Roots of
// edges make the squares inside the formulas edges too.
func TestPathsAgree(t *testing.T) {
	var special []element
	for _, e := range edges {
		a := element(limbsOf(e))
		special = append(special, a)
		var r element
		if r.sqrt(&a) {
			special = append(special, r)
			r.neg(&r)
			special = append(special, r)
		}
	}
	r := rand.New(rand.NewPCG(rand.Uint64(), 0))
	draw := func() (a element) {
		switch r.IntN(4) {
		case 0, 1:
			return special[r.IntN(len(special))]
		case 2:
			for i := range a {
				a[i] = -(r.Uint64() & 1)
			}
			a[r.IntN(6)] += r.Uint64N(3) - 1
		default:
			for i := range a {
				a[i] = r.Uint64()
			}
		}
		return a
	}
	for range 20_000 {
		p := jacobian{draw(), draw(), draw()}
		q := affine{draw(), draw()}
		c := cached{draw(), draw(), draw(), draw(), draw()}
		same := func(name string, a, b jacobian) {
			if !a.x.equal(&b.x) || !a.y.equal(&b.y) || !a.z.equal(&b.z) {
				t.Fatalf("%s of %x, %x or %x: %x and %x", name, p, q, c, a, b)
			}
		}
		n := 1 + r.IntN(3)
		a, b := p, p
		double(&a, n)
		doubleGeneric(&b, n)
		same("double", a, b)
		addAffine(&a, &p, &q)
		addAffineGeneric(&b, &p, &q)
		same("addAffine", a, b)
		a = p
		addAffine(&a, &a, &q)
		same("addAffine in place", a, b)
		addCached(&a, &p, &c)
		addCachedGeneric(&b, &p, &c)
		same("addCached", a, b)
		a = p
		addCached(&a, &a, &c)
		same("addCached in place", a, b)
	}
}

func TestTables(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		five := multiple(t, big.NewInt(5))
		var q tableQ
		q.set(five)
		for i := range q {
			p := jacobian{q[i].x, q[i].y, q[i].z}
			if !p.isPoint(multiple(t, big.NewInt(int64(5*(2*i+1))))) {
				t.Fatalf("multiple %d of Q", 2*i+1)
			}
			var c cached
			c.setCached(&p)
			if !c.zz.equal(&q[i].zz) || !c.zzz.equal(&q[i].zzz) {
				t.Fatalf("powers of z of multiple %d of Q", 2*i+1)
			}
		}
		for i, g := range computeTableG() {
			p := jacobian{g.x, g.y, fieldOne}
			if !p.isPoint(multiple(t, big.NewInt(int64(2*i+1)))) {
				t.Fatalf("multiple %d of G", 2*i+1)
			}
		}
	})
}

// TestCombine compares u1·G + u2·Q with (u1 + u2·d)·G by crypto/ecdh, for
// scalars and keys that meet the exceptional cases of the addition.
func TestCombine(t *testing.T) {
	numbers := []*big.Int{new(big.Int)}
	for _, k := range []int64{1, 2, 3, 5, 15, 16, 17, 31, 32, 255, 256, 257} {
		numbers = append(numbers, big.NewInt(k), new(big.Int).Sub(bigN, big.NewInt(k)))
	}
	numbers = append(numbers, new(big.Int).Rsh(bigN, 1), new(big.Int).Lsh(big.NewInt(1), 383), randomBelow(bigN))
	eachPath(t, func(t *testing.T) {
		infinities := 0
		for _, d := range []*big.Int{
			big.NewInt(1), big.NewInt(2), big.NewInt(3), new(big.Int).Sub(bigN, big.NewInt(1)),
			new(big.Int).Sub(bigN, big.NewInt(2)), randomBelow(bigN),
		} {
			q := multiple(t, d)
			for i, a := range numbers {
				for j, b := range numbers {
					if heavy(t) == 0 && (i+j)%5 != 0 {
						continue
					}
					u1, u2 := scalar(limbsOf(a)), scalar(limbsOf(b))
					var p jacobian
					p.combine(&u1, &u2, q)
					k := new(big.Int).Mul(b, d)
					k.Add(k, a).Mod(k, bigN)
					if k.Sign() == 0 {
						infinities++
					}
					// The reference is slow: most sums are taken from our own
					// multiplication of G alone, itself checked here at b = 0.
					var want jacobian
					if b.Sign() == 0 {
						if !p.isPoint(multiple(t, k)) {
							t.Fatalf("%x·G", a)
						}
						continue
					}
					uk := scalar(limbsOf(k))
					want.combine(&uk, &scalar{}, q)
					if !p.isSame(&want) {
						t.Fatalf("%x·G + %x·%x·G", a, b, d)
					}
				}
			}
		}
		if infinities == 0 {
			t.Fatal("no sum was infinity")
		}
	})
}

// isSame reports whether p and q are the same point.
func (p *jacobian) isSame(q *jacobian) bool {
	if p.isInfinity() || q.isInfinity() {
		return p.isInfinity() && q.isInfinity()
	}
	var pz, qz, a, b element
	pz.sqr(&p.z)
	qz.sqr(&q.z)
	a.mul(&p.x, &qz)
	b.mul(&q.x, &pz)
	if !a.equal(&b) {
		return false
	}
	pz.mul(&pz, &p.z)
	qz.mul(&qz, &q.z)
	a.mul(&p.y, &qz)
	b.mul(&q.y, &pz)
	return a.equal(&b)
}

func TestGenerator(t *testing.T) {
	one := multiple(t, big.NewInt(1))
	if !one.x.equal(&generator.x) || !one.y.equal(&generator.y) {
		t.Fatal("not the base point")
	}
	yy := ySquared(&one.x)
	var want element
	want.sqr(&one.y)
	if !yy.equal(&want) {
		t.Fatal("the base point is not on the curve")
	}
}
