// SPDX-License-Identifier: Apache-2.0

// Command asm writes the amd64 assembly of package p384 with avo. Run it by
// go generate in the folder above; it is a module of its own, so that the
// library does not depend on avo.
package main

import (
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("!purego")

	product()
	square()
	fieldMul()
	fieldSqrN()
	pointDouble()
	pointAdd(false)
	pointAdd(true)

	Generate()
}
