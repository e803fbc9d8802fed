// SPDX-License-Identifier: Apache-2.0

//go:build !amd64 || purego

package p384

// mul sets z = a*b.
func (z *element) mul(a, b *element) { mulGeneric(z, a, b) }

// sqr sets z = a².
func (z *element) sqr(a *element) { sqrGeneric(z, a) }

// sqrN sets z to a squared n times, n > 0.
func (z *element) sqrN(a *element, n int) { sqrNGeneric(z, a, n) }

func double(p *jacobian, n int) { doubleGeneric(p, n) }

func addAffine(r, p *jacobian, q *affine) { addAffineGeneric(r, p, q) }

func addCached(r, p *jacobian, q *cached) { addCachedGeneric(r, p, q) }
