// SPDX-License-Identifier: Apache-2.0

package leastprivilege_test

import (
	"slices"
	"testing"

	"github.com/ddbseal/ddbseal/access/leastprivilege"
)

// TestPurposes changes what Purposes returned: the next caller gets every purpose
// all the same, in order, and each reads back from its name.
func TestPurposes(t *testing.T) {
	want := []leastprivilege.Purpose{leastprivilege.Reader, leastprivilege.Writer, leastprivilege.Migrator,
		leastprivilege.KeyStoreAdmin}
	clear(leastprivilege.Purposes())
	got := leastprivilege.Purposes()
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for _, p := range got {
		var back leastprivilege.Purpose
		if err := back.UnmarshalText([]byte(p.String())); err != nil || back != p {
			t.Errorf("%v reads back as %v, %v", p, back, err)
		}
	}
	var p leastprivilege.Purpose
	err := p.UnmarshalText([]byte("read"))
	const text = `"read" is not a purpose: choose among [reader writer migrator keystore-admin]`
	if err == nil || err.Error() != text {
		t.Errorf("got %v, want %s", err, text)
	}
}
