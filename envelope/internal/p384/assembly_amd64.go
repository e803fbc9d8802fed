// SPDX-License-Identifier: Apache-2.0

//go:build !purego

package p384

import "golang.org/x/sys/cpu"

//go:generate go run -C asm . -out ../p384_amd64.s

// useAssembly is whether this processor has the instructions MULX, ADCX and
// ADOX. Tests turn it off to try the other path.
var useAssembly = cpu.X86.HasADX && cpu.X86.HasBMI2

//go:noescape
func fieldMul(z, a, b *element)

//go:noescape
func fieldSqrN(z, a *element, n int)

//go:noescape
func pointDouble(p *jacobian, n int)

//go:noescape
func pointAddAffine(r, p *jacobian, q *affine)

//go:noescape
func pointAddCached(r, p *jacobian, q *cached)

// mul sets z = a*b.
func (z *element) mul(a, b *element) {
	if useAssembly {
		fieldMul(z, a, b)
		return
	}
	mulGeneric(z, a, b)
}

// sqr sets z = a².
func (z *element) sqr(a *element) { z.sqrN(a, 1) }

// sqrN sets z to a squared n times, n > 0.
func (z *element) sqrN(a *element, n int) {
	if useAssembly {
		fieldSqrN(z, a, n)
		return
	}
	sqrNGeneric(z, a, n)
}

func double(p *jacobian, n int) {
	if n <= 0 {
		return
	}
	if useAssembly {
		pointDouble(p, n)
		return
	}
	doubleGeneric(p, n)
}

func addAffine(r, p *jacobian, q *affine) {
	if useAssembly {
		pointAddAffine(r, p, q)
		return
	}
	addAffineGeneric(r, p, q)
}

func addCached(r, p *jacobian, q *cached) {
	if useAssembly {
		pointAddCached(r, p, q)
		return
	}
	addCachedGeneric(r, p, q)
}
