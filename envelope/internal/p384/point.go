// SPDX-License-Identifier: Apache-2.0

package p384

// curveB is the b of y² = x³ - 3x + b.
var curveB = element{0x081188719d412dcc, 0xf729add87a4c32ec, 0x77f2209b1920022e, 0xe3374bee94938ae2, 0xb62b21f41f022094,
	0xcd08114b604fbff9}

// affine is a point by its coordinates. It is never the point at infinity.
type affine struct{ x, y element }

// jacobian is the point (x/z², y/z³), or infinity when z = 0.
type jacobian struct{ x, y, z element }

// cached is a jacobian point, not infinity, with what an addition needs of it.
type cached struct{ x, y, z, zz, zzz element }

// generator is the base point G of FIPS 186-5 (SP 800-186, section 3.2.1.4).
var generator = affine{
	x: element{0x3dd0756649c0b528, 0x20e378e2a0d6ce38, 0x879c3afc541b4d6e, 0x6454868459a30eff, 0x812ff723614ede2b,
		0x4d3aadc2299e1513},
	y: element{0x23043dad4b03a4fe, 0xa1bfa8bf7bb4a9ac, 0x8bade7562e83b050, 0xc6c3521968f4ffd9, 0xdd8002263969a840,
		0x2b78abc25a15c5e9},
}

// ySquared returns x³ - 3x + b.
func ySquared(x *element) element {
	var t, u element
	t.sqr(x)
	t.sub(&t, &fieldOne)
	t.sub(&t, &fieldOne)
	t.sub(&t, &fieldOne)
	u.mul(&t, x)
	u.add(&u, &curveB)
	return u
}

// setAffine sets p to the finite point q.
func (p *jacobian) setAffine(q *affine) {
	p.x, p.y, p.z = q.x, q.y, fieldOne
}

// isInfinity reports whether p is the neutral point.
func (p *jacobian) isInfinity() bool { return p.z.isZero() }

// doubleGeneric sets p = 2p, n times. The formulas hold for every point of the
// curve: there is none of order two, and infinity stays infinity.
func doubleGeneric(p *jacobian, n int) {
	var a, s, m, t element
	for ; n > 0; n-- {
		// With Y' = 2Y: A = Y'², S = X A, M = 3 (X - Z²) (X + Z²),
		// Z3 = Y' Z, X3 = M² - 2S, Y3 = M (S - X3) - A²/2.
		t.sqr(&p.z)
		m.sub(&p.x, &t)
		t.add(&p.x, &t)
		m.mul(&m, &t)
		t.add(&m, &m)
		m.add(&m, &t)
		p.y.add(&p.y, &p.y)
		p.z.mul(&p.z, &p.y)
		a.sqr(&p.y)
		s.mul(&p.x, &a)
		a.sqr(&a)
		a.halve(&a)
		p.x.sqr(&m)
		p.x.sub(&p.x, &s)
		p.x.sub(&p.x, &s)
		s.sub(&s, &p.x)
		p.y.mul(&m, &s)
		p.y.sub(&p.y, &a)
	}
}

// addAffineGeneric sets r = p + q for finite p and q of different x; else z of
// r is zero. r may be p.
func addAffineGeneric(r, p *jacobian, q *affine) {
	var zz, h, hh, hhh, v, s, t element
	// H = x2 Z1² - X1, S = y2 Z1³ - Y1, V = X1 H²,
	// X3 = S² - H³ - 2V, Y3 = S (V - X3) - Y1 H³, Z3 = Z1 H.
	zz.sqr(&p.z)
	h.mul(&q.x, &zz)
	h.sub(&h, &p.x)
	s.mul(&zz, &p.z)
	s.mul(&s, &q.y)
	s.sub(&s, &p.y)
	hh.sqr(&h)
	hhh.mul(&hh, &h)
	v.mul(&p.x, &hh)
	t.mul(&p.y, &hhh)
	r.z.mul(&p.z, &h)
	r.x.sqr(&s)
	r.x.sub(&r.x, &hhh)
	r.x.sub(&r.x, &v)
	r.x.sub(&r.x, &v)
	v.sub(&v, &r.x)
	r.y.mul(&s, &v)
	r.y.sub(&r.y, &t)
}

// addCachedGeneric sets r = p + q for finite p and q of different x; else z of
// r is zero. r may be p.
func addCachedGeneric(r, p *jacobian, q *cached) {
	var zz, u, h, hh, hhh, v, s, s1, t element
	// As addAffineGeneric, with X1 Z2² and Y1 Z2³ for X1 and Y1.
	zz.sqr(&p.z)
	u.mul(&p.x, &q.zz)
	h.mul(&q.x, &zz)
	h.sub(&h, &u)
	s1.mul(&p.y, &q.zzz)
	s.mul(&zz, &p.z)
	s.mul(&s, &q.y)
	s.sub(&s, &s1)
	hh.sqr(&h)
	hhh.mul(&hh, &h)
	v.mul(&u, &hh)
	t.mul(&s1, &hhh)
	r.z.mul(&p.z, &q.z)
	r.z.mul(&r.z, &h)
	r.x.sqr(&s)
	r.x.sub(&r.x, &hhh)
	r.x.sub(&r.x, &v)
	r.x.sub(&r.x, &v)
	v.sub(&v, &r.x)
	r.y.mul(&s, &v)
	r.y.sub(&r.y, &t)
}

// addAffine sets p = p + q, or p - q when negate is set, whatever the points.
func (p *jacobian) addAffine(q *affine, negate bool) {
	var n affine
	if negate {
		n.x = q.x
		n.y.neg(&q.y)
		q = &n
	}
	if p.isInfinity() {
		p.setAffine(q)
		return
	}
	var r jacobian
	addAffine(&r, p, q)
	if r.z.isZero() {
		r.setAffine(q)
		p.addExceptional(&r)
		return
	}
	*p = r
}

// addCached sets p = p + q, or p - q when negate is set, whatever the points.
func (p *jacobian) addCached(q *cached, negate bool) {
	var n cached
	if negate {
		n = *q
		n.y.neg(&q.y)
		q = &n
	}
	if p.isInfinity() {
		p.x, p.y, p.z = q.x, q.y, q.z
		return
	}
	var r jacobian
	addCached(&r, p, q)
	if r.z.isZero() {
		r.x, r.y, r.z = q.x, q.y, q.z
		p.addExceptional(&r)
		return
	}
	*p = r
}

// addExceptional sets p = p + q for finite points of the same x: q is p or -p.
// Only chosen scalars lead here.
func (p *jacobian) addExceptional(q *jacobian) {
	var a, b, t element
	t.sqr(&q.z)
	t.mul(&t, &q.z)
	a.mul(&p.y, &t)
	t.sqr(&p.z)
	t.mul(&t, &p.z)
	b.mul(&q.y, &t)
	if a.equal(&b) {
		double(p, 1)
		return
	}
	*p = jacobian{x: fieldOne, y: fieldOne}
}

// setCached sets q to the finite point p.
func (q *cached) setCached(p *jacobian) {
	q.x, q.y, q.z = p.x, p.y, p.z
	q.zz.sqr(&p.z)
	q.zzz.mul(&q.zz, &p.z)
}
