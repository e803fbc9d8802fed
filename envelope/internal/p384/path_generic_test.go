// SPDX-License-Identifier: Apache-2.0

//go:build !amd64 || purego

package p384

import "testing"

// eachPath runs f once for every implementation of the arithmetic.
func eachPath(t *testing.T, f func(t *testing.T)) {
	t.Run("generic", f)
}
