// SPDX-License-Identifier: Apache-2.0

package access_test

import (
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/access"
)

// TestOperations changes what Operations returned: the next caller gets every
// operation all the same, in order, and each reads back from its name.
func TestOperations(t *testing.T) {
	want := []access.Operation{access.ReadClear, access.ReadCiphertext, access.Write, access.WriteVerified}
	clear(access.Operations())
	got := access.Operations()
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for _, o := range got {
		var back access.Operation
		if err := back.UnmarshalText([]byte(o.String())); err != nil || back != o {
			t.Errorf("%v reads back as %v, %v", o, back, err)
		}
	}
	var o access.Operation
	err := o.UnmarshalText([]byte("read"))
	const text = `"read" is not an operation: choose among [read-clear read-ciphertext write write-verified]`
	if err == nil || err.Error() != text {
		t.Errorf("got %v, want %s", err, text)
	}
}
