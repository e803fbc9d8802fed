// SPDX-License-Identifier: Apache-2.0

//go:build !purego

package p384

import "testing"

// eachPath runs f once for every implementation of the arithmetic.
func eachPath(t *testing.T, f func(t *testing.T)) {
	defer func(saved bool) { useAssembly = saved }(useAssembly)
	if useAssembly {
		t.Run("assembly", f)
	}
	useAssembly = false
	t.Run("generic", f)
}
