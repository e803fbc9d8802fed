// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// place is where a field element lies: behind a pointer parameter, or in a
// local of the function.
type place struct {
	param string
	local Mem
	disp  int
}

func param(name string) place { return place{param: name} }

func local() place { return place{local: AllocLocal(48)} }

// at is element i of the structure at p.
func at(p place, i int) place {
	p.disp += 48 * i
	return p
}

// mem returns an operand for p. Pointers are loaded each time, because the
// subroutines leave no register alone.
func (p place) mem() Mem {
	if p.param == "" {
		return p.local.Offset(p.disp)
	}
	return Mem{Base: Load(Param(p.param), GP64()), Disp: p.disp}
}

// address loads the address of p into r.
func (p place) address(r Register) {
	if p.param == "" {
		LEAQ(p.local.Offset(p.disp), r)
		return
	}
	Load(Param(p.param), r)
	if p.disp != 0 {
		ADDQ(Imm(uint64(p.disp)), r)
	}
}

// multiply leaves a*b in the result registers.
func multiply(a, b place) {
	a.address(RSI)
	b.address(RBX)
	call(productName, RSI, RBX)
}

// squared leaves a² in the result registers.
func squared(a place) {
	a.address(RSI)
	call(squareName, RSI)
}

func storeResult(p place) {
	m := p.mem()
	for i, r := range result {
		MOVQ(r, limb(m, i))
	}
}

func loadResult(p place) {
	m := p.mem()
	for i, r := range result {
		MOVQ(limb(m, i), r)
	}
}

var labels int

// addTo adds the elements at ps to the result registers, with one reduction
// for up to three of them.
func addTo(ps ...place) { chain(true, ps) }

// subFrom subtracts the elements at ps from the result registers.
func subFrom(ps ...place) { chain(false, ps) }

func chain(add bool, ps []place) {
	first, next := SUBQ, SBBQ
	if add {
		first, next = ADDQ, ADCQ
	}
	t := result
	c := GP64()
	XORQ(c, c)
	for _, p := range ps {
		m := p.mem()
		first(limb(m, 0), t[0])
		for i := 1; i < 6; i++ {
			next(limb(m, i), t[i])
		}
		ADCQ(Imm(0), c)
	}
	k := timesK(c)
	first(k[0], t[0])
	next(k[1], t[1])
	next(k[2], t[2])
	// A carry here needs 64 equal bits, one past the sixth limb 192 more.
	labels++
	done := fmt.Sprintf("done%d", labels)
	JCC(LabelRef(done))
	first(Imm(1), t[3])
	next(Imm(0), t[4])
	next(Imm(0), t[5])
	JCC(LabelRef(done))
	x := GP64()
	MOVQ(U64(0xffffffff00000001), x)
	first(x, t[0])
	MOVL(U32(0xffffffff), x.As32())
	next(x, t[1])
	next(Imm(1), t[2])
	Label(done)
}

// halveResult halves the result registers: an odd number becomes even by
// adding p.
func halveResult() {
	t := result
	m, x := GP64(), GP64()
	MOVQ(t[0], m)
	ANDQ(Imm(1), m)
	NEGQ(m) // all ones for an odd number; the limbs of p are shifts of that
	MOVQ(m, x)
	SHRQ(Imm(32), x)
	y, z := GP64(), GP64()
	MOVQ(m, y)
	SHLQ(Imm(32), y)
	MOVQ(m, z)
	SHLQ(Imm(1), z)
	ADDQ(x, t[0])
	ADCQ(y, t[1])
	ADCQ(z, t[2])
	ADCQ(m, t[3])
	ADCQ(m, t[4])
	ADCQ(m, t[5])
	for i := 5; i >= 0; i-- {
		RCRQ(Imm(1), t[i])
	}
}

// pointDouble follows doubleGeneric.
func pointDouble() {
	TEXT("pointDouble", NOSPLIT, "func(p *[18]uint64, n int)")
	Pragma("noescape")
	Doc("pointDouble sets p = 2p, n times, n > 0.")
	x, y, z := at(param("p"), 0), at(param("p"), 1), at(param("p"), 2)
	a, s, m, t := local(), local(), local(), local()
	n := AllocLocal(8)
	left := Load(Param("n"), GP64())
	MOVQ(left, n)

	Label("loop")
	Comment("M = 3 (X - Z²) (X + Z²)")
	squared(z)
	storeResult(t)
	loadResult(x)
	subFrom(t)
	storeResult(m)
	loadResult(x)
	addTo(t)
	storeResult(t)
	multiply(m, t)
	storeResult(m)
	addTo(m, m)
	storeResult(m)
	Comment("Y' = 2Y, Z3 = Y' Z")
	loadResult(y)
	addTo(y)
	storeResult(y)
	multiply(z, y)
	storeResult(z)
	Comment("A = Y'², S = X A")
	squared(y)
	storeResult(a)
	multiply(x, a)
	storeResult(s)
	Comment("A²/2")
	squared(a)
	halveResult()
	storeResult(a)
	Comment("X3 = M² - 2S")
	squared(m)
	subFrom(s, s)
	storeResult(x)
	Comment("Y3 = M (S - X3) - A²/2")
	loadResult(s)
	subFrom(x)
	storeResult(s)
	multiply(m, s)
	subFrom(a)
	storeResult(y)
	DECQ(n)
	JNZ(LabelRef("loop"))
	RET()
}

// pointAdd follows addAffineGeneric and addCachedGeneric.
func pointAdd(cached bool) {
	if cached {
		TEXT("pointAddCached", NOSPLIT, "func(r, p *[18]uint64, q *[30]uint64)")
		Doc("pointAddCached sets r = p + q for finite points of different x.")
	} else {
		TEXT("pointAddAffine", NOSPLIT, "func(r, p *[18]uint64, q *[12]uint64)")
		Doc("pointAddAffine sets r = p + q for finite points of different x.")
	}
	Pragma("noescape")
	r, p, q := param("r"), param("p"), param("q")
	x, y, z := at(p, 0), at(p, 1), at(p, 2)
	h, s, v, t := local(), local(), local(), local()
	u, w := x, y
	if cached {
		Comment("U = X1 Z2², S1 = Y1 Z2³ for X1 and Y1")
		u, w = v, t
		multiply(x, at(q, 3))
		storeResult(u)
		multiply(y, at(q, 4))
		storeResult(w)
	}
	Comment("H = x2 Z1² - X1")
	squared(z)
	storeResult(s)
	multiply(at(q, 0), s)
	subFrom(u)
	storeResult(h)
	Comment("S = y2 Z1³ - Y1")
	multiply(s, z)
	storeResult(s)
	multiply(s, at(q, 1))
	subFrom(w)
	storeResult(s)
	Comment("Z3 = Z1 H")
	multiply(z, h)
	storeResult(at(r, 2))
	if cached {
		multiply(at(r, 2), at(q, 2))
		storeResult(at(r, 2))
	}
	Comment("V = X1 H², H³, Y1 H³")
	hh := local()
	squared(h)
	storeResult(hh)
	multiply(hh, h)
	storeResult(h)
	multiply(u, hh)
	storeResult(v)
	multiply(w, h)
	storeResult(t)
	Comment("X3 = S² - H³ - 2V")
	squared(s)
	subFrom(h, v, v)
	storeResult(at(r, 0))
	Comment("Y3 = S (V - X3) - Y1 H³")
	loadResult(v)
	subFrom(at(r, 0))
	storeResult(v)
	multiply(s, v)
	subFrom(t)
	storeResult(at(r, 1))
	RET()
}
