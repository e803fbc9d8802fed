// SPDX-License-Identifier: Apache-2.0

package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The two field operations are subroutines with a convention of their own: SI
// and BX point at the operands, the result comes back in R8 to R13, and every
// other register except SP is lost.
const (
	productName = "product<>"
	squareName  = "square<>"
)

// result holds what a subroutine returns.
var result = [6]Register{R8, R9, R10, R11, R12, R13}

// call calls a subroutine of this file.
func call(name string, inputs ...Op) {
	outputs := make([]Op, len(result))
	for i, r := range result {
		outputs[i] = r
	}
	Instruction(&ir.Instruction{
		Opcode:   "CALL",
		Operands: []Op{LabelRef("·" + name + "(SB)")},
		Inputs:   inputs,
		Outputs:  outputs,
	})
}

// limb is limb i of a number at m.
func limb(m Mem, i int) Mem { return m.Offset(8 * i) }

// product multiplies by rows; ADCX takes the low halves and ADOX the high ones
// in two chains of carries at once. As soon as a row is done its lowest limb is
// final, and its round of the reduction goes along with the next row.
func product() {
	TEXT(productName, NOSPLIT, "func()")
	a, b := Mem{Base: RSI}, Mem{Base: RBX}
	m := AllocLocal(48)
	r := newReduction()
	var t [12]Register
	for i := range 6 {
		t[i], t[6+i] = GP64(), result[i]
	}
	l, h := GP64(), GP64()

	Comment("Row 0")
	MOVQ(limb(a, 0), RDX)
	MULXQ(limb(b, 0), t[0], t[1])
	for j := 1; j < 6; j++ {
		MULXQ(limb(b, j), l, t[j+1])
		if j == 1 {
			ADDQ(l, t[j])
		} else {
			ADCQ(l, t[j])
		}
	}
	ADCQ(Imm(0), t[6])
	r.round(t[:6], 0)
	MOVQ(t[0], limb(m, 0))
	for i := 1; i < 6; i++ {
		Commentf("Row %d", i)
		MOVQ(limb(a, i), RDX)
		XORQ(t[i+6], t[i+6]) // clears both carries
		for j := range 6 {
			MULXQ(limb(b, j), l, h)
			ADCXQ(l, t[i+j])
			ADOXQ(h, t[i+j+1])
		}
		ADCQ(Imm(0), t[i+6])
		r.round(t[:6], i)
		MOVQ(t[i], limb(m, i))
	}
	r.finish(m)
	RET()
}

// square computes the products of different limbs once; then one chain doubles
// them while the other adds the squares.
func square() {
	TEXT(squareName, NOSPLIT, "func()")
	a := Mem{Base: RSI}
	wide := AllocLocal(96)
	r := newReduction()
	var t [11]Register
	for i := range t {
		t[i] = GP64()
	}
	l, h := GP64(), GP64()

	Comment("Row 0")
	MOVQ(limb(a, 0), RDX)
	MULXQ(limb(a, 1), t[1], t[2])
	for j := 2; j < 6; j++ {
		MULXQ(limb(a, j), l, t[j+1])
		if j == 2 {
			ADDQ(l, t[j])
		} else {
			ADCQ(l, t[j])
		}
	}
	ADCQ(Imm(0), t[6])
	MOVQ(t[1], limb(wide, 1))
	MOVQ(t[2], limb(wide, 2))
	for i := 1; i < 5; i++ {
		Commentf("Row %d", i)
		MOVQ(limb(a, i), RDX)
		XORQ(t[i+6], t[i+6]) // clears both carries
		for j := i + 1; j < 6; j++ {
			MULXQ(limb(a, j), l, h)
			ADCXQ(l, t[i+j])
			ADOXQ(h, t[i+j+1])
		}
		ADCQ(Imm(0), t[i+6])
		// These two are final.
		MOVQ(t[2*i+1], limb(wide, 2*i+1))
		MOVQ(t[2*i+2], limb(wide, 2*i+2))
	}

	Comment("Doubling and diagonal")
	zero := GP64()
	XORQ(zero, zero)
	for i := range 12 {
		if i%2 == 0 {
			MOVQ(limb(a, i/2), RDX)
			MULXQ(RDX, l, h)
		}
		var n Register = GP64()
		if i < 6 {
			n = result[i]
		}
		switch i {
		case 0:
			MOVQ(l, n)
		case 11:
			ADCXQ(zero, h)
			ADOXQ(zero, h)
			MOVQ(h, n)
		default:
			MOVQ(limb(wide, i), n)
			ADCXQ(n, n)
			ADOXQ([]Register{l, h}[i%2], n)
		}
		if i >= 6 {
			MOVQ(n, limb(wide, i))
		}
	}
	for i := range result {
		r.round(result[:], i)
	}
	r.finish(limb(wide, 6))
	RET()
}

// reduction is the state of a reduction by the method of field_generic.go: a
// round takes the lowest limb t that is left of the low half and puts the limb
// m = t + t<<32 of M in its place; e is H.
type reduction struct {
	e [3]Register
}

func newReduction() *reduction {
	return &reduction{e: [3]Register{GP64(), GP64(), GP64()}}
}

// round does limb i of the low half t.
func (r *reduction) round(t []Register, i int) {
	Commentf("Reduction of limb %d", i)
	x, y, v := GP64(), GP64(), GP64()
	e, m := r.e, t[i]
	MOVQ(m, x)
	SHLQ(Imm(32), x)
	LEAQ(Mem{Base: m, Index: x, Scale: 1}, y)
	SHRQ(Imm(32), y)
	XORQ(v, v)
	ADDQ(x, m) // its carry is the borrow of m - m<<32
	SBBQ(y, x)
	SBBQ(Imm(0), y)
	ADDQ(m, y)
	ADCQ(Imm(0), v)
	// (x, y, v) is m*K without its lowest limb.
	if i == 0 {
		XORQ(e[0], e[0])
	}
	n := []Op{x, y, v, Imm(0), Imm(0)}
	for k, j := 0, i+1; j < 6; k, j = k+1, j+1 {
		if k == 0 {
			SUBQ(n[k], t[j])
		} else {
			SBBQ(n[k], t[j])
		}
	}
	switch i {
	case 0, 1, 2:
		ADCQ(Imm(0), e[0])
	case 3:
		ADCQ(v, e[0])
	case 4:
		MOVQ(v, e[1])
		ADCQ(y, e[0])
		ADCQ(Imm(0), e[1])
	case 5:
		MOVQ(v, e[2])
		ADDQ(x, e[0])
		ADCQ(y, e[1])
		ADCQ(Imm(0), e[2])
	}
}

// finish leaves hi + M - H mod p in the result registers. They hold one half
// of hi + M, and other is where the other half lies.
func (r *reduction) finish(other Mem) {
	Comment("hi + M - H")
	t := result
	c := GP64()
	XORQ(c, c)
	for j := range t {
		switch {
		case j == 0:
			SUBQ(r.e[0], t[j])
		case j < 3:
			SBBQ(r.e[j], t[j])
		default:
			SBBQ(Imm(0), t[j])
		}
	}
	SBBQ(Imm(0), c)
	for j := range t {
		if j == 0 {
			ADDQ(limb(other, j), t[j])
		} else {
			ADCQ(limb(other, j), t[j])
		}
	}
	ADCQ(Imm(0), c)
	k := timesK(c)
	ADDQ(k[0], t[0])
	ADCQ(k[1], t[1])
	ADCQ(k[2], t[2])
	for j := 3; j < 6; j++ {
		ADCQ(Imm(0), t[j])
	}
}

// timesK returns the three limbs of c*K = c*2^128 + c*2^96 - c*2^32 + c, for
// small c.
func timesK(c Register) [3]Register {
	x, y := GP64(), GP64()
	MOVQ(c, x)
	SHLQ(Imm(32), x)
	MOVQ(c, y)
	SUBQ(x, y)
	SBBQ(Imm(0), x)
	return [3]Register{y, x, c}
}

func fieldMul() {
	TEXT("fieldMul", NOSPLIT, "func(z, a, b *[6]uint64)")
	Pragma("noescape")
	Doc("fieldMul sets z = a*b.")
	Load(Param("a"), RSI)
	Load(Param("b"), RBX)
	call(productName, RSI, RBX)
	storeResult(at(param("z"), 0))
	RET()
}

func fieldSqrN() {
	TEXT("fieldSqrN", NOSPLIT, "func(z, a *[6]uint64, n int)")
	Pragma("noescape")
	Doc("fieldSqrN sets z to a squared n times, n > 0.")
	n := AllocLocal(8)
	Load(Param("a"), RSI)
	left := Load(Param("n"), GP64())
	MOVQ(left, n)
	Label("loop")
	call(squareName, RSI)
	z := Load(Param("z"), RSI)
	for i, r := range result {
		MOVQ(r, Mem{Base: z, Disp: 8 * i})
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	RET()
}
