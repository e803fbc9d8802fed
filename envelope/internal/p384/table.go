// SPDX-License-Identifier: Apache-2.0

package p384

import "sync"

const (
	// widthQ is the width of the digits on the public key. Its table is made
	// for one verification: wider means fewer additions and a longer table.
	widthQ = 5
	// widthG is the width of the digits on the base point.
	widthG = 9
)

// tableQ holds the odd multiples Q, 3Q, 5Q, …
type tableQ [1 << (widthQ - 2)]cached

// set computes the table. The multiples are made on the curve scaled by the z
// of 2Q, where 2Q has z = 1 and adding it is cheap: addition does not use the
// coefficients of the curve.
func (t *tableQ) set(q *affine) {
	var d, p jacobian
	d.setAffine(q)
	double(&d, 1)
	var zz, zzz element
	zz.sqr(&d.z)
	zzz.mul(&zz, &d.z)
	t[0] = cached{x: q.x, y: q.y, z: fieldOne, zz: fieldOne, zzz: fieldOne}
	p.x.mul(&q.x, &zz)
	p.y.mul(&q.y, &zzz)
	p.z = fieldOne
	two := affine{d.x, d.y}
	for i := 1; i < len(t); i++ {
		p.addAffine(&two, false)
		r := jacobian{x: p.x, y: p.y}
		r.z.mul(&p.z, &d.z)
		t[i].setCached(&r)
	}
}

// tableG holds the odd multiples G, 3G, 5G, …
type tableG [1 << (widthG - 2)]affine

// baseTable returns the table of G. It is computed when first asked for, in
// less than the time of one verification, and never changes.
var baseTable = sync.OnceValue(computeTableG)

func computeTableG() *tableG {
	t := new(tableG)
	d := jacobian{generator.x, generator.y, fieldOne}
	double(&d, 1)
	var two cached
	two.setCached(&d)

	// One inversion for all: t[i].x holds the product of the z before it.
	var p [len(t)]jacobian
	p[0].setAffine(&generator)
	product := fieldOne
	for i := range t {
		if i > 0 {
			p[i] = p[i-1]
			p[i].addCached(&two, false)
		}
		t[i].x = product
		product.mul(&product, &p[i].z)
	}
	var inv, z, zz element
	inv.invert(&product)
	for i := len(t) - 1; i >= 0; i-- {
		z.mul(&inv, &t[i].x)
		inv.mul(&inv, &p[i].z)
		zz.sqr(&z)
		t[i].x.mul(&p[i].x, &zz)
		zz.mul(&zz, &z)
		t[i].y.mul(&p[i].y, &zz)
	}
	return t
}

// invert sets z = 1/a = a^(p-2), for the table only.
func (z *element) invert(a *element) {
	e := fieldP
	e[0] -= 2
	r := fieldOne
	for i := 383; i >= 0; i-- {
		r.sqr(&r)
		if e[i/64]>>(i%64)&1 == 1 {
			r.mul(&r, a)
		}
	}
	*z = r
}
