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
// in two chains of carries at once.
func product() {
	TEXT(productName, NOSPLIT, "func()")
	a, b := Mem{Base: RSI}, Mem{Base: RBX}
	wide := AllocLocal(96)
	var t [12]Register
	for i := range t {
		t[i] = GP64()
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
	MOVQ(t[0], limb(wide, 0))
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
		MOVQ(t[i], limb(wide, i))
	}
	for i := 6; i < 12; i++ {
		MOVQ(t[i], limb(wide, i))
	}
	reduce(wide)
	RET()
}

// square computes the products of different limbs once; then one chain doubles
// them while the other adds the squares.
func square() {
	TEXT(squareName, NOSPLIT, "func()")
	a := Mem{Base: RSI}
	wide := AllocLocal(96)
	var t [12]Register
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
		XORQ(t[i+6], t[i+6])
		for j := i + 1; j < 6; j++ {
			MULXQ(limb(a, j), l, h)
			ADCXQ(l, t[i+j])
			ADOXQ(h, t[i+j+1])
		}
		ADCQ(Imm(0), t[i+6])
	}

	Comment("Doubling and diagonal")
	zero := GP64()
	XORQ(zero, zero)
	for i := range 6 {
		MOVQ(limb(a, i), RDX)
		MULXQ(RDX, l, h)
		if i == 0 {
			MOVQ(l, limb(wide, 0))
		} else {
			if i == 1 {
				MOVQ(limb(wide, 2), t[2])
			}
			ADCXQ(t[2*i], t[2*i])
			ADOXQ(l, t[2*i])
			MOVQ(t[2*i], limb(wide, 2*i))
		}
		if i == 5 {
			ADCXQ(zero, h)
			ADOXQ(zero, h)
			MOVQ(h, limb(wide, 11))
			break
		}
		if i == 0 {
			MOVQ(limb(wide, 1), t[1])
		}
		ADCXQ(t[2*i+1], t[2*i+1])
		ADOXQ(h, t[2*i+1])
		MOVQ(t[2*i+1], limb(wide, 2*i+1))
	}
	reduce(wide)
	RET()
}

// reduce sets the result to the twelve limbs of wide divided by 2^384, mod p.
// The method is that of field_generic.go: M replaces the low half limb by limb,
// e is H.
func reduce(wide Mem) {
	Comment("Reduction")
	t := result
	for i := range t {
		MOVQ(limb(wide, i), t[i])
	}
	x, y, v := GP64(), GP64(), GP64()
	e := [3]Register{GP64(), GP64(), GP64()}
	XORQ(e[0], e[0])
	for i := range 6 {
		m := t[i]
		Commentf("Limb %d", i)
		MOVQ(m, x)
		SHLQ(Imm(32), x)
		ADDQ(x, m)
		MOVQ(m, x)
		SHLQ(Imm(32), x)
		MOVQ(m, y)
		SHRQ(Imm(32), y)
		XORQ(v, v)
		CMPQ(m, x)
		SBBQ(y, x)
		SBBQ(Imm(0), y)
		ADDQ(m, y)
		ADCQ(Imm(0), v)
		// (x, y, v) is m*K without its lowest limb.
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
	Comment("hi + M - H")
	c := GP64()
	for j := range t {
		switch {
		case j == 0:
			SUBQ(e[0], t[j])
		case j < 3:
			SBBQ(e[j], t[j])
		default:
			SBBQ(Imm(0), t[j])
		}
	}
	XORQ(c, c)
	for j := range t {
		if j == 0 {
			ADDQ(limb(wide, 6), t[j])
		} else {
			ADCQ(limb(wide, 6+j), t[j])
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
